-- The authority that vouches for signing keys: one row. Private keys are PKCS#8 (PEM), or sealed with the master key.
create table token_authority (
    authority_id integer primary key check (authority_id = 1),
    private_key text not null,
    certificate text not null,
    created_at integer not null
) strict;

-- All are published. The next signs from promote_at on, when somebody asked for it, or when its turn comes; a retired key
-- is withdrawn when no token of it can be valid.
create table signing_key (
    key_id text not null primary key,
    state text not null check (state in ('next', 'current', 'retired')),
    private_key text not null,
    certificate text not null,
    created_at integer not null,
    promote_at integer,
    activated_at integer,
    withdraw_at integer,
    check (state = 'next' or promote_at is null),
    check ((state = 'next') = (activated_at is null)),
    check ((state = 'retired') = (withdraw_at is not null))
) strict;
create unique index signing_key_next on signing_key (state) where state = 'next';
create unique index signing_key_current on signing_key (state) where state = 'current';
