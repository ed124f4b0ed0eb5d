//! `/api/v1/categories`.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::caller::SignedIn;
use super::page::{Page, Wish};
use super::problem::Problem;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(put, remove))
}

/// What administrators of the site sort repositories by.
#[derive(Debug, Serialize, ToSchema)]
struct Category {
    /// What it is called in addresses and filters.
    slug: String,
    /// What people read.
    name: String,
}

/// A category to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCategory {
    /// What people read, at most 100 characters.
    name: String,
}

/// Categories
#[utoipa::path(get, path = "/categories", tag = "search", params(Wish), responses(
    (status = 200, body = Page<Category>)))]
async fn list(
    Shared(state): Shared<State>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<Category>>, Problem> {
    let found = state.app.list_categories(wish.after(), wish.limit() + 1).await?;
    Ok(Json(Page::new(
        &wish,
        found,
        |category| category.slug.to_string(),
        |category| Category {
            slug: category.slug.to_string(),
            name: category.name,
        },
    )))
}

/// Make a category, or give it another name
///
/// By administrators of the site.
#[utoipa::path(put, path = "/categories/{slug}", tag = "search", request_body = NewCategory,
    params(("slug" = String, Path, description = "What it is called in addresses")), responses(
    (status = 200, body = Category), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn put(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(slug): Path<String>,
    Json(new): Json<NewCategory>,
) -> Result<Json<Category>, Problem> {
    let category = state.app.put_category(&caller, &slug, &new.name).await?;
    Ok(Json(Category {
        slug: category.slug.to_string(),
        name: category.name,
    }))
}

/// Remove a category
///
/// One that no repository is in, by administrators of the site.
#[utoipa::path(delete, path = "/categories/{slug}", tag = "search",
    params(("slug" = String, Path, description = "What it is called in addresses")), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
async fn remove(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(slug): Path<String>,
) -> Result<StatusCode, Problem> {
    state.app.remove_category(&caller, &slug).await?;
    Ok(StatusCode::NO_CONTENT)
}
