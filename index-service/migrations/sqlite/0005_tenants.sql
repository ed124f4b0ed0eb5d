-- People. A deleted account keeps its row and so its name, which nobody else ever gets.
alter table account add column email text;
alter table account add column full_name text not null default '';
alter table account add column biography text not null default '';
alter table account add column location text not null default '';
alter table account add column website text not null default '';
alter table account add column deleted_at integer;
-- Folded; an account without an address is none of those that are compared.
create unique index account_email on account (email);

create table organisation (
    organisation_id integer primary key,
    name text not null,
    display_name text not null,
    description text not null,
    created_by integer references account (account_id),
    created_at integer not null,
    updated_at integer not null,
    deleted_at integer
) strict;
create unique index organisation_name on organisation (name);

-- Guests alone come to an end by themselves.
create table member (
    organisation_id integer not null references organisation (organisation_id),
    account_id integer not null references account (account_id),
    role text not null check (role in ('owner', 'manager', 'member', 'guest')),
    expires_at integer,
    created_at integer not null,
    primary key (organisation_id, account_id),
    check ((role = 'guest') = (expires_at is not null))
) strict;
create index member_account on member (account_id, organisation_id);

create table team (
    team_id integer primary key,
    organisation_id integer not null references organisation (organisation_id),
    name text not null,
    description text not null,
    created_at integer not null,
    updated_at integer not null
) strict;
create unique index team_name on team (organisation_id, name);

create table team_member (
    team_id integer not null references team (team_id),
    account_id integer not null references account (account_id),
    created_at integer not null,
    primary key (team_id, account_id)
) strict;
create index team_member_account on team_member (account_id, team_id);

-- A namespace with neither account nor organisation is library.
alter table namespace add column organisation_id integer references organisation (organisation_id);
alter table namespace add column default_visibility text not null default 'private'
    check (default_visibility in ('public', 'internal', 'private'));
create index namespace_organisation on namespace (organisation_id);

-- A deleted repository keeps its row and so its storage name, which no other repository ever gets; its name is free.
create table repository_new (
    repository_id integer primary key,
    namespace_id integer not null references namespace (namespace_id),
    name text not null,
    stored_as text not null,
    visibility text not null check (visibility in ('public', 'internal', 'private')),
    state text not null check (state in ('pending', 'active', 'deleted')),
    pending_until integer,
    created_by integer references account (account_id),
    created_at integer not null,
    confirmed_at integer,
    deleted_by integer references account (account_id),
    deleted_at integer,
    purge_after integer,
    purged_at integer,
    check ((state = 'pending') = (pending_until is not null)),
    check ((state = 'deleted') = (deleted_at is not null)),
    check ((state = 'deleted') = (purge_after is not null))
) strict;
insert into repository_new (repository_id, namespace_id, name, stored_as, visibility, state, pending_until, created_by,
    created_at, confirmed_at)
    select repository_id, namespace_id, name, stored_as, visibility, state, pending_until, created_by, created_at,
    confirmed_at from repository;
drop table repository;
alter table repository_new rename to repository;
create unique index repository_name on repository (name) where state <> 'deleted';
create unique index repository_stored_as on repository (stored_as);
create index repository_namespace on repository (namespace_id, name);
create index repository_pending on repository (repository_id) where state = 'pending';
create index repository_creator on repository (created_by) where state = 'pending';
create index repository_purge on repository (purge_after) where state = 'deleted' and purged_at is null;

-- Former names, for pulls alone, until a repository takes one.
create table repository_alias (
    name text not null primary key,
    repository_id integer not null references repository (repository_id),
    created_at integer not null
) strict;
create index repository_alias_repository on repository_alias (repository_id);

-- Subjects without an id have 0. Tags are patterns separated by spaces; null is every tag.
create table access_rule (
    rule_id integer primary key,
    namespace_id integer not null references namespace (namespace_id),
    subject_kind text not null check (subject_kind in ('account', 'team', 'robot', 'members', 'signed_in', 'anyone')),
    subject_id integer not null,
    repository_id integer references repository (repository_id),
    pattern text,
    -- Names of the pattern, half-open and in the order of bytes.
    name_from text,
    name_before text,
    rights text not null,
    push_tags text,
    delete_tags text,
    expires_at integer,
    created_by integer references account (account_id),
    created_at integer not null,
    check ((repository_id is null) <> (pattern is null)),
    check ((pattern is null) = (name_from is null)),
    check ((pattern is null) = (name_before is null))
) strict;
create index access_rule_subject on access_rule (namespace_id, subject_kind, subject_id, rule_id);
create index access_rule_everywhere on access_rule (subject_kind, subject_id, rule_id);
create index access_rule_repository on access_rule (repository_id, rule_id);

-- What a credential may reach: a limit in each line, as 'pull,push team/app-* push:v*'; null is everything.
alter table access_token add column limits text;
update access_token set limits = actions || ' ' || pattern;
alter table access_token drop column actions;
alter table access_token drop column pattern;

create table device_new (
    device_id integer primary key,
    account_id integer not null references account (account_id),
    secret_hash text not null,
    client_id text not null,
    user_agent text not null,
    password_version integer not null,
    limits text,
    created_at integer not null,
    last_used_at integer not null,
    expires_at integer not null,
    revoked_at integer
) strict;
insert into device_new (device_id, account_id, secret_hash, client_id, user_agent, password_version, limits, created_at,
    last_used_at, expires_at, revoked_at)
    select device_id, account_id, secret_hash, client_id, user_agent, password_version, actions || ' ' || pattern,
    created_at, last_used_at, expires_at, revoked_at from device;
drop table device;
alter table device_new rename to device;
create unique index device_secret on device (secret_hash);
create index device_account on device (account_id, device_id);
create index device_use on device (account_id, last_used_at, device_id);
