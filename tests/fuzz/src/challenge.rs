//! Challenges: a realm, a service, scopes, a request line, and the value of `Authorization` that is refused.

use std::sync::LazyLock;

use http::{HeaderValue, Method};
use registry_service::auth::Denial;
use registry_service::endpoint::Endpoint;
use shared::token::{Challenge, ChallengeError, Scope};
use tokio::runtime::{Builder, Runtime};

use crate::input;
use crate::key::{self, NOW_S};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread()
        .build()
        .expect("a runtime of one thread")
});

pub(crate) fn run(data: &[u8]) {
    let text = input::text(data);
    let [realm, service, scopes, path, authorization] = input::lines(&text);
    let scopes = Scope::parse_all([scopes], 50);
    for error in [
        None,
        Some(ChallengeError::InvalidToken),
        Some(ChallengeError::InsufficientScope),
    ] {
        let challenge = Challenge {
            realm,
            service,
            scopes: &scopes,
            error,
            description: None,
        };
        let said = error.map(ChallengeError::as_str);
        read_back(&challenge.to_string(), realm, service, &scopes, said);
    }
    let Ok(endpoint) = Endpoint::parse(&Method::GET, path, None) else {
        return;
    };
    refuse(&endpoint, realm, service, authorization.as_bytes());
}

/// Nobody has a token of this realm: whatever is shown is refused with a challenge that says what is needed.
fn refuse(endpoint: &Endpoint, realm: &str, service: &str, authorization: &[u8]) {
    let authenticator = key::authenticator(realm, service);
    let shown = (!authorization.is_empty()).then_some(authorization);
    let answer = RUNTIME.block_on(authenticator.authorize(endpoint.clone(), shown, NOW_S));
    let refusal = match answer {
        Err(Denial::Refused(refusal)) => refusal,
        Err(denial) => panic!("no password is verified here: {denial:?}"),
        Ok(_) => {
            assert!(
                matches!(endpoint, Endpoint::Probe | Endpoint::Token),
                "let in by {authorization:?}"
            );
            return;
        }
    };
    assert!(!refusal.insufficient, "a token that nobody has is good");
    let is_bearer = authorization.len() > 7 && authorization[..7].eq_ignore_ascii_case(b"bearer ");
    assert_eq!(refusal.token.is_some(), is_bearer, "{:?}", refusal.token);
    let error = refusal.token.map(|_| "invalid_token");
    let scopes = endpoint.required_access().scopes();
    read_back(&refusal.challenge, realm, service, &scopes, error);
}

/// A client reads the parameters as they were meant.
fn read_back(challenge: &str, realm: &str, service: &str, scopes: &[Scope], error: Option<&str>) {
    assert!(
        HeaderValue::from_str(challenge).is_ok(),
        "no header value: {challenge:?}"
    );
    let visible = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let mut expected = vec![("realm", visible(realm)), ("service", visible(service))];
    if !scopes.is_empty() {
        let texts: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        expected.push(("scope", texts.join(" ")));
    }
    expected.extend(error.map(|error| ("error", error.to_owned())));
    let read = parameters(challenge).expect("a challenge that can be read");
    assert!(
        read.iter()
            .map(|(name, value)| (name.as_str(), value))
            .eq(expected.iter().map(|(name, value)| (*name, value))),
        "{challenge:?} is read as {read:?}"
    );
}

/// The parameters of a challenge (RFC 9110, sections 5.6.4 and 11.2), read as a client reads them.
fn parameters(challenge: &str) -> Option<Vec<(String, String)>> {
    let mut rest = challenge.strip_prefix("Bearer ")?;
    let mut read = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase()) {
            return None;
        }
        let mut value = String::new();
        let mut chars = after.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => value.push(chars.next()?),
                c => value.push(c),
            }
        }
        read.push((name.to_owned(), value));
        rest = chars.as_str();
        if rest.is_empty() {
            return Some(read);
        }
        rest = rest.strip_prefix(',')?;
    }
}
