//! The registry's public API, as the index asks it: with a token that it signs for itself.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::redirect::Policy;
use shared::oci::RepositoryName;

const CONNECT: Duration = Duration::from_secs(3);
const TOTAL: Duration = Duration::from_secs(10);

/// The registry did not say whether.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No answer, or none that is HTTP.
    #[error("while asking the registry about a repository")]
    Unreachable(#[from] reqwest::Error),
    /// An answer that says neither yes nor no.
    #[error("the registry answered {0} when asked about a repository")]
    Unexpected(StatusCode),
}

/// Asks one registry.
#[derive(Debug, Clone)]
pub struct RegistryClient {
    http: reqwest::Client,
    url: String,
}

impl RegistryClient {
    /// `url` has no path and no slash at its end. Redirects are not followed: the token is for this registry alone.
    pub fn new(url: &str) -> Result<Self, RegistryError> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent("portolan-index")
            .build()?;
        Ok(Self {
            http,
            url: url.to_owned(),
        })
    }

    /// Whether the registry holds a manifest under this name; the token may say that it is stored under another.
    pub async fn holds(&self, name: &RepositoryName, token: &str) -> Result<bool, RegistryError> {
        // The specification lists no manifests; a repository without any has no list of tags.
        let url = format!("{}/v2/{name}/tags/list?n=1", self.url);
        let status = self.http.get(url).bearer_auth(token).send().await?.status();
        match status {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(RegistryError::Unexpected(status)),
        }
    }
}
