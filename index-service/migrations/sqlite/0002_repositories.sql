create table repository (
    repository_id integer primary key,
    namespace_id integer not null references namespace (namespace_id),
    name text not null,
    stored_as text not null,
    visibility text not null check (visibility in ('public', 'private')),
    state text not null check (state in ('pending', 'active')),
    pending_until integer,
    created_by integer references account (account_id),
    created_at integer not null,
    confirmed_at integer,
    check ((state = 'pending') = (pending_until is not null))
) strict;
create unique index repository_name on repository (name);
create unique index repository_stored_as on repository (stored_as);
create index repository_namespace on repository (namespace_id);
create index repository_pending on repository (repository_id) where state = 'pending';
create index repository_creator on repository (created_by) where state = 'pending';
