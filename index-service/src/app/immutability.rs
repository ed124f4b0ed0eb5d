//! Tags that stay what they are: who says so, and what a token carries of it.

use serde_json::json;
use shared::token::{ImmutableTags, TagPattern, Terms};

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use crate::domain::{AuditAction, NamespaceId, NamespaceName, RepositoryId, Right, TargetKind};
use crate::store::Tx;
use crate::store::immutability::{Place, find_immutable_tags, put_immutable_tags};
use crate::store::terms::find_terms;

/// Which tags of a repository stay what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Immutability {
    /// By its own rule.
    pub own: ImmutableTags,
    /// By that of its namespace.
    pub namespace: ImmutableTags,
}

impl App {
    /// Which tags of a repository stay what they are, for whoever may pull it.
    pub async fn show_immutable_tags(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
    ) -> Result<Immutability, AppError> {
        let mut tx = self.store.read().await?;
        let seen = self
            .see_by_id(&mut tx, &caller.principal(), repository_id)
            .await?
            .with(Right::Pull)?;
        let found = find_terms(&mut tx, seen.facts.namespace_id, Some(repository_id)).await?;
        Ok(Immutability {
            own: found.repository,
            namespace: found.namespace,
        })
    }

    /// Decides which tags of a repository stay what they are. By whoever administers it; from the next token on.
    pub async fn set_immutable_tags(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        tags: ImmutableTags,
    ) -> Result<Immutability, AppError> {
        let mut tx = self.store.write().await?;
        let seen = self
            .see_by_id(&mut tx, &caller.principal(), repository_id)
            .await?
            .with(Right::Administer)?;
        super::repository::active(&seen.facts)?;
        let place = Place::Repository(repository_id);
        let before = find_immutable_tags(&mut tx, place).await?;
        put_immutable_tags(&mut tx, place, &tags).await?;
        let name = &seen.facts.name;
        let mut change = Change::new(AuditAction::RepositoryImmutable, TargetKind::Repository, name)
            .id(repository_id.as_i64())
            .before(told(&before))
            .after(told(&tags));
        if let Some(namespace) = &seen.surroundings.namespace {
            change = change.within(namespace);
        }
        self.audit(&mut tx, By::Caller(caller), change).await?;
        let namespace = find_immutable_tags(&mut tx, Place::Namespace(seen.facts.namespace_id)).await?;
        tx.commit().await?;
        Ok(Immutability { own: tags, namespace })
    }

    /// Which tags of every repository of a namespace stay what they are, for whoever administers it.
    pub async fn show_immutable_tags_of(
        &self,
        caller: &Caller,
        name: &NamespaceName,
    ) -> Result<ImmutableTags, AppError> {
        let mut tx = self.store.read().await?;
        let namespace = self.administered_namespace(&mut tx, caller, name).await?;
        Ok(find_immutable_tags(&mut tx, Place::Namespace(namespace.namespace_id)).await?)
    }

    /// Decides which tags of every repository of a namespace stay what they are. By whoever administers it.
    pub async fn set_immutable_tags_of(
        &self,
        caller: &Caller,
        name: &NamespaceName,
        tags: ImmutableTags,
    ) -> Result<ImmutableTags, AppError> {
        let mut tx = self.store.write().await?;
        let namespace = self.administered_namespace(&mut tx, caller, name).await?;
        let place = Place::Namespace(namespace.namespace_id);
        let before = find_immutable_tags(&mut tx, place).await?;
        put_immutable_tags(&mut tx, place, &tags).await?;
        let change = Change::new(AuditAction::NamespaceImmutable, TargetKind::Namespace, name)
            .id(namespace.namespace_id.as_i64())
            .within(&namespace)
            .before(told(&before))
            .after(told(&tags));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        Ok(tags)
    }

    /// What pushes to a repository, or to a name that has none yet, and deletions there keep to; with what the namespace may
    /// hold where something is pushed.
    pub(super) async fn terms(
        &self,
        tx: &mut Tx,
        namespace_id: NamespaceId,
        repository_id: Option<RepositoryId>,
        is_push: bool,
    ) -> Result<Terms, AppError> {
        let found = find_terms(tx, namespace_id, repository_id).await?;
        let quota = if is_push {
            self.quota_terms(tx, namespace_id, &found.quota).await?
        } else {
            None
        };
        Ok(Terms {
            repository: found.repository,
            namespace: found.namespace,
            quota,
        })
    }
}

/// What the audit log says of a rule.
fn told(tags: &ImmutableTags) -> serde_json::Value {
    let texts = |patterns: &[TagPattern]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({"tags": texts(tags.patterns()), "except": texts(tags.exceptions())})
}
