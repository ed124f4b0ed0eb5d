-- Who is told of what happens to a repository, or to those of a namespace. sealed holds the address and the secrets that
-- deliveries are signed with. due_at is when something is to be sent next; until claimed_until somebody does.
create table webhook (
    webhook_id integer primary key,
    place_kind text not null check (place_kind in ('repository', 'namespace')),
    place_id integer not null,
    label text not null,
    format text not null,
    events text not null,
    tags text,
    shown_url text not null,
    sealed text not null,
    secret_set_at integer,
    former_secret_until integer,
    keeper_kind text not null check (keeper_kind in ('account', 'robot')),
    keeper_id integer not null,
    is_enabled integer not null check (is_enabled in (0, 1)),
    disabled_because text,
    disabled_at integer,
    failures integer not null,
    failing_since integer,
    attempted_at integer,
    delivered_at integer,
    due_at integer,
    claimed_until integer not null,
    created_at integer not null
) strict;
create index webhook_place on webhook (place_kind, place_id, webhook_id);
create index webhook_due on webhook (due_at);

-- What a webhook was told, or is to be told: written in the transaction of the change that it tells of. due_at is null once
-- it is delivered or given up.
create table webhook_delivery (
    delivery_id integer primary key,
    webhook_id integer not null references webhook (webhook_id),
    -- The same again when it is delivered anew.
    message_id integer not null,
    event text not null,
    facts text not null,
    state text not null check (state in ('waiting', 'delivered', 'dead')),
    created_at integer not null,
    due_at integer,
    attempts integer not null,
    attempted_at integer,
    duration_ms integer,
    status integer,
    error text,
    request_headers text,
    request_body text,
    response_headers text,
    response_body text,
    check ((state = 'waiting') = (due_at is not null))
) strict;
create index webhook_delivery_queue on webhook_delivery (webhook_id, due_at, delivery_id);
create index webhook_delivery_log on webhook_delivery (webhook_id, delivery_id);
