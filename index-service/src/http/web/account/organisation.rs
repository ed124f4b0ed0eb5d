//! The organisations that one is in.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;

use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, PAGE, Paged, Place};
use crate::http::web::page::render;
use crate::http::web::view::View;
use crate::http::web::visitor::SignedIn;

/// An organisation, and what one is there.
struct Row {
    id: String,
    name: String,
    display_name: String,
    role: &'static str,
    expires_at: Option<i64>,
}

#[derive(Template)]
#[template(path = "account/organisations.html")]
struct OrganisationsPage {
    view: View,
    frame: Frame,
    organisations: Paged<Row>,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Query(place): Query<Place>,
) -> Result<Response, PageError> {
    let read = state
        .app
        .list_organisations(&caller, place.after_id(), PAGE + 1)
        .await?;
    let rows = read
        .into_iter()
        .map(|(organisation, membership)| Row {
            id: organisation.organisation_id.to_string(),
            name: organisation.name.to_string(),
            display_name: organisation.display_name,
            role: membership.role.as_str(),
            expires_at: membership.expires_at,
        })
        .collect();
    Ok(render(&OrganisationsPage {
        organisations: Paged::new(&place, "/account/organisations", rows, PAGE, |row: &Row| {
            row.id.clone()
        }),
        frame: Frame::of("organisations"),
        view,
    }))
}
