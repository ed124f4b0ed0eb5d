create table access_token (
    token_id integer primary key,
    account_id integer not null references account (account_id),
    label text not null,
    secret_hash text not null,
    last_four text not null,
    actions text not null,
    pattern text not null,
    created_at integer not null,
    expires_at integer,
    revoked_at integer,
    last_used_at integer
) strict;
create unique index access_token_secret on access_token (secret_hash);
create index access_token_account on access_token (account_id, token_id);

-- Without actions and pattern a device reaches all that its account holds.
create table device (
    device_id integer primary key,
    account_id integer not null references account (account_id),
    secret_hash text not null,
    client_id text not null,
    user_agent text not null,
    password_version integer not null,
    actions text,
    pattern text,
    created_at integer not null,
    last_used_at integer not null,
    expires_at integer not null,
    revoked_at integer,
    check ((actions is null) = (pattern is null))
) strict;
create unique index device_secret on device (secret_hash);
create index device_account on device (account_id, device_id);
