//! What a repository is about, who may see it, and whether people comment on it.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use super::fields::{Draft, Fields};
use super::place::{At, Place};
use crate::app::AppError;
use crate::app::repository_profile::DescriptionChange;
use crate::domain::comment::Board;
use crate::domain::{Right, Topic};
use crate::http::State as Parts;
use crate::http::markdown::render_below;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// Most categories that are offered.
const MAX_CATEGORIES: u32 = 100;

#[derive(Template)]
#[template(path = "settings/general.html")]
struct General {
    view: View,
    place: Place,
    draft: Draft,
    summary: String,
    description: String,
    topics: String,
    categories: Vec<Category>,
    /// The description as it would be shown.
    preview: Option<String>,
    visibility: &'static str,
    may_administer: bool,
    board: Board,
    comments_allowed: bool,
}

/// A category that the repository can be in.
struct Category {
    slug: String,
    name: String,
    is_chosen: bool,
}

pub(in crate::http::web) async fn show(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    page(&state, at, Draft::asked(query)).await
}

pub(in crate::http::web) async fn act(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    let form = match fields.get("do") {
        "preview" => return page(&state, at, Draft::again("describe", fields)).await,
        "visibility" => "visibility",
        "comments" => "comments",
        _ => "describe",
    };
    match change(&state, &at, &fields).await {
        Ok(()) => Ok(done(&at.view, &at.place.here(), "settings-done-saved")),
        Err(error) => {
            let draft = Draft::refused(form, fields, error, &at.view)?;
            page(&state, at, draft).await
        }
    }
}

async fn change(state: &Parts, at: &At, fields: &Fields) -> Result<(), AppError> {
    let id = at.repository()?.facts.repository_id;
    match fields.get("do") {
        "describe" => {
            let change = DescriptionChange {
                summary: Some(fields.get("summary").trim().to_owned()),
                // Browsers end lines as HTTP does.
                description: Some(fields.get("description").replace("\r\n", "\n")),
                topics: Some(fields.words("topics")),
                categories: Some(fields.all("category").map(str::to_owned).collect()),
            };
            state.app.describe(&at.caller, id, change).await?;
        }
        "visibility" => {
            let visibility = fields
                .parse("visibility")?
                .ok_or_else(|| AppError::Invalid("choose a visibility".to_owned()))?;
            state.app.change_visibility(&at.caller, id, visibility).await?;
        }
        "comments" => {
            let board = Board {
                is_open: fields.is_ticked("open", "yes"),
                newcomers_wait: fields.is_ticked("newcomers_wait", "yes"),
            };
            state.app.set_comment_settings(&at.caller, id, board).await?;
        }
        _ => return Err(super::place::nothing()),
    }
    Ok(())
}

async fn page(state: &Parts, at: At, draft: Draft) -> Result<Response, PageError> {
    let At { caller, view, place } = at;
    let place_repository = match &place.subject {
        super::place::Subject::Repository(shown) => shown,
        super::place::Subject::Namespace(_) => return Err(super::place::nothing().into()),
    };
    let (id, rights) = (place_repository.facts.repository_id, place_repository.rights);
    let visibility = place_repository.facts.visibility.as_str();
    let profile = state.app.show_description(&caller, id).await?.profile;
    let comments = state.app.show_comment_settings(&caller, id).await?;
    let known = state.app.list_categories("", MAX_CATEGORIES).await?;
    let categories = known.into_iter().map(|one| Category {
        is_chosen: draft.ticked(
            "describe",
            "category",
            one.slug.as_str(),
            profile.categories.iter().any(|chosen| chosen.slug == one.slug),
        ),
        slug: one.slug.to_string(),
        name: one.name,
    });
    let topics: Vec<String> = profile.topics.iter().map(Topic::to_string).collect();
    let status = draft.status();
    let page = General {
        preview: draft
            .is_of("describe")
            .then(|| render_below(draft.fields.get("description"), 3)),
        categories: categories.collect(),
        topics: topics.join(" "),
        summary: profile.summary,
        description: profile.description,
        visibility,
        may_administer: rights.contains(Right::Administer),
        board: comments.board,
        comments_allowed: comments.is_allowed,
        view,
        place,
        draft,
    };
    Ok(render_with(status, &page))
}
