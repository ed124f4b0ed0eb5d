//! How much namespaces may hold: who decides, what a token carries of it, and who is told when a limit comes near.

mod permit;
mod watch;

use serde_json::json;
use shared::token::quota::Share;

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use crate::domain::quota::{Decided, NamespaceQuota, PerResource, Quota, Resource, Usage};
use crate::domain::{AuditAction, NamespaceFacts, NamespaceId, NamespaceName, TargetKind};
use crate::store::quota;
pub use crate::store::quota::ListedQuota;
use crate::store::{Tx, namespace};

pub(super) use watch::Watch;

/// What a namespace holds, and what it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceUsage {
    /// What was decided about it.
    pub decided: NamespaceQuota,
    /// What holds for it.
    pub quota: Quota,
    /// What it holds.
    pub usage: Usage,
}

impl App {
    /// What a namespace holds and may hold, for whoever administers it, and administrators of the site.
    pub async fn show_quota(
        &self,
        caller: &Caller,
        name: &NamespaceName,
    ) -> Result<NamespaceUsage, AppError> {
        let mut tx = self.store.read().await?;
        let namespace = self.measured_namespace(&mut tx, caller, name).await?;
        self.usage_of(&mut tx, &namespace).await
    }

    /// Decides what a namespace may hold. By administrators of the site; from the next token on.
    pub async fn set_quota(
        &self,
        caller: &Caller,
        name: &NamespaceName,
        edit: impl FnOnce(&mut NamespaceQuota),
    ) -> Result<NamespaceUsage, AppError> {
        caller.administrator()?;
        let mut tx = self.store.write().await?;
        let namespace = namespace::find_namespace(&mut tx, name)
            .await?
            .ok_or_else(|| AppError::NotFound(format!("there is no namespace {name}")))?;
        namespace::lock_namespace(&mut tx, namespace.namespace_id).await?;
        let before = quota::find_quota(&mut tx, namespace.namespace_id).await?;
        let mut after = before;
        edit(&mut after);
        quota::put_quota(&mut tx, namespace.namespace_id, &after).await?;
        let change = Change::new(AuditAction::NamespaceQuota, TargetKind::Namespace, name)
            .id(namespace.namespace_id.as_i64())
            .within(&namespace)
            .before(told(&before))
            .after(told(&after));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        let usage = self.usage_of(&mut tx, &namespace).await?;
        tx.commit().await?;
        self.quota_watch.look_at(namespace.namespace_id);
        Ok(usage)
    }

    /// At most `limit` namespaces about which something was decided, those behind `after`, for administrators of the site.
    pub async fn list_quotas(
        &self,
        caller: &Caller,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ListedQuota>, AppError> {
        caller.administrator()?;
        let mut tx = self.store.read().await?;
        Ok(quota::list_quotas(&mut tx, after, limit).await?)
    }

    async fn measured_namespace(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        name: &NamespaceName,
    ) -> Result<NamespaceFacts, AppError> {
        // Administrators may know which names there are.
        if caller.is_admin() {
            return namespace::find_namespace(tx, name)
                .await?
                .ok_or_else(|| AppError::NotFound(format!("there is no namespace {name}")));
        }
        self.administered_namespace(tx, caller, name).await
    }

    async fn usage_of(&self, tx: &mut Tx, namespace: &NamespaceFacts) -> Result<NamespaceUsage, AppError> {
        let decided = quota::find_quota(tx, namespace.namespace_id).await?;
        let everything = PerResource::default().map(|_, ()| true);
        Ok(NamespaceUsage {
            quota: Quota::new(&decided, &self.current().quotas),
            usage: quota::measure_usage(tx, namespace.namespace_id, everything).await?,
            decided,
        })
    }

    /// What a token for pushes into a namespace carries of its quota.
    pub(super) async fn quota_terms(
        &self,
        tx: &mut Tx,
        namespace_id: NamespaceId,
        decided: &NamespaceQuota,
    ) -> Result<Option<shared::token::Quota>, AppError> {
        let quota = Quota::new(decided, &self.current().quotas);
        // Repositories are counted here alone.
        let wanted = PerResource {
            repositories: false,
            ..quota.limits.map(|_, limit| limit.is_some())
        };
        if !(wanted.bytes || wanted.storage_bytes || wanted.tags) {
            return Ok(None);
        }
        let at = self.clock.now_ms();
        let usage = quota::measure_usage(tx, namespace_id, wanted).await?;
        self.quota_watch.look_at(namespace_id);
        Ok(Some(shared::token::Quota {
            of: namespace_id.as_i64(),
            at,
            bytes: quota.share(Resource::Bytes, &usage),
            storage: quota.share(Resource::StorageBytes, &usage),
            tags: quota.share(Resource::Tags, &usage),
            warn: quota.warn_percent,
            strict: quota.is_strict,
        }))
    }

    /// What is said when a namespace may hold no more repositories; none while it may. The namespace is locked until the
    /// transaction ends, so that two that are made at once are counted.
    pub(super) async fn lack_of_repositories(
        &self,
        tx: &mut Tx,
        namespace: &NamespaceFacts,
    ) -> Result<Option<String>, AppError> {
        let id = namespace.namespace_id;
        let decided = quota::find_quota(tx, id).await?;
        let quota = Quota::new(&decided, &self.current().quotas);
        if quota.limits.repositories.is_none() {
            return Ok(None);
        }
        namespace::lock_namespace(tx, id).await?;
        let wanted = PerResource {
            repositories: true,
            ..PerResource::default()
        };
        let usage = quota::measure_usage(tx, id, wanted).await?;
        let share = quota.share(Resource::Repositories, &usage);
        self.quota_watch.look_at(id);
        Ok(share.filter(|Share(used, limit)| used >= limit).map(|Share(used, limit)| {
            format!(
                "the namespace {} holds {used} of its {limit} repositories: delete one, or ask an administrator for more",
                namespace.name
            )
        }))
    }

    /// The same as an error.
    pub(super) async fn check_repositories(
        &self,
        tx: &mut Tx,
        namespace: &NamespaceFacts,
    ) -> Result<(), AppError> {
        match self.lack_of_repositories(tx, namespace).await? {
            Some(lack) => Err(AppError::Conflict(lack)),
            None => Ok(()),
        }
    }
}

/// What the audit log says of a decision.
fn told(quota: &NamespaceQuota) -> serde_json::Value {
    let word = |decided| match decided {
        Decided::Default => json!(null),
        Decided::Unlimited => json!(-1),
        Decided::AtMost(limit) => json!(limit),
    };
    json!({
        "bytes": word(quota.decided.bytes),
        "storage_bytes": word(quota.decided.storage_bytes),
        "repositories": word(quota.decided.repositories),
        "tags": word(quota.decided.tags),
        "strict": quota.is_strict,
    })
}
