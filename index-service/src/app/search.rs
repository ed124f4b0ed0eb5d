//! Repositories by their words, as far as somebody may see them, and what keeps the lists of words in line.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicI64, Ordering};

use super::App;
use super::caller::{Caller, Client};
use super::catalog::Reader;
use super::error::AppError;
use crate::domain::search::terms;
use crate::domain::{Principal, RepositoryId, SearchFilter, SearchOrder};
use crate::store::search::{MAX_FOUND, Wanted, search};
use crate::store::{Tx, posting, setting};

/// Repositories that are looked at at once.
const BATCH: u32 = 200;
/// Batches of a round, until all repositories were looked at once; one in each round from then on.
const FIRST_BATCHES: u32 = 20;
/// The setting that says that all were.
const LISTED: &str = "search_listed";

/// What was found.
pub type Found = crate::store::search::Found;
/// A repository that was found.
pub type Hit = crate::store::search::Hit;

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct SearchWish {
    /// Words; an empty text for everything.
    pub query: String,
    /// And what is found is so.
    pub filter: SearchFilter,
    /// In which order: any but the best first is that of the first 1,000.
    pub order: SearchOrder,
    /// How many of the first are left out; beyond 1,000 there is nothing.
    pub offset: usize,
    /// How many are wished for.
    pub limit: usize,
}

/// Up to where repositories were looked at.
#[derive(Debug)]
pub(super) struct Walk(AtomicI64);

impl Default for Walk {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl App {
    /// What the caller may pull of what is looked for, the best first.
    pub async fn search(&self, caller: &Caller, wish: &SearchWish) -> Result<Found, AppError> {
        let mut tx = self.store.read().await?;
        self.find(&mut tx, &caller.principal(), wish).await
    }

    /// The same for whoever shows a credential or a registry token, or nothing. `None` when the token is not valid.
    pub async fn search_catalog(
        &self,
        reader: Option<&Reader>,
        client: &Client,
        wish: &SearchWish,
    ) -> Result<Option<Found>, AppError> {
        let (principal, mut tx) = match reader {
            None => (Principal::Anonymous, self.store.read().await?),
            Some(reader) => match self.read_as(reader, client).await? {
                Some(found) => found,
                None => return Ok(None),
            },
        };
        self.find(&mut tx, &principal, wish).await.map(Some)
    }

    async fn find(&self, tx: &mut Tx, principal: &Principal, wish: &SearchWish) -> Result<Found, AppError> {
        let words = terms(&wish.query);
        if wish.offset >= MAX_FOUND || (words.is_none() && !wish.query.trim().is_empty()) {
            return Ok(Found::default());
        }
        let is_best = wish.order == SearchOrder::Best;
        let (offset, limit) = if is_best {
            (wish.offset, wish.limit)
        } else {
            (0, MAX_FOUND)
        };
        let wanted = Wanted {
            terms: &words.unwrap_or_default(),
            filter: &wish.filter,
            offset,
            limit,
        };
        let mut found = search(tx, principal, &wanted, self.clock.now_ms()).await?;
        if !is_best {
            put_in_order(&mut found.hits, wish.order);
            found.hits = found
                .hits
                .into_iter()
                .skip(wish.offset)
                .take(wish.limit)
                .collect();
        }
        Ok(found)
    }

    /// Puts repositories into the lists of words that do not stand there as they should: those from before there were
    /// lists, and those that a program changed which knows nothing of them. Says how many were put right.
    pub async fn tend_search(&self) -> Result<usize, AppError> {
        let mut tx = self.store.read().await?;
        let is_listed = setting::find_setting(&mut tx, LISTED).await?.is_some();
        drop(tx);
        let mut mended = 0;
        for _ in 0..if is_listed { 1 } else { FIRST_BATCHES } {
            let after = RepositoryId::from_i64(self.search_walk.0.load(Ordering::Relaxed));
            let mut tx = self.store.read().await?;
            let stale = posting::list_stale(&mut tx, after, BATCH).await?;
            drop(tx);
            if !stale.repositories.is_empty() {
                // Where others write at the same time, a long transaction would stand in their way.
                let at_once = if self.store.writes_one_by_one() {
                    stale.repositories.len()
                } else {
                    1
                };
                for repositories in stale.repositories.chunks(at_once) {
                    let mut tx = self.store.write().await?;
                    posting::mend(&mut tx, repositories).await?;
                    tx.commit().await?;
                }
                mended += stale.repositories.len();
            }
            let next = stale.last.map_or(i64::MIN, RepositoryId::as_i64);
            self.search_walk.0.store(next, Ordering::Relaxed);
            if stale.last.is_none() {
                if !is_listed {
                    let mut tx = self.store.write().await?;
                    setting::put_setting(&mut tx, LISTED, "1").await?;
                    tx.commit().await?;
                }
                break;
            }
        }
        Ok(mended)
    }
}

/// Those that are alike stay as they were, the best first.
fn put_in_order(hits: &mut [Hit], order: SearchOrder) {
    match order {
        SearchOrder::Best => {}
        SearchOrder::Stars => hits.sort_by_key(|hit| Reverse(hit.star_count)),
        SearchOrder::Pulls => hits.sort_by_key(|hit| Reverse(hit.pull_count)),
        SearchOrder::Updated => hits.sort_by_key(|hit| Reverse(hit.updated_at)),
        SearchOrder::Name => hits.sort_by(|a, b| a.facts.name.as_str().cmp(b.facts.name.as_str())),
    }
}
