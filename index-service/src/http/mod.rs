//! What clients speak to: every route of the index, in one table.

mod api;
mod badge;
mod catalog;
mod client;
mod conditional;
mod error;
mod events;
mod feed;
#[doc(hidden)]
pub mod fuzzing;
mod health;
mod hub;
mod json;
mod keys;
mod markdown;
mod search;
#[cfg(test)]
mod testing;
mod token;
mod web;
mod xml;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{MethodRouter, any, get, post};
use shared::runtime::serve::{Readiness, RouteName};

use crate::app::App;

pub use api::Operator;

/// Largest request body that is read, in bytes; the token endpoint takes less.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What handlers are given.
#[derive(Debug, Clone)]
struct State {
    app: Arc<App>,
    readiness: Readiness,
    /// Pages that are told something while they are open.
    places: web::live::Places,
}

/// Every route. `readiness` goes red when the process shuts down.
pub fn router(app: Arc<App>, readiness: Readiness) -> Router {
    let state = State {
        app,
        readiness,
        places: web::live::Places::default(),
    };
    let mut router = Router::new()
        .route("/.well-known/jwks.json", named("keys", get(keys::jwks)))
        .route("/events/registry", named("events", post(events::receive)))
        .route("/badge/{*rest}", named("badge", get(badge::show)))
        .route("/feed/{*rest}", named("feed", get(feed::show)))
        .route("/events/quota", named("quota", post(events::permit)))
        .route("/events/work", named("events.work", post(events::work)))
        .route("/v2/_catalog", named("catalog", get(catalog::list)))
        .route("/v1/_ping", named("search.ping", get(search::ping)))
        .route("/v1/search", named("search", get(search::search)))
        .route("/livez", named("health.live", get(health::live)))
        .route("/healthz", named("health.live", get(health::live)))
        .route("/readyz", named("health.ready", get(health::ready)));
    // Old configurations and tools know the token endpoint by other names.
    for path in ["/token", "/auth/token", "/v2/token", "/auth", "/service/token"] {
        let route = || named("token", get(token::get).post(token::post));
        router = router.route(path, route()).route(&format!("{path}/"), route());
    }
    router
        .merge(api::router(&state))
        .merge(hub::router())
        .merge(web::router(&state))
        .fallback(any(web::nothing_here))
        .method_not_allowed_fallback(web::not_so)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(state)
}

/// Names the route in the log.
fn named(name: &'static str, route: MethodRouter<State>) -> MethodRouter<State> {
    route.layer(map_response(move |mut response: Response| async move {
        response.extensions_mut().insert(RouteName(name));
        response
    }))
}

#[cfg(test)]
mod tests;
