-- What the registry holds, as the index knows it: a projection, which reading the registry again repairs.
create table manifest (
    repository_id integer not null references repository (repository_id),
    digest text not null,
    media_type text not null,
    size integer not null,
    -- With all that an image consists of; null until it was read, and of an index.
    content_size integer,
    artifact_type text,
    subject text,
    -- os/architecture/variant, of an image.
    platform text,
    -- JSON.
    config text,
    annotations text,
    read_at integer,
    primary key (repository_id, digest)
) strict;
create index manifest_subject on manifest (repository_id, subject);

-- What a manifest consists of, in its order.
create table manifest_part (
    repository_id integer not null references repository (repository_id),
    manifest text not null,
    position integer not null,
    role text not null check (role in ('config', 'layer', 'manifest')),
    digest text not null,
    media_type text not null,
    size integer not null,
    platform text,
    -- What made a layer.
    command text,
    primary key (repository_id, manifest, position)
) strict;
create index manifest_part_digest on manifest_part (repository_id, digest);

create table tag (
    repository_id integer not null references repository (repository_id),
    name text not null,
    digest text not null,
    updated_at integer not null,
    primary key (repository_id, name)
) strict;
create index tag_digest on tag (repository_id, digest);
create index tag_updated on tag (repository_id, updated_at, name);

-- Each blob of a repository once, manifests too, and how many manifests need it.
create table repository_blob (
    repository_id integer not null references repository (repository_id),
    digest text not null,
    size integer not null,
    use_count integer not null,
    primary key (repository_id, digest)
) strict;
create index repository_blob_digest on repository_blob (digest, repository_id);

-- What is to be read from the registry: a manifest, or without a digest the whole repository. Whoever does it moves due_at
-- on, which is also the number of the claim.
create table manifest_work (
    repository_id integer not null references repository (repository_id),
    digest text not null,
    due_at integer not null,
    attempts integer not null,
    primary key (repository_id, digest)
) strict;
create index manifest_work_due on manifest_work (due_at);
insert into manifest_work (repository_id, digest, due_at, attempts)
    select repository_id, '', 0, 0 from repository where state = 'active';
