//! Issuing registry tokens.

use shared::secret::Secret;
use shared::token::access::Resource;
use shared::token::{AccessEntry, Action, Actions, Claims, Scope};
use time::OffsetDateTime;

use super::App;
use super::error::AppError;
use super::login::Login;
use super::repository::Reservation;
use crate::domain::{NamespaceName, Principal, RepositoryFacts, decide, decide_catalog};
use crate::store::{Tx, namespace, repository};
use crate::token::{Recipient, SignError};

/// A token is valid from this many seconds before it was issued, for verifiers whose clocks are behind.
const BACKDATED_S: i64 = 10;

/// What the operator decides about tokens.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// How long a token is valid, in seconds.
    pub lifetime_s: i64,
    /// The registries that tokens are issued for; at least one. The first is the one behind our front door.
    pub services: Vec<Service>,
}

/// A registry that takes our tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// What it calls itself in its challenge: the `aud` of tokens.
    pub name: String,
    /// Whether its tokens carry their certificates, as a stock distribution needs.
    pub recipient: Recipient,
}

/// What a client shows of itself.
#[derive(Debug)]
pub enum Credential {
    /// Nothing.
    Anonymous,
    /// A user name with a password, or with an access token in its place.
    Password {
        /// The user name as it was sent.
        username: String,
        /// The secret.
        password: Secret<String>,
    },
    /// A refresh token.
    Refresh(Secret<String>),
}

/// What a client asks for.
#[derive(Debug)]
pub struct TokenRequest {
    /// The registry; without one the only registry is meant.
    pub service: Option<String>,
    /// The access it wants.
    pub scopes: Vec<Scope>,
    /// Who it is.
    pub credential: Credential,
    /// Whether it wants a refresh token.
    pub offline: bool,
    /// What program it says it is.
    pub client_id: String,
    /// Its `User-Agent`.
    pub user_agent: String,
}

/// The answer.
#[derive(Debug)]
pub struct IssuedToken {
    /// The registry token.
    pub token: String,
    /// How long it is valid, in seconds.
    pub lifetime_s: i64,
    /// When it was issued, to the second.
    pub issued_at: OffsetDateTime,
    /// What it allows.
    pub granted: Vec<Scope>,
    /// The refresh token, if there is one.
    pub refresh_token: Option<Secret<String>>,
}

impl App {
    /// Issues a token that holds what the client asked for and may have. That some of it, or all, is refused is no
    /// error: the registry says so where it matters.
    pub async fn issue_token(&self, request: TokenRequest) -> Result<IssuedToken, AppError> {
        let service = self.find_service(request.service.as_deref())?;
        let (login, tx) = self.log_in(&request.credential).await?;
        let access = self.grant(&login.principal(), tx, &request.scopes).await?;
        let refresh_token = self.refresh_token(&login, &request).await?;
        let now = self.clock.now_s();
        let claims = self.claims(&login, service, access, now);
        let signed = self.signer.sign(claims, service.recipient)?;
        let granted = signed
            .access
            .into_iter()
            .map(|entry| Scope {
                resource: entry.resource,
                actions: entry.actions,
            })
            .collect();
        Ok(IssuedToken {
            token: signed.token,
            lifetime_s: self.settings.token.lifetime_s,
            issued_at: OffsetDateTime::from_unix_timestamp(now).unwrap_or(OffsetDateTime::UNIX_EPOCH),
            granted,
            refresh_token,
        })
    }

    /// A token that the index uses itself to ask the registry about one repository.
    pub(super) fn own_token(&self, service: &Service, facts: &RepositoryFacts) -> Result<String, AppError> {
        let entry = AccessEntry {
            resource: Resource::Repository(facts.name.clone()),
            actions: Actions::PULL,
            stored_as: facts.stored_elsewhere().cloned(),
            class: None,
        };
        let claims = self.claims(&Login::Anonymous, service, vec![entry], self.clock.now_s());
        Ok(self.signer.sign(claims, service.recipient)?.token)
    }

    fn claims(&self, login: &Login, service: &Service, access: Vec<AccessEntry>, now_s: i64) -> Claims {
        Claims {
            iss: self.signer.issuer().to_owned(),
            sub: login.subject().to_owned(),
            aud: service.name.clone(),
            exp: now_s + self.settings.token.lifetime_s,
            nbf: now_s - BACKDATED_S,
            iat: now_s,
            jti: format!("{:032x}", u128::from_be_bytes(self.random.bytes())),
            access,
            act: login.actor(),
        }
    }

    /// The registry that a client names, or the only one when it names none.
    pub(super) fn find_service(&self, name: Option<&str>) -> Result<&Service, AppError> {
        let services = &self.settings.token.services;
        match name {
            Some(name) => services
                .iter()
                .find(|service| service.name == name)
                .ok_or_else(|| AppError::Invalid("no tokens are issued for this service".to_owned())),
            None => match services.as_slice() {
                [only] => Ok(only),
                _ => Err(AppError::Invalid("service is missing".to_owned())),
            },
        }
    }

    /// What of the scopes is granted, in their order; names that a granted push creates are reserved on the way.
    async fn grant(
        &self,
        principal: &Principal,
        tx: Option<Tx>,
        scopes: &[Scope],
    ) -> Result<Vec<AccessEntry>, AppError> {
        if scopes.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = match tx {
            Some(tx) => tx,
            None => self.store.read().await?,
        };
        let mut access = Vec::with_capacity(scopes.len());
        let mut reserve = Vec::new();
        for scope in scopes {
            let entry = match &scope.resource {
                Resource::Catalog => AccessEntry {
                    resource: Resource::Catalog,
                    actions: decide_catalog(principal, scope.actions),
                    stored_as: None,
                    class: None,
                },
                Resource::Repository(name) => {
                    let namespace = namespace::find_namespace(&mut tx, &NamespaceName::from(name)).await?;
                    let repository = repository::find_repository(&mut tx, name).await?;
                    let decision = decide(
                        principal,
                        namespace.as_ref(),
                        repository.as_ref(),
                        name,
                        scope.actions,
                    );
                    let is_renewed = decision.granted.contains(Action::Push)
                        && repository
                            .as_ref()
                            .is_some_and(|facts| self.is_renewal_due(facts));
                    if decision.reserves || is_renewed {
                        reserve.push(access.len());
                    }
                    AccessEntry {
                        resource: Resource::Repository(name.clone()),
                        actions: decision.granted,
                        stored_as: repository.and_then(|r| r.stored_elsewhere().cloned()),
                        class: None,
                    }
                }
            };
            if !entry.actions.is_empty() {
                access.push(entry);
            }
        }
        drop(tx);
        for index in reserve {
            self.reserve_entry(principal, &mut access[index]).await?;
        }
        access.retain(|entry| !entry.actions.is_empty());
        Ok(access)
    }

    /// Reserves the name of a granted push. Where it cannot be reserved the push is not granted.
    async fn reserve_entry(&self, principal: &Principal, entry: &mut AccessEntry) -> Result<(), AppError> {
        if let (Resource::Repository(name), Some(account_id)) = (&entry.resource, principal.account_id())
            && self.reserve(account_id, name).await? == Reservation::TooMany
        {
            entry.actions = entry.actions.intersection(Actions::PULL);
        }
        Ok(())
    }
}

impl From<SignError> for AppError {
    fn from(error: SignError) -> Self {
        Self::Internal(error.into())
    }
}
