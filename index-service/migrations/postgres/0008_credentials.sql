-- Secrets of access tokens and of robots. Two of one owner may live at once, so that one replaces the other without a gap;
-- ended ones stay for a while, so that their owner hears who still uses them.
create table credential_secret (
    secret_id bigint primary key,
    owner_kind text collate "C" not null check (owner_kind in ('access_token', 'robot')),
    owner_id bigint not null,
    secret_hash text collate "C" not null,
    last_four text not null,
    created_at bigint not null,
    ends_at bigint,
    ended_because text check (ended_because in ('replaced', 'revoked', 'leaked'))
);
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
alter table access_token add column refused_count bigint not null default 0;
alter table access_token add column refused_at bigint;
alter table access_token add column refused_network text;

-- Machines of a namespace. Without a name it is an access token of the organisation itself.
create table robot (
    robot_id bigint primary key,
    namespace_id bigint not null references namespace (namespace_id),
    name text collate "C",
    parent_id bigint references robot (robot_id),
    label text not null,
    limits text not null,
    networks text,
    created_by bigint references account (account_id),
    created_at bigint not null,
    expires_at bigint,
    suspended_at bigint,
    deleted_at bigint,
    last_used_at bigint,
    last_address text,
    last_client text,
    refused_count bigint not null default 0,
    refused_at bigint,
    refused_network text
);
create unique index robot_name on robot (namespace_id, name) where deleted_at is null;
create index robot_namespace on robot (namespace_id, robot_id);
create index robot_parent on robot (parent_id, robot_id);

alter table device add column created_address text;
alter table device add column last_address text;

create table password_reset (
    secret_hash text collate "C" not null primary key,
    account_id bigint not null references account (account_id),
    created_by bigint references account (account_id),
    created_at bigint not null,
    expires_at bigint not null
);
create index password_reset_account on password_reset (account_id);
create index password_reset_end on password_reset (expires_at);

-- Wrong secrets of the last minutes, as keyed hashes: of whom and from which network, and of what.
create table wrong_secret (
    subject text collate "C" not null,
    fingerprint text collate "C" not null,
    seen_at bigint not null,
    primary key (subject, fingerprint)
);
create index wrong_secret_age on wrong_secret (seen_at);
