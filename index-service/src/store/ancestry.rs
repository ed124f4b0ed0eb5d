//! Which images were built on which, by their stacks of layers.

use super::dialect::{Tx, list, on, statements};
use super::error::{StoreError, writing};
use super::row::row;
use crate::domain::RepositoryId;

statements! {
    LIST_WITHOUT_CHAIN = "select repository_id, digest from manifest where layer_chain is null and read_at is not null limit $1";
    SET_CHAIN = "update manifest set layer_chain = $3 where repository_id = $1 and digest = $2";
    LIST_WITH_BLOB = "select repository_id, digest from repository_blob where digest = $1 and repository_id > $2
        order by repository_id limit $3";
}

row! {
struct PlaceRow {
    repository_id: i64,
    digest: String,
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

/// As if an earlier version had read the manifests of a repository.
#[cfg(test)]
pub(crate) async fn forget_chains(tx: &mut Tx, repository_id: RepositoryId) -> Result<(), StoreError> {
    const FORGET: &str = "update manifest set layer_chain = null where repository_id = $1";
    on!(tx, c => sqlx::query(FORGET).bind(repository_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("manifest"))
}
