-- Whether people may comment on a repository; without a row they may not.
create table comment_board (
    repository_id bigint not null primary key references repository (repository_id),
    is_open boolean not null,
    is_moderated boolean not null
);

-- A thread is a comment without one and what answers it.
create table comment (
    comment_id bigint not null primary key,
    repository_id bigint not null references repository (repository_id),
    thread_id bigint references comment (comment_id),
    account_id bigint not null references account (account_id),
    text text not null,
    state text collate "C" not null check (state in ('shown', 'waiting', 'hidden', 'deleted')),
    reports bigint not null,
    locked_at bigint,
    created_at bigint not null,
    edited_at bigint
);
create index comment_of_thread on comment (repository_id, thread_id, comment_id);
create index comment_of_repository on comment (repository_id, comment_id);
create index comment_of_account on comment (account_id, created_at);

create table comment_report (
    comment_id bigint not null references comment (comment_id),
    account_id bigint not null references account (account_id),
    reason text not null,
    created_at bigint not null,
    primary key (comment_id, account_id)
);
create index comment_report_account on comment_report (account_id);
