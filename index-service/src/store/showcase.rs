//! What the image that stands for a repository says about it: part of the projection of what the registry holds.

use super::dialect::{Tx, find, on, statements};
use super::error::{StoreError, writing};
use super::posting::refresh;
use super::row::row;
use super::tag::Pointer;
use crate::domain::{RepositoryId, Showcase};

statements! {
    FIND_SHOWCASE = "select tag, summary, sayings, platforms, labels from repository_showcase where repository_id = $1";
    PUT_SHOWCASE = "insert into repository_showcase (repository_id, tag, summary, sayings, platforms, labels)
        values ($1, $2, $3, $4, $5, $6) on conflict (repository_id) do update set tag = excluded.tag,
        summary = excluded.summary, sayings = excluded.sayings, platforms = excluded.platforms, labels = excluded.labels";
    REMOVE_SHOWCASE = "delete from repository_showcase where repository_id = $1";
    FIND_NEWEST_TAG = "select name, digest, updated_at from tag where repository_id = $1
        order by updated_at desc, name desc limit 1";
}

row! {
struct ShowcaseRow {
    tag: String,
    summary: String,
    sayings: String,
    platforms: String,
    labels: String,
}
}

impl ShowcaseRow {
    fn into_showcase(self) -> Showcase {
        Showcase {
            tag: self.tag,
            summary: self.summary,
            sayings: serde_json::from_str(&self.sayings).unwrap_or_default(),
            platforms: lines(&self.platforms),
            labels: lines(&self.labels),
        }
    }
}

/// Words that hold no end of a line, as they are stored.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// What is said of a repository by its image; nothing while none is known.
pub async fn find_showcase(tx: &mut Tx, repository_id: RepositoryId) -> Result<Option<Showcase>, StoreError> {
    let row = find!("showcase", tx, ShowcaseRow, FIND_SHOWCASE, repository_id.as_i64())?;
    Ok(row.map(ShowcaseRow::into_showcase))
}

/// Writes down what is said of a repository by its image, or that there is none; what it is found by follows. Costs no write
/// when nothing changes.
pub async fn put_showcase(
    tx: &mut Tx,
    repository_id: RepositoryId,
    showcase: Option<&Showcase>,
) -> Result<(), StoreError> {
    let id = repository_id.as_i64();
    let known = find_showcase(tx, repository_id).await?;
    if known.as_ref() == showcase {
        return Ok(());
    }
    match showcase {
        Some(showcase) => on!(tx, c => sqlx::query(PUT_SHOWCASE)
            .bind(id)
            .bind(&showcase.tag)
            .bind(&showcase.summary)
            .bind(serde_json::Value::Object(showcase.sayings.clone()).to_string())
            .bind(showcase.platforms.join("\n"))
            .bind(showcase.labels.join("\n"))
            .execute(c).await.map(drop)),
        None => on!(tx, c => sqlx::query(REMOVE_SHOWCASE).bind(id).execute(c).await.map(drop)),
    }
    .map_err(writing("showcase"))?;
    let is_found_otherwise = |known: &Showcase, showcase: &Showcase| {
        (&known.summary, &known.platforms, &known.labels)
            != (&showcase.summary, &showcase.platforms, &showcase.labels)
    };
    match (&known, showcase) {
        (Some(known), Some(showcase)) if !is_found_otherwise(known, showcase) => Ok(()),
        _ => refresh(tx, repository_id).await,
    }
}

/// The tag that moved last.
pub async fn find_newest_tag(
    tx: &mut Tx,
    repository_id: RepositoryId,
) -> Result<Option<Pointer>, StoreError> {
    find!("tag", tx, Pointer, FIND_NEWEST_TAG, repository_id.as_i64())
}
