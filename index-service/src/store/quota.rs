//! What namespaces may hold, and how much they do.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::quota::{Decided, NamespaceQuota, PerResource, Resource, Usage};
use crate::domain::{NamespaceId, NamespaceName, RepositoryId};

statements! {
    FIND_QUOTA = "select bytes, storage_bytes, repositories, tags, is_strict from namespace_quota where namespace_id = $1";
    PUT_QUOTA = "insert into namespace_quota (namespace_id, bytes, storage_bytes, repositories, tags, is_strict)
        values ($1, $2, $3, $4, $5, $6) on conflict (namespace_id) do update set bytes = excluded.bytes,
        storage_bytes = excluded.storage_bytes, repositories = excluded.repositories, tags = excluded.tags,
        is_strict = excluded.is_strict";
    REMOVE_QUOTA = "delete from namespace_quota where namespace_id = $1";
    LIST_QUOTAS = "select n.namespace_id, n.name, q.bytes, q.storage_bytes, q.repositories, q.tags, q.is_strict
        from namespace_quota q join namespace n on n.namespace_id = q.namespace_id
        where q.namespace_id > $1 order by q.namespace_id limit $2";
    MEASURE_BYTES = "select cast(coalesce(sum(b.size), 0) as bigint) as amount
        from repository r join repository_blob b on b.repository_id = r.repository_id
        where r.namespace_id = $1 and r.state <> 'deleted'";
    /// Each blob in the first repository of the namespace that has it.
    MEASURE_STORAGE = "select cast(coalesce(sum(b.size), 0) as bigint) as amount
        from repository r join repository_blob b on b.repository_id = r.repository_id
        where r.namespace_id = $1 and r.state <> 'deleted' and not exists (
          select 1 from repository_blob o join repository s on s.repository_id = o.repository_id
          where o.digest = b.digest and o.repository_id < b.repository_id and s.namespace_id = $1 and s.state <> 'deleted')";
    COUNT_REPOSITORIES_IN = "select count(*) as amount from repository where namespace_id = $1 and state <> 'deleted'";
    COUNT_TAGS_IN = "select count(*) as amount from repository r join tag t on t.repository_id = r.repository_id
        where r.namespace_id = $1 and r.state <> 'deleted'";
    FIND_NAMESPACE_OF = "select namespace_id as amount from repository where repository_id = $1";
    FIND_MARK = "select percent as amount from quota_mark where namespace_id = $1 and resource = $2";
    PUT_MARK = "insert into quota_mark (namespace_id, resource, percent, marked_at) values ($1, $2, $3, $4)
        on conflict (namespace_id, resource) do update set percent = excluded.percent, marked_at = excluded.marked_at";
}

row! {
struct QuotaRow {
    bytes: Option<i64>,
    storage_bytes: Option<i64>,
    repositories: Option<i64>,
    tags: Option<i64>,
    is_strict: Option<bool>,
}
}

row! {
struct ListedRow {
    namespace_id: i64,
    name: String,
    bytes: Option<i64>,
    storage_bytes: Option<i64>,
    repositories: Option<i64>,
    tags: Option<i64>,
    is_strict: Option<bool>,
}
}

row! {
struct AmountRow {
    amount: i64,
}
}

impl QuotaRow {
    fn into_quota(self) -> NamespaceQuota {
        NamespaceQuota {
            decided: PerResource {
                bytes: Decided::of_stored(self.bytes),
                storage_bytes: Decided::of_stored(self.storage_bytes),
                repositories: Decided::of_stored(self.repositories),
                tags: Decided::of_stored(self.tags),
            },
            is_strict: self.is_strict,
        }
    }
}

/// A namespace about which something was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedQuota {
    /// The namespace.
    pub namespace_id: NamespaceId,
    /// Its name.
    pub name: NamespaceName,
    /// What was decided.
    pub quota: NamespaceQuota,
}

/// What was decided about a namespace.
pub async fn find_quota(tx: &mut Tx, namespace_id: NamespaceId) -> Result<NamespaceQuota, StoreError> {
    let row = find!("quota", tx, QuotaRow, FIND_QUOTA, namespace_id.as_i64())?;
    Ok(row.map_or_else(NamespaceQuota::default, QuotaRow::into_quota))
}

/// Decides about a namespace.
pub async fn put_quota(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    quota: &NamespaceQuota,
) -> Result<(), StoreError> {
    if *quota == NamespaceQuota::default() {
        return on!(tx, c => sqlx::query(REMOVE_QUOTA).bind(namespace_id.as_i64()).execute(c).await.map(drop))
            .map_err(writing("quota"));
    }
    let stored = quota.decided.map(|_, decided| decided.to_stored());
    on!(tx, c => sqlx::query(PUT_QUOTA).bind(namespace_id.as_i64()).bind(stored.bytes).bind(stored.storage_bytes)
        .bind(stored.repositories).bind(stored.tags).bind(quota.is_strict).execute(c).await.map(drop))
    .map_err(writing("quota"))
}

/// At most `limit` namespaces about which something was decided, those behind `after`.
pub async fn list_quotas(tx: &mut Tx, after: i64, limit: u32) -> Result<Vec<ListedQuota>, StoreError> {
    let rows = list!("quotas", tx, ListedRow, LIST_QUOTAS, after, i64::from(limit))?;
    rows.into_iter()
        .map(|row| {
            Ok(ListedQuota {
                namespace_id: NamespaceId::from_i64(row.namespace_id),
                name: row.name.parse().map_err(unreadable("namespace name"))?,
                quota: QuotaRow {
                    bytes: row.bytes,
                    storage_bytes: row.storage_bytes,
                    repositories: row.repositories,
                    tags: row.tags,
                    is_strict: row.is_strict,
                }
                .into_quota(),
            })
        })
        .collect()
}

/// How much a namespace holds, of those resources that are `wanted`; 0 of others.
pub async fn measure_usage(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    wanted: PerResource<bool>,
) -> Result<Usage, StoreError> {
    let mut usage = Usage::default();
    let id = namespace_id.as_i64();
    if wanted.bytes {
        usage.bytes = amount(find!("usage", tx, AmountRow, MEASURE_BYTES, id)?);
    }
    if wanted.storage_bytes {
        usage.storage_bytes = amount(find!("usage", tx, AmountRow, MEASURE_STORAGE, id)?);
    }
    if wanted.repositories {
        usage.repositories = amount(find!("usage", tx, AmountRow, COUNT_REPOSITORIES_IN, id)?);
    }
    if wanted.tags {
        usage.tags = amount(find!("usage", tx, AmountRow, COUNT_TAGS_IN, id)?);
    }
    Ok(usage)
}

fn amount(row: Option<AmountRow>) -> u64 {
    row.and_then(|row| u64::try_from(row.amount).ok()).unwrap_or(0)
}

/// The namespace of a repository.
pub async fn find_namespace_of(
    tx: &mut Tx,
    repository_id: RepositoryId,
) -> Result<Option<NamespaceId>, StoreError> {
    let row = find!(
        "repository",
        tx,
        AmountRow,
        FIND_NAMESPACE_OF,
        repository_id.as_i64()
    )?;
    Ok(row.map(|row| NamespaceId::from_i64(row.amount)))
}

/// The step of a resource that was told last; 0 before the first.
pub async fn find_mark(tx: &mut Tx, namespace_id: NamespaceId, resource: Resource) -> Result<u8, StoreError> {
    let row = find!(
        "quota mark",
        tx,
        AmountRow,
        FIND_MARK,
        namespace_id.as_i64(),
        resource.as_str()
    )?;
    Ok(row.and_then(|row| u8::try_from(row.amount).ok()).unwrap_or(0))
}

/// Remembers the step of a resource.
pub async fn put_mark(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    resource: Resource,
    percent: u8,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(PUT_MARK).bind(namespace_id.as_i64()).bind(resource.as_str()).bind(i64::from(percent))
        .bind(now_ms).execute(c).await.map(drop))
    .map_err(writing("quota mark"))
}
