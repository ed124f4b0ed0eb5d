//! Strict quotas: the registry asks before it stores a manifest. What it may store is held until an event tells of it, so
//! that of several pushes at once none passes a limit.

use std::collections::BTreeMap;

use serde::Deserialize;
use shared::oci::{Digest, RepositoryName, Tag};

use crate::app::App;
use crate::app::error::AppError;
use crate::domain::quota::{PerResource, Quota, Resource, Usage};
use crate::store::{content_feed, namespace, quota, quota_hold};

/// Most blobs of one manifest.
const MOST_BLOBS: usize = 10_000;
/// Most tags of one push.
const MOST_TAGS: usize = 64;
/// How long is held of what no event tells, in milliseconds: a push that failed after it was allowed.
const HOLD_MS: i64 = 6 * 3_600_000;

#[derive(Debug, Deserialize)]
struct Question {
    stored_as: RepositoryName,
    tags: Vec<Tag>,
    blobs: Vec<(Digest, u64)>,
}

impl App {
    /// Whether a registry may store a manifest: why not, if not.
    pub async fn permit_push(&self, body: &[u8]) -> Result<Option<String>, AppError> {
        let question: Question = serde_json::from_slice(body)
            .map_err(|error| AppError::Invalid(format!("this is no question about a quota: {error}")))?;
        if question.blobs.len() > MOST_BLOBS || question.tags.len() > MOST_TAGS {
            return Ok(Some(format!(
                "a manifest under a strict quota names at most {MOST_BLOBS} blobs and {MOST_TAGS} tags"
            )));
        }
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let stored = content_feed::find_stored_repository(&mut tx, &question.stored_as).await?;
        let repository_id = stored
            .map(|stored| stored.repository_id)
            .ok_or_else(|| AppError::NotFound("there is no such repository".to_owned()))?;
        let namespace_id = quota::find_namespace_of(&mut tx, repository_id)
            .await?
            .ok_or_else(|| AppError::NotFound("there is no such repository".to_owned()))?;
        // One after another: what the first may store, the second finds held.
        namespace::lock_namespace(&mut tx, namespace_id).await?;
        let decided = quota::find_quota(&mut tx, namespace_id).await?;
        let quota = Quota::new(&decided, &self.current().quotas);
        if quota.is_unlimited() {
            return Ok(None);
        }
        quota_hold::settle_holds(&mut tx, namespace_id, now.saturating_sub(HOLD_MS)).await?;
        let wanted = PerResource {
            repositories: false,
            ..quota.limits.map(|_, limit| limit.is_some())
        };
        let known = quota::measure_usage(&mut tx, namespace_id, wanted).await?;
        let held = quota_hold::measure_holds(&mut tx, namespace_id).await?;
        let place = (namespace_id, repository_id);
        let mut added = Usage::default();
        let blobs: BTreeMap<String, u64> = question
            .blobs
            .iter()
            .map(|(digest, size)| (digest.to_string(), *size))
            .collect();
        let mut new = Vec::new();
        for (digest, size) in blobs {
            let (is_own, is_near) = quota_hold::has_blob(&mut tx, place, &digest).await?;
            if !is_own {
                added.bytes = added.bytes.saturating_add(size);
                new.push((digest, size));
            }
            if !is_near {
                added.storage_bytes = added.storage_bytes.saturating_add(size);
            }
        }
        for tag in &question.tags {
            if !quota_hold::has_tag(&mut tx, place, tag.as_str()).await? {
                added.tags += 1;
                new.push((quota_hold::tag_item(tag.as_str()), 0));
            }
        }
        for resource in [Resource::Bytes, Resource::StorageBytes, Resource::Tags] {
            let Some(limit) = quota.limits.of(resource) else {
                continue;
            };
            let used = known.of(resource).saturating_add(held.of(resource));
            let more = added.of(resource);
            if more > 0 && used.saturating_add(more) > limit {
                return Ok(Some(format!(
                    "the namespace holds {} of its quota of {}, and this push adds {}",
                    resource.describe(used),
                    resource.describe(limit),
                    resource.describe(more)
                )));
            }
        }
        for (item, size) in new {
            quota_hold::hold(&mut tx, place, &item, size, now).await?;
        }
        tx.commit().await?;
        self.quota_watch.look_at(namespace_id);
        Ok(None)
    }
}
