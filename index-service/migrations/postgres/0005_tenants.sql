-- People. A deleted account keeps its row and so its name, which nobody else ever gets.
alter table account add column email text collate "C";
alter table account add column full_name text not null default '';
alter table account add column biography text not null default '';
alter table account add column location text not null default '';
alter table account add column website text not null default '';
alter table account add column deleted_at bigint;
-- Folded; an account without an address is none of those that are compared.
create unique index account_email on account (email);

create table organisation (
    organisation_id bigint primary key,
    name text collate "C" not null,
    display_name text not null,
    description text not null,
    created_by bigint references account (account_id),
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint
);
create unique index organisation_name on organisation (name);

-- Guests alone come to an end by themselves.
create table member (
    organisation_id bigint not null references organisation (organisation_id),
    account_id bigint not null references account (account_id),
    role text collate "C" not null check (role in ('owner', 'manager', 'member', 'guest')),
    expires_at bigint,
    created_at bigint not null,
    primary key (organisation_id, account_id),
    check ((role = 'guest') = (expires_at is not null))
);
create index member_account on member (account_id, organisation_id);

create table team (
    team_id bigint primary key,
    organisation_id bigint not null references organisation (organisation_id),
    name text collate "C" not null,
    description text not null,
    created_at bigint not null,
    updated_at bigint not null
);
create unique index team_name on team (organisation_id, name);

create table team_member (
    team_id bigint not null references team (team_id),
    account_id bigint not null references account (account_id),
    created_at bigint not null,
    primary key (team_id, account_id)
);
create index team_member_account on team_member (account_id, team_id);

-- A namespace with neither account nor organisation is library.
alter table namespace add column organisation_id bigint references organisation (organisation_id);
alter table namespace add column default_visibility text collate "C" not null default 'private'
    check (default_visibility in ('public', 'internal', 'private'));
create index namespace_organisation on namespace (organisation_id);

-- A deleted repository keeps its row and so its storage name, which no other repository ever gets; its name is free.
alter table repository drop constraint repository_visibility_check;
alter table repository add constraint repository_visibility_check
    check (visibility in ('public', 'internal', 'private'));
alter table repository drop constraint repository_state_check;
alter table repository add constraint repository_state_check check (state in ('pending', 'active', 'deleted'));
alter table repository add column deleted_by bigint references account (account_id);
alter table repository add column deleted_at bigint;
alter table repository add column purge_after bigint;
alter table repository add column purged_at bigint;
alter table repository add check ((state = 'deleted') = (deleted_at is not null));
alter table repository add check ((state = 'deleted') = (purge_after is not null));
drop index repository_name;
drop index repository_namespace;
create unique index repository_name on repository (name) where state <> 'deleted';
create index repository_namespace on repository (namespace_id, name);
create index repository_purge on repository (purge_after) where state = 'deleted' and purged_at is null;

-- Former names, for pulls alone, until a repository takes one.
create table repository_alias (
    name text collate "C" not null primary key,
    repository_id bigint not null references repository (repository_id),
    created_at bigint not null
);
create index repository_alias_repository on repository_alias (repository_id);

-- Subjects without an id have 0. Tags are patterns separated by spaces; null is every tag.
create table access_rule (
    rule_id bigint primary key,
    namespace_id bigint not null references namespace (namespace_id),
    subject_kind text collate "C" not null check (subject_kind in ('account', 'team', 'robot', 'members', 'signed_in', 'anyone')),
    subject_id bigint not null,
    repository_id bigint references repository (repository_id),
    pattern text collate "C",
    -- Names of the pattern, half-open and in the order of bytes.
    name_from text collate "C",
    name_before text collate "C",
    rights text not null,
    push_tags text,
    delete_tags text,
    expires_at bigint,
    created_by bigint references account (account_id),
    created_at bigint not null,
    check ((repository_id is null) <> (pattern is null)),
    check ((pattern is null) = (name_from is null)),
    check ((pattern is null) = (name_before is null))
);
create index access_rule_subject on access_rule (namespace_id, subject_kind, subject_id, rule_id);
create index access_rule_everywhere on access_rule (subject_kind, subject_id, rule_id);
create index access_rule_repository on access_rule (repository_id, rule_id);

-- What a credential may reach: a limit in each line, as 'pull,push team/app-* push:v*'; null is everything.
alter table access_token add column limits text;
update access_token set limits = actions || ' ' || pattern;
alter table access_token drop column actions;
alter table access_token drop column pattern;

alter table device add column limits text;
update device set limits = actions || ' ' || pattern;
alter table device drop column actions;
alter table device drop column pattern;
