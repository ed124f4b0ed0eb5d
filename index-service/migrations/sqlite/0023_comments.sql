-- Whether people may comment on a repository; without a row they may not.
create table comment_board (
    repository_id integer primary key references repository (repository_id),
    is_open integer not null,
    is_moderated integer not null
) strict;

-- A thread is a comment without one and what answers it.
create table comment (
    comment_id integer primary key,
    repository_id integer not null references repository (repository_id),
    thread_id integer references comment (comment_id),
    account_id integer not null references account (account_id),
    text text not null,
    state text not null check (state in ('shown', 'waiting', 'hidden', 'deleted')),
    reports integer not null,
    locked_at integer,
    created_at integer not null,
    edited_at integer
) strict;
create index comment_of_thread on comment (repository_id, thread_id, comment_id);
create index comment_of_repository on comment (repository_id, comment_id);
create index comment_of_account on comment (account_id, created_at);

create table comment_report (
    comment_id integer not null references comment (comment_id),
    account_id integer not null references account (account_id),
    reason text not null,
    created_at integer not null,
    primary key (comment_id, account_id)
) strict;
create index comment_report_account on comment_report (account_id);
