//! One request to an endpoint.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::StatusCode;
use http::header::{CONTENT_TYPE, USER_AGENT};
use shared::causes::in_one_line;

use super::endpoint::Endpoint;
use super::event::{Event, envelope};
use crate::metrics::EndpointNumbers;

/// As much of an answer, in bytes, is read so that its connection can be used again.
const ANSWER: usize = 64 << 10;

/// Takes envelopes in this process, and answers as a receiver would over HTTP.
#[derive(Clone)]
pub struct Receive(Arc<dyn Fn(Vec<u8>) -> Received + Send + Sync>);

type Received = Pin<Box<dyn Future<Output = StatusCode> + Send>>;

impl Receive {
    /// By calling this with each envelope.
    pub fn new(receive: impl Fn(Vec<u8>) -> Received + Send + Sync + 'static) -> Self {
        Self(Arc::new(receive))
    }
}

impl fmt::Debug for Receive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receive")
    }
}

/// Whoever sends to one endpoint.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    client: reqwest::Client,
    within: Option<Receive>,
    endpoint: Arc<Endpoint>,
    numbers: Arc<EndpointNumbers>,
}

/// Why events were not accepted.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The endpoint takes nothing at the moment, or cannot be reached.
    Everything(String),
    /// It does not take these events.
    These(String),
}

impl Sender {
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        within: Option<Receive>,
        numbers: Arc<EndpointNumbers>,
    ) -> reqwest::Result<Self> {
        let client = endpoint.client(endpoint.timeout)?;
        Ok(Self {
            client,
            within,
            endpoint,
            numbers,
        })
    }

    /// Sends events in one envelope. Accepted is what is answered with 2xx or 3xx, as by distribution.
    pub(super) async fn send(&self, events: &[Event]) -> Result<(), Refusal> {
        let count = events.len() as u64;
        let version = self.endpoint.version;
        if let Some(within) = &self.within {
            let status = (within.0)(envelope(events, version)).await;
            self.numbers.answered(status, count);
            return self.judge(status, count);
        }
        let mut request = self.client.post(self.endpoint.url.clone());
        request = request.header(USER_AGENT, concat!("portolan/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &self.endpoint.headers {
            request = request.header(name, value);
        }
        let request = request
            .header(CONTENT_TYPE, version.media_type())
            .body(envelope(events, version));
        let mut answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                self.numbers.errors.add(count);
                // Without its URL, which may hold a password.
                return Err(Refusal::Everything(in_one_line(&error.without_url())));
            }
        };
        let status = answer.status();
        self.numbers.answered(status, count);
        let mut read = 0;
        while let Ok(Some(piece)) = answer.chunk().await {
            read += piece.len();
            if read > ANSWER {
                break;
            }
        }
        self.judge(status, count)
    }

    fn judge(&self, status: StatusCode, count: u64) -> Result<(), Refusal> {
        if status.is_success() || status.is_redirection() {
            self.numbers.successes.add(count);
            return Ok(());
        }
        self.numbers.failures.add(count);
        let told = status.to_string();
        Err(if is_about_events(status) {
            Refusal::These(told)
        } else {
            Refusal::Everything(told)
        })
    }
}

/// Whether a status says something of these events, and nothing of others.
fn is_about_events(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::CONFLICT
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNPROCESSABLE_ENTITY
    )
}
