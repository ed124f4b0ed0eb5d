//! Asking the index before a manifest is stored, where a token says that a quota is strict.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use shared::oci::{Digest, RepositoryName, Tag};

use crate::notification::Endpoint;

/// Longest answer that is read, in bytes.
const ANSWER: usize = 64 << 10;
/// Where is asked.
const QUOTA: &str = "/events/quota";

/// What would be stored.
#[derive(Debug, Clone, Serialize)]
pub struct Question {
    /// The name under which the repository is kept.
    pub stored_as: RepositoryName,
    /// Tags that would point to the manifest.
    pub tags: Vec<Tag>,
    /// The manifest and the blobs that it names, each with its size.
    pub blobs: Vec<(Digest, u64)>,
}

/// What the index says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Permit {
    /// Why not, where not.
    pub refusal: Option<String>,
}

/// Why the index could not be asked.
pub type NotAsked = Box<dyn std::error::Error + Send + Sync>;
type Answered = Pin<Box<dyn Future<Output = Result<Permit, NotAsked>> + Send>>;

/// Whoever asks. Clones share everything.
#[derive(Clone)]
pub struct Permits(Arc<dyn Fn(Vec<u8>) -> Answered + Send + Sync>);

impl Permits {
    /// By calling this with each question as JSON.
    pub fn new(ask: impl Fn(Vec<u8>) -> Answered + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// By the endpoint of notifications that is an index; none when none is. It shows the same secret there as with events.
    pub fn of_endpoints(endpoints: &[Endpoint]) -> reqwest::Result<Option<Self>> {
        let Some(endpoint) = endpoints.iter().find(|endpoint| endpoint.is_index) else {
            return Ok(None);
        };
        let (client, url) = (endpoint.client(endpoint.timeout)?, endpoint.beside(QUOTA));
        let headers = endpoint.headers.clone();
        Ok(Some(Self::new(move |body| {
            let mut request = client.post(url.clone()).header(CONTENT_TYPE, "application/json");
            for (name, value) in &headers {
                request = request.header(name, value);
            }
            Box::pin(async move {
                let answer = request.body(body).send().await;
                // Without its URL, which may hold a password.
                let mut answer = answer
                    .and_then(reqwest::Response::error_for_status)
                    .map_err(reqwest::Error::without_url)?;
                let mut text = Vec::new();
                while let Some(piece) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
                    text.extend_from_slice(&piece);
                    if text.len() > ANSWER {
                        return Err("the answer is too long".into());
                    }
                }
                Ok(serde_json::from_slice(&text)?)
            })
        })))
    }

    /// Asks.
    pub async fn ask(&self, question: &Question) -> Result<Permit, NotAsked> {
        (self.0)(serde_json::to_vec(question)?).await
    }
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permits")
    }
}
