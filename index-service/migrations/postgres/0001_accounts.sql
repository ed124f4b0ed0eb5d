create table account (
    account_id bigint primary key,
    username text collate "C" not null,
    display_name text not null,
    password_hash text not null,
    password_version bigint not null,
    is_admin boolean not null,
    disabled_at bigint,
    created_at bigint not null,
    updated_at bigint not null
);
create unique index account_username on account (username);

-- A namespace without an account is library, which belongs to the administrators.
create table namespace (
    namespace_id bigint primary key,
    name text collate "C" not null,
    account_id bigint references account (account_id),
    created_at bigint not null
);
create unique index namespace_name on namespace (name);
create index namespace_account on namespace (account_id);
insert into namespace (namespace_id, name, account_id, created_at) values (1, 'library', null, 0);

create table setting (
    key text collate "C" not null primary key,
    value text not null
);
