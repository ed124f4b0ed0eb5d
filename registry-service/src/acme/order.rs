//! One certificate, from the order to its chain (RFC 8555, section 7.4).

use std::time::Duration;

use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::AcmeError;
use super::account::encode;
use super::authority::{Answer, Authority, Problem};
use super::cache::Cache;

/// Time for the authority to validate, and again to issue.
const PATIENCE: Duration = Duration::from_mins(3);
/// How often it is asked when it does not say.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest pause that it may ask for in between.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug, Deserialize)]
struct Order {
    status: String,
    #[serde(default)]
    authorizations: Vec<String>,
    finalize: String,
    certificate: Option<String>,
    error: Option<Problem>,
}

#[derive(Debug, Deserialize)]
struct Authorization {
    status: String,
    #[serde(default)]
    challenges: Vec<Challenge>,
}

#[derive(Debug, Deserialize)]
struct Challenge {
    #[serde(rename = "type")]
    kind: String,
    url: String,
    #[serde(default)]
    token: String,
    error: Option<Problem>,
}

/// Gets a certificate for a host: its new key and its chain as PEM, in one text.
pub(super) async fn order(
    authority: &Authority<'_>,
    cache: &Cache,
    host: &str,
) -> Result<Zeroizing<String>, AcmeError> {
    let wanted = json!({ "identifiers": [{ "type": "dns", "value": host }] });
    let answer = authority.order(&wanted).await?;
    let place = answer.location.clone().ok_or(AcmeError::Answer("order"))?;
    let order: Order = answer.parse("order")?;
    for authorization in &order.authorizations {
        let validated = validate(authority, cache, host, authorization).await;
        cache.forget_validation(host);
        validated?;
    }
    let order = settle(authority, host, &place, &["ready", "valid"]).await?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new([host.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key)?;
    let finalize = json!({ "csr": encode(request.der()) });
    authority.post(&order.finalize, Some(&finalize)).await?;
    let order = settle(authority, host, &place, &["valid"]).await?;
    let chain = order.certificate.ok_or(AcmeError::Answer("certificate"))?;
    let chain = authority.post(&chain, None).await?.into_body();
    let chain = String::from_utf8(chain).map_err(|_| AcmeError::Answer("certificate"))?;
    Ok(Zeroizing::new(format!("{}{chain}", *key_text(&key))))
}

fn key_text(key: &KeyPair) -> Zeroizing<String> {
    let mut text = key.serialize_pem();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Zeroizing::new(text)
}

/// Lets the authority see that the host leads here.
async fn validate(authority: &Authority<'_>, cache: &Cache, host: &str, url: &str) -> Result<(), AcmeError> {
    let authorization: Authorization = authority.post(url, None).await?.parse("authorization")?;
    if authorization.status == "valid" {
        return Ok(());
    }
    let challenge = authorization
        .challenges
        .iter()
        .find(|challenge| challenge.kind == "tls-alpn-01")
        .ok_or_else(|| AcmeError::NoValidation(host.to_owned()))?;
    let answer = answer_to_validation(host, &authority.key().answer_to(&challenge.token))?;
    Cache::write(&cache.validation(host), answer.as_bytes())?;
    authority.post(&challenge.url, Some(&json!({}))).await?;
    let mut waiting = Waiting::begin();
    loop {
        let answer = authority.post(url, None).await?;
        let authorization: Authorization = answer.parse("authorization")?;
        match authorization.status.as_str() {
            "valid" => return Ok(()),
            "pending" | "processing" => waiting.pause(host, &answer).await?,
            _ => {
                let mut problems = authorization
                    .challenges
                    .into_iter()
                    .filter_map(|challenge| challenge.error);
                return Err(invalid(host, problems.next_back()));
            }
        }
    }
}

/// Waits until an order is as wanted.
async fn settle(
    authority: &Authority<'_>,
    host: &str,
    place: &str,
    wanted: &[&str],
) -> Result<Order, AcmeError> {
    let mut waiting = Waiting::begin();
    loop {
        let answer = authority.post(place, None).await?;
        let order: Order = answer.parse("order")?;
        match order.status.as_str() {
            status if wanted.contains(&status) => return Ok(order),
            "pending" | "ready" | "processing" => waiting.pause(host, &answer).await?,
            _ => return Err(invalid(host, order.error)),
        }
    }
}

fn invalid(host: &str, problem: Option<Problem>) -> AcmeError {
    let problem = problem.unwrap_or_default();
    AcmeError::Invalid {
        host: host.to_owned(),
        detail: if problem.detail.is_empty() {
            "it does not say why".to_owned()
        } else {
            problem.detail
        },
    }
}

/// The certificate by which a host is validated (RFC 8737, section 3): its key and itself as PEM, in one text.
pub(super) fn answer_to_validation(host: &str, answer: &[u8; 32]) -> Result<Zeroizing<String>, AcmeError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new([host.to_owned()])?;
    params
        .custom_extensions
        .push(CustomExtension::new_acme_identifier(answer));
    let certificate = params.self_signed(&key)?;
    Ok(Zeroizing::new(format!(
        "{}{}",
        *key_text(&key),
        certificate.pem()
    )))
}

/// Asking again and again, for a while.
struct Waiting(Instant);

impl Waiting {
    fn begin() -> Self {
        Self(Instant::now())
    }

    async fn pause(&mut self, host: &str, answer: &Answer) -> Result<(), AcmeError> {
        if self.0.elapsed() > PATIENCE {
            return Err(AcmeError::Late(host.to_owned()));
        }
        let pause = answer.retry_after.unwrap_or(PAUSE);
        sleep(pause.clamp(PAUSE, LONGEST_PAUSE)).await;
        Ok(())
    }
}
