//! Tags deleted through the index, and brought back: what a tag pointed to stays in the registry for as long as a deleted
//! repository does, then it goes.

mod purge;
mod restore;

pub(super) use purge::not_read;
pub use restore::Restored;

use std::sync::Arc;

use shared::oci::Tag;
use shared::token::access::Action;
use shared::token::{Actions, TagLimits, TagSet};

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::content::{Holdings, no_registry, no_tag};
use super::error::AppError;
use super::login::Login;
use crate::domain::retention::subject_of_tag;
use crate::domain::{AuditAction, DeletionId, RepositoryFacts, RepositoryId, Right, RunId, TargetKind};
use crate::registry_client::{Changed, RegistryClient};
use crate::store::content_deletion::{self, ContentDeletion, DeletionState};
use crate::store::tag;

/// Rows as they are shown.
pub mod shown {
    pub use crate::store::content_deletion::{ContentDeletion, DeletionState};
}

/// On whose behalf content is deleted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Behalf<'a> {
    Login(&'a Login),
    Run(RunId),
    Service,
}

/// A tag that is to go.
#[derive(Debug, Clone)]
pub(super) struct Doomed {
    pub(super) tag: String,
    pub(super) digest: String,
    pub(super) rule: Option<i64>,
    pub(super) pushed_at: Option<i64>,
    pub(super) pulled_at: Option<i64>,
}

/// A tag by its name; what is none, no repository has.
pub(super) fn parse_tag(text: &str) -> Result<Tag, AppError> {
    text.parse().map_err(|_| no_tag(text))
}

impl App {
    /// Deletes a tag; says until when it can be restored. With `expected`, only while it points to this manifest.
    pub async fn delete_tag(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        name: &str,
        expected: Option<&str>,
    ) -> Result<ContentDeletion, AppError> {
        let tag_name = parse_tag(name)?;
        let mut tx = self.store.read().await?;
        let seen = self.see_content(&mut tx, caller, repository_id).await?;
        let seen = seen.with(Right::Delete)?;
        if !seen.decision.delete_tags.allow(&tag_name) {
            return Err(AppError::Forbidden("your rights do not reach deleting this tag"));
        }
        let known = tag::find_pointer(&mut tx, repository_id, name).await?;
        drop(tx);
        let known = known.ok_or_else(|| no_tag(name))?;
        if expected.is_some_and(|digest| digest != known.digest) {
            return Err(moved(name));
        }
        let registry = self.content_registry().ok_or_else(no_registry)?;
        let doomed = Doomed {
            tag: name.to_owned(),
            digest: known.digest,
            rule: None,
            pushed_at: Some(known.updated_at),
            pulled_at: None,
        };
        let behalf = Behalf::Login(&caller.login);
        let done = self
            .delete_tags(registry, &seen.facts, behalf, vec![doomed])
            .await?;
        let (deletion, changed) = done.into_iter().next().ok_or_else(|| no_tag(name))?;
        match changed {
            Changed::Done => {}
            Changed::Absent => return Err(no_tag(name)),
            Changed::Moved => return Err(moved(name)),
            Changed::Refused(status) => return Err(refused(status.as_u16())),
        }
        let mut tx = self.store.write().await?;
        let text = format!("{}:{name}", seen.facts.name);
        let change = Change::new(AuditAction::TagDelete, TargetKind::Repository, &text)
            .id(repository_id.as_i64())
            .before(serde_json::json!({"digest": deletion.digest}));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        Ok(deletion)
    }

    /// At most `limit` deleted tags of a repository that can be restored, the last deleted first, those before `before`.
    pub async fn list_deleted_tags(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        before: DeletionId,
        limit: u32,
    ) -> Result<Vec<ContentDeletion>, AppError> {
        let mut tx = self.store.read().await?;
        self.see_content(&mut tx, caller, repository_id).await?;
        Ok(content_deletion::list_deleted_tags(&mut tx, repository_id, before, limit).await?)
    }

    /// Has tags deleted, each as long as it points where it did. It is written down before that they are to go, so that whoever
    /// is killed meanwhile, or another, knows what to look for.
    pub(super) async fn delete_tags(
        &self,
        registry: &RegistryClient,
        facts: &RepositoryFacts,
        behalf: Behalf<'_>,
        doomed: Vec<Doomed>,
    ) -> Result<Vec<(ContentDeletion, Changed)>, AppError> {
        let now = self.clock.now_ms();
        let (deleted_by, run_id) = match behalf {
            Behalf::Login(login) => (Some(login.subject()), None),
            Behalf::Run(run_id) => (None, Some(run_id)),
            Behalf::Service => (None, None),
        };
        let mut wanted = Vec::with_capacity(doomed.len());
        let mut tx = self.store.write().await?;
        for one in doomed {
            let deletion = ContentDeletion {
                deletion_id: self.new_id(DeletionId::new),
                repository_id: facts.repository_id,
                tag: Some(one.tag),
                digest: one.digest,
                state: DeletionState::Pending,
                deleted_at: now,
                deleted_by: deleted_by.clone(),
                run_id,
                rule: one.rule,
                pushed_at: one.pushed_at,
                pulled_at: one.pulled_at,
                purge_after: Some(now.saturating_add(self.current().restore_delay_ms)),
            };
            content_deletion::add_deletion(&mut tx, &deletion).await?;
            wanted.push(deletion);
        }
        tx.commit().await?;
        let mut done = Vec::with_capacity(wanted.len());
        let mut failure = None;
        for mut deletion in wanted {
            if failure.is_some() {
                deletion.state = DeletionState::Kept;
                done.push((deletion, Changed::Moved));
                continue;
            }
            match self.ask_to_delete(registry, facts, behalf, &deletion).await {
                Ok(changed) => {
                    deletion.state = match changed {
                        Changed::Done => DeletionState::Deleted,
                        Changed::Absent | Changed::Moved | Changed::Refused(_) => DeletionState::Kept,
                    };
                    done.push((deletion, changed));
                }
                // Whether this one went is not known; it stays written down as wanted.
                Err(error) => failure = Some(error),
            }
        }
        let mut tx = self.store.write().await?;
        for (deletion, _) in &mut done {
            if deletion.state == DeletionState::Kept {
                deletion.purge_after = None;
            }
            content_deletion::set_state(
                &mut tx,
                deletion.deletion_id,
                deletion.state,
                deletion.purge_after,
            )
            .await?;
        }
        tx.commit().await?;
        match failure {
            Some(error) => Err(error),
            None => Ok(done),
        }
    }

    async fn ask_to_delete(
        &self,
        registry: &RegistryClient,
        facts: &RepositoryFacts,
        behalf: Behalf<'_>,
        deletion: &ContentDeletion,
    ) -> Result<Changed, AppError> {
        let tag = deletion.tag.as_deref().unwrap_or_default();
        let login = match behalf {
            Behalf::Login(login) => Some(login),
            Behalf::Run(_) | Behalf::Service => None,
        };
        let token = self
            .changing_token(facts, Action::Delete, TagLimits::EVERY, login)
            .await?;
        Ok(registry
            .delete_tag(&facts.name, tag, &deletion.digest, &token)
            .await?)
    }

    /// Has a manifest deleted that no tag points to: the registry keeps it where one does.
    pub(super) async fn delete_loose(
        &self,
        registry: &RegistryClient,
        facts: &RepositoryFacts,
        digest: &str,
    ) -> Result<Changed, AppError> {
        let no_tag = TagLimits::EVERY.within(TagSet::none());
        let token = self.changing_token(facts, Action::Delete, no_tag, None).await?;
        Ok(registry.delete_manifest(&facts.name, digest, &token).await?)
    }

    /// Has the tags deleted that are named after manifests which are gone; says how many.
    pub(super) async fn delete_followers(
        &self,
        registry: &RegistryClient,
        facts: &RepositoryFacts,
        (holdings, gone): (&Holdings, &[String]),
        behalf: Behalf<'_>,
    ) -> Result<i64, AppError> {
        let is_gone = |subject: String| gone.contains(&subject);
        let tags = holdings.tags.iter();
        let followers = tags.filter(|tag| subject_of_tag(&tag.name).is_some_and(is_gone));
        let doomed: Vec<Doomed> = followers
            .map(|tag| Doomed {
                tag: tag.name.clone(),
                digest: tag.digest.clone(),
                rule: None,
                pushed_at: Some(tag.pushed_at),
                pulled_at: tag.pulled_at,
            })
            .collect();
        if doomed.is_empty() {
            return Ok(0);
        }
        let done = self.delete_tags(registry, facts, behalf, doomed).await?;
        let gone = done.iter().filter(|(_, changed)| *changed == Changed::Done);
        Ok(i64::try_from(gone.count()).unwrap_or(i64::MAX))
    }

    /// With what the repository keeps to: neither a policy nor its owner deletes a tag that stays what it is.
    async fn changing_token(
        &self,
        facts: &RepositoryFacts,
        action: Action,
        delete_tags: TagLimits,
        login: Option<&Login>,
    ) -> Result<String, AppError> {
        let service = self.settings.token.services.first();
        let service = service.ok_or_else(|| AppError::Internal("there is no registry".into()))?;
        let mut tx = self.store.read().await?;
        let terms = self
            .terms(&mut tx, facts.namespace_id, Some(facts.repository_id), false)
            .await?;
        drop(tx);
        let terms = (!terms.is_empty()).then(|| Arc::new(terms));
        let actions = Actions::PULL.with(action);
        self.content_token(service, facts, (actions, delete_tags), terms, login)
    }
}

fn moved(tag: &str) -> AppError {
    AppError::Conflict(format!("the tag {tag} points elsewhere by now: look again"))
}

fn refused(status: u16) -> AppError {
    AppError::Conflict(match status {
        405 => "the registry deletes nothing: its configuration does not allow it (storage.delete.enabled)"
            .to_owned(),
        403 => "the registry refuses: a rule protects the tag".to_owned(),
        other => format!("the registry refuses with {other}"),
    })
}

#[cfg(test)]
mod tests;
