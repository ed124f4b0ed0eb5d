//! A request and its answer, for whoever keeps count or a log of them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HOST, REFERER, USER_AGENT};
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, Version};
use http_body::Body;

use super::address::PeerAddr;
use crate::runtime::telemetry::RequestId;

/// Told of every request when it has ended, in the request's span. It must not wait.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Exchange) + Send + Sync>);

impl Observer {
    /// One that does this.
    pub fn new(observe: impl Fn(&Exchange) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    pub(super) fn tell(&self, exchange: &Exchange) {
        (self.0)(exchange);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// A request that has ended. What the client sent is as it sent it, and has to be escaped where it is shown.
#[derive(Debug)]
pub struct Exchange {
    /// Names it in the log.
    pub id: RequestId,
    /// The other end of the connection.
    pub peer: PeerAddr,
    /// The request line.
    pub method: Method,
    /// The request line.
    pub uri: Uri,
    /// The request line.
    pub version: Version,
    /// `Host` of the request.
    pub host: Option<HeaderValue>,
    /// `User-Agent` of the request.
    pub user_agent: Option<HeaderValue>,
    /// `Referer` of the request.
    pub referer: Option<HeaderValue>,
    /// `Content-Type` of the request.
    pub content_type: Option<HeaderValue>,
    /// Bytes of the request's body as it announced them; 0 when it did not.
    pub announced_bytes: u64,
    /// The answer's status; none when the request ended before it was answered.
    pub status: Option<StatusCode>,
    /// `Content-Type` of the answer.
    pub answer_type: Option<HeaderValue>,
    /// Bytes of the answer's body that were handed to the connection.
    pub sent_bytes: u64,
    /// Whether these were all.
    pub complete: bool,
    /// From the end of the request's header to the end of its answer.
    pub duration: Duration,
    /// What the service left in its answer's extensions, which live for as long as the request.
    pub extensions: Extensions,
}

impl Exchange {
    pub(super) fn begin<B: Body>(request: &Request<B>, id: RequestId, peer: PeerAddr) -> Self {
        let header = |name| HeaderMap::get(request.headers(), name).cloned();
        Self {
            id,
            peer,
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            host: header(HOST),
            user_agent: header(USER_AGENT),
            referer: header(REFERER),
            content_type: header(CONTENT_TYPE),
            announced_bytes: request.body().size_hint().exact().unwrap_or(0),
            status: None,
            answer_type: None,
            sent_bytes: 0,
            complete: false,
            duration: Duration::ZERO,
            extensions: Extensions::new(),
        }
    }
}
