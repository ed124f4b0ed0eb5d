-- What happened. Rows are added, and dropped by whole months; none is ever changed. An id begins with its time, so that
-- a month is a range of ids, which lie side by side. Names are those of that time, and nothing refers to other tables:
-- what is told about may be gone.
create table audit_event (
    event_id bigint primary key,
    created_at bigint not null,
    action text collate "C" not null,
    actor_kind text collate "C" not null,
    actor_id bigint,
    actor_name text collate "C" not null,
    credential text,
    target_kind text collate "C" not null,
    target_id bigint,
    target_name text collate "C" not null,
    organisation_id bigint,
    address text,
    client text not null,
    request_id text,
    -- JSON.
    state_before text,
    state_after text
);
create index audit_event_organisation on audit_event (organisation_id, event_id);
create index audit_event_actor on audit_event (actor_name, event_id);
create index audit_event_target on audit_event (target_name, event_id);
create index audit_event_action on audit_event (action, event_id);

-- What one replica does for all: held until a time, which its holder moves on.
create table lease (
    name text collate "C" not null primary key,
    holder text not null,
    held_until bigint not null
);
