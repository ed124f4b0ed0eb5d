//! Byte ranges: the size of the content, a value of `Range`, a value of `Content-Range`.

use std::sync::LazyLock;

use regex::Regex;
use registry_service::http::fuzzing::{chunk_range, requested_range};

use crate::input;

pub(crate) fn run(data: &[u8]) {
    let text = input::text(data);
    let [size, range, chunk] = input::lines(&text);
    let size = size.parse::<u64>().unwrap_or(size.len() as u64);
    requested(range, size);
    chunks(chunk);
}

/// RFC 9110, section 14.1.2, worked out with numbers that have no end.
fn requested(value: &str, size: u64) {
    static ONE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\A(?i-u:bytes)=([0-9]*)-([0-9]*)\z").expect("a pattern of ours"));
    let found = requested_range(value, size);
    if let Some(found) = &found {
        let is_whole = *found == (0..size);
        assert!(
            is_whole || found.start < found.end && found.end <= size,
            "{found:?} of {size}"
        );
    }
    let Some(parts) = ONE.captures(value) else { return };
    let size = u128::from(size);
    let expected = match (number(&parts[1]), number(&parts[2])) {
        (None, None) => None,
        (None, Some(suffix)) => Some((size.saturating_sub(suffix), size)),
        (Some(first), None) => Some((first, size)),
        (Some(first), Some(last)) if last < first => None,
        (Some(first), Some(last)) => Some((first, last.saturating_add(1).min(size))),
    };
    let expected = expected.filter(|(start, end)| start < end);
    let found = found.map(|found| (u128::from(found.start), u128::from(found.end)));
    assert_eq!(found, expected, "{value:?} of {size}");
}

/// Too many digits for any number are as good as the largest.
fn number(digits: &str) -> Option<u128> {
    (!digits.is_empty()).then(|| digits.parse().unwrap_or(u128::MAX))
}

fn chunks(value: &str) {
    static CHUNK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\A(?:bytes )?([0-9]+)-([0-9]+)(?:/([0-9]+|\*))?\z").expect("a pattern of ours")
    });
    let found = chunk_range(value);
    let Some(parts) = CHUNK.captures(value.trim()) else {
        assert_eq!(found, None, "{value:?}");
        return;
    };
    let (first, last) = (number(&parts[1]), number(&parts[2]));
    let total = parts.get(3).filter(|total| total.as_str() != "*");
    let end = last.expect("digits").saturating_add(1);
    let fits = total.is_none_or(|total| number(total.as_str()).expect("digits") >= end);
    let is_good = first <= last && fits && end <= u128::from(u64::MAX);
    let found = found.map(|found| (u128::from(found.start), u128::from(found.end)));
    assert_eq!(found, is_good.then(|| (first.expect("digits"), end)), "{value:?}");
}
