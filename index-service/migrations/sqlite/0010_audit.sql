-- What happened. Rows are added, and dropped by whole months; none is ever changed. An id begins with its time, so that
-- a month is a range of ids, which lie side by side. Names are those of that time, and nothing refers to other tables:
-- what is told about may be gone.
create table audit_event (
    event_id integer primary key,
    created_at integer not null,
    action text not null,
    actor_kind text not null,
    actor_id integer,
    actor_name text not null,
    credential text,
    target_kind text not null,
    target_id integer,
    target_name text not null,
    organisation_id integer,
    address text,
    client text not null,
    request_id text,
    -- JSON.
    state_before text,
    state_after text
) strict;
create index audit_event_organisation on audit_event (organisation_id, event_id);
create index audit_event_actor on audit_event (actor_name, event_id);
create index audit_event_target on audit_event (target_name, event_id);
create index audit_event_action on audit_event (action, event_id);

-- What one replica does for all: held until a time, which its holder moves on.
create table lease (
    name text not null primary key,
    holder text not null,
    held_until integer not null
) strict;
