//! Requests to addresses that people name: sent to public addresses alone, unless the operator allows others.
//!
//! A name is resolved once, every address that it has is checked, and the connection goes to one of those: there is no
//! second look-up that could answer otherwise. Redirects are not followed, proxies of the environment not used.

mod address;
mod signature;
#[cfg(test)]
mod tests;

pub use address::{Allowed, EgressPolicy, InvalidAllowed, Refused};
pub use signature::{dingtalk, feishu, new_secret, standard};

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderMap;
use http::header::{CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use shared::causes::in_one_line;
use tokio::sync::OnceCell;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// Longest wait for the whole answer.
const TOTAL: Duration = Duration::from_secs(10);
/// What is kept of an answer's body, in bytes.
const KEPT_BODY: usize = 4 << 10;
/// What is kept of its headers, in bytes.
const KEPT_HEADERS: usize = 4 << 10;
const USER_AGENT: &str = concat!("portolan-webhook/", env!("CARGO_PKG_VERSION"));

/// What is sent.
#[derive(Clone)]
pub struct Message {
    /// Where to; it may hold a secret.
    pub url: String,
    /// `Content-Type`
    pub media_type: &'static str,
    /// Other headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Message")
    }
}

impl Message {
    /// The headers as they are sent, in lines; without the address, which may hold a secret.
    pub fn head(&self) -> String {
        let mut head = format!("content-type: {}\nuser-agent: {USER_AGENT}", self.media_type);
        for (name, value) in &self.headers {
            head.push('\n');
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
        }
        head
    }
}

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The status; none without an answer.
    pub status: Option<u16>,
    /// The headers in lines, as far as they are kept.
    pub headers: String,
    /// The beginning of the body.
    pub body: String,
    /// Why there was no answer.
    pub error: Option<String>,
    /// When the receiver wants to be asked again, in seconds.
    pub retry_after_s: Option<u64>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
}

type Looked = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
type Lookup = dyn Fn(String) -> Looked + Send + Sync;

/// Looks names up, and answers with addresses that may be reached.
struct Checked {
    policy: Arc<EgressPolicy>,
    lookup: Arc<Lookup>,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, lookup) = (Arc::clone(&self.policy), Arc::clone(&self.lookup));
        Box::pin(async move {
            let found = lookup(name.as_str().to_owned()).await?;
            policy.check_addresses(name.as_str(), &found)?;
            // Port 0 stands for that of the URL.
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

/// Sends messages.
#[derive(Clone)]
pub struct Egress {
    policy: Arc<EgressPolicy>,
    lookup: Arc<Lookup>,
    /// Made when it is needed: a machine without any authority can send in the clear.
    plain: Arc<OnceCell<reqwest::Client>>,
    secure: Arc<OnceCell<reqwest::Client>>,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Egress").field(&self.policy).finish()
    }
}

impl Egress {
    /// Asks the system for addresses.
    pub fn new(policy: EgressPolicy) -> Self {
        Self::with_lookup(policy, |name| {
            Box::pin(async move {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        })
    }

    fn with_lookup(policy: EgressPolicy, lookup: impl Fn(String) -> Looked + Send + Sync + 'static) -> Self {
        Self {
            policy: Arc::new(policy),
            lookup: Arc::new(lookup),
            plain: Arc::default(),
            secure: Arc::default(),
        }
    }

    /// An address as it is kept, if something could be sent there as far as the address itself says; where its name leads is
    /// seen when it is sent.
    pub fn check(&self, url: &str) -> Result<String, Refused> {
        self.policy.check_url(url).map(Into::into)
    }

    /// Sends a message, once.
    pub async fn send(&self, message: &Message) -> Outcome {
        let begun = Instant::now();
        let mut outcome = match self.try_send(message).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome {
                error: Some(error),
                ..Outcome::default()
            },
        };
        outcome.duration_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        outcome
    }

    async fn try_send(&self, message: &Message) -> Result<Outcome, String> {
        let url = self
            .policy
            .check_url(&message.url)
            .map_err(|refused| refused.to_string())?;
        // Its address may hold a secret.
        let text = |error: reqwest::Error| in_one_line(&error.without_url());
        let client = self.client(url.scheme() == "https").await.map_err(text)?;
        let mut request = client
            .post(url)
            .header(CONTENT_TYPE, message.media_type)
            .body(message.body.clone());
        for (name, value) in &message.headers {
            request = request.header(*name, value);
        }
        let mut response = request.send().await.map_err(text)?;
        let status = response.status().as_u16();
        let headers = headers(response.headers());
        let retry_after_s = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let mut body = Vec::new();
        // What does not come whole is no reason to send again: the status is there.
        while body.len() < KEPT_BODY
            && let Ok(Some(piece)) = response.chunk().await
        {
            body.extend_from_slice(&piece[..piece.len().min(KEPT_BODY - body.len())]);
        }
        Ok(Outcome {
            status: Some(status),
            headers,
            body: printable(&body),
            error: None,
            retry_after_s,
            duration_ms: 0,
        })
    }

    async fn client(&self, is_secure: bool) -> Result<&reqwest::Client, reqwest::Error> {
        let cell = if is_secure { &self.secure } else { &self.plain };
        cell.get_or_try_init(|| async {
            let mut builder = reqwest::Client::builder()
                .connect_timeout(CONNECT)
                .timeout(TOTAL)
                .redirect(Policy::none())
                .no_proxy()
                .referer(false)
                .pool_max_idle_per_host(1)
                .user_agent(USER_AGENT)
                .dns_resolver(Arc::new(Checked {
                    policy: Arc::clone(&self.policy),
                    lookup: Arc::clone(&self.lookup),
                }));
            if !is_secure {
                builder = builder.tls_certs_only([]);
            }
            builder.build()
        })
        .await
    }
}

/// Headers in lines, without what is the receiver's secret.
fn headers(map: &HeaderMap) -> String {
    let mut text = String::new();
    for (name, value) in map {
        if name == SET_COOKIE {
            continue;
        }
        let line = format!("{name}: {}\n", printable(value.as_bytes()));
        if text.len() + line.len() > KEPT_HEADERS {
            break;
        }
        text.push_str(&line);
    }
    text
}

/// A text that every database takes.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}
