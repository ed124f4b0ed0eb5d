//! Settings of a repository. What a namespace has as well (rules, webhooks, immutable tags, retention) is here for both.

pub(in crate::http::web) mod access;
mod deletion;
pub(in crate::http::web) mod fields;
mod general;
pub(in crate::http::web) mod immutable;
mod name;
mod new;
pub(in crate::http::web) mod place;
pub(in crate::http::web) mod retention;
pub(in crate::http::web) mod secret;
pub(in crate::http::web) mod section;
#[cfg(test)]
pub(in crate::http::web) mod tests;
pub(in crate::http::web) mod webhooks;

use axum::Router;
use axum::routing::get;

use crate::http::{State, named};

pub(in crate::http::web) use deletion::typed;

pub(in crate::http) fn routes() -> Router<State> {
    let page = |section: &str| format!("/settings/{section}/{{*name}}");
    Router::new()
        .route(
            "/new/repository",
            named("web.new_repository", get(new::show).post(new::act)),
        )
        .route(
            &page("general"),
            named("web.settings", get(general::show).post(general::act)),
        )
        .route(
            &page("access"),
            named("web.settings", get(access::show).post(access::act)),
        )
        .route(
            &page("webhooks"),
            named("web.settings", get(webhooks::show).post(webhooks::act)),
        )
        .route(
            &page("immutable"),
            named("web.settings", get(immutable::show).post(immutable::act)),
        )
        .route(
            &page("retention"),
            named("web.settings", get(retention::show).post(retention::act)),
        )
        .route(
            &page("name"),
            named("web.settings", get(name::show).post(name::act)),
        )
        .route(
            &page("delete"),
            named("web.settings", get(deletion::show).post(deletion::act)),
        )
}
