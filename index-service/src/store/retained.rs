//! Tags and manifests of a repository as policies of retention look at them.

use super::dialect::{Tx, list, statements};
use super::error::StoreError;
use super::row::row;
use crate::domain::RepositoryId;

// `+ 0`: as in tag.rs.
statements! {
    LIST_RETAINED_TAGS = "select t.name, t.digest, t.updated_at, n.last_pushed_at, n.last_pulled_at, n.last_pulled_by,
        d.last_pulled_at as digest_pulled_at from tag t
        left join content_total n on n.repository_id = t.repository_id + 0 and n.dimension = 'tag' and n.value = t.name
        left join content_total d on d.repository_id = t.repository_id + 0 and d.dimension = 'digest' and d.value = t.digest
        where t.repository_id = $1 and t.name > $2 order by t.name limit $3";
    LIST_RETAINED_MANIFESTS = "select m.digest, m.media_type, m.subject, m.read_at, n.last_pushed_at, n.last_pulled_at,
        (select max(c.changed_at) from tag_change c where c.repository_id = m.repository_id and c.digest_before = m.digest)
          as left_at
        from manifest m
        left join content_total n on n.repository_id = m.repository_id + 0 and n.dimension = 'digest' and n.value = m.digest
        where m.repository_id = $1 and m.digest > $2 order by m.digest limit $3";
}

row! {
/// A tag, when it was used, and by whom last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetainedTag {
    /// Its name.
    pub name: String,
    /// The manifest that it points to.
    pub digest: String,
    /// When that was heard or seen, in milliseconds since 1970.
    pub updated_at: i64,
    /// When it was pushed last.
    pub last_pushed_at: Option<i64>,
    /// When it was pulled last by its name,
    pub last_pulled_at: Option<i64>,
    /// and by whom.
    pub last_pulled_by: Option<String>,
    /// When its manifest was pulled last.
    pub digest_pulled_at: Option<i64>,
}
}

row! {
/// A manifest, and when it was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetainedManifest {
    /// Its digest.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// The manifest that it refers to.
    pub subject: Option<String>,
    /// When it was read; none as long as nothing more is known.
    pub read_at: Option<i64>,
    /// When it was pushed last.
    pub last_pushed_at: Option<i64>,
    /// When it was pulled last.
    pub last_pulled_at: Option<i64>,
    /// When the last tag left it.
    pub left_at: Option<i64>,
}
}

/// At most `limit` tags behind `after`, in the order of their names (of bytes).
pub async fn list_retained_tags(
    tx: &mut Tx,
    repository_id: RepositoryId,
    after: &str,
    limit: u32,
) -> Result<Vec<RetainedTag>, StoreError> {
    list!(
        "tags",
        tx,
        RetainedTag,
        LIST_RETAINED_TAGS,
        repository_id.as_i64(),
        after,
        i64::from(limit)
    )
}

/// At most `limit` manifests behind `after`, in the order of their digests (of bytes).
pub async fn list_retained_manifests(
    tx: &mut Tx,
    repository_id: RepositoryId,
    after: &str,
    limit: u32,
) -> Result<Vec<RetainedManifest>, StoreError> {
    list!(
        "manifests",
        tx,
        RetainedManifest,
        LIST_RETAINED_MANIFESTS,
        repository_id.as_i64(),
        after,
        i64::from(limit)
    )
}
