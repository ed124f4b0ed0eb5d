-- Facts of record about content: what happened, when, and by whom. Reading the registry again brings none of it back, so it
-- is kept apart from the projection, and nothing but events adds to it.

-- How far the events of a repository are carried out. version grows with each delivery; changes numbers those of tags;
-- recent_events are the ids of the last events, so that what is delivered twice is carried out once.
create table content_feed (
    repository_id bigint not null primary key references repository (repository_id),
    version bigint not null,
    changes bigint not null,
    recent_events text collate "C" not null,
    received_at bigint not null
);

-- What a tag pointed to; null is nothing.
create table tag_change (
    repository_id bigint not null references repository (repository_id),
    sequence bigint not null,
    tag text collate "C" not null,
    digest_before text collate "C",
    digest_after text collate "C",
    changed_at bigint not null,
    changed_by text collate "C",
    client text collate "C",
    primary key (repository_id, sequence)
);
create index tag_change_tag on tag_change (repository_id, tag, sequence);

-- Counts of a repository (value is empty), of each of its tags, digests, platforms and kinds of clients.
create table content_total (
    repository_id bigint not null references repository (repository_id),
    dimension text collate "C" not null check (dimension in ('repository', 'tag', 'digest', 'platform', 'client')),
    value text collate "C" not null,
    pull_count bigint not null,
    push_count bigint not null,
    last_pulled_at bigint,
    last_pushed_at bigint,
    last_pushed_by text collate "C",
    primary key (repository_id, dimension, value)
);

-- The same by day (days since 1970, UTC).
create table content_day (
    repository_id bigint not null references repository (repository_id),
    dimension text collate "C" not null check (dimension in ('repository', 'tag', 'digest', 'platform', 'client')),
    day bigint not null,
    value text collate "C" not null,
    pull_count bigint not null,
    push_count bigint not null,
    primary key (repository_id, dimension, day, value)
);
