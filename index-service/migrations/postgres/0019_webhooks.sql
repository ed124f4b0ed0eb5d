-- Who is told of what happens to a repository, or to those of a namespace. sealed holds the address and the secrets that
-- deliveries are signed with. due_at is when something is to be sent next; until claimed_until somebody does.
create table webhook (
    webhook_id bigint not null primary key,
    place_kind text collate "C" not null check (place_kind in ('repository', 'namespace')),
    place_id bigint not null,
    label text collate "C" not null,
    format text collate "C" not null,
    events text collate "C" not null,
    tags text collate "C",
    shown_url text collate "C" not null,
    sealed text collate "C" not null,
    secret_set_at bigint,
    former_secret_until bigint,
    keeper_kind text collate "C" not null check (keeper_kind in ('account', 'robot')),
    keeper_id bigint not null,
    is_enabled boolean not null,
    disabled_because text collate "C",
    disabled_at bigint,
    failures bigint not null,
    failing_since bigint,
    attempted_at bigint,
    delivered_at bigint,
    due_at bigint,
    claimed_until bigint not null,
    created_at bigint not null
);
create index webhook_place on webhook (place_kind, place_id, webhook_id);
create index webhook_due on webhook (due_at);

-- What a webhook was told, or is to be told: written in the transaction of the change that it tells of. due_at is null once
-- it is delivered or given up.
create table webhook_delivery (
    delivery_id bigint not null primary key,
    webhook_id bigint not null references webhook (webhook_id),
    -- The same again when it is delivered anew.
    message_id bigint not null,
    event text collate "C" not null,
    facts text collate "C" not null,
    state text collate "C" not null check (state in ('waiting', 'delivered', 'dead')),
    created_at bigint not null,
    due_at bigint,
    attempts bigint not null,
    attempted_at bigint,
    duration_ms bigint,
    status bigint,
    error text collate "C",
    request_headers text collate "C",
    request_body text collate "C",
    response_headers text collate "C",
    response_body text collate "C",
    check ((state = 'waiting') = (due_at is not null))
);
create index webhook_delivery_queue on webhook_delivery (webhook_id, due_at, delivery_id);
create index webhook_delivery_log on webhook_delivery (webhook_id, delivery_id);
