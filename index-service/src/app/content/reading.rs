//! Manifests are read from the registry as they come, by whichever replica claims them.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use shared::oci::{Digest, Manifest};
use tokio::sync::oneshot;

use super::showcase::refresh_showcase;
use crate::app::App;
use crate::app::error::AppError;
use crate::domain::RepositoryFacts;
use crate::domain::content::{Description, is_image_config};
use crate::registry_client::{RegistryClient, RegistryError};
use crate::store::manifest_work::{self, Work};
use crate::store::{StoreError, manifest, repository};

/// How often it is looked for what other replicas or failures left, and pulls are written down.
const LOOK: Duration = Duration::from_secs(3);
/// What is claimed at once.
const BATCH: u32 = 8;
/// How long what was claimed is left alone, in milliseconds: so long it waits when a process is killed. Read twice it is the
/// same.
pub(super) const CLAIM_MS: i64 = 15_000;
/// How often the claim of a repository is prolonged while it is read, which takes as long as it is large.
const PROLONG: Duration = Duration::from_secs(5);
/// The first wait before something is tried again, in milliseconds; each is twice as long as the one before.
const RETRY_MS: i64 = 2_000;
/// The longest.
const LONGEST_RETRY_MS: i64 = 3_600_000;
/// Longest configuration that is read, in bytes.
const LONGEST_CONFIG: usize = 1 << 20;

impl App {
    /// Reads what is to be read, and writes down pulls, until `shutdown` resolves.
    pub(in crate::app) async fn follow_content(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        if let Err(error) = self.count_readings_of_an_upgrade().await {
            tracing::warn!(%error, "could not count what an upgrade wants read from the registry; it is read all the same");
        }
        let mut written = Instant::now();
        loop {
            // Not with every push that wakes it.
            let is_due = written.elapsed() >= LOOK;
            if is_due {
                written = Instant::now();
            }
            let looked = async {
                if is_due {
                    self.flush_pulls().await;
                }
                loop {
                    match self.read_due().await {
                        Ok(0) => break,
                        Ok(_) => {}
                        Err(error) => {
                            tracing::warn!(%error, "could not look for what is to be read from the registry");
                            break;
                        }
                    }
                }
            };
            tokio::select! {
                () = &mut shutdown => break,
                () = looked => {}
            }
            tokio::select! {
                () = &mut shutdown => break,
                () = self.reading.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        self.flush_pulls().await;
    }

    /// Reads what is due; says how much was claimed. Nothing where no registry can be asked.
    pub async fn read_due(&self) -> Result<usize, AppError> {
        let Some(registry) = self.content_registry() else {
            return Ok(0);
        };
        let now = self.clock.now_ms();
        let mut tx = self.store.read().await?;
        // Looking costs no write.
        if !manifest_work::is_work_due(&mut tx, now).await? {
            return Ok(0);
        }
        drop(tx);
        let mut tx = self.store.write().await?;
        let claimed = manifest_work::claim_work(&mut tx, now + CLAIM_MS, now, BATCH).await?;
        tx.commit().await?;
        let count = claimed.len();
        for mut work in claimed {
            let read = self.read_one(registry, &mut work).await;
            self.note_registry(read.as_ref().err()).await?;
            if let Err(error) = read {
                let doublings = u32::try_from(work.attempts.clamp(1, 20) - 1).unwrap_or(0);
                let wait = RETRY_MS.saturating_mul(1 << doublings).min(LONGEST_RETRY_MS);
                tell(&work, &error);
                let mut tx = self.store.write().await?;
                manifest_work::delay_work(&mut tx, &work, self.clock.now_ms().saturating_add(wait)).await?;
                tx.commit().await?;
            }
        }
        Ok(count)
    }

    /// What was delayed while the registry was away is due as soon as it is back, however long its waits have become.
    async fn note_registry(&self, error: Option<&AppError>) -> Result<(), AppError> {
        if error.is_some_and(is_of_registry_away) {
            self.is_registry_away.store(true, Ordering::Relaxed);
        } else if error.is_none() && self.is_registry_away.swap(false, Ordering::Relaxed) {
            let now = self.clock.now_ms();
            let mut tx = self.store.write().await?;
            manifest_work::hasten_work(&mut tx, now + CLAIM_MS, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn read_one(&self, registry: &RegistryClient, work: &mut Work) -> Result<(), AppError> {
        let mut tx = self.store.read().await?;
        let facts = repository::find_repository_by_id(&mut tx, work.repository_id).await?;
        drop(tx);
        let facts = facts.filter(super::is_readable);
        match (facts, &work.digest) {
            (None, _) => {
                let mut tx = self.store.write().await?;
                manifest_work::end_work(&mut tx, work).await?;
                Ok(tx.commit().await?)
            }
            (Some(facts), None) => {
                let reading = Box::pin(self.reconcile(registry, &facts, false));
                let found = self.prolonging(work, PROLONG, reading).await?;
                if !found.is_nothing() {
                    tracing::info!(
                        repository.name = %facts.name,
                        differences = %found,
                        "the registry held something else than the index knew; the index knows it now"
                    );
                }
                let mut tx = self.store.write().await?;
                manifest_work::end_work(&mut tx, work).await?;
                Ok(tx.commit().await?)
            }
            (Some(facts), Some(digest)) => {
                let read = self.read_manifest(registry, &facts, digest).await?;
                let mut tx = self.store.write().await?;
                // Otherwise it was pushed again meanwhile, and is read again.
                if manifest_work::end_work(&mut tx, work).await? {
                    match read {
                        Some(description) => {
                            let now = self.clock.now_ms();
                            manifest::describe_manifest(
                                &mut tx,
                                work.repository_id,
                                digest,
                                &description,
                                now,
                            )
                            .await?;
                        }
                        None => {
                            manifest::remove_manifest(&mut tx, work.repository_id, digest).await?;
                        }
                    }
                    refresh_showcase(&mut tx, work.repository_id).await?;
                }
                tx.commit().await?;
                self.watch_quota_of(work.repository_id).await
            }
        }
    }

    /// Does it, and claims `work` for longer as long as it takes.
    pub(super) async fn prolonging<T>(
        &self,
        work: &mut Work,
        every: Duration,
        reading: impl Future<Output = Result<T, AppError>>,
    ) -> Result<T, AppError> {
        let (ended, mut end) = oneshot::channel::<()>();
        let reading = async {
            let read = reading.await;
            drop(ended);
            read
        };
        // Beside one another: a reading that is not gone on with could hold what this one waits for.
        let prolonging = async {
            loop {
                tokio::select! {
                    _ = &mut end => return Ok(()),
                    () = tokio::time::sleep(every) => {}
                }
                let until = self.clock.now_ms() + CLAIM_MS;
                let mut tx = self.store.write().await?;
                manifest_work::delay_work(&mut tx, work, until).await?;
                tx.commit().await?;
                work.claim = until;
            }
        };
        let (read, prolonged): (_, Result<(), AppError>) = tokio::join!(reading, prolonging);
        prolonged.and(read)
    }

    /// What a manifest says; none when the registry has none of this digest.
    pub(super) async fn read_manifest(
        &self,
        registry: &RegistryClient,
        facts: &RepositoryFacts,
        digest: &str,
    ) -> Result<Option<Description>, AppError> {
        let token = self.reading_token(facts)?;
        let Some(served) = registry.manifest(&facts.name, digest, &token, false).await? else {
            return Ok(None);
        };
        let expected: Digest = digest
            .parse()
            .map_err(|_| AppError::Internal("a stored digest is none".into()))?;
        if Digest::of(expected.algorithm(), &served.bytes) != expected {
            return Err(AppError::Unavailable(
                "the registry served other bytes than the digest names".into(),
            ));
        }
        let manifest = Manifest::parse(&served.bytes, Some(&served.media_type))
            .or_else(|_| Manifest::parse(&served.bytes, None))
            .map_err(|error| AppError::Unavailable(error.into()))?;
        let config = match manifest.config() {
            Some(config) if is_image_config(&config.media_type) => {
                registry
                    .blob(&facts.name, &config.digest, &token, LONGEST_CONFIG)
                    .await?
            }
            _ => None,
        };
        Ok(Some(Description::new(
            &manifest,
            served.bytes.len(),
            config.as_deref(),
        )))
    }
}

/// Whether the registry as a whole could not be asked, rather than for one manifest.
fn is_of_registry_away(error: &AppError) -> bool {
    let AppError::Unavailable(cause) = error else {
        return false;
    };
    cause
        .downcast_ref::<RegistryError>()
        .is_some_and(RegistryError::is_away)
}

/// Says that something could not be read. That the registry is away is its own concern and said once elsewhere; that the
/// database refuses is for whoever looks after this service.
fn tell(work: &Work, error: &AppError) {
    let (id, digest) = (work.repository_id, work.digest.as_deref().unwrap_or_default());
    let cause = error as &dyn std::error::Error;
    if matches!(error, AppError::Internal(cause) | AppError::Unavailable(cause) if cause.is::<StoreError>()) {
        tracing::warn!(repository.id = %id, digest, error = cause, "could not write down what the registry holds; it is read again");
    } else {
        tracing::debug!(repository.id = %id, digest, error = cause, "could not be read from the registry; it is tried again");
    }
}
