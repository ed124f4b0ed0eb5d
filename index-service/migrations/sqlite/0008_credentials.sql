-- Secrets of access tokens and of robots. Two of one owner may live at once, so that one replaces the other without a gap;
-- ended ones stay for a while, so that their owner hears who still uses them.
create table credential_secret (
    secret_id integer primary key,
    owner_kind text not null check (owner_kind in ('access_token', 'robot')),
    owner_id integer not null,
    secret_hash text not null,
    last_four text not null,
    created_at integer not null,
    ends_at integer,
    ended_because text check (ended_because in ('replaced', 'revoked', 'leaked'))
) strict;
create unique index credential_secret_hash on credential_secret (secret_hash);
create index credential_secret_owner on credential_secret (owner_kind, owner_id, secret_id);
insert into credential_secret (secret_id, owner_kind, owner_id, secret_hash, last_four, created_at)
    select token_id, 'access_token', token_id, secret_hash, last_four, created_at from access_token;

-- Networks are ranges of addresses separated by spaces; null is everywhere.
drop index access_token_secret;
alter table access_token drop column secret_hash;
alter table access_token drop column last_four;
alter table access_token add column networks text;
alter table access_token add column revoked_because text;
alter table access_token add column last_address text;
alter table access_token add column last_client text;
alter table access_token add column refused_count integer not null default 0;
alter table access_token add column refused_at integer;
alter table access_token add column refused_network text;

-- Machines of a namespace. Without a name it is an access token of the organisation itself.
create table robot (
    robot_id integer primary key,
    namespace_id integer not null references namespace (namespace_id),
    name text,
    parent_id integer references robot (robot_id),
    label text not null,
    limits text not null,
    networks text,
    created_by integer references account (account_id),
    created_at integer not null,
    expires_at integer,
    suspended_at integer,
    deleted_at integer,
    last_used_at integer,
    last_address text,
    last_client text,
    refused_count integer not null default 0,
    refused_at integer,
    refused_network text
) strict;
create unique index robot_name on robot (namespace_id, name) where deleted_at is null;
create index robot_namespace on robot (namespace_id, robot_id);
create index robot_parent on robot (parent_id, robot_id);

alter table device add column created_address text;
alter table device add column last_address text;

create table password_reset (
    secret_hash text not null primary key,
    account_id integer not null references account (account_id),
    created_by integer references account (account_id),
    created_at integer not null,
    expires_at integer not null
) strict;
create index password_reset_account on password_reset (account_id);
create index password_reset_end on password_reset (expires_at);

-- Wrong secrets of the last minutes, as keyed hashes: of whom and from which network, and of what.
create table wrong_secret (
    subject text not null,
    fingerprint text not null,
    seen_at integer not null,
    primary key (subject, fingerprint)
) strict;
create index wrong_secret_age on wrong_secret (seen_at);
