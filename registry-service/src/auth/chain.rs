//! Several ways to be let in at once, and a policy of what everybody may: ours, distribution has one way alone.

use std::sync::Arc;

use shared::token::{Challenge, ChallengeError};

use super::authorize::{Authorized, Denial, Fault, Principal, Refusal, TokenAuthority, bearer, note};
use super::caller::Caller;
use super::htpasswd::{Htpasswd, Rejection};
use super::own_token::{self, OwnTokens};
use super::policy::AccessPolicy;
use super::verifier::InvalidToken;
use crate::endpoint::Endpoint;

/// Who is asked who a caller is, and what that gives them.
#[derive(Debug)]
pub struct Chain {
    /// Accounts of a file, shown as name and password.
    pub accounts: Option<Htpasswd>,
    /// Tokens of a token server.
    pub tokens: Option<TokenAuthority>,
    /// What accounts may, and everybody; without it accounts may do everything and nobody else anything.
    pub policy: Option<Arc<AccessPolicy>>,
    /// Tokens of this registry, for who may do something without an account and more with one.
    pub own: Option<OwnTokens>,
    /// Whether who shows nothing is sent to the token server, when there is one.
    pub prefers_tokens: bool,
}

/// A token of this registry's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// What to show as `Bearer`.
    pub token: String,
    /// For how many seconds.
    pub expires_in_s: i64,
}

/// How a caller tried to be let in.
enum Way {
    Nothing,
    Password,
    Token(Fault),
    OwnToken(Fault),
}

impl Chain {
    pub(super) async fn authorize(
        &self,
        endpoint: Endpoint,
        caller: &Caller<'_>,
        now_s: i64,
    ) -> Result<Authorized, Denial> {
        let principal = match self.identify(caller, now_s).await {
            Ok(principal) => principal,
            Err(None) => return Err(Denial::TooManyLogins),
            Err(Some(way)) => return Err(self.refusal(&endpoint, caller, &way)),
        };
        let way = match &principal {
            Principal::Nobody { has_token: false } => Some(Way::Nothing),
            Principal::Nobody { has_token: true } => Some(Way::OwnToken(Fault::Insufficient(None))),
            Principal::Holder(claims) => Some(Way::Token(Fault::Insufficient(note(&endpoint, claims)))),
            // Whoever is known and may not would only be asked again in vain.
            Principal::Account(_) => None,
        };
        match (Authorized::decide(endpoint, principal, self.policy.as_ref()), way) {
            (Ok(authorized), _) => Ok(authorized),
            (Err(endpoint), Some(way)) => Err(self.refusal(&endpoint, caller, &way)),
            (Err(_), None) => Err(Denial::Forbidden),
        }
    }

    /// A token for who the caller is; for nobody when they show nothing.
    pub(super) async fn issue(&self, caller: &Caller<'_>, now_s: i64) -> Result<Option<Issued>, Denial> {
        let Some(own) = &self.own else { return Ok(None) };
        let (account, hash) = match self.account(caller, now_s).await {
            Ok(Some(account)) => {
                let hash = self.hash(&account, now_s);
                (account, hash.unwrap_or_default())
            }
            Ok(None) => (String::new(), String::new()),
            Err(None) => return Err(Denial::TooManyLogins),
            Err(Some(way)) => return Err(self.refusal(&Endpoint::Token, caller, &way)),
        };
        Ok(Some(Issued {
            token: own.issue(&account, &hash, now_s),
            expires_in_s: own_token::LIFE_S,
        }))
    }

    /// Who the caller is; in which way they failed, or `None` when there is no time to say.
    async fn identify(&self, caller: &Caller<'_>, now_s: i64) -> Result<Principal, Option<Way>> {
        if let Some(account) = self.account(caller, now_s).await? {
            return Ok(Principal::Account(account));
        }
        let Some(Ok(token)) = caller.authorization.map(bearer) else {
            return Ok(Principal::Nobody { has_token: false });
        };
        if let Some((own, shown)) = self.own.as_ref().zip(OwnTokens::read(token)) {
            let hash = if shown.account.is_empty() {
                Some(String::new())
            } else {
                self.hash(&shown.account, now_s)
            };
            if !hash.is_some_and(|hash| own.is_genuine(&shown, &hash, now_s)) {
                return Err(Some(Way::OwnToken(Fault::Invalid(InvalidToken::Expired))));
            }
            return Ok(if shown.account.is_empty() {
                Principal::Nobody { has_token: true }
            } else {
                Principal::Account(shown.account)
            });
        }
        let Some(authority) = &self.tokens else {
            return Ok(Principal::Nobody { has_token: false });
        };
        let claims = authority.claims(caller.authorization, now_s).await;
        claims
            .map(Principal::Holder)
            .map_err(|fault| Some(Way::Token(fault)))
    }

    /// The account whose password the caller shows; none when they show no password.
    async fn account(&self, caller: &Caller<'_>, now_s: i64) -> Result<Option<String>, Option<Way>> {
        let Some(accounts) = &self.accounts else {
            return Ok(None);
        };
        // Clients send an empty pair for nobody.
        if !caller.authorization.is_some_and(super::htpasswd::is_basic) {
            return Ok(None);
        }
        match accounts.verify(caller.authorization, now_s).await {
            Ok(account) => Ok(Some(account)),
            Err(Rejection::TooManyLogins) => Err(None),
            Err(Rejection::NoCredentials | Rejection::Wrong) => Err(Some(Way::Password)),
        }
    }

    fn hash(&self, account: &str, now_s: i64) -> Option<String> {
        self.accounts.as_ref()?.hash_of(account, now_s)
    }

    /// Where the caller is sent: on the way that they tried, and on the first one otherwise.
    fn refusal(&self, endpoint: &Endpoint, caller: &Caller<'_>, way: &Way) -> Denial {
        let by_tokens = self
            .tokens
            .as_ref()
            .filter(|_| matches!(way, Way::Token(_)) || (self.prefers_tokens && matches!(way, Way::Nothing)));
        if let Some(authority) = by_tokens {
            let fault = match way {
                Way::Token(fault) => fault,
                _ => &Fault::NoToken,
            };
            return authority.refusal(endpoint, caller, fault).into();
        }
        let scopes = endpoint.required_access().scopes();
        let own = self.own.as_ref().filter(|_| !matches!(way, Way::Password));
        let (token, error) = match way {
            Way::OwnToken(Fault::Invalid(reason)) => (Some(*reason), Some(ChallengeError::InvalidToken)),
            Way::OwnToken(Fault::Insufficient(_)) => (None, Some(ChallengeError::InsufficientScope)),
            _ => (None, None),
        };
        let challenge = match (own, &self.accounts) {
            (Some(own), _) => Challenge {
                realm: &own.realm().url(caller),
                service: own_token::SERVICE,
                scopes: &scopes,
                error,
                description: None,
            }
            .to_string(),
            (None, Some(accounts)) => accounts.challenge(),
            // A policy alone: there is nobody to be.
            (None, None) => "Basic realm=\"nobody has an account\"".to_owned(),
        };
        Refusal {
            challenge,
            token,
            insufficient: matches!(way, Way::OwnToken(Fault::Insufficient(_))),
            note: None,
            scopes,
        }
        .into()
    }
}
