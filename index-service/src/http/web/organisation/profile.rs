//! What is said about an organisation, and what becomes of repositories that are made in it.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use crate::app::AppError;
use crate::app::organisation::OrganisationChange;
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::settings::fields::{Draft, Fields};
use crate::http::web::settings::place::{At, Place, nothing};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

#[derive(Template)]
#[template(path = "organisation/profile.html")]
struct Profile {
    view: View,
    place: Place,
    draft: Draft,
    display_name: String,
    description: String,
    visibility: &'static str,
}

pub(super) async fn show(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    page(&state, at, Draft::asked(query)).await
}

pub(super) async fn act(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    match change(&state, &at, &fields).await {
        Ok(()) => Ok(done(&at.view, &at.place.here(), "settings-done-saved")),
        Err(error) => {
            let form = if fields.get("do") == "describe" {
                "describe"
            } else {
                "visibility"
            };
            let draft = Draft::refused(form, fields, error, &at.view)?;
            page(&state, at, draft).await
        }
    }
}

async fn change(state: &Parts, at: &At, fields: &Fields) -> Result<(), AppError> {
    match fields.get("do") {
        "describe" => {
            let change = OrganisationChange {
                display_name: Some(fields.get("display_name").trim().to_owned()),
                description: Some(fields.get("description").trim().replace("\r\n", "\n")),
                default_visibility: None,
            };
            state
                .app
                .change_organisation(&at.caller, &at.place.name(), &change)
                .await?;
        }
        "visibility" => {
            let visibility = fields
                .parse("visibility")?
                .ok_or_else(|| AppError::Invalid("choose a visibility".to_owned()))?;
            let name = at.namespace();
            state
                .app
                .change_default_visibility(&at.caller, &name, visibility)
                .await?;
        }
        _ => return Err(nothing()),
    }
    Ok(())
}

async fn page(state: &Parts, at: At, draft: Draft) -> Result<Response, PageError> {
    let facts = state.app.show_namespace(&at.caller, &at.namespace()).await?;
    let organisation = at.organisation().ok().map(|view| view.organisation.clone());
    let (display_name, description) = organisation
        .map(|one| (one.display_name, one.description))
        .unwrap_or_default();
    let page = Profile {
        display_name,
        description,
        visibility: facts.default_visibility.as_str(),
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}
