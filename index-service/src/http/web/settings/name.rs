//! Another name for a repository, in its namespace or in another: rehearsed, then done.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use shared::oci::RepositoryName;

use super::fields::{Draft, Fields};
use super::place::{At, Place};
use crate::app::AppError;
use crate::app::transfer::Transfer;
use crate::domain::ListedRule;
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

#[derive(Template)]
#[template(path = "settings/name.html")]
struct Name {
    view: View,
    place: Place,
    draft: Draft,
    rehearsal: Option<Rehearsal>,
}

/// What another name means.
struct Rehearsal {
    name: String,
    dropped: Vec<String>,
    left: Vec<String>,
}

pub(in crate::http::web) async fn show(
    State(_): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    Ok(page(at, Draft::asked(query), None))
}

pub(in crate::http::web) async fn act(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    let is_rehearsal = fields.get("do") != "rename";
    match rename(&state, &at, &fields, is_rehearsal).await {
        Ok((_, name)) if !is_rehearsal => Ok(done(
            &at.view,
            &format!("/settings/general/{name}"),
            "settings-done-renamed",
        )),
        Ok((transfer, name)) => {
            let rehearsal = Rehearsal {
                name: name.to_string(),
                dropped: transfer.dropped_rules.iter().map(describe).collect(),
                left: transfer.left_patterns.iter().map(describe).collect(),
            };
            Ok(page(at, Draft::again("name", fields), Some(rehearsal)))
        }
        Err(error) => {
            let draft = Draft::refused("name", fields, error, &at.view)?;
            Ok(page(at, draft, None))
        }
    }
}

async fn rename(
    state: &Parts,
    at: &At,
    fields: &Fields,
    is_rehearsal: bool,
) -> Result<(Transfer, RepositoryName), AppError> {
    let name = fields.get("to").trim().to_ascii_lowercase();
    let name: RepositoryName = name
        .parse()
        .map_err(|error: shared::oci::name::InvalidName| AppError::Invalid(error.to_string()))?;
    let id = at.repository()?.facts.repository_id;
    let transfer = state
        .app
        .transfer_repository(&at.caller, id, &name, is_rehearsal)
        .await?;
    Ok((transfer, name))
}

/// A rule in short: about whom, and what it gives.
fn describe(listed: &ListedRule) -> String {
    let (kind, _) = listed.rule.subject.to_parts();
    let subject = listed.subject_name.as_deref().unwrap_or(kind);
    format!("{subject}: {}", listed.rule.rights)
}

fn page(at: At, draft: Draft, rehearsal: Option<Rehearsal>) -> Response {
    let page = Name {
        view: at.view,
        place: at.place,
        draft,
        rehearsal,
    };
    render_with(page.draft.status(), &page)
}
