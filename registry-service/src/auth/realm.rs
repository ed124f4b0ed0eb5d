//! Where a challenge sends the client for a token.

use std::borrow::Cow;

use super::Caller;

/// The token endpoint, as challenges name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    /// `realm`: its URL.
    url: String,
    /// `autoredirectpath`: its path on whatever host the client asked for.
    path: Option<String>,
}

impl Realm {
    /// The URL alone.
    pub fn fixed(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            path: None,
        }
    }

    /// This path on the host that the client asked for, by `X-Forwarded-Proto` or else https, as distribution has it; the
    /// URL where a request names no host.
    pub fn of_request(url: impl Into<String>, path: &str) -> Self {
        Self {
            url: url.into(),
            path: Some(format!("/{}", path.trim_start_matches('/'))),
        }
    }

    /// The URL for one request.
    pub fn url(&self, caller: &Caller<'_>) -> Cow<'_, str> {
        let (Some(path), Some(host)) = (&self.path, caller.host.filter(|host| is_authority(host))) else {
            return Cow::Borrowed(&self.url);
        };
        let first = caller.forwarded_proto.and_then(|list| list.split(',').next());
        let scheme = match first.map(str::trim) {
            Some(scheme) if scheme.eq_ignore_ascii_case("http") => "http",
            _ => "https",
        };
        Cow::Owned(format!("{scheme}://{host}{path}"))
    }
}

/// A host and perhaps a port, and nothing that could become another part of a URL.
fn is_authority(host: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b);
    !host.is_empty() && host.len() <= 255 && host.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_follows_the_request_only_as_far_as_it_is_one() {
        let realm = Realm::of_request("https://auth.example/token", "auth/token");
        let fixed = "https://auth.example/token";
        for (host, proto, expected) in [
            (Some("r.example"), None, "https://r.example/auth/token"),
            (
                Some("r.example:5000"),
                Some("http"),
                "http://r.example:5000/auth/token",
            ),
            (Some("[::1]:5000"), Some("https"), "https://[::1]:5000/auth/token"),
            (
                Some("r.example"),
                Some("HTTP, https"),
                "http://r.example/auth/token",
            ),
            (
                Some("r.example"),
                Some("javascript"),
                "https://r.example/auth/token",
            ),
            (Some("r.example/x?"), None, fixed),
            (Some("user@evil"), None, fixed),
            (Some("a\"b"), None, fixed),
            (Some(""), None, fixed),
            (None, Some("http"), fixed),
        ] {
            let caller = Caller {
                authorization: None,
                host,
                forwarded_proto: proto,
            };
            assert_eq!(realm.url(&caller), expected, "{host:?} {proto:?}");
            assert_eq!(Realm::fixed(fixed).url(&caller), fixed);
        }
    }
}
