-- What people say about a repository, and its stars. A repository without a row says nothing and has none.
create table repository_profile (
    repository_id bigint not null primary key references repository (repository_id),
    summary text not null,
    description text not null,
    star_count bigint not null,
    updated_at bigint not null,
    updated_by bigint references account (account_id)
);

create table repository_topic (
    repository_id bigint not null references repository (repository_id),
    topic text collate "C" not null,
    primary key (repository_id, topic)
);

create table star (
    account_id bigint not null references account (account_id),
    repository_id bigint not null references repository (repository_id),
    created_at bigint not null,
    primary key (account_id, repository_id)
);
create index star_repository on star (repository_id, account_id);

-- Lists of repositories, one of each word and reach: 0 is everybody, -1 every account, else a namespace. Made from the rest.
create table search_posting (
    word text collate "C" not null,
    reach bigint not null,
    place bigint not null,
    repository_id bigint not null,
    primary key (word, reach, place, repository_id)
);

-- Words that begin alike stand side by side.
create table search_word (
    word text collate "C" not null primary key
);

-- In which lists a repository stands: reaches separated by spaces; a word and a place in each line.
create table search_document (
    repository_id bigint not null primary key references repository (repository_id),
    reaches text not null,
    postings text not null
);

-- Whether an administrator of the site says that a namespace is whose it claims to be.
alter table namespace add column is_verified boolean not null default false;
