//! Answers that the client may have already (RFC 9110, section 13).

use http::HeaderMap;
use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use shared::oci::Digest;
use shared::oci::digest::Algorithm;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The entity tag of these bytes.
pub(super) fn entity_tag(bytes: &[u8]) -> String {
    format!("\"{}\"", &Digest::of(Algorithm::Sha256, bytes).hex()[..32])
}

/// Whether the client has what is called `tag`.
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| matches!(known.trim().trim_start_matches("W/"), known if known == tag || known == "*"))
}

/// The same of a client that says no more than when its answer was changed: `changed_at` in milliseconds since 1970.
pub(super) fn is_unchanged(headers: &HeaderMap, tag: &str, changed_at: Option<i64>) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        return is_known(headers, tag);
    }
    let since = headers
        .get(IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(read_date);
    match (since, changed_at) {
        (Some(since), Some(changed_at)) => changed_at.div_euclid(1000) <= since,
        _ => false,
    }
}

/// A time as headers have it: in whole seconds.
pub(super) fn date(ms: i64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).ok()?;
    let text = time.format(&Rfc2822).ok()?;
    Some(text.strip_suffix("+0000")?.to_owned() + "GMT")
}

/// Seconds since 1970.
fn read_date(text: &str) -> Option<i64> {
    let text = text.trim().strip_suffix("GMT")?.to_owned() + "+0000";
    Some(OffsetDateTime::parse(&text, &Rfc2822).ok()?.unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_800_000_000_250;

    #[test]
    fn a_date_is_written_as_headers_have_it_and_read_again() {
        assert_eq!(date(AT).as_deref(), Some("Fri, 15 Jan 2027 08:00:00 GMT"));
        assert_eq!(date(0).as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
        assert_eq!(read_date("Fri, 15 Jan 2027 08:00:00 GMT"), Some(1_800_000_000));
        for text in ["", "GMT", "tomorrow GMT", "Fri, 15 Jan 2027 08:00:00", "é"] {
            assert_eq!(read_date(text), None, "{text}");
        }
    }

    #[test]
    fn the_tag_counts_before_the_time() {
        let known = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, value.parse().unwrap());
            }
            is_unchanged(&headers, "\"a\"", Some(AT))
        };
        let (before, same, behind) = (
            ("if-modified-since", "Fri, 15 Jan 2027 07:59:59 GMT"),
            ("if-modified-since", "Fri, 15 Jan 2027 08:00:00 GMT"),
            ("if-modified-since", "Sat, 16 Jan 2027 08:00:00 GMT"),
        );
        assert!(!known(&[]) && !known(&[before]) && known(&[same]) && known(&[behind]));
        assert!(!known(&[behind, ("if-none-match", "\"b\"")]));
        assert!(known(&[before, ("if-none-match", "\"b\", W/\"a\"")]));
        assert!(!known(&[("if-modified-since", "yesterday")]));
        assert!(!is_unchanged(&HeaderMap::new(), "\"a\"", None));
    }
}
