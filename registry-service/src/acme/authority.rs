//! Speaking with the authority: the directory, nonces, signed requests, problems.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderName;
use http::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::runtime::tls;

use super::account::{AccountKey, Signer};
use super::{AcmeError, Settings};

const NONCE: HeaderName = HeaderName::from_static("replay-nonce");
/// How often a request is sent again because its nonce was too old.
const NONCES: u32 = 6;
/// Longest answer that is read, in bytes; a chain of certificates has a few thousand.
const LONGEST_ANSWER: usize = 1 << 20;
/// Time for one request.
const TIME: Duration = Duration::from_secs(30);

/// What the authority can do (RFC 8555, section 7.1.1).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names of the specification")]
struct Directory {
    new_nonce: String,
    new_account: String,
    new_order: String,
}

/// What the authority says when it does not do something (RFC 7807).
#[derive(Debug, Default, Deserialize)]
pub(super) struct Problem {
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) detail: String,
}

/// An answer: what it is about, when to come back, and the body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) location: Option<String>,
    pub(super) retry_after: Option<Duration>,
    body: Vec<u8>,
}

impl Answer {
    pub(super) fn parse<T: DeserializeOwned>(&self, what: &'static str) -> Result<T, AcmeError> {
        serde_json::from_slice(&self.body).map_err(|_| AcmeError::Answer(what))
    }

    pub(super) fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// The authority, as one account sees it.
#[derive(Debug)]
pub(super) struct Authority<'a> {
    client: &'a reqwest::Client,
    key: &'a AccountKey,
    directory: Directory,
    account: String,
    nonce: Mutex<Option<String>>,
}

/// A client without redirects, ambient proxies or endless waiting.
pub(super) fn client(authorities: Option<&Path>) -> Result<reqwest::Client, AcmeError> {
    let mut builder = reqwest::Client::builder();
    if let Some(authorities) = authorities {
        builder = builder.tls_backend_preconfigured(tls::trusting(authorities)?);
    }
    let built = builder
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_secs(10))
        .timeout(TIME)
        .user_agent(concat!("portolan-registry/", env!("CARGO_PKG_VERSION")))
        .build();
    built.map_err(AcmeError::Unreachable)
}

impl<'a> Authority<'a> {
    /// Asks what it can do, and has it know the account's key: an account that it knows already is found by it.
    pub(super) async fn enter(
        client: &'a reqwest::Client,
        key: &'a AccountKey,
        settings: &Settings,
    ) -> Result<Self, AcmeError> {
        let said = client.get(settings.directory.clone()).send().await;
        let said = receive(said.map_err(AcmeError::Unreachable)?).await?;
        let mut authority = Self {
            client,
            key,
            directory: said.parse("directory")?,
            account: String::new(),
            nonce: Mutex::default(),
        };
        let mut wanted = json!({ "termsOfServiceAgreed": true });
        if let Some(email) = &settings.email {
            wanted["contact"] = json!([format!("mailto:{email}")]);
        }
        let url = authority.directory.new_account.clone();
        let known = authority.send(Signer::Key, &url, Some(&wanted)).await?;
        authority.account = known.location.ok_or(AcmeError::Answer("account"))?;
        Ok(authority)
    }

    /// The account's key.
    pub(super) fn key(&self) -> &AccountKey {
        self.key
    }

    /// Orders something.
    pub(super) async fn order(&self, wanted: &Value) -> Result<Answer, AcmeError> {
        self.post(&self.directory.new_order, Some(wanted)).await
    }

    /// Sends the account's request; without a payload it asks for what is there.
    pub(super) async fn post(&self, url: &str, payload: Option<&Value>) -> Result<Answer, AcmeError> {
        self.send(Signer::Account(&self.account), url, payload).await
    }

    async fn send(
        &self,
        signer: Signer<'_>,
        url: &str,
        payload: Option<&Value>,
    ) -> Result<Answer, AcmeError> {
        let target = Url::parse(url).map_err(|_| AcmeError::Answer("URL"))?;
        for _ in 1..NONCES {
            match self.try_send(signer, url, target.clone(), payload).await {
                // It has given a newer one with its answer.
                Err(AcmeError::Refused { kind, .. }) if kind.ends_with(":badNonce") => {}
                other => return other,
            }
        }
        self.try_send(signer, url, target, payload).await
    }

    async fn try_send(
        &self,
        signer: Signer<'_>,
        url: &str,
        target: Url,
        payload: Option<&Value>,
    ) -> Result<Answer, AcmeError> {
        let nonce = self.nonce().await?;
        let body = self.key.sign(signer, url, &nonce, payload)?;
        let request = self
            .client
            .post(target)
            .header(CONTENT_TYPE, "application/jose+json");
        let answer = request.body(body).send().await.map_err(AcmeError::Unreachable)?;
        self.keep_nonce(answer.headers());
        receive(answer).await
    }

    /// The nonce of the last answer, or a new one.
    async fn nonce(&self) -> Result<String, AcmeError> {
        let kept = self.nonce.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(nonce) = kept {
            return Ok(nonce);
        }
        let answer = self.client.head(&self.directory.new_nonce).send().await;
        let answer = answer.map_err(AcmeError::Unreachable)?;
        text(answer.headers(), &NONCE).ok_or(AcmeError::Answer("nonce"))
    }

    fn keep_nonce(&self, headers: &HeaderMap) {
        *self.nonce.lock().unwrap_or_else(PoisonError::into_inner) = text(headers, &NONCE);
    }
}

async fn receive(mut answer: Response) -> Result<Answer, AcmeError> {
    let status = answer.status();
    let headers = answer.headers();
    let retry_after = text(headers, &RETRY_AFTER)
        .and_then(|text| text.parse().ok())
        .map(Duration::from_secs);
    let location = text(headers, &LOCATION);
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(AcmeError::Unreachable)? {
        if body.len() + piece.len() > LONGEST_ANSWER {
            return Err(AcmeError::Answer("end"));
        }
        body.extend_from_slice(&piece);
    }
    if status.is_success() {
        return Ok(Answer {
            location,
            retry_after,
            body,
        });
    }
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
    Err(AcmeError::Refused {
        status: status.as_u16(),
        kind: problem.kind,
        detail: problem.detail,
        retry_after,
    })
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
