//! The list of repositories that a client may see.

use shared::oci::RepositoryName;
use shared::token::{Challenge, ChallengeError, Claims, Scope};

use super::App;
use super::error::AppError;
use super::token::Credential;
use crate::domain::{Account, AccountId, Ceiling, DeviceId, Principal, TokenId};
use crate::store::{Tx, access_token, account, device, repository};

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
        after: &str,
        limit: u32,
    ) -> Result<Option<CatalogPage>, AppError> {
        let (principal, tx) = match reader {
            Reader::Credential(credential) => {
                let (login, tx) = self.log_in(credential).await?;
                (login.principal(), tx)
            }
            Reader::Token(token) => match self.principal_of(token).await? {
                Some((principal, tx)) => (principal, Some(tx)),
                None => return Ok(None),
            },
        };
        let mut tx = match tx {
            Some(tx) => tx,
            None => self.store.read().await?,
        };
        // One more than asked for tells whether there are more.
        let listed =
            repository::list_visible_repositories(&mut tx, &principal, after, limit.saturating_add(1))
                .await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = listed.len() > limit;
        let names = listed.into_iter().take(limit).map(|facts| facts.name).collect();
        Ok(Some(CatalogPage { names, more }))
    }

    /// The challenge for readers of the catalog.
    pub fn catalog_challenge(&self, error: Option<ChallengeError>) -> String {
        Challenge {
            realm: &self.realm(),
            service: self.front_door_service(),
            scopes: &[Scope::catalog()],
            error,
        }
        .to_string()
    }

    /// Whom a token of ours was issued to. The credential is read anew, so that what was revoked or narrowed since
    /// counts at once.
    async fn principal_of(&self, token: &str) -> Result<Option<(Principal, Tx)>, AppError> {
        let Some(claims) = self.signer.verify(token, self.clock.now_s()) else {
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
                .filter(|(account, _)| account.username.as_str() == claims.sub)
                .map(|(account, ceiling)| account.principal(ceiling))
        };
        Ok(principal.map(|principal| (principal, tx)))
    }

    async fn reread(&self, tx: &mut Tx, claims: &Claims) -> Result<Option<(Account, Ceiling)>, AppError> {
        let Some((kind, id)) = claims.act.as_deref().and_then(|act| act.split_once(':')) else {
            return Ok(None);
        };
        let Ok(id) = id.parse::<i64>() else {
            return Ok(None);
        };
        let now = self.clock.now_ms();
        Ok(match kind {
            "password" => account::find_account_by_id(tx, AccountId::from_i64(id))
                .await?
                .map(|account| (account, Ceiling::Full)),
            "pat" => access_token::find_access_token_by_id(tx, TokenId::from_i64(id))
                .await?
                .filter(|(token, _)| token.is_live(now))
                .map(|(token, account)| (account, token.ceiling())),
            "dev" => device::find_device_by_id(tx, DeviceId::from_i64(id))
                .await?
                .filter(|(device, account)| self.is_live_device(device, account))
                .map(|(device, account)| (account, device.ceiling)),
            _ => None,
        })
    }
}
