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
    /// What scheme the client used where no proxy says it: its connection's, or https as distribution has it.
    by_connection: bool,
}

impl Realm {
    /// The URL alone.
    pub fn fixed(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            path: None,
            by_connection: false,
        }
    }

    /// This path of the registry itself: below the external URL, or where the client asked when that is empty.
    pub(super) fn own(base_url: &str, path: &str) -> Self {
        Self {
            url: format!("{base_url}{path}"),
            path: base_url.is_empty().then(|| path.to_owned()),
            by_connection: true,
        }
    }

    /// This path on the host that the client asked for, by `X-Forwarded-Proto` or else https, as distribution has it; the
    /// URL where a request names no host.
    pub fn of_request(url: impl Into<String>, path: &str) -> Self {
        Self {
            url: url.into(),
            path: Some(format!("/{}", path.trim_start_matches('/'))),
            by_connection: false,
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
            None if self.by_connection && !caller.is_secured => "http",
            _ => "https",
        };
        Cow::Owned(format!("{scheme}://{host}{path}"))
    }
}

/// A host and perhaps a port, and nothing that could become another part of a URL: all that may be taken from a request into one.
pub fn is_authority(host: &str) -> bool {
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
                is_secured: false,
            };
            assert_eq!(realm.url(&caller), expected, "{host:?} {proto:?}");
            assert_eq!(Realm::fixed(fixed).url(&caller), fixed);
        }
    }

    #[test]
    fn the_registrys_own_realm_is_where_the_client_is() {
        for (base, is_secured, proto, expected) in [
            ("", false, None, "http://r:5000/t"),
            ("", true, None, "https://r:5000/t"),
            ("", false, Some("https"), "https://r:5000/t"),
            ("", true, Some("http"), "http://r:5000/t"),
            (
                "https://registry.example",
                false,
                Some("http"),
                "https://registry.example/t",
            ),
        ] {
            let caller = Caller {
                authorization: None,
                host: Some("r:5000"),
                forwarded_proto: proto,
                is_secured,
            };
            assert_eq!(Realm::own(base, "/t").url(&caller), expected);
        }
    }
}
