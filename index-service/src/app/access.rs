//! What a principal may do with a repository, by its name: facts from the store, and the decision about them.

use std::sync::Arc;

use shared::oci::RepositoryName;
use shared::token::access::Resource;
use shared::token::{AccessEntry, Action, Actions, TagLimits};

use super::App;
use super::error::AppError;
use super::explanation::Lack;
use crate::domain::{Decision, Principal, RepositoryFacts, RepositoryId, Right, Rights, decide};
use crate::store::Tx;
use crate::store::access::{Known, Surroundings, find_known, list_known_by_id};
use crate::store::repository::{self, Stored, find_stored};
use crate::token::Recipient;

/// The answer to one scope of a token request.
#[derive(Debug)]
pub(super) struct Answer {
    /// What the token says about the repository.
    pub(super) entry: AccessEntry,
    /// Whether the push that it grants needs the name reserved, or its reservation prolonged.
    pub(super) reserves: bool,
    /// What somebody who is signed in lacks of what was asked for.
    pub(super) lack: Option<Lack>,
}

impl App {
    /// What `principal` may do of `requested` with the repository that it calls `name`.
    pub(super) async fn decide(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        name: &RepositoryName,
        requested: Actions,
        recipient: Recipient,
    ) -> Result<Answer, AppError> {
        let known = find_known(tx, principal, name).await?;
        let (decision, repository) = self.judge(principal, &known, name, Rights::of_actions(requested));
        let actions = carried(&decision, recipient);
        let is_renewed = repository.is_some_and(|facts| self.is_renewal_due(facts));
        let missing = Rights::of_actions(requested)
            .iter()
            .filter(|right| !Rights::of_actions(actions).contains(*right))
            .collect::<Rights>();
        let lack = match recipient {
            Recipient::Own if !missing.is_empty() => self.lack(principal, &known, name, missing),
            Recipient::Own | Recipient::Foreign => None,
        };
        let mut answer = Answer {
            lack,
            reserves: actions.contains(Action::Push) && (decision.reserves || is_renewed),
            entry: AccessEntry {
                stored_as: repository.and_then(|facts| facts.stored_elsewhere(name).cloned()),
                push_tags: where_held(actions, Action::Push, decision.push_tags),
                delete_tags: where_held(actions, Action::Delete, decision.delete_tags),
                ..AccessEntry::new(Resource::Repository(name.clone()), actions)
            },
        };
        // Under the name itself the registry may keep what another repository holds, or held: a deleted one, or one that is
        // called otherwise by now.
        let may_be_anothers = match recipient {
            Recipient::Own => repository.is_none(),
            Recipient::Foreign => repository.is_none() || answer.entry.stored_as.is_some(),
        };
        if may_be_anothers && !actions.is_empty() && find_stored(tx, name).await? != Stored::Unknown {
            match recipient {
                Recipient::Own => answer.entry.stored_as = Some(nowhere()?),
                Recipient::Foreign => {
                    answer.reserves = false;
                    answer.entry = AccessEntry::new(Resource::Repository(name.clone()), Actions::NONE);
                }
            }
        }
        let namespace = known.surroundings.namespace.as_ref();
        if let Some(namespace) = namespace.filter(|_| changes(answer.entry.actions)) {
            let repository_id = repository.map(|facts| facts.repository_id);
            let is_push = answer.entry.actions.contains(Action::Push);
            let terms = self
                .terms(tx, namespace.namespace_id, repository_id, is_push)
                .await?;
            let is_full = terms.quota.as_ref().is_some_and(is_full);
            match recipient {
                Recipient::Own if terms.is_empty() => {}
                Recipient::Own => answer.entry.terms = Some(Arc::new(terms)),
                // A stock registry keeps to nothing of it.
                Recipient::Foreign if terms.keep_tags() || is_full => {
                    answer.entry.actions = answer.entry.actions.intersection(Actions::PULL);
                    answer.reserves = false;
                }
                Recipient::Foreign => {}
            }
        }
        Ok(answer)
    }

    /// The decision about a name and the repository that it is about. A name that has no repository and had one before can
    /// be pulled as that one, until a push is granted that takes the name.
    pub(super) fn judge<'a>(
        &self,
        principal: &Principal,
        known: &'a Known,
        name: &RepositoryName,
        requested: Rights,
    ) -> (Decision, Option<&'a RepositoryFacts>) {
        let now = self.clock.now_ms();
        let facts = known.surroundings.facts(known.repository.as_ref(), now);
        let decision = decide(principal, &facts, name, requested);
        if let Some((former, surroundings)) = &known.former
            && !decision.granted.contains(Right::Push)
        {
            let facts = surroundings.former_facts(former, now);
            return (decide(principal, &facts, name, requested), Some(former));
        }
        (decision, known.repository.as_ref())
    }
}

/// A repository that a principal may know of, and what it may do with it.
#[derive(Debug)]
pub(super) struct Seen {
    /// The repository.
    pub(super) facts: RepositoryFacts,
    /// Its namespace, and the principal's place there.
    pub(super) surroundings: Surroundings,
    /// Of every right those that the principal has.
    pub(super) decision: Decision,
}

impl Seen {
    /// What the principal may do.
    pub(super) fn rights(&self) -> Rights {
        self.decision.granted
    }

    /// The repository for whoever has a right on it; an error for everybody else.
    pub(super) fn with(self, right: Right) -> Result<Self, AppError> {
        if self.rights().contains(right) {
            return Ok(self);
        }
        Err(AppError::Forbidden(match right {
            Right::Administer => "this is for those who administer the repository",
            _ => "your rights on the repository do not reach this",
        }))
    }
}

/// Said of what there is not, and of what somebody may not know of.
pub(super) fn no_repository(name: &impl std::fmt::Display) -> AppError {
    AppError::NotFound(format!("there is no repository {name}"))
}

impl App {
    /// The repository of a name, present or former, if `principal` may know of it.
    pub(super) async fn see(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        name: &RepositoryName,
    ) -> Result<Seen, AppError> {
        let known = find_known(tx, principal, name).await?;
        let (facts, surroundings) = match (known.repository, known.former) {
            (Some(facts), _) => (facts, known.surroundings),
            (None, Some(former)) => former,
            (None, None) => return Err(no_repository(name)),
        };
        self.look_at(principal, facts, surroundings)
            .ok_or_else(|| no_repository(name))
    }

    /// The repository of an id, if `principal` may know of it.
    pub(super) async fn see_by_id(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        repository_id: RepositoryId,
    ) -> Result<Seen, AppError> {
        let missing = || AppError::NotFound("there is no such repository".to_owned());
        let facts = repository::find_repository_by_id(tx, repository_id)
            .await?
            .ok_or_else(missing)?;
        let surroundings = Surroundings::of_namespace(tx, principal, facts.namespace_id).await?;
        self.look_at(principal, facts, surroundings).ok_or_else(missing)
    }

    /// Those of the repositories of these ids that `principal` may know of, in no order: two statements for 64 of them.
    pub(super) async fn see_all(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        ids: &[RepositoryId],
    ) -> Result<Vec<Seen>, AppError> {
        let known = list_known_by_id(tx, principal, ids).await?;
        let seen = known
            .into_iter()
            .filter_map(|(facts, surroundings)| self.look_at(principal, facts, surroundings));
        Ok(seen.collect())
    }

    fn look_at(
        &self,
        principal: &Principal,
        facts: RepositoryFacts,
        surroundings: Surroundings,
    ) -> Option<Seen> {
        let around = surroundings.facts(Some(&facts), self.clock.now_ms());
        let decision = decide(principal, &around, &facts.name, Rights::ALL);
        (!decision.granted.is_empty()).then_some(Seen {
            facts,
            surroundings,
            decision,
        })
    }
}

/// A storage name that no repository has or will have: ids are not 0.
fn nowhere() -> Result<RepositoryName, AppError> {
    let name = RepositoryFacts::storage_name(RepositoryId::from_i64(0));
    name.map_err(|error| AppError::Internal(error.into()))
}

/// Whether any of the actions changes what a repository holds.
fn changes(actions: Actions) -> bool {
    [Action::Push, Action::Delete, Action::All]
        .into_iter()
        .any(|action| actions.contains(action))
}

/// Whether nothing more may be pushed.
fn is_full(quota: &shared::token::Quota) -> bool {
    let mut shares = [quota.bytes, quota.storage, quota.tags].into_iter().flatten();
    shares.any(|share| share.0 >= share.1)
}

/// Bounds of tags are said for an action that is carried alone.
fn where_held(actions: Actions, action: Action, limits: TagLimits) -> TagLimits {
    if actions.contains(action) {
        limits
    } else {
        TagLimits::EVERY
    }
}

/// What of a decision a token carries. A stock registry knows nothing of tags that are out of reach, so for one such rights
/// are left out.
fn carried(decision: &Decision, recipient: Recipient) -> Actions {
    let is_enforced = |action| match action {
        Action::Push => recipient == Recipient::Own || decision.push_tags.is_every(),
        Action::Delete => recipient == Recipient::Own || decision.delete_tags.is_every(),
        Action::Pull | Action::Search | Action::All => true,
    };
    decision
        .granted
        .actions()
        .iter()
        .filter(|action| is_enforced(*action))
        .collect()
}
