//! The list of repositories that a client may see.

use shared::oci::RepositoryName;
use shared::token::{Challenge, ChallengeError, Claims, Scope};

use super::App;
use super::caller::Client;
use super::error::AppError;
use super::token::Credential;
use crate::domain::{AccountId, Ceiling, DeviceId, Principal, RobotId, TokenId};
use crate::store::{Tx, access_token, account, device, listing, robot};

/// What a reader of the catalog shows.
#[derive(Debug)]
pub enum Reader {
    /// A registry token of ours.
    Token(String),
    /// A credential itself.
    Credential(Credential),
}

/// A page of the catalog.
#[derive(Debug)]
pub struct CatalogPage {
    /// The names in their order.
    pub names: Vec<RepositoryName>,
    /// Whether more follow.
    pub more: bool,
}

impl App {
    /// At most `limit` repositories behind `after` that the reader may pull, in the order of their names. The registry's
    /// own catalog would list them all. `None` when the token shown is not valid.
    pub async fn list_catalog(
        &self,
        reader: &Reader,
        client: &Client,
        after: &str,
        limit: u32,
    ) -> Result<Option<CatalogPage>, AppError> {
        let Some((principal, mut tx)) = self.read_as(reader, client).await? else {
            return Ok(None);
        };
        // One more than asked for tells whether there are more.
        let listed = listing::list_visible_repositories(
            &mut tx,
            &principal,
            after,
            limit.saturating_add(1),
            self.clock.now_ms(),
        )
        .await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = listed.len() > limit;
        let names = listed.into_iter().take(limit).map(|facts| facts.name).collect();
        Ok(Some(CatalogPage { names, more }))
    }

    /// Whom a reader is, and a transaction that only reads. `None` when the token shown is not valid.
    pub(super) async fn read_as(
        &self,
        reader: &Reader,
        client: &Client,
    ) -> Result<Option<(Principal, Tx)>, AppError> {
        let (principal, tx) = match reader {
            Reader::Credential(credential) => {
                let (login, tx) = self.log_in(credential, client).await?;
                (login.principal(), tx)
            }
            Reader::Token(token) => match self.principal_of(token).await? {
                Some((principal, tx)) => (principal, Some(tx)),
                None => return Ok(None),
            },
        };
        let tx = match tx {
            Some(tx) => tx,
            None => self.store.read().await?,
        };
        Ok(Some((principal, tx)))
    }

    /// The challenge for readers of the catalog.
    pub fn catalog_challenge(&self, error: Option<ChallengeError>) -> String {
        Challenge {
            realm: &self.realm(),
            service: self.front_door_service(),
            scopes: &[Scope::catalog()],
            error,
            description: None,
        }
        .to_string()
    }

    /// Whom a token of ours was issued to. The credential is read anew, so that what was revoked or narrowed since
    /// counts at once.
    async fn principal_of(&self, token: &str) -> Result<Option<(Principal, Tx)>, AppError> {
        let Some(claims) = self.keys.signer().verify(token, self.clock.now_s()) else {
            return Ok(None);
        };
        if self.find_service(Some(&claims.aud)).is_err() {
            return Ok(None);
        }
        let mut tx = self.store.read().await?;
        let principal = if claims.sub.is_empty() {
            Some(Principal::Anonymous)
        } else {
            self.reread(&mut tx, &claims)
                .await?
                .filter(|(name, _)| *name == claims.sub)
                .map(|(_, principal)| principal)
        };
        Ok(principal.map(|principal| (principal, tx)))
    }

    /// The name and the rights, now, of whom a token was issued to.
    async fn reread(&self, tx: &mut Tx, claims: &Claims) -> Result<Option<(String, Principal)>, AppError> {
        let Some((kind, id)) = claims.act.as_deref().and_then(|act| act.split_once(':')) else {
            return Ok(None);
        };
        let Ok(id) = id.parse::<i64>() else {
            return Ok(None);
        };
        let now = self.clock.now_ms();
        let found = match kind {
            "password" => account::find_account_by_id(tx, AccountId::from_i64(id))
                .await?
                .map(|account| (account, Ceiling::Full)),
            "pat" => access_token::find_access_token_by_id(tx, TokenId::from_i64(id))
                .await?
                .filter(|(token, _)| token.is_live(now))
                .map(|(token, account)| (account, token.ceiling)),
            "dev" => device::find_device_by_id(tx, DeviceId::from_i64(id))
                .await?
                .filter(|(device, account)| self.is_live_device(device, account))
                .map(|(device, account)| (account, device.ceiling)),
            "rob" | "oat" => {
                let Some(robot) = robot::find_robot_by_id(tx, RobotId::from_i64(id))
                    .await?
                    .filter(|robot| Some(robot.actor()) == claims.act)
                else {
                    return Ok(None);
                };
                let machine = self.machine(tx, &robot).await?;
                return Ok(Some((robot.username(), Principal::Machine(machine))));
            }
            _ => None,
        };
        Ok(found.map(|(account, ceiling)| (account.username.to_string(), account.principal(ceiling))))
    }
}
