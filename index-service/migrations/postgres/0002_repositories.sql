create table repository (
    repository_id bigint primary key,
    namespace_id bigint not null references namespace (namespace_id),
    name text collate "C" not null,
    stored_as text collate "C" not null,
    visibility text collate "C" not null check (visibility in ('public', 'private')),
    state text collate "C" not null check (state in ('pending', 'active')),
    pending_until bigint,
    created_by bigint references account (account_id),
    created_at bigint not null,
    confirmed_at bigint,
    check ((state = 'pending') = (pending_until is not null))
);
create unique index repository_name on repository (name);
create unique index repository_stored_as on repository (stored_as);
create index repository_namespace on repository (namespace_id);
create index repository_pending on repository (repository_id) where state = 'pending';
create index repository_creator on repository (created_by) where state = 'pending';
