-- Facts of record about content: what happened, when, and by whom. Reading the registry again brings none of it back, so it
-- is kept apart from the projection, and nothing but events adds to it.

-- How far the events of a repository are carried out. version grows with each delivery; changes numbers those of tags;
-- recent_events are the ids of the last events, so that what is delivered twice is carried out once.
create table content_feed (
    repository_id integer not null primary key references repository (repository_id),
    version integer not null,
    changes integer not null,
    recent_events text not null,
    received_at integer not null
) strict;

-- What a tag pointed to; null is nothing.
create table tag_change (
    repository_id integer not null references repository (repository_id),
    sequence integer not null,
    tag text not null,
    digest_before text,
    digest_after text,
    changed_at integer not null,
    changed_by text,
    client text,
    primary key (repository_id, sequence)
) strict;
create index tag_change_tag on tag_change (repository_id, tag, sequence);

-- Counts of a repository (value is empty), of each of its tags, digests, platforms and kinds of clients.
create table content_total (
    repository_id integer not null references repository (repository_id),
    dimension text not null check (dimension in ('repository', 'tag', 'digest', 'platform', 'client')),
    value text not null,
    pull_count integer not null,
    push_count integer not null,
    last_pulled_at integer,
    last_pushed_at integer,
    last_pushed_by text,
    primary key (repository_id, dimension, value)
) strict;

-- The same by day (days since 1970, UTC).
create table content_day (
    repository_id integer not null references repository (repository_id),
    dimension text not null check (dimension in ('repository', 'tag', 'digest', 'platform', 'client')),
    day integer not null,
    value text not null,
    pull_count integer not null,
    push_count integer not null,
    primary key (repository_id, dimension, day, value)
) strict;
