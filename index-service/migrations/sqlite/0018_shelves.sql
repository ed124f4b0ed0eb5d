-- What administrators of the site sort repositories by.
create table category (
    category_id integer primary key,
    slug text not null,
    name text not null,
    created_at integer not null
) strict;
create unique index category_slug on category (slug);

create table repository_category (
    repository_id integer not null references repository (repository_id),
    category_id integer not null references category (category_id),
    primary key (repository_id, category_id)
) strict;
create index repository_category_category on repository_category (category_id, repository_id);

-- Lists that an account keeps for itself.
create table bookmark (
    account_id integer not null references account (account_id),
    shelf text not null,
    repository_id integer not null references repository (repository_id),
    created_at integer not null,
    primary key (account_id, shelf, repository_id)
) strict;
create index bookmark_repository on bookmark (repository_id);
