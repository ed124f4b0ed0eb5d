//! A new organisation.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use crate::app::organisation::NewOrganisation as Wish;
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::settings::fields::{Draft, Fields};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;
use crate::http::web::visitor::SignedIn;

#[derive(Template)]
#[template(path = "organisation/new.html")]
struct NewOrganisation {
    view: View,
    draft: Draft,
}

pub(super) async fn show(SignedIn { view, .. }: SignedIn, Query(query): Query<Fields>) -> Response {
    let draft = Draft::again("create", query);
    render_with(draft.status(), &NewOrganisation { view, draft })
}

pub(super) async fn act(
    State(state): State<Parts>,
    SignedIn { caller, view }: SignedIn,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    let wish = Wish {
        name: fields.get("name").trim().to_owned(),
        display_name: fields.some("display_name").map(str::to_owned),
        description: fields.get("description").trim().replace("\r\n", "\n"),
    };
    match state.app.create_organisation(&caller, &wish).await {
        Ok(made) => {
            let path = format!("/o/{}", made.organisation.name);
            Ok(done(&view, &path, "organisation-done-created"))
        }
        Err(error) => {
            let draft = Draft::refused("create", fields, error, &view)?;
            Ok(render_with(draft.status(), &NewOrganisation { view, draft }))
        }
    }
}
