//! What the page of a tag, or of a manifest, shows: read at once.

use super::ancestry::Lineage;
use super::space::{Freed, going_of, weigh};
use super::view::{manifest_of, node};
use super::{ManifestNode, no_tag};
use crate::app::App;
use crate::app::caller::Caller;
use crate::app::error::AppError;
use crate::domain::attachment::AttachmentKind;
use crate::domain::content::Role;
use crate::domain::{RepositoryId, Right};
use crate::store::Tx;
use crate::store::content_feed::{self, TagChange};
use crate::store::family;
use crate::store::manifest::{self, KnownManifest};
use crate::store::tag::{self, KnownTag};
use crate::store::terms::find_terms;

/// Changes of a tag that its page shows.
const MOST_CHANGES: u32 = 20;
/// Tags of the same manifest that are told.
const MOST_TAGS: u32 = 20;
/// What people look at where an index has it.
const USUAL: &str = "linux/amd64";
/// The platform of what an index holds besides images.
const NO_PLATFORM: &str = "unknown/unknown";

/// Something that is attached to an image.
#[derive(Debug, Clone)]
pub struct Attached {
    /// What it is, as far as it can be told.
    pub kind: AttachmentKind,
    /// Its manifest.
    pub manifest: KnownManifest,
    /// The tag that it is kept under, where it is one of cosign's.
    pub tag: Option<String>,
    /// Whether it belongs to the one image that is shown, and not to the whole index.
    pub is_of_image: bool,
}

/// A manifest as its page shows it.
#[derive(Debug)]
pub struct ContentPage {
    /// The manifest, and of an index what it leads to.
    pub node: ManifestNode,
    /// Which of the images of an index is shown.
    pub shown: Option<usize>,
    /// Signatures, bills of material, attestations.
    pub attached: Vec<Attached>,
    /// What the shown image was built on, and what on it.
    pub lineage: Lineage,
    /// Tags that lead to the manifest.
    pub tags: Vec<String>,
    /// Indexes that hold it.
    pub indexes: Vec<String>,
}

/// A tag as its page shows it.
#[derive(Debug)]
pub struct TagPage {
    /// The tag.
    pub tag: KnownTag,
    /// What it points to; absent until the index has heard of it.
    pub content: Option<ContentPage>,
    /// Its last changes, the newest first.
    pub history: Vec<TagChange>,
    /// Whether there are more.
    pub has_more: bool,
    /// What deleting it would free, for those who may.
    pub freed: Option<Freed>,
    /// Whether a rule keeps it what it is.
    pub is_immutable: bool,
}

impl ContentPage {
    /// The image that is shown: one of an index, or the manifest itself.
    pub fn image(&self) -> &ManifestNode {
        let child = self.shown.and_then(|index| self.node.children.get(index));
        child.unwrap_or(&self.node)
    }
}

impl App {
    /// A tag with its history, and its manifest with the image of this digest, or the usual one, opened.
    pub async fn open_tag(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        name: &str,
        image: Option<&str>,
    ) -> Result<TagPage, AppError> {
        let mut tx = self.store.read().await?;
        let seen = self.see_content(&mut tx, caller, repository_id).await?;
        let tag = tag::find_tag(&mut tx, repository_id, name)
            .await?
            .ok_or_else(|| no_tag(name))?;
        let content = match manifest::find_manifest(&mut tx, repository_id, &tag.digest).await? {
            Some(known) => {
                let mut content = self
                    .content_page(&mut tx, caller, (repository_id, known), image)
                    .await?;
                content.tags.retain(|other| other != name);
                Some(content)
            }
            None => None,
        };
        let limit = MOST_CHANGES + 1;
        let mut history =
            content_feed::list_tag_changes(&mut tx, repository_id, name, i64::MAX, limit).await?;
        let most = usize::try_from(MOST_CHANGES).unwrap_or(usize::MAX);
        let has_more = history.len() > most;
        history.truncate(most);
        let freed = if seen.rights().contains(Right::Delete) {
            let goes = going_of(&mut tx, repository_id, Some(name), tag.digest.clone()).await?;
            Some(weigh(&mut tx, repository_id, goes.into_iter().collect()).await?)
        } else {
            None
        };
        let terms = find_terms(&mut tx, seen.facts.namespace_id, Some(repository_id)).await?;
        let is_immutable = name.parse().is_ok_and(|tag| {
            let rules = [&terms.repository, &terms.namespace];
            rules.iter().any(|rule| rule.find(&tag).is_some())
        });
        Ok(TagPage {
            tag,
            content,
            history,
            has_more,
            freed,
            is_immutable,
        })
    }

    /// A manifest by its digest or the beginning of it.
    pub async fn open_manifest(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        digest: &str,
        image: Option<&str>,
    ) -> Result<ContentPage, AppError> {
        let mut tx = self.store.read().await?;
        self.see_content(&mut tx, caller, repository_id).await?;
        let known = manifest_of(&mut tx, repository_id, digest).await?;
        self.content_page(&mut tx, caller, (repository_id, known), image)
            .await
    }

    async fn content_page(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        (id, known): (RepositoryId, KnownManifest),
        image: Option<&str>,
    ) -> Result<ContentPage, AppError> {
        let node = node(tx, id, known).await?;
        let digest = node.manifest.digest.clone();
        let mut page = ContentPage {
            shown: chosen(&node, image),
            attached: Vec::new(),
            lineage: Lineage::default(),
            tags: Vec::new(),
            indexes: manifest::list_parents(tx, id, &digest, MOST_TAGS).await?,
            node,
        };
        let pointers = tag::list_tags_of_digest(tx, id, &digest, MOST_TAGS).await?;
        page.tags = pointers.into_iter().map(|pointer| pointer.name).collect();
        page.tags.sort();
        let shown = page.image().manifest.digest.clone();
        page.attached = attached(tx, id, &page.node, false).await?;
        if page.shown.is_some() {
            let of_image = attached(tx, id, page.image(), true).await?;
            page.attached.extend(of_image);
        }
        page.attached.extend(statements(&page.node));
        page.attached.sort_by_key(|one| one.kind);
        page.lineage = self.lineage(tx, caller, (id, &shown)).await?;
        Ok(page)
    }
}

/// Which image of an index is shown: the one that was asked for, the usual one, or the first.
fn chosen(node: &ManifestNode, wanted: Option<&str>) -> Option<usize> {
    let place = |fits: &dyn Fn(&ManifestNode) -> bool| node.children.iter().position(fits);
    let is_image = |child: &ManifestNode| platform_of(node, child) != Some(NO_PLATFORM);
    wanted
        .and_then(|digest| place(&|child| child.manifest.digest == digest))
        .or_else(|| place(&|child| platform_of(node, child) == Some(USUAL)))
        .or_else(|| place(&is_image))
        .or_else(|| (!node.children.is_empty()).then_some(0))
}

/// For which platform an index says that one of its manifests is.
fn platform_of<'a>(index: &'a ManifestNode, child: &'a ManifestNode) -> Option<&'a str> {
    let parts = &index.manifest.description.parts;
    let part = parts.iter().find(|part| part.digest == child.manifest.digest);
    let said = part.and_then(|part| part.platform.as_deref());
    said.or(child.manifest.description.platform.as_deref())
}

/// What builders put into an index beside the images: statements about them.
fn statements(index: &ManifestNode) -> impl Iterator<Item = Attached> {
    let children = index.children.iter();
    children
        .filter(|child| platform_of(index, child) == Some(NO_PLATFORM))
        .map(|child| Attached {
            kind: AttachmentKind::Attestation,
            manifest: child.manifest.clone(),
            tag: None,
            is_of_image: false,
        })
}

async fn attached(
    tx: &mut Tx,
    id: RepositoryId,
    node: &ManifestNode,
    is_of_image: bool,
) -> Result<Vec<Attached>, AppError> {
    let digests = node.attachments().map(|one| one.manifest.digest.clone());
    let digests: Vec<String> = digests.collect();
    let parts = family::list_parts_of(tx, id, &digests).await?;
    let found = node.attachments().map(|attachment| {
        let mut manifest = attachment.manifest.clone();
        manifest.description.parts = parts.get(&manifest.digest).cloned().unwrap_or_default();
        Attached {
            kind: kind_of(attachment.kind, &manifest),
            manifest,
            tag: attachment.tag.map(str::to_owned),
            is_of_image,
        }
    });
    Ok(found.collect())
}

/// What an artifact is that does not say it itself: by its configuration, then by what it consists of.
fn kind_of(said: AttachmentKind, manifest: &KnownManifest) -> AttachmentKind {
    let parts = &manifest.description.parts;
    let of_role = |role: Role| parts.iter().filter(move |part| part.role == role);
    let kinds = of_role(Role::Config)
        .chain(of_role(Role::Layer))
        .map(|part| AttachmentKind::of_artifact(&part.media_type, None));
    std::iter::once(said)
        .chain(kinds)
        .find(|kind| *kind != AttachmentKind::Other)
        .unwrap_or(AttachmentKind::Other)
}
