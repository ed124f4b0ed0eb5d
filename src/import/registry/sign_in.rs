//! Signing in at a registry: by its challenge, with tokens that are kept while they last.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use http::HeaderValue;
use reqwest::Url;
use serde_json::Value;
use shared::secret::Secret;
use tokio::time::Instant;

use super::challenge::Challenge;
use super::fault::{Fault, Kind};

/// Most tokens that are kept.
const MOST_TOKENS: usize = 1024;
/// How long a token lasts that does not say it (Docker token authentication specification).
const CUSTOMARY_LIFE: Duration = Duration::from_mins(1);
/// A token is not used for the last part of its life: a request takes its time.
const MARGIN: Duration = Duration::from_secs(10);

/// A name and its secret.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) secret: Secret<String>,
}

/// How one registry is signed in at.
#[derive(Debug)]
pub(super) struct SignIn {
    account: Option<Account>,
    /// Hosts of token servers that may see the secret, besides what is the registry's own.
    token_hosts: Vec<String>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    challenge: Option<Challenge>,
    tokens: HashMap<String, Token>,
}

#[derive(Debug)]
struct Token {
    header: HeaderValue,
    until: Instant,
}

impl SignIn {
    pub(super) fn new(account: Option<Account>, token_hosts: Vec<String>) -> Self {
        Self {
            account,
            token_hosts,
            state: Mutex::default(),
        }
    }

    pub(super) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// Takes up what a 401 said; `false` when it said nothing that helps.
    pub(super) fn learn(&self, challenge: &str, scope: &str) -> bool {
        let Some(challenge) = Challenge::parse(challenge) else {
            return false;
        };
        // Basic without an account would be answered the same.
        let helps = self.account.is_some() || challenge != Challenge::Basic;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tokens.remove(scope);
        state.challenge = Some(challenge);
        helps
    }

    /// The `Authorization` of a request that needs this scope (scopes are separated by spaces).
    pub(super) async fn header(
        &self,
        client: &reqwest::Client,
        registry: &Url,
        scope: &str,
        now: time::OffsetDateTime,
    ) -> Result<Option<HeaderValue>, Fault> {
        let challenge = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(token) = state
                .tokens
                .get(scope)
                .filter(|token| token.until > Instant::now())
            {
                return Ok(Some(token.header.clone()));
            }
            state.challenge.clone()
        };
        match challenge {
            None => Ok(None),
            Some(Challenge::Basic) => Ok(self.account.as_ref().map(Account::basic)),
            Some(Challenge::Bearer {
                realm,
                service,
                scope: asked,
            }) => {
                // What the registry itself asks for matters where nothing of ours is needed, such as at `/v2/`.
                let wanted = if scope.is_empty() {
                    asked.unwrap_or_default()
                } else {
                    scope.to_owned()
                };
                let token = self
                    .fetch(client, registry, (&realm, service.as_deref()), &wanted, now)
                    .await?;
                let header = token.header.clone();
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                if state.tokens.len() >= MOST_TOKENS {
                    state.tokens.clear();
                }
                state.tokens.insert(scope.to_owned(), token);
                Ok(Some(header))
            }
        }
    }

    async fn fetch(
        &self,
        client: &reqwest::Client,
        registry: &Url,
        (realm, service): (&str, Option<&str>),
        scope: &str,
        now: time::OffsetDateTime,
    ) -> Result<Token, Fault> {
        let realm = registry.join(realm).map_err(|_| {
            Fault::lasting(format!("{registry} names a token server that is no URL: {realm}"))
        })?;
        let mut query: Vec<(&str, &str)> = service.map(|name| ("service", name)).into_iter().collect();
        query.extend(
            scope
                .split(' ')
                .filter(|one| !one.is_empty())
                .map(|one| ("scope", one)),
        );
        let mut request = client.get(realm.clone()).query(&query);
        if let Some(account) = &self.account {
            self.may_see_the_secret(registry, &realm)?;
            request = request.header(http::header::AUTHORIZATION, account.basic());
        }
        let who = format!("the token server {}", realm.host_str().unwrap_or_default());
        let began = Instant::now();
        let response = request
            .send()
            .await
            .map_err(|error| Fault::of_connection(&who, error))?;
        let status = response.status();
        let after = super::retry::retry_after(response.headers(), now);
        let body = super::endpoint::read(response, super::endpoint::MOST_OF_AN_ERROR, &who).await?;
        if !status.is_success() {
            let whom = self
                .account
                .as_ref()
                .map_or("an anonymous client", |account| &account.name);
            let why = format!("{who} refuses {whom} ({status}){}", super::endpoint::said(&body));
            return Err(Fault::of_status(status, after, why));
        }
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = answer["token"]
            .as_str()
            .or_else(|| answer["access_token"].as_str());
        let mut header = text
            .and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok())
            .ok_or_else(|| Fault::new(Kind::Passing(None), format!("{who} hands out no token")))?;
        header.set_sensitive(true);
        let life = answer["expires_in"]
            .as_u64()
            .map_or(CUSTOMARY_LIFE, Duration::from_secs);
        Ok(Token {
            header,
            until: began + life.saturating_sub(MARGIN).max(life / 2),
        })
    }

    /// A registry that was taken over could name a token server of its own choosing.
    fn may_see_the_secret(&self, registry: &Url, realm: &Url) -> Result<(), Fault> {
        let (own, asked) = (
            registry.host_str().unwrap_or_default(),
            realm.host_str().unwrap_or_default(),
        );
        let is_as_safe = realm.scheme() == "https" || registry.scheme() == "http";
        let is_known =
            asked == own || is_same_site(own, asked) || self.token_hosts.iter().any(|host| host == asked);
        if is_as_safe && is_known {
            return Ok(());
        }
        Err(Fault::lasting(if is_as_safe {
            format!(
                "{own} sends who signs in to {asked}, which is not its own: say --source-token-host {asked} if it may see the password"
            )
        } else {
            format!("{own} sends who signs in to {realm}, where the password could be read on its way")
        }))
    }
}

impl Account {
    fn basic(&self) -> HeaderValue {
        let pair = Secret::new(format!("{}:{}", self.name, self.secret.expose()));
        let text = base64::engine::general_purpose::STANDARD.encode(pair.expose());
        let mut header = HeaderValue::try_from(format!("Basic {text}"))
            .unwrap_or_else(|_| HeaderValue::from_static("Basic"));
        header.set_sensitive(true);
        header
    }
}

/// Whether both hosts belong to whoever has the domain: `registry-1.docker.io` and `auth.docker.io` do; what stands
/// below `co.uk` and the like does not, since the label before the last must be longer.
fn is_same_site(one: &str, other: &str) -> bool {
    fn site(host: &str) -> Option<&str> {
        if host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[') {
            return None;
        }
        let (before, last) = host.rsplit_once('.')?;
        let (start, second) = match before.rsplit_once('.') {
            Some((front, second)) => (front.len() + 1, second),
            None => (0, before),
        };
        (second.len() > 3 && !last.is_empty()).then(|| &host[start..])
    }
    site(one).is_some_and(|found| site(other) == Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_whose_domain_it_is() {
        assert!(is_same_site("registry-1.docker.io", "auth.docker.io"));
        assert!(is_same_site("example.org", "auth.example.org"));
        for (one, other) in [
            ("a.example.org", "a.example.com"),
            ("shop.co.uk", "evil.co.uk"),
            ("10.0.0.1", "10.1.0.1"),
            ("localhost", "localhost"),
            ("registry", "auth"),
            ("", ""),
            ("a.example.org", "badexample.org"),
        ] {
            assert!(!is_same_site(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_secret_goes_only_where_it_belongs() {
        let account = Account {
            name: "ada".to_owned(),
            secret: Secret::new("s".to_owned()),
        };
        let sign_in = SignIn::new(Some(account), vec!["login.example".to_owned()]);
        let may = |registry: &str, realm: &str| {
            let (registry, realm) = (registry.parse().unwrap(), realm.parse().unwrap());
            sign_in.may_see_the_secret(&registry, &realm).is_ok()
        };
        assert!(may("https://a.harbor.io", "https://a.harbor.io/service/token"));
        assert!(may(
            "https://registry-1.docker.io",
            "https://auth.docker.io/token"
        ));
        assert!(may("https://a.example", "https://login.example/t"));
        assert!(may("http://localhost:5000", "http://localhost:5001/t"));
        assert!(!may("https://a.example", "http://a.example/t"));
        assert!(!may("https://a.example", "https://elsewhere.net/t"));
        assert!(!may("http://localhost:5000", "http://elsewhere.net/t"));
    }
}
