//! Bookmarks: lists of repositories that an account keeps for itself.

use super::App;
use super::caller::Caller;
use super::error::AppError;
use crate::domain::topic::InvalidTopic;
use crate::domain::{RepositoryFacts, RepositoryId, Right, Topic};
use crate::store::account::lock_account;
use crate::store::bookmark::{self, Bookmark};

/// Most bookmarks of an account, on all its lists.
pub const MAX_BOOKMARKS: i64 = 2_000;

/// A repository on a list of the caller's.
#[derive(Debug)]
pub struct Bookmarked {
    /// The list and since when.
    pub bookmark: Bookmark,
    /// The repository.
    pub facts: RepositoryFacts,
}

impl App {
    /// Puts a repository on a list of the caller's account, or takes it off. Nobody else sees these lists.
    pub async fn set_bookmark(
        &self,
        caller: &Caller,
        shelf: &str,
        repository_id: RepositoryId,
        is_kept: bool,
    ) -> Result<(), AppError> {
        let account_id = caller.account()?.account_id;
        let shelf: Topic = shelf.parse().map_err(|_: InvalidTopic| {
            AppError::Invalid("a list is called as a topic is: letters, digits, hyphens".to_owned())
        })?;
        let mut tx = self.store.write().await?;
        if is_kept {
            lock_account(&mut tx, account_id).await?;
            self.see_by_id(&mut tx, &caller.principal(), repository_id)
                .await?
                .with(Right::Pull)?;
            if bookmark::count_bookmarks(&mut tx, account_id).await? >= MAX_BOOKMARKS {
                return Err(AppError::Conflict(format!(
                    "an account has at most {MAX_BOOKMARKS} bookmarks"
                )));
            }
            bookmark::add_bookmark(&mut tx, account_id, &shelf, repository_id, self.clock.now_ms()).await?;
        } else {
            bookmark::remove_bookmark(&mut tx, account_id, &shelf, repository_id).await?;
        }
        Ok(tx.commit().await?)
    }

    /// At most `limit` bookmarks of the caller's account behind `after`, and what to go on behind when there are more. What it
    /// may not see any more is left out.
    pub async fn list_bookmarks(
        &self,
        caller: &Caller,
        after: (&str, i64),
        limit: u32,
    ) -> Result<(Vec<Bookmarked>, Option<(String, i64)>), AppError> {
        let (principal, account_id) = (caller.principal(), caller.account()?.account_id);
        let mut tx = self.store.read().await?;
        let found = bookmark::list_bookmarks(&mut tx, account_id, after, limit.saturating_add(1)).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_more = found.len() > limit;
        let (mut shown, mut last) = (Vec::new(), None);
        for bookmark in found.into_iter().take(limit) {
            last = Some((bookmark.shelf.clone(), bookmark.repository_id.as_i64()));
            match self.see_by_id(&mut tx, &principal, bookmark.repository_id).await {
                Ok(seen) if seen.rights().contains(Right::Pull) => shown.push(Bookmarked {
                    facts: seen.facts,
                    bookmark,
                }),
                Ok(_) | Err(AppError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok((shown, last.filter(|_| is_more)))
    }
}
