-- What people say about a repository, and its stars. A repository without a row says nothing and has none.
create table repository_profile (
    repository_id integer not null primary key references repository (repository_id),
    summary text not null,
    description text not null,
    star_count integer not null,
    updated_at integer not null,
    updated_by integer references account (account_id)
) strict;

create table repository_topic (
    repository_id integer not null references repository (repository_id),
    topic text not null,
    primary key (repository_id, topic)
) strict;

create table star (
    account_id integer not null references account (account_id),
    repository_id integer not null references repository (repository_id),
    created_at integer not null,
    primary key (account_id, repository_id)
) strict;
create index star_repository on star (repository_id, account_id);

-- Lists of repositories, one of each word and reach: 0 is everybody, -1 every account, else a namespace. Made from the rest.
create table search_posting (
    word text not null,
    reach integer not null,
    place integer not null,
    repository_id integer not null,
    primary key (word, reach, place, repository_id)
) strict, without rowid;

-- Words that begin alike stand side by side.
create table search_word (
    word text not null primary key
) strict, without rowid;

-- In which lists a repository stands: reaches separated by spaces; a word and a place in each line.
create table search_document (
    repository_id integer not null primary key references repository (repository_id),
    reaches text not null,
    postings text not null
) strict;

-- Whether an administrator of the site says that a namespace is whose it claims to be.
alter table namespace add column is_verified integer not null default 0 check (is_verified in (0, 1));
