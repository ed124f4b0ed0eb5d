//! What depends on content, and what it was built on: `/api/v1/repositories/{id}/…/impact`, `…/base`.

use crate::http::api::described::{ApiRouter, routes};
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Anyone;
use super::instant::Instant;
use super::problem::Problem;
use super::repository::repository_id;
use crate::app::content::{Base, Descendant, IMPACT_DAYS, ImageBases};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(show_of_tag))
        .routes(routes!(show_of_manifest))
        .routes(routes!(show_of_repository))
        .routes(routes!(show_base))
}

/// What depends on a tag, a manifest or a repository. Of repositories, those that the caller may pull.
#[derive(Debug, Serialize, ToSchema)]
struct Impact {
    /// Other tags of the same manifest, of a repository its tags; 100 at most.
    tags: Vec<String>,
    /// Indexes that the manifest is in.
    indexes: Vec<String>,
    /// Signatures, bills of material and the like that refer to the manifest and go with it.
    referrers: Vec<ImpactReferrer>,
    /// Repositories that hold some of the same layers. Deleting harms none of them; it frees less.
    shares_layers_with: Vec<String>,
    /// Images that were built on it.
    built_on_it: Vec<BuiltImage>,
    /// Of so many days, today among them, are the following pulls.
    days: i64,
    /// Its pulls.
    pulls: i64,
    /// Pulls of the repository, by kinds of clients.
    clients: Vec<ClientPulls>,
    /// When it was pulled last,
    last_pulled_at: Option<Instant>,
    /// and by whom, where they had signed in; for those who manage the repository.
    last_pulled_by: Option<String>,
    /// Bytes that the repository would hold less.
    bytes: i64,
    /// Of these, bytes that no other repository holds.
    storage_bytes: i64,
    /// Whether the bytes of everything that would go are counted; of very much, only a part is.
    is_counted: bool,
    /// Manifests that would go.
    manifests: Vec<String>,
}

/// Something that refers to a manifest.
#[derive(Debug, Serialize, ToSchema)]
struct ImpactReferrer {
    /// Its digest.
    digest: String,
    /// What it calls itself.
    artifact_type: Option<String>,
}

/// Pulls by a kind of client.
#[derive(Debug, Serialize, ToSchema)]
struct ClientPulls {
    /// Such as `docker`.
    client: String,
    /// How many.
    pulls: i64,
}

/// An image that was built on another.
#[derive(Debug, Serialize, ToSchema)]
struct BuiltImage {
    /// Its repository.
    repository: String,
    /// Its digest.
    digest: String,
    /// Tags that lead to it.
    tags: Vec<String>,
}

/// What the images of a tag were built on.
#[derive(Debug, Serialize, ToSchema)]
struct TagBase {
    /// Whether a tag that led to one of the bases leads elsewhere by now, so that there is something newer to build on.
    is_newer_available: bool,
    /// The image, or each image of the index.
    images: Vec<BasesOfImage>,
}

/// What an image was built on.
#[derive(Debug, Serialize, ToSchema)]
struct BasesOfImage {
    /// The image.
    digest: String,
    /// For which platform it is.
    platform: Option<String>,
    /// Images that have the most of its first layers, and no others; 10 at most.
    bases: Vec<BaseImage>,
}

/// An image that another was built on.
#[derive(Debug, Serialize, ToSchema)]
struct BaseImage {
    /// Its repository.
    repository: String,
    /// Its digest.
    digest: String,
    /// How many layers it has.
    layers: usize,
    /// Tags that lead to it.
    tags: Vec<String>,
    /// Tags that led to it and lead elsewhere by now.
    moved_tags: Vec<MovedTag>,
}

/// A tag that leads elsewhere by now.
#[derive(Debug, Serialize, ToSchema)]
struct MovedTag {
    /// The tag.
    name: String,
    /// To what it points now.
    digest: String,
    /// Since when.
    moved_at: Instant,
}

/// What depends on a tag
///
/// Before it is deleted: who else needs it, who pulled it, what that frees.
#[utoipa::path(get, path = "/repositories/{id}/tags/{tag}/impact", tag = "content",
    params(("id" = String, Path, description = "The repository's id"), ("tag" = String, Path, description = "The tag")),
    responses((status = 200, body = Impact), (status = 404, body = Problem)))]
async fn show_of_tag(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path((id, tag)): Path<(String, String)>,
) -> Result<axum::Json<Impact>, Problem> {
    let impact = state
        .app
        .impact_of_tag(&caller, repository_id(&id)?, &tag)
        .await?;
    Ok(axum::Json(show(impact)))
}

/// What depends on a manifest
///
/// Deleting a manifest takes all tags of it along.
#[utoipa::path(get, path = "/repositories/{id}/manifests/{digest}/impact", tag = "content",
    params(("id" = String, Path, description = "The repository's id"),
        ("digest" = String, Path, description = "The whole digest")),
    responses((status = 200, body = Impact), (status = 404, body = Problem)))]
async fn show_of_manifest(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path((id, digest)): Path<(String, String)>,
) -> Result<axum::Json<Impact>, Problem> {
    let impact = state
        .app
        .impact_of_manifest(&caller, repository_id(&id)?, &digest)
        .await?;
    Ok(axum::Json(show(impact)))
}

/// What depends on a repository
///
/// Of its first 100 tags.
#[utoipa::path(get, path = "/repositories/{id}/impact", tag = "content",
    params(("id" = String, Path, description = "The repository's id")),
    responses((status = 200, body = Impact), (status = 404, body = Problem)))]
async fn show_of_repository(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path(id): Path<String>,
) -> Result<axum::Json<Impact>, Problem> {
    let impact = state
        .app
        .impact_of_repository(&caller, repository_id(&id)?)
        .await?;
    Ok(axum::Json(show(impact)))
}

/// What a tag was built on
///
/// By its layers: images, in repositories that the caller may pull, that have its first layers and no others; and whether there
/// is something newer by now.
#[utoipa::path(get, path = "/repositories/{id}/tags/{tag}/base", tag = "content",
    params(("id" = String, Path, description = "The repository's id"), ("tag" = String, Path, description = "The tag")),
    responses((status = 200, body = TagBase), (status = 404, body = Problem)))]
async fn show_base(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path((id, tag)): Path<(String, String)>,
) -> Result<axum::Json<TagBase>, Problem> {
    let images = state.app.find_bases(&caller, repository_id(&id)?, &tag).await?;
    let mut bases = images.iter().flat_map(|image| &image.bases);
    Ok(axum::Json(TagBase {
        is_newer_available: bases.any(|base| !base.moved.is_empty()),
        images: images.into_iter().map(show_bases).collect(),
    }))
}

fn show(impact: crate::app::content::Impact) -> Impact {
    let referrers = impact.referrers.into_iter().map(|one| ImpactReferrer {
        digest: one.digest,
        artifact_type: one.description.artifact_type,
    });
    let clients = impact.clients.into_iter();
    Impact {
        tags: impact.tags,
        indexes: impact.indexes,
        referrers: referrers.collect(),
        shares_layers_with: impact
            .shared_with
            .iter()
            .map(|facts| facts.name.to_string())
            .collect(),
        built_on_it: impact.built_on_it.into_iter().map(show_built).collect(),
        days: IMPACT_DAYS,
        pulls: impact.pulls,
        clients: clients
            .map(|(client, pulls)| ClientPulls { client, pulls })
            .collect(),
        last_pulled_at: impact.last_pulled_at.map(Instant),
        last_pulled_by: impact.last_pulled_by,
        bytes: impact.freed.bytes,
        storage_bytes: impact.freed.storage_bytes,
        is_counted: !impact.freed.is_cut,
        manifests: impact.freed.manifests,
    }
}

fn show_built(one: Descendant) -> BuiltImage {
    BuiltImage {
        repository: one.repository.name.to_string(),
        digest: one.digest,
        tags: one.tags,
    }
}

fn show_bases(image: ImageBases) -> BasesOfImage {
    BasesOfImage {
        digest: image.digest,
        platform: image.platform,
        bases: image.bases.into_iter().map(show_one_base).collect(),
    }
}

fn show_one_base(base: Base) -> BaseImage {
    let moved = base.moved.into_iter().map(|one| MovedTag {
        name: one.name,
        digest: one.digest,
        moved_at: Instant(one.moved_at),
    });
    BaseImage {
        repository: base.repository.name.to_string(),
        digest: base.digest,
        layers: base.layers,
        tags: base.tags,
        moved_tags: moved.collect(),
    }
}
