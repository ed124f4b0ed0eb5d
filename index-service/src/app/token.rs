//! Issuing registry tokens.

use std::sync::Arc;

use shared::secret::Secret;
use shared::token::access::Resource;
use shared::token::claims::MAX_NOTES;
use shared::token::{AccessEntry, Actions, Claims, Note, Scope, TagLimits, Terms};
use time::OffsetDateTime;

use super::App;
use super::caller::Client;
use super::error::AppError;
use super::explanation::shortened;
use super::login::Login;
use super::repository::Reservation;
use crate::domain::{Principal, RepositoryFacts, decide_catalog};
use crate::store::Tx;
use crate::token::{Recipient, SignError};

/// Whom tokens name that the index signs for itself: no account or robot can be called so.
pub(super) const OWN_SUBJECT: &str = "@index";

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
    /// An access token alone, as programs show it to the API.
    Token(Secret<String>),
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
    /// Where the request comes from.
    pub client: Client,
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
        let (login, tx) = self.log_in(&request.credential, &request.client).await?;
        let (access, why) = self.grant(&login, tx, &request.scopes, service.recipient).await?;
        let refresh_token = self.refresh_token(&login, &request).await?;
        let now = self.clock.now_s();
        let rates = match service.recipient {
            Recipient::Own => self.rates(&login, &request.client),
            Recipient::Foreign => None,
        };
        let claims = Claims {
            why,
            rates,
            ..self.claims(&login, service, access, now)
        };
        let signed = self.keys.signer().sign(claims, service.recipient)?;
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
        self.content_token(service, facts, (Actions::PULL, TagLimits::EVERY), None, None)
    }

    /// A token with which the index changes one repository's content, on behalf of a login whose right to that was checked, or
    /// without one for a policy. The terms of the repository hold for both.
    pub(super) fn content_token(
        &self,
        service: &Service,
        facts: &RepositoryFacts,
        (actions, delete_tags): (Actions, TagLimits),
        terms: Option<Arc<Terms>>,
        login: Option<&Login>,
    ) -> Result<String, AppError> {
        let entry = AccessEntry {
            stored_as: facts.stored_elsewhere(&facts.name).cloned(),
            delete_tags,
            terms,
            ..AccessEntry::new(Resource::Repository(facts.name.clone()), actions)
        };
        let now = self.clock.now_s();
        let claims = match login {
            Some(login) => self.claims(login, service, vec![entry], now),
            None => Claims {
                sub: OWN_SUBJECT.to_owned(),
                ..self.claims(&Login::Anonymous, service, vec![entry], now)
            },
        };
        Ok(self.keys.signer().sign(claims, service.recipient)?.token)
    }

    pub(super) fn claims(
        &self,
        login: &Login,
        service: &Service,
        access: Vec<AccessEntry>,
        now_s: i64,
    ) -> Claims {
        Claims {
            iss: self.keys.issuer().to_owned(),
            sub: login.subject(),
            aud: service.name.clone(),
            exp: now_s + self.settings.token.lifetime_s,
            nbf: now_s - BACKDATED_S,
            iat: now_s,
            jti: format!("{:032x}", u128::from_be_bytes(self.random.bytes())),
            access,
            act: login.actor(),
            why: Vec::new(),
            rates: None,
        }
    }

    /// The registry behind our front door.
    pub(super) fn find_front_door(&self) -> Result<&Service, AppError> {
        let service = self.settings.token.services.first();
        service.ok_or_else(|| AppError::Internal("there is no registry".into()))
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

    /// What of the scopes is granted, in their order, and notes about what is not; names that a granted push creates are reserved on the way.
    async fn grant(
        &self,
        login: &Login,
        tx: Option<Tx>,
        scopes: &[Scope],
        recipient: Recipient,
    ) -> Result<(Vec<AccessEntry>, Vec<Note>), AppError> {
        if scopes.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let principal = &login.principal();
        let mut why = Vec::new();
        let mut tx = match tx {
            Some(tx) => tx,
            None => self.store.read().await?,
        };
        let mut access = Vec::with_capacity(scopes.len());
        let mut reserve = Vec::new();
        for scope in scopes {
            let entry = match &scope.resource {
                Resource::Catalog => {
                    AccessEntry::new(Resource::Catalog, decide_catalog(principal, scope.actions))
                }
                Resource::Repository(name) => {
                    let answer = self
                        .decide(&mut tx, principal, name, scope.actions, recipient)
                        .await?;
                    if answer.reserves {
                        reserve.push(access.len());
                    }
                    if let Some(lack) = answer.lack.filter(|_| why.len() < MAX_NOTES) {
                        why.push(Note {
                            name: name.clone(),
                            text: lack.note(login),
                        });
                    }
                    answer.entry
                }
            };
            if !entry.actions.is_empty() {
                access.push(entry);
            }
        }
        drop(tx);
        for index in reserve {
            let note = self.reserve_entry(principal, &mut access[index]).await?;
            why.extend(note.filter(|_| why.len() < MAX_NOTES));
        }
        access.retain(|entry| !entry.actions.is_empty());
        Ok((access, why))
    }

    /// Reserves the name of a granted push. Where it cannot be reserved the push is not granted.
    async fn reserve_entry(
        &self,
        principal: &Principal,
        entry: &mut AccessEntry,
    ) -> Result<Option<Note>, AppError> {
        let Resource::Repository(name) = &entry.resource else {
            return Ok(None);
        };
        let lack = match self.reserve(principal, name).await? {
            Reservation::Held(facts) => {
                entry.stored_as = facts.stored_elsewhere(name).cloned();
                return Ok(None);
            }
            Reservation::TooMany => None,
            Reservation::Full(lack) => Some(lack),
        };
        let note = lack.map(|lack| Note {
            name: name.clone(),
            text: shortened(lack),
        });
        entry.actions = entry.actions.intersection(Actions::PULL);
        entry.terms = None;
        Ok(note)
    }
}

impl From<SignError> for AppError {
    fn from(error: SignError) -> Self {
        Self::Internal(error.into())
    }
}
