//! The API of people and programs, under `/api/v1`: JSON in and out, problem documents (RFC 9457) for everything else.
//!
//! Every route is added through [`described::ApiRouter`], so that the description at `/api/v1/openapi.json` has them all.

mod access;
mod access_token;
mod account;
mod announcement;
mod audit;
mod bookmark;
mod caller;
mod category;
mod comment;
mod content;
mod content_deletion;
mod credential;
mod deletion;
mod described;
mod description;
mod device;
mod idempotency;
mod immutability;
mod impact;
mod instant;
mod invitation;
mod key;
mod leak;
mod member;
mod namespace;
mod notice;
mod organisation;
mod page;
mod password;
mod problem;
mod profile;
mod quota;
mod renovate;
mod repository;
mod repository_profile;
mod retention;
mod robot;
mod rule;
mod search;
mod team;
#[cfg(test)]
mod tests;
mod webhook;

use super::State;
use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::any;
pub use caller::Operator;
use described::ApiRouter;
use shared::runtime::serve::RouteName;

/// Where the API is.
pub(super) const ROOT: &str = "/api/v1";

/// Every route of the API, with its description.
fn routes() -> ApiRouter {
    ApiRouter::new()
        .merge(named("api.access_token", access_token::routes()))
        .merge(named("api.description", description::routes()))
        .merge(named("api.account", account::routes()))
        .merge(named("api.announcement", announcement::routes()))
        .merge(named("api.audit", audit::routes()))
        .merge(named("api.content", content::routes()))
        .merge(named("api.content_deletion", content_deletion::routes()))
        .merge(named("api.impact", impact::routes()))
        .merge(named("api.retention", retention::routes()))
        .merge(named("api.key", key::routes()))
        .merge(named("api.organisation", organisation::routes()))
        .merge(named("api.device", device::routes()))
        .merge(named("api.leak", leak::routes()))
        .merge(named("api.member", member::routes()))
        .merge(named("api.invitation", invitation::routes()))
        .merge(named("api.password", password::routes()))
        .merge(named("api.profile", profile::routes()))
        .merge(named("api.robot", robot::routes()))
        .merge(named("api.rule", rule::routes()))
        .merge(named("api.immutability", immutability::routes()))
        .merge(named("api.quota", quota::routes()))
        .merge(named("api.team", team::routes()))
        .merge(named("api.repository", repository::routes()))
        .merge(named("api.repository_profile", repository_profile::routes()))
        .merge(named("api.bookmark", bookmark::routes()))
        .merge(named("api.category", category::routes()))
        .merge(named("api.renovate", renovate::routes()))
        .merge(named("api.comment", comment::routes()))
        .merge(named("api.search", search::routes()))
        .merge(named("api.deletion", deletion::routes()))
        .merge(named("api.access", access::routes()))
        .merge(named("api.namespace", namespace::routes()))
        .merge(named("api.notice", notice::routes()))
        .merge(named("api.webhook", webhook::routes()))
}

/// The API, its description included.
pub(super) fn router(state: &State) -> Router<State> {
    let ApiRouter { router, descriptions } = routes();
    description::keep(descriptions);
    Router::new()
        .nest(ROOT, router)
        .layer(from_fn_with_state(state.clone(), idempotency::once))
        .route(&format!("{ROOT}/{{*rest}}"), any(problem::no_such_path))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(map_response(problem::bodies_of_the_framework))
}

/// The description of the API (OpenAPI 3.1), once there are routes.
pub(super) fn description() -> Option<&'static str> {
    description::text()
}

/// Names the routes in the log.
fn named(name: &'static str, routes: ApiRouter) -> ApiRouter {
    let router = routes
        .router
        .layer(map_response(move |mut response: Response| async move {
            response.extensions_mut().insert(RouteName(name));
            response
        }));
    ApiRouter { router, ..routes }
}
