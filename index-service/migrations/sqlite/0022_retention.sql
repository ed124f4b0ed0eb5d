-- Which content goes by itself, what went, and what it can be brought back from.

-- Rules of a namespace, or of one repository, whose own count instead of its namespace's. rules is JSON.
create table retention_policy (
    policy_id integer primary key,
    namespace_id integer references namespace (namespace_id),
    repository_id integer references repository (repository_id),
    is_enabled integer not null check (is_enabled in (0, 1)),
    rules text not null,
    -- Manifests that nothing leads to go after so many days; null for never.
    untagged_days integer,
    -- Every so many days at this hour (UTC); null for on demand alone.
    every_days integer,
    at_hour integer not null,
    next_run_at integer,
    changed_at integer not null,
    changed_by text not null,
    check ((namespace_id is null) <> (repository_id is null))
) strict;
create unique index retention_policy_namespace on retention_policy (namespace_id);
create unique index retention_policy_repository on retention_policy (repository_id);
create index retention_policy_next on retention_policy (next_run_at);

-- Whoever carries a run out moves due_at on, which is also the number of the claim; null when it has ended. It goes from
-- repository to repository in the order of their names, and is past after_name.
create table retention_run (
    run_id integer primary key,
    policy_id integer not null,
    namespace_id integer references namespace (namespace_id),
    repository_id integer references repository (repository_id),
    requested_by text,
    state text not null check (state in ('waiting', 'running', 'done', 'failed')),
    due_at integer,
    attempts integer not null,
    created_at integer not null,
    started_at integer,
    ended_at integer,
    after_name text not null,
    tags integer not null,
    manifests integer not null,
    failures integer not null,
    message text
) strict;
create index retention_run_due on retention_run (due_at);
create index retention_run_policy on retention_run (policy_id, run_id);
create index retention_run_namespace on retention_run (namespace_id, run_id);
create index retention_run_repository on retention_run (repository_id, run_id);

-- What was deleted through the index, tags and manifests (which have no tag here): a record, and what deleted tags are brought
-- back from. purge_after is null when there is nothing left to do.
create table content_deletion (
    deletion_id integer primary key,
    repository_id integer not null references repository (repository_id),
    tag text,
    digest text not null,
    state text not null check (state in ('pending', 'deleted', 'kept', 'restored', 'purged')),
    deleted_at integer not null,
    deleted_by text,
    run_id integer,
    -- The number of the rule that wanted it.
    rule integer,
    pushed_at integer,
    pulled_at integer,
    purge_after integer
) strict;
create index content_deletion_repository on content_deletion (repository_id, state, deletion_id);
create index content_deletion_tag on content_deletion (repository_id, tag, deletion_id);
create index content_deletion_run on content_deletion (run_id, deletion_id);
create index content_deletion_due on content_deletion (purge_after);

-- Which tags left a manifest, and when.
create index tag_change_before on tag_change (repository_id, digest_before, changed_at);

-- The layers of an image down from the first, as one digest: images with the same one have the same layers. Empty for what is no
-- image; null until it is computed.
alter table manifest add column layer_chain text;
create index manifest_layer_chain on manifest (layer_chain, repository_id, digest);

alter table content_total add column last_pulled_by text;
