//! The examination, in the order in which a client goes: each step needs what the one before it found.

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use shared::causes::in_one_line;
use shared::secret::Secret;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::finding::Finding;
use super::probe;
use super::token::{Seen, parameter};

/// What is examined, and as whom.
pub(super) struct Patient {
    pub(super) client: reqwest::Client,
    /// The public address, without a slash at its end.
    pub(super) registry: String,
    pub(super) account: Option<(String, Secret<String>)>,
    /// Where the probe goes.
    pub(super) repository: String,
    /// Bytes of the probe's layer.
    pub(super) size: usize,
}

/// How far clocks may be apart before it is worth a word, in seconds.
const SKEW_S: i64 = 10;
/// How far they may be apart before tokens are refused, in seconds.
const LEEWAY_S: i64 = 60;

/// The checks so far.
#[derive(Default)]
pub(super) struct Examination {
    findings: Vec<Finding>,
}

/// What the registry's challenge says.
struct Challenge {
    realm: String,
    service: String,
    registry_time: Option<i64>,
}

impl Examination {
    /// Every check that can be made.
    pub(super) async fn of(patient: &Patient) -> Vec<Finding> {
        let mut examination = Self::default();
        if let Some(challenge) = examination.reach(patient).await
            && let Some(token) = examination.token(patient, &challenge).await
            && examination.accepted(patient, &challenge, &token).await
            && patient.account.is_some()
        {
            let token = token.text.as_str();
            let findings = probe::push_and_pull(patient, token).await;
            examination.findings.extend(findings);
        } else if patient.account.is_none() {
            examination.add(Finding::skipped("push", "give --user to push and pull a probe"));
        }
        examination.findings
    }

    fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// The address, and the challenge of `/v2/`.
    async fn reach(&mut self, patient: &Patient) -> Option<Challenge> {
        let url = format!("{}/v2/", patient.registry);
        let response = match patient.client.get(&url).send().await {
            Ok(response) => response,
            Err(error) => {
                self.add(unreachable(&url, &error));
                return None;
            }
        };
        let challenge = header(response.headers(), "www-authenticate").to_owned();
        match response.status() {
            StatusCode::UNAUTHORIZED if challenge.starts_with("Bearer ") => {}
            StatusCode::UNAUTHORIZED if challenge.starts_with("Basic ") => {
                self.add(Finding::wrong(
                    "reach",
                    "the registry asks for a password itself",
                    "registry: auth.token instead of auth.htpasswd, so that the index decides",
                ));
                return None;
            }
            StatusCode::OK => {
                self.add(Finding::wrong(
                    "reach",
                    format!("{url} lets everybody in"),
                    "registry: set auth.token (realm, service, issuer, jwks)",
                ));
                return None;
            }
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                self.add(Finding::wrong(
                    "reach",
                    format!("{url} answers {}: nobody is behind the front door", response.status()),
                    "registry-service does not run, or its health checks fail: see its log (storage that it may not write, a wrong configuration), and where the front door sends /v2/",
                ));
                return None;
            }
            status => {
                let what = header(response.headers(), "content-type").to_owned();
                self.add(Finding::wrong(
                    "reach",
                    format!("{url} answers {status} ({what}), not a registry's challenge"),
                    "front door: send /v2/ to registry-service; `portolan nginx-config` prints one that does",
                ));
                return None;
            }
        }
        self.add(Finding::well("reach", url));
        let registry_time = date(response.headers());
        let found = Challenge {
            realm: parameter(&challenge, "realm").unwrap_or_default().to_owned(),
            service: parameter(&challenge, "service").unwrap_or_default().to_owned(),
            registry_time,
        };
        let finding = realm_finding(&patient.registry, &found.realm);
        let goes_on = !finding.is_wrong() || finding.check != "realm";
        self.add(finding);
        goes_on.then_some(found)
    }

    /// A token for the probe.
    async fn token(&mut self, patient: &Patient, challenge: &Challenge) -> Option<Issued> {
        let mut url = match reqwest::Url::parse(&challenge.realm) {
            Ok(url) => url,
            Err(error) => {
                self.add(Finding::wrong(
                    "token",
                    format!("the realm {} is no URL: {error}", challenge.realm),
                    "registry: auth.token.realm",
                ));
                return None;
            }
        };
        url.query_pairs_mut().append_pair("service", &challenge.service);
        if !patient.repository.is_empty() {
            let scope = format!("repository:{}:pull,push,delete", patient.repository);
            url.query_pairs_mut().append_pair("scope", &scope);
        }
        let mut request = patient.client.get(url);
        if let Some((user, secret)) = &patient.account {
            request = request.basic_auth(user, Some(secret.expose()));
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                self.add(Finding::wrong(
                    "token",
                    format!("{} cannot be reached: {}", challenge.realm, in_one_line(&error)),
                    "index: public_url; registry: auth.token.realm; both name the address that clients reach",
                ));
                return None;
            }
        };
        let status = response.status();
        let index_time = date(response.headers());
        let body: Value = response.bytes().await.map_or(Value::Null, |bytes| {
            serde_json::from_slice(&bytes).unwrap_or(Value::Null)
        });
        let Some(text) = body["token"].as_str().filter(|_| status.is_success()) else {
            self.add(refused_token(status, &body, challenge));
            return None;
        };
        let Some(seen) = Seen::read(text) else {
            self.add(Finding::wrong(
                "token",
                "the token endpoint answers, but not with a JSON Web Token",
                "registry: auth.token.realm names something else than index-service's /token",
            ));
            return None;
        };
        self.add(Finding::well(
            "token",
            format!(
                "issued by {:?} for {:?}, key {}",
                seen.issuer, seen.audience, seen.key_id
            ),
        ));
        self.add(clock_finding(challenge.registry_time, index_time, &seen));
        Some(Issued {
            text: text.to_owned(),
            seen,
        })
    }

    /// Whether the registry takes the token, and if not, which of key, issuer, audience and clock is wrong.
    async fn accepted(&mut self, patient: &Patient, challenge: &Challenge, issued: &Issued) -> bool {
        let url = format!("{}/v2/", patient.registry);
        let response = match patient.client.get(&url).bearer_auth(&issued.text).send().await {
            Ok(response) => response,
            Err(error) => {
                self.add(unreachable(&url, &error));
                return false;
            }
        };
        if response.status() == StatusCode::OK {
            self.add(Finding::well("accepted", "the registry takes the index's tokens"));
            return true;
        }
        let status = response.status();
        let body = response.text().await.unwrap_or_default();
        self.add(refusal_finding(status, &body, challenge, issued));
        false
    }
}

/// A token, and what it says of itself.
struct Issued {
    text: String,
    seen: Seen,
}

fn unreachable(url: &str, error: &reqwest::Error) -> Finding {
    let why = in_one_line(error);
    let change = if why.contains("certificate") || why.contains("UnknownIssuer") {
        "clients must trust the certificate: give its authority with --ca here, and put it into /etc/docker/certs.d/HOST/ca.crt on them"
    } else if why.contains("dns") || why.contains("lookup") {
        "the host name has no address: DNS"
    } else if why.contains("refused") {
        "nothing listens there: start the front door, or look at its `listen` and the firewall"
    } else {
        "the address, the firewall, or TLS where there is none (http:// instead of https://)"
    };
    Finding::wrong("reach", format!("{url}: {why}"), change)
}

fn realm_finding(registry: &str, realm: &str) -> Finding {
    let (Ok(registry), Ok(url)) = (reqwest::Url::parse(registry), reqwest::Url::parse(realm)) else {
        return Finding::wrong(
            "realm",
            format!("the challenge names no usable token endpoint: {realm:?}"),
            "registry: auth.token.realm: https://HOST/token",
        );
    };
    let host = |url: &reqwest::Url| {
        format!(
            "{}:{}",
            url.host_str().unwrap_or_default(),
            url.port_or_known_default().unwrap_or_default()
        )
    };
    if registry.scheme() == "https" && url.scheme() != "https" {
        return Finding::wrong(
            "scheme",
            format!(
                "the registry is on https, its token endpoint is {realm}: clients refuse to send a password there"
            ),
            "index: public_url: https://…; registry: auth.token.realm: https://…/token",
        );
    }
    if registry.scheme() == "http" && url.scheme() == "https" {
        return Finding::doubtful(
            "scheme",
            format!("you reach the registry over http, clients are sent to {realm}"),
            "use the https address, or set public_url and realm to http",
        );
    }
    if host(&registry) != host(&url) {
        return Finding::doubtful(
            "realm",
            format!("tokens come from another host: {realm}"),
            "one host name for both services is safer: several clients refuse a realm on another private address (index: public_url; registry: auth.token.realm)",
        );
    }
    Finding::well("realm", realm)
}

fn refused_token(status: StatusCode, body: &Value, challenge: &Challenge) -> Finding {
    let said = body["details"].as_str().unwrap_or_default();
    match status {
        StatusCode::UNAUTHORIZED => Finding::wrong(
            "token",
            format!("the index refuses the login: {said}"),
            "the user name, or the password or access token on standard input",
        ),
        StatusCode::BAD_REQUEST if said.contains("service") => Finding::wrong(
            "audience",
            format!("the index issues no tokens for {:?}: {said}", challenge.service),
            format!(
                "registry: auth.token.service and index: registry.service (default: the host of public_url) must be the same; the registry says {:?}",
                challenge.service
            ),
        ),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Finding::wrong(
            "token",
            format!("nothing answers at {} ({status})", challenge.realm),
            "front door: send /token to index-service; `portolan nginx-config` prints one that does",
        ),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Finding::wrong(
                "token",
                format!("{} answers {status} {said}", challenge.realm),
                "index-service is not running, or its database is away: see its log",
            )
        }
        status => Finding::wrong(
            "token",
            format!("{} answers {status} {said}", challenge.realm),
            "see the log of index-service",
        ),
    }
}

fn refusal_finding(status: StatusCode, body: &str, challenge: &Challenge, issued: &Issued) -> Finding {
    let seen = &issued.seen;
    let message = serde_json::from_str::<Value>(body)
        .ok()
        .and_then(|body| body["errors"][0]["message"].as_str().map(str::to_owned))
        .unwrap_or_else(|| body.chars().take(200).collect());
    let is = |words: &str| message.contains(words);
    if is("a key that this registry does not know") || is("signature is not valid") {
        return Finding::wrong(
            "key",
            format!("{message} (key {})", seen.key_id),
            "registry: auth.token.jwks names another index's keys: let it be the URL of index-service's /.well-known/jwks.json, or export the file anew",
        );
    }
    if is("issued by somebody else") {
        return Finding::wrong(
            "issuer",
            format!("{message}: tokens say {:?}", seen.issuer),
            format!(
                "registry: auth.token.issuer: {} (index: token.issuer)",
                seen.issuer
            ),
        );
    }
    if is("for another service") {
        return Finding::wrong(
            "audience",
            format!(
                "{message}: tokens say {:?}, the challenge {:?}",
                seen.audience, challenge.service
            ),
            "registry: auth.token.service; index: registry.service",
        );
    }
    if is("has expired") || is("not valid yet") {
        return Finding::wrong(
            "clock",
            message,
            "the clocks of the two services are more than a minute apart: NTP on both machines",
        );
    }
    Finding::wrong(
        "accepted",
        format!("the registry answers {status} to a fresh token: {message}"),
        "see the log of registry-service; a stock distribution says no more",
    )
}

fn clock_finding(registry: Option<i64>, index: Option<i64>, seen: &Seen) -> Finding {
    let (Some(registry), Some(index)) = (registry, index) else {
        return Finding::skipped("clock", "no Date in the answers");
    };
    let apart = (registry - index).abs();
    // A token begins a little in the past of the clock that made it.
    let ahead = seen.not_before - registry;
    if apart > LEEWAY_S || ahead > LEEWAY_S || registry > seen.expires {
        return Finding::wrong(
            "clock",
            format!("the clocks of index and registry are {apart} s apart"),
            "NTP on both machines: tokens are refused beyond a minute",
        );
    }
    if apart > SKEW_S {
        return Finding::doubtful(
            "clock",
            format!("the clocks of index and registry are {apart} s apart"),
            "NTP on both machines",
        );
    }
    Finding::well("clock", format!("{apart} s between index and registry"))
}

fn date(headers: &HeaderMap) -> Option<i64> {
    let text = header(headers, "date").replace("GMT", "+0000");
    OffsetDateTime::parse(&text, &Rfc2822)
        .ok()
        .map(OffsetDateTime::unix_timestamp)
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
