//! Tags as releases, for programs that look whether there is something newer.

use shared::oci::RepositoryName;

use super::App;
use super::caller::Caller;
use super::error::AppError;
use crate::domain::Showcase;
use crate::store::tag::Pointer;
use crate::store::{showcase, tag};

/// Most tags that are told, those that moved last.
const MOST: usize = 5_000;
/// Most that are looked through for them.
const MOST_LOOKED: u32 = 20_000;

/// What there is to update to.
#[derive(Debug)]
pub struct Releases {
    /// Tags, those that moved last first.
    pub tags: Vec<Pointer>,
    /// What the image that stands for the repository says.
    pub showcase: Option<Showcase>,
}

impl App {
    /// The tags of a repository with their times, for whoever may pull it.
    pub async fn list_releases(&self, caller: &Caller, name: &RepositoryName) -> Result<Releases, AppError> {
        let repository = self.show_hub_repository(caller, name).await?;
        let id = repository.facts.repository_id;
        let mut tx = self.store.read().await?;
        let mut tags = tag::list_pointers(&mut tx, id, "", MOST_LOOKED).await?;
        tags.sort_by(|a, b| (b.updated_at, &b.name).cmp(&(a.updated_at, &a.name)));
        tags.truncate(MOST);
        Ok(Releases {
            tags,
            showcase: showcase::find_showcase(&mut tx, id).await?,
        })
    }
}
