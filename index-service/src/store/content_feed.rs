//! How far the events of a repository are carried out, and the history of its tags.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::RepositoryId;
use shared::oci::RepositoryName;

statements! {
    FIND_STORED = "select repository_id, name, state from repository where stored_as = $1";
    /// Keeps others from the repository's events until the transaction ends.
    ENTER_FEED = "insert into content_feed (repository_id, version, changes, recent_events, received_at)
        values ($1, 1, 0, '', $2) on conflict (repository_id) do update set version = content_feed.version + 1,
        received_at = excluded.received_at returning version, changes, recent_events, received_at";
    FIND_FEED = "select version, changes, recent_events, received_at from content_feed where repository_id = $1";
    LEAVE_FEED = "update content_feed set changes = $2, recent_events = $3 where repository_id = $1";
    HOLD_FEED = "update content_feed set version = version where repository_id = $1 and version = $2";
    ADD_TAG_CHANGE = "insert into tag_change (repository_id, sequence, tag, digest_before, digest_after, changed_at,
        changed_by, client) values ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST_TAG_CHANGES = "select sequence, tag, digest_before, digest_after, changed_at, changed_by, client from tag_change
        where repository_id = $1 and tag = $2 and sequence < $3 order by sequence desc limit $4";
    LIST_CHANGES = "select sequence, tag, digest_before, digest_after, changed_at, changed_by, client from tag_change
        where repository_id = $1 and sequence < $2 order by sequence desc limit $3";
    NOTE_CHANGE = "update repository set tag_changed_at = $2
        where repository_id = $1 and (tag_changed_at is null or tag_changed_at < $2)";
}

row! {
struct StoredRow {
    repository_id: i64,
    name: String,
    state: String,
}
}

row! {
struct FeedRow {
    version: i64,
    changes: i64,
    recent_events: String,
    received_at: i64,
}
}

row! {
/// A change of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagChange {
    /// Its place in the order of the repository's changes.
    pub sequence: i64,
    /// The tag.
    pub tag: String,
    /// What it pointed to; none for a new tag, or where that is not known.
    pub digest_before: Option<String>,
    /// What it points to since; none for a tag that was deleted.
    pub digest_after: Option<String>,
    /// When, in milliseconds since 1970.
    pub changed_at: i64,
    /// Who did it, by the name of their token.
    pub changed_by: Option<String>,
    /// With what kind of client.
    pub client: Option<String>,
}
}

/// The repository of a storage name, living or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRepository {
    /// Its id.
    pub repository_id: RepositoryId,
    /// Its public name, or the last one.
    pub name: RepositoryName,
    /// Whether it can be used; neither this nor pending: it is deleted.
    pub is_active: bool,
    /// Whether it still waits for its first manifest.
    pub is_pending: bool,
}

/// How far the events of a repository are carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Grows with each delivery.
    pub version: i64,
    /// The number of the last change of a tag.
    pub changes: i64,
    /// The last events that were carried out, the oldest first.
    pub recent: Vec<String>,
}

/// Whose storage name this is.
pub async fn find_stored_repository(
    tx: &mut Tx,
    stored_as: &RepositoryName,
) -> Result<Option<StoredRepository>, StoreError> {
    let Some(row) = find!("repository", tx, StoredRow, FIND_STORED, stored_as.as_str())? else {
        return Ok(None);
    };
    Ok(Some(StoredRepository {
        repository_id: RepositoryId::from_i64(row.repository_id),
        name: row.name.parse().map_err(unreadable("repository name"))?,
        is_active: row.state == "active",
        is_pending: row.state == "pending",
    }))
}

/// Begins to carry out events of a repository; until the transaction ends nobody else does.
pub async fn enter_feed(tx: &mut Tx, repository_id: RepositoryId, now_ms: i64) -> Result<Feed, StoreError> {
    let row = find!("feed", tx, FeedRow, ENTER_FEED, repository_id.as_i64(), now_ms)?;
    Ok(feed(row))
}

/// How far events are carried out now.
pub async fn find_feed(tx: &mut Tx, repository_id: RepositoryId) -> Result<Feed, StoreError> {
    let row = find!("feed", tx, FeedRow, FIND_FEED, repository_id.as_i64())?;
    Ok(feed(row))
}

fn feed(row: Option<FeedRow>) -> Feed {
    let row = row.filter(|row| row.received_at >= 0);
    row.map_or_else(
        || Feed {
            version: 0,
            changes: 0,
            recent: Vec::new(),
        },
        |row| Feed {
            version: row.version,
            changes: row.changes,
            recent: row
                .recent_events
                .split(' ')
                .filter(|id| !id.is_empty())
                .map(str::to_owned)
                .collect(),
        },
    )
}

/// Writes down how far they are carried out.
pub async fn leave_feed(tx: &mut Tx, repository_id: RepositoryId, feed: &Feed) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(LEAVE_FEED)
        .bind(repository_id.as_i64()).bind(feed.changes).bind(feed.recent.join(" "))
        .execute(c).await.map(drop))
    .map_err(writing("feed"))
}

/// Keeps events of a repository from being carried out until the transaction ends, if none was since `version`; says so.
pub async fn hold_feed(tx: &mut Tx, repository_id: RepositoryId, version: i64) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(HOLD_FEED).bind(repository_id.as_i64()).bind(version)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("feed"))
}

/// Adds a change to the history of a tag.
pub async fn add_tag_change(
    tx: &mut Tx,
    repository_id: RepositoryId,
    change: &TagChange,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ADD_TAG_CHANGE)
        .bind(repository_id.as_i64())
        .bind(change.sequence)
        .bind(&change.tag)
        .bind(change.digest_before.as_deref())
        .bind(change.digest_after.as_deref())
        .bind(change.changed_at)
        .bind(change.changed_by.as_deref())
        .bind(change.client.as_deref())
        .execute(c).await.map(drop))
    .map_err(writing("tag's history"))
}

/// At most `limit` changes of a tag, the newest first, those before `before`.
pub async fn list_tag_changes(
    tx: &mut Tx,
    repository_id: RepositoryId,
    tag: &str,
    before: i64,
    limit: u32,
) -> Result<Vec<TagChange>, StoreError> {
    list!(
        "tag's history",
        tx,
        TagChange,
        LIST_TAG_CHANGES,
        repository_id.as_i64(),
        tag,
        before,
        i64::from(limit)
    )
}

/// At most `limit` changes of all tags of a repository, the newest first, those before `before`.
pub async fn list_changes(
    tx: &mut Tx,
    repository_id: RepositoryId,
    before: i64,
    limit: u32,
) -> Result<Vec<TagChange>, StoreError> {
    list!(
        "history of tags",
        tx,
        TagChange,
        LIST_CHANGES,
        repository_id.as_i64(),
        before,
        i64::from(limit)
    )
}

/// Writes down when a tag of a repository was changed, unless one was later.
pub async fn note_change(tx: &mut Tx, repository_id: RepositoryId, at_ms: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(NOTE_CHANGE).bind(repository_id.as_i64()).bind(at_ms)
        .execute(c).await.map(drop))
    .map_err(writing("repository"))
}
