//! Repositories that one keeps: lists that nobody else sees, and stars.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use serde::Deserialize;

use crate::domain::RepositoryId;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, PAGE, query};
use crate::http::web::page::{done, render};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;
use crate::http::web::visitor::SignedIn;

/// Stars that are shown.
const STARS: u32 = 100;

/// A repository on a list.
struct Row {
    id: String,
    shelf: String,
    name: String,
    created_at: i64,
}

#[derive(Template)]
#[template(path = "account/lists.html")]
struct ListsPage {
    view: View,
    frame: Frame,
    bookmarks: Vec<Row>,
    previous: String,
    next: String,
    stars: Vec<Row>,
}

/// Which page of the bookmarks.
#[derive(Debug, Deserialize)]
pub(super) struct Behind {
    #[serde(default)]
    after: String,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Query(behind): Query<Behind>,
) -> Result<Response, PageError> {
    let (shelf, id) = behind.after.rsplit_once('/').unwrap_or(("", ""));
    let after = if shelf.contains('\0') {
        ("", i64::MIN)
    } else {
        (shelf, id.parse().unwrap_or(i64::MIN))
    };
    let (bookmarks, next) = state.app.list_bookmarks(&caller, after, PAGE).await?;
    let (stars, _) = state.app.list_starred(&caller, i64::MIN, STARS).await?;
    let page = ListsPage {
        view,
        frame: Frame::of("lists"),
        previous: if behind.after.is_empty() {
            String::new()
        } else {
            "/account/lists".to_owned()
        },
        next: next
            .map(|(shelf, id)| format!("/account/lists{}", query(&[("after", &format!("{shelf}/{id}"))])))
            .unwrap_or_default(),
        bookmarks: bookmarks
            .into_iter()
            .map(|one| Row {
                id: one.facts.repository_id.to_string(),
                shelf: one.bookmark.shelf,
                name: one.facts.name.to_string(),
                created_at: one.bookmark.created_at,
            })
            .collect(),
        stars: stars
            .into_iter()
            .map(|one| Row {
                id: one.facts.repository_id.to_string(),
                shelf: String::new(),
                name: one.facts.name.to_string(),
                created_at: one.created_at,
            })
            .collect(),
    };
    Ok(render(&page))
}

/// What is taken off: a bookmark of a list, or a star without one.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    list: String,
    id: i64,
}

pub(super) async fn remove(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Submitted(which): Submitted<Which>,
) -> Result<Response, PageError> {
    let id = RepositoryId::from_i64(which.id);
    if which.list.is_empty() {
        state.app.set_star(&caller, id, false).await?;
    } else {
        state.app.set_bookmark(&caller, &which.list, id, false).await?;
    }
    Ok(done(&view, "/account/lists", "account-done-list"))
}
