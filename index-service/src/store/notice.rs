//! What accounts are told, and of what they do not want to be told.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::{AccountId, Notice, NoticeId, NoticeKind, OrganisationId, TokenId};

statements! {
    ADD_NOTICE = "insert into notice (notice_id, account_id, kind, subject, subject_id, actor_id, detail, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// Who did it is called as they are called now, and nobody once they are deleted.
    LIST_NOTICES = "select n.notice_id, n.kind, n.subject, n.subject_id, a.display_name as actor, n.detail, n.created_at, n.read_at
        from notice n left join account a on a.account_id = n.actor_id and a.deleted_at is null
        where n.account_id = $1 and n.notice_id < $2 order by n.notice_id desc limit $3";
    FIND_NOTICE = "select n.notice_id, n.kind, n.subject, n.subject_id, a.display_name as actor, n.detail, n.created_at, n.read_at
        from notice n left join account a on a.account_id = n.actor_id and a.deleted_at is null
        where n.notice_id = $1 and n.account_id = $2";
    COUNT_RECENT_NOTICES = "select count(*) as number from notice where account_id = $1 and notice_id >= $2 and kind = $3";
    READ_NOTICE = "update notice set read_at = $3 where notice_id = $1 and account_id = $2 and read_at is null";
    READ_NOTICES = "update notice set read_at = $3 where account_id = $1 and notice_id <= $2 and read_at is null";
    REMOVE_NOTICE = "delete from notice where notice_id = $1 and account_id = $2";
    REMOVE_NOTICES = "delete from notice where account_id = $1 and notice_id <= $2";
    DROP_NOTICES_BEYOND = "delete from notice where account_id = $1 and notice_id <= (select notice_id from notice
        where account_id = $1 order by notice_id desc limit 1 offset $2)";
    DROP_OLD_NOTICES = "delete from notice where notice_id in (select notice_id from notice where notice_id < $1
        order by notice_id limit $2)";
    LIST_NOTICES_OFF = "select kind from notice_off where account_id = $1 order by kind";
    FIND_NOTICE_OFF = "select count(*) as number from notice_off where account_id = $1 and kind = $2";
    ADD_NOTICE_OFF = "insert into notice_off (account_id, kind) values ($1, $2) on conflict do nothing";
    REMOVE_NOTICES_OFF = "delete from notice_off where account_id = $1";
    LIST_CARETAKERS = "select account_id from member where organisation_id = $1 and role in ('owner', 'manager')
        order by account_id limit $2";
    LIST_ENDING_TOKENS = "select token_id, account_id, label, created_at, expires_at from access_token
        where expires_at > $1 and expires_at <= $2 and end_told_at is null and revoked_at is null order by expires_at limit $3";
    TELL_ENDING_TOKEN = "update access_token set end_told_at = $2 where token_id = $1 and end_told_at is null";
}

row! {
struct NoticeRow {
    notice_id: i64,
    kind: String,
    subject: String,
    subject_id: Option<i64>,
    actor: Option<String>,
    detail: String,
    created_at: i64,
    read_at: Option<i64>,
}
}

impl NoticeRow {
    fn into_notice(self) -> Result<Notice, StoreError> {
        Ok(Notice {
            notice_id: NoticeId::from_i64(self.notice_id),
            kind: self.kind.parse().map_err(unreadable("kind of notice"))?,
            subject: self.subject,
            subject_id: self.subject_id,
            actor: self.actor,
            detail: self.detail,
            created_at: self.created_at,
            read_at: self.read_at,
        })
    }
}

row! {
struct NumberRow {
    number: i64,
}
}

row! {
struct KindRow {
    kind: String,
}
}

row! {
struct AccountIdRow {
    account_id: i64,
}
}

row! {
struct EndingRow {
    token_id: i64,
    account_id: i64,
    label: String,
    created_at: i64,
    expires_at: i64,
}
}

/// What an account is to be told.
#[derive(Debug, Clone, Copy)]
pub struct NewNotice<'a> {
    /// A new id.
    pub notice_id: NoticeId,
    /// Who is told.
    pub account_id: AccountId,
    /// What kind it is.
    pub kind: NoticeKind,
    /// What it is about.
    pub subject: &'a str,
    /// The id of that.
    pub subject_id: Option<i64>,
    /// The account that did it.
    pub actor: Option<AccountId>,
    /// What else there is to say.
    pub detail: &'a str,
}

/// An access token that ends soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingToken {
    /// The token.
    pub token_id: TokenId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What its owner calls it.
    pub label: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// When it ends.
    pub expires_at: i64,
}

/// Adds a notice.
pub async fn add_notice(tx: &mut Tx, new: &NewNotice<'_>, now_ms: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ADD_NOTICE)
        .bind(new.notice_id.as_i64())
        .bind(new.account_id.as_i64())
        .bind(new.kind.as_str())
        .bind(new.subject)
        .bind(new.subject_id)
        .bind(new.actor.map(AccountId::as_i64))
        .bind(new.detail)
        .bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("notice"))
}

/// At most `limit` notices of an account that are older than `before`, the newest first.
pub async fn list_notices(
    tx: &mut Tx,
    account_id: AccountId,
    before: i64,
    limit: u32,
) -> Result<Vec<Notice>, StoreError> {
    list!(
        "notices",
        tx,
        NoticeRow,
        LIST_NOTICES,
        account_id.as_i64(),
        before,
        i64::from(limit)
    )?
    .into_iter()
    .map(NoticeRow::into_notice)
    .collect()
}

/// A notice of an account.
pub async fn find_notice(
    tx: &mut Tx,
    account_id: AccountId,
    notice_id: NoticeId,
) -> Result<Option<Notice>, StoreError> {
    find!(
        "notice",
        tx,
        NoticeRow,
        FIND_NOTICE,
        notice_id.as_i64(),
        account_id.as_i64()
    )?
    .map(NoticeRow::into_notice)
    .transpose()
}

/// How many notices of a kind an account got since one could have the id `since`.
pub async fn count_recent_notices(
    tx: &mut Tx,
    account_id: AccountId,
    since: NoticeId,
    kind: NoticeKind,
) -> Result<i64, StoreError> {
    let row = find!(
        "notices",
        tx,
        NumberRow,
        COUNT_RECENT_NOTICES,
        account_id.as_i64(),
        since.as_i64(),
        kind.as_str()
    )?;
    Ok(row.map_or(0, |row| row.number))
}

/// Marks a notice of an account as read.
pub async fn read_notice(
    tx: &mut Tx,
    account_id: AccountId,
    notice_id: NoticeId,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(READ_NOTICE).bind(notice_id.as_i64()).bind(account_id.as_i64()).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("notice"))
}

/// Marks the notices of an account up to an id as read.
pub async fn read_notices(
    tx: &mut Tx,
    account_id: AccountId,
    up_to: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(READ_NOTICES).bind(account_id.as_i64()).bind(up_to).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("notices"))
}

/// Removes a notice of an account; says whether there was one.
pub async fn remove_notice(
    tx: &mut Tx,
    account_id: AccountId,
    notice_id: NoticeId,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(REMOVE_NOTICE).bind(notice_id.as_i64()).bind(account_id.as_i64())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("notice"))
}

/// Removes the notices of an account up to an id.
pub async fn remove_notices(tx: &mut Tx, account_id: AccountId, up_to: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(REMOVE_NOTICES).bind(account_id.as_i64()).bind(up_to).execute(c).await.map(drop))
        .map_err(writing("notices"))
}

/// Forgets the oldest notices of an account, so that `keep` are left.
pub async fn drop_notices_beyond(tx: &mut Tx, account_id: AccountId, keep: u32) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DROP_NOTICES_BEYOND).bind(account_id.as_i64()).bind(i64::from(keep))
        .execute(c).await.map(drop))
    .map_err(writing("notices"))
}

/// Forgets at most `limit` notices that are older than `before`; says how many.
pub async fn drop_old_notices(tx: &mut Tx, before: NoticeId, limit: u32) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DROP_OLD_NOTICES).bind(before.as_i64()).bind(i64::from(limit))
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("notices"))
}

/// The kinds that an account does not want to be told of.
pub async fn list_notices_off(tx: &mut Tx, account_id: AccountId) -> Result<Vec<NoticeKind>, StoreError> {
    let rows = list!("notices", tx, KindRow, LIST_NOTICES_OFF, account_id.as_i64())?;
    // What a newer program calls by another word is none of ours.
    Ok(rows.into_iter().filter_map(|row| row.kind.parse().ok()).collect())
}

/// Whether an account does not want to be told of a kind.
pub async fn is_notice_off(tx: &mut Tx, account_id: AccountId, kind: NoticeKind) -> Result<bool, StoreError> {
    let row = find!(
        "notices",
        tx,
        NumberRow,
        FIND_NOTICE_OFF,
        account_id.as_i64(),
        kind.as_str()
    )?;
    Ok(row.is_some_and(|row| row.number > 0))
}

/// Keeps of which kinds an account does not want to be told, in the place of those before.
pub async fn put_notices_off(
    tx: &mut Tx,
    account_id: AccountId,
    kinds: &[NoticeKind],
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(REMOVE_NOTICES_OFF).bind(account_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("notices"))?;
    for kind in kinds {
        on!(tx, c => sqlx::query(ADD_NOTICE_OFF).bind(account_id.as_i64()).bind(kind.as_str())
            .execute(c).await.map(drop))
        .map_err(writing("notices"))?;
    }
    Ok(())
}

/// The first `limit` owners and managers of an organisation.
pub async fn list_caretakers(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    limit: u32,
) -> Result<Vec<AccountId>, StoreError> {
    let rows = list!(
        "members",
        tx,
        AccountIdRow,
        LIST_CARETAKERS,
        organisation_id.as_i64(),
        i64::from(limit)
    )?;
    Ok(rows
        .into_iter()
        .map(|row| AccountId::from_i64(row.account_id))
        .collect())
}

/// At most `limit` access tokens that end behind `now_ms` and not behind `until_ms`, whose owners were not told.
pub async fn list_ending_tokens(
    tx: &mut Tx,
    now_ms: i64,
    until_ms: i64,
    limit: u32,
) -> Result<Vec<EndingToken>, StoreError> {
    let rows = list!(
        "access tokens",
        tx,
        EndingRow,
        LIST_ENDING_TOKENS,
        now_ms,
        until_ms,
        i64::from(limit)
    )?;
    Ok(rows
        .into_iter()
        .map(|row| EndingToken {
            token_id: TokenId::from_i64(row.token_id),
            account_id: AccountId::from_i64(row.account_id),
            label: row.label,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
        .collect())
}

/// Keeps that the owner of an access token was told of its end; says whether nobody did before.
pub async fn tell_ending_token(tx: &mut Tx, token_id: TokenId, now_ms: i64) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(TELL_ENDING_TOKEN).bind(token_id.as_i64()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("access token"))
}
