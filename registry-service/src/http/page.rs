//! Lists that come in pages: `n`, `last` and `Link` (distribution-spec, "Listing Tags"; RFC 8288).

use axum::response::Response;
use http::header::LINK;
use shared::oci::ErrorCode;

use super::error::Error;
use super::header;
use crate::endpoint::query;

/// Longest page, unless the configuration says otherwise.
pub(super) const MAX_PAGE: usize = 1_000;

/// The page that is asked for: `n` as digits, at most `longest`, which a longer one becomes; `default` when it is not given.
pub(super) fn limit(query: &str, default: usize, longest: usize) -> Result<usize, Error> {
    let Some(n) = query::find(query, "n") else {
        return Ok(default.min(longest));
    };
    if n.is_empty() || !n.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::Parameter(
            ErrorCode::PaginationNumberInvalid,
            "n is the length of a page: a whole number",
        ));
    }
    // Digits that are no number of this machine are too many, and so many are never given.
    Ok(n.parse().unwrap_or(longest).min(longest))
}

/// Names the next page: the same path and, after `last` and `n`, the parameters given.
pub(super) fn link_next(
    response: &mut Response,
    path: &str,
    last: &str,
    limit: usize,
    more: &[(&str, &str)],
) {
    let mut link = format!("<{path}?last=");
    query::push_encoded(&mut link, last);
    link.push_str("&n=");
    link.push_str(&limit.to_string());
    for (key, value) in more {
        link.push('&');
        link.push_str(key);
        link.push('=');
        query::push_encoded(&mut link, value);
    }
    link.push_str(">; rel=\"next\"");
    response.headers_mut().insert(LINK, header::value(link));
}
