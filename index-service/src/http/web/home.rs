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
use crate::http::{State, named};

/// Repositories of the reader's own.
const OWN: u32 = 8;

pub(in crate::http) fn routes() -> axum::Router<State> {
    axum::Router::new().route("/", named("web.home", get(home)))
}

#[derive(Template)]
#[template(path = "home/home.html")]
struct Home {
    view: View,
    popular: Vec<Card>,
    pushed: Vec<Card>,
    own: Vec<String>,
    is_open: bool,
    /// What administrators say to visitors; empty for what we say of ourselves.
    greeting: String,
}

async fn home(
    Shared(state): Shared<State>,
    Visitor { caller, view }: Visitor,
) -> Result<Response, PageError> {
    let shelves = state.app.shelves(&caller).await?;
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
        popular: shelves.popular.iter().cloned().map(Card::from).collect(),
        pushed: shelves.pushed.iter().cloned().map(Card::from).collect(),
        own: own.into_iter().map(|facts| facts.name.to_string()).collect(),
        is_open: state.app.sign_up_mode() == crate::app::sign_up::SignUp::Open,
        greeting: state.app.current().site.greeting.clone(),
        view,
    }))
}
