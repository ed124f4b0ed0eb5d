//! The site at a glance, and lists of all of it, for its administrators.

use std::time::Duration;

use super::App;
use super::caller::Caller;
use super::error::AppError;
use crate::domain::DeliveryId;
use crate::store::overview::{self, Counted};

pub use crate::store::overview::{CountedOrganisation, DeadDelivery, StuckReading};

/// What is counted no further.
pub const MOST: u32 = 10_000;
/// How long the registry is waited for.
const PATIENCE: Duration = Duration::from_millis(1_500);
const DAY_MS: i64 = 86_400_000;

/// Whether the registry can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryHealth {
    /// It answered, after so many milliseconds.
    Answers(u64),
    /// It did not: why.
    Away(String),
    /// This process knows of none that it could ask.
    Unknown,
}

/// What waits to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Queue {
    /// How much, counted up to [`MOST`].
    pub length: i64,
    /// For how long the first of it is due, in milliseconds; 0 when nothing is.
    pub lag_ms: i64,
}

/// The site at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Accounts, counted up to [`MOST`] as all numbers here.
    pub accounts: i64,
    /// Organisations.
    pub organisations: i64,
    /// Repositories that hold something.
    pub repositories: i64,
    /// Whether the registry can be asked.
    pub registry: RegistryHealth,
    /// What is to be read from the registry.
    pub reading: Queue,
    /// Webhooks that have something to send.
    pub telling: Queue,
    /// Deliveries that were given up within a day.
    pub dead_of_the_day: i64,
    /// The database's kind.
    pub database: &'static str,
    /// The version of this program.
    pub version: &'static str,
    /// What this process calls itself.
    pub instance: String,
}

/// What the operator alone decides, in the configuration.
#[derive(Debug, Clone)]
pub struct SiteSettings {
    /// The URL under which clients reach the front door.
    pub public_url: String,
    /// How long a token of the registry lives, in seconds.
    pub token_life_s: i64,
    /// Proxies whose word about addresses is believed.
    pub trusted_proxies: Vec<String>,
    /// Whether the registry may deliver events over HTTP.
    pub takes_events: bool,
}

/// Reading every repository again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReindexProgress {
    /// When it was asked for, in milliseconds since 1970.
    pub asked_at: i64,
    /// How many repositories there were.
    pub total: u64,
    /// How many of them were read.
    pub done: u64,
}

impl App {
    /// The site at a glance. For its administrators.
    pub async fn overview(&self, caller: &Caller) -> Result<Overview, AppError> {
        caller.administrator()?;
        let registry = self.registry_health().await;
        let now = self.clock.now_ms();
        let mut tx = self.store.read().await?;
        let lag = |since: Option<i64>| since.map_or(0, |since| now.saturating_sub(since).max(0));
        let reading = Queue {
            length: overview::count(&mut tx, Counted::Reading, MOST).await?,
            // What is wanted at once is due since 0.
            lag_ms: lag(overview::find_oldest_reading(&mut tx)
                .await?
                .filter(|since| *since > 0)),
        };
        let telling = Queue {
            length: overview::count(&mut tx, Counted::Telling, MOST).await?,
            lag_ms: lag(overview::find_oldest_telling(&mut tx)
                .await?
                .filter(|since| *since > 0)),
        };
        Ok(Overview {
            accounts: overview::count(&mut tx, Counted::Accounts, MOST).await?,
            organisations: overview::count(&mut tx, Counted::Organisations, MOST).await?,
            repositories: overview::count(&mut tx, Counted::Repositories, MOST).await?,
            registry,
            reading,
            telling,
            dead_of_the_day: overview::count_dead(&mut tx, DeliveryId::first_of(now - DAY_MS), MOST).await?,
            database: self.store.kind(),
            version: env!("CARGO_PKG_VERSION"),
            instance: self.instance.clone(),
        })
    }

    async fn registry_health(&self) -> RegistryHealth {
        let Some(registry) = self.content_registry() else {
            return RegistryHealth::Unknown;
        };
        let begun = tokio::time::Instant::now();
        match tokio::time::timeout(PATIENCE, registry.ping()).await {
            Ok(Ok(())) => {
                RegistryHealth::Answers(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX))
            }
            Ok(Err(error)) => RegistryHealth::Away(shared::causes::in_one_line(&error)),
            Err(_) => RegistryHealth::Away(format!("no answer within {} ms", PATIENCE.as_millis())),
        }
    }

    /// What the operator alone decides, in the configuration. For administrators of the site.
    pub fn site_settings(&self, caller: &Caller) -> Result<SiteSettings, AppError> {
        caller.administrator()?;
        let settings = &self.settings;
        Ok(SiteSettings {
            public_url: settings.public_url.clone(),
            token_life_s: settings.token.lifetime_s,
            trusted_proxies: settings.trusted_proxies.iter().map(ToString::to_string).collect(),
            takes_events: self.takes_events(),
        })
    }

    /// At most `limit` organisations whose names begin with `prefix`, in the order of their names, those behind `after`;
    /// deleted ones too. For administrators of the site.
    pub async fn list_every_organisation(
        &self,
        caller: &Caller,
        prefix: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<CountedOrganisation>, AppError> {
        caller.administrator()?;
        let prefix = prefix.to_ascii_lowercase();
        // Names are ASCII: nothing that begins with the prefix comes behind it and the last character of ASCII.
        let end = format!("{prefix}\u{7f}");
        let mut tx = self.store.read().await?;
        Ok(overview::list_every_organisation(&mut tx, (&prefix, &end), after, MOST, limit).await?)
    }

    /// At most `limit` deliveries to webhooks that were given up, the newest first, those before `before`. For
    /// administrators of the site.
    pub async fn list_dead_deliveries(
        &self,
        caller: &Caller,
        before: i64,
        limit: u32,
    ) -> Result<Vec<DeadDelivery>, AppError> {
        caller.administrator()?;
        let mut tx = self.store.read().await?;
        Ok(overview::list_dead(&mut tx, before, limit).await?)
    }

    /// At most `limit` things that could not be read from the registry at the first attempt. For administrators of the site.
    pub async fn list_stuck_reading(
        &self,
        caller: &Caller,
        limit: u32,
    ) -> Result<Vec<StuckReading>, AppError> {
        caller.administrator()?;
        let mut tx = self.store.read().await?;
        Ok(overview::list_stuck_reading(&mut tx, 1, limit).await?)
    }

    /// At most `limit` namespaces that are whose they claim to be, in the order of their names, those behind `after`. For
    /// administrators of the site.
    pub async fn list_verified_namespaces(
        &self,
        caller: &Caller,
        after: &str,
        limit: u32,
    ) -> Result<Vec<String>, AppError> {
        caller.administrator()?;
        let mut tx = self.store.read().await?;
        Ok(overview::list_verified(&mut tx, after, limit).await?)
    }

    /// How far reading every repository again has come; `None` when nobody asked for it yet. For administrators of the site.
    pub async fn reindex_progress(&self, caller: &Caller) -> Result<Option<ReindexProgress>, AppError> {
        caller.administrator()?;
        let mut tx = self.store.read().await?;
        let Some(text) = crate::store::setting::find_setting(&mut tx, REINDEX).await? else {
            return Ok(None);
        };
        let Some((asked_at, total)) = read_progress(&text) else {
            return Ok(None);
        };
        let most = u32::try_from(total).unwrap_or(u32::MAX);
        let left = overview::count(&mut tx, Counted::WholeReading, most).await?;
        let left = u64::try_from(left).unwrap_or(0).min(total);
        Ok(Some(ReindexProgress {
            asked_at,
            total,
            done: total - left,
        }))
    }
}

/// The setting that remembers when every repository was to be read again, and how many they were.
pub(super) const REINDEX: &str = "reindex";

fn read_progress(text: &str) -> Option<(i64, u64)> {
    let (asked_at, total) = text.split_once(' ')?;
    Some((asked_at.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use shared::secret::Secret;

    use super::*;
    use crate::app::fixture::{Fixture, NOW_MS};

    #[tokio::test]
    async fn administrators_see_how_much_there_is_and_others_nothing() {
        let fixture = Fixture::new().await;
        let app = &fixture.app;
        app.ensure_admin().await.unwrap();
        let password = Secret::new("correct horse battery".to_owned());
        app.create_account("ada", password).await.unwrap();
        app.confirm_pushed(&"ada/app".parse().unwrap()).await.unwrap();
        let (admin, ada) = (
            app.operator("admin").await.unwrap(),
            app.operator("ada").await.unwrap(),
        );
        let overview = app.overview(&admin).await.unwrap();
        assert_eq!(
            (overview.accounts, overview.repositories, overview.organisations),
            (2, 1, 0)
        );
        assert_eq!(overview.registry, RegistryHealth::Unknown);
        assert!(app.overview(&ada).await.is_err() && app.site_settings(&ada).is_err());
        assert!(app.list_every_organisation(&ada, "", "", 10).await.is_err());
        assert!(app.list_dead_deliveries(&ada, i64::MAX, 10).await.is_err());
        assert!(app.list_stuck_reading(&ada, 10).await.is_err());
        assert!(app.list_verified_namespaces(&ada, "", 10).await.is_err());
        assert!(app.reindex_progress(&ada).await.is_err());
    }

    #[tokio::test]
    async fn reading_all_again_is_followed_by_whoever_looks_later() {
        let fixture = Fixture::new().await;
        let app = &fixture.app;
        app.ensure_admin().await.unwrap();
        let admin = app.operator("admin").await.unwrap();
        assert_eq!(app.reindex_progress(&admin).await.unwrap(), None);
        for name in ["admin/a", "admin/b"] {
            app.confirm_pushed(&name.parse().unwrap()).await.unwrap();
        }
        app.reindex_all(&admin).await.unwrap();
        let begun = ReindexProgress {
            asked_at: NOW_MS,
            total: 2,
            done: 0,
        };
        assert_eq!(app.reindex_progress(&admin).await.unwrap(), Some(begun));
        let mut tx = fixture.store.write().await.unwrap();
        let claimed = crate::store::manifest_work::claim_work(&mut tx, NOW_MS + 1, NOW_MS, 1)
            .await
            .unwrap();
        let ended = crate::store::manifest_work::end_work(&mut tx, &claimed[0]).await;
        assert!(ended.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(
            app.reindex_progress(&admin).await.unwrap().map(|p| p.done),
            Some(1)
        );
    }

    #[test]
    fn what_is_remembered_of_it_reads_back() {
        assert_eq!(read_progress("12 3"), Some((12, 3)));
        assert_eq!((read_progress(""), read_progress("1 x")), (None, None));
    }
}
