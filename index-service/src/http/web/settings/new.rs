//! A new repository, before anything is pushed to it.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use shared::oci::RepositoryName;

use super::fields::{Draft, Fields};
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;
use crate::http::web::visitor::SignedIn;

/// Most organisations that are offered.
const MOST: u32 = 200;

#[derive(Template)]
#[template(path = "settings/new_repository.html")]
struct NewRepository {
    view: View,
    draft: Draft,
    namespaces: Vec<Namespace>,
    visibility: String,
}

/// Where a repository can be made.
struct Namespace {
    name: String,
    is_chosen: bool,
}

pub(in crate::http::web) async fn show(
    State(state): State<Parts>,
    SignedIn { caller, view }: SignedIn,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    page(&state, &caller, view, Draft::again("create", query)).await
}

pub(in crate::http::web) async fn act(
    State(state): State<Parts>,
    SignedIn { caller, view }: SignedIn,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    match create(&state, &caller, &fields).await {
        Ok(name) => Ok(done(
            &view,
            &format!("/r/{name}"),
            "settings-done-repository-created",
        )),
        Err(error) => {
            let draft = Draft::refused("create", fields, error, &view)?;
            page(&state, &caller, view, draft).await
        }
    }
}

async fn create(state: &Parts, caller: &Caller, fields: &Fields) -> Result<RepositoryName, AppError> {
    let (namespace, name) = (fields.get("namespace").trim(), fields.get("name").trim());
    let name: RepositoryName = format!("{namespace}/{name}")
        .parse()
        .map_err(|error: shared::oci::name::InvalidName| AppError::Invalid(error.to_string()))?;
    let visibility = fields.parse("visibility")?;
    let made = state.app.create_repository(caller, &name, visibility).await?;
    Ok(made.facts.name)
}

async fn page(state: &Parts, caller: &Caller, view: View, draft: Draft) -> Result<Response, PageError> {
    let mut names = vec![view.username().to_owned()];
    for (organisation, _) in state.app.list_organisations(caller, i64::MIN, MOST).await? {
        names.push(organisation.name.to_string());
    }
    if view.is_admin() {
        names.push("library".to_owned());
    }
    let chosen = draft.fields.get("namespace");
    let namespaces = names.into_iter().map(|name| Namespace {
        is_chosen: name == chosen,
        name,
    });
    let page = NewRepository {
        namespaces: namespaces.collect(),
        visibility: draft.fields.get("visibility").to_owned(),
        view,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}
