//! The debug server: for operators, on an address of its own, in the clear and without a login. It must not be reachable
//! for strangers.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode, Uri, header};
use serde_json::json;

use crate::descriptor_cache::DescriptorCache;
use crate::health::Health;
use crate::metrics;
use crate::notification::Notifications;

/// What the debug server tells of.
#[derive(Debug, Clone)]
pub struct Debug {
    /// The checks.
    pub health: Health,
    /// Under which path metrics are given (`http.debug.prometheus.path`); `None` when they are not.
    pub metrics_path: Option<String>,
    /// How many connections the registry holds.
    pub connections: Arc<AtomicUsize>,
    /// Who is told of changes.
    pub notifications: Option<Notifications>,
    /// Redis, where there is one.
    pub descriptors: Option<DescriptorCache>,
}

/// The debug server's paths: `/debug/health`, `/debug/health/down`, `/debug/health/up`, `/debug/vars` and that of the
/// metrics.
pub fn router(debug: Debug) -> Router {
    Router::new().fallback(answer).with_state(debug)
}

async fn answer(State(debug): State<Debug>, method: Method, uri: Uri) -> Response {
    let reads = matches!(method, Method::GET | Method::HEAD);
    match uri.path() {
        "/debug/health" if reads => health(&debug.health),
        "/debug/health/down" if method == Method::POST => {
            debug.health.mark_down();
            StatusCode::OK.into_response()
        }
        "/debug/health/up" if method == Method::POST => {
            debug.health.mark_up();
            StatusCode::OK.into_response()
        }
        "/debug/vars" if reads => variables(&debug),
        path if reads && debug.metrics_path.as_deref() == Some(path) => {
            let content_type = (header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
            ([content_type], metrics::text(&debug.connections)).into_response()
        }
        _ => (StatusCode::NOT_FOUND, "404 page not found\n").into_response(),
    }
}

fn health(health: &Health) -> Response {
    let failing = health.failing();
    let status = if failing.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    json_answer(status, &json!(failing))
}

/// As Go's `expvar` gives it, without the command line, which may hold secrets.
fn variables(debug: &Debug) -> Response {
    let told = debug.notifications.as_ref();
    let told = told.map_or_else(|| json!({ "endpoints": [] }), Notifications::shown);
    let mut registry = json!({ "version": env!("CARGO_PKG_VERSION"), "notifications": told });
    if let Some(descriptors) = &debug.descriptors {
        registry["redis"] = descriptors.variables();
    }
    json_answer(StatusCode::OK, &json!({ "registry": registry }))
}

fn json_answer(status: StatusCode, body: &serde_json::Value) -> Response {
    let content_type = (header::CONTENT_TYPE, "application/json; charset=utf-8");
    (status, [content_type], body.to_string()).into_response()
}
