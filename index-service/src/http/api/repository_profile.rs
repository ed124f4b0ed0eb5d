//! `/api/v1/repositories/{id}/description`, `…/star`, `/api/v1/stars` and `/api/v1/namespaces/{name}/verified`.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::caller::{Anyone, SignedIn};
use super::instant::Instant;
use super::namespace::namespace_name;
use super::page::{Page, Wish};
use super::problem::Problem;
use super::repository::{Repository, listed, repository_id};
use crate::app::repository_profile::{Described, DescriptionChange};
use crate::domain::Topic;
use crate::http::markdown::render;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(show, change))
        .routes(routes!(star, unstar))
        .routes(routes!(starred))
        .routes(routes!(verify, unverify))
}

/// What is said about a repository.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct DescribedRepository {
    /// The repository's id.
    id: String,
    /// Its name.
    name: String,
    /// In one line.
    summary: String,
    /// Whether the image says so (an annotation or a label), since nobody wrote a line.
    summary_from_image: bool,
    /// At length, in Markdown, byte for byte as it was written.
    description: String,
    /// Whether the image says so, since nobody wrote anything.
    description_from_image: bool,
    /// The same as HTML, in which nothing runs and nothing is fetched from elsewhere.
    description_html: String,
    /// What it is about.
    topics: Vec<String>,
    /// The slugs of the categories that it is in.
    categories: Vec<String>,
    /// How many accounts gave it a star.
    stars: i64,
    /// Whether the caller's account did.
    starred: bool,
    /// Whether it is the site's own.
    official: bool,
    /// Whether its namespace is whose it claims to be.
    verified: bool,
    /// When something else was said; absent where nobody said anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Instant>,
}

impl From<Described> for DescribedRepository {
    fn from(described: Described) -> Self {
        let Described { facts, profile, .. } = &described;
        let (summary, summary_from_image) = described.shown_summary();
        let (description, description_from_image) = described.shown_description();
        Self {
            id: facts.repository_id.to_string(),
            name: facts.name.to_string(),
            summary,
            summary_from_image,
            description_html: render(&description),
            description,
            description_from_image,
            topics: profile.topics.iter().map(Topic::to_string).collect(),
            categories: profile
                .categories
                .iter()
                .map(|one| one.slug.to_string())
                .collect(),
            stars: profile.star_count,
            starred: described.has_star,
            official: described.is_official,
            verified: described.is_verified,
            updated_at: profile.updated_at.map(Instant),
        }
    }
}

/// What shall be said otherwise; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDescription {
    /// In one line, at most 100 characters.
    summary: Option<String>,
    /// At length, in Markdown, at most 25,000 bytes.
    description: Option<String>,
    /// What it is about: at most 20, of letters and digits joined by hyphens, each at most 35 characters.
    topics: Option<Vec<String>>,
    /// The slugs of the categories that it is in, at most 3 of those that administrators of the site made.
    categories: Option<Vec<String>>,
}

/// A repository with a star.
#[derive(Debug, Serialize, ToSchema)]
struct StarredRepository {
    /// The repository.
    repository: Repository,
    /// Since when it has the star.
    starred_at: Instant,
}

/// What is said about a repository
///
/// For whoever may pull it.
#[utoipa::path(get, path = "/repositories/{id}/description", tag = "repositories",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = DescribedRepository), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn show(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path(id): Path<String>,
) -> Result<Json<DescribedRepository>, Problem> {
    let described = state.app.show_description(&caller, repository_id(&id)?).await?;
    Ok(Json(described.into()))
}

/// Describe a repository
///
/// By those who manage it, with any credential that may.
#[utoipa::path(patch, path = "/repositories/{id}/description", tag = "repositories", request_body = NewDescription,
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = DescribedRepository), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn change(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    Json(new): Json<NewDescription>,
) -> Result<Json<DescribedRepository>, Problem> {
    let change = DescriptionChange {
        summary: new.summary,
        description: new.description,
        topics: new.topics,
        categories: new.categories,
    };
    let described = state.app.describe(&caller, repository_id(&id)?, change).await?;
    Ok(Json(described.into()))
}

/// Give a repository a star
#[utoipa::path(put, path = "/repositories/{id}/star", tag = "repositories",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn star(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.app.set_star(&caller, repository_id(&id)?, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a star back
#[utoipa::path(delete, path = "/repositories/{id}/star", tag = "repositories",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn unstar(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.app.set_star(&caller, repository_id(&id)?, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stars of one's own
///
/// In the order of the repositories' ids. Those that the caller may not see any more are left out, so that a page may hold
/// fewer than were wished for.
#[utoipa::path(get, path = "/stars", tag = "repositories", params(Wish), responses(
    (status = 200, body = Page<StarredRepository>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn starred(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<StarredRepository>>, Problem> {
    let (starred, next) = state
        .app
        .list_starred(&caller, wish.after_id(), wish.limit())
        .await?;
    let items = starred.into_iter().map(|one| StarredRepository {
        repository: listed(&one.facts),
        starred_at: Instant(one.created_at),
    });
    Ok(Json(Page {
        items: items.collect(),
        next: next.map(|id| id.to_string()),
    }))
}

/// Verify a namespace
///
/// An administrator of the site says that it is whose it claims to be.
#[utoipa::path(put, path = "/namespaces/{name}/verified", tag = "repositories",
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn verify(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .verify_namespace(&caller, &namespace_name(&name)?, true)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take the verification of a namespace back
#[utoipa::path(delete, path = "/namespaces/{name}/verified", tag = "repositories",
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn unverify(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .verify_namespace(&caller, &namespace_name(&name)?, false)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests;
