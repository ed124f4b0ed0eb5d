//! Do the claims cover the access that the endpoint needs? The one way to an [`Authorized`] request.

mod authorized;

use std::sync::Arc;

use shared::oci::RepositoryName;
use shared::token::{Actions, Challenge, ChallengeError, Scope};

use super::caller::Caller;
use super::chain::{Chain, Issued};
use super::htpasswd::{Htpasswd, Rejection};
use super::key_source::KeySource;
use super::policy::AccessPolicy;
use super::realm::Realm;
use super::verifier::{InvalidToken, MAX_TOKEN, VerifiedClaims, Verifier};
use crate::endpoint::{Endpoint, Mount, Operation, RequiredAccess};

/// Most repositories that a mount without `from` looks through.
const MAX_MOUNT_SOURCES: usize = 16;

/// How requests are let in.
#[derive(Debug)]
pub enum Authenticator {
    /// Everybody may do everything: no `auth` is configured.
    Open,
    /// Whoever sends any `Authorization` at all: for tests of clients, as distribution's `silly`.
    Silly {
        /// As the challenge names it.
        realm: String,
        /// As the challenge names it.
        service: String,
    },
    /// Whoever has an account in a file; everybody in it may do everything.
    Htpasswd(Box<Htpasswd>),
    /// Whoever shows a token of the index.
    Token(TokenAuthority),
    /// Several of these ways, or a policy.
    Chain(Box<Chain>),
}

/// Who a caller turned out to be.
pub(super) enum Principal {
    /// Nobody that we know.
    Nobody {
        /// They asked for a token without showing who they are, and got one.
        has_token: bool,
    },
    /// An account of the file.
    Account(String),
    /// Who holds a token of the token server.
    Holder(Arc<VerifiedClaims>),
}

/// The token server that is believed, and how to find it.
#[derive(Debug)]
pub struct TokenAuthority {
    /// The token endpoint, as a challenge names it.
    pub realm: Realm,
    /// Who checks.
    pub verifier: Verifier,
    /// Where its keys come from.
    pub source: KeySource,
}

/// A request that may be served, with all that its serving may depend on. Made by [`Authenticator::authorize`] alone.
#[derive(Debug)]
pub struct Authorized {
    endpoint: Endpoint,
    stored_as: Option<RepositoryName>,
    claims: Option<Arc<VerifiedClaims>>,
    /// The account, where there are accounts and no claims.
    account: Option<String>,
    /// The policy, when it decides what is listed.
    listed_by: Option<Arc<AccessPolicy>>,
    mount_sources: Vec<RepositoryName>,
}

impl Authorized {
    /// The one decision about a principal of a chain: what its token holds, what the policy gives it, and everything to an
    /// account where there is no policy. Gives the endpoint back when it may not be.
    pub(super) fn decide(
        endpoint: Endpoint,
        principal: Principal,
        policy: Option<&Arc<AccessPolicy>>,
    ) -> Result<Self, Endpoint> {
        let account = match principal {
            Principal::Holder(claims) => match reach(&endpoint, &claims) {
                Some(reach) => return Ok(Self::of_claims(endpoint, claims, reach)),
                // What everybody may, whoever holds a token may too.
                None => None,
            },
            Principal::Account(name) if policy.is_none() => {
                return Ok(Self {
                    account: Some(name),
                    ..open(endpoint)
                });
            }
            Principal::Account(name) => Some(name),
            // Whoever shows nothing learns here how to show more.
            Principal::Nobody { has_token: false }
                if endpoint.required_access() == RequiredAccess::AnyToken =>
            {
                return Err(endpoint);
            }
            Principal::Nobody { .. } => None,
        };
        let Some(policy) = policy else {
            return Err(endpoint);
        };
        let who = account.as_deref();
        let held = |name: &RepositoryName, actions| policy.held(who, name).covers(actions);
        let mut authorized = match endpoint.required_access() {
            RequiredAccess::Nothing | RequiredAccess::AnyToken => open(endpoint),
            RequiredAccess::Catalog if policy.gives_anything(who) => Self {
                listed_by: Some(Arc::clone(policy)),
                ..open(endpoint)
            },
            RequiredAccess::Repository { name, actions, .. } if held(name, actions) => open(endpoint),
            RequiredAccess::Catalog | RequiredAccess::Repository { .. } => return Err(endpoint),
        };
        let target = match &authorized.endpoint {
            Endpoint::Repository(name, _) => Some(name),
            _ => None,
        };
        let sources = &mut authorized.mount_sources;
        sources.retain(|source| Some(source) == target || held(source, Actions::PULL));
        Ok(Self {
            account,
            ..authorized
        })
    }

    fn of_claims(endpoint: Endpoint, claims: Arc<VerifiedClaims>, reach: Reach) -> Self {
        Self {
            endpoint,
            stored_as: reach.stored_as,
            mount_sources: reach.mount_sources,
            claims: Some(claims),
            account: None,
            listed_by: None,
        }
    }
}

/// A request that is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// It is not let in.
    Refused(Box<Refusal>),
    /// They are known, and may not.
    Forbidden,
    /// Too many passwords wait to be verified; another time perhaps.
    TooManyLogins,
}

/// Why a request is not let in: 401 with a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was wrong with the token; `None` when none was shown.
    pub token: Option<InvalidToken>,
    /// The scopes that a sufficient token has.
    pub scopes: Vec<Scope>,
    /// The value of `WWW-Authenticate`.
    pub challenge: String,
    /// A token was shown and is good, but does not reach.
    pub insufficient: bool,
    /// Why it does not, in the words of who issued it.
    pub note: Option<String>,
}

/// What was wrong, before it is told.
pub(super) enum Fault {
    NoToken,
    Invalid(InvalidToken),
    /// With the note about it, if the token has one.
    Insufficient(Option<String>),
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl Authenticator {
    /// Lets a request in, or says what is missing. `now_s` is the time in seconds since the epoch. Waits only when the
    /// token names a key that must be fetched first, and while a password is verified.
    pub async fn authorize<'c>(
        &self,
        endpoint: Endpoint,
        caller: impl Into<Caller<'c>>,
        now_s: i64,
    ) -> Result<Authorized, Denial> {
        let caller = caller.into();
        let authorization = caller.authorization;
        if endpoint.required_access() == RequiredAccess::Nothing {
            return Ok(open(endpoint));
        }
        let authority = match self {
            Self::Open => return Ok(open(endpoint)),
            Self::Silly { realm, service } => return silly(endpoint, authorization, realm, service),
            Self::Htpasswd(accounts) => return of_account(endpoint, accounts, authorization, now_s).await,
            Self::Token(authority) => authority,
            Self::Chain(chain) => return chain.authorize(endpoint, &caller, now_s).await,
        };
        let claims = match authority.claims(authorization, now_s).await {
            Ok(claims) => claims,
            Err(fault) => return Err(authority.refusal(&endpoint, &caller, &fault).into()),
        };
        if let Some(reach) = reach(&endpoint, &claims) {
            return Ok(Authorized::of_claims(endpoint, claims, reach));
        }
        let fault = Fault::Insufficient(note(&endpoint, &claims));
        Err(authority.refusal(&endpoint, &caller, &fault).into())
    }
}

impl Authenticator {
    /// A token of this registry's own for whom the caller shows to be; `None` where there is no such thing.
    pub async fn issue(&self, caller: &Caller<'_>, now_s: i64) -> Result<Option<Issued>, Denial> {
        match self {
            Self::Chain(chain) => chain.issue(caller, now_s).await,
            _ => Ok(None),
        }
    }

    /// Keeps keys for tokens current in the background. Must be called inside a runtime.
    pub fn keep_current(&self) {
        let authority = match self {
            Self::Token(authority) => Some(authority),
            Self::Chain(chain) => chain.tokens.as_ref(),
            Self::Open | Self::Silly { .. } | Self::Htpasswd(_) => None,
        };
        if let Some(authority) = authority {
            authority.source.keep_current();
        }
    }
}

impl TokenAuthority {
    pub(super) async fn claims(
        &self,
        authorization: Option<&[u8]>,
        now_s: i64,
    ) -> Result<Arc<VerifiedClaims>, Fault> {
        let token = bearer(authorization.ok_or(Fault::NoToken)?)?;
        match self.verifier.verify(token, now_s) {
            // Perhaps the index has begun to sign with another key.
            Err(InvalidToken::UnknownKey) if self.source.refresh_now().await => {
                self.verifier.verify(token, now_s).map_err(Fault::Invalid)
            }
            other => other.map_err(Fault::Invalid),
        }
    }

    pub(super) fn refusal(&self, endpoint: &Endpoint, caller: &Caller<'_>, fault: &Fault) -> Refusal {
        let scopes = endpoint.required_access().scopes();
        let error = match fault {
            Fault::NoToken => None,
            Fault::Invalid(_) => Some(ChallengeError::InvalidToken),
            Fault::Insufficient(_) => Some(ChallengeError::InsufficientScope),
        };
        let note = match fault {
            Fault::Insufficient(Some(note)) => Some(format!("{DENIED}: {note}")),
            _ => None,
        };
        let challenge = Challenge {
            realm: &self.realm.url(caller),
            service: self.verifier.service(),
            scopes: &scopes,
            error,
            description: note.as_deref(),
        };
        Refusal {
            challenge: challenge.to_string(),
            token: match fault {
                Fault::Invalid(reason) => Some(*reason),
                Fault::NoToken | Fault::Insufficient(_) => None,
            },
            insufficient: matches!(fault, Fault::Insufficient(_)),
            note,
            scopes,
        }
    }
}

/// Engines say so by themselves when nothing better is said.
const DENIED: &str = "requested access to the resource is denied";

/// What the token says about the repository that is asked for.
pub(super) fn note(endpoint: &Endpoint, claims: &VerifiedClaims) -> Option<String> {
    match endpoint {
        Endpoint::Repository(name, _) => claims.find_note(name).map(str::to_owned),
        _ => None,
    }
}

/// The token of an `Authorization` value. Another scheme is as good as none: the challenge tells which one is wanted.
pub(super) fn bearer(authorization: &[u8]) -> Result<&str, Fault> {
    const SCHEME: &[u8] = b"bearer ";
    let is_bearer =
        authorization.len() > SCHEME.len() && authorization[..SCHEME.len()].eq_ignore_ascii_case(SCHEME);
    if !is_bearer {
        return Err(Fault::NoToken);
    }
    let token = &authorization[SCHEME.len()..];
    if token.len() > MAX_TOKEN {
        return Err(Fault::Invalid(InvalidToken::Form));
    }
    std::str::from_utf8(token)
        .map(str::trim_ascii)
        .map_err(|_| Fault::Invalid(InvalidToken::Form))
}

/// How far a token reaches for an endpoint that it covers.
struct Reach {
    stored_as: Option<RepositoryName>,
    mount_sources: Vec<RepositoryName>,
}

fn reach(endpoint: &Endpoint, claims: &VerifiedClaims) -> Option<Reach> {
    let nothing = Reach {
        stored_as: None,
        mount_sources: Vec::new(),
    };
    match endpoint.required_access() {
        RequiredAccess::Nothing | RequiredAccess::AnyToken => Some(nothing),
        // A token that allows nothing lists nothing; a client that asked for one without a scope can ask again.
        RequiredAccess::Catalog => (claims.lists_everything() || !claims.allows_nothing()).then_some(nothing),
        RequiredAccess::Repository { name, actions, .. } => {
            let (held, stored_as) = claims.find_access(name)?;
            held.covers(actions).then(|| Reach {
                stored_as: (stored_as != name).then(|| stored_as.clone()),
                mount_sources: mount_sources(endpoint, stored_as, |mount| held_sources(claims, mount)),
            })
        }
    }
}

/// What the token allows to read of what the client names, or everything it allows to read when it names nothing.
fn held_sources(claims: &VerifiedClaims, mount: &Mount) -> Vec<RepositoryName> {
    match &mount.from {
        Some(from) => claims
            .find_access(from)
            .filter(|(held, _)| held.covers(Actions::PULL))
            .map(|(_, stored_as)| stored_as.clone())
            .into_iter()
            .collect(),
        None => claims
            .pullable()
            .map(|(_, stored_as)| stored_as.clone())
            .take(MAX_MOUNT_SOURCES)
            .collect(),
    }
}

fn open(endpoint: Endpoint) -> Authorized {
    let mount_sources = match &endpoint {
        Endpoint::Repository(name, _) => {
            mount_sources(&endpoint, name, |mount| mount.from.iter().cloned().collect())
        }
        _ => Vec::new(),
    };
    Authorized {
        endpoint,
        stored_as: None,
        claims: None,
        account: None,
        listed_by: None,
        mount_sources,
    }
}

/// The account may do everything.
async fn of_account(
    endpoint: Endpoint,
    accounts: &Htpasswd,
    authorization: Option<&[u8]>,
    now_s: i64,
) -> Result<Authorized, Denial> {
    match accounts.verify(authorization, now_s).await {
        Ok(name) => Ok(Authorized {
            account: Some(name),
            ..open(endpoint)
        }),
        Err(Rejection::NoCredentials | Rejection::Wrong) => Err(Refusal {
            token: None,
            scopes: endpoint.required_access().scopes(),
            challenge: accounts.challenge(),
            insufficient: false,
            note: None,
        }
        .into()),
        Err(Rejection::TooManyLogins) => Err(Denial::TooManyLogins),
    }
}

fn silly(
    endpoint: Endpoint,
    authorization: Option<&[u8]>,
    realm: &str,
    service: &str,
) -> Result<Authorized, Denial> {
    if authorization.is_some_and(|value| !value.is_empty()) {
        return Ok(Authorized {
            account: Some("silly".to_owned()),
            ..open(endpoint)
        });
    }
    let scopes = endpoint.required_access().scopes();
    let challenge = Challenge {
        realm,
        service,
        scopes: &scopes,
        error: None,
        description: None,
    };
    Err(Refusal {
        challenge: challenge.to_string(),
        token: None,
        scopes,
        insufficient: false,
        note: None,
    }
    .into())
}

/// The sources of a mount: what `held` gives, and the target itself, which may hold the blob already.
fn mount_sources(
    endpoint: &Endpoint,
    target: &RepositoryName,
    held: impl FnOnce(&Mount) -> Vec<RepositoryName>,
) -> Vec<RepositoryName> {
    let Endpoint::Repository(_, Operation::StartUpload(Some(mount))) = endpoint else {
        return Vec::new();
    };
    let mut sources = held(mount);
    if !sources.contains(target) {
        sources.push(target.clone());
    }
    sources
}
