-- The authority that vouches for signing keys: one row. Private keys are PKCS#8 (PEM), or sealed with the master key.
create table token_authority (
    authority_id bigint primary key check (authority_id = 1),
    private_key text not null,
    certificate text not null,
    created_at bigint not null
);

-- All are published. The next signs from promote_at on, when somebody asked for it, or when its turn comes; a retired key
-- is withdrawn when no token of it can be valid.
create table signing_key (
    key_id text collate "C" not null primary key,
    state text collate "C" not null check (state in ('next', 'current', 'retired')),
    private_key text not null,
    certificate text not null,
    created_at bigint not null,
    promote_at bigint,
    activated_at bigint,
    withdraw_at bigint,
    check (state = 'next' or promote_at is null),
    check ((state = 'next') = (activated_at is null)),
    check ((state = 'retired') = (withdraw_at is not null))
);
create unique index signing_key_next on signing_key (state) where state = 'next';
create unique index signing_key_current on signing_key (state) where state = 'current';
