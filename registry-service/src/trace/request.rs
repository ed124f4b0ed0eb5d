//! The span of a request.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use futures_util::future::Either;
use http::{Method, Request, Response, Version};
use shared::runtime::serve::{Exchange, RouteName, Scheme};
use tower::Service;

use super::context::{self, Current, ParentContext};
use super::span::{Kind, Span, Value};
use super::{TRACER, nanoseconds};

/// Traces what a service is asked. When nothing is traced it stands aside.
#[derive(Debug, Clone)]
pub struct Traced<S> {
    inner: S,
}

impl<S> Traced<S> {
    /// Around this service.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

/// A request that is traced; in the extensions of its answer.
#[derive(Debug)]
pub struct RequestSpan {
    current: Current,
    parent: Option<[u8; 8]>,
    scheme: &'static str,
}

impl<S> Service<Request<Body>> for Traced<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future =
        Either<S::Future, std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(span) = RequestSpan::begin(&request) else {
            return Either::Left(self.inner.call(request));
        };
        let mut unanswered = Unanswered(Some((span, request.method().clone())));
        let current = unanswered.0.as_ref().map(|(span, _)| span.current);
        // Within the scope from the beginning: a service may begin its work before it is polled.
        let inner = context::with(current, || self.inner.call(request));
        let answered = context::scope(current, inner);
        Either::Right(Box::pin(async move {
            let mut response = answered.await?;
            if let Some((span, _)) = unanswered.0.take() {
                response.extensions_mut().insert(Arc::new(span));
            }
            Ok(response)
        }))
    }
}

/// Tells of a request that its client gave up.
struct Unanswered(Option<(RequestSpan, Method)>);

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some((span, method)) = self.0.take() {
            let method = known(&method);
            let attributes = vec![
                ("http.request.method", Value::Text(method.into())),
                ("error.type", Value::Text("cancelled".into())),
            ];
            span.send(
                method.to_owned(),
                span.current.at_ns(Instant::now()),
                attributes,
                true,
            );
        }
    }
}

impl RequestSpan {
    fn begin(request: &Request<Body>) -> Option<Self> {
        let tracer = TRACER.get()?;
        let parent = tracer
            .listens
            .then(|| ParentContext::of(request.headers()))
            .flatten();
        let trace_id = parent.map_or_else(|| tracer.trace_id(), |parent| parent.trace_id);
        if !tracer.sampler.takes(parent, trace_id) {
            return None;
        }
        let now_ms = u64::try_from(tracer.clock.now_ms()).unwrap_or_default();
        Some(Self {
            current: Current {
                trace_id,
                span_id: tracer.span_id(),
                begin_ns: now_ms.saturating_mul(1_000_000),
                began: Instant::now(),
            },
            parent: parent.map(|parent| parent.span_id),
            scheme: match request.extensions().get::<Scheme>() {
                Some(Scheme::Https) => "https",
                _ => "http",
            },
        })
    }

    fn send(&self, name: String, end_ns: u64, attributes: Vec<(&'static str, Value)>, is_error: bool) {
        if let Some(tracer) = TRACER.get() {
            tracer.send(Span {
                trace_id: self.current.trace_id,
                id: self.current.span_id,
                parent: self.parent,
                name: name.into(),
                kind: Kind::Server,
                begin_ns: self.current.begin_ns,
                end_ns,
                attributes,
                is_error,
            });
        }
    }

    /// Sends the span of a request that has ended, if it is traced. By the semantic conventions for HTTP, without what
    /// may be secret: queries and headers.
    pub fn ended(exchange: &Exchange) {
        let Some(span) = exchange.extensions.get::<Arc<Self>>() else {
            return;
        };
        let method = known(&exchange.method);
        let text = |text: &str| Value::Text(text.to_owned().into());
        let mut attributes = vec![
            ("http.request.method", text(method)),
            ("url.path", text(exchange.uri.path())),
            ("url.scheme", text(span.scheme)),
            ("network.protocol.version", text(version(exchange.version))),
            ("portolan.request.id", text(exchange.id.as_str())),
        ];
        let mut name = method.to_owned();
        if let Some(RouteName(route)) = exchange.extensions.get() {
            let template = template(route);
            name = format!("{method} {template}");
            attributes.push(("http.route", text(template)));
        }
        let host = exchange.host.as_ref().and_then(|host| host.to_str().ok());
        let authority = host.and_then(|host| host.parse::<http::uri::Authority>().ok());
        if let Some(authority) = authority.as_ref().or(exchange.uri.authority()) {
            attributes.push(("server.address", text(authority.host())));
        }
        if let Some(address) = exchange.peer.ip() {
            attributes.push(("network.peer.address", text(&address.to_string())));
        }
        let status = exchange.status.map_or(0, |status| status.as_u16());
        attributes.push(("http.response.status_code", Value::Number(status.into())));
        attributes.push((
            "http.response.body.size",
            Value::Number(i64::try_from(exchange.sent_bytes).unwrap_or(i64::MAX)),
        ));
        if status >= 500 {
            attributes.push(("error.type", text(&status.to_string())));
        }
        let end_ns = span.current.begin_ns + nanoseconds(exchange.duration);
        span.send(name, end_ns, attributes, status >= 500);
    }
}

/// A method's name: a client can make up any other.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

/// The path of a route, with names in the place of what clients choose.
fn template(route: &'static str) -> &'static str {
    match route {
        "base" | "probe" => "/v2/",
        "catalog" => "/v2/_catalog",
        "tags" => "/v2/{name}/tags/list",
        "manifest_read" | "manifest_put" | "manifest_delete" => "/v2/{name}/manifests/{reference}",
        "blob_stat" | "blob_read" | "blob_delete" => "/v2/{name}/blobs/{digest}",
        "upload_start" => "/v2/{name}/blobs/uploads/",
        "upload_status" | "upload_append" | "upload_finish" | "upload_cancel" => {
            "/v2/{name}/blobs/uploads/{uuid}"
        }
        "referrers" => "/v2/{name}/referrers/{digest}",
        other => other,
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}
