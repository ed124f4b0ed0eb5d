//! What images have in common by their layers, asked for many at once: the page of a tag asks in a few statements, however
//! many images stand below and above it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::ancestry::ManifestPlace;
use super::dialect::{Tx, statements};
use super::error::{StoreError, unreadable};
use super::place::{self, walked_places};
use super::value::{Kind, Value, ask};
use crate::domain::RepositoryId;
use crate::domain::content::Part;

/// Images of one stack, as far as they are looked at.
macro_rules! of_chain {
    ($chain:literal) => {
        concat!(
            "select * from (select layer_chain, repository_id, digest from manifest where layer_chain = ",
            $chain,
            " order by repository_id, digest limit 50) as walk"
        )
    };
}

/// Manifests of one repository that have a part.
macro_rules! with_part {
    ($repository:literal) => {
        concat!(
            "select * from (select repository_id, manifest as digest from manifest_part where digest = $1 and repository_id = ",
            $repository,
            " limit $3) as walk"
        )
    };
}

// `+ 0`: as in tag.rs.
statements! {
    /// Which of [`CHAINS`] stacks an image consists of.
    FIND_CHAINS = "select walk.column1 as layer_chain from
          (values ($1), ($2), ($3), ($4), ($5), ($6), ($7), ($8), ($9), ($10), ($11), ($12), ($13), ($14), ($15), ($16),
          ($17), ($18), ($19), ($20), ($21), ($22), ($23), ($24), ($25), ($26), ($27), ($28), ($29), ($30), ($31), ($32),
          ($33), ($34), ($35), ($36), ($37), ($38), ($39), ($40), ($41), ($42), ($43), ($44), ($45), ($46), ($47), ($48),
          ($49), ($50), ($51), ($52), ($53), ($54), ($55), ($56), ($57), ($58), ($59), ($60), ($61), ($62), ($63), ($64)) as walk
        where exists (select 1 from manifest m where m.layer_chain = walk.column1)";
    /// Of [`AT_ONCE`] stacks.
    LIST_OF_CHAINS = concat!(
        of_chain!("$1"),
        " union all ", of_chain!("$2"),
        " union all ", of_chain!("$3"),
        " union all ", of_chain!("$4"),
        " union all ", of_chain!("$5"),
        " union all ", of_chain!("$6"),
        " union all ", of_chain!("$7"),
        " union all ", of_chain!("$8"),
        " union all ", of_chain!("$9"),
        " union all ", of_chain!("$10"),
        " union all ", of_chain!("$11"),
        " union all ", of_chain!("$12"),
        " union all ", of_chain!("$13"),
        " union all ", of_chain!("$14"),
        " union all ", of_chain!("$15"),
        " union all ", of_chain!("$16")
    );
    /// Of [`AT_ONCE`] repositories.
    LIST_WITH_PART = concat!(
        with_part!("$2"),
        " union all ", with_part!("$4"),
        " union all ", with_part!("$5"),
        " union all ", with_part!("$6"),
        " union all ", with_part!("$7"),
        " union all ", with_part!("$8"),
        " union all ", with_part!("$9"),
        " union all ", with_part!("$10"),
        " union all ", with_part!("$11"),
        " union all ", with_part!("$12"),
        " union all ", with_part!("$13"),
        " union all ", with_part!("$14"),
        " union all ", with_part!("$15"),
        " union all ", with_part!("$16"),
        " union all ", with_part!("$17"),
        " union all ", with_part!("$18")
    );
    LIST_PARTS_OF_IMAGES = concat!(
        "select p.repository_id, p.manifest, p.position, p.role, p.digest, p.media_type from ", walked_places!(), "
        cross join manifest_part p where p.repository_id = walk.column1 and p.manifest = walk.column2
          and p.role <> 'manifest' limit 20000"
    );
    /// Tags that lead to images, by themselves or by an index.
    LIST_TAGS_OF_IMAGES = concat!(
        "select walk.column1 as repository_id, walk.column2 as image, t.name from ", walked_places!(), "
        cross join tag t where t.repository_id = walk.column1 and t.digest = walk.column2
        union all
        select walk.column1 as repository_id, walk.column2 as image, t.name from ", walked_places!(), "
        cross join manifest_part p cross join tag t
        where p.repository_id = walk.column1 and p.digest = walk.column2 and p.role = 'manifest'
          and t.repository_id = p.repository_id + 0 and t.digest = p.manifest limit 2000"
    );
    /// Tags that led to images in either way, and where they lead now.
    LIST_LEFT_OF_IMAGES = concat!(
        "select walk.column1 as repository_id, walk.column2 as image, c.tag, c.changed_at, t.digest from ", walked_places!(), "
        cross join tag_change c cross join tag t where c.repository_id = walk.column1 and c.digest_before = walk.column2
          and t.repository_id = c.repository_id + 0 and t.name = c.tag
        union all
        select walk.column1 as repository_id, walk.column2 as image, c.tag, c.changed_at, t.digest from ", walked_places!(), "
        cross join manifest_part p cross join tag_change c cross join tag t
        where p.repository_id = walk.column1 and p.digest = walk.column2 and p.role = 'manifest'
          and c.repository_id = p.repository_id + 0 and c.digest_before = p.manifest
          and t.repository_id = c.repository_id + 0 and t.name = c.tag limit 2000"
    );
}

/// Stacks that one statement looks for.
const CHAINS: usize = 64;
/// Stacks and repositories of which one statement lists images.
pub const AT_ONCE: usize = 16;
/// Images that one statement asks about.
pub const IMAGES: usize = place::AT_ONCE;

/// A tag that led to an image and leads elsewhere, or to it by another manifest, by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The tag.
    pub tag: String,
    /// When it was moved, in milliseconds since 1970.
    pub changed_at: i64,
    /// To what it points now.
    pub digest: String,
}

/// These stacks, and others up to as many as a statement takes that no image has; what is no image has the empty one.
fn texts(known: &[String], count: usize) -> impl Iterator<Item = Value> {
    let texts = known.iter().cloned().chain(std::iter::repeat("none".to_owned()));
    texts.take(count).map(|text| Value::Text(Some(text)))
}

fn places(images: &[ManifestPlace]) -> Vec<Value> {
    place::values(images.iter().map(|(id, digest)| (*id, digest.as_str())))
}

fn place_of(row: &[Value]) -> ManifestPlace {
    (RepositoryId::from_i64(row[0].integer()), row[1].text().to_owned())
}

/// Those of these stacks of layers that an image consists of.
pub async fn find_chains(tx: &mut Tx, chains: &[String]) -> Result<HashSet<String>, StoreError> {
    let mut found = HashSet::new();
    for chunk in chains.chunks(CHAINS) {
        let values: Vec<Value> = texts(chunk, CHAINS).collect();
        for row in ask(tx, FIND_CHAINS, &values, &[Kind::Text]).await? {
            found.insert(row[0].text().to_owned());
        }
    }
    Ok(found)
}

/// Images that consist of each of these stacks of layers, at most [`AT_ONCE`]: of each stack 50, in the order of their
/// repositories.
pub async fn list_of_chains(
    tx: &mut Tx,
    chains: &[String],
) -> Result<HashMap<String, Vec<ManifestPlace>>, StoreError> {
    const KINDS: [Kind; 3] = [Kind::Text, Kind::Integer, Kind::Text];
    let mut found: HashMap<String, Vec<ManifestPlace>> = HashMap::new();
    let chains = &chains[..chains.len().min(AT_ONCE)];
    if chains.is_empty() {
        return Ok(found);
    }
    let values: Vec<Value> = texts(chains, AT_ONCE).collect();
    for row in ask(tx, LIST_OF_CHAINS, &values, &KINDS).await? {
        let chain = row[0].text().to_owned();
        found.entry(chain).or_default().push(place_of(&row[1..]));
    }
    Ok(found)
}

/// At most `limit` manifests of each of these repositories that have a part of this digest.
pub async fn list_with_part(
    tx: &mut Tx,
    repositories: &[RepositoryId],
    digest: &str,
    limit: u32,
) -> Result<Vec<ManifestPlace>, StoreError> {
    let mut found = Vec::new();
    for chunk in repositories.chunks(AT_ONCE) {
        let ids = chunk.iter().map(|id| id.as_i64()).chain(std::iter::repeat(-1));
        let mut values: Vec<Value> = ids.take(AT_ONCE).map(|id| Value::Integer(Some(id))).collect();
        // In the order of their first places in the statement.
        values.insert(0, Value::Text(Some(digest.to_owned())));
        values.insert(2, Value::Integer(Some(i64::from(limit))));
        let rows = ask(tx, LIST_WITH_PART, &values, &[Kind::Integer, Kind::Text]).await?;
        // A manifest may have a part twice.
        let mut met = HashSet::new();
        let places = rows.iter().map(|row| place_of(row));
        found.extend(places.filter(|one| met.insert(one.clone())));
    }
    Ok(found)
}

/// What images consist of, but for their sizes, each in its order: of at most [`IMAGES`].
pub async fn list_parts_of_images(
    tx: &mut Tx,
    images: &[ManifestPlace],
) -> Result<HashMap<ManifestPlace, Vec<Part>>, StoreError> {
    const KINDS: [Kind; 6] = [
        Kind::Integer,
        Kind::Text,
        Kind::Integer,
        Kind::Text,
        Kind::Text,
        Kind::Text,
    ];
    let mut found: HashMap<ManifestPlace, BTreeMap<i64, Part>> = HashMap::new();
    for row in ask(tx, LIST_PARTS_OF_IMAGES, &places(images), &KINDS).await? {
        let part = Part {
            role: row[3].text().parse().map_err(unreadable("part"))?,
            digest: row[4].text().to_owned(),
            media_type: row[5].text().to_owned(),
            size: 0,
            platform: None,
            command: None,
        };
        found
            .entry(place_of(&row))
            .or_default()
            .insert(row[2].integer(), part);
    }
    let in_order = found
        .into_iter()
        .map(|(image, parts)| (image, parts.into_values().collect()));
    Ok(in_order.collect())
}

/// The tags that lead to images, by themselves or by an index: of at most [`IMAGES`], and of all together 2,000.
pub async fn list_tags_of_images(
    tx: &mut Tx,
    images: &[ManifestPlace],
) -> Result<HashMap<ManifestPlace, Vec<String>>, StoreError> {
    const KINDS: [Kind; 3] = [Kind::Integer, Kind::Text, Kind::Text];
    let mut found: HashMap<ManifestPlace, Vec<String>> = HashMap::new();
    for row in ask(tx, LIST_TAGS_OF_IMAGES, &places(images), &KINDS).await? {
        found
            .entry(place_of(&row))
            .or_default()
            .push(row[2].text().to_owned());
    }
    Ok(found)
}

/// The tags that led to images in either way and still exist: of at most [`IMAGES`], and of all together 2,000.
pub async fn list_left_of_images(
    tx: &mut Tx,
    images: &[ManifestPlace],
) -> Result<HashMap<ManifestPlace, Vec<Left>>, StoreError> {
    const KINDS: [Kind; 5] = [Kind::Integer, Kind::Text, Kind::Text, Kind::Integer, Kind::Text];
    let mut found: HashMap<ManifestPlace, Vec<Left>> = HashMap::new();
    for row in ask(tx, LIST_LEFT_OF_IMAGES, &places(images), &KINDS).await? {
        found.entry(place_of(&row)).or_default().push(Left {
            tag: row[2].text().to_owned(),
            changed_at: row[3].integer(),
            digest: row[4].text().to_owned(),
        });
    }
    Ok(found)
}
