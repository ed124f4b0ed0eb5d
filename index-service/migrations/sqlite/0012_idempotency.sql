-- Requests that were carried out under a client's own key, and what was answered; a second one gets the same answer. Neither
-- key nor request is kept, only their hashes. No answer: still being carried out, or it held a secret, which is not kept.
create table idempotency (
    key_hash text not null primary key,
    request_hash text not null,
    status integer,
    body text,
    created_at integer not null
) strict;
create index idempotency_age on idempotency (created_at);
