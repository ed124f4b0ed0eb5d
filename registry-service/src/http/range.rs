//! Byte ranges: `Range` of a blob (RFC 9110, section 14) and `Content-Range` of a chunk (distribution-spec, "Pushing a
//! blob in chunks").

use std::ops::Range;

/// What a `Range` value asks of content of a known size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Requested {
    /// All of it: another unit than bytes, or several ranges, which a server may answer so.
    Whole,
    /// A part that is not empty and lies within it.
    Part(Range<u64>),
    /// Nothing that there is: malformed, backwards or beyond the end.
    Unsatisfiable,
}

/// Reads a `Range` value for content of `size` bytes.
pub(super) fn parse(value: &str, size: u64) -> Requested {
    let Some((unit, set)) = value.split_once('=') else {
        return Requested::Unsatisfiable;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Requested::Whole;
    }
    part(set.trim(), size).map_or(Requested::Unsatisfiable, Requested::Part)
}

fn part(range: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = range.split_once('-')?;
    let (start, end) = match (first, last) {
        ("", suffix) => (size.saturating_sub(number(suffix)?), size),
        (first, "") => (number(first)?, size),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            (first, last.saturating_add(1).min(size))
        }
    };
    (start < end).then_some(start..end)
}

/// The bytes of a chunk as its `Content-Range` says: `<first>-<last>`, also as `bytes <first>-<last>/<total>`.
pub(super) fn parse_chunk(value: &str) -> Option<Range<u64>> {
    let value = value.trim();
    let value = value.strip_prefix("bytes ").unwrap_or(value);
    let (range, total) = value.split_once('/').unwrap_or((value, "*"));
    let (first, last) = range.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    let end = last.checked_add(1)?;
    let fits = total == "*" || number(total)? >= end;
    (first < end && fits).then_some(first..end)
}

/// Digits alone; a number too large for any content is as good as the largest.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_thousand_bytes() {
        for (value, expected) in [
            ("bytes=0-0", Requested::Part(0..1)),
            ("bytes=0-499", Requested::Part(0..500)),
            ("bytes=500-999", Requested::Part(500..1000)),
            ("bytes=500-", Requested::Part(500..1000)),
            ("bytes=999-", Requested::Part(999..1000)),
            ("bytes=-1", Requested::Part(999..1000)),
            ("bytes=-5000", Requested::Part(0..1000)),
            ("bytes=900-99999999999999999999999", Requested::Part(900..1000)),
            ("bytes=0-18446744073709551615", Requested::Part(0..1000)),
            ("Bytes = 0-1", Requested::Part(0..2)),
            ("bytes=1000-", Requested::Unsatisfiable),
            ("bytes=5000-10000", Requested::Unsatisfiable),
            ("bytes=99999999999999999999999-", Requested::Unsatisfiable),
            ("bytes=500-0", Requested::Unsatisfiable),
            ("bytes=-0", Requested::Unsatisfiable),
            ("bytes=-", Requested::Unsatisfiable),
            ("bytes=", Requested::Unsatisfiable),
            ("bytes=a-b", Requested::Unsatisfiable),
            ("bytes=--1", Requested::Unsatisfiable),
            ("bytes=+1-2", Requested::Unsatisfiable),
            ("bytes", Requested::Unsatisfiable),
            ("bytes=0-1,5-9", Requested::Whole),
            ("items=0-1", Requested::Whole),
        ] {
            assert_eq!(parse(value, 1000), expected, "{value}");
        }
        for value in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            assert_eq!(
                parse(value, 0),
                Requested::Unsatisfiable,
                "{value} of an empty blob"
            );
        }
    }

    #[test]
    fn ranges_of_chunks() {
        for (value, expected) in [
            ("0-0", Some(0..1)),
            ("5-9", Some(5..10)),
            ("bytes 5-9/10", Some(5..10)),
            ("bytes 5-9/*", Some(5..10)),
            ("bytes 5-9/9", None),
            ("bytes 5-9/10/1", None),
            ("5-9/", None),
            ("9-5", None),
            ("5-", None),
            ("-5", None),
            ("", None),
            ("a-b", None),
            ("0-18446744073709551615", None),
        ] {
            assert_eq!(parse_chunk(value), expected, "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_part_lies_within_the_content(value in "(bytes=)?[0-9-]{0,24}", size in 0_u64..2_000) {
            if let Requested::Part(part) = parse(&value, size) {
                proptest::prop_assert!(part.start < part.end && part.end <= size);
            }
        }
    }
}
