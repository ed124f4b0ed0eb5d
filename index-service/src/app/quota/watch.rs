//! Who is told when a limit comes near: each step of each resource once, in the audit log.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::app::App;
use crate::app::audit::{By, Change};
use crate::app::error::AppError;
use crate::app::notice::News;
use crate::domain::quota::{Quota, Resource};
use crate::domain::{AuditAction, NamespaceId, NoticeKind, RepositoryId, TargetKind};
use crate::store::{namespace, quota};

/// Most namespaces that wait to be looked at; the next push into one that found no place is looked at again.
const WAITING: usize = 10_000;

/// Namespaces whose usage may have passed a step since they were looked at.
#[derive(Debug, Default)]
pub(in crate::app) struct Watch(Mutex<BTreeSet<NamespaceId>>);

impl Watch {
    /// The namespace's usage or limits have changed, or may have.
    pub(in crate::app) fn look_at(&self, namespace_id: NamespaceId) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING {
            waiting.insert(namespace_id);
        }
    }

    fn next(&self) -> Option<NamespaceId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_first()
    }
}

impl App {
    /// What the repository holds has changed.
    pub(in crate::app) async fn watch_quota_of(&self, repository_id: RepositoryId) -> Result<(), AppError> {
        let mut tx = self.store.read().await?;
        if let Some(namespace_id) = quota::find_namespace_of(&mut tx, repository_id).await? {
            self.quota_watch.look_at(namespace_id);
        }
        Ok(())
    }

    /// Writes down which steps were reached since the last time; says how many.
    pub async fn tell_quotas(&self) -> Result<usize, AppError> {
        let mut told = 0;
        while let Some(namespace_id) = self.quota_watch.next() {
            told += self.tell_quota(namespace_id).await?;
        }
        Ok(told)
    }

    async fn tell_quota(&self, namespace_id: NamespaceId) -> Result<usize, AppError> {
        let mut tx = self.store.read().await?;
        let decided = quota::find_quota(&mut tx, namespace_id).await?;
        let limits = Quota::new(&decided, &self.current().quotas);
        if limits.is_unlimited() {
            return Ok(0);
        }
        let wanted = limits.limits.map(|_, limit| limit.is_some());
        let usage = quota::measure_usage(&mut tx, namespace_id, wanted).await?;
        let mut steps = Vec::new();
        for resource in Resource::EVERY {
            let step = limits.step(resource, &usage);
            if step != quota::find_mark(&mut tx, namespace_id, resource).await? {
                steps.push((resource, step));
            }
        }
        drop(tx);
        if steps.is_empty() {
            return Ok(0);
        }
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let Some(namespace) = namespace::find_namespace_by_id(&mut tx, namespace_id).await? else {
            return Ok(0);
        };
        namespace::lock_namespace(&mut tx, namespace_id).await?;
        let mut told = 0;
        for (resource, step) in steps {
            // Another replica may have been first.
            let before = quota::find_mark(&mut tx, namespace_id, resource).await?;
            if before == step {
                continue;
            }
            quota::put_mark(&mut tx, namespace_id, resource, step, now).await?;
            let Some(share) = limits.share(resource, &usage).filter(|_| step > before) else {
                continue;
            };
            let change = Change::new(AuditAction::QuotaReached, TargetKind::Namespace, &namespace.name)
                .id(namespace_id.as_i64())
                .within(&namespace)
                .after(json!({
                    "resource": resource.as_str(),
                    "percent": step,
                    "used": share.0,
                    "limit": share.1,
                }));
            self.audit(&mut tx, By::Service, change).await?;
            let text = format!("{} of {} {} are used", share.0, share.1, resource.as_str());
            self.tell_of_quota(&mut tx, &namespace, text).await?;
            let news = News {
                kind: NoticeKind::Quota,
                subject: namespace.name.as_str(),
                subject_id: Some(namespace_id.as_i64()),
                actor: None,
                detail: &format!("{step} {}", resource.as_str()),
            };
            let caretakers = self.caretakers(&mut tx, &namespace).await?;
            self.notify(&mut tx, caretakers, news).await?;
            told += 1;
        }
        tx.commit().await?;
        Ok(told)
    }
}
