//! Every organisation of the site.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;

use super::{Administrator, Search};
use crate::app::overview::CountedOrganisation;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, PAGE, Paged, Place, query};
use crate::http::web::page::render;
use crate::http::web::view::View;

#[derive(Template)]
#[template(path = "admin/organisations.html")]
struct OrganisationsPage {
    view: View,
    frame: Frame,
    prefix: String,
    organisations: Paged<CountedOrganisation>,
}

pub(super) async fn list(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Query(search): Query<Search>,
    Query(place): Query<Place>,
) -> Result<Response, PageError> {
    let prefix = search.prefix();
    let read = state
        .app
        .list_every_organisation(&caller, &prefix, place.after(), PAGE + 1)
        .await?;
    let path = format!("/admin/organisations{}", query(&[("prefix", &prefix)]));
    Ok(render(&OrganisationsPage {
        organisations: Paged::new(&place, &path, read, PAGE, |one: &CountedOrganisation| {
            one.organisation.name.to_string()
        }),
        frame: Frame::of("organisations"),
        prefix,
        view,
    }))
}
