//! Tags: what each points to, as the registry was last heard or read.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, writing};
use super::row::row;
use crate::domain::RepositoryId;

// What a page of a large repository reads must not be all of it. So the size of each child is a lookup of its own: joined, both
// databases read all manifests of the repository for each tag, once they had statistics. And `+ 0` hides from PostgreSQL that
// joined tables are of one repository: it would read each table's rows of that repository whole, as is well with one of average
// size. A test in plan_tests.rs holds them to it.
statements! {
    PUT_TAG = "insert into tag (repository_id, name, digest, updated_at) values ($1, $2, $3, $4)
        on conflict (repository_id, name) do update set digest = excluded.digest, updated_at = excluded.updated_at";
    REMOVE_TAG = "delete from tag where repository_id = $1 and name = $2";
    FIND_TAG = "select t.name, t.digest, t.updated_at, m.media_type, m.platform, m.content_size,
        (select cast(sum((select c.content_size from manifest c where c.repository_id = p.repository_id and c.digest = p.digest)) as bigint)
          from manifest_part p where p.repository_id = t.repository_id and p.manifest = t.digest and p.role = 'manifest') as children_size,
        n.pull_count, n.push_count, n.last_pulled_at, n.last_pushed_at, n.last_pushed_by
        from tag t left join manifest m on m.repository_id = t.repository_id + 0 and m.digest = t.digest
        left join content_total n on n.repository_id = t.repository_id + 0 and n.dimension = 'tag' and n.value = t.name
        where t.repository_id = $1 and t.name = $2";
    LIST_TAGS = "select t.name, t.digest, t.updated_at, m.media_type, m.platform, m.content_size,
        (select cast(sum((select c.content_size from manifest c where c.repository_id = p.repository_id and c.digest = p.digest)) as bigint)
          from manifest_part p where p.repository_id = t.repository_id and p.manifest = t.digest and p.role = 'manifest') as children_size,
        n.pull_count, n.push_count, n.last_pulled_at, n.last_pushed_at, n.last_pushed_by
        from tag t left join manifest m on m.repository_id = t.repository_id + 0 and m.digest = t.digest
        left join content_total n on n.repository_id = t.repository_id + 0 and n.dimension = 'tag' and n.value = t.name
        where t.repository_id = $1 and t.name > $2 order by t.name limit $3";
    LIST_TAGS_BY_TIME = "select t.name, t.digest, t.updated_at, m.media_type, m.platform, m.content_size,
        (select cast(sum((select c.content_size from manifest c where c.repository_id = p.repository_id and c.digest = p.digest)) as bigint)
          from manifest_part p where p.repository_id = t.repository_id and p.manifest = t.digest and p.role = 'manifest') as children_size,
        n.pull_count, n.push_count, n.last_pulled_at, n.last_pushed_at, n.last_pushed_by
        from tag t left join manifest m on m.repository_id = t.repository_id + 0 and m.digest = t.digest
        left join content_total n on n.repository_id = t.repository_id + 0 and n.dimension = 'tag' and n.value = t.name
        where t.repository_id = $1 and (t.updated_at, t.name) < ($2, $3) order by t.updated_at desc, t.name desc limit $4";
    LIST_POINTERS = "select name, digest, updated_at from tag where repository_id = $1 and name > $2 order by name limit $3";
    LIST_POINTERS_BY_TIME = "select name, digest, updated_at from tag where repository_id = $1
        and (updated_at, name) < ($2, $3) order by updated_at desc, name desc limit $4";
    LIST_TAGS_OF_DIGEST = "select name, digest, updated_at from tag where repository_id = $1 and digest = $2 limit $3";
    FIND_POINTER = "select name, digest, updated_at from tag where repository_id = $1 and name = $2";
    COUNT_TAGS = "select count(*) as number from tag where repository_id = $1";
}

row! {
struct NumberRow {
    number: i64,
}
}

row! {
/// A tag with what is known of its manifest, and its counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTag {
    /// Its name.
    pub name: String,
    /// The manifest that it points to.
    pub digest: String,
    /// When that was heard or seen, in milliseconds since 1970.
    pub updated_at: i64,
    /// The manifest's media type, once it is known.
    pub media_type: Option<String>,
    /// Of an image: `os/architecture/variant`.
    pub platform: Option<String>,
    /// Bytes of an image with all of its parts.
    pub content_size: Option<i64>,
    /// Bytes of the images of an index.
    pub children_size: Option<i64>,
    /// Requests for manifests by the tag.
    pub pull_count: Option<i64>,
    /// Pushes of the tag.
    pub push_count: Option<i64>,
    /// The last of each.
    pub last_pulled_at: Option<i64>,
    /// In milliseconds since 1970.
    pub last_pushed_at: Option<i64>,
    /// Whose push that was.
    pub last_pushed_by: Option<String>,
}
}

row! {
/// What a tag points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    /// The tag.
    pub name: String,
    /// The manifest.
    pub digest: String,
    /// Since when, in milliseconds since 1970.
    pub updated_at: i64,
}
}

/// Lets a tag point to a manifest.
pub async fn put_tag(
    tx: &mut Tx,
    repository_id: RepositoryId,
    name: &str,
    digest: &str,
    at_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(PUT_TAG)
        .bind(repository_id.as_i64()).bind(name).bind(digest).bind(at_ms)
        .execute(c).await.map(drop))
    .map_err(writing("tag"))
}

/// Forgets a tag; says whether there was one.
pub async fn remove_tag(tx: &mut Tx, repository_id: RepositoryId, name: &str) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(REMOVE_TAG).bind(repository_id.as_i64()).bind(name)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("tag"))
}

/// A tag with its counts.
pub async fn find_tag(
    tx: &mut Tx,
    repository_id: RepositoryId,
    name: &str,
) -> Result<Option<KnownTag>, StoreError> {
    find!("tag", tx, KnownTag, FIND_TAG, repository_id.as_i64(), name)
}

/// What a tag points to.
pub async fn find_pointer(
    tx: &mut Tx,
    repository_id: RepositoryId,
    name: &str,
) -> Result<Option<Pointer>, StoreError> {
    find!("tag", tx, Pointer, FIND_POINTER, repository_id.as_i64(), name)
}

/// At most `limit` tags behind `after`, in the order of their names (of bytes).
pub async fn list_tags(
    tx: &mut Tx,
    repository_id: RepositoryId,
    after: &str,
    limit: u32,
) -> Result<Vec<KnownTag>, StoreError> {
    list!(
        "tags",
        tx,
        KnownTag,
        LIST_TAGS,
        repository_id.as_i64(),
        after,
        i64::from(limit)
    )
}

/// At most `limit` tags, those that moved last first, behind the one of this time and name.
pub async fn list_tags_by_time(
    tx: &mut Tx,
    repository_id: RepositoryId,
    (at_ms, name): (i64, &str),
    limit: u32,
) -> Result<Vec<KnownTag>, StoreError> {
    list!(
        "tags",
        tx,
        KnownTag,
        LIST_TAGS_BY_TIME,
        repository_id.as_i64(),
        at_ms,
        name,
        i64::from(limit)
    )
}

/// What at most `limit` tags behind `after` point to, in the order of their names.
pub async fn list_pointers(
    tx: &mut Tx,
    repository_id: RepositoryId,
    after: &str,
    limit: u32,
) -> Result<Vec<Pointer>, StoreError> {
    list!(
        "tags",
        tx,
        Pointer,
        LIST_POINTERS,
        repository_id.as_i64(),
        after,
        i64::from(limit)
    )
}

/// What at most `limit` tags point to, those that moved last first, behind the one of this time and name.
pub async fn list_pointers_by_time(
    tx: &mut Tx,
    repository_id: RepositoryId,
    (at_ms, name): (i64, &str),
    limit: u32,
) -> Result<Vec<Pointer>, StoreError> {
    list!(
        "tags",
        tx,
        Pointer,
        LIST_POINTERS_BY_TIME,
        repository_id.as_i64(),
        at_ms,
        name,
        i64::from(limit)
    )
}

/// At most `limit` of the tags that point to a manifest.
pub async fn list_tags_of_digest(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
    limit: u32,
) -> Result<Vec<Pointer>, StoreError> {
    list!(
        "tags",
        tx,
        Pointer,
        LIST_TAGS_OF_DIGEST,
        repository_id.as_i64(),
        digest,
        i64::from(limit)
    )
}

/// How many tags a repository has.
pub async fn count_tags(tx: &mut Tx, repository_id: RepositoryId) -> Result<i64, StoreError> {
    let row = find!("tags", tx, NumberRow, COUNT_TAGS, repository_id.as_i64())?;
    Ok(row.map_or(0, |row| row.number))
}
