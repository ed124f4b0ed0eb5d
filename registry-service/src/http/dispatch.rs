//! From a request to its handler. Nothing reaches a handler but through an [`Authorized`].

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract;
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, WARNING, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method, Request};
use http_body::Body as _;
use shared::runtime::serve::{RouteName, Scheme};

use super::admission::Admission;
use super::error::Error;
use super::told::Told;
use super::{Service, answer, base, blob, catalog, header, manifest, purge, referrer, tag, token, upload};
use crate::auth::{Authorized, Caller};
use crate::endpoint::{Endpoint, InvalidRequest, Operation};

/// What every request is served with.
#[derive(Clone)]
pub(super) struct State {
    pub(super) service: Arc<Service>,
    pub(super) admission: Arc<Admission>,
}

/// Said to clients, which show it to the people who can tell an operator.
const DEGRADED: &str =
    "the storage of this registry has failed to write; its operator should look at the log";

/// A request whose principal may ask what it asks; its body goes beside it.
pub(super) struct Asked<'a> {
    pub(super) service: &'a Arc<Service>,
    pub(super) admission: &'a Admission,
    pub(super) authorized: Authorized,
    pub(super) parts: Parts,
}

impl Asked<'_> {
    /// What `Location`s begin with, before `/v2/`.
    pub(super) fn base_url(&self) -> Cow<'_, str> {
        let options = &self.service.options;
        if !options.base_url.is_empty() {
            return Cow::Borrowed(&options.base_url);
        }
        let origin = options
            .of_request
            .as_ref()
            .and_then(|rule| rule.origin(&self.parts));
        match origin {
            Some(origin) => Cow::Owned(origin + &options.prefix),
            None => Cow::Borrowed(&options.prefix),
        }
    }

    /// Where the request comes from, as the first proxy says it, or else the connection.
    pub(super) fn client_address(&self) -> Option<IpAddr> {
        self.service.options.requests.client_address(&self.parts)
    }

    /// The query string; empty when there is none.
    pub(super) fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }
}

/// Every request comes here.
pub(super) async fn handle(extract::State(state): extract::State<State>, request: Request<Body>) -> Response {
    let is_head = request.method() == Method::HEAD;
    let mut told = Told::default();
    let mut response = answer(&state, request, &mut told)
        .await
        .unwrap_or_else(Error::into_response);
    response.extensions_mut().insert(RouteName(told.route));
    response.extensions_mut().insert(Arc::new(told));
    let length = response.body().size_hint().exact();
    let headers = response.headers_mut();
    headers.insert(
        header::DOCKER_API_VERSION,
        HeaderValue::from_static("registry/2.0"),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let configured = &state.service.options.headers;
    for (name, _) in configured {
        headers.remove(name);
    }
    for (name, value) in configured {
        headers.append(name.clone(), value.clone());
    }
    if let Some(warning) = &state.service.options.warning {
        headers.append(WARNING, warning.clone());
    }
    if state.service.registry.is_degraded() {
        headers.append(WARNING, header::warning(DEGRADED));
    }
    if !is_head {
        return response;
    }
    if let Some(length) = length.filter(|_| !headers.contains_key(CONTENT_LENGTH)) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    answer::without_body(response)
}

async fn answer(state: &State, request: Request<Body>, told: &mut Told) -> Result<Response, Error> {
    let service = &state.service;
    let (parts, body) = request.into_parts();
    let path = below_prefix(parts.uri.path(), &service.options.prefix)?;
    let endpoint = Endpoint::parse(&parts.method, path, parts.uri.query())?;
    told.asked_for(&endpoint);
    let authorized = service
        .authenticator
        .authorize(endpoint, caller(&parts), service.clock.now_s())
        .await?;
    authorized.subject().clone_into(&mut told.user);
    // Only now, as distribution does: who may not ask learns nothing of the configuration, and gets the challenge.
    authorized.endpoint().check_policy(service.policy)?;
    let asked = Asked {
        service,
        admission: &state.admission,
        authorized,
        parts,
    };
    asked.count_request().await?;
    dispatch(&asked, body).await
}

/// The path as if there were no `http.prefix`; the probe of load balancers is at `/` with and without.
fn below_prefix<'a>(path: &'a str, prefix: &str) -> Result<&'a str, InvalidRequest> {
    if path == "/" {
        return Ok(path);
    }
    let below = path.strip_prefix(prefix).filter(|below| below.starts_with('/'));
    below.ok_or(InvalidRequest::Path)
}

pub(super) fn caller(parts: &Parts) -> Caller<'_> {
    let text = |name| {
        parts
            .headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    Caller {
        authorization: parts.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes),
        // HTTP/2 has it in the request line.
        host: parts
            .uri
            .authority()
            .map(Authority::as_str)
            .or_else(|| text(HOST)),
        forwarded_proto: text(HeaderName::from_static("x-forwarded-proto")),
        is_secured: parts.extensions.get::<Scheme>() == Some(&Scheme::Https),
    }
}

async fn dispatch(asked: &Asked<'_>, body: Body) -> Result<Response, Error> {
    let (name, operation) = match asked.authorized.endpoint() {
        Endpoint::Probe => return Ok(base::probe()),
        Endpoint::Base => return Ok(base::base()),
        Endpoint::Catalog => return catalog::list(asked).await,
        Endpoint::Token => return token::issue(asked).await,
        Endpoint::Repository(name, operation) => (name, operation),
    };
    match operation {
        Operation::ListTags => tag::list(asked, name).await,
        Operation::ReadManifest(reference) => manifest::read(asked, name, reference).await,
        Operation::PutManifest(reference) => manifest::put(asked, name, reference, body).await,
        Operation::DeleteManifest(reference) => manifest::delete(asked, name, reference).await,
        Operation::StatBlob(digest) => blob::stat(asked, name, digest).await,
        Operation::ReadBlob(digest) => blob::read(asked, name, digest).await,
        Operation::DeleteBlob(digest) => blob::delete(asked, name, digest).await,
        Operation::StartUpload(mount) => upload::start(asked, name, mount.as_ref(), body).await,
        Operation::UploadStatus(id) => upload::status(asked, name, id).await,
        Operation::AppendUpload(id) => upload::append(asked, name, id, body).await,
        Operation::FinishUpload(id) => upload::finish(asked, name, id, body).await,
        Operation::CancelUpload(id) => upload::cancel(asked, name, id).await,
        Operation::ListReferrers(digest) => referrer::list(asked, name, digest).await,
        Operation::Purge => purge::purge(asked, name).await,
    }
}
