//! URLs as Go puts them together.

use std::str::FromStr;

use reqwest::Url;

/// The URL under which the tree of the storage can be fetched; without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Box<str>);

/// The text is no such URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a URL such as https://downloads.example/registry")]
pub struct InvalidBaseUrl;

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| InvalidBaseUrl)?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let (true, Some(host)) = (matches!(url.scheme(), "http" | "https"), host) else {
            return Err(InvalidBaseUrl);
        };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        // Query, fragment and user are left out, and slashes in a row are one, as in distribution.
        let parts = url.path().split('/').filter(|part| !part.is_empty());
        let origin = format!("{}://{host}{port}", url.scheme());
        Ok(Self(parts.fold(origin, |url, part| url + "/" + part).into()))
    }
}

impl BaseUrl {
    /// The URL of a path that begins with a slash and needs no escapes.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

/// What is changed in a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// Another scheme.
    pub scheme: Option<String>,
    /// Another host, perhaps with a port.
    pub host: Option<String>,
    /// Taken off the beginning of the path.
    pub trim_path_prefix: Option<String>,
}

impl Rewrite {
    /// The URL, changed; query and all else as they are.
    pub fn apply(&self, url: &str) -> String {
        let Some((scheme, rest)) = url.split_once("://") else {
            return url.to_owned();
        };
        let (host, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (path, rest) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
        let prefix = self.trim_path_prefix.as_deref().unwrap_or_default();
        let path = path.strip_prefix(prefix).unwrap_or(path);
        let slash = if path.is_empty() || path.starts_with('/') {
            ""
        } else {
            "/"
        };
        let scheme = self.scheme.as_deref().unwrap_or(scheme);
        let host = self.host.as_deref().unwrap_or(host);
        format!("{scheme}://{host}{slash}{path}{rest}")
    }
}
