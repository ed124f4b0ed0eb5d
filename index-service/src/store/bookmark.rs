//! Bookmarks: lists of repositories that an account keeps for itself.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, writing};
use super::row::row;
use crate::domain::{AccountId, RepositoryId, Topic};

statements! {
    ADD_BOOKMARK = "insert into bookmark (account_id, shelf, repository_id, created_at) values ($1, $2, $3, $4)
        on conflict do nothing";
    REMOVE_BOOKMARK = "delete from bookmark where account_id = $1 and shelf = $2 and repository_id = $3";
    COUNT_BOOKMARKS = "select count(*) as number from bookmark where account_id = $1";
    FIND_BOOKMARK = "select count(*) as number from bookmark where account_id = $1 and shelf = $2 and repository_id = $3";
    LIST_BOOKMARKS = "select shelf, repository_id, created_at from bookmark
        where account_id = $1 and (shelf, repository_id) > ($2, $3) order by shelf, repository_id limit $4";
}

row! {
struct BookmarkRow {
    shelf: String,
    repository_id: i64,
    created_at: i64,
}
}

row! {
struct NumberRow {
    number: i64,
}
}

/// A repository on a list of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookmark {
    /// The list.
    pub shelf: String,
    /// The repository.
    pub repository_id: RepositoryId,
    /// Since when, in milliseconds since 1970.
    pub created_at: i64,
}

/// Puts a repository on a list of an account.
pub async fn add_bookmark(
    tx: &mut Tx,
    account_id: AccountId,
    shelf: &Topic,
    repository_id: RepositoryId,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ADD_BOOKMARK).bind(account_id.as_i64()).bind(shelf.as_str()).bind(repository_id.as_i64())
        .bind(now_ms).execute(c).await.map(drop))
    .map_err(writing("bookmark"))
}

/// Takes a repository off a list of an account.
pub async fn remove_bookmark(
    tx: &mut Tx,
    account_id: AccountId,
    shelf: &Topic,
    repository_id: RepositoryId,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(REMOVE_BOOKMARK).bind(account_id.as_i64()).bind(shelf.as_str())
        .bind(repository_id.as_i64()).execute(c).await.map(drop))
    .map_err(writing("bookmark"))
}

/// How many bookmarks an account has.
pub async fn count_bookmarks(tx: &mut Tx, account_id: AccountId) -> Result<i64, StoreError> {
    let row = find!("bookmarks", tx, NumberRow, COUNT_BOOKMARKS, account_id.as_i64())?;
    Ok(row.map_or(0, |row| row.number))
}

/// Whether a repository is on a list of an account.
pub async fn has_bookmark(
    tx: &mut Tx,
    account_id: AccountId,
    shelf: &str,
    repository_id: RepositoryId,
) -> Result<bool, StoreError> {
    let row = find!(
        "bookmarks",
        tx,
        NumberRow,
        FIND_BOOKMARK,
        account_id.as_i64(),
        shelf,
        repository_id.as_i64()
    )?;
    Ok(row.is_some_and(|row| row.number > 0))
}

/// At most `limit` bookmarks of an account in the order of their lists and repositories' ids, those behind `after`.
pub async fn list_bookmarks(
    tx: &mut Tx,
    account_id: AccountId,
    after: (&str, i64),
    limit: u32,
) -> Result<Vec<Bookmark>, StoreError> {
    let rows = list!(
        "bookmarks",
        tx,
        BookmarkRow,
        LIST_BOOKMARKS,
        account_id.as_i64(),
        after.0,
        after.1,
        i64::from(limit)
    )?;
    Ok(rows
        .into_iter()
        .map(|row| Bookmark {
            shelf: row.shelf,
            repository_id: RepositoryId::from_i64(row.repository_id),
            created_at: row.created_at,
        })
        .collect())
}
