//! The help page: the first commands, with the reader's own host and name in them.

use askama::Template;
use axum::response::Response;
use axum::routing::get;

use super::page;
use super::view::View;
use super::visitor::Visitor;
use crate::http::{State, named};

pub(in crate::http) fn routes() -> axum::Router<State> {
    axum::Router::new().route("/help", named("web.help", get(help)))
}

#[derive(Template)]
#[template(path = "help/help.html")]
struct Help {
    view: View,
}

async fn help(Visitor { view, .. }: Visitor) -> Response {
    page::render(&Help { view })
}
