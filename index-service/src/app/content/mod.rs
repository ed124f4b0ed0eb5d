//! Content as the index knows it: events of the registry are carried out, manifests are read, and both are shown.

mod ancestry;
mod comparison;
mod event;
mod holdings;
mod impact;
mod intake;
mod page;
mod pull;
mod reading;
mod reindex;
mod showcase;
mod space;
mod tag_list;
mod view;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::world as testing;

pub use ancestry::{Base, Descendant, ImageBases, Lineage, MovedTag};
pub use comparison::Compared;
pub use impact::{IMPACT_DAYS, Impact};
pub use intake::Carried;
pub use page::{Attached, ContentPage, TagPage};
pub use reindex::Differences;
pub use space::Freed;
pub use tag_list::{InvalidPlace, TagOrder, TagPageItem, TagPlace, TagsFound, TagsListed};
pub use view::{Activity, Attachment, ManifestNode};

pub(super) use holdings::{Holdings, load_holdings};
pub(super) use pull::Pulls;
pub(super) use reindex::no_registry;
pub(super) use space::weigh;

/// Rows as they are shown.
pub mod shown {
    pub use crate::store::content_count::{Day, Total as Counts};
    pub use crate::store::content_feed::TagChange as Change;
    pub use crate::store::manifest::{KnownManifest, Measure};
}

use shared::oci::RepositoryName;

use super::App;
use super::access::Seen;
use super::caller::Caller;
use super::error::AppError;
use crate::domain::{RepositoryFacts, RepositoryId, RepositoryState, Right};
use crate::registry_client::RegistryClient;
use crate::store::Tx;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// The day of a time, in days since 1970 (UTC).
pub(super) fn day_of(at_ms: i64) -> i64 {
    at_ms.div_euclid(DAY_MS)
}

pub(super) fn no_manifest() -> AppError {
    AppError::NotFound("the repository has no such manifest".to_owned())
}

pub(super) fn no_tag(tag: &str) -> AppError {
    AppError::NotFound(format!("the repository has no tag {tag}"))
}

impl App {
    /// Tells how the registry is asked where it runs in this process. Told once.
    pub fn read_with(&self, registry: RegistryClient) {
        // A second teller would be a fault of the wiring; the first one stands.
        drop(self.registry_within.set(registry));
    }

    /// Whether the registry runs in this process, and ends with it.
    pub fn is_registry_within(&self) -> bool {
        self.registry.is_none() && self.registry_within.get().is_some()
    }

    /// Who can be asked for content.
    pub(in crate::app) fn content_registry(&self) -> Option<&RegistryClient> {
        self.registry.as_ref().or_else(|| self.registry_within.get())
    }

    /// The repository of an id for whoever may pull it; to others it does not exist.
    pub(super) async fn see_content(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        repository_id: RepositoryId,
    ) -> Result<Seen, AppError> {
        let seen = self.see_by_id(tx, &caller.principal(), repository_id).await?;
        if seen.rights().contains(Right::Pull) {
            return Ok(seen);
        }
        Err(AppError::NotFound("there is no such repository".to_owned()))
    }

    /// A token for reading a repository's content.
    pub(super) fn reading_token(&self, facts: &RepositoryFacts) -> Result<String, AppError> {
        self.own_token(self.find_front_door()?, facts)
    }
}

/// A repository of which the registry may be asked.
pub(super) fn is_readable(facts: &RepositoryFacts) -> bool {
    facts.state == RepositoryState::Active
}

/// The name under which the registry keeps what an event is about.
fn stored_name(target: &event::Target) -> Option<RepositoryName> {
    let text = if target.stored_as.is_empty() {
        // A registry that is not ours keeps repositories under their own names.
        &target.repository
    } else {
        &target.stored_as
    };
    text.parse().ok()
}
