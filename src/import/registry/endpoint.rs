//! One registry as a client sees it: requests that sign in, wait and try again.

use std::time::Duration;

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::redirect;
use reqwest::{Response, Url};
use shared::runtime::clock::Clock;

use super::fault::{Fault, Kind};
use super::retry::{Attempts, Pause, retry_after};
use super::sign_in::{Account, SignIn};

/// Longest answer that says why something failed, in bytes.
pub(super) const MOST_OF_AN_ERROR: usize = 256 << 10;
/// How long a connection may take, and how long an answer may stand still.
const CONNECTING: Duration = Duration::from_secs(20);
const STANDING_STILL: Duration = Duration::from_mins(2);

/// A registry.
#[derive(Debug)]
pub(super) struct Endpoint {
    base: Url,
    client: reqwest::Client,
    /// For uploads, whose answer comes when all is sent: without a limit of its own.
    patient: reqwest::Client,
    sign_in: SignIn,
    pause: Pause,
    clock: Clock,
}

/// A request without a body that cannot be sent twice.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    /// What a token must allow; scopes are separated by spaces.
    pub(super) scope: &'a str,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    /// Longest answer that is read, in bytes.
    pub(super) most: usize,
}

/// What was answered, and succeeded.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method, url: Url, scope: &'a str) -> Self {
        Self {
            method,
            url,
            scope,
            headers: Vec::new(),
            body: Bytes::new(),
            most: MOST_OF_AN_ERROR,
        }
    }

    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Result<Self, Fault> {
        let value =
            HeaderValue::from_str(value).map_err(|_| Fault::lasting(format!("{value:?} is no header")))?;
        self.headers.push((name, value));
        Ok(self)
    }
}

impl Endpoint {
    /// Prepares requests to a registry; nothing is sent yet. `authorities` (PEM) are believed besides the system's.
    pub(super) fn new(
        url: &str,
        account: Option<Account>,
        token_hosts: Vec<String>,
        authorities: Option<&std::path::Path>,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let text = if url.contains("://") {
            url.to_owned()
        } else {
            format!("https://{url}")
        };
        let mut base: Url = text.parse().with_context(|| format!("{url} is no URL"))?;
        anyhow::ensure!(
            matches!(base.scheme(), "http" | "https") && base.has_host(),
            "{url} is no URL of a registry: https://HOST or http://HOST:PORT"
        );
        anyhow::ensure!(
            base.username().is_empty() && base.password().is_none(),
            "an account does not belong into the URL, where others can read it: use the options"
        );
        base.set_query(None);
        base.set_fragment(None);
        let path = base
            .path()
            .trim_end_matches('/')
            .trim_end_matches("/v2")
            .to_owned();
        base.set_path(&path);
        let client = |builder: reqwest::ClientBuilder| -> anyhow::Result<reqwest::Client> {
            let mut builder = builder
                .connect_timeout(CONNECTING)
                .redirect(redirect::Policy::custom(follow))
                .user_agent(concat!("portolan/", env!("CARGO_PKG_VERSION")));
            if let Some(path) = authorities {
                let pem = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
                for certificate in
                    reqwest::Certificate::from_pem_bundle(&pem).context("reading the certificate")?
                {
                    builder = builder.add_root_certificate(certificate);
                }
            }
            builder.build().context("preparing requests")
        };
        Ok(Self {
            base,
            client: client(reqwest::Client::builder().read_timeout(STANDING_STILL))?,
            patient: client(reqwest::Client::builder())?,
            sign_in: SignIn::new(account, token_hosts),
            pause: Pause::default(),
            clock,
        })
    }

    /// `host:port`, or `host` on the customary port.
    pub(super) fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    pub(super) fn account(&self) -> Option<&Account> {
        self.sign_in.account()
    }

    /// An URL of this registry.
    pub(super) fn url(&self, path: &str) -> Result<Url, Fault> {
        let text = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        text.parse()
            .map_err(|_| Fault::lasting(format!("{path} is no path")))
    }

    /// A request to the API of a server of ours.
    pub(super) fn api(&self, method: Method, path: &str) -> Result<reqwest::RequestBuilder, Fault> {
        Ok(self.client.request(method, self.url(&format!("/api/v1{path}"))?))
    }

    /// What another answer leads to: below the same host, or the account would be shown to another.
    pub(super) fn follow_up(&self, from: &Url, location: &str) -> Result<Url, Fault> {
        let url = from.join(location).ok();
        url.filter(|url| url.host_str() == self.base.host_str() && url.scheme() == self.base.scheme())
            .ok_or_else(|| {
                Fault::lasting(format!(
                    "{} leads to {location}, which is not the same server (wrong `Location`: see `portolan doctor`)",
                    self.host()
                ))
            })
    }

    /// A request, made again until it succeeds or there is no hope.
    pub(super) async fn exchange(&self, ask: &Ask<'_>) -> Result<Answer, Fault> {
        let mut attempts = Attempts::default();
        loop {
            match self.once(ask).await {
                Err(fault) => self.wait(&mut attempts, fault).await?,
                done => return done,
            }
        }
    }

    /// Waits for the next attempt, or gives the fault back when there is none.
    pub(super) async fn wait(&self, attempts: &mut Attempts, fault: Fault) -> Result<(), Fault> {
        let Some(wait) = attempts.next(&fault) else {
            return Err(fault);
        };
        if matches!(fault.kind, Kind::Passing(Some(_))) {
            self.pause.last(wait);
        } else {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    async fn once(&self, ask: &Ask<'_>) -> Result<Answer, Fault> {
        let response = self.open(ask).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = if ask.method == Method::HEAD {
            Bytes::new()
        } else {
            read(response, ask.most, &self.host()).await?
        };
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    /// A request, once; its answer is still to be read.
    pub(super) async fn open(&self, ask: &Ask<'_>) -> Result<Response, Fault> {
        let mut has_signed_in = false;
        loop {
            self.pause.over().await;
            let mut request = self.client.request(ask.method.clone(), ask.url.clone());
            for (name, value) in &ask.headers {
                request = request.header(name, value);
            }
            if !ask.body.is_empty() || matches!(ask.method, Method::PUT | Method::POST | Method::PATCH) {
                request = request.body(ask.body.clone());
            }
            if let Some(header) = self.authorization(ask.scope).await? {
                request = request.header(AUTHORIZATION, header);
            }
            let response = request
                .send()
                .await
                .map_err(|error| Fault::of_connection(&self.host(), error))?;
            if response.status() == StatusCode::UNAUTHORIZED && !has_signed_in {
                has_signed_in = true;
                if self.learns(&response, ask.scope) {
                    continue;
                }
            }
            return self.judge(response).await;
        }
    }

    /// Sends a body of a known length that comes piece by piece, once.
    pub(super) async fn send(
        &self,
        ask: &Ask<'_>,
        body: reqwest::Body,
        length: u64,
    ) -> Result<Response, Fault> {
        self.pause.over().await;
        let mut request = self
            .patient
            .request(ask.method.clone(), ask.url.clone())
            .header(http::header::CONTENT_LENGTH, length);
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        if let Some(header) = self.authorization(ask.scope).await? {
            request = request.header(AUTHORIZATION, header);
        }
        let response = request
            .body(body)
            .send()
            .await
            .map_err(|error| Fault::of_connection(&self.host(), error))?;
        if response.status() == StatusCode::UNAUTHORIZED && self.learns(&response, ask.scope) {
            // The body is gone: the next attempt has a new token.
            return Err(Fault::new(
                Kind::Passing(None),
                format!("{}: the token has ended", self.host()),
            ));
        }
        self.judge(response).await
    }

    async fn authorization(&self, scope: &str) -> Result<Option<HeaderValue>, Fault> {
        self.sign_in
            .header(&self.client, &self.base, scope, self.clock.now())
            .await
    }

    fn learns(&self, response: &Response, scope: &str) -> bool {
        response
            .headers()
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|challenge| self.sign_in.learn(challenge, scope))
    }

    async fn judge(&self, response: Response) -> Result<Response, Fault> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let after = retry_after(response.headers(), self.clock.now());
        let challenge = response.headers().get(WWW_AUTHENTICATE);
        let described = challenge.and_then(|value| super::challenge::description(value.to_str().ok()?));
        // What cannot be read says no more.
        let body = read(response, MOST_OF_AN_ERROR, &self.host())
            .await
            .unwrap_or_default();
        let said = match (said(&body), described) {
            // An answer to HEAD has no body.
            (said, Some(described)) if said.is_empty() => format!(": {described}"),
            (said, None) if said.is_empty() && status == StatusCode::UNAUTHORIZED => {
                ": access is denied".to_owned()
            }
            (said, _) => said,
        };
        let why = format!("{} answers {}{said}", self.host(), status.as_u16());
        Err(Fault::of_status(status, after, why))
    }
}

/// Redirects are followed a few times, never from HTTPS to HTTP. Credentials go along to the same server alone.
fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let was_safe = attempt
        .previous()
        .last()
        .is_some_and(|url| url.scheme() == "https");
    if attempt.previous().len() > 5 {
        attempt.error("too many redirects")
    } else if was_safe && attempt.url().scheme() != "https" {
        attempt.error("a redirect from HTTPS to HTTP")
    } else {
        attempt.follow()
    }
}

/// A whole body, of so many bytes at most.
pub(super) async fn read(mut response: Response, most: usize, who: &str) -> Result<Bytes, Fault> {
    let mut body = BytesMut::new();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| Fault::of_connection(who, error))?
    {
        if body.len() + piece.len() > most {
            return Err(Fault::lasting(format!(
                "{who}: the answer is longer than {most} bytes"
            )));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// The first error of a body (OCI distribution-spec, "Error Codes"), to be put behind a sentence.
pub(super) fn said(body: &[u8]) -> String {
    let errors: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let first = &errors["errors"][0];
    let text = |name: &str| first[name].as_str().unwrap_or_default();
    match (text("code"), text("message")) {
        ("", "") => errors["details"]
            .as_str()
            .map_or_else(String::new, |said| format!(": {said}")),
        (code, "") => format!(": {code}"),
        (_, message) => format!(": {message}"),
    }
}
