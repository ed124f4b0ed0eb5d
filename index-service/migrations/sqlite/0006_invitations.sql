-- Links that let people in: into an organisation, or, without one, onto the site. The secret itself is not kept.
create table invitation (
    invitation_id integer primary key,
    secret_hash text not null,
    last_four text not null,
    organisation_id integer references organisation (organisation_id),
    role text check (role in ('manager', 'member', 'guest')),
    team_id integer references team (team_id),
    guest_until integer,
    uses_left integer not null check (uses_left >= 0),
    created_by integer not null references account (account_id),
    created_at integer not null,
    expires_at integer not null,
    revoked_at integer,
    check ((organisation_id is null) = (role is null)),
    check (((role = 'guest') is true) = (guest_until is not null))
) strict;
create unique index invitation_secret on invitation (secret_hash);
create index invitation_organisation on invitation (organisation_id, invitation_id);
create index invitation_team on invitation (team_id);
create index invitation_end on invitation (expires_at);

-- The last owner and the last administrator are looked for; guests come to their end.
create index member_owner on member (organisation_id) where role = 'owner';
create index member_end on member (expires_at) where expires_at is not null;
create index account_admin on account (is_admin, username);

-- What an account calls its address. In email it stands where no other account was first.
alter table account add column email_written text;
