//! One port for both services: the path table decides who answers.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use shared::front_door::{Service as Behind, route};
use tower::Service;

/// Sends each request to the service that the path table names.
#[derive(Clone)]
pub(crate) struct FrontDoor {
    index: Router,
    registry: Router,
}

impl FrontDoor {
    /// In front of both services.
    pub(crate) fn new(index: Router, registry: Router) -> Self {
        Self { index, registry }
    }
}

impl Service<Request<Body>> for FrontDoor {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = axum::routing::future::RouteFuture<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A Router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match route(request.uri().path()) {
            Behind::Index => self.index.call(request),
            Behind::Registry => self.registry.call(request),
        }
    }
}
