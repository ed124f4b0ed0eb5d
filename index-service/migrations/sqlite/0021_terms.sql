-- Tags that stay what they are: patterns and exceptions, separated by spaces.
create table namespace_immutability (
    namespace_id integer not null primary key references namespace (namespace_id),
    tags text not null,
    exceptions text not null
) strict;
create table repository_immutability (
    repository_id integer not null primary key references repository (repository_id),
    tags text not null,
    exceptions text not null
) strict;

-- What a namespace may hold. Null is what the site's configuration says, -1 no limit.
create table namespace_quota (
    namespace_id integer not null primary key references namespace (namespace_id),
    bytes integer,
    storage_bytes integer,
    repositories integer,
    tags integer,
    is_strict integer
) strict;

-- How much of a quota was used, in steps, when that was last told.
create table quota_mark (
    namespace_id integer not null references namespace (namespace_id),
    resource text not null check (resource in ('bytes', 'storage_bytes', 'repositories', 'tags')),
    percent integer not null,
    marked_at integer not null,
    primary key (namespace_id, resource)
) strict;

-- What a registry was allowed to store of which no event has told yet: blobs by their digests, tags as tag:NAME.
create table quota_hold (
    namespace_id integer not null references namespace (namespace_id),
    repository_id integer not null,
    item text not null,
    size integer not null,
    held_at integer not null,
    primary key (namespace_id, repository_id, item)
) strict;
create index quota_hold_held on quota_hold (held_at);
