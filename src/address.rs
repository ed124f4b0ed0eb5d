//! The public URL: under which name clients reach the server, and so which realm and service tokens are for.

use std::net::SocketAddr;

use http::Uri;

/// The URL that clients use, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    scheme: &'static str,
    authority: String,
}

impl PublicUrl {
    /// From `--public-url`, or from the address that is listened on when that is loopback.
    pub(crate) fn choose(given: Option<&str>, listen: SocketAddr, tls: bool) -> anyhow::Result<Self> {
        match given {
            Some(text) => Self::parse(text),
            None if listen.ip().is_loopback() => {
                let scheme = if tls { "https" } else { "http" };
                Ok(Self {
                    scheme,
                    authority: format!("localhost:{}", listen.port()),
                })
            }
            None => anyhow::bail!(
                "{listen} can be reached from other machines, so clients must be told under which name.\n\
                 Type the URL that they will use, for example:\n\n    \
                 portolan up --listen {listen} --public-url https://registry.example.com\n\n\
                 and serve HTTPS: --tls-cert FILE --tls-key FILE, --tls-self-signed, or a proxy in front."
            ),
        }
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let wrong = || {
            anyhow::anyhow!(
                "--public-url {text:?}: expected http:// or https://, a host and perhaps a port, and no path"
            )
        };
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let scheme = match uri.scheme_str() {
            Some("http") => "http",
            Some("https") => "https",
            _ => return Err(wrong()),
        };
        let authority = uri
            .authority()
            .filter(|a| !a.host().is_empty() && !a.as_str().contains('@'));
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong());
        }
        Ok(Self {
            scheme,
            authority: authority.ok_or_else(wrong)?.as_str().to_ascii_lowercase(),
        })
    }

    /// `host:port` as clients write it in image names; also the service of tokens.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The host without the port.
    pub(crate) fn host(&self) -> &str {
        let host = self
            .authority
            .rsplit_once(':')
            .map_or(self.authority.as_str(), |(host, port)| {
                if port.bytes().all(|b| b.is_ascii_digit()) {
                    host
                } else {
                    &self.authority
                }
            });
        host.trim_start_matches('[').trim_end_matches(']')
    }
}

impl std::fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(given: Option<&str>, listen: &str, tls: bool) -> anyhow::Result<String> {
        PublicUrl::choose(given, listen.parse().unwrap(), tls).map(|url| url.to_string())
    }

    #[test]
    fn on_loopback_the_url_is_localhost_with_the_port() {
        assert_eq!(
            choose(None, "127.0.0.1:5000", false).unwrap(),
            "http://localhost:5000"
        );
        assert_eq!(
            choose(None, "[::1]:5000", true).unwrap(),
            "https://localhost:5000"
        );
    }

    #[test]
    fn an_address_that_others_reach_needs_a_url_and_the_refusal_says_what_to_type() {
        let refusal = choose(None, "0.0.0.0:5000", false).unwrap_err().to_string();
        assert!(
            refusal.contains("portolan up --listen 0.0.0.0:5000 --public-url https://"),
            "{refusal}"
        );
        assert_eq!(
            choose(Some("https://Hub.example.com/"), "0.0.0.0:5000", false).unwrap(),
            "https://hub.example.com"
        );
    }

    #[test]
    fn what_is_no_plain_url_is_refused() {
        for text in [
            "",
            "hub.example.com",
            "ftp://x",
            "https://",
            "https://x/path",
            "https://x?y",
            "https://u:p@x",
        ] {
            assert!(choose(Some(text), "127.0.0.1:1", false).is_err(), "{text}");
        }
    }

    #[test]
    fn the_host_is_known_without_its_port() {
        for (url, host) in [
            ("https://a.b:5000", "a.b"),
            ("http://a.b", "a.b"),
            ("https://[::1]:5000", "::1"),
        ] {
            let url = PublicUrl::choose(Some(url), "127.0.0.1:1".parse().unwrap(), false).unwrap();
            assert_eq!(url.host(), host);
        }
    }
}
