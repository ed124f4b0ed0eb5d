-- Work that takes long and that others do: the registry's collection of garbage, imports. What they tell of it is kept here, of
-- each kind the last hundred. Reading everything again and retention have records of their own.
create table work (
    work_id bigint not null primary key,
    -- What whoever does it calls it: 32 hexadecimal digits.
    run text collate "C" not null,
    kind text collate "C" not null check (kind in ('garbage_collection', 'import')),
    -- What it is about, which may be gone; null for the whole registry.
    namespace_id bigint,
    repository_id bigint,
    -- The same in words: where an import comes from, the configuration that a collection was given.
    subject text not null,
    -- The account; empty for the registry itself.
    began_by text collate "C" not null,
    began_at bigint not null,
    -- The last sign of life.
    told_at bigint not null,
    -- The number of the report that it came with: older ones change nothing.
    sequence bigint not null,
    phase text not null,
    unit text not null,
    done bigint not null,
    -- Null while it is unknown.
    total bigint,
    -- Freed by a collection, copied by an import.
    bytes bigint,
    is_rehearsal boolean not null,
    -- Null while it goes on.
    outcome text collate "C" check (outcome in ('done', 'failed', 'stopped')),
    message text not null,
    ended_at bigint
);
create unique index work_run on work (run);
create index work_kind on work (kind, work_id);
create index work_owner on work (kind, began_by, work_id);
create index work_live on work (outcome, told_at);

-- How many tags and manifests a run of one repository is to delete; null while nobody knows.
alter table retention_run add column planned bigint;
