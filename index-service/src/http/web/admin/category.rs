//! What repositories are sorted by, and whose namespaces are whose they claim to be.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::{Administrator, settle};
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::app::category::Category;
use crate::domain::NamespaceName;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, PAGE, Paged, Place};
use crate::http::web::page::render_with;
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// Categories that are shown: few enough to be looked through.
const CATEGORIES: u32 = 200;

#[derive(Template)]
#[template(path = "admin/categories.html")]
struct CategoriesPage {
    view: View,
    frame: Frame,
    categories: Vec<Category>,
    verified: Paged<String>,
    typed: Typed,
}

/// A category.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    slug: String,
    name: String,
}

/// A namespace, and whether it is whose it claims to be.
#[derive(Debug, Deserialize)]
pub(super) struct Claim {
    #[serde(default)]
    namespace: String,
    verified: Option<String>,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Query(place): Query<Place>,
) -> Result<Response, PageError> {
    page(
        &state,
        &caller,
        view,
        place,
        Typed::default(),
        (StatusCode::OK, String::new()),
    )
    .await
}

pub(super) async fn put(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(typed): Submitted<Typed>,
) -> Result<Response, PageError> {
    let ended = state
        .app
        .put_category(&caller, typed.slug.trim(), &typed.name)
        .await;
    settled(
        &state,
        &caller,
        view,
        typed,
        ended.map(drop),
        "admin-done-category",
    )
    .await
}

pub(super) async fn remove(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(typed): Submitted<Typed>,
) -> Result<Response, PageError> {
    let ended = state.app.remove_category(&caller, typed.slug.trim()).await;
    let typed = Typed::default();
    settled(&state, &caller, view, typed, ended, "admin-done-category-removed").await
}

pub(super) async fn verify(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(claim): Submitted<Claim>,
) -> Result<Response, PageError> {
    let text = claim.namespace.trim().to_ascii_lowercase();
    let name: Result<NamespaceName, AppError> = text
        .parse()
        .map_err(|_| AppError::NotFound(format!("there is no namespace {text}")));
    let is_verified = claim.verified.is_some();
    let ended = match name {
        Ok(name) => state.app.verify_namespace(&caller, &name, is_verified).await,
        Err(error) => Err(error),
    };
    let said = if is_verified {
        "admin-done-verified"
    } else {
        "admin-done-unverified"
    };
    settled(&state, &caller, view, Typed::default(), ended, said).await
}

async fn settled(
    state: &State,
    caller: &Caller,
    view: View,
    typed: Typed,
    ended: Result<(), AppError>,
    said: &str,
) -> Result<Response, PageError> {
    match settle(ended, &view, ("/admin/categories", said))? {
        Ok(response) => Ok(response),
        Err(refusal) => page(state, caller, view, Place::default(), typed, refusal).await,
    }
}

async fn page(
    state: &State,
    caller: &Caller,
    view: View,
    place: Place,
    typed: Typed,
    (status, problem): (StatusCode, String),
) -> Result<Response, PageError> {
    let verified = state
        .app
        .list_verified_namespaces(caller, place.after(), PAGE + 1)
        .await?;
    let page = CategoriesPage {
        categories: state.app.list_categories("", CATEGORIES).await?,
        verified: Paged::new(&place, "/admin/categories", verified, PAGE, String::clone),
        frame: Frame {
            problem,
            ..Frame::of("categories")
        },
        typed,
        view,
    };
    Ok(render_with(status, &page))
}
