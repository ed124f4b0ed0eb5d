//! What the first page shows of all repositories: those that are popular, and those to which something was pushed last. For
//! whoever is not signed in it is the same for everybody, so it is read once in a while and not with every visit.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use super::App;
use super::caller::Caller;
use super::error::AppError;
use super::search::{Hit, SearchWish};
use crate::domain::{Principal, RepositoryId};
use crate::store::listing::list_pushed;
use crate::store::search::look_at;

/// Repositories of a shelf.
const SHELF: usize = 6;
/// The same, as what is read.
const READ: u32 = 6;
/// How long what was read is shown to everybody without looking again, in milliseconds.
const KEPT_MS: i64 = 10_000;

/// The shelves of the first page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shelves {
    /// The best, at most six.
    pub popular: Vec<Hit>,
    /// Those to which something was pushed last, at most six; `updated_at` is when. None where the other shelf holds all that
    /// there is.
    pub pushed: Vec<Hit>,
}

/// What everybody is shown.
#[derive(Debug, Default)]
pub(super) struct Shown {
    last: RwLock<Last>,
    /// Held by whoever looks, so that no two do at once.
    turn: Mutex<()>,
}

#[derive(Debug, Default)]
struct Last {
    /// What was read last, and when.
    read: Option<(i64, Arc<Shelves>)>,
    /// How often it was forgotten: what was begun to be read before is not kept.
    forgotten: u64,
}

impl Shown {
    /// What was read last, whether that was a moment ago, and how often it was forgotten.
    fn known(&self, now_ms: i64) -> (Option<Arc<Shelves>>, bool, u64) {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        let age = last.read.as_ref().map(|(at, _)| now_ms.saturating_sub(*at));
        let is_fresh = age.is_some_and(|age| (0..KEPT_MS).contains(&age));
        let shelves = last.read.as_ref().map(|(_, shelves)| shelves.clone());
        (shelves, is_fresh, last.forgotten)
    }

    fn keep(&self, shelves: &Arc<Shelves>, now_ms: i64, forgotten: u64) {
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        if last.forgotten == forgotten {
            last.read = Some((now_ms, shelves.clone()));
        }
    }

    fn forget(&self) {
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        last.read = None;
        last.forgotten += 1;
    }
}

impl App {
    /// The shelves of the first page, as the caller may see them.
    pub async fn shelves(&self, caller: &Caller) -> Result<Arc<Shelves>, AppError> {
        if caller.is_anonymous() {
            self.shelves_of_everybody(caller).await
        } else {
            Ok(Arc::new(self.read_shelves(caller).await?))
        }
    }

    async fn shelves_of_everybody(&self, nobody: &Caller) -> Result<Arc<Shelves>, AppError> {
        let (known, is_fresh, _) = self.shelves_shown.known(self.clock.now_ms());
        let _turn = match (known, self.shelves_shown.turn.try_lock()) {
            (Some(shelves), _) if is_fresh => return Ok(shelves),
            (_, Ok(turn)) => turn,
            // Somebody is looking: until they have looked, what was there before does.
            (Some(shelves), Err(_)) => return Ok(shelves),
            (None, Err(_)) => self.shelves_shown.turn.lock().await,
        };
        let now = self.clock.now_ms();
        let (known, is_fresh, forgotten) = self.shelves_shown.known(now);
        if let Some(shelves) = known.filter(|_| is_fresh) {
            return Ok(shelves);
        }
        let shelves = Arc::new(self.read_shelves(nobody).await?);
        self.shelves_shown.keep(&shelves, now, forgotten);
        Ok(shelves)
    }

    async fn read_shelves(&self, caller: &Caller) -> Result<Shelves, AppError> {
        let best = SearchWish {
            limit: SHELF,
            ..SearchWish::default()
        };
        let popular = self.search(caller, &best).await?;
        // What is new is told only where there is more than one shelf holds: else it is the same again.
        let pushed = if popular.total > SHELF {
            self.list_pushed(&caller.principal()).await?
        } else {
            Vec::new()
        };
        Ok(Shelves {
            popular: popular.hits,
            pushed,
        })
    }

    async fn list_pushed(&self, principal: &Principal) -> Result<Vec<Hit>, AppError> {
        let mut tx = self.store.read().await?;
        let pushed = list_pushed(&mut tx, principal, READ, self.clock.now_ms()).await?;
        let ids: Vec<RepositoryId> = pushed.iter().map(|one| one.facts.repository_id).collect();
        let mut hits = look_at(&mut tx, &ids).await?;
        let shown = pushed.into_iter().filter_map(|one| {
            let hit = hits.remove(&one.facts.repository_id)?;
            Some(Hit {
                updated_at: one.pushed_at,
                ..hit
            })
        });
        Ok(shown.collect())
    }

    /// Has everybody be shown at once that a repository is not there any more, or is no longer theirs to see.
    pub(super) fn forget_shelves(&self) {
        self.shelves_shown.forget();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::oci::RepositoryName;
    use shared::secret::Secret;

    use super::*;
    use crate::app::caller::Client;
    use crate::app::fixture::{Fixture, NOW_MS};
    use crate::app::token::Credential;
    use crate::domain::Visibility;
    use crate::domain::content::Dimension;
    use crate::store::content_count::{Count, Counter, add_count};

    fn name(text: &str) -> RepositoryName {
        text.parse().unwrap()
    }

    /// Ada's public repositories `a0` to `a7`, pushed one after the other, and `mine`, which is private and was pushed last.
    async fn world() -> (Fixture, Caller, Caller) {
        let fixture = Fixture::new().await;
        let app = &fixture.app;
        let password = Secret::new("correct horse battery".to_owned());
        app.create_account("ada", password).await.unwrap();
        let ada = app.operator("ada").await.unwrap();
        let names: Vec<String> = (0..8).map(|n| format!("ada/a{n}")).collect();
        for (at, text) in names.iter().map(String::as_str).chain(["ada/mine"]).enumerate() {
            app.confirm_pushed(&name(text)).await.unwrap();
            if text != "ada/mine" {
                app.set_visibility(&name(text), Visibility::Public).await.unwrap();
            }
            push(&fixture, text, i64::try_from(at).unwrap()).await;
        }
        let nobody = app.recognise(&Credential::Anonymous, Client::default()).await;
        (fixture, ada, nobody.unwrap())
    }

    async fn push(fixture: &Fixture, text: &str, at: i64) {
        let mut tx = fixture.store.write().await.unwrap();
        let found = crate::store::repository::find_repository(&mut tx, &name(text)).await;
        let counter = Counter {
            repository_id: found.unwrap().unwrap().repository_id,
            dimension: Dimension::Repository,
            value: String::new(),
            day: 1,
        };
        let count = Count {
            pushes: 1,
            last_pushed_at: Some(NOW_MS + at),
            ..Count::default()
        };
        add_count(&mut tx, &counter, &count).await.unwrap();
        tx.commit().await.unwrap();
    }

    fn names(hits: &[Hit]) -> Vec<&str> {
        hits.iter().map(|hit| hit.facts.name.as_str()).collect()
    }

    #[tokio::test]
    async fn what_was_pushed_last_stands_first_as_far_as_one_may_see_it() {
        let (fixture, ada, nobody) = world().await;
        let told = fixture.app.shelves(&nobody).await.unwrap();
        assert_eq!(told.popular.len(), 6);
        assert_eq!(
            names(&told.pushed),
            ["ada/a7", "ada/a6", "ada/a5", "ada/a4", "ada/a3", "ada/a2"]
        );
        assert_eq!(told.pushed[0].updated_at, NOW_MS + 7);
        let own = fixture.app.shelves(&ada).await.unwrap();
        assert_eq!(names(&own.pushed)[..2], ["ada/mine", "ada/a7"]);
    }

    #[tokio::test]
    async fn everybody_is_shown_the_same_for_ten_seconds_and_nothing_that_was_hidden() {
        let (fixture, ada, nobody) = world().await;
        let first = fixture.app.shelves(&nobody).await.unwrap();
        push(&fixture, "ada/a0", 100).await;
        let again = fixture.app.shelves(&nobody).await.unwrap();
        assert!(Arc::ptr_eq(&first, &again), "nothing was read");
        assert_eq!(
            names(&fixture.app.shelves(&ada).await.unwrap().pushed)[0],
            "ada/a0"
        );
        fixture.clock.advance(Duration::from_secs(10));
        let later = fixture.app.shelves(&nobody).await.unwrap();
        assert_eq!(names(&later.pushed)[..2], ["ada/a0", "ada/a7"]);
        let app = &fixture.app;
        app.set_visibility(&name("ada/a0"), Visibility::Private)
            .await
            .unwrap();
        let hidden = app.shelves(&nobody).await.unwrap();
        assert_eq!(names(&hidden.pushed)[0], "ada/a7");
        assert!(!names(&hidden.popular).contains(&"ada/a0"));
    }

    #[tokio::test]
    async fn one_looks_while_the_others_are_shown_what_was_there() {
        let (fixture, _, nobody) = world().await;
        let app = &fixture.app;
        let before = app.shelves(&nobody).await.unwrap();
        fixture.clock.advance(Duration::from_secs(10));
        let turn = app.shelves_shown.turn.lock().await;
        let meanwhile = app.shelves(&nobody).await.unwrap();
        assert!(Arc::ptr_eq(&before, &meanwhile));
        drop(turn);
        let after = app.shelves(&nobody).await.unwrap();
        assert!(!Arc::ptr_eq(&before, &after));
    }

    #[test]
    fn what_was_begun_to_be_read_before_something_was_hidden_is_not_kept() {
        let shown = Shown::default();
        let (_, _, forgotten) = shown.known(0);
        shown.forget();
        shown.keep(&Arc::default(), 0, forgotten);
        assert!(shown.known(0).0.is_none());
        let (_, _, forgotten) = shown.known(0);
        shown.keep(&Arc::default(), 0, forgotten);
        assert!(shown.known(KEPT_MS - 1).1 && !shown.known(KEPT_MS).1 && !shown.known(-1).1);
    }
}
