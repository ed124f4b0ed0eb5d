//! One look at what a check watches.

use std::path::Path;
use std::time::Duration;

use reqwest::redirect;
use shared::causes::in_one_line;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Kind;
use super::check::without_password;
use crate::registry::{Fitness, Registry};

/// Longest wait where none is configured: a look that never ends would say nothing any more.
const PATIENCE: Duration = Duration::from_secs(30);
/// As many redirects as Go's client follows.
const REDIRECTS: usize = 10;

/// What asks a URI, for a check that does.
pub(super) fn client(kind: &Kind) -> Result<Option<reqwest::Client>, String> {
    let Kind::Http { timeout, .. } = kind else {
        return Ok(None);
    };
    reqwest::Client::builder()
        .redirect(redirect::Policy::limited(REDIRECTS))
        .timeout(timeout.unwrap_or(PATIENCE))
        // A connection that is kept would hide that new ones fail.
        .pool_max_idle_per_host(0)
        .build()
        .map(Some)
        .map_err(|error| format!("cannot ask: {error}"))
}

/// Looks once; the error is for whoever reads `/debug/health`.
pub(super) async fn probe(
    kind: &Kind,
    client: Option<&reqwest::Client>,
    registry: &Registry,
) -> Result<(), String> {
    match (kind, client) {
        (Kind::Storage(_), _) => storage(registry).await,
        (Kind::File(path), _) => file(path).await,
        (Kind::Tcp { addr, timeout }, _) => tcp(addr, timeout.unwrap_or(PATIENCE)).await,
        (
            Kind::Http {
                uri, headers, status, ..
            },
            Some(client),
        ) => {
            let mut request = client.head(uri);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            http(uri, request, *status).await
        }
        (Kind::Http { .. }, None) => Err("cannot ask".to_owned()),
    }
}

async fn storage(registry: &Registry) -> Result<(), String> {
    if registry.fitness() == Fitness::Failing {
        return Err("the storage fails to write".to_owned());
    }
    match timeout(PATIENCE, registry.touch_storage()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the storage does not answer".to_owned()),
    }
}

async fn file(path: &Path) -> Result<(), String> {
    match tokio::fs::metadata(path).await {
        Ok(_) => Err("file exists".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

async fn http(uri: &str, request: reqwest::RequestBuilder, status: u16) -> Result<(), String> {
    let shown = without_password(uri);
    match request.send().await {
        Ok(answer) if answer.status().as_u16() == status => Ok(()),
        Ok(answer) => Err(format!(
            "{shown}: downstream service returned unexpected status: {}",
            answer.status().as_u16()
        )),
        // Without its URL, which may hold a password.
        Err(error) => Err(format!(
            "{shown}: error while checking: {}",
            in_one_line(&error.without_url())
        )),
    }
}

async fn tcp(addr: &str, patience: Duration) -> Result<(), String> {
    match timeout(patience, TcpStream::connect(addr)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(format!("connection to {addr} failed")),
    }
}
