//! Whether the process lives, and whether it should get requests: for a registry that stands alone.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response, StatusCode};
use shared::oci::{ErrorBody, ErrorCode};
use shared::runtime::serve::{Readiness, ReadyState};
use tower::Service;

use super::error;
use crate::health::Health;
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
    checks: Option<(Health, Router)>,
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
        Self {
            registry,
            health,
            checks: None,
        }
    }

    /// Answers 503 to everything but the questions about the process itself while a check fails, as distribution does. The
    /// process is then not ready either.
    #[must_use]
    pub fn gated_by(mut self, checks: Health, readiness: &Readiness) -> Self {
        let watched = checks.clone();
        readiness.watch(move || {
            if watched.is_failing() {
                ReadyState::Unready("a health check fails")
            } else {
                ReadyState::Ready
            }
        });
        self.checks = Some((checks, Router::new().fallback(async || refusal())));
        self
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
            _ => match &mut self.checks {
                Some((checks, gate)) if checks.is_failing() => gate.call(request),
                _ => self.registry.call(request),
            },
        }
    }
}

/// In distribution's words.
fn refusal() -> Response<Body> {
    let detail = "health check failed: please see /debug/health".into();
    let body = ErrorBody::with_detail(ErrorCode::Unavailable, "service unavailable", detail);
    error::with_body(StatusCode::SERVICE_UNAVAILABLE, &body)
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

    #[tokio::test]
    async fn a_check_that_fails_closes_everything_but_what_a_supervisor_asks() {
        let (readiness, checks) = (Readiness::default(), Health::default());
        let registry = Router::new().fallback(async || "the registry");
        let service = WithHealth::new(registry, readiness.clone()).gated_by(checks.clone(), &readiness);
        let answer = async |path: &str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = service.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
            (status, String::from_utf8(body.to_vec()).unwrap())
        };
        assert_eq!(answer("/v2/").await.0, 200);
        checks.mark_down();
        for path in ["/", "/v2/", "/v2/a/manifests/b"] {
            let (status, body) = answer(path).await;
            assert_eq!(status, 503, "{path}");
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["errors"][0]["code"], "UNAVAILABLE");
            assert_eq!(
                body["errors"][0]["detail"],
                "health check failed: please see /debug/health"
            );
        }
        assert_eq!(
            answer("/livez").await.0,
            200,
            "nobody should kill the process for it"
        );
        assert_eq!(
            answer("/readyz").await,
            (503, "a health check fails\n".to_owned())
        );
        checks.mark_up();
        assert_eq!((answer("/v2/").await.0, answer("/readyz").await.0), (200, 200));
    }
}
