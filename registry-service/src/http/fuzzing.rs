//! What the fuzz targets (`tests/fuzz`) call, and nobody else: functions that are private otherwise.

use std::ops::Range;

use axum::response::Response;
use http::HeaderValue;
use http::header::LINK;
use shared::oci::{Digest, RepositoryName};

use super::range::Requested;
use super::{UploadStates, header, page, range};

/// What a `Range` value asks of content of `size` bytes; `None` when it cannot be satisfied.
pub fn requested_range(value: &str, size: u64) -> Option<Range<u64>> {
    match range::parse(value, size) {
        Requested::Whole => Some(0..size),
        Requested::Part(part) => Some(part),
        Requested::Unsatisfiable => None,
    }
}

/// The bytes that a `Content-Range` value names.
pub fn chunk_range(value: &str) -> Option<Range<u64>> {
    range::parse_chunk(value)
}

/// The length of the page that a query asks for.
pub fn page_limit(query: &str, default: usize) -> Option<usize> {
    page::limit(query, default, page::MAX_PAGE).ok()
}

/// The `Link` to the next page.
pub fn next_link(path: &str, last: &str, limit: usize, more: &[(&str, &str)]) -> Option<HeaderValue> {
    let mut response = Response::default();
    page::link_next(&mut response, path, last, limit, more);
    response.headers_mut().remove(LINK)
}

/// Whether an `If-None-Match` value holds the entity tag of the digest.
pub fn matches_etag(value: &HeaderValue, digest: &Digest) -> bool {
    header::matches_etag(value, digest)
}

/// The `_state` of an upload.
pub fn sign_upload(states: &UploadStates, repository: &RepositoryName, id: &str, owner: &str) -> String {
    states.sign(repository, id, owner)
}

/// Whether `state` is that of the upload.
pub fn is_signed_upload(
    states: &UploadStates,
    state: &str,
    repository: &RepositoryName,
    id: &str,
    owner: &str,
) -> bool {
    states.verify(state, repository, id, owner)
}
