//! Headers of the specification that the `http` crate does not name, and their values.

use http::{HeaderName, HeaderValue};
use shared::oci::Digest;

pub(super) const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
pub(super) const DOCKER_UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
pub(super) const DOCKER_API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
pub(super) const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
pub(super) const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");
pub(super) const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

/// The value of a text made of our own words and of names, digests and ids, which hold no control character.
pub(super) fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// `algorithm:hex`
pub(super) fn digest(digest: &Digest) -> HeaderValue {
    value(digest.to_string())
}

/// The entity tag of content: its digest in quotes.
pub(super) fn etag(digest: &Digest) -> HeaderValue {
    value(format!("\"{digest}\""))
}

/// A `Warning` value (RFC 7234, section 5.5, as the distribution-spec narrows it: `299 - "text"`, 4,096 bytes at most).
/// Quotes, backslashes and what is no visible ASCII are left out.
pub fn warning(text: &str) -> HeaderValue {
    const MAX_LENGTH: usize = 4_096;
    const FRAME: usize = "299 - \"\"".len();
    let text: String = text
        .chars()
        .filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'))
        .take(MAX_LENGTH - FRAME)
        .collect();
    value(format!("299 - \"{text}\""))
}

/// Whether an `If-None-Match` value holds the entity tag of `digest` (RFC 9110, section 13.1.2: weak comparison).
pub(super) fn matches_etag(if_none_match: &HeaderValue, digest: &Digest) -> bool {
    let Ok(list) = if_none_match.to_str() else {
        return false;
    };
    list.split(',').map(str::trim).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || is_etag_of(tag, digest)
    })
}

/// Whether `tag` is the entity tag of `digest`, without printing the digest.
pub(super) fn is_etag_of(tag: &str, digest: &Digest) -> bool {
    let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let parts = inner.and_then(|inner| inner.split_once(':'));
    parts.is_some_and(|(algorithm, hex)| algorithm == digest.algorithm().as_str() && hex == digest.hex())
}

#[cfg(test)]
mod tests {
    use shared::oci::Algorithm;

    use super::*;

    #[test]
    fn an_entity_tag_matches_as_a_list_weakly_and_by_star() {
        let digest = Digest::of(Algorithm::Sha256, b"x");
        let other = Digest::of(Algorithm::Sha256, b"y");
        for (list, expected) in [
            (format!("\"{digest}\""), true),
            (format!("W/\"{digest}\""), true),
            (format!("\"{other}\", \"{digest}\""), true),
            ("*".to_owned(), true),
            (format!("\"{other}\""), false),
            (digest.to_string(), false),
            (String::new(), false),
        ] {
            assert_eq!(matches_etag(&value(list.clone()), &digest), expected, "{list}");
        }
    }

    #[test]
    fn a_warning_cannot_leave_its_quotes_and_is_not_too_long() {
        assert_eq!(warning("old \"client\"\r\nX: y"), "299 - \"old clientX: y\"");
        assert_eq!(warning(&"a".repeat(9_000)).len(), 4_096);
    }
}
