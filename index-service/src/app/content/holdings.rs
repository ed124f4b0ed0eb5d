//! What a repository holds, as a whole: for decisions that need to know what leads to what.

use shared::oci::MediaType;

use crate::app::error::AppError;
use crate::domain::content::Role;
use crate::domain::retention::{Graph, Node, TagFacts};
use crate::domain::{DeletionId, RepositoryId};
use crate::store::retained::{self, RetainedManifest, RetainedTag};
use crate::store::{Tx, content_deletion, manifest};

/// Most tags, and most manifests, of a repository that is looked at as a whole.
const MOST: usize = 200_000;
/// Rows that are read at once.
const PAGE: u32 = 1_000;

/// Tags, manifests, and what deleted tags are restored from.
#[derive(Debug)]
pub(in crate::app) struct Holdings {
    pub(in crate::app) tags: Vec<TagFacts>,
    /// Who pulled a tag last, in the order of the tags.
    pub(in crate::app) pulled_by: Vec<Option<String>>,
    pub(in crate::app) graph: Graph,
    /// Whether every manifest was read: until then nobody knows what an index leads to.
    pub(in crate::app) is_read: bool,
    pub(in crate::app) held: Vec<(DeletionId, String)>,
}

impl Holdings {
    /// What tags point to, and what deleted ones are restored from, without these.
    pub(in crate::app) fn roots(&self, without: &[DeletionId]) -> Vec<String> {
        let held = self.held.iter().filter(|(id, _)| !without.contains(id));
        let tagged = self.tags.iter().map(|tag| tag.digest.clone());
        tagged.chain(held.map(|(_, digest)| digest.clone())).collect()
    }
}

/// Reads all of it from one snapshot.
pub(in crate::app) async fn load_holdings(tx: &mut Tx, id: RepositoryId) -> Result<Holdings, AppError> {
    let too_many = || {
        AppError::Conflict(format!(
            "the repository has more than {MOST} tags or manifests, which is too many to be looked at as a whole"
        ))
    };
    let most = u32::try_from(MOST).unwrap_or(u32::MAX);
    let mut holdings = Holdings {
        tags: Vec::new(),
        pulled_by: Vec::new(),
        graph: Graph::default(),
        is_read: true,
        held: content_deletion::list_held(tx, id, most).await?,
    };
    let mut after = String::new();
    loop {
        let page = retained::list_retained_tags(tx, id, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.name);
        for mut tag in page {
            holdings.pulled_by.push(tag.last_pulled_by.take());
            holdings.tags.push(tag_facts(tag));
        }
        if holdings.tags.len() > MOST {
            return Err(too_many());
        }
    }
    let mut after = String::new();
    loop {
        let page = retained::list_retained_manifests(tx, id, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.digest);
        for one in page {
            holdings.is_read &= one.read_at.is_some();
            let node = node(tx, id, &one).await?;
            holdings.graph.add(one.digest, node);
        }
        if holdings.graph.len() > MOST {
            return Err(too_many());
        }
    }
    Ok(holdings)
}

fn tag_facts(tag: RetainedTag) -> TagFacts {
    TagFacts {
        pushed_at: tag.last_pushed_at.unwrap_or(i64::MIN).max(tag.updated_at),
        pulled_at: tag.last_pulled_at.max(tag.digest_pulled_at),
        name: tag.name,
        digest: tag.digest,
    }
}

async fn node(tx: &mut Tx, id: RepositoryId, one: &RetainedManifest) -> Result<Node, AppError> {
    let mut children = Vec::new();
    if MediaType::find(&one.media_type).is_some_and(MediaType::is_index) {
        let parts = manifest::list_parts(tx, id, &one.digest).await?;
        let manifests = parts.into_iter().filter(|part| part.role == Role::Manifest);
        children.extend(manifests.map(|part| part.digest));
    }
    let used = [one.last_pushed_at, one.last_pulled_at, one.left_at];
    // What was not read yet was pushed a moment ago.
    let idle_since = one.read_at.map_or(i64::MAX, |read_at| {
        used.into_iter().flatten().fold(read_at, i64::max)
    });
    Ok(Node {
        children,
        subject: one.subject.clone(),
        idle_since,
    })
}
