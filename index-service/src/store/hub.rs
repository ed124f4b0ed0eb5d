//! What Docker Hub's API tells of repositories and tags: read for a page at once.

use std::collections::{BTreeSet, HashMap};

use super::dialect::{Tx, statements};
use super::error::StoreError;
use super::place::{self, walked_places};
use super::tag::KnownTag;
use super::value::{Kind, Value, ask};
use crate::domain::RepositoryId;

// `+ 0`: as in tag.rs.
statements! {
    /// [`AT_ONCE`] repositories.
    FIND_DETAILS = "select r.repository_id, r.created_at, coalesce(p.summary, '') as summary,
        coalesce(p.description, '') as description, coalesce(p.star_count, 0) as star_count, p.updated_at,
        coalesce(n.pull_count, 0) as pull_count, n.last_pushed_at from repository r
        left join repository_profile p on p.repository_id = r.repository_id
        left join content_total n on n.repository_id = r.repository_id and n.dimension = 'repository' and n.value = ''
        where r.repository_id in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
          $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)";
    /// [`place::AT_ONCE`] tags.
    FIND_TAGS = concat!("select t.name, t.digest, t.updated_at, m.media_type, m.platform, m.content_size,
        (select cast(sum((select c.content_size from manifest c where c.repository_id = p.repository_id and c.digest = p.digest)) as bigint)
          from manifest_part p where p.repository_id = t.repository_id and p.manifest = t.digest and p.role = 'manifest') as children_size,
        n.pull_count, n.push_count, n.last_pulled_at, n.last_pushed_at, n.last_pushed_by
        from ", walked_places!(), " cross join tag t left join manifest m on m.repository_id = t.repository_id + 0 and m.digest = t.digest
        left join content_total n on n.repository_id = t.repository_id + 0 and n.dimension = 'tag' and n.value = t.name
        where t.repository_id = walk.column1 and t.name = walk.column2");
    /// What [`place::AT_ONCE`] indexes lead to.
    LIST_IMAGES = concat!("select p.manifest, p.position, p.digest, p.size, coalesce(p.platform, c.platform) as platform,
        c.content_size, n.last_pulled_at, n.last_pushed_at from ", walked_places!(), " cross join manifest_part p
        left join manifest c on c.repository_id = p.repository_id + 0 and c.digest = p.digest
        left join content_total n on n.repository_id = p.repository_id + 0 and n.dimension = 'digest' and n.value = p.digest
        where p.repository_id = walk.column1 and p.manifest = walk.column2 and p.role = 'manifest' limit 6400");
}

/// Repositories that one statement asks about.
const AT_ONCE: usize = 32;

/// What is told of a repository besides its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryDetails {
    /// When it was made, in milliseconds since 1970, as all times here.
    pub created_at: i64,
    /// In one line.
    pub summary: String,
    /// At length.
    pub description: String,
    /// Stars.
    pub star_count: i64,
    /// When something else was said about it.
    pub described_at: Option<i64>,
    /// Pulls.
    pub pull_count: i64,
    /// The last push.
    pub last_pushed_at: Option<i64>,
}

impl RepositoryDetails {
    /// When something was pushed or said last, or it was made.
    pub fn last_updated(&self) -> i64 {
        self.last_pushed_at
            .max(self.described_at)
            .unwrap_or(self.created_at)
    }
}

/// An image behind a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagImage {
    /// Its digest.
    pub digest: String,
    /// Its bytes with all of its parts; of its manifest alone where no more is known.
    pub size: i64,
    /// `os/architecture/variant`, where that is known.
    pub platform: Option<String>,
    /// The last pull and push.
    pub last_pulled_at: Option<i64>,
    /// In milliseconds since 1970.
    pub last_pushed_at: Option<i64>,
}

impl TagImage {
    /// The image that a tag points to itself.
    pub fn of(tag: &KnownTag) -> Self {
        Self {
            digest: tag.digest.clone(),
            size: tag.content_size.unwrap_or_default(),
            platform: tag.platform.clone(),
            last_pulled_at: tag.last_pulled_at,
            last_pushed_at: tag.last_pushed_at,
        }
    }
}

/// What is told of these repositories, by their ids.
pub async fn find_details(
    tx: &mut Tx,
    ids: &[RepositoryId],
) -> Result<HashMap<i64, RepositoryDetails>, StoreError> {
    use Kind::{Integer, Text};
    const KINDS: [Kind; 8] = [Integer, Integer, Text, Text, Integer, Integer, Integer, Integer];
    let mut found = HashMap::new();
    for chunk in ids.chunks(AT_ONCE) {
        // No repository has the id -1.
        let ids = chunk.iter().map(|id| id.as_i64()).chain(std::iter::repeat(-1));
        let values: Vec<Value> = ids.take(AT_ONCE).map(|id| Value::Integer(Some(id))).collect();
        for row in ask(tx, FIND_DETAILS, &values, &KINDS).await? {
            let details = RepositoryDetails {
                created_at: row[1].integer(),
                summary: row[2].text().to_owned(),
                description: row[3].text().to_owned(),
                star_count: row[4].integer(),
                described_at: number(&row[5]),
                pull_count: row[6].integer(),
                last_pushed_at: number(&row[7]),
            };
            found.insert(row[0].integer(), details);
        }
    }
    Ok(found)
}

/// These tags of a repository with their counts, by their names.
pub async fn find_tags(
    tx: &mut Tx,
    repository_id: RepositoryId,
    names: &[String],
) -> Result<HashMap<String, KnownTag>, StoreError> {
    use Kind::{Integer, Text};
    const KINDS: [Kind; 12] = [
        Text, Text, Integer, Text, Text, Integer, Integer, Integer, Integer, Integer, Integer, Text,
    ];
    let mut found = HashMap::new();
    for chunk in names.chunks(place::AT_ONCE) {
        let values = place::values(chunk.iter().map(|name| (repository_id, name.as_str())));
        for row in ask(tx, FIND_TAGS, &values, &KINDS).await? {
            let tag = KnownTag {
                name: row[0].text().to_owned(),
                digest: row[1].text().to_owned(),
                updated_at: row[2].integer(),
                media_type: word(&row[3]),
                platform: word(&row[4]),
                content_size: number(&row[5]),
                children_size: number(&row[6]),
                pull_count: number(&row[7]),
                push_count: number(&row[8]),
                last_pulled_at: number(&row[9]),
                last_pushed_at: number(&row[10]),
                last_pushed_by: word(&row[11]),
            };
            found.insert(tag.name.clone(), tag);
        }
    }
    Ok(found)
}

/// The images of these indexes of a repository, in their order.
pub async fn list_images(
    tx: &mut Tx,
    repository_id: RepositoryId,
    indexes: &[String],
) -> Result<HashMap<String, Vec<TagImage>>, StoreError> {
    use Kind::{Integer, Text};
    const KINDS: [Kind; 8] = [Text, Integer, Text, Integer, Text, Integer, Integer, Integer];
    let mut placed: HashMap<String, Vec<(i64, TagImage)>> = HashMap::new();
    // Several tags may lead to one.
    let indexes: Vec<&str> = indexes
        .iter()
        .map(String::as_str)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    for chunk in indexes.chunks(place::AT_ONCE) {
        let values = place::values(chunk.iter().map(|index| (repository_id, *index)));
        for row in ask(tx, LIST_IMAGES, &values, &KINDS).await? {
            let image = TagImage {
                digest: row[2].text().to_owned(),
                size: number(&row[5]).unwrap_or_else(|| row[3].integer()),
                platform: word(&row[4]),
                last_pulled_at: number(&row[6]),
                last_pushed_at: number(&row[7]),
            };
            let of_index = placed.entry(row[0].text().to_owned()).or_default();
            of_index.push((row[1].integer(), image));
        }
    }
    let in_order = |mut images: Vec<(i64, TagImage)>| {
        images.sort_by_key(|(position, _)| *position);
        images.into_iter().map(|(_, image)| image).collect()
    };
    Ok(placed
        .into_iter()
        .map(|(index, images)| (index, in_order(images)))
        .collect())
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => *number,
        Value::Text(_) | Value::Boolean(_) => None,
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(_) | Value::Boolean(_) => None,
    }
}
