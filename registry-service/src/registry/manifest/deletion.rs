//! Deleting a manifest for somebody who may delete some tags alone.

use std::time::Duration;

use shared::oci::{Digest, Reference, RepositoryName, Tag};
use tokio::task::coop::consume_budget;
use tracing::instrument;

use super::super::link::{Link, has_revision};
use super::super::{Change, Registry, RegistryError, layout};
use crate::storage::{Condition, Guard, Stamp, Step, StorageError, Version};

/// Tags that are listed in one go.
const LISTING: usize = 10_000;
/// How often the deletion is tried anew when somebody pushes meanwhile, or waits for the last push to be old enough.
const ATTEMPTS: usize = 30;
const PAUSE: Duration = Duration::from_millis(100);

impl Registry {
    /// As [`delete_manifest`](Self::delete_manifest), when `may_go` lets every tag go that points to the manifest;
    /// otherwise nothing changes. Tags and manifest go in one commit, which does not become visible when the manifest was
    /// pushed since its tags were looked at: so no tag is lost that must stay.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, manifest.digest = %digest))]
    pub async fn delete_manifest_of_tags(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        may_go: &(dyn Fn(&Tag) -> bool + Send + Sync),
    ) -> Result<(), RegistryError> {
        for _ in 0..ATTEMPTS {
            if !has_revision(&self.storage, repository, digest).await? {
                return Err(RegistryError::manifest_unknown(&Reference::Digest(
                    digest.clone(),
                )));
            }
            // A push in the same tick of the file system's clock as the last one would not show in the stamp.
            let Some(stamp) = self.settle_pushes(repository, digest).await? else {
                self.tags_that_go(repository, digest, may_go).await?;
                // Nothing tells when the file system's clock has moved on, so it is looked at again.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let tags = self.tags_that_go(repository, digest, may_go).await?;
            match self.remove_with_tags(repository, digest, tags, stamp).await {
                Err(StorageError::Conflict { .. }) => {}
                removed => return Ok(removed?),
            }
        }
        Err(StorageError::Locked {
            doing: format!("deleting {digest} while it is pushed"),
        }
        .into())
    }

    /// The tags that point to the manifest; an error when one of them must stay.
    async fn tags_that_go(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        may_go: &(dyn Fn(&Tag) -> bool + Send + Sync),
    ) -> Result<Vec<(Tag, Version)>, RegistryError> {
        let mut tags = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let batch = self
                .storage
                .list(&layout::tags(repository), after.as_deref(), LISTING)
                .await?;
            for tag in batch.iter().filter_map(|entry| entry.name.parse::<Tag>().ok()) {
                consume_budget().await;
                match Link::read(&self.storage, &layout::tag_current(repository, &tag)).await? {
                    Link::To(found, _) if found == *digest && !may_go(&tag) => {
                        return Err(RegistryError::TagMustStay { tag });
                    }
                    Link::To(found, version) if found == *digest => tags.push((tag, version)),
                    _ => {}
                }
            }
            if batch.len() < LISTING {
                return Ok(tags);
            }
            after = batch.into_iter().last().map(|last| last.name);
        }
    }

    async fn remove_with_tags(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        tags: Vec<(Tag, Version)>,
        stamp: Stamp,
    ) -> Result<(), StorageError> {
        let mut guards = vec![Guard {
            key: layout::revision_link(repository, digest),
            condition: Condition::Untouched(stamp),
        }];
        let mut steps = Vec::new();
        let mut changes = Vec::new();
        for (tag, version) in &tags {
            guards.push(Guard {
                key: layout::tag_current(repository, tag),
                condition: Condition::Is(version.clone()),
            });
            steps.push(Step::Remove {
                key: layout::tag(repository, tag),
            });
            changes.push(Change::TagDeleted(tag));
        }
        steps.push(Step::Remove {
            key: layout::revision(repository, digest),
        });
        changes.push(Change::ManifestDeleted(digest));
        self.commit(repository, guards, steps, &changes).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{Ground, name, on_each_storage, tag};
    use super::*;

    on_each_storage! {
        async fn a_manifest_goes_with_its_tags_when_each_of_them_may(ground: &Ground) {
            let repository = name("a/b");
            let digest = ground.push(&repository, "x", &["dev-1", "dev-2"]).await;
            let other = ground.push(&repository, "y", &["main"]).await;
            let dev = |tag: &Tag| tag.as_str().starts_with("dev-");
            ground.registry.delete_manifest_of_tags(&repository, &digest, &dev).await.unwrap();
            for reference in ["dev-1", "dev-2"] {
                assert_eq!(ground.resolve(&repository, reference).await, None, "{reference}");
            }
            assert_eq!(ground.resolve(&repository, "main").await, Some(other));
            let again = ground.registry.delete_manifest_of_tags(&repository, &digest, &dev).await;
            assert!(matches!(again, Err(RegistryError::ManifestUnknown { .. })), "{again:?}");
        }

        async fn nothing_goes_while_a_tag_must_stay(ground: &Ground) {
            let repository = name("a/b");
            let digest = ground.push(&repository, "x", &["dev-1", "main"]).await;
            let dev = |tag: &Tag| tag.as_str().starts_with("dev-");
            let refused = ground.registry.delete_manifest_of_tags(&repository, &digest, &dev).await;
            let Err(RegistryError::TagMustStay { tag: kept }) = refused else { panic!("{refused:?}") };
            assert_eq!(kept, tag("main"));
            for reference in ["dev-1", "main"] {
                assert_eq!(ground.resolve(&repository, reference).await, Some(digest.clone()));
            }
        }

        async fn a_tag_that_is_pushed_meanwhile_keeps_the_manifest(ground: &Ground) {
            let repository = name("a/b");
            let digest = ground.push(&repository, "x", &["dev-1"]).await;
            let stamp = ground.registry.settle_pushes(&repository, &digest).await.unwrap().unwrap();
            let every = |_: &Tag| true;
            let tags = ground.registry.tags_that_go(&repository, &digest, &every).await.unwrap();
            // File systems tell writings apart by their clock's ticks: pushed until one shows.
            let link = layout::revision_link(&repository, &digest);
            loop {
                ground.push(&repository, "x", &["main"]).await;
                if ground.registry.storage.object_stamp(&link).await.unwrap() != Some(stamp) {
                    break;
                }
            }
            let removed = ground.registry.remove_with_tags(&repository, &digest, tags, stamp).await;
            assert!(matches!(removed, Err(StorageError::Conflict { .. })), "{removed:?}");
            for reference in ["dev-1", "main"] {
                assert_eq!(ground.resolve(&repository, reference).await, Some(digest.clone()));
            }
        }

        async fn a_manifest_that_was_pushed_just_now_is_not_judged_in_haste(ground: &Ground) {
            let repository = name("a/b");
            let digest = ground.push(&repository, "x", &["main"]).await;
            ground.unsettle();
            let never = |_: &Tag| false;
            let refused = ground.registry.delete_manifest_of_tags(&repository, &digest, &never).await;
            assert!(matches!(refused, Err(RegistryError::TagMustStay { .. })), "{refused:?}");
        }
    }
}
