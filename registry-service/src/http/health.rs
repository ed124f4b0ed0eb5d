//! Whether the process lives, and whether it should get requests: for a registry that stands alone.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response, StatusCode};
use shared::runtime::serve::{Readiness, ReadyState};
use tower::Service;

use crate::registry::{Fitness, Registry};

/// Lets `readiness` know how the storage does. Read-only storage is no reason to get no requests, since pulls go on; one
/// that cannot make anything durable is.
pub fn watch(readiness: &Readiness, registry: Registry) {
    readiness.watch(move || match registry.fitness() {
        Fitness::Sound => ReadyState::Ready,
        Fitness::ReadOnly => ReadyState::Limited("read-only"),
        Fitness::Failing => ReadyState::Unready("the storage fails to write"),
    });
}

/// `/livez` (also `/healthz`) and `/readyz` beside a registry's router, which loses nothing by it.
#[derive(Debug, Clone)]
pub struct WithHealth {
    registry: Router,
    health: Router,
}

impl WithHealth {
    /// Ready is red from the beginning of a shutdown, and as the checks of `readiness` say.
    pub fn new(registry: Router, readiness: Readiness) -> Self {
        let live = get(async || "ok\n");
        let ready = get(async move || match readiness.state() {
            ReadyState::Ready => (StatusCode::OK, "ok\n".to_owned()),
            ReadyState::Limited(what) => (StatusCode::OK, format!("{what}\n")),
            ReadyState::Unready(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        });
        let health = Router::new()
            .route("/livez", live.clone())
            .route("/healthz", live)
            .route("/readyz", ready);
        Self { registry, health }
    }
}

impl Service<Request<Body>> for WithHealth {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = axum::routing::future::RouteFuture<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A Router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match request.uri().path() {
            "/livez" | "/healthz" | "/readyz" => self.health.call(request),
            _ => self.registry.call(request),
        }
    }
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_registry_that_shuts_down_lives_and_is_not_ready() {
        let readiness = Readiness::default();
        let registry = Router::new().fallback(async || "the registry");
        let service = WithHealth::new(registry, readiness.clone());
        let status = async |path: &str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            service.clone().oneshot(request).await.unwrap().status().as_u16()
        };
        assert_eq!((status("/livez").await, status("/readyz").await), (200, 200));
        readiness.set(false);
        assert_eq!((status("/livez").await, status("/readyz").await), (200, 503));
        assert_eq!(status("/v2/").await, 200);
    }
}
