//! A tag points again to what it pointed to before.

use shared::token::TagLimits;
use shared::token::access::Action;

use super::{App, Changed, moved, parse_tag};
use crate::app::audit::{By, Change};
use crate::app::caller::Caller;
use crate::app::content::{load_holdings, no_registry, no_tag};
use crate::app::error::AppError;
use crate::domain::{AuditAction, RepositoryFacts, RepositoryId, Right, TargetKind};
use crate::registry_client::{RegistryClient, TagMust};
use crate::store::content_deletion::{self, ContentDeletion, DeletionState};
use crate::store::{Tx, content_feed};

/// Changes of a tag's history that are looked through.
const MOST_CHANGES: u32 = 10_000;
/// Deletions of a tag that are looked through.
const MOST_DELETIONS: u32 = 200;
/// Most signatures and the like that are restored with a tag.
const MOST_FOLLOWERS: u32 = 100;

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The manifest to which the tag points again.
    pub digest: String,
    /// Tags that are named after what it leads to, and were restored with it.
    pub with: Vec<String>,
}

impl App {
    /// Lets a tag point again to a manifest that it pointed to before: without `digest` a deleted tag to what it pointed to
    /// last. The registry must hold it still.
    pub async fn restore_tag(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        name: &str,
        digest: Option<&str>,
    ) -> Result<Restored, AppError> {
        let tag_name = parse_tag(name)?;
        let mut tx = self.store.read().await?;
        let seen = self.see_content(&mut tx, caller, repository_id).await?;
        let seen = seen.with(Right::Push)?;
        if !seen.decision.push_tags.allow(&tag_name) {
            return Err(AppError::Forbidden("your rights do not reach pushing this tag"));
        }
        let past = past_of(&mut tx, repository_id, name).await?;
        drop(tx);
        let registry = self.content_registry().ok_or_else(no_registry)?;
        let token = self.reading_token(&seen.facts)?;
        let current = registry.manifest(&seen.facts.name, name, &token, true).await?;
        let digest = match (digest, &current) {
            (Some(digest), _) if past.contains(&digest.to_owned()) => digest.to_owned(),
            (Some(digest), _) => {
                return Err(AppError::NotFound(format!(
                    "the tag {name} never pointed to {digest}"
                )));
            }
            (None, Some(_)) => {
                return Err(AppError::Conflict(format!(
                    "the tag {name} is there: say to which manifest of its history it shall point"
                )));
            }
            (None, None) => past.into_iter().next().ok_or_else(|| no_tag(name))?,
        };
        let must = match &current {
            Some(served) => TagMust::Be(&served.digest),
            None => TagMust::BeAbsent,
        };
        self.point(registry, caller, &seen.facts, (name, must), &digest)
            .await?;
        let with = self
            .restore_followers(registry, caller, &seen.facts, &digest)
            .await?;
        let mut tx = self.store.write().await?;
        for one in deletions_of(&mut tx, repository_id, name).await? {
            if one.state == DeletionState::Deleted && one.digest == digest {
                content_deletion::set_state(&mut tx, one.deletion_id, DeletionState::Restored, None).await?;
            }
        }
        let text = format!("{}:{name}", seen.facts.name);
        let before = current.map(|served| served.digest);
        let change = Change::new(AuditAction::TagRestore, TargetKind::Repository, &text)
            .id(repository_id.as_i64())
            .before(serde_json::json!({"digest": before}))
            .after(serde_json::json!({"digest": digest}));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        Ok(Restored { digest, with })
    }

    async fn point(
        &self,
        registry: &RegistryClient,
        caller: &Caller,
        facts: &RepositoryFacts,
        (name, must): (&str, TagMust<'_>),
        digest: &str,
    ) -> Result<(), AppError> {
        let gone = || AppError::Conflict(format!("the registry does not hold {digest} any more"));
        let token = self.reading_token(facts)?;
        let manifest = registry.manifest(&facts.name, digest, &token, false).await?;
        let manifest = manifest.ok_or_else(gone)?;
        let token = self
            .changing_token(facts, Action::Push, TagLimits::EVERY, Some(&caller.login))
            .await?;
        match registry
            .put_tag(&facts.name, name, manifest, must, &token)
            .await?
        {
            Changed::Done => Ok(()),
            Changed::Moved => Err(moved(name)),
            Changed::Refused(status) if status.as_u16() == 403 => Err(AppError::Forbidden(
                "the registry refuses: a rule protects the tag",
            )),
            // The manifest, or something that it consists of.
            Changed::Absent | Changed::Refused(_) => Err(gone()),
        }
    }

    /// Restores the tags that were deleted with a manifest, since they are named after it or after what it leads to.
    async fn restore_followers(
        &self,
        registry: &RegistryClient,
        caller: &Caller,
        facts: &RepositoryFacts,
        digest: &str,
    ) -> Result<Vec<String>, AppError> {
        let mut tx = self.store.read().await?;
        let from = ("sha256-", "sha256.");
        let followers =
            content_deletion::list_deletions_of_tags(&mut tx, facts.repository_id, from, MOST_FOLLOWERS)
                .await?;
        if followers.is_empty() {
            return Ok(Vec::new());
        }
        let holdings = load_holdings(&mut tx, facts.repository_id).await?;
        drop(tx);
        let reached = holdings.graph.reach([digest]);
        let mut with = Vec::new();
        for one in followers {
            let Some(name) = one.tag.clone().filter(|_| one.state == DeletionState::Deleted) else {
                continue;
            };
            let subject = crate::domain::retention::subject_of_tag(&name);
            if !subject.is_some_and(|subject| reached.contains(subject.as_str())) || with.contains(&name) {
                continue;
            }
            let pointed = self
                .point(registry, caller, facts, (&name, TagMust::BeAbsent), &one.digest)
                .await;
            match pointed {
                Ok(()) => {
                    let mut tx = self.store.write().await?;
                    let state = DeletionState::Restored;
                    content_deletion::set_state(&mut tx, one.deletion_id, state, None).await?;
                    tx.commit().await?;
                    with.push(name);
                }
                // The tag itself is restored; what cannot be stays in the list.
                Err(AppError::Conflict(_) | AppError::Forbidden(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(with)
    }
}

async fn deletions_of(
    tx: &mut Tx,
    repository_id: RepositoryId,
    name: &str,
) -> Result<Vec<ContentDeletion>, AppError> {
    // Behind a text and before all longer ones that begin with it; no tag holds a NUL.
    let behind = format!("{name}\u{1}");
    Ok(content_deletion::list_deletions_of_tags(tx, repository_id, (name, &behind), MOST_DELETIONS).await?)
}

/// The manifests that a tag pointed to, the last first.
async fn past_of(tx: &mut Tx, repository_id: RepositoryId, name: &str) -> Result<Vec<String>, AppError> {
    let mut past: Vec<String> = Vec::new();
    let mut note = |digest: Option<String>| {
        if let Some(digest) = digest.filter(|digest| !past.contains(digest)) {
            past.push(digest);
        }
    };
    // What was deleted a moment ago is not in the history yet.
    for one in deletions_of(tx, repository_id, name).await? {
        if one.state == DeletionState::Deleted {
            note(Some(one.digest));
            break;
        }
    }
    for change in content_feed::list_tag_changes(tx, repository_id, name, i64::MAX, MOST_CHANGES).await? {
        note(change.digest_after);
        note(change.digest_before);
    }
    for one in deletions_of(tx, repository_id, name).await? {
        note(Some(one.digest));
    }
    Ok(past)
}
