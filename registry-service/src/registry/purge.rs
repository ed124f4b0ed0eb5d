//! Taking a whole repository out.

use shared::oci::{Algorithm, Digest, RepositoryName, Tag};
use tokio::task::coop::consume_budget;
use tracing::instrument;

use super::link::Link;
use super::{Change, Registry, RegistryError, layout};
use crate::storage::{Condition, Entry, Guard, Key, Step, Storage, StorageError};

/// Names that are listed in one go.
const LISTING: usize = 10_000;
/// Tags, or manifests, that one commit removes and tells of.
const BATCH: usize = 256;
/// How often a batch is tried again when somebody pushes meanwhile.
const ATTEMPTS: usize = 16;

/// A tag or a manifest that goes.
struct Leaving<'a> {
    /// What says that it is there.
    link: Key,
    /// All of it.
    folder: Key,
    /// What is told of it.
    change: Change<'a>,
}

impl Registry {
    /// Takes everything out that the repository holds: tags, manifests with and without tags, blobs, unfinished uploads, the
    /// index of referrers. Repositories below its name stay. The contents stay stored until nothing holds
    /// them and they are collected. What is gone already is no error, so that whoever was interrupted can begin again.
    ///
    /// Told is each tag and then each manifest that goes, and not its blobs; without anybody who is told, all goes in one
    /// commit.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository))]
    pub async fn purge(&self, repository: &RepositoryName) -> Result<(), RegistryError> {
        // First, so that none of them brings a blob back.
        self.forget_uploads(repository).await?;
        let held = match self.options.descriptors {
            Some(_) => self.list_layers(repository).await?,
            None => Vec::new(),
        };
        if self.announcer.is_some() {
            self.purge_tags(repository).await?;
            self.purge_manifests(repository).await?;
        }
        // Tags go before what they point to.
        let mut keys = vec![layout::tags(repository)];
        keys.extend(layout::parts(repository));
        keys.push(layout::referrers(repository));
        let steps = keys.into_iter().map(|key| Step::Remove { key }).collect();
        self.storage.commit(Vec::new(), steps).await?;
        if let Some(descriptors) = &self.options.descriptors {
            for digest in held {
                descriptors.forget(repository, &digest).await;
            }
        }
        Ok(())
    }

    async fn list_layers(&self, repository: &RepositoryName) -> Result<Vec<Digest>, RegistryError> {
        let mut held = Vec::new();
        for algorithm in Algorithm::ALL {
            let mut names = Names::below(layout::layers(repository, algorithm));
            while let Some(batch) = names.next(&self.storage).await? {
                held.extend(digests(algorithm, &batch));
            }
        }
        Ok(held)
    }

    async fn purge_tags(&self, repository: &RepositoryName) -> Result<(), RegistryError> {
        let mut names = Names::below(layout::tags(repository));
        while let Some(batch) = names.next(&self.storage).await? {
            for entries in batch.chunks(BATCH) {
                let tags = entries.iter().filter_map(|entry| entry.name.parse::<Tag>().ok());
                let tags: Vec<Tag> = tags.collect();
                let leaving = tags.iter().map(|tag| Leaving {
                    link: layout::tag_current(repository, tag),
                    folder: layout::tag(repository, tag),
                    change: Change::TagDeleted(tag),
                });
                let leaving: Vec<Leaving<'_>> = leaving.collect();
                self.remove_told(repository, &leaving).await?;
            }
        }
        Ok(())
    }

    async fn purge_manifests(&self, repository: &RepositoryName) -> Result<(), RegistryError> {
        for algorithm in Algorithm::ALL {
            let mut names = Names::below(layout::revisions(repository, algorithm));
            while let Some(batch) = names.next(&self.storage).await? {
                for entries in batch.chunks(BATCH) {
                    let digests = digests(algorithm, entries);
                    let leaving = digests.iter().map(|digest| Leaving {
                        link: layout::revision_link(repository, digest),
                        folder: layout::revision(repository, digest),
                        change: Change::ManifestDeleted(digest),
                    });
                    let leaving: Vec<Leaving<'_>> = leaving.collect();
                    self.remove_told(repository, &leaving).await?;
                }
            }
        }
        Ok(())
    }

    /// Removes what is there of these, and tells of it, in one commit: so that nothing is told twice, by whomever else.
    async fn remove_told(
        &self,
        repository: &RepositoryName,
        leaving: &[Leaving<'_>],
    ) -> Result<(), RegistryError> {
        let mut conflict = None;
        for _ in 0..ATTEMPTS {
            let (mut guards, mut steps, mut changes) = (Vec::new(), Vec::new(), Vec::new());
            for one in leaving {
                consume_budget().await;
                // What is no link names nothing that anybody could have been told of.
                let Link::To(_, version) = Link::read(&self.storage, &one.link).await? else {
                    continue;
                };
                guards.push(Guard {
                    key: one.link.clone(),
                    condition: Condition::Is(version),
                });
                steps.push(Step::Remove {
                    key: one.folder.clone(),
                });
                changes.push(one.change);
            }
            if steps.is_empty() {
                return Ok(());
            }
            match self.commit(repository, guards, steps, &changes).await {
                Ok(()) => return Ok(()),
                Err(error @ StorageError::Conflict { .. }) => conflict = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        conflict.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// The names below a prefix, some at a time.
struct Names {
    prefix: Key,
    after: Option<String>,
    is_over: bool,
}

impl Names {
    fn below(prefix: Key) -> Self {
        Self {
            prefix,
            after: None,
            is_over: false,
        }
    }

    async fn next(&mut self, storage: &Storage) -> Result<Option<Vec<Entry>>, StorageError> {
        if self.is_over {
            return Ok(None);
        }
        let batch = storage.list(&self.prefix, self.after.as_deref(), LISTING).await?;
        self.is_over = batch.len() < LISTING;
        self.after = batch.last().map(|last| last.name.clone());
        Ok(Some(batch))
    }
}

fn digests(algorithm: Algorithm, entries: &[Entry]) -> Vec<Digest> {
    let parsed = entries
        .iter()
        .filter_map(|entry| format!("{algorithm}:{}", entry.name).parse().ok());
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use shared::oci::Reference;

    use super::super::testing::{Ground, OWNER, chunk, image, name, noise, on_each_storage, received};
    use super::*;

    on_each_storage! {
        async fn nothing_of_a_purged_repository_is_found_and_others_keep_theirs(ground: &Ground) {
            let (repository, below, other) = (name("a/b"), name("a/b/c"), name("a/other"));
            let digest = ground.push(&repository, "x", &["1", "2"]).await;
            let untagged = ground.push(&repository, "y", &[]).await;
            for kept in [&below, &other] {
                assert_eq!(ground.push(kept, "x", &["1"]).await, digest);
            }
            let blob = ground.put_blob(&repository, b"alone").await;
            let subject = format!(
                ",\"subject\":{{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"{digest}\",\"size\":2}}"
            );
            let config = ground.put_blob(&repository, b"{}").await;
            let referrer = received(&image(&config, &blob, &subject));
            ground.registry
                .put_manifest(&repository, referrer, &[], &crate::registry::TagCondition::Any)
                .await
                .unwrap();
            // The second time as somebody who was interrupted.
            for _ in 0..2 {
                ground.registry.purge(&repository).await.unwrap();
                for registry in [ground.registry.clone(), ground.replica()] {
                    for reference in ["1", "2", &digest.to_string(), &untagged.to_string()] {
                        let reference: Reference = reference.parse().unwrap();
                        let found = registry.get_manifest(&repository, &reference).await;
                        assert!(found.is_err(), "{reference}");
                    }
                    let tags = registry.list_tags(&repository, None, 9).await;
                    assert!(matches!(tags, Err(RegistryError::NameUnknown)), "{tags:?}");
                    assert!(registry.stat_blob(&repository, &blob).await.is_err());
                }
            }
            for kept in [&below, &other] {
                assert_eq!(ground.resolve(kept, "1").await, Some(digest.clone()));
            }
        }

        async fn unfinished_uploads_of_a_purged_repository_are_gone_and_others_go_on(ground: &Ground) {
            let (repository, other) = (name("a/b"), name("a/b/c"));
            let registry = &ground.registry;
            let begun = ground.start(&repository).await;
            let of_another = registry.start_upload(&repository, "bob", Algorithm::Sha256).await.unwrap();
            let kept = ground.start(&other).await;
            // Long enough for a hash state of its own.
            let content = noise(1 << 21, 3);
            registry.append_upload(&repository, OWNER, &begun, chunk(&content)).await.unwrap();
            registry.append_upload(&other, OWNER, &kept, chunk(b"kept")).await.unwrap();
            registry.purge(&repository).await.unwrap();
            for (owner, id) in [(OWNER, &begun), ("bob", &of_another)] {
                let status = registry.upload_status(&repository, owner, id).await;
                assert!(matches!(status, Err(RegistryError::BlobUploadUnknown)), "{status:?}");
                assert!(!ground.exists(&layout::hash_state(&id.staged(&repository, owner))).await);
            }
            assert_eq!(registry.upload_status(&other, OWNER, &kept).await.unwrap(), 4);
        }

        async fn what_is_written_right_now_is_left_to_its_age(ground: &Ground) {
            let repository = name("a/b");
            let id = ground.start(&repository).await;
            let writer = ground.storage.open_staged(&id.staged(&repository, OWNER)).await.unwrap();
            ground.registry.purge(&repository).await.unwrap();
            drop(writer);
            assert_eq!(ground.registry.upload_status(&repository, OWNER, &id).await.unwrap(), 0);
        }

        async fn a_purged_repository_can_be_pushed_to_again(ground: &Ground) {
            let repository = name("a/b");
            ground.push(&repository, "x", &["1"]).await;
            ground.registry.purge(&repository).await.unwrap();
            let digest = ground.push(&repository, "x", &["2"]).await;
            assert_eq!(ground.resolve(&repository, "2").await, Some(digest));
            assert_eq!(ground.resolve(&repository, "1").await, None);
        }
    }
}
