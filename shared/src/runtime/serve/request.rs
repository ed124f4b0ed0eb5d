//! One request: its form is checked, the service answers within its time, panics end only it, and it is named
//! in the log.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use futures_util::FutureExt as _;
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use tracing::Instrument as _;

use super::address::PeerAddr;
use super::answer_body::{Access, AnswerBody};
use super::exchange::{Exchange, Observer};
use super::limits::Limits;
use super::listener::Readiness;
use super::refuse::{Refusal, find_fault};
use super::request_body::PacedBody;
use super::state::ConnectionState;
use super::turn::Turn;
use crate::runtime::telemetry::{RequestId, RequestIds};

/// The header that names the request in every answer.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How the request came in; in the extensions of every request. Behind a proxy this is the last hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

/// The service of one connection, for hyper.
#[derive(Debug)]
pub(super) struct Shell<S> {
    pub(super) service: S,
    pub(super) ids: Arc<RequestIds>,
    pub(super) in_flight: Arc<Semaphore>,
    pub(super) limits: Arc<Limits>,
    pub(super) state: Arc<ConnectionState>,
    pub(super) readiness: Readiness,
    pub(super) observer: Option<Observer>,
    pub(super) peer: PeerAddr,
    pub(super) scheme: Scheme,
}

type Answer = Result<Response<AnswerBody>, Infallible>;

impl<S> hyper::service::Service<Request<Incoming>> for Shell<S>
where
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let framing = self.state.begin_request(!request.body().is_end_stream());
        let paced = (request.version() == Version::HTTP_2).then(|| self.state.requests());
        let sent = request.headers().get(X_REQUEST_ID);
        let id = sent
            .and_then(RequestId::accept)
            .unwrap_or_else(|| self.ids.next());
        let method = request.method().clone();
        let span = tracing::info_span!(
            "request",
            request_id = %id,
            method = %known(&method),
            route = tracing::field::Empty,
            status = tracing::field::Empty,
            duration_ms = tracing::field::Empty,
        );
        let observed = self.observer.clone().map(|observer| {
            let exchange = Exchange::begin(&request, id.clone(), self.peer);
            Box::new((observer, exchange))
        });
        let access = Access::begin(span.clone(), Arc::clone(&self.state), observed);
        let readiness = (request.version() < Version::HTTP_2).then(|| self.readiness.clone());
        let closes = Unread::watch(&request, &self.state);
        let answered = match find_fault(&request, framing, &self.limits) {
            Some(refusal) => {
                tracing::debug!(parent: &span, reason = refusal.message, "refused");
                futures_util::future::Either::Left(std::future::ready(refusal.into_response()))
            }
            None => futures_util::future::Either::Right(self.ask(request, id.clone()).instrument(span)),
        };
        Box::pin(async move {
            let mut response = answered.await;
            closes.tell(&mut response);
            if readiness.is_some_and(|readiness| !readiness.is_ready()) {
                close(&mut response);
            }
            Ok(finish(response, &method, &id, access)
                .map(|(body, access)| AnswerBody::new(body, access, paced)))
        })
    }
}

impl<S> Shell<S>
where
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    fn ask(
        &self,
        request: Request<Incoming>,
        id: RequestId,
    ) -> impl Future<Output = Response<Body>> + use<S> {
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(self.peer);
        parts.extensions.insert(self.scheme);
        parts.extensions.insert(id.clone());
        let prompt = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let total = prompt.then_some(self.limits.request_total);
        let turn = Turn::take(&self.in_flight).map(Arc::new);
        let refused = turn.is_none() && !is_about_health(parts.uri.path());
        let mut stalled = None;
        let body = if body.is_end_stream() {
            Body::empty()
        } else {
            let (state, limits) = (Arc::clone(&self.state), Arc::clone(&self.limits));
            let body = PacedBody::new(body, state, limits, turn.as_ref());
            stalled = Some(body.stalled());
            Body::new(body)
        };
        let asked = self.service.clone().oneshot(Request::from_parts(parts, body));
        async move {
            if refused {
                return overloaded().into_response();
            }
            // Held until the answer has its head.
            let _turn = turn;
            let caught = AssertUnwindSafe(asked).catch_unwind();
            let answered = match total {
                None => caught.await,
                Some(total) => match tokio::time::timeout(total, caught).await {
                    Ok(answered) => answered,
                    Err(_) => return late(&id).into_response(),
                },
            };
            match answered {
                // To a service this is one way in which a body breaks off; the client can do something about it.
                Ok(Ok(response)) if response.status().is_client_error() && is_set(stalled.as_ref()) => {
                    too_slow().into_response()
                }
                Ok(Ok(response)) => response,
                Err(_) => panicked(&id).into_response(),
            }
        }
    }
}

/// A request over HTTP/1.1 with a body. When the service did not read all of it, the connection ends with the answer, and
/// the client is told, lest it send its next request into the void (RFC 9112, section 9.6). This holds for a short body
/// too: hyper drops what of it has come by then, and ends the connection if that was not all.
struct Unread(Option<Arc<ConnectionState>>);

impl Unread {
    fn watch<B: http_body::Body>(request: &Request<B>, state: &Arc<ConnectionState>) -> Self {
        let watched = request.version() < Version::HTTP_2 && !request.body().is_end_stream();
        Self(watched.then(|| Arc::clone(state)))
    }

    fn tell(self, response: &mut Response<Body>) {
        if self.0.is_some_and(|state| !state.is_body_complete()) {
            close(response);
        }
    }
}

/// Makes this the connection's last answer, and says so.
fn close(response: &mut Response<Body>) {
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
}

/// Whether a supervisor asks how the process is, which it must learn above all when there is too much to do: else it ends a
/// process that only is busy.
fn is_about_health(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/healthz")
}

fn overloaded() -> Refusal {
    tracing::debug!("too many requests in flight");
    Refusal {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "UNAVAILABLE",
        message: "too many requests at once; try again in a few seconds".to_owned(),
    }
}

fn is_set(flag: Option<&Arc<AtomicBool>>) -> bool {
    flag.is_some_and(|flag| flag.load(Ordering::SeqCst))
}

fn too_slow() -> Refusal {
    Refusal {
        status: StatusCode::REQUEST_TIMEOUT,
        code: "SIZE_INVALID",
        message: "the request's body came too slowly, or stopped".to_owned(),
    }
}

fn late(id: &RequestId) -> Refusal {
    tracing::warn!("no answer in time");
    Refusal {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "UNAVAILABLE",
        message: format!("no answer in time; the log names this request {id}"),
    }
}

fn panicked(id: &RequestId) -> Refusal {
    tracing::error!("a handler panicked");
    Refusal {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        code: "UNKNOWN",
        message: format!("internal error; the log names this request {id}"),
    }
}

fn finish(
    mut response: Response<Body>,
    method: &Method,
    id: &RequestId,
    mut access: Access,
) -> Response<(Body, Access)> {
    response.headers_mut().insert(X_REQUEST_ID, id.header_value());
    access.answered(&mut response);
    if *method == Method::HEAD {
        // The header says what GET's would; the body is for GET alone.
        if !response.headers().contains_key(CONTENT_LENGTH)
            && let Some(length) = response.body().size_hint().exact()
            && (length > 0 || response.status() == StatusCode::OK)
        {
            response
                .headers_mut()
                .insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        *response.body_mut() = Body::empty();
    }
    response.map(|body| (body, access))
}

/// A method's name for the log: a client can make up any other.
fn known(method: &Method) -> &str {
    const KNOWN: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if KNOWN.contains(method) {
        method.as_str()
    } else {
        "other"
    }
}
