//! Blobs: end-2 and end-10 of the distribution-spec.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE,
    LOCATION, RANGE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use shared::oci::{Digest, RepositoryName};
use shared::token::Action;

use super::content::Content;
use super::dispatch::Asked;
use super::error::Error;
use super::range::{self, Requested};
use super::{answer, header, manifest};
use crate::redirect::{Client, Place, Redirects};
use crate::registry::RegistryError;

/// `HEAD`: size and digest.
pub(super) async fn stat(
    asked: &Asked<'_>,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<Response, Error> {
    let size = asked
        .service
        .registry
        .stat_blob(asked.authorized.stored_as(name), digest)
        .await?;
    if is_known_already(&asked.parts.headers, digest) {
        return Ok(not_modified(digest, size));
    }
    asked.blob_pulled(name, digest, size);
    Ok(head(StatusCode::OK, digest, size, Body::empty()))
}

/// `GET`: the content, or a range of it, or where to fetch it.
pub(super) async fn read(
    asked: &Asked<'_>,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<Response, Error> {
    let stored_as = asked.authorized.stored_as(name);
    if let Some(redirects) = &asked.service.redirects {
        let (size, path) = asked.service.registry.locate_blob(stored_as, digest).await?;
        if is_known_already(&asked.parts.headers, digest) {
            return Ok(not_modified(digest, size));
        }
        if let Some(url) = redirected(asked, redirects, &path) {
            asked.blob_pulled(name, digest, size);
            return Ok(elsewhere(url, digest));
        }
    }
    let reader = asked.service.registry.open_blob(stored_as, digest, None).await?;
    let size = reader.size();
    if is_known_already(&asked.parts.headers, digest) {
        return Ok(not_modified(digest, size));
    }
    let (status, part) = match requested(&asked.parts.headers, digest, size) {
        Requested::Whole => (StatusCode::OK, 0..size),
        Requested::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Requested::Unsatisfiable => return Err(Error::RangeNotSatisfiable { size }),
    };
    let length = part.end - part.start;
    let content = Content::begin(reader.narrow(part.clone()).into_stream(), length)
        .await
        .map_err(RegistryError::from)?;
    asked.blob_pulled(name, digest, size);
    let mut response = head(status, digest, length, Body::new(content));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        response.headers_mut().insert(CONTENT_RANGE, header::value(range));
    }
    Ok(response)
}

/// `DELETE`: the repository holds it no more.
pub(super) async fn delete(
    asked: &Asked<'_>,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<Response, Error> {
    let allowed = asked.authorized.allowed_tags(name, Action::Delete);
    if !allowed.is_every() {
        return Err(Error::BoundToTags(allowed));
    }
    let terms = asked.authorized.terms(name);
    manifest::check_content(asked, name, digest, &terms).await?;
    let stored_as = asked.authorized.stored_as(name);
    asked.registry(name).delete_blob(stored_as, digest).await?;
    Ok(answer::empty(StatusCode::ACCEPTED))
}

fn redirected(asked: &Asked<'_>, redirects: &Redirects, path: &str) -> Option<String> {
    let _timer = asked.service.registry.measure_redirect();
    // No storage of this version is a bucket.
    let place = Place { path, bucket: None };
    let client = Client {
        address: asked.client_address(),
        now_s: asked.service.clock.now_s(),
    };
    redirects.url(&place, &client)
}

/// As distribution sends clients to its storage: 307, with which a client repeats its `Range` there.
fn elsewhere(url: String, digest: &Digest) -> Response {
    let mut response = answer::empty(StatusCode::TEMPORARY_REDIRECT);
    let headers = response.headers_mut();
    headers.insert(LOCATION, header::value(url));
    headers.insert(header::DOCKER_CONTENT_DIGEST, header::digest(digest));
    response
}

fn is_known_already(headers: &HeaderMap, digest: &Digest) -> bool {
    headers
        .get(IF_NONE_MATCH)
        .is_some_and(|list| header::matches_etag(list, digest))
}

fn requested(headers: &HeaderMap, digest: &Digest, size: u64) -> Requested {
    let Some(range) = headers.get(RANGE) else {
        return Requested::Whole;
    };
    // A range that depends on another version than this one, or on a date, is not asked for.
    let is_of_another = headers
        .get(IF_RANGE)
        .is_some_and(|tag| !tag.to_str().is_ok_and(|tag| header::is_etag_of(tag, digest)));
    if is_of_another {
        return Requested::Whole;
    }
    range
        .to_str()
        .map_or(Requested::Unsatisfiable, |range| range::parse(range, size))
}

fn not_modified(digest: &Digest, size: u64) -> Response {
    head(StatusCode::NOT_MODIFIED, digest, size, Body::empty())
}

fn head(status: StatusCode, digest: &Digest, length: u64, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::DOCKER_CONTENT_DIGEST, header::digest(digest));
    headers.insert(ETAG, header::etag(digest));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=31536000"));
    response
}
