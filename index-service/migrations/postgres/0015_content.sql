-- What the registry holds, as the index knows it: a projection, which reading the registry again repairs.
create table manifest (
    repository_id bigint not null references repository (repository_id),
    digest text collate "C" not null,
    media_type text collate "C" not null,
    size bigint not null,
    -- With all that an image consists of; null until it was read, and of an index.
    content_size bigint,
    artifact_type text collate "C",
    subject text collate "C",
    -- os/architecture/variant, of an image.
    platform text collate "C",
    -- JSON.
    config text collate "C",
    annotations text collate "C",
    read_at bigint,
    primary key (repository_id, digest)
);
create index manifest_subject on manifest (repository_id, subject);

-- What a manifest consists of, in its order.
create table manifest_part (
    repository_id bigint not null references repository (repository_id),
    manifest text collate "C" not null,
    position bigint not null,
    role text collate "C" not null check (role in ('config', 'layer', 'manifest')),
    digest text collate "C" not null,
    media_type text collate "C" not null,
    size bigint not null,
    platform text collate "C",
    -- What made a layer.
    command text collate "C",
    primary key (repository_id, manifest, position)
);
create index manifest_part_digest on manifest_part (repository_id, digest);

create table tag (
    repository_id bigint not null references repository (repository_id),
    name text collate "C" not null,
    digest text collate "C" not null,
    updated_at bigint not null,
    primary key (repository_id, name)
);
create index tag_digest on tag (repository_id, digest);
create index tag_updated on tag (repository_id, updated_at, name);

-- Each blob of a repository once, manifests too, and how many manifests need it.
create table repository_blob (
    repository_id bigint not null references repository (repository_id),
    digest text collate "C" not null,
    size bigint not null,
    use_count bigint not null,
    primary key (repository_id, digest)
);
create index repository_blob_digest on repository_blob (digest, repository_id);

-- What is to be read from the registry: a manifest, or without a digest the whole repository. Whoever does it moves due_at
-- on, which is also the number of the claim.
create table manifest_work (
    repository_id bigint not null references repository (repository_id),
    digest text collate "C" not null,
    due_at bigint not null,
    attempts bigint not null,
    primary key (repository_id, digest)
);
create index manifest_work_due on manifest_work (due_at);
insert into manifest_work (repository_id, digest, due_at, attempts)
    select repository_id, '', 0, 0 from repository where state = 'active';
