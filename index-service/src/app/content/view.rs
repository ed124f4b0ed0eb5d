//! Tags, manifests and counts, as people are shown them.

use super::{day_of, no_manifest, no_tag};
use crate::app::App;
use crate::app::caller::Caller;
use crate::app::error::AppError;
use crate::domain::RepositoryId;
use crate::domain::attachment::AttachmentKind;
use crate::domain::content::{Dimension, Role};
use crate::store::Tx;
use crate::store::content_count::{self, Day, Total};
use crate::store::content_feed::{self, TagChange};
use crate::store::family::{self, Child};
use crate::store::manifest::{self, KnownManifest};
use crate::store::tag::{self, KnownTag};

/// Most manifests of an index, and referrers of a manifest, that are shown.
const MOST_CHILDREN: u32 = 200;
/// Fewest digits of a short digest.
const FEWEST_DIGITS: usize = 6;
/// Most days of activity that are shown.
const MOST_DAYS: i64 = 400;
/// Most lines of activity that are shown.
const MOST_LINES: u32 = 5_000;

/// A manifest with what it leads to.
#[derive(Debug, Clone)]
pub struct ManifestNode {
    /// The manifest with its parts.
    pub manifest: KnownManifest,
    /// Its counts.
    pub total: Option<Total>,
    /// Of an index: its manifests, as far as the repository has them.
    pub children: Vec<ManifestNode>,
    /// What refers to it.
    pub referrers: Vec<KnownManifest>,
    /// What tags are named after it, as cosign names them, and what they point to.
    pub followers: Vec<(String, KnownManifest)>,
}

/// A signature, a bill of material or the like of a manifest.
#[derive(Debug, Clone, Copy)]
pub struct Attachment<'a> {
    /// What it is.
    pub kind: AttachmentKind,
    /// The tag that is named after the manifest; none of what refers to it.
    pub tag: Option<&'a str>,
    /// The manifest of the attachment.
    pub manifest: &'a KnownManifest,
}

impl ManifestNode {
    /// What is attached to it, in either way.
    pub fn attachments(&self) -> impl Iterator<Item = Attachment<'_>> {
        let referrers = self.referrers.iter().map(|manifest| {
            let said = &manifest.description;
            let artifact_type = said.artifact_type.as_deref().unwrap_or_default();
            Attachment {
                kind: AttachmentKind::of_artifact(artifact_type, said.annotations.as_deref()),
                tag: None,
                manifest,
            }
        });
        let followers = self.followers.iter().map(|(tag, manifest)| Attachment {
            kind: AttachmentKind::of_tag(tag),
            tag: Some(tag.as_str()),
            manifest,
        });
        referrers.chain(followers)
    }
}

/// Counts of the days of a repository.
#[derive(Debug, Clone)]
pub struct Activity {
    /// The days with counts, in their order.
    pub days: Vec<Day>,
    /// Since the beginning.
    pub total: Option<Total>,
    /// Whether there was more than is shown.
    pub is_cut: bool,
}

impl App {
    /// A tag, and the manifest that it points to.
    pub async fn show_tag(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        name: &str,
    ) -> Result<(KnownTag, Option<ManifestNode>), AppError> {
        let mut tx = self.store.read().await?;
        self.see_content(&mut tx, caller, repository_id).await?;
        let tag = tag::find_tag(&mut tx, repository_id, name)
            .await?
            .ok_or_else(|| no_tag(name))?;
        let node = match manifest::find_manifest(&mut tx, repository_id, &tag.digest).await? {
            Some(known) => Some(node(&mut tx, repository_id, known).await?),
            None => None,
        };
        Ok((tag, node))
    }

    /// A manifest by its digest, or by the beginning of its digits where no other begins so.
    pub async fn show_manifest(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        digest: &str,
    ) -> Result<ManifestNode, AppError> {
        let mut tx = self.store.read().await?;
        self.see_content(&mut tx, caller, repository_id).await?;
        let known = manifest_of(&mut tx, repository_id, digest).await?;
        node(&mut tx, repository_id, known).await
    }

    /// At most `limit` changes of a tag, the newest first, those before the change of this number. A deleted tag has a
    /// history too.
    pub async fn tag_history(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        name: &str,
        before: i64,
        limit: u32,
    ) -> Result<Vec<TagChange>, AppError> {
        let mut tx = self.store.read().await?;
        self.see_content(&mut tx, caller, repository_id).await?;
        Ok(content_feed::list_tag_changes(&mut tx, repository_id, name, before, limit).await?)
    }

    /// At most `limit` changes of a repository's tags, the newest first, those before the change of this number.
    pub async fn list_tag_changes(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        before: i64,
        limit: u32,
    ) -> Result<Vec<TagChange>, AppError> {
        let mut tx = self.store.read().await?;
        self.see_content(&mut tx, caller, repository_id).await?;
        Ok(content_feed::list_changes(&mut tx, repository_id, before, limit).await?)
    }

    /// Counts of the last days, today among them, by day and what they are of.
    pub async fn activity(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        dimension: Dimension,
        days: i64,
    ) -> Result<Activity, AppError> {
        let mut tx = self.store.read().await?;
        self.see_content(&mut tx, caller, repository_id).await?;
        let today = day_of(self.clock.now_ms());
        let first = today - days.clamp(1, MOST_DAYS) + 1;
        let mut days =
            content_count::list_days(&mut tx, repository_id, dimension, (first, today), MOST_LINES + 1)
                .await?;
        let most = usize::try_from(MOST_LINES).unwrap_or(usize::MAX);
        let is_cut = days.len() > most;
        days.truncate(most);
        let total = content_count::find_total(&mut tx, repository_id, Dimension::Repository, "").await?;
        Ok(Activity { days, total, is_cut })
    }
}

/// A manifest by its digest, or by the beginning of its digits where no other begins so.
pub(super) async fn manifest_of(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: &str,
) -> Result<KnownManifest, AppError> {
    if let Some(known) = manifest::find_manifest(tx, repository_id, digest).await? {
        return Ok(known);
    }
    let (algorithm, digits) = digest.split_once(':').unwrap_or(("sha256", digest));
    let is_short = digits.len() >= FEWEST_DIGITS
        && digits
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        && matches!(algorithm, "sha256" | "sha512");
    if !is_short {
        return Err(no_manifest());
    }
    // Digits end before 'g'.
    let between = (format!("{algorithm}:{digits}"), format!("{algorithm}:{digits}g"));
    let found = manifest::list_manifests_between(tx, repository_id, (&between.0, &between.1), 2).await?;
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(AppError::Conflict(format!(
            "several manifests begin with {digits}: say more digits"
        ))),
        (None, _) => Err(no_manifest()),
    }
}

/// A manifest with what it leads to. What an index of indexes leads to further is shown when it is asked for.
pub(super) async fn node(
    tx: &mut Tx,
    id: RepositoryId,
    known: KnownManifest,
) -> Result<ManifestNode, AppError> {
    let mut node = leaf(tx, id, known).await?;
    let parts = &node.manifest.description.parts;
    if parts.iter().any(|part| part.role == Role::Manifest) {
        let children = family::list_children(tx, id, &node.manifest.digest, MOST_CHILDREN).await?;
        node.children = children.into_iter().map(ManifestNode::from).collect();
    }
    Ok(node)
}

/// A manifest alone.
async fn leaf(tx: &mut Tx, id: RepositoryId, mut known: KnownManifest) -> Result<ManifestNode, AppError> {
    known.description.parts = manifest::list_parts(tx, id, &known.digest).await?;
    Ok(ManifestNode {
        // The tag without an ending is the list of referrers of clients that know no other (the distribution-spec's
        // fallback), and none of these.
        followers: family::list_followers(tx, id, &known.digest).await?,
        total: content_count::find_total(tx, id, Dimension::Digest, &known.digest).await?,
        referrers: manifest::list_referrers(tx, id, &known.digest, MOST_CHILDREN).await?,
        children: Vec::new(),
        manifest: known,
    })
}

impl From<Child> for ManifestNode {
    fn from(child: Child) -> Self {
        Self {
            manifest: child.manifest,
            total: child.total,
            children: Vec::new(),
            referrers: child.referrers,
            followers: child.followers,
        }
    }
}
