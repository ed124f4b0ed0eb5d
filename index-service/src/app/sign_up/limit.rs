//! The brake on accounts that people make for themselves: so many in an hour from one network, and so many in all. What is
//! counted lies in the database, where every replica sees it.

use super::super::App;
use super::super::caller::Client;
use super::super::error::AppError;
use crate::domain::AccountId;
use crate::store::Tx;
use crate::store::sign_up::{count_sign_ups, note_sign_up, prune_sign_ups};

/// How long an account counts, in milliseconds: an hour.
const WINDOW_MS: i64 = 3_600_000;

/// How many accounts people may make for themselves in an hour; 0 for as many as they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignUpLimits {
    /// Those of one network together.
    pub per_network: u32,
    /// Everybody together.
    pub site: u32,
}

impl Default for SignUpLimits {
    fn default() -> Self {
        Self {
            per_network: 20,
            site: 500,
        }
    }
}

/// From where somebody makes an account: a keyed hash.
#[derive(Debug)]
pub(super) struct Origin(String);

impl App {
    /// From where an account is about to be made; an error while that network, or everybody, has made too many.
    pub(super) async fn check_sign_ups(&self, client: &Client) -> Result<Origin, AppError> {
        let origin = Origin(self.origin(b"sign-up", client).await?);
        let mut tx = self.store.read().await?;
        self.check_sign_ups_of(&mut tx, &origin).await?;
        Ok(origin)
    }

    /// The same in the transaction that makes the account; whoever makes another at that moment waits for its end.
    pub(super) async fn check_sign_ups_of(&self, tx: &mut Tx, origin: &Origin) -> Result<(), AppError> {
        let limits = self.settings.sign_up_limits;
        let now = self.clock.now_ms();
        for (limit, network, reason) in [
            (
                limits.per_network,
                Some(origin.0.as_str()),
                "too many accounts were made from your network within the hour",
            ),
            (
                limits.site,
                None,
                "too many accounts were made here within the hour",
            ),
        ] {
            if limit == 0 {
                continue;
            }
            let made = count_sign_ups(tx, network, now - WINDOW_MS).await?;
            if made.number >= i64::from(limit) {
                let wait_ms = made.oldest.map_or(WINDOW_MS, |oldest| oldest + WINDOW_MS - now);
                return Err(AppError::braked(reason, wait_ms));
            }
        }
        Ok(())
    }

    /// Counts an account that was made.
    pub(super) async fn note_sign_up(
        &self,
        tx: &mut Tx,
        account_id: AccountId,
        origin: &Origin,
    ) -> Result<(), AppError> {
        Ok(note_sign_up(tx, account_id, &origin.0, self.clock.now_ms()).await?)
    }

    /// Forgets what no longer counts.
    pub async fn prune_sign_ups(&self) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        prune_sign_ups(&mut tx, self.clock.now_ms() - WINDOW_MS).await?;
        Ok(tx.commit().await?)
    }
}
