//! Which tag needs a manifest or a blob.

use std::collections::HashSet;

use shared::oci::{Algorithm, Digest, ReceivedManifest, RepositoryName, Tag};
use tokio::task::coop::consume_budget;
use tracing::instrument;

use super::super::contents::Children;
use super::super::{Registry, RegistryError, layout};

/// How deep an index may hold indexes.
const DEPTH: usize = 8;

impl Registry {
    /// A tag for which `is_kept` holds and that leads to this content: to its manifest, to a manifest of its index, or to
    /// what one of these consists of. Walks through all tags, since that is asked when something is deleted alone.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, %digest))]
    pub async fn find_keeper(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        is_kept: &(dyn Fn(&Tag) -> bool + Send + Sync),
    ) -> Result<Option<Tag>, RegistryError> {
        let mut seen = HashSet::new();
        let mut names = Children::new(&self.storage, layout::tags(repository));
        while let Some(name) = names.next().await? {
            let Ok(tag) = name.parse::<Tag>() else { continue };
            if is_kept(&tag)
                && let Some(root) = self.find_tag(repository, &tag).await?
                && self.leads_to(repository, root, digest, &mut seen).await?
            {
                return Ok(Some(tag));
            }
        }
        Ok(None)
    }

    /// Whether a manifest is, or leads to, this content; what was `seen` does not.
    async fn leads_to(
        &self,
        repository: &RepositoryName,
        root: Digest,
        sought: &Digest,
        seen: &mut HashSet<Digest>,
    ) -> Result<bool, RegistryError> {
        let mut level = vec![root];
        for _ in 0..DEPTH {
            let mut next = Vec::new();
            for digest in level {
                consume_budget().await;
                if digest == *sought {
                    return Ok(true);
                }
                if !seen.insert(digest.clone()) {
                    continue;
                }
                let Some(stored) = self.find_manifest(repository, digest).await? else {
                    continue;
                };
                // What cannot be parsed was stored by somebody else, and leads to nothing that could be known.
                let Ok(received) = ReceivedManifest::parse(
                    stored.bytes,
                    Some(stored.media_type.as_str()),
                    Algorithm::Sha256,
                ) else {
                    continue;
                };
                let view = received.view();
                let mut blobs = view.config().into_iter().chain(view.layers());
                if blobs.any(|blob| blob.digest == *sought) {
                    return Ok(true);
                }
                next.extend(view.manifests().iter().map(|child| child.digest.clone()));
            }
            level = next;
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use shared::oci::Digest;

    use super::super::super::testing::{Ground, image, index, name, on_each_storage, received, tag};
    use super::super::super::{RegistryError, TagCondition};
    use super::*;

    fn is_release(tag: &Tag) -> bool {
        tag.as_str().starts_with('v')
    }

    on_each_storage! {
        async fn content_is_kept_by_the_tag_that_leads_to_it(ground: &Ground) {
            let repository = name("a/b");
            let child = ground.push(&repository, "child", &["dev"]).await;
            let other = ground.push(&repository, "other", &["dev2"]).await;
            ground.put(&repository, &index(&[&child], ""), &["v1"]).await.unwrap();
            let layer = Digest::of(Algorithm::Sha256, b"child");
            for (digest, expected) in [
                (&child, Some("v1")),
                (&layer, Some("v1")),
                (&other, None),
                (&Digest::of(Algorithm::Sha256, b"other"), None),
            ] {
                let keeper = ground.registry.find_keeper(&repository, digest, &is_release).await.unwrap();
                assert_eq!(keeper, expected.map(tag), "{digest}");
            }
        }

        async fn an_immutable_tag_takes_the_same_manifest_again_and_no_other(ground: &Ground) {
            let repository = name("a/b");
            let first = ground.push(&repository, "first", &["v1", "dev"]).await;
            let second = ground.push(&repository, "second", &["dev"]).await;
            let put = |digest: Digest, names: &'static [&str], condition: TagCondition| {
                let repository = repository.clone();
                async move {
                    let bytes = ground.registry.get_manifest(&repository, &shared::oci::Reference::Digest(digest)).await.unwrap().bytes;
                    let body = received(std::str::from_utf8(&bytes).unwrap());
                    let tags: Vec<Tag> = names.iter().map(|name| tag(name)).collect();
                    ground.registry.put_manifest_keeping(&repository, body, &tags, &condition, &is_release).await
                }
            };
            put(first.clone(), &["v1"], TagCondition::Any).await.unwrap();
            put(second.clone(), &["dev"], TagCondition::Any).await.unwrap();
            for condition in [TagCondition::Any, TagCondition::Is(first.clone())] {
                let refused = put(second.clone(), &["v2", "v1"], condition).await;
                assert!(
                    matches!(refused, Err(RegistryError::TagImmutable { .. } | RegistryError::TagConflict)),
                    "{refused:?}"
                );
                assert_eq!(ground.resolve(&repository, "v1").await, Some(first.clone()));
                assert_eq!(ground.resolve(&repository, "v2").await, None, "all tags or none");
            }
        }

        async fn of_many_pushers_of_one_immutable_tag_one_manifest_wins_and_stays(ground: &Ground) {
            let repository = name("a/b");
            let blob = ground.put_blob(&repository, b"{}").await;
            let replicas = [ground.replica(), ground.replica()];
            // Each manifest is pushed twice, so that the winner is pushed against itself too.
            let pushes = (0..32).map(|at| {
                let (repository, blob, registry) = (&repository, &blob, &replicas[at % 2]);
                async move {
                    let body = image(blob, blob, &format!(r#","annotations":{{"n":"{}"}}"#, at / 2));
                    let manifest = received(&body);
                    let digest = manifest.digest().clone();
                    let put = registry
                        .put_manifest_keeping(repository, manifest, &[tag("v1")], &TagCondition::Any, &is_release)
                        .await;
                    match put {
                        Ok(()) => Some(digest),
                        Err(RegistryError::TagImmutable { .. }) => None,
                        Err(error) => panic!("{error:?}"),
                    }
                }
            });
            let won: Vec<_> = futures_util::future::join_all(pushes).await.into_iter().flatten().collect();
            assert_eq!(won.len(), 2, "the same manifest again is no other");
            assert_eq!(won[0], won[1]);
            assert_eq!(ground.resolve(&repository, "v1").await.as_ref(), won.first());
        }
    }
}
