//! What administrators of the site tell everybody.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, writing};
use super::row::row;
use crate::domain::{Announcement, AnnouncementId};

statements! {
    ADD_ANNOUNCEMENT = "insert into announcement (announcement_id, is_warning, text, text_zh, starts_at, ends_at, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)";
    FIND_ANNOUNCEMENT = "select announcement_id, is_warning, text, text_zh, starts_at, ends_at, created_at from announcement
        where announcement_id = $1";
    LIST_ANNOUNCEMENTS = "select announcement_id, is_warning, text, text_zh, starts_at, ends_at, created_at from announcement
        where announcement_id > $1 order by announcement_id limit $2";
    REMOVE_ANNOUNCEMENT = "delete from announcement where announcement_id = $1";
}

row! {
struct AnnouncementRow {
    announcement_id: i64,
    is_warning: bool,
    text: String,
    text_zh: String,
    starts_at: i64,
    ends_at: Option<i64>,
    created_at: i64,
}
}

impl AnnouncementRow {
    fn into_announcement(self) -> Announcement {
        Announcement {
            announcement_id: AnnouncementId::from_i64(self.announcement_id),
            is_warning: self.is_warning,
            text: self.text,
            text_zh: self.text_zh,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            created_at: self.created_at,
        }
    }
}

/// Adds an announcement.
pub async fn add_announcement(tx: &mut Tx, new: &Announcement) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ADD_ANNOUNCEMENT)
        .bind(new.announcement_id.as_i64())
        .bind(new.is_warning)
        .bind(&new.text)
        .bind(&new.text_zh)
        .bind(new.starts_at)
        .bind(new.ends_at)
        .bind(new.created_at)
        .execute(c).await.map(drop))
    .map_err(writing("announcement"))
}

/// The announcement of an id.
pub async fn find_announcement(tx: &mut Tx, id: AnnouncementId) -> Result<Option<Announcement>, StoreError> {
    let row = find!(
        "announcement",
        tx,
        AnnouncementRow,
        FIND_ANNOUNCEMENT,
        id.as_i64()
    )?;
    Ok(row.map(AnnouncementRow::into_announcement))
}

/// At most `limit` announcements, the oldest first, those behind `after`.
pub async fn list_announcements(
    tx: &mut Tx,
    after: i64,
    limit: u32,
) -> Result<Vec<Announcement>, StoreError> {
    let rows = list!(
        "announcements",
        tx,
        AnnouncementRow,
        LIST_ANNOUNCEMENTS,
        after,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(AnnouncementRow::into_announcement).collect())
}

/// Takes an announcement away; says whether there was one.
pub async fn remove_announcement(tx: &mut Tx, id: AnnouncementId) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(REMOVE_ANNOUNCEMENT).bind(id.as_i64()).execute(c).await.map(|done| done.rows_affected() > 0))
        .map_err(writing("announcement"))
}
