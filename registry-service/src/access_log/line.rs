//! One line of Apache's combined format, and what of a request may stand in a log.

use std::borrow::Cow;
use std::io::Write as _;

use http::{HeaderValue, Uri, Version};
use shared::runtime::serve::Exchange;

/// Most bytes of a request target that are shown, and of a header.
const LONGEST_TARGET: usize = 2048;
const LONGEST_HEADER: usize = 512;

/// Parameters whose values are shown. Those of others may be secrets: `_state` makes an upload one's own.
const SHOWN: [&str; 9] = [
    "n",
    "last",
    "digest",
    "mount",
    "from",
    "artifactType",
    "tag",
    "service",
    "scope",
];

/// `host - user [time] "request line" status bytes "referer" "user agent"`
pub(super) fn append(out: &mut Vec<u8>, exchange: &Exchange, status: u16, user: &str, now_s: i64) {
    // Writing to memory does not fail.
    let _ = match exchange.peer.ip() {
        Some(address) => write!(out, "{address} - "),
        None => write!(out, "{} - ", exchange.peer),
    };
    if user.is_empty() {
        out.push(b'-');
    } else {
        word(out, user.as_bytes());
    }
    out.extend_from_slice(b" [");
    time(out, now_s);
    out.extend_from_slice(b"] \"");
    quoted(out, exchange.method.as_str().as_bytes(), LONGEST_HEADER);
    out.push(b' ');
    quoted(out, shown_target(&exchange.uri).as_bytes(), LONGEST_TARGET);
    let version = match exchange.version {
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    };
    let _ = write!(out, " {version}\" {status} {} \"", exchange.sent_bytes);
    header(out, exchange.referer.as_ref());
    out.extend_from_slice(b"\" \"");
    header(out, exchange.user_agent.as_ref());
    out.extend_from_slice(b"\"\n");
}

/// Path and query as sent, without the values of parameters that may be secrets.
pub fn shown_target(uri: &Uri) -> Cow<'_, str> {
    let Some(query) = uri.query() else {
        return Cow::Borrowed(uri.path());
    };
    let mut shown = format!("{}?", uri.path());
    for (number, pair) in query.split('&').enumerate() {
        if number > 0 {
            shown.push('&');
        }
        match pair.split_once('=') {
            Some((name, _)) if !SHOWN.contains(&name) => {
                // A name that is no word is itself something that was sent in the wrong place.
                let is_word =
                    name.len() <= 32 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                shown.push_str(if is_word { name } else { "-" });
                shown.push_str("=-");
            }
            None if !SHOWN.contains(&pair) => shown.push('-'),
            _ => shown.push_str(pair),
        }
    }
    Cow::Owned(shown)
}

fn header(out: &mut Vec<u8>, value: Option<&HeaderValue>) {
    quoted(
        out,
        value.map_or(&b"-"[..], HeaderValue::as_bytes),
        LONGEST_HEADER,
    );
}

/// A text between quotes: whatever could end it, or do something to a terminal, is escaped.
fn quoted(out: &mut Vec<u8>, bytes: &[u8], longest: usize) {
    for &byte in &bytes[..bytes.len().min(longest)] {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b' '..=b'~' => out.push(byte),
            _ => escape(out, byte),
        }
    }
    if bytes.len() > longest {
        out.extend_from_slice(b"...");
    }
}

/// A text that ends at a blank.
fn word(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in &bytes[..bytes.len().min(LONGEST_HEADER)] {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'!'..=b'~' => out.push(byte),
            _ => escape(out, byte),
        }
    }
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    let _ = write!(out, "\\x{byte:02x}");
}

/// `21/Nov/2026:13:37:11 +0000`
fn time(out: &mut Vec<u8>, now_s: i64) {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (days, second) = (now_s.div_euclid(86_400), now_s.rem_euclid(86_400));
    // Days since 1 March of the year 0, whose years end with the leap day.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let name = usize::try_from(month - 1)
        .ok()
        .and_then(|month| MONTHS.get(month));
    let _ = write!(
        out,
        "{day:02}/{}/{year}:{:02}:{:02}:{:02} +0000",
        name.unwrap_or(&"Jan"),
        second / 3600,
        second / 60 % 60,
        second % 60
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_apache_writes_them() {
        for (now_s, expected) in [
            (0, "01/Jan/1970:00:00:00 +0000"),
            (1_795_268_231, "21/Nov/2026:13:37:11 +0000"),
            (1_709_208_000, "29/Feb/2024:12:00:00 +0000"),
            (1_735_689_599, "31/Dec/2024:23:59:59 +0000"),
            (-1, "31/Dec/1969:23:59:59 +0000"),
        ] {
            let mut out = Vec::new();
            time(&mut out, now_s);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn only_parameters_that_are_no_secrets_are_shown() {
        for (target, shown) in [
            ("/v2/", "/v2/"),
            ("/v2/a/tags/list?n=5&last=x", "/v2/a/tags/list?n=5&last=x"),
            ("/u?_state=secret&digest=sha256:1", "/u?_state=-&digest=sha256:1"),
            ("/u?access_token=secret", "/u?access_token=-"),
            ("/u?eyJhbGciOi.secret=x", "/u?-=-"),
            ("/u?secret", "/u?-"),
            ("/u?", "/u?-"),
        ] {
            assert_eq!(shown_target(&target.parse().unwrap()), shown);
        }
    }

    #[test]
    fn nothing_in_a_text_ends_its_quotes_or_its_line() {
        let mut out = Vec::new();
        quoted(&mut out, b"a\"b\\c\n\x1b[31m\xff", 512);
        assert_eq!(out, br#"a\"b\\c\x0a\x1b[31m\xff"#);
        out.clear();
        quoted(&mut out, &[b'a'; 600], 512);
        assert_eq!(out.len(), 515);
        out.clear();
        word(&mut out, b"a b]");
        assert_eq!(out, br"a\x20b]");
    }
}
