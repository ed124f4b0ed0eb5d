//! An index and its manifests: what is known of all of them, in a statement for each kind of it, however many they are.

use std::collections::{BTreeMap, HashMap};

use super::content_count::Total;
use super::dialect::{Tx, list, statements};
use super::error::{StoreError, unreadable};
use super::manifest::{KnownManifest, ManifestRow};
use super::row::row;
use super::value::{Kind, Value, ask};
use crate::domain::RepositoryId;
use crate::domain::content::Part;

// `+ 0`: as in tag.rs.
statements! {
    LIST_CHILDREN = "select c.digest, c.media_type, c.size, c.content_size, c.artifact_type, c.subject, c.platform, c.config,
        c.annotations, c.read_at from manifest_part p cross join manifest c
        where p.repository_id = $1 and p.manifest = $2 and p.role = 'manifest'
          and c.repository_id = p.repository_id + 0 and c.digest = p.digest order by p.position limit $3";
    LIST_PARTS_OF_CHILDREN = "select c.manifest, c.position, c.role, c.digest, c.media_type, c.size, c.platform, c.command
        from manifest_part p cross join manifest_part c
        where p.repository_id = $1 and p.manifest = $2 and p.role = 'manifest'
          and c.repository_id = p.repository_id + 0 and c.manifest = p.digest limit $3";
    LIST_TOTALS_OF_CHILDREN = "select n.value, n.pull_count, n.push_count, n.last_pulled_at, n.last_pushed_at,
        n.last_pushed_by, n.last_pulled_by from manifest_part p cross join content_total n
        where p.repository_id = $1 and p.manifest = $2 and p.role = 'manifest'
          and n.repository_id = p.repository_id + 0 and n.dimension = 'digest' and n.value = p.digest limit $3";
    LIST_REFERRERS_OF_CHILDREN = "select c.digest, c.media_type, c.size, c.content_size, c.artifact_type, c.subject,
        c.platform, c.config, c.annotations, c.read_at from manifest_part p cross join manifest c
        where p.repository_id = $1 and p.manifest = $2 and p.role = 'manifest'
          and c.repository_id = p.repository_id + 0 and c.subject = p.digest limit $3";
    /// Tags that are named after a manifest have a '.' behind its name, and '/' follows that.
    LIST_FOLLOWERS_OF_CHILDREN = "select p.digest as of_digest, t.name as tag, c.digest, c.media_type, c.size, c.content_size,
        c.artifact_type, c.subject, c.platform, c.config, c.annotations, c.read_at
        from manifest_part p cross join tag t cross join manifest c
        where p.repository_id = $1 and p.manifest = $2 and p.role = 'manifest' and t.repository_id = p.repository_id + 0
          and t.name >= replace(p.digest, ':', '-') || '.' and t.name < replace(p.digest, ':', '-') || '/'
          and c.repository_id = t.repository_id + 0 and c.digest = t.digest limit $3";
    LIST_FOLLOWERS = "select t.digest as of_digest, t.name as tag, c.digest, c.media_type, c.size, c.content_size,
        c.artifact_type, c.subject, c.platform, c.config, c.annotations, c.read_at from tag t cross join manifest c
        where t.repository_id = $1 and t.name >= $2 and t.name < $3
          and c.repository_id = t.repository_id + 0 and c.digest = t.digest order by t.name limit $4";
    /// Of [`AT_ONCE`] manifests.
    LIST_PARTS_OF_EACH = "select manifest, position, role, digest, media_type, size, platform, command from manifest_part
        where repository_id = $1 and manifest in ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
          $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41,
          $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64,
          $65) limit 20000";
}

/// Manifests that one statement asks for.
const AT_ONCE: usize = 64;
/// Most parts of the manifests of an index.
const MOST_PARTS: i64 = 20_000;
/// Most of what is attached to all manifests of an index, and most of their counts.
const MOST_ATTACHED: i64 = 2_000;
/// Most tags that are named after one manifest.
const MOST_FOLLOWERS: usize = 10;

row! {
struct PartOfRow {
    manifest: String,
    position: i64,
    role: String,
    digest: String,
    media_type: String,
    size: i64,
    platform: Option<String>,
    command: Option<String>,
}
}

row! {
struct FollowerRow {
    of_digest: String,
    tag: String,
    digest: String,
    media_type: String,
    size: i64,
    content_size: Option<i64>,
    artifact_type: Option<String>,
    subject: Option<String>,
    platform: Option<String>,
    config: Option<String>,
    annotations: Option<String>,
    read_at: Option<i64>,
}
}

/// A tag that is named after a manifest, and what it points to.
pub type Follower = (String, KnownManifest);

impl FollowerRow {
    fn into_follower(self) -> Follower {
        let manifest = ManifestRow {
            digest: self.digest,
            media_type: self.media_type,
            size: self.size,
            content_size: self.content_size,
            artifact_type: self.artifact_type,
            subject: self.subject,
            platform: self.platform,
            config: self.config,
            annotations: self.annotations,
            read_at: self.read_at,
        };
        (self.tag, manifest.into_known())
    }
}

/// A manifest of an index with what is known of it.
#[derive(Debug, Clone)]
pub struct Child {
    /// The manifest with its parts.
    pub manifest: KnownManifest,
    /// Its counts.
    pub total: Option<Total>,
    /// What refers to it.
    pub referrers: Vec<KnownManifest>,
    /// What tags are named after it.
    pub followers: Vec<Follower>,
}

/// At most `limit` of the manifests of an index that the repository has, in the order of the index.
pub async fn list_children(
    tx: &mut Tx,
    repository_id: RepositoryId,
    index: &str,
    limit: u32,
) -> Result<Vec<Child>, StoreError> {
    let id = repository_id.as_i64();
    let most = i64::from(limit);
    let children = list!("manifests", tx, ManifestRow, LIST_CHILDREN, id, index, most)?;
    if children.is_empty() {
        return Ok(Vec::new());
    }
    let rows = list!(
        "parts",
        tx,
        PartOfRow,
        LIST_PARTS_OF_CHILDREN,
        id,
        index,
        MOST_PARTS
    )?;
    let parts = by_manifest(rows)?;
    let totals = list!(
        "counts",
        tx,
        Total,
        LIST_TOTALS_OF_CHILDREN,
        id,
        index,
        MOST_ATTACHED
    )?;
    let totals: HashMap<String, Total> = totals
        .into_iter()
        .map(|total| (total.value.clone(), total))
        .collect();
    // An index may name a manifest twice.
    let mut referrers: HashMap<String, BTreeMap<String, KnownManifest>> = HashMap::new();
    for row in list!(
        "manifests",
        tx,
        ManifestRow,
        LIST_REFERRERS_OF_CHILDREN,
        id,
        index,
        MOST_ATTACHED
    )? {
        let known = row.into_known();
        let subject = known.description.subject.clone().unwrap_or_default();
        let of_one = referrers.entry(subject).or_default();
        of_one.insert(known.digest.clone(), known);
    }
    let mut followers: HashMap<String, BTreeMap<String, KnownManifest>> = HashMap::new();
    for row in list!(
        "tags",
        tx,
        FollowerRow,
        LIST_FOLLOWERS_OF_CHILDREN,
        id,
        index,
        MOST_ATTACHED
    )? {
        let of_one = followers.entry(row.of_digest.clone()).or_default();
        let (tag, manifest) = row.into_follower();
        of_one.insert(tag, manifest);
    }
    let found = children.into_iter().map(|row| {
        let mut manifest = row.into_known();
        let digest = &manifest.digest;
        let referring = referrers.get(digest).cloned().unwrap_or_default();
        let following = followers.get(digest).cloned().unwrap_or_default();
        let total = totals.get(digest).cloned();
        manifest.description.parts = parts.get(digest).cloned().unwrap_or_default();
        Child {
            total,
            referrers: referring.into_values().collect(),
            followers: following.into_iter().take(MOST_FOLLOWERS).collect(),
            manifest,
        }
    });
    Ok(found.collect())
}

/// What tags that are named after a manifest point to, in the order of their names.
pub async fn list_followers(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
) -> Result<Vec<Follower>, StoreError> {
    let stem = digest.replace(':', "-");
    let (first, behind) = (format!("{stem}."), format!("{stem}/"));
    let rows = list!(
        "tags",
        tx,
        FollowerRow,
        LIST_FOLLOWERS,
        repository_id.as_i64(),
        first.as_str(),
        behind.as_str(),
        i64::try_from(MOST_FOLLOWERS).unwrap_or(i64::MAX)
    )?;
    Ok(rows.into_iter().map(FollowerRow::into_follower).collect())
}

/// The parts of these manifests of a repository, each in their order.
pub async fn list_parts_of(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digests: &[String],
) -> Result<HashMap<String, Vec<Part>>, StoreError> {
    const KINDS: [Kind; 8] = [
        Kind::Text,
        Kind::Integer,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Integer,
        Kind::Text,
        Kind::Text,
    ];
    let mut rows = Vec::new();
    for chunk in digests.chunks(AT_ONCE) {
        // Nothing has the empty digest.
        let names = chunk.iter().cloned().chain(std::iter::repeat(String::new()));
        let values: Vec<Value> = std::iter::once(Value::Integer(Some(repository_id.as_i64())))
            .chain(names.take(AT_ONCE).map(|name| Value::Text(Some(name))))
            .collect();
        for row in ask(tx, LIST_PARTS_OF_EACH, &values, &KINDS).await? {
            let word = |place: usize| match &row[place] {
                Value::Text(text) => text.clone(),
                Value::Integer(_) | Value::Boolean(_) => None,
            };
            rows.push(PartOfRow {
                manifest: row[0].text().to_owned(),
                position: row[1].integer(),
                role: row[2].text().to_owned(),
                digest: row[3].text().to_owned(),
                media_type: row[4].text().to_owned(),
                size: row[5].integer(),
                platform: word(6),
                command: word(7),
            });
        }
    }
    by_manifest(rows)
}

/// Parts by the manifest that has them, each in their order; what was read twice stands there once.
fn by_manifest(rows: Vec<PartOfRow>) -> Result<HashMap<String, Vec<Part>>, StoreError> {
    let mut placed: HashMap<String, BTreeMap<i64, Part>> = HashMap::new();
    for row in rows {
        let part = Part {
            role: row.role.parse().map_err(unreadable("part"))?,
            digest: row.digest,
            media_type: row.media_type,
            size: row.size,
            platform: row.platform,
            command: row.command,
        };
        placed.entry(row.manifest).or_default().insert(row.position, part);
    }
    let in_order = placed
        .into_iter()
        .map(|(manifest, parts)| (manifest, parts.into_values().collect()));
    Ok(in_order.collect())
}
