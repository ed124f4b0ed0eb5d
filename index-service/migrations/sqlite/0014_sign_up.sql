-- Accounts that people made for themselves within the last hour, and from where: a keyed hash of the network.
create table sign_up (
    account_id integer not null primary key references account (account_id),
    network text not null,
    created_at integer not null
) strict;
create index sign_up_network on sign_up (network, created_at);
create index sign_up_age on sign_up (created_at);
