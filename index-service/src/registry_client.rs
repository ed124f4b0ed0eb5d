//! The registry's public API, as the index asks it: with a token that it signs for itself.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH, LINK};
use http::{HeaderMap, Method, StatusCode};
use reqwest::redirect::Policy;
use serde::Deserialize;
use shared::oci::{Digest, MediaType, RepositoryName};

const CONNECT: Duration = Duration::from_secs(3);
const TOTAL: Duration = Duration::from_secs(10);
/// For removing content, which tells receivers of every tag and manifest. What is done by then need not be done again.
const PURGE: Duration = Duration::from_mins(1);
/// Who asks, as the registry's log and its events name it.
pub const USER_AGENT: &str = "portolan-index";
/// The media types of all manifests.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";
/// Largest manifest that a registry takes, in bytes.
const LONGEST_MANIFEST: usize = 4 << 20;
/// Largest page of a list, in bytes.
const LONGEST_PAGE: usize = 4 << 20;
/// Most referrers of a manifest that are read.
const MOST_REFERRERS: usize = 10_000;
/// Tags on a page.
const TAGS: usize = 1000;

/// The registry did not say whether.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No answer, or none that is HTTP.
    #[error("while asking the registry about a repository")]
    Unreachable(#[from] reqwest::Error),
    /// The registry in this process failed.
    #[error("while asking the registry in this process about a repository")]
    Within(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An answer that says neither yes nor no.
    #[error("the registry answered {0} when asked about a repository")]
    Unexpected(StatusCode),
    /// An answer that is none of the API's.
    #[error("the registry's answer about a repository cannot be understood")]
    Unreadable,
}

impl RegistryError {
    /// Whether another question would have met the same.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Within(_) => true,
            Self::Unexpected(status) => status.is_server_error(),
            Self::Unreadable => false,
        }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// For `Authorization: Bearer`.
    pub token: String,
    /// `Accept`
    pub accept: Option<&'static str>,
    /// Further headers.
    pub headers: Vec<(HeaderName, String)>,
    /// What is sent.
    pub body: Vec<u8>,
    /// Longest body that is read, in bytes; of a longer one nothing.
    pub longest: usize,
    /// Longest wait for the answer.
    pub patience: Duration,
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; none when it is too long.
    pub body: Option<Vec<u8>>,
}

type Replied = Pin<Box<dyn Future<Output = Result<Reply, RegistryError>> + Send>>;

/// Asks one registry.
#[derive(Clone)]
pub struct RegistryClient(Way);

#[derive(Clone)]
enum Way {
    Http { http: reqwest::Client, url: String },
    Within(Arc<dyn Fn(Question) -> Replied + Send + Sync>),
}

impl fmt::Debug for RegistryClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Way::Http { url, .. } => f.debug_tuple("RegistryClient").field(url).finish(),
            Way::Within(_) => f.write_str("RegistryClient"),
        }
    }
}

/// A manifest as it was served.
#[derive(Debug, Clone)]
pub struct Served {
    /// Its bytes; none of one that was only asked about.
    pub bytes: Vec<u8>,
    /// `Content-Type`
    pub media_type: String,
    /// What the registry says its digest is.
    pub digest: String,
}

/// A page of tags.
#[derive(Debug, Clone)]
pub struct TagPage {
    /// The tags.
    pub tags: Vec<String>,
    /// Whether more follow behind the last.
    pub more: bool,
}

/// What the registry says of a change that it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It is made.
    Done,
    /// There is no such thing.
    Absent,
    /// The tag points elsewhere by now.
    Moved,
    /// The registry does not do that.
    Refused(StatusCode),
}

/// What must hold for a tag before it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagMust<'a> {
    /// It points to this manifest.
    Be(&'a str),
    /// There is none.
    BeAbsent,
}

impl TagMust<'_> {
    fn header(self) -> (HeaderName, String) {
        match self {
            Self::Be(digest) => (IF_MATCH, format!("\"{digest}\"")),
            Self::BeAbsent => (IF_NONE_MATCH, "*".to_owned()),
        }
    }
}

fn changed(status: StatusCode) -> Result<Changed, RegistryError> {
    Ok(match status {
        StatusCode::OK | StatusCode::CREATED | StatusCode::ACCEPTED | StatusCode::NO_CONTENT => Changed::Done,
        StatusCode::NOT_FOUND => Changed::Absent,
        StatusCode::PRECONDITION_FAILED => Changed::Moved,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            return Err(RegistryError::Unexpected(status));
        }
        status if status.is_client_error() => Changed::Refused(status),
        status => return Err(RegistryError::Unexpected(status)),
    })
}

impl RegistryClient {
    /// `url` has no path and no slash at its end. Redirects are not followed: the token is for this registry alone.
    pub fn new(url: &str) -> Result<Self, RegistryError> {
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(USER_AGENT);
        if url.starts_with("http://") {
            // No certificate is looked at, so a machine without any authority will do.
            http = http.tls_certs_only([]);
        }
        Ok(Self(Way::Http {
            http: http.build()?,
            url: url.to_owned(),
        }))
    }

    /// Asks a registry that runs in this process.
    pub fn within(ask: impl Fn(Question) -> Replied + Send + Sync + 'static) -> Self {
        Self(Way::Within(Arc::new(ask)))
    }

    async fn ask(&self, question: Question) -> Result<Reply, RegistryError> {
        let (http, url) = match &self.0 {
            Way::Http { http, url } => (http, url),
            Way::Within(ask) => return ask(question).await,
        };
        let url = format!("{url}{}", question.path);
        let mut request = http
            .request(question.method, url)
            .timeout(question.patience)
            .bearer_auth(question.token);
        if let Some(accept) = question.accept {
            request = request.header(ACCEPT, accept);
        }
        for (name, value) in question.headers {
            request = request.header(name, value);
        }
        if !question.body.is_empty() {
            request = request.body(question.body);
        }
        let mut response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await? {
            if body.len() + piece.len() > question.longest {
                return Ok(Reply {
                    status,
                    headers,
                    body: None,
                });
            }
            body.extend_from_slice(&piece);
        }
        Ok(Reply {
            status,
            headers,
            body: Some(body),
        })
    }

    /// Whether the registry answers at all: any answer but a fault of its own will do.
    pub async fn ping(&self) -> Result<(), RegistryError> {
        let asked = question("/v2/".to_owned(), "", LONGEST_PAGE);
        let status = self.ask(asked).await?.status;
        if status.is_server_error() {
            return Err(RegistryError::Unexpected(status));
        }
        Ok(())
    }

    /// Has everything removed that the registry holds under this name, which the token allows entirely; it may say that it is
    /// stored under another.
    pub async fn purge(&self, name: &RepositoryName, token: &str) -> Result<(), RegistryError> {
        let question = Question {
            method: Method::DELETE,
            patience: PURGE,
            ..question(format!("/v2/{name}/_portolan/content"), token, LONGEST_PAGE)
        };
        match self.ask(question).await?.status {
            StatusCode::ACCEPTED | StatusCode::NO_CONTENT => Ok(()),
            status => Err(RegistryError::Unexpected(status)),
        }
    }

    /// Whether the registry holds a manifest under this name; the token may say that it is stored under another.
    pub async fn holds(&self, name: &RepositoryName, token: &str) -> Result<bool, RegistryError> {
        // The specification lists no manifests; a repository without any has no list of tags.
        let asked = question(format!("/v2/{name}/tags/list?n=1"), token, LONGEST_PAGE);
        match self.ask(asked).await?.status {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            status => Err(RegistryError::Unexpected(status)),
        }
    }

    /// A page of the repository's tags behind `after`; an empty one where there is no such repository.
    pub async fn tags(
        &self,
        name: &RepositoryName,
        token: &str,
        after: &str,
    ) -> Result<TagPage, RegistryError> {
        #[derive(Deserialize)]
        struct Document {
            tags: Option<Vec<String>>,
        }
        let last = if after.is_empty() {
            String::new()
        } else {
            // A tag needs no escaping in a query.
            format!("&last={after}")
        };
        let asked = question(
            format!("/v2/{name}/tags/list?n={TAGS}{last}"),
            token,
            LONGEST_PAGE,
        );
        let reply = self.ask(asked).await?;
        let (tags, more) = match reply.status {
            StatusCode::OK => {
                let body = reply.body.as_deref().unwrap_or_default();
                let document: Document =
                    serde_json::from_slice(body).map_err(|_| RegistryError::Unreadable)?;
                (
                    document.tags.unwrap_or_default(),
                    reply.headers.contains_key(LINK),
                )
            }
            StatusCode::NOT_FOUND => (Vec::new(), false),
            status => return Err(RegistryError::Unexpected(status)),
        };
        Ok(TagPage { tags, more })
    }

    /// A manifest by tag or digest, without its bytes when it is only asked `about`; none when the registry has none.
    pub async fn manifest(
        &self,
        name: &RepositoryName,
        reference: &str,
        token: &str,
        about: bool,
    ) -> Result<Option<Served>, RegistryError> {
        let question = Question {
            method: if about { Method::HEAD } else { Method::GET },
            accept: Some(MANIFESTS),
            ..question(
                format!("/v2/{name}/manifests/{reference}"),
                token,
                LONGEST_MANIFEST,
            )
        };
        let reply = self.ask(question).await?;
        match reply.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status => return Err(RegistryError::Unexpected(status)),
        }
        let text = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok());
        Ok(Some(Served {
            media_type: text(CONTENT_TYPE.as_str()).unwrap_or_default().to_owned(),
            digest: text("docker-content-digest").unwrap_or_default().to_owned(),
            bytes: reply.body.ok_or(RegistryError::Unreadable)?,
        }))
    }

    /// Has a tag deleted that points to this manifest. Nothing but the tag goes.
    pub async fn delete_tag(
        &self,
        name: &RepositoryName,
        tag: &str,
        digest: &str,
        token: &str,
    ) -> Result<Changed, RegistryError> {
        let question = Question {
            method: Method::DELETE,
            headers: vec![TagMust::Be(digest).header()],
            ..question(format!("/v2/{name}/manifests/{tag}"), token, LONGEST_PAGE)
        };
        changed(self.ask(question).await?.status)
    }

    /// Has a manifest deleted. A token that may delete no tag keeps one that a tag points to.
    pub async fn delete_manifest(
        &self,
        name: &RepositoryName,
        digest: &str,
        token: &str,
    ) -> Result<Changed, RegistryError> {
        let question = Question {
            method: Method::DELETE,
            ..question(format!("/v2/{name}/manifests/{digest}"), token, LONGEST_PAGE)
        };
        changed(self.ask(question).await?.status)
    }

    /// Lets a tag point to a manifest that the repository holds.
    pub async fn put_tag(
        &self,
        name: &RepositoryName,
        tag: &str,
        manifest: Served,
        must: TagMust<'_>,
        token: &str,
    ) -> Result<Changed, RegistryError> {
        let question = Question {
            method: Method::PUT,
            headers: vec![must.header(), (CONTENT_TYPE, manifest.media_type)],
            body: manifest.bytes,
            ..question(format!("/v2/{name}/manifests/{tag}"), token, LONGEST_PAGE)
        };
        changed(self.ask(question).await?.status)
    }

    /// The bytes of a blob; none of one that is not there, is longer than this, or lies where clients are redirected to.
    pub async fn blob(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        token: &str,
        longest: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let asked = question(format!("/v2/{name}/blobs/{digest}"), token, longest);
        let reply = self.ask(asked).await?;
        match reply.status {
            StatusCode::OK => Ok(reply.body),
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_redirection() => Ok(None),
            status => Err(RegistryError::Unexpected(status)),
        }
    }

    /// The digests of manifests that refer to this one, page by page; of very many the first [`MOST_REFERRERS`].
    pub async fn referrers(
        &self,
        name: &RepositoryName,
        digest: &str,
        token: &str,
    ) -> Result<Vec<String>, RegistryError> {
        #[derive(Deserialize)]
        struct Listed {
            digest: String,
        }
        #[derive(Deserialize)]
        struct Document {
            manifests: Option<Vec<Listed>>,
        }
        let first = format!("/v2/{name}/referrers/{digest}");
        let mut path = first.clone();
        let mut found = Vec::new();
        loop {
            let asked = Question {
                accept: Some(MediaType::OciIndex.as_str()),
                ..question(path, token, LONGEST_PAGE)
            };
            let reply = self.ask(asked).await?;
            match reply.status {
                StatusCode::OK => {}
                // A registry that has no such list.
                StatusCode::NOT_FOUND => return Ok(found),
                status => return Err(RegistryError::Unexpected(status)),
            }
            let body = reply.body.ok_or(RegistryError::Unreadable)?;
            let document: Document = serde_json::from_slice(&body).map_err(|_| RegistryError::Unreadable)?;
            let listed = document.manifests.unwrap_or_default();
            let is_empty = listed.is_empty();
            found.extend(listed.into_iter().map(|item| item.digest));
            match next_page(&reply.headers, &first) {
                // A page without anything would lead nowhere.
                Some(next) if !is_empty && found.len() < MOST_REFERRERS => path = next,
                _ => break,
            }
        }
        found.truncate(MOST_REFERRERS);
        Ok(found)
    }
}

/// Where the next page of a list is, as `Link` says it (RFC 8288): path and query, and no other list than this.
fn next_page(headers: &HeaderMap, list: &str) -> Option<String> {
    let links = headers
        .get_all(LINK)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut links = links.flat_map(|text| text.split(','));
    links.find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters
            .split(';')
            .any(|parameter| matches!(parameter.trim(), "rel=next" | "rel=\"next\""));
        // Some registries say their whole address; the host is the one that is asked anyway.
        let target = match target.split_once("://") {
            Some((_, rest)) => &rest[rest.find('/')?..],
            None => target,
        };
        let query = target.strip_prefix(list)?;
        (is_next && query.starts_with('?')).then(|| target.to_owned())
    })
}

fn question(path: String, token: &str, longest: usize) -> Question {
    Question {
        method: Method::GET,
        path,
        token: token.to_owned(),
        accept: None,
        headers: Vec::new(),
        body: Vec::new(),
        longest,
        patience: TOTAL,
    }
}

#[cfg(test)]
mod tests;
