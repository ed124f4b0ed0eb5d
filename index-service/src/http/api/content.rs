//! Tags, manifests and counts of repositories: `/api/v1/repositories/{id}/…`.

use crate::http::api::described::{ApiRouter, routes};
use axum::extract::{Path, Query, State};
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::{Anyone, SignedIn};
use super::instant::Instant;
use super::namespace::namespace_name;
use super::page::{Page, Wish};
use super::problem::Problem;
use super::repository::repository_id;
use crate::app::AppError;
use crate::app::content::shown::{Change, Measure};
use crate::app::content::{Activity, Differences, TagOrder, TagPageItem};
use crate::domain::content::Dimension;

mod shown;

use shown::{
    ActivityDay, Comparison, Manifest, Queued, RepositoryActivity, Size, Tag, TagChange, TagDeletion,
    TagDetail, counts, date, show_differences, show_known_tag, show_node,
};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list_tags))
        .routes(routes!(show_tag))
        .routes(routes!(show_history))
        .routes(routes!(show_deletion))
        .routes(routes!(show_manifest))
        .routes(routes!(show_activity))
        .routes(routes!(show_size))
        .routes(routes!(show_namespace_size))
        .routes(routes!(reindex))
        .routes(routes!(reindex_all))
}

/// Which tags, and in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TagWish {
    /// Those whose names hold this.
    name: Option<String>,
    /// `name`, or `updated` for those that moved last first. Default: `name`.
    order: Option<String>,
}

/// Which counts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ActivityWish {
    /// How many days back, 1 to 400, today among them. Default: 30.
    days: Option<u16>,
    /// By `repository`, `tag`, `digest`, `platform` or `client`. Default: `repository`.
    by: Option<String>,
}

/// How it is read.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ReindexWish {
    /// Only say what differs.
    #[serde(default)]
    dry_run: bool,
    /// Do not wait for it.
    #[serde(default)]
    later: bool,
}

/// Tags of a repository
#[utoipa::path(get, path = "/repositories/{id}/tags", tag = "content",
    params(("id" = String, Path, description = "The repository's id"), TagWish, Wish), responses(
    (status = 200, body = Page<Tag>), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn list_tags(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path(id): Path<String>,
    Query(tags): Query<TagWish>,
    Query(wish): Query<Wish>,
) -> Result<axum::Json<Page<Tag>>, Problem> {
    let order = match tags.order.as_deref() {
        None | Some("name") => TagOrder::Name,
        Some("updated") => TagOrder::Updated,
        Some(_) => return Err(AppError::Invalid("tags are ordered by name or updated".to_owned()).into()),
    };
    let after = match order {
        TagOrder::Name => (0, wish.after()),
        TagOrder::Updated => {
            let (at, name) = wish.after().split_once(' ').unwrap_or(("", ""));
            (at.parse().unwrap_or(i64::MAX), name)
        }
    };
    let part = tags.name.unwrap_or_default();
    let found = state
        .app
        .list_tags(
            &caller,
            repository_id(&id)?,
            (order, &part),
            after,
            wish.limit() + 1,
        )
        .await?;
    let key = |tag: &TagPageItem| match order {
        TagOrder::Name => tag.name.clone(),
        TagOrder::Updated => format!("{} {}", tag.updated_at, tag.name),
    };
    Ok(axum::Json(Page::new(&wish, found, key, show_known_tag)))
}

/// A tag
///
/// With its manifest: index, platforms, layers, and what refers to them.
#[utoipa::path(get, path = "/repositories/{id}/tags/{tag}", tag = "content",
    params(("id" = String, Path, description = "The repository's id"), ("tag" = String, Path, description = "The tag")),
    responses((status = 200, body = TagDetail), (status = 404, body = Problem)))]
async fn show_tag(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path((id, tag)): Path<(String, String)>,
) -> Result<axum::Json<TagDetail>, Problem> {
    let (tag, manifest) = state.app.show_tag(&caller, repository_id(&id)?, &tag).await?;
    Ok(axum::Json(TagDetail {
        tag: show_known_tag(tag),
        manifest: manifest.map(show_node),
    }))
}

/// History of a tag
///
/// The newest change first. A tag that was deleted has one too.
#[utoipa::path(get, path = "/repositories/{id}/tags/{tag}/history", tag = "content",
    params(("id" = String, Path, description = "The repository's id"), ("tag" = String, Path, description = "The tag"), Wish),
    responses((status = 200, body = Page<TagChange>), (status = 404, body = Problem)))]
async fn show_history(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path((id, tag)): Path<(String, String)>,
    Query(wish): Query<Wish>,
) -> Result<axum::Json<Page<TagChange>>, Problem> {
    let before = wish.after().parse().unwrap_or(i64::MAX);
    let found = state
        .app
        .tag_history(&caller, repository_id(&id)?, &tag, before, wish.limit() + 1)
        .await?;
    Ok(axum::Json(Page::new(
        &wish,
        found,
        |change| change.sequence.to_string(),
        |change: Change| TagChange {
            digest_before: change.digest_before,
            digest_after: change.digest_after,
            changed_at: Instant(change.changed_at),
            changed_by: change.changed_by,
            client: change.client,
        },
    )))
}

/// What deleting a tag would free
#[utoipa::path(get, path = "/repositories/{id}/tags/{tag}/deletion", tag = "content",
    params(("id" = String, Path, description = "The repository's id"), ("tag" = String, Path, description = "The tag")),
    responses((status = 200, body = TagDeletion), (status = 404, body = Problem)))]
async fn show_deletion(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path((id, tag)): Path<(String, String)>,
) -> Result<axum::Json<TagDeletion>, Problem> {
    let freed = state
        .app
        .measure_deletion(&caller, repository_id(&id)?, &tag)
        .await?;
    Ok(axum::Json(TagDeletion {
        bytes: freed.bytes,
        storage_bytes: freed.storage_bytes,
        manifests: freed.manifests,
    }))
}

/// A manifest
///
/// By its digest, or by the first digits of it (six or more) where no other manifest of the repository begins so.
#[utoipa::path(get, path = "/repositories/{id}/manifests/{digest}", tag = "content",
    params(("id" = String, Path, description = "The repository's id"),
        ("digest" = String, Path, description = "The digest, such as `sha256:…`, or its first digits")),
    responses((status = 200, body = Manifest), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn show_manifest(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path((id, digest)): Path<(String, String)>,
) -> Result<axum::Json<Manifest>, Problem> {
    let node = state
        .app
        .show_manifest(&caller, repository_id(&id)?, &digest)
        .await?;
    Ok(axum::Json(show_node(node)))
}

/// Pulls and pushes of a repository
#[utoipa::path(get, path = "/repositories/{id}/activity", tag = "content",
    params(("id" = String, Path, description = "The repository's id"), ActivityWish), responses(
    (status = 200, body = RepositoryActivity), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn show_activity(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path(id): Path<String>,
    Query(wish): Query<ActivityWish>,
) -> Result<axum::Json<RepositoryActivity>, Problem> {
    let dimension = match wish.by.as_deref() {
        None => Dimension::Repository,
        Some(word) => word
            .parse()
            .map_err(|error: crate::domain::content::InvalidDimension| {
                AppError::Invalid(error.to_string())
            })?,
    };
    let days = i64::from(wish.days.unwrap_or(30));
    let Activity { days, total, is_cut } = state
        .app
        .activity(&caller, repository_id(&id)?, dimension, days)
        .await?;
    let counts = counts(total);
    Ok(axum::Json(RepositoryActivity {
        pull_count: counts.0,
        push_count: counts.1,
        last_pulled_at: counts.2,
        last_pushed_at: counts.3,
        days: days
            .into_iter()
            .map(|day| ActivityDay {
                day: date(day.day),
                value: day.value,
                pull_count: day.pull_count,
                push_count: day.push_count,
            })
            .collect(),
        is_cut,
    }))
}

/// How much a repository holds
///
/// Each blob once, however many images need it.
#[utoipa::path(get, path = "/repositories/{id}/size", tag = "content",
    params(("id" = String, Path, description = "The repository's id")), responses(
    (status = 200, body = Size), (status = 404, body = Problem)))]
async fn show_size(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path(id): Path<String>,
) -> Result<axum::Json<Size>, Problem> {
    let Measure { bytes, blobs } = state.app.measure_repository(&caller, repository_id(&id)?).await?;
    Ok(axum::Json(Size { bytes, blobs }))
}

/// How much the repositories of a namespace hold
///
/// What they share counts once. For those who administer the namespace.
#[utoipa::path(get, path = "/namespaces/{name}/size", tag = "content",
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 200, body = Size), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn show_namespace_size(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(name): Path<String>,
) -> Result<axum::Json<Size>, Problem> {
    let Measure { bytes, blobs } = state
        .app
        .measure_namespace(&caller, &namespace_name(&name)?)
        .await?;
    Ok(axum::Json(Size { bytes, blobs }))
}

/// Read a repository again
///
/// Compares what the index knows with what the registry serves, each manifest by its bytes, and repairs what differs.
/// Content, histories and counts are not touched. By those who manage the repository.
#[utoipa::path(post, path = "/repositories/{id}/reindex", tag = "content",
    params(("id" = String, Path, description = "The repository's id"), ReindexWish), responses(
    (status = 200, body = Comparison), (status = 202, body = Comparison), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 503, body = Problem)))]
async fn reindex(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    Query(wish): Query<ReindexWish>,
) -> Result<(StatusCode, axum::Json<Comparison>), Problem> {
    let id = repository_id(&id)?;
    if wish.later {
        state.app.reindex_later(&caller, id).await?;
        let none = show_differences(Differences::default(), false);
        return Ok((StatusCode::ACCEPTED, axum::Json(none)));
    }
    let found = state.app.reindex(&caller, id, wish.dry_run).await?;
    Ok((StatusCode::OK, axum::Json(show_differences(found, true))))
}

/// Read all repositories again
///
/// In the background. By administrators of the site.
#[utoipa::path(post, path = "/reindex", tag = "content", responses(
    (status = 202, body = Queued), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn reindex_all(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
) -> Result<(StatusCode, axum::Json<Queued>), Problem> {
    let repositories = state.app.reindex_all(&caller).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Queued { repositories })))
}

#[cfg(test)]
#[path = "content/tests.rs"]
mod tests;
