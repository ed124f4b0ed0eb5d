//! How a target reads its bytes: as lines, so that the corpus can be read and written by people.

use std::borrow::Cow;

use serde_json::Value;

/// The input as text; what is no UTF-8 becomes U+FFFD.
pub(crate) fn text(data: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(data)
}

/// The first `N - 1` lines and the rest; what is not there is empty.
pub(crate) fn lines<const N: usize>(text: &str) -> [&str; N] {
    let mut parts = text.splitn(N, '\n');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The same of bytes.
pub(crate) fn byte_lines<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let mut parts = data.splitn(N, |byte| *byte == b'\n');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// How many keys the objects of a JSON text hold, counted without reading it: its colons outside of strings.
pub(crate) fn keys_of(json: &str) -> usize {
    outside_strings(json).filter(|byte| *byte == b':').count()
}

/// How many keys the objects of a value hold.
pub(crate) fn keys_in(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(keys_in).sum(),
        Value::Object(map) => map.len() + map.values().map(keys_in).sum::<usize>(),
        _ => 0,
    }
}

/// How deep the arrays and objects of a JSON text go.
pub(crate) fn depth_of(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in outside_strings(json) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn outside_strings(json: &str) -> impl Iterator<Item = u8> {
    let (mut inside, mut escaped) = (false, false);
    json.bytes().filter(move |byte| {
        let was_inside = inside;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            _ => {}
        }
        !was_inside && !inside
    })
}
