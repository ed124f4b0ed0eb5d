-- Accounts that people made for themselves within the last hour, and from where: a keyed hash of the network.
create table sign_up (
    account_id bigint not null primary key references account (account_id),
    network text collate "C" not null,
    created_at bigint not null
);
create index sign_up_network on sign_up (network, created_at);
create index sign_up_age on sign_up (created_at);
