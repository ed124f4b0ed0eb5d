-- Tags that stay what they are: patterns and exceptions, separated by spaces.
create table namespace_immutability (
    namespace_id bigint not null primary key references namespace (namespace_id),
    tags text not null,
    exceptions text not null
);
create table repository_immutability (
    repository_id bigint not null primary key references repository (repository_id),
    tags text not null,
    exceptions text not null
);

-- What a namespace may hold. Null is what the site's configuration says, -1 no limit.
create table namespace_quota (
    namespace_id bigint not null primary key references namespace (namespace_id),
    bytes bigint,
    storage_bytes bigint,
    repositories bigint,
    tags bigint,
    is_strict boolean
);

-- How much of a quota was used, in steps, when that was last told.
create table quota_mark (
    namespace_id bigint not null references namespace (namespace_id),
    resource text collate "C" not null check (resource in ('bytes', 'storage_bytes', 'repositories', 'tags')),
    percent bigint not null,
    marked_at bigint not null,
    primary key (namespace_id, resource)
);

-- What a registry was allowed to store of which no event has told yet: blobs by their digests, tags as tag:NAME.
create table quota_hold (
    namespace_id bigint not null references namespace (namespace_id),
    repository_id bigint not null,
    item text collate "C" not null,
    size bigint not null,
    held_at bigint not null,
    primary key (namespace_id, repository_id, item)
);
create index quota_hold_held on quota_hold (held_at);
