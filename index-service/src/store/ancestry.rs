//! Which images were built on which, by their stacks of layers.

use std::collections::HashSet;

use super::dialect::{Tx, list, on, statements};
use super::error::{StoreError, writing};
use super::row::row;
use super::value::{Kind, Value, ask};
use crate::domain::RepositoryId;

statements! {
    LIST_WITHOUT_CHAIN = "select repository_id, digest from manifest where layer_chain is null and read_at is not null limit $1";
    SET_CHAIN = "update manifest set layer_chain = $3 where repository_id = $1 and digest = $2";
    LIST_OF_CHAIN = "select repository_id, digest from manifest where layer_chain = $1 order by repository_id, digest limit $2";
    /// Which of [`AT_ONCE`] stacks an image consists of.
    FIND_CHAINS = "select * from (select layer_chain from manifest where layer_chain = $1 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $2 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $3 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $4 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $5 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $6 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $7 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $8 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $9 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $10 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $11 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $12 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $13 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $14 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $15 limit 1) as walk
        union all select * from (select layer_chain from manifest where layer_chain = $16 limit 1) as walk";
    LIST_WITH_BLOB = "select repository_id, digest from repository_blob where digest = $1 and repository_id > $2
        order by repository_id limit $3";
    LIST_WITH_PART = "select manifest as digest from manifest_part where repository_id = $1 and digest = $2 limit $3";
    LIST_LEFT_BY = "select tag, changed_at from tag_change where repository_id = $1 and digest_before = $2
        order by changed_at desc limit $3";
}

/// Stacks that one statement asks for.
const AT_ONCE: usize = 16;

row! {
struct PlaceRow {
    repository_id: i64,
    digest: String,
}
}

row! {
struct DigestRow {
    digest: String,
}
}

row! {
/// A tag that pointed to a manifest until a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The tag.
    pub tag: String,
    /// When it was moved or deleted, in milliseconds since 1970.
    pub changed_at: i64,
}
}

/// A manifest of a repository.
pub type ManifestPlace = (RepositoryId, String);

fn place(row: PlaceRow) -> ManifestPlace {
    (RepositoryId::from_i64(row.repository_id), row.digest)
}

/// At most `limit` manifests that were read by a version that knew nothing of stacks.
pub async fn list_without_chain(tx: &mut Tx, limit: u32) -> Result<Vec<ManifestPlace>, StoreError> {
    let rows = list!("manifests", tx, PlaceRow, LIST_WITHOUT_CHAIN, i64::from(limit))?;
    Ok(rows.into_iter().map(place).collect())
}

/// Writes down the stack of a manifest's layers.
pub async fn set_chain(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
    chain: &str,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_CHAIN).bind(repository_id.as_i64()).bind(digest).bind(chain)
        .execute(c).await.map(drop))
    .map_err(writing("manifest"))
}

/// Those of these stacks of layers that an image consists of.
pub async fn find_chains(tx: &mut Tx, chains: &[String]) -> Result<HashSet<String>, StoreError> {
    let mut found = HashSet::new();
    for chunk in chains.chunks(AT_ONCE) {
        let texts = chunk.iter().cloned().chain(std::iter::repeat(String::new()));
        let values: Vec<Value> = texts.take(AT_ONCE).map(|text| Value::Text(Some(text))).collect();
        for row in ask(tx, FIND_CHAINS, &values, &[Kind::Text]).await? {
            found.insert(row[0].text().to_owned());
        }
    }
    Ok(found)
}

/// At most `limit` images that consist of this stack of layers.
pub async fn list_of_chain(tx: &mut Tx, chain: &str, limit: u32) -> Result<Vec<ManifestPlace>, StoreError> {
    let rows = list!("manifests", tx, PlaceRow, LIST_OF_CHAIN, chain, i64::from(limit))?;
    Ok(rows.into_iter().map(place).collect())
}

/// At most `limit` repositories behind `after` that hold a blob, in the order of their ids.
pub async fn list_with_blob(
    tx: &mut Tx,
    digest: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<RepositoryId>, StoreError> {
    let rows = list!(
        "blobs",
        tx,
        PlaceRow,
        LIST_WITH_BLOB,
        digest,
        after,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|row| place(row).0).collect())
}

/// At most `limit` manifests of a repository that have a part of this digest.
pub async fn list_with_part(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let rows = list!(
        "manifests",
        tx,
        DigestRow,
        LIST_WITH_PART,
        repository_id.as_i64(),
        digest,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|row| row.digest).collect())
}

/// At most `limit` times that a tag left a manifest, the last first.
pub async fn list_left_by(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
    limit: u32,
) -> Result<Vec<Left>, StoreError> {
    list!(
        "tag's history",
        tx,
        Left,
        LIST_LEFT_BY,
        repository_id.as_i64(),
        digest,
        i64::from(limit)
    )
}

/// As if an earlier version had read the manifests of a repository.
#[cfg(test)]
pub(crate) async fn forget_chains(tx: &mut Tx, repository_id: RepositoryId) -> Result<(), StoreError> {
    const FORGET: &str = "update manifest set layer_chain = null where repository_id = $1";
    on!(tx, c => sqlx::query(FORGET).bind(repository_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("manifest"))
}
