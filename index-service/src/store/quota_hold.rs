//! What registries were allowed to store under a strict quota of which no event has told yet.

use super::dialect::{Tx, find, on, statements};
use super::error::{StoreError, writing};
use super::row::row;
use crate::domain::quota::Usage;
use crate::domain::{NamespaceId, RepositoryId};

statements! {
    HOLD = "insert into quota_hold (namespace_id, repository_id, item, size, held_at) values ($1, $2, $3, $4, $5)
        on conflict (namespace_id, repository_id, item) do update set held_at = excluded.held_at";
    FORGET_OLD = "delete from quota_hold where held_at < $1";
    /// What the projection knows by now.
    FORGET_KNOWN_BLOBS = "delete from quota_hold where namespace_id = $1 and exists (select 1 from repository_blob b
        where b.repository_id = quota_hold.repository_id and b.digest = quota_hold.item)";
    FORGET_KNOWN_TAGS = "delete from quota_hold where namespace_id = $1 and item like 'tag:%' and exists (select 1 from tag t
        where t.repository_id = quota_hold.repository_id and t.name = substr(quota_hold.item, 5))";
    HELD_BYTES = "select cast(coalesce(sum(size), 0) as bigint) as amount from quota_hold where namespace_id = $1";
    HELD_TAGS = "select count(*) as amount from quota_hold where namespace_id = $1 and item like 'tag:%'";
    /// Each blob in the first repository that has it, and none that the namespace holds already.
    HELD_STORAGE = "select cast(coalesce(sum(h.size), 0) as bigint) as amount from quota_hold h where h.namespace_id = $1
        and not exists (select 1 from quota_hold o where o.namespace_id = $1 and o.item = h.item
          and o.repository_id < h.repository_id)
        and not exists (select 1 from repository_blob b join repository r on r.repository_id = b.repository_id
          where b.digest = h.item and r.namespace_id = $1 and r.state <> 'deleted')";
    FIND_HELD = "select size as amount from quota_hold where namespace_id = $1 and repository_id = $2 and item = $3";
    FIND_HELD_IN = "select size as amount from quota_hold where namespace_id = $1 and item = $2 limit 1";
    FIND_BLOB_OF = "select size as amount from repository_blob where repository_id = $1 and digest = $2";
    FIND_BLOB_IN = "select b.size as amount from repository_blob b join repository r on r.repository_id = b.repository_id
        where b.digest = $1 and r.namespace_id = $2 and r.state <> 'deleted' limit 1";
    FIND_TAG_OF = "select updated_at as amount from tag where repository_id = $1 and name = $2";
}

row! {
struct AmountRow {
    amount: i64,
}
}

/// Forgets what the projection knows by now, and whatever was held before `before_ms`.
pub async fn settle_holds(tx: &mut Tx, namespace_id: NamespaceId, before_ms: i64) -> Result<(), StoreError> {
    for (text, value) in [
        (FORGET_OLD, before_ms),
        (FORGET_KNOWN_BLOBS, namespace_id.as_i64()),
        (FORGET_KNOWN_TAGS, namespace_id.as_i64()),
    ] {
        on!(tx, c => sqlx::query(text).bind(value).execute(c).await.map(drop))
            .map_err(writing("quota holds"))?;
    }
    Ok(())
}

/// How much is held in a namespace, beside what the projection knows.
pub async fn measure_holds(tx: &mut Tx, namespace_id: NamespaceId) -> Result<Usage, StoreError> {
    let id = namespace_id.as_i64();
    let number = |row: Option<AmountRow>| row.and_then(|row| u64::try_from(row.amount).ok()).unwrap_or(0);
    Ok(Usage {
        bytes: number(find!("quota holds", tx, AmountRow, HELD_BYTES, id)?),
        storage_bytes: number(find!("quota holds", tx, AmountRow, HELD_STORAGE, id)?),
        repositories: 0,
        tags: number(find!("quota holds", tx, AmountRow, HELD_TAGS, id)?),
    })
}

/// Whether the repository, and whether its namespace, has the blob, known or held.
pub async fn has_blob(
    tx: &mut Tx,
    (namespace_id, repository_id): (NamespaceId, RepositoryId),
    digest: &str,
) -> Result<(bool, bool), StoreError> {
    let (namespace, repository) = (namespace_id.as_i64(), repository_id.as_i64());
    let is_own = find!("blob", tx, AmountRow, FIND_BLOB_OF, repository, digest)?.is_some()
        || find!("blob", tx, AmountRow, FIND_HELD, namespace, repository, digest)?.is_some();
    let is_near = is_own
        || find!("blob", tx, AmountRow, FIND_BLOB_IN, digest, namespace)?.is_some()
        || find!("blob", tx, AmountRow, FIND_HELD_IN, namespace, digest)?.is_some();
    Ok((is_own, is_near))
}

/// Whether the repository has the tag, known or held.
pub async fn has_tag(
    tx: &mut Tx,
    (namespace_id, repository_id): (NamespaceId, RepositoryId),
    name: &str,
) -> Result<bool, StoreError> {
    let (namespace, repository) = (namespace_id.as_i64(), repository_id.as_i64());
    let item = tag_item(name);
    Ok(
        find!("tag", tx, AmountRow, FIND_TAG_OF, repository, name)?.is_some()
            || find!(
                "tag",
                tx,
                AmountRow,
                FIND_HELD,
                namespace,
                repository,
                item.as_str()
            )?
            .is_some(),
    )
}

/// As a tag is held.
pub fn tag_item(name: &str) -> String {
    format!("tag:{name}")
}

/// Holds a blob by its digest, or a tag by its [`tag_item`].
pub async fn hold(
    tx: &mut Tx,
    (namespace_id, repository_id): (NamespaceId, RepositoryId),
    item: &str,
    size: u64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    on!(tx, c => sqlx::query(HOLD).bind(namespace_id.as_i64()).bind(repository_id.as_i64()).bind(item).bind(size)
        .bind(now_ms).execute(c).await.map(drop))
    .map_err(writing("quota hold"))
}
