//! Manifests of repositories, their parts and blobs: a projection of what the registry holds.

use std::collections::BTreeMap;

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::content::{Description, Part};
use crate::domain::layer::layer_chain;
use crate::domain::{NamespaceId, RepositoryId};

statements! {
    ADD_MANIFEST = "insert into manifest (repository_id, digest, media_type, size) values ($1, $2, $3, $4)
        on conflict (repository_id, digest) do nothing";
    DESCRIBE_MANIFEST = "update manifest set media_type = $3, size = $4, content_size = $5, artifact_type = $6, subject = $7,
        platform = $8, config = $9, annotations = $10, read_at = $11, layer_chain = $12
        where repository_id = $1 and digest = $2";
    REMOVE_MANIFEST = "delete from manifest where repository_id = $1 and digest = $2";
    FIND_MANIFEST = "select digest, media_type, size, content_size, artifact_type, subject, platform, config, annotations,
        read_at from manifest where repository_id = $1 and digest = $2";
    /// Half-open, in the order of bytes.
    LIST_MANIFESTS_BETWEEN = "select digest, media_type, size, content_size, artifact_type, subject, platform, config,
        annotations, read_at from manifest where repository_id = $1 and digest > $2 and digest < $3 order by digest limit $4";
    LIST_REFERRERS = "select digest, media_type, size, content_size, artifact_type, subject, platform, config, annotations,
        read_at from manifest where repository_id = $1 and subject = $2 limit $3";
    ADD_PART = "insert into manifest_part (repository_id, manifest, position, role, digest, media_type, size, platform,
        command) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    REMOVE_PARTS = "delete from manifest_part where repository_id = $1 and manifest = $2";
    LIST_PARTS = "select role, digest, media_type, size, platform, command from manifest_part
        where repository_id = $1 and manifest = $2 order by position";
    LIST_PARENTS = "select manifest as digest from manifest_part where repository_id = $1 and digest = $2 and role = 'manifest'
        limit $3";
    ADD_BLOB_USE = "insert into repository_blob (repository_id, digest, size, use_count) values ($1, $2, $3, 1)
        on conflict (repository_id, digest) do update set use_count = repository_blob.use_count + 1";
    DROP_BLOB_USE = "update repository_blob set use_count = use_count - 1 where repository_id = $1 and digest = $2";
    REMOVE_UNUSED_BLOB = "delete from repository_blob where repository_id = $1 and digest = $2 and use_count <= 0";
    FIND_BLOB = "select size, use_count from repository_blob where repository_id = $1 and digest = $2";
    FIND_BLOB_ELSEWHERE = "select repository_id from repository_blob where digest = $1 and repository_id <> $2 limit 1";
    MEASURE_REPOSITORY = "select cast(coalesce(sum(size), 0) as bigint) as bytes, count(*) as blobs from repository_blob
        where repository_id = $1";
    /// Each blob in the first repository of the namespace that has it.
    MEASURE_NAMESPACE = "select cast(coalesce(sum(b.size), 0) as bigint) as bytes, count(*) as blobs
        from repository r join repository_blob b on b.repository_id = r.repository_id
        where r.namespace_id = $1 and r.state <> 'deleted' and not exists (
          select 1 from repository_blob o join repository s on s.repository_id = o.repository_id
          where o.digest = b.digest and o.repository_id < b.repository_id and s.namespace_id = $1 and s.state <> 'deleted')";
}

row! {
pub(super) struct ManifestRow {
    pub(super) digest: String,
    pub(super) media_type: String,
    pub(super) size: i64,
    pub(super) content_size: Option<i64>,
    pub(super) artifact_type: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) platform: Option<String>,
    pub(super) config: Option<String>,
    pub(super) annotations: Option<String>,
    pub(super) read_at: Option<i64>,
}
}

row! {
struct PartRow {
    role: String,
    digest: String,
    media_type: String,
    size: i64,
    platform: Option<String>,
    command: Option<String>,
}
}

row! {
struct DigestRow {
    digest: String,
}
}

row! {
struct BlobRow {
    size: i64,
    use_count: i64,
}
}

row! {
struct ElsewhereRow {
    repository_id: i64,
}
}

row! {
struct MeasureRow {
    bytes: i64,
    blobs: i64,
}
}

/// A manifest as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownManifest {
    /// Its digest.
    pub digest: String,
    /// What is known of it, without its parts.
    pub description: Description,
    /// Whether it was read; until then nothing is known but its digest, media type and size.
    pub is_read: bool,
}

impl ManifestRow {
    pub(super) fn into_known(self) -> KnownManifest {
        KnownManifest {
            digest: self.digest,
            description: Description {
                media_type: self.media_type,
                size: self.size,
                content_size: self.content_size,
                artifact_type: self.artifact_type,
                subject: self.subject,
                platform: self.platform,
                config: self.config,
                annotations: self.annotations,
                parts: Vec::new(),
            },
            is_read: self.read_at.is_some(),
        }
    }
}

/// How much there is, each blob once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measure {
    /// Bytes of blobs and manifests.
    pub bytes: i64,
    /// How many there are.
    pub blobs: i64,
}

/// Adds a manifest of which no more is known than its digest; says whether it is new.
pub async fn add_manifest(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
    media_type: &str,
    size: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(ADD_MANIFEST)
        .bind(repository_id.as_i64()).bind(digest).bind(media_type).bind(size)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("manifest"))
}

/// Writes down what was read of a manifest, in the place of what was known; says whether there is such a manifest.
pub async fn describe_manifest(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
    description: &Description,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let Some(known) = find_manifest(tx, repository_id, digest).await? else {
        return Ok(false);
    };
    forget_parts(tx, repository_id, &known).await?;
    on!(tx, c => sqlx::query(DESCRIBE_MANIFEST)
        .bind(repository_id.as_i64())
        .bind(digest)
        .bind(&description.media_type)
        .bind(description.size)
        .bind(description.content_size)
        .bind(description.artifact_type.as_deref())
        .bind(description.subject.as_deref())
        .bind(description.platform.as_deref())
        .bind(description.config.as_deref())
        .bind(description.annotations.as_deref())
        .bind(now_ms)
        .bind(layer_chain(&description.parts))
        .execute(c).await.map(drop))
    .map_err(writing("manifest"))?;
    for (position, part) in (0_i64..).zip(&description.parts) {
        on!(tx, c => sqlx::query(ADD_PART)
            .bind(repository_id.as_i64())
            .bind(digest)
            .bind(position)
            .bind(part.role.as_str())
            .bind(&part.digest)
            .bind(&part.media_type)
            .bind(part.size)
            .bind(part.platform.as_deref())
            .bind(part.command.as_deref())
            .execute(c).await.map(drop))
        .map_err(writing("manifest"))?;
    }
    for (blob, size) in blobs(digest, description.size, &description.parts) {
        on!(tx, c => sqlx::query(ADD_BLOB_USE).bind(repository_id.as_i64()).bind(blob).bind(size)
            .execute(c).await.map(drop))
        .map_err(writing("blob"))?;
    }
    Ok(true)
}

/// Forgets a manifest and what is counted because of it; says whether there was one.
pub async fn remove_manifest(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
) -> Result<bool, StoreError> {
    let Some(known) = find_manifest(tx, repository_id, digest).await? else {
        return Ok(false);
    };
    forget_parts(tx, repository_id, &known).await?;
    on!(tx, c => sqlx::query(REMOVE_MANIFEST).bind(repository_id.as_i64()).bind(digest)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("manifest"))
}

async fn forget_parts(
    tx: &mut Tx,
    repository_id: RepositoryId,
    known: &KnownManifest,
) -> Result<(), StoreError> {
    if !known.is_read {
        return Ok(());
    }
    let parts = list_parts(tx, repository_id, &known.digest).await?;
    for blob in blobs(&known.digest, known.description.size, &parts).into_keys() {
        for text in [DROP_BLOB_USE, REMOVE_UNUSED_BLOB] {
            on!(tx, c => sqlx::query(text).bind(repository_id.as_i64()).bind(blob).execute(c).await.map(drop))
                .map_err(writing("blob"))?;
        }
    }
    on!(tx, c => sqlx::query(REMOVE_PARTS).bind(repository_id.as_i64()).bind(&known.digest)
        .execute(c).await.map(drop))
    .map_err(writing("manifest"))
}

/// The blobs that a manifest needs, itself among them, each once.
pub fn blobs<'a>(digest: &'a str, size: i64, parts: &'a [Part]) -> BTreeMap<&'a str, i64> {
    let of_parts = parts.iter().filter(|part| part.is_blob());
    of_parts
        .map(|part| (part.digest.as_str(), part.size))
        .chain([(digest, size)])
        .collect()
}

/// A manifest by its digest, without its parts.
pub async fn find_manifest(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
) -> Result<Option<KnownManifest>, StoreError> {
    let row = find!(
        "manifest",
        tx,
        ManifestRow,
        FIND_MANIFEST,
        repository_id.as_i64(),
        digest
    )?;
    Ok(row.map(ManifestRow::into_known))
}

/// At most `limit` manifests whose digests lie between two texts, in the order of their digests (of bytes).
pub async fn list_manifests_between(
    tx: &mut Tx,
    repository_id: RepositoryId,
    (after, before): (&str, &str),
    limit: u32,
) -> Result<Vec<KnownManifest>, StoreError> {
    let rows = list!(
        "manifests",
        tx,
        ManifestRow,
        LIST_MANIFESTS_BETWEEN,
        repository_id.as_i64(),
        after,
        before,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(ManifestRow::into_known).collect())
}

/// At most `limit` manifests that refer to this one: signatures, bills of material, attestations.
pub async fn list_referrers(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
    limit: u32,
) -> Result<Vec<KnownManifest>, StoreError> {
    let rows = list!(
        "manifests",
        tx,
        ManifestRow,
        LIST_REFERRERS,
        repository_id.as_i64(),
        digest,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(ManifestRow::into_known).collect())
}

/// The parts of a manifest in their order.
pub async fn list_parts(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
) -> Result<Vec<Part>, StoreError> {
    list!("parts", tx, PartRow, LIST_PARTS, repository_id.as_i64(), digest)?
        .into_iter()
        .map(|row| {
            Ok(Part {
                role: row.role.parse().map_err(unreadable("part"))?,
                digest: row.digest,
                media_type: row.media_type,
                size: row.size,
                platform: row.platform,
                command: row.command,
            })
        })
        .collect()
}

/// At most `limit` of the indexes that a manifest is in.
pub async fn list_parents(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let rows = list!(
        "manifests",
        tx,
        DigestRow,
        LIST_PARENTS,
        repository_id.as_i64(),
        digest,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|row| row.digest).collect())
}

/// How many manifests of a repository need a blob.
pub async fn count_uses(tx: &mut Tx, repository_id: RepositoryId, digest: &str) -> Result<i64, StoreError> {
    let row = find!("blob", tx, BlobRow, FIND_BLOB, repository_id.as_i64(), digest)?;
    Ok(row.filter(|row| row.size >= 0).map_or(0, |row| row.use_count))
}

/// Whether a manifest of another repository needs a blob.
pub async fn is_needed_elsewhere(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
) -> Result<bool, StoreError> {
    let row = find!(
        "blob",
        tx,
        ElsewhereRow,
        FIND_BLOB_ELSEWHERE,
        digest,
        repository_id.as_i64()
    )?;
    Ok(row.is_some_and(|row| row.repository_id != repository_id.as_i64()))
}

/// How much a repository holds.
pub async fn measure_repository(tx: &mut Tx, repository_id: RepositoryId) -> Result<Measure, StoreError> {
    let row = find!(
        "blobs",
        tx,
        MeasureRow,
        MEASURE_REPOSITORY,
        repository_id.as_i64()
    )?;
    Ok(measure(row))
}

/// How much the repositories of a namespace hold, what they share once.
pub async fn measure_namespace(tx: &mut Tx, namespace_id: NamespaceId) -> Result<Measure, StoreError> {
    let row = find!("blobs", tx, MeasureRow, MEASURE_NAMESPACE, namespace_id.as_i64())?;
    Ok(measure(row))
}

fn measure(row: Option<MeasureRow>) -> Measure {
    row.map_or_else(Measure::default, |row| Measure {
        bytes: row.bytes,
        blobs: row.blobs,
    })
}
