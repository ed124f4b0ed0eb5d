//! What clients speak to: every route of the index, in one table.

mod catalog;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod health;
mod json;
mod keys;
#[cfg(test)]
mod testing;
mod token;
mod web;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{MethodRouter, any, get};
use shared::runtime::serve::{Readiness, RouteName};

use crate::app::App;

/// Largest request body that is read, in bytes; the token endpoint takes less.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What handlers are given.
#[derive(Debug, Clone)]
struct State {
    app: Arc<App>,
    readiness: Readiness,
}

/// Every route. `readiness` goes red when the process shuts down.
pub fn router(app: Arc<App>, readiness: Readiness) -> Router {
    let mut router = Router::new()
        .route("/", named("web.home", get(web::home)))
        .route("/static/portolan.css", named("web.style", get(web::style)))
        .route("/.well-known/jwks.json", named("keys", get(keys::jwks)))
        .route("/v2/_catalog", named("catalog", get(catalog::list)))
        .route("/livez", named("health.live", get(health::live)))
        .route("/healthz", named("health.live", get(health::live)))
        .route("/readyz", named("health.ready", get(health::ready)));
    // Old configurations and tools know the token endpoint by other names.
    for path in ["/token", "/auth/token", "/v2/token", "/auth", "/service/token"] {
        let route = || named("token", get(token::get).post(token::post));
        router = router.route(path, route()).route(&format!("{path}/"), route());
    }
    router
        .fallback(any(error::no_such_path))
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(State { app, readiness })
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
