-- What accounts are told: a row for each and matter. The subject is called as it was then; it may be gone by now.
create table notice (
    notice_id bigint not null primary key,
    account_id bigint not null references account (account_id),
    kind text collate "C" not null,
    subject text not null,
    subject_id bigint,
    actor_id bigint,
    detail text not null,
    created_at bigint not null,
    read_at bigint
);
create index notice_of_account on notice (account_id, notice_id);
create index notice_unread on notice (account_id) where read_at is null;

-- Kinds that an account does not want to be told of.
create table notice_off (
    account_id bigint not null references account (account_id),
    kind text collate "C" not null,
    primary key (account_id, kind)
);

-- Access tokens whose end was told to their owners.
alter table access_token add column end_told_at bigint;
create index access_token_ending on access_token (expires_at) where end_told_at is null and revoked_at is null;
