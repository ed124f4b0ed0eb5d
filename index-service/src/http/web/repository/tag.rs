//! The page of a tag, of a manifest, and of what goes with a tag that is deleted.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::Wish;
use super::head::Head;
use super::image::{Child, Image, children};
use super::overview::Elsewhere;
use super::tag_list::short_name;
use crate::app::content::TagPageItem;
use crate::app::content::shown::Change;
use crate::app::content::{Attached, ContentPage, Freed, IMPACT_DAYS, Impact};
use crate::app::repository_page::RepositoryHead;
use crate::domain::attachment::AttachmentKind;
use crate::domain::content::Role;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::page::{render, render_with};
use crate::http::web::view::View;
use crate::http::web::visitor::Visitor;

/// Something that is attached to an image.
#[derive(Debug)]
struct Attachment {
    /// The key of what it is called.
    kind: &'static str,
    digest: String,
    artifact_type: String,
    size: i64,
    tag: Option<String>,
    is_of_image: bool,
}

impl From<&Attached> for Attachment {
    fn from(attached: &Attached) -> Self {
        let description = &attached.manifest.description;
        // What says nothing of itself is known by what it consists of.
        let mut layers = description.parts.iter().filter(|part| part.role == Role::Layer);
        let own = description.artifact_type.clone();
        let own = own.or_else(|| layers.next().map(|part| part.media_type.clone()));
        Self {
            kind: match attached.kind {
                AttachmentKind::Signature => "tag-signature",
                AttachmentKind::Sbom => "tag-sbom",
                AttachmentKind::Attestation => "tag-attestation",
                AttachmentKind::Other => "tag-other-artifact",
            },
            digest: attached.manifest.digest.clone(),
            artifact_type: own.unwrap_or_else(|| description.media_type.clone()),
            size: description.content_size.unwrap_or(description.size),
            tag: attached.tag.as_deref().map(short_name),
            is_of_image: attached.is_of_image,
        }
    }
}

/// A change of a tag.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) tag: String,
    /// The same in little space.
    pub(super) shown: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    pub(super) at: i64,
    pub(super) by: Option<String>,
    pub(super) client: Option<String>,
    /// The manifest that the tag can point to again.
    pub(super) restorable: Option<String>,
}

impl Line {
    /// A change of a tag that points to `current` by now.
    pub(super) fn new(change: Change, current: Option<&str>, may_restore: bool) -> Self {
        let past = change
            .digest_after
            .clone()
            .or_else(|| change.digest_before.clone());
        Self {
            shown: short_name(&change.tag),
            tag: change.tag,
            restorable: past.filter(|digest| may_restore && current != Some(digest)),
            before: change.digest_before,
            after: change.digest_after,
            at: change.changed_at,
            by: change.changed_by,
            client: change.client,
        }
    }

    /// The key of what happened.
    pub(super) fn what(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "tag-history-made",
            (Some(_), None) => "tag-history-deleted",
            (Some(before), Some(after)) if before == after => "tag-history-pushed",
            (Some(_), Some(_)) => "tag-history-moved",
        }
    }
}

/// What a manifest leads to.
struct Content {
    /// The digest that the address names.
    digest: String,
    children: Vec<Child>,
    image: Image,
    attachments: Vec<Attachment>,
    bases: Vec<Elsewhere>,
    descendants: Vec<Elsewhere>,
    tags: Vec<String>,
    indexes: Vec<String>,
    /// A base that has something newer, and its tag.
    newer: Option<(String, String)>,
}

impl Content {
    fn new(page: &ContentPage) -> Self {
        let newer = page.lineage.newer();
        Self {
            digest: page.node.manifest.digest.clone(),
            children: children(&page.node, page.shown),
            image: Image::new(page.image()),
            attachments: page.attached.iter().map(Attachment::from).collect(),
            bases: page.lineage.bases.iter().map(Elsewhere::from).collect(),
            descendants: page.lineage.descendants.iter().map(Elsewhere::from).collect(),
            newer: newer.map(|(base, moved)| (base.repository.name.to_string(), moved.name.clone())),
            tags: page.tags.clone(),
            indexes: page.indexes.clone(),
        }
    }
}

#[derive(Template)]
#[template(path = "repository/tag.html")]
struct TagPage {
    view: View,
    head: Head,
    tag: TagPageItem,
    size: Option<i64>,
    content: Option<Content>,
    history: Vec<Line>,
    has_more: bool,
    freed: Option<Freed>,
    is_immutable: bool,
    may_delete: bool,
    /// The address of this page, without the image.
    address: String,
}

pub(super) async fn show(
    state: &State,
    visitor: Visitor,
    head: &RepositoryHead,
    tag: &str,
    wish: &Wish,
) -> Result<Response, PageError> {
    let found = state
        .app
        .open_tag(&visitor.caller, head.id(), tag, wish.image.as_deref())
        .await?;
    let (may_push, current) = (head.may_push(tag), found.tag.digest.clone());
    let history = found.history.into_iter();
    let history = history.map(|change| Line::new(change, Some(&current), may_push));
    let may_delete = head.may_delete(tag);
    let head = Head::new(head, "tags");
    Ok(render(&TagPage {
        address: head.page(&format!("tags/{tag}")),
        size: found.tag.content_size.or(found.tag.children_size),
        content: found.content.as_ref().map(Content::new),
        history: history.collect(),
        has_more: found.has_more,
        freed: found.freed,
        is_immutable: found.is_immutable,
        tag: found.tag,
        may_delete,
        view: visitor.view,
        head,
    }))
}

#[derive(Template)]
#[template(path = "repository/manifest.html")]
struct ManifestPage {
    view: View,
    head: Head,
    content: Content,
    address: String,
}

pub(super) async fn show_manifest(
    state: &State,
    visitor: Visitor,
    head: &RepositoryHead,
    digest: &str,
    wish: &Wish,
) -> Result<Response, PageError> {
    let found = state
        .app
        .open_manifest(&visitor.caller, head.id(), digest, wish.image.as_deref())
        .await?;
    let head = Head::new(head, "tags");
    let content = Content::new(&found);
    Ok(render(&ManifestPage {
        address: head.page(&format!("manifests/{}", content.digest)),
        content,
        view: visitor.view,
        head,
    }))
}

#[derive(Template)]
#[template(path = "repository/delete_tag.html")]
struct DeletionPage {
    view: View,
    head: Head,
    tag: String,
    digest: String,
    impact: Impact,
    days: i64,
    is_immutable: bool,
    /// What the reader types, so that nothing goes by a slip.
    expected: String,
    error: Option<String>,
}

/// What depends on a tag, and the form that deletes it; with what was wrong when it was sent.
pub(super) async fn show_deletion(
    state: &State,
    visitor: Visitor,
    head: &RepositoryHead,
    tag: &str,
    error: Option<String>,
) -> Result<Response, PageError> {
    if visitor.caller.is_anonymous() {
        return Err(PageError::sign_in(&visitor.view.path));
    }
    if !head.may_delete(tag) {
        return Err(PageError::of_status(StatusCode::FORBIDDEN));
    }
    let found = state.app.open_tag(&visitor.caller, head.id(), tag, None).await?;
    let impact = state.app.impact_of_tag(&visitor.caller, head.id(), tag).await?;
    let status = if error.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let head = Head::new(head, "tags");
    Ok(render_with(
        status,
        &DeletionPage {
            expected: tag.to_owned(),
            tag: tag.to_owned(),
            digest: found.tag.digest,
            is_immutable: found.is_immutable,
            impact,
            days: IMPACT_DAYS,
            view: visitor.view,
            head,
            error,
        },
    ))
}
