//! Renaming a repository, in its namespace or into another: content, permission and history stay with it.

use serde_json::json;
use shared::oci::RepositoryName;

use super::App;
use super::access::Seen;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use crate::domain::rule::{ListedRule, MAX_RULES};
use crate::domain::webhook::Facts;
use crate::domain::{
    AuditAction, EventKind, NamespaceFacts, NamespaceName, RepositoryFacts, RepositoryId, Right, Rights,
    Subject, Target, TargetKind, decide,
};
use crate::store::access::Surroundings;
use crate::store::{Tx, namespace, repository, rule};

/// What another name means for a repository.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// The repository; under the new name once it has that.
    pub repository: RepositoryFacts,
    /// The name from before, which goes on for pulls until another repository takes it.
    pub former_name: RepositoryName,
    /// Rules about it that stay behind with their teams, members and robots.
    pub dropped_rules: Vec<ListedRule>,
    /// Rules of patterns that reached it and reach its new name no more.
    pub left_patterns: Vec<ListedRule>,
}

const NOT_THERE: AppError =
    AppError::Forbidden("a repository gets names only where its owner may administer repositories");

impl App {
    /// Gives a repository another name. Whoever does administers it, and repositories of the new name; into another
    /// namespace, that namespace. With `is_rehearsal` nothing changes.
    pub async fn transfer_repository(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        name: &RepositoryName,
        is_rehearsal: bool,
    ) -> Result<Transfer, AppError> {
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let seen = self
            .see_by_id(&mut tx, &caller.principal(), repository_id)
            .await?
            .with(Right::Administer)?;
        let before = seen.facts.clone();
        if before.name == *name {
            return Err(AppError::Invalid(
                "the repository has this name already".to_owned(),
            ));
        }
        super::repository::active(&before)?;
        let target = self.target(&mut tx, caller, &seen, name).await?;
        if repository::find_repository(&mut tx, name).await?.is_some() {
            return Err(AppError::Conflict(format!("the name {name} is taken")));
        }
        let mut transfer = left_behind(&mut tx, &before, name, &target).await?;
        if is_rehearsal {
            return Ok(transfer);
        }
        let listeners = self.listeners(&mut tx, repository_id).await?;
        if target.namespace_id != before.namespace_id {
            self.check_repositories(&mut tx, &target).await?;
        }
        if !repository::rename_repository(&mut tx, repository_id, name, target.namespace_id).await? {
            return Err(AppError::Conflict("the repository changed meanwhile".to_owned()));
        }
        repository::remove_alias(&mut tx, name).await?;
        repository::put_alias(&mut tx, &before.name, repository_id, now).await?;
        let is_transfer = target.namespace_id != before.namespace_id;
        if is_transfer {
            rule::transfer_rules(&mut tx, repository_id, target.namespace_id).await?;
        }
        let action = if is_transfer {
            AuditAction::RepositoryTransfer
        } else {
            AuditAction::RepositoryRename
        };
        let told = |namespace: &NamespaceFacts| {
            Change::new(action, TargetKind::Repository, name)
                .id(repository_id.as_i64())
                .within(namespace)
                .before(json!({"name": before.name.as_str()}))
                .after(json!({"name": name.as_str()}))
        };
        self.audit(&mut tx, By::Caller(caller), told(&target)).await?;
        // Owners of the namespace that it left read of it as well.
        if let Some(source) = seen.surroundings.namespace.as_ref().filter(|_| is_transfer) {
            self.audit(&mut tx, By::Caller(caller), told(source)).await?;
        }
        if let Some(facts) = repository::find_repository_by_id(&mut tx, repository_id).await? {
            transfer.repository = facts;
        }
        // Those of the namespace that it left are told as well.
        let listeners = listeners.and(self.listeners(&mut tx, repository_id).await?);
        let facts = Facts {
            name_before: Some(before.name.to_string()),
            ..Facts::about(repository_id, name, now, &caller.name())
        };
        self.tell_all(&mut tx, &listeners, &[(EventKind::RepositoryRenamed, facts)])
            .await?;
        tx.commit().await?;
        self.forget_shelves();
        Ok(transfer)
    }

    /// The namespace of the new name, when the caller may administer a repository of that name there.
    async fn target(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        seen: &Seen,
        name: &RepositoryName,
    ) -> Result<NamespaceFacts, AppError> {
        // Whether there is such a namespace is nobody's business who does not administer it.
        let target = namespace::find_namespace(tx, &NamespaceName::from(name))
            .await?
            .ok_or(NOT_THERE)?;
        let rights = if target.namespace_id == seen.facts.namespace_id {
            let principal = caller.principal();
            let around = Surroundings::of_namespace(tx, &principal, target.namespace_id).await?;
            let facts = around.facts(None, self.clock.now_ms());
            decide(&principal, &facts, name, Rights::ALL).granted
        } else {
            self.rights_in(tx, caller, &target).await?
        };
        if rights.contains(Right::Administer) {
            return Ok(target);
        }
        Err(NOT_THERE)
    }
}

/// Which rules do not come along.
async fn left_behind(
    tx: &mut Tx,
    before: &RepositoryFacts,
    name: &RepositoryName,
    target: &NamespaceFacts,
) -> Result<Transfer, AppError> {
    let is_transfer = target.namespace_id != before.namespace_id;
    let mut transfer = Transfer {
        repository: before.clone(),
        former_name: before.name.clone(),
        dropped_rules: Vec::new(),
        left_patterns: Vec::new(),
    };
    for listed in rule::list_rules_in(tx, before.namespace_id, MAX_RULES).await? {
        match &listed.rule.target {
            Target::Repository(id) if *id == before.repository_id => {
                let is_foreign = matches!(
                    listed.rule.subject,
                    Subject::Team(_) | Subject::Members | Subject::Robot(_)
                );
                if is_transfer && is_foreign {
                    transfer.dropped_rules.push(listed);
                }
            }
            Target::Pattern(pattern)
                if pattern.matches(&before.name) && (is_transfer || !pattern.matches(name)) =>
            {
                transfer.left_patterns.push(listed);
            }
            Target::Repository(_) | Target::Pattern(_) => {}
        }
    }
    transfer.dropped_rules.sort_by_key(|listed| listed.rule.rule_id);
    transfer.left_patterns.sort_by_key(|listed| listed.rule.rule_id);
    Ok(transfer)
}
