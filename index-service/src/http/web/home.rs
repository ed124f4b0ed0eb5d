//! The first page: search, what is popular, what is new, and what is the reader's own. Where there is nothing yet, what this is
//! and what to type first.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use axum::routing::get;

use super::fault::PageError;
use super::page;
use super::search::Card;
use super::view::View;
use super::visitor::Visitor;
use crate::app::search::SearchWish;
use crate::domain::SearchOrder;
use crate::http::{State, named};

/// Repositories of a shelf.
const SHELF: usize = 6;
/// Of the reader's own.
const OWN: u32 = 8;

pub(in crate::http) fn routes() -> axum::Router<State> {
    axum::Router::new().route("/", named("web.home", get(home)))
}

#[derive(Template)]
#[template(path = "home/home.html")]
struct Home {
    view: View,
    popular: Vec<Card>,
    recent: Vec<Card>,
    own: Vec<String>,
    is_open: bool,
    /// What administrators say to visitors; empty for what we say of ourselves.
    greeting: String,
}

async fn home(
    Shared(state): Shared<State>,
    Visitor { caller, view }: Visitor,
) -> Result<Response, PageError> {
    let shelf = |order| SearchWish {
        order,
        limit: SHELF,
        ..SearchWish::default()
    };
    let popular = state.app.search(&caller, &shelf(SearchOrder::Best)).await?;
    // What is new is told only where there is more than one shelf holds: else it is the same again.
    let recent = if popular.total > SHELF {
        state
            .app
            .search(&caller, &shelf(SearchOrder::Updated))
            .await?
            .hits
    } else {
        Vec::new()
    };
    let own = match view.username().parse() {
        Ok(namespace) if view.is_signed_in() => {
            state
                .app
                .list_visible_in(&caller.principal(), &namespace, "", OWN)
                .await?
        }
        _ => Vec::new(),
    };
    Ok(page::render(&Home {
        popular: popular.hits.into_iter().map(Card::from).collect(),
        recent: recent.into_iter().map(Card::from).collect(),
        own: own.into_iter().map(|facts| facts.name.to_string()).collect(),
        is_open: state.app.sign_up_mode() == crate::app::sign_up::SignUp::Open,
        greeting: state.app.current().site.greeting.clone(),
        view,
    }))
}
