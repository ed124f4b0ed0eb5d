//! What is done without anybody asking: pending repositories are looked up, ended reservations freed, uses of
//! credentials written down.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use super::App;
use super::error::AppError;
use crate::domain::RepositoryFacts;

/// Between two rounds.
const INTERVAL: Duration = Duration::from_secs(15);
/// Pending repositories that are read at once.
const BATCH: u32 = 100;
/// Every fourth round, so once a minute.
const TOUCH_ROUNDS: u32 = 4;

impl App {
    /// Works until `shutdown` resolves, and writes down then what waits to be written.
    pub async fn background(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut round = 0_u32;
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                () = tokio::time::sleep(INTERVAL) => {}
            }
            round = round.wrapping_add(1);
            tokio::select! {
                () = &mut shutdown => break,
                () = self.confirm_pending() => {}
            }
            if round.is_multiple_of(TOUCH_ROUNDS) {
                self.flush_touches().await;
                if let Err(error) = self.expire_pending().await {
                    tracing::warn!(%error, "could not free the names whose reservation has ended");
                }
            }
        }
        self.flush_touches().await;
    }

    /// Asks the registry which of the pending repositories hold a manifest by now. Does nothing where the registry
    /// confirms pushes itself.
    pub async fn confirm_pending(&self) {
        let Some(service) = self.settings.token.services.first() else {
            return;
        };
        let mut after = None;
        loop {
            let batch = match self.list_pending(after, BATCH).await {
                Ok(batch) => batch,
                Err(error) => {
                    tracing::warn!(%error, "could not list pending repositories");
                    return;
                }
            };
            let Some(last) = batch.last() else { return };
            after = Some(last.repository_id);
            for facts in &batch {
                if let Err(error) = self.confirm_if_held(service, facts).await {
                    // The next round asks again; one answer that fails means that the others would too.
                    tracing::debug!(%error, "could not look up pending repositories");
                    return;
                }
            }
        }
    }

    async fn confirm_if_held(
        &self,
        service: &super::Service,
        facts: &RepositoryFacts,
    ) -> Result<(), AppError> {
        let Some(registry) = &self.registry else {
            return Ok(());
        };
        let token = self.own_token(service, facts)?;
        if registry.holds(&facts.name, &token).await? {
            self.confirm_pushed(&facts.name).await?;
        }
        Ok(())
    }
}

impl From<crate::registry_client::RegistryError> for AppError {
    fn from(error: crate::registry_client::RegistryError) -> Self {
        Self::Unavailable(error.into())
    }
}

#[cfg(test)]
#[path = "background/tests.rs"]
mod tests;
