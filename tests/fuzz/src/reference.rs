//! References, and the entity tags that name the same content: a reference, then a value of `If-None-Match`.

use http::HeaderValue;
use registry_service::http::fuzzing::matches_etag;
use shared::oci::{Algorithm, Digest, Reference, Tag};

use crate::{grammar, input};

pub(crate) fn run(data: &[u8]) {
    let text = input::text(data);
    let [reference, etags] = input::lines(&text);
    let parsed = reference.parse::<Reference>();
    let (is_tag, is_digest) = (grammar::is_tag(reference), grammar::is_digest(reference));
    assert!(!(is_tag && is_digest), "{reference:?} is two things");
    assert_eq!(reference.parse::<Tag>().is_ok(), is_tag, "{reference:?}");
    match &parsed {
        Ok(Reference::Tag(_)) => assert!(is_tag, "{reference:?}"),
        Ok(Reference::Digest(_)) => assert!(is_digest, "{reference:?}"),
        Err(_) => assert!(!is_tag && !is_digest, "{reference:?}"),
    }
    if let Ok(parsed) = &parsed {
        assert_eq!(parsed.to_string(), reference);
        assert_eq!(parsed.to_string().parse().as_ref(), Ok(parsed));
    }
    let digest = match parsed {
        Ok(Reference::Digest(digest)) => digest,
        _ => Digest::of(Algorithm::Sha256, reference.as_bytes()),
    };
    entity_tags(etags, &digest);
}

/// A value matches exactly when its list holds the tag, weak or strong, or a star.
fn entity_tags(value: &str, digest: &Digest) {
    let Ok(header) = HeaderValue::from_str(value) else {
        return;
    };
    let own = format!("\"{digest}\"");
    let is_own = |tag: &str| tag == own || tag == format!("W/{own}") || matches!(tag, "*" | "W/*");
    // Visible ASCII and tabs alone are looked at.
    let is_text = header.to_str().is_ok();
    let expected = is_text && value.split(',').any(|tag| is_own(tag.trim()));
    assert_eq!(matches_etag(&header, digest), expected, "{value:?}");
    for good in [own.clone(), format!("W/{own}"), format!("\"x\", {own}")] {
        assert!(matches_etag(&HeaderValue::try_from(good).expect("ASCII"), digest));
    }
}
