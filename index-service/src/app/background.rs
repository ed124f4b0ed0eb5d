//! What is done without anybody asking: pending repositories are looked up, ended reservations freed, guests whose time
//! is over seen out, uses of credentials written down.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::App;
use super::error::AppError;
use crate::domain::RepositoryFacts;

/// Between two rounds.
const INTERVAL: Duration = Duration::from_secs(15);
/// Pending repositories that are read at once.
const BATCH: u32 = 100;
/// Every fourth round, so once a minute.
const TOUCH_ROUNDS: u32 = 4;
/// Once an hour.
const DROP_ROUNDS: u32 = 240;

impl App {
    /// Works until `shutdown` resolves, and writes down then what waits to be written.
    pub async fn background(self: &Arc<Self>, shutdown: impl Future<Output = ()>) {
        let (goes_on, ended) = watch::channel(());
        let (mut content_ends, mut retention_ends) = (ended.clone(), ended.clone());
        let mut webhooks_end = ended.clone();
        let settings = Box::pin(self.follow_settings(ended.clone()));
        let rounds = async {
            self.rounds(shutdown).await;
            drop(goes_on);
        };
        // On the heap: it is large.
        let content = Box::pin(self.follow_content(async move {
            // An error means that the rounds have ended.
            while content_ends.changed().await.is_ok() {}
        }));
        let retention =
            Box::pin(self.follow_retention(async move { while retention_ends.changed().await.is_ok() {} }));
        let webhooks =
            Box::pin(self.follow_webhooks(async move { while webhooks_end.changed().await.is_ok() {} }));
        tokio::join!(
            rounds,
            self.follow_sign_ins(ended),
            settings,
            content,
            retention,
            webhooks
        );
        self.flush_touches().await;
        self.flush_sign_ins().await;
    }

    async fn rounds(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut round = 0_u32;
        // A new sink begins with what happens from now on, not from the end of the first round on.
        self.write_audit_lines().await;
        self.mend_search().await;
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                () = tokio::time::sleep(INTERVAL) => {}
            }
            round = round.wrapping_add(1);
            if let Err(error) = self.tend_keys().await {
                tracing::error!(
                    ?error,
                    "could not look after the signing keys; those in use go on signing"
                );
            }
            tokio::select! {
                () = &mut shutdown => break,
                () = self.confirm_pending() => {}
            }
            self.flush_sign_ins().await;
            if let Err(error) = self.tell_quotas().await {
                tracing::warn!(%error, "could not look which namespaces near their limits");
            }
            self.write_audit_lines().await;
            self.mend_search().await;
            if round.is_multiple_of(DROP_ROUNDS)
                && let Err(error) = self.drop_old_audit().await
            {
                tracing::warn!(%error, "could not drop old events of the audit log");
            }
            if round.is_multiple_of(DROP_ROUNDS)
                && let Err(error) = self.prune_deliveries().await
            {
                tracing::warn!(%error, "could not forget old deliveries to webhooks");
            }
            if round.is_multiple_of(DROP_ROUNDS)
                && let Err(error) = self.prune_notices().await
            {
                tracing::warn!(%error, "could not forget old notices");
            }
            if round.is_multiple_of(TOUCH_ROUNDS) {
                if let Err(error) = self.tell_ending_tokens().await {
                    tracing::warn!(%error, "could not tell the owners of access tokens that these end");
                }
                self.flush_touches().await;
                if let Err(error) = self.end_guests().await {
                    tracing::warn!(%error, "could not end the memberships of guests whose time is over");
                }
                if let Err(error) = self.prune_invitations().await {
                    tracing::warn!(%error, "could not forget old invitations");
                }
                if let Err(error) = self.prune_wrong_secrets().await {
                    tracing::warn!(%error, "could not forget old wrong secrets");
                }
                if let Err(error) = self.prune_sign_ups().await {
                    tracing::warn!(%error, "could not forget old sign-ups");
                }
                if let Err(error) = self.prune_password_resets().await {
                    tracing::warn!(%error, "could not forget old links to reset passwords");
                }
                if let Err(error) = self.prune_idempotency_keys().await {
                    tracing::warn!(%error, "could not forget old idempotency keys");
                }
                if let Err(error) = self.purge_deleted().await {
                    tracing::warn!(%error, "could not look for deleted repositories whose content is to be removed");
                }
                if let Err(error) = self.expire_pending().await {
                    tracing::warn!(%error, "could not free the names whose reservation has ended");
                }
            }
        }
    }

    async fn mend_search(&self) {
        match self.tend_search().await {
            Ok(0) => {}
            Ok(number) => tracing::info!(number, "put repositories where searches find them"),
            Err(error) => tracing::warn!(%error, "could not look after what searches find"),
        }
    }

    async fn write_audit_lines(&self) {
        if let Err(error) = self.forward_audit().await {
            tracing::error!(
                ?error,
                "could not write the audit log's lines; they are written when it can be"
            );
        }
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
            self.confirm_stored(&facts.name, &facts.stored_as, None).await?;
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
