create table account (
    account_id integer primary key,
    username text not null,
    display_name text not null,
    password_hash text not null,
    password_version integer not null,
    is_admin integer not null check (is_admin in (0, 1)),
    disabled_at integer,
    created_at integer not null,
    updated_at integer not null
) strict;
create unique index account_username on account (username);

-- A namespace without an account is library, which belongs to the administrators.
create table namespace (
    namespace_id integer primary key,
    name text not null,
    account_id integer references account (account_id),
    created_at integer not null
) strict;
create unique index namespace_name on namespace (name);
create index namespace_account on namespace (account_id);
insert into namespace (namespace_id, name, account_id, created_at) values (1, 'library', null, 0);

create table setting (
    key text not null primary key,
    value text not null
) strict;
