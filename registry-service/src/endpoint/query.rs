//! Reading a query string (WHATWG URL, "application/x-www-form-urlencoded parsing"), without collecting it.

use std::borrow::Cow;

/// The first value of `key`, decoded. A value whose escapes are malformed is given as sent: it then fails the grammar
/// of whatever it was meant to be.
pub fn find<'a>(query: &'a str, key: &str) -> Option<Cow<'a, str>> {
    all(query, key).next()
}

/// Every value of `key` in its order, decoded as by [`find`].
pub fn all<'a>(query: &'a str, key: &str) -> impl Iterator<Item = Cow<'a, str>> {
    query.split('&').filter_map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name == key).then(|| decode(value))
    })
}

/// `text` with `+` and `%XX` replaced; `text` itself when an escape is malformed or the result is not UTF-8.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|b| b == b'%' || b == b'+') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => match (bytes.next().and_then(digit), bytes.next().and_then(digit)) {
                (Some(high), Some(low)) => decoded.push(high << 4 | low),
                _ => return Cow::Borrowed(text),
            },
            other => decoded.push(other),
        }
    }
    String::from_utf8(decoded).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Appends `text` so that it stands for itself as a query value: everything but letters, digits and `-._~:/` is
/// escaped.
pub fn push_encoded(target: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte) {
            target.push(char::from(byte));
        } else {
            target.push('%');
            target.push(char::from(DIGITS[usize::from(byte >> 4)]));
            target.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_key_and_decoded() {
        let query = "mount=sha256%3Aab&from=a%2Fb&tag=1&tag=2+3&empty=&flag";
        assert_eq!(find(query, "mount").as_deref(), Some("sha256:ab"));
        assert_eq!(find(query, "from").as_deref(), Some("a/b"));
        assert_eq!(find(query, "empty").as_deref(), Some(""));
        assert_eq!(find(query, "flag").as_deref(), Some(""));
        assert_eq!(find(query, "fro"), None);
        assert_eq!(find("", "from"), None);
        assert_eq!(all(query, "tag").collect::<Vec<_>>(), ["1", "2 3"]);
    }

    #[test]
    fn a_malformed_escape_is_given_as_sent() {
        for raw in ["%", "%4", "%zz", "a%ff", "%+1"] {
            assert_eq!(find(&format!("k={raw}"), "k").as_deref(), Some(raw));
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(text in "\\PC{0,40}") {
            let mut query = "k=".to_owned();
            push_encoded(&mut query, &text);
            let found = find(&query, "k");
            proptest::prop_assert_eq!(found.as_deref(), Some(text.as_str()));
        }
    }
}
