//! Comments on repositories, their threads and what is reported about them.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::comment::{Board, CommentState};
use crate::domain::{AccountId, CommentId, RepositoryId};

statements! {
    FIND_BOARD = "select is_open, is_moderated from comment_board where repository_id = $1";
    PUT_BOARD = "insert into comment_board (repository_id, is_open, is_moderated) values ($1, $2, $3)
        on conflict (repository_id) do update set is_open = excluded.is_open, is_moderated = excluded.is_moderated";
    ADD_COMMENT = "insert into comment (comment_id, repository_id, thread_id, account_id, text, state, reports, created_at)
        values ($1, $2, $3, $4, $5, $6, 0, $7)";
    FIND_COMMENT = "select c.comment_id, c.repository_id, c.thread_id, c.account_id, a.username, c.text, c.state, c.reports,
        c.locked_at, c.created_at, c.edited_at, cast(0 as bigint) as replies
        from comment c join account a on a.account_id = c.account_id where c.comment_id = $1";
    /// What nobody but its author and those who manage the repository sees is left out for others.
    LIST_THREADS = "select c.comment_id, c.repository_id, c.thread_id, c.account_id, a.username, c.text, c.state, c.reports,
        c.locked_at, c.created_at, c.edited_at, (select count(*) from comment r where r.repository_id = c.repository_id
        and r.thread_id = c.comment_id and r.state = 'shown') as replies
        from comment c join account a on a.account_id = c.account_id
        where c.repository_id = $1 and c.thread_id is null and c.comment_id < $2
        and (c.state in ('shown', 'deleted') or c.account_id = $3 or $4 = 1) order by c.comment_id desc limit $5";
    LIST_REPLIES = "select c.comment_id, c.repository_id, c.thread_id, c.account_id, a.username, c.text, c.state, c.reports,
        c.locked_at, c.created_at, c.edited_at, cast(0 as bigint) as replies
        from comment c join account a on a.account_id = c.account_id
        where c.repository_id = $1 and c.thread_id = $2 and c.comment_id > $3
        and (c.state in ('shown', 'deleted') or c.account_id = $4 or $5 = 1) order by c.comment_id limit $6";
    LIST_TO_MODERATE = "select c.comment_id, c.repository_id, c.thread_id, c.account_id, a.username, c.text, c.state, c.reports,
        c.locked_at, c.created_at, c.edited_at, cast(0 as bigint) as replies
        from comment c join account a on a.account_id = c.account_id
        where c.repository_id = $1 and (c.state = 'waiting' or (c.reports > 0 and c.state = 'shown')) and c.comment_id > $2
        order by c.comment_id limit $3";
    CHANGE_COMMENT = "update comment set text = $2, state = $3, reports = $4, locked_at = $5, edited_at = $6 where comment_id = $1";
    COUNT_RECENT = "select count(*) as number, min(created_at) as oldest from comment where account_id = $1 and created_at > $2";
    FIND_SHOWN = "select count(*) as number, min(created_at) as oldest from comment where account_id = $1 and state = 'shown'";
    ADD_REPORT = "insert into comment_report (comment_id, account_id, reason, created_at) values ($1, $2, $3, $4)
        on conflict (comment_id, account_id) do nothing";
    LIST_REPORTS = "select account_id, reason, created_at from comment_report where comment_id = $1
        order by account_id limit $2";
    END_REPORTS = "delete from comment_report where comment_id = $1";
}

row! {
struct BoardRow {
    is_open: bool,
    is_moderated: bool,
}
}

row! {
struct CommentRow {
    comment_id: i64,
    repository_id: i64,
    thread_id: Option<i64>,
    account_id: i64,
    username: String,
    text: String,
    state: String,
    reports: i64,
    locked_at: Option<i64>,
    created_at: i64,
    edited_at: Option<i64>,
    replies: i64,
}
}

row! {
struct RecentRow {
    number: i64,
    oldest: Option<i64>,
}
}

row! {
struct ReportRow {
    account_id: i64,
    reason: String,
    created_at: i64,
}
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its id; ids grow with time.
    pub comment_id: CommentId,
    /// What it is about.
    pub repository_id: RepositoryId,
    /// The comment that it answers; none begins a thread.
    pub thread_id: Option<CommentId>,
    /// Who wrote it.
    pub account_id: AccountId,
    /// What the author is called.
    pub username: String,
    /// Markdown; empty once it is deleted.
    pub text: String,
    /// Who sees it.
    pub state: CommentState,
    /// How many have reported it since it was looked at last.
    pub reports: i64,
    /// Since when nobody may answer, in milliseconds since 1970.
    pub locked_at: Option<i64>,
    /// When it was written, in milliseconds since 1970.
    pub created_at: i64,
    /// When its text was changed last.
    pub edited_at: Option<i64>,
    /// How many shown answers a thread has, where a list tells it.
    pub replies: i64,
}

/// What somebody says is wrong with a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentReport {
    /// Who says so.
    pub account_id: AccountId,
    /// The reason.
    pub reason: String,
    /// When, in milliseconds since 1970.
    pub created_at: i64,
}

/// How many comments an account wrote of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecentComments {
    /// How many.
    pub number: i64,
    /// When the first of them was written, in milliseconds since 1970.
    pub oldest: Option<i64>,
}

/// Who looks at a list of comments.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    /// Sees their own, whatever became of them.
    pub account_id: Option<AccountId>,
    /// Sees all.
    pub moderates: bool,
}

impl CommentRow {
    fn into_comment(self) -> Result<Comment, StoreError> {
        Ok(Comment {
            comment_id: CommentId::from_i64(self.comment_id),
            repository_id: RepositoryId::from_i64(self.repository_id),
            thread_id: self.thread_id.map(CommentId::from_i64),
            account_id: AccountId::from_i64(self.account_id),
            username: self.username,
            text: self.text,
            state: self.state.parse().map_err(unreadable("comment"))?,
            reports: self.reports,
            locked_at: self.locked_at,
            created_at: self.created_at,
            edited_at: self.edited_at,
            replies: self.replies,
        })
    }
}

impl Reader {
    /// No account has the id 0.
    fn account(self) -> i64 {
        self.account_id.map_or(0, AccountId::as_i64)
    }
}

/// What those who manage a repository decided about comments; nothing yet: they are closed.
pub async fn find_board(tx: &mut Tx, repository_id: RepositoryId) -> Result<Board, StoreError> {
    let row = find!("comments", tx, BoardRow, FIND_BOARD, repository_id.as_i64())?;
    Ok(row.map_or_else(Board::default, |row| Board {
        is_open: row.is_open,
        newcomers_wait: row.is_moderated,
    }))
}

/// Decides about the comments of a repository.
pub async fn put_board(tx: &mut Tx, repository_id: RepositoryId, board: Board) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(PUT_BOARD).bind(repository_id.as_i64()).bind(board.is_open)
        .bind(board.newcomers_wait).execute(c).await.map(drop))
    .map_err(writing("comments"))
}

/// Adds a comment.
pub async fn add_comment(tx: &mut Tx, comment: &Comment) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ADD_COMMENT).bind(comment.comment_id.as_i64()).bind(comment.repository_id.as_i64())
        .bind(comment.thread_id.map(CommentId::as_i64)).bind(comment.account_id.as_i64()).bind(&comment.text)
        .bind(comment.state.as_str()).bind(comment.created_at).execute(c).await.map(drop))
    .map_err(writing("comment"))
}

/// The comment of an id.
pub async fn find_comment(tx: &mut Tx, comment_id: CommentId) -> Result<Option<Comment>, StoreError> {
    let row = find!("comment", tx, CommentRow, FIND_COMMENT, comment_id.as_i64())?;
    row.map(CommentRow::into_comment).transpose()
}

/// At most `limit` threads of a repository older than `before`, the newest first.
pub async fn list_threads(
    tx: &mut Tx,
    repository_id: RepositoryId,
    before: i64,
    reader: Reader,
    limit: u32,
) -> Result<Vec<Comment>, StoreError> {
    comments(list!(
        "comments",
        tx,
        CommentRow,
        LIST_THREADS,
        repository_id.as_i64(),
        before,
        reader.account(),
        i64::from(reader.moderates),
        i64::from(limit)
    )?)
}

/// At most `limit` answers of a thread behind `after`, the oldest first.
pub async fn list_replies(
    tx: &mut Tx,
    thread: &Comment,
    after: i64,
    reader: Reader,
    limit: u32,
) -> Result<Vec<Comment>, StoreError> {
    comments(list!(
        "comments",
        tx,
        CommentRow,
        LIST_REPLIES,
        thread.repository_id.as_i64(),
        thread.comment_id.as_i64(),
        after,
        reader.account(),
        i64::from(reader.moderates),
        i64::from(limit)
    )?)
}

/// At most `limit` comments of a repository behind `after` that wait to be shown or were reported.
pub async fn list_to_moderate(
    tx: &mut Tx,
    repository_id: RepositoryId,
    after: i64,
    limit: u32,
) -> Result<Vec<Comment>, StoreError> {
    comments(list!(
        "comments",
        tx,
        CommentRow,
        LIST_TO_MODERATE,
        repository_id.as_i64(),
        after,
        i64::from(limit)
    )?)
}

fn comments(rows: Vec<CommentRow>) -> Result<Vec<Comment>, StoreError> {
    rows.into_iter().map(CommentRow::into_comment).collect()
}

/// Stores what may change about a comment: text, state, reports, lock.
pub async fn change_comment(tx: &mut Tx, comment: &Comment) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(CHANGE_COMMENT).bind(comment.comment_id.as_i64()).bind(&comment.text)
        .bind(comment.state.as_str()).bind(comment.reports).bind(comment.locked_at).bind(comment.edited_at)
        .execute(c).await.map(drop))
    .map_err(writing("comment"))
}

/// What an account wrote after `since`.
pub async fn count_recent_comments(
    tx: &mut Tx,
    account_id: AccountId,
    since: i64,
) -> Result<RecentComments, StoreError> {
    let row = find!(
        "comments",
        tx,
        RecentRow,
        COUNT_RECENT,
        account_id.as_i64(),
        since
    )?;
    Ok(row.map_or(
        RecentComments {
            number: 0,
            oldest: None,
        },
        |row| RecentComments {
            number: row.number,
            oldest: row.oldest,
        },
    ))
}

/// Whether a comment of an account was ever shown, and still is.
pub async fn has_shown_comment(tx: &mut Tx, account_id: AccountId) -> Result<bool, StoreError> {
    let row = find!("comments", tx, RecentRow, FIND_SHOWN, account_id.as_i64())?;
    Ok(row.is_some_and(|row| row.number > 0))
}

/// Adds what somebody says about a comment; false when they have said something already.
pub async fn add_report(
    tx: &mut Tx,
    comment_id: CommentId,
    report: &CommentReport,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(ADD_REPORT).bind(comment_id.as_i64()).bind(report.account_id.as_i64())
        .bind(&report.reason).bind(report.created_at).execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("report"))
}

/// At most `limit` reports about a comment.
pub async fn list_reports(
    tx: &mut Tx,
    comment_id: CommentId,
    limit: u32,
) -> Result<Vec<CommentReport>, StoreError> {
    let rows = list!(
        "reports",
        tx,
        ReportRow,
        LIST_REPORTS,
        comment_id.as_i64(),
        i64::from(limit)
    )?;
    Ok(rows
        .into_iter()
        .map(|row| CommentReport {
            account_id: AccountId::from_i64(row.account_id),
            reason: row.reason,
            created_at: row.created_at,
        })
        .collect())
}

/// Forgets the reports about a comment.
pub async fn end_reports(tx: &mut Tx, comment_id: CommentId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(END_REPORTS).bind(comment_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("report"))
}
