//! The site at a glance, and lists of all of it, for its administrators.

use std::time::Duration;

use super::App;
use super::caller::Caller;
use super::error::AppError;
use crate::domain::{DeliveryId, RepositoryId};
use crate::store::overview::{self, Counted};
use crate::store::setting::{find_setting, put_setting};
use crate::store::{Tx, manifest_work};

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

/// Reading repositories as a whole: all of them again, or those that were adopted, that their managers want read, or of
/// which events were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReindexProgress {
    /// When the first of them was wanted, in milliseconds since 1970.
    pub asked_at: i64,
    /// How many are wanted since.
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

    /// How far reading repositories as a whole has come; `None` when none was wanted yet. For administrators of the site.
    pub async fn reindex_progress(&self, caller: &Caller) -> Result<Option<ReindexProgress>, AppError> {
        caller.administrator()?;
        let mut tx = self.store.read().await?;
        let Some(text) = find_setting(&mut tx, REINDEX).await? else {
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

    /// Counts the repositories that an upgrade wants read, so that their reading is followed as any other is.
    pub(super) async fn count_readings_of_an_upgrade(&self) -> Result<(), AppError> {
        let mut tx = self.store.read().await?;
        let is_counted = find_setting(&mut tx, REINDEX).await?.is_some();
        if is_counted || overview::count(&mut tx, Counted::WholeReading, 1).await? == 0 {
            return Ok(());
        }
        drop(tx);
        let mut tx = self.store.write().await?;
        let total = overview::count(&mut tx, Counted::WholeReading, u32::MAX).await?;
        put_setting(&mut tx, REINDEX, &format!("{} {total}", self.clock.now_ms())).await?;
        Ok(tx.commit().await?)
    }
}

/// The setting that remembers since when repositories are to be read as a whole, and how many they are.
const REINDEX: &str = "reindex";

/// Wants every repository read, soon; says how many there are.
pub(super) async fn want_every_reading(tx: &mut Tx, now_ms: i64) -> Result<u64, AppError> {
    let count = manifest_work::add_work_for_all(tx, now_ms).await?;
    // How far it has come is asked by others, and later.
    put_setting(tx, REINDEX, &format!("{now_ms} {count}")).await?;
    Ok(count)
}

/// Wants a repository read as a whole, soon. It counts to those that are being read, or begins anew where none are.
pub(super) async fn want_reading(
    tx: &mut Tx,
    repository_id: RepositoryId,
    now_ms: i64,
) -> Result<(), AppError> {
    let waiting = manifest_work::list_work(tx, repository_id, 1).await?;
    let is_counted = waiting.first().is_some_and(|work| work.digest.is_none());
    if !is_counted {
        let are_read = overview::count(tx, Counted::WholeReading, 1).await? > 0;
        let known = find_setting(tx, REINDEX)
            .await?
            .and_then(|text| read_progress(&text));
        let (asked_at, total) = known.filter(|_| are_read).unwrap_or((now_ms, 0));
        put_setting(tx, REINDEX, &format!("{asked_at} {}", total + 1)).await?;
    }
    Ok(manifest_work::add_work(tx, repository_id, None, now_ms).await?)
}

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
        let claimed = manifest_work::claim_work(&mut tx, NOW_MS + 1, NOW_MS, 1)
            .await
            .unwrap();
        let ended = manifest_work::end_work(&mut tx, &claimed[0]).await;
        assert!(ended.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(
            app.reindex_progress(&admin).await.unwrap().map(|p| p.done),
            Some(1)
        );
    }

    #[tokio::test]
    async fn repositories_that_are_adopted_or_wanted_one_by_one_are_followed_until_all_are_read() {
        let fixture = Fixture::new().await;
        let app = &fixture.app;
        app.ensure_admin().await.unwrap();
        let admin = app.operator("admin").await.unwrap();
        for (old, new) in [("old", "admin/a"), ("older", "admin/b")] {
            let (old, new) = (old.parse().unwrap(), new.parse().unwrap());
            app.adopt_repository(&old, &new, false).await.unwrap();
        }
        let both = ReindexProgress {
            asked_at: NOW_MS,
            total: 2,
            done: 0,
        };
        assert_eq!(app.reindex_progress(&admin).await.unwrap(), Some(both));
        fixture.clock.advance(Duration::from_secs(1));
        let mut tx = fixture.store.read().await.unwrap();
        let name = "admin/a".parse().unwrap();
        let found = crate::store::repository::find_repository(&mut tx, &name).await;
        let id = found.unwrap().unwrap().repository_id;
        drop(tx);
        app.reindex_later(&admin, id).await.unwrap();
        let known = app.reindex_progress(&admin).await.unwrap();
        assert_eq!(known, Some(both), "it waits already");
        let mut tx = fixture.store.write().await.unwrap();
        let now = app.now_ms();
        let claimed = manifest_work::claim_work(&mut tx, now + 1, now, 9).await.unwrap();
        assert_eq!(claimed.len(), 2);
        for work in &claimed {
            assert!(manifest_work::end_work(&mut tx, work).await.unwrap());
        }
        tx.commit().await.unwrap();
        let all = ReindexProgress { done: 2, ..both };
        assert_eq!(app.reindex_progress(&admin).await.unwrap(), Some(all));
        app.reindex_later(&admin, id).await.unwrap();
        let anew = ReindexProgress {
            asked_at: now,
            total: 1,
            done: 0,
        };
        assert_eq!(app.reindex_progress(&admin).await.unwrap(), Some(anew));
    }

    #[tokio::test]
    async fn what_an_upgrade_wants_read_is_followed_from_the_first_start() {
        let fixture = Fixture::new().await;
        let app = &fixture.app;
        app.ensure_admin().await.unwrap();
        let admin = app.operator("admin").await.unwrap();
        app.count_readings_of_an_upgrade().await.unwrap();
        assert_eq!(app.reindex_progress(&admin).await.unwrap(), None);
        app.confirm_pushed(&"admin/a".parse().unwrap()).await.unwrap();
        let mut tx = fixture.store.write().await.unwrap();
        // As the migration does.
        manifest_work::add_work_for_all(&mut tx, 0).await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..2 {
            app.count_readings_of_an_upgrade().await.unwrap();
            fixture.clock.advance(Duration::from_secs(1));
        }
        let expected = ReindexProgress {
            asked_at: NOW_MS,
            total: 1,
            done: 0,
        };
        assert_eq!(app.reindex_progress(&admin).await.unwrap(), Some(expected));
    }

    #[test]
    fn what_is_remembered_of_it_reads_back() {
        assert_eq!(read_progress("12 3"), Some((12, 3)));
        assert_eq!((read_progress(""), read_progress("1 x")), (None, None));
    }
}
