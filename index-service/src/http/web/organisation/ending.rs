//! Leaving an organisation, and its end: what breaks, and then its name to be typed.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use super::members::End;
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::settings::fields::{Draft, Fields};
use crate::http::web::settings::place::{At, Place};
use crate::http::web::settings::typed;
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

#[derive(Template)]
#[template(path = "organisation/leave.html")]
struct Leave {
    view: View,
    place: Place,
    draft: Draft,
    end: End,
}

#[derive(Template)]
#[template(path = "organisation/delete.html")]
struct Delete {
    view: View,
    place: Place,
    draft: Draft,
    repositories: (i64, Vec<String>),
    robots: (i64, Vec<String>),
    rules: (i64, Vec<String>),
    members: i64,
    teams: i64,
}

pub(super) async fn leave(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    leave_page(&state, at, Draft::asked(query)).await
}

pub(super) async fn left(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    let (organisation, own) = (at.place.name(), at.caller.name());
    let outcome = match typed(&fields, &organisation) {
        Ok(()) => state.app.remove_member(&at.caller, &organisation, &own).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => Ok(done(&at.view, "/o", "organisation-done-left")),
        Err(error) => {
            let draft = Draft::refused("leave", fields, error, &at.view)?;
            leave_page(&state, at, draft).await
        }
    }
}

async fn leave_page(state: &Parts, at: At, draft: Draft) -> Result<Response, PageError> {
    let end = state
        .app
        .membership_end(&at.caller, &at.place.name(), &at.caller.name())
        .await?;
    let page = Leave {
        end: End::from(end),
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}

pub(super) async fn end(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    end_page(&state, at, Draft::asked(query)).await
}

pub(super) async fn ended(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    let organisation = at.place.name();
    let outcome = match typed(&fields, &organisation) {
        Ok(()) => state.app.delete_organisation(&at.caller, &organisation).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => Ok(done(&at.view, "/o", "organisation-done-deleted")),
        Err(error) => {
            let draft = Draft::refused("delete", fields, error, &at.view)?;
            end_page(&state, at, draft).await
        }
    }
}

async fn end_page(state: &Parts, at: At, draft: Draft) -> Result<Response, PageError> {
    let end = state.app.organisation_end(&at.caller, &at.place.name()).await?;
    let page = Delete {
        repositories: (end.repositories.count, end.repositories.names),
        robots: (end.robots.count, end.robots.names),
        rules: (end.rules.count, end.rules.names),
        members: end.members,
        teams: end.teams,
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}
