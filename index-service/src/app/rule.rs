//! Rules: who gives whom what on which repositories.

use serde_json::json;
use shared::oci::RepositoryName;
use shared::token::{TagLimits, TagSet};

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use super::notice::News;
use crate::domain::rule::{InvalidRule, ListedRule, MAX_RULES, MAX_RULES_OF_SUBJECT};
use crate::domain::{
    AuditAction, Grant, NamespaceFacts, NamespaceName, NamespaceOwner, NoticeKind, RepositoryPattern, Right,
    Rights, RobotName, Rule, RuleId, Subject, Target, TargetKind, Username,
};
use crate::store::access::Surroundings;
use crate::store::{Tx, account, namespace, organisation, robot, rule, team};

/// Whom a rule shall be about, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectName {
    /// An account.
    Account(String),
    /// A team of the namespace's organisation.
    Team(String),
    /// A robot, as `namespace+name`.
    Robot(String),
    /// Owners, managers and members of the namespace's organisation.
    Members,
    /// Every account of the site.
    SignedIn,
    /// Everybody.
    Anyone,
}

/// Which repositories a rule shall reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetName {
    /// One.
    Repository(RepositoryName),
    /// Those of a pattern in one namespace.
    Pattern(RepositoryPattern),
}

/// A rule that somebody wants.
#[derive(Debug, Clone)]
pub struct RuleWish {
    /// Whom it shall be about.
    pub subject: SubjectName,
    /// Which repositories it shall reach.
    pub target: TargetName,
    /// What it shall give.
    pub grant: Grant,
}

/// Which rules are listed.
#[derive(Debug, Clone)]
pub enum RuleScope {
    /// Those about one repository.
    Repository(RepositoryName),
    /// Those of a namespace.
    Namespace(NamespaceName),
    /// Those about the caller's account, wherever they are.
    Own,
}

/// What somebody may give away.
struct Authority {
    namespace: NamespaceFacts,
    rights: Rights,
    push_tags: TagLimits,
    delete_tags: TagLimits,
}

impl Authority {
    /// Whether everything that the grant gives is the giver's own.
    fn holds(&self, grant: &Grant) -> bool {
        self.rights.covers(grant.rights)
            && (!grant.rights.contains(Right::Push) || are_within(&grant.push_tags, &self.push_tags))
            && (!grant.rights.contains(Right::Delete) || are_within(&grant.delete_tags, &self.delete_tags))
    }
}

/// Whether each bound holds each pattern, as it is written: what is narrower in other words is refused, never let through.
fn are_within(tags: &TagSet, limits: &TagLimits) -> bool {
    match tags {
        TagSet::Every => limits.is_every(),
        TagSet::Only(patterns) => limits
            .bounds()
            .iter()
            .all(|bound| patterns.iter().all(|pattern| bound.contains(pattern))),
    }
}

const NOT_YOURS: AppError =
    AppError::Forbidden("rules are made by those who administer the repository, or the namespace");

impl From<InvalidRule> for AppError {
    fn from(error: InvalidRule) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl App {
    /// Makes a rule. Whoever does needs to administer what it reaches, and gives no more than they hold.
    pub async fn create_rule(&self, caller: &Caller, wish: &RuleWish) -> Result<ListedRule, AppError> {
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let (target, authority) = self.authority(&mut tx, caller, &wish.target).await?;
        let namespace = &authority.namespace;
        if let (NamespaceOwner::Organisation(id), SubjectName::Account(_)) = (namespace.owner, &wish.subject)
        {
            organisation::lock_organisation(&mut tx, id).await?;
        }
        // Rules are counted before one is added.
        namespace::lock_namespace(&mut tx, namespace.namespace_id).await?;
        let subject = find_subject(&mut tx, namespace, &wish.subject).await?;
        if let (NamespaceOwner::Organisation(id), Subject::Account(account_id)) = (namespace.owner, subject) {
            // Else the rule would go with what is left of a time as a guest.
            self.end_guest(&mut tx, id, account_id).await?;
        }
        let is_of_organisation = matches!(namespace.owner, NamespaceOwner::Organisation(_));
        wish.grant.check(subject, is_of_organisation, now)?;
        if !authority.holds(&wish.grant) {
            return Err(TOO_MUCH);
        }
        if rule::has_rule_about(&mut tx, namespace.namespace_id, subject, &target).await? {
            return Err(AppError::Conflict(
                "there is a rule about this subject and these repositories already: change that one"
                    .to_owned(),
            ));
        }
        let (all, own) = rule::count_rules(&mut tx, namespace.namespace_id, subject).await?;
        if all >= MAX_RULES || own >= MAX_RULES_OF_SUBJECT {
            return Err(AppError::Conflict(format!(
                "a namespace has at most {MAX_RULES} rules, and {MAX_RULES_OF_SUBJECT} about one subject: use a pattern or a team",
            )));
        }
        let new = Rule {
            rule_id: self.new_id(RuleId::new),
            namespace_id: namespace.namespace_id,
            subject,
            target,
            rights: wish.grant.rights,
            push_tags: wish.grant.push_tags.clone(),
            delete_tags: wish.grant.delete_tags.clone(),
            expires_at: wish.grant.expires_at,
        };
        rule::create_rule(&mut tx, &new, caller.principal().account_id(), now).await?;
        let made = found(rule::find_rule(&mut tx, new.rule_id).await?)?;
        let change = change(AuditAction::RuleCreate, &made, namespace).after(told(&made));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        if let Subject::Account(account_id) = subject {
            let news = News {
                kind: NoticeKind::Collaborator,
                subject: &target_text(&made),
                subject_id: Some(made.rule.rule_id.as_i64()),
                actor: caller.principal().account_id(),
                detail: &made.rule.rights.to_string(),
            };
            self.notify(&mut tx, [account_id], news).await?;
        }
        tx.commit().await?;
        Ok(made)
    }

    /// A rule, for those who administer what it reaches, and for whom it is about.
    pub async fn find_rule(&self, caller: &Caller, rule_id: RuleId) -> Result<ListedRule, AppError> {
        let mut tx = self.store.read().await?;
        let listed = found(rule::find_rule(&mut tx, rule_id).await?)?;
        if is_about(caller, &listed) {
            return Ok(listed);
        }
        match self.authority(&mut tx, caller, &target_name(&listed)?).await {
            Ok(_) => Ok(listed),
            Err(AppError::Forbidden(_)) => Err(no_rule()),
            Err(error) => Err(error),
        }
    }

    /// Lets a rule give something else.
    pub async fn change_rule(
        &self,
        caller: &Caller,
        rule_id: RuleId,
        edit: impl FnOnce(&mut Grant),
    ) -> Result<ListedRule, AppError> {
        let mut tx = self.store.write().await?;
        let (before, authority) = self.administered(&mut tx, caller, rule_id).await?;
        let mut grant = before.rule.grant();
        edit(&mut grant);
        let is_of_organisation = matches!(authority.namespace.owner, NamespaceOwner::Organisation(_));
        grant.check(before.rule.subject, is_of_organisation, self.clock.now_ms())?;
        if !authority.holds(&grant) {
            return Err(TOO_MUCH);
        }
        rule::change_rule(&mut tx, rule_id, &grant).await?;
        let after = found(rule::find_rule(&mut tx, rule_id).await?)?;
        let change = change(AuditAction::RuleUpdate, &after, &authority.namespace)
            .before(told(&before))
            .after(told(&after));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Removes a rule.
    pub async fn remove_rule(&self, caller: &Caller, rule_id: RuleId) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let (listed, authority) = self.administered(&mut tx, caller, rule_id).await?;
        rule::remove_rule(&mut tx, rule_id).await?;
        let change = change(AuditAction::RuleDelete, &listed, &authority.namespace).before(told(&listed));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        Ok(tx.commit().await?)
    }

    /// At most `limit` rules behind `after`, in the order of their ids. Whoever administers what they are about sees all,
    /// others those about themselves.
    pub async fn list_rules(
        &self,
        caller: &Caller,
        scope: &RuleScope,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ListedRule>, AppError> {
        let mut tx = self.store.read().await?;
        let (namespace_id, repository_id, is_administered) = match scope {
            RuleScope::Own => {
                let subject = Subject::Account(caller.account()?.account_id);
                return Ok(rule::list_rules_about_subject(&mut tx, subject, after, limit).await?);
            }
            RuleScope::Repository(name) => {
                let seen = self.see(&mut tx, &caller.principal(), name).await?;
                (
                    seen.facts.namespace_id,
                    Some(seen.facts.repository_id),
                    seen.rights().contains(Right::Administer),
                )
            }
            RuleScope::Namespace(name) => {
                let Some(namespace) = namespace::find_namespace(&mut tx, name).await? else {
                    return Ok(Vec::new());
                };
                let rights = self.rights_in(&mut tx, caller, &namespace).await?;
                (namespace.namespace_id, None, rights.contains(Right::Administer))
            }
        };
        let mut listed = rule::list_rules_in(&mut tx, namespace_id, MAX_RULES).await?;
        listed.retain(|listed| {
            let is_of_scope = repository_id.is_none_or(|id| listed.rule.target == Target::Repository(id));
            is_of_scope
                && listed.rule.rule_id.as_i64() > after
                && (is_administered || is_about(caller, listed))
        });
        listed.sort_by_key(|listed| listed.rule.rule_id);
        listed.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(listed)
    }

    /// A rule that the caller may change or remove.
    async fn administered(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        rule_id: RuleId,
    ) -> Result<(ListedRule, Authority), AppError> {
        let listed = found(rule::find_rule(tx, rule_id).await?)?;
        match self.authority(tx, caller, &target_name(&listed)?).await {
            Ok((_, authority)) => Ok((listed, authority)),
            // Those about whom it is know of it.
            Err(AppError::Forbidden(_)) if !is_about(caller, &listed) => Err(no_rule()),
            Err(error) => Err(error),
        }
    }

    /// What the caller may give away on a target; an error when they do not administer it.
    async fn authority(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        target: &TargetName,
    ) -> Result<(Target, Authority), AppError> {
        let (target, authority) = match target {
            TargetName::Repository(name) => {
                let seen = self.see(tx, &caller.principal(), name).await?;
                let namespace = seen.surroundings.namespace.ok_or(NOT_YOURS)?;
                let authority = Authority {
                    namespace,
                    rights: seen.decision.granted,
                    push_tags: seen.decision.push_tags,
                    delete_tags: seen.decision.delete_tags,
                };
                (Target::Repository(seen.facts.repository_id), authority)
            }
            TargetName::Pattern(pattern) => {
                let name = pattern.namespace().ok_or(InvalidRule::Elsewhere)?;
                let name: NamespaceName = name.parse().map_err(|_| InvalidRule::Elsewhere)?;
                // Whether there is such a namespace is nobody's business who does not administer it.
                let namespace = namespace::find_namespace(tx, &name).await?.ok_or(NOT_YOURS)?;
                let rights = self.rights_in(tx, caller, &namespace).await?;
                let authority = Authority {
                    namespace,
                    rights,
                    push_tags: TagLimits::EVERY,
                    delete_tags: TagLimits::EVERY,
                };
                (Target::Pattern(pattern.clone()), authority)
            }
        };
        if !authority.rights.contains(Right::Administer) {
            return Err(NOT_YOURS);
        }
        Ok((target, authority))
    }

    /// What the caller may do with every repository of a namespace.
    pub(super) async fn rights_in(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        namespace: &NamespaceFacts,
    ) -> Result<Rights, AppError> {
        let principal = caller.principal();
        let around = Surroundings::of_namespace(tx, &principal, namespace.namespace_id).await?;
        let facts = around.facts(None, self.clock.now_ms());
        Ok(crate::domain::decide_namespace(&principal, &facts))
    }
}

const TOO_MUCH: AppError = AppError::Forbidden(
    "nobody gives more than they hold themselves: the rule has a right, or tags, that your credential does not reach",
);

/// The rows that a subject's name stands for.
async fn find_subject(
    tx: &mut Tx,
    namespace: &NamespaceFacts,
    name: &SubjectName,
) -> Result<Subject, AppError> {
    Ok(match name {
        SubjectName::Account(name) => {
            let missing = || AppError::NotFound(format!("there is no account {name}"));
            let username: Username = name.parse().map_err(|_| missing())?;
            let account = account::find_account(tx, &username).await?.ok_or_else(missing)?;
            Subject::Account(account.account_id)
        }
        SubjectName::Team(name) => {
            let NamespaceOwner::Organisation(organisation_id) = namespace.owner else {
                return Err(InvalidRule::NoOrganisation.into());
            };
            let missing = || AppError::NotFound(format!("{} has no team {name}", namespace.name));
            // With the organisation before it as well: acme/dev.
            let own = name
                .strip_prefix(namespace.name.as_str())
                .and_then(|rest| rest.strip_prefix('/'));
            let parsed: NamespaceName = own.unwrap_or(name).parse().map_err(|_| missing())?;
            let team = team::find_team(tx, organisation_id, &parsed)
                .await?
                .ok_or_else(missing)?;
            Subject::Team(team.team_id)
        }
        SubjectName::Robot(name) => {
            let missing = || AppError::NotFound(format!("there is no robot {name}"));
            let (owner, part) = name.split_once('+').ok_or_else(missing)?;
            let owner: NamespaceName = owner.to_ascii_lowercase().parse().map_err(|_| missing())?;
            let part: RobotName = part.parse().map_err(|_| missing())?;
            let found = robot::find_robot_by_name(tx, &owner, &part)
                .await?
                .ok_or_else(missing)?;
            Subject::Robot(found.robot_id)
        }
        SubjectName::Members => Subject::Members,
        SubjectName::SignedIn => Subject::SignedIn,
        SubjectName::Anyone => Subject::Anyone,
    })
}

fn is_about(caller: &Caller, listed: &ListedRule) -> bool {
    caller
        .principal()
        .account_id()
        .is_some_and(|id| listed.rule.subject == Subject::Account(id))
}

fn no_rule() -> AppError {
    AppError::NotFound("there is no such rule".to_owned())
}

fn found(listed: Option<ListedRule>) -> Result<ListedRule, AppError> {
    listed.ok_or_else(no_rule)
}

fn target_name(listed: &ListedRule) -> Result<TargetName, AppError> {
    match (&listed.rule.target, &listed.repository) {
        (Target::Pattern(pattern), _) => Ok(TargetName::Pattern(pattern.clone())),
        (Target::Repository(_), Some(name)) => Ok(TargetName::Repository(name.clone())),
        (Target::Repository(_), None) => Err(no_rule()),
    }
}

/// What a rule reaches, as people write it.
fn target_text(listed: &ListedRule) -> String {
    match (&listed.rule.target, &listed.repository) {
        (Target::Pattern(pattern), _) => pattern.to_string(),
        (_, Some(name)) => name.to_string(),
        _ => String::new(),
    }
}

fn change(action: AuditAction, listed: &ListedRule, namespace: &NamespaceFacts) -> Change {
    Change::new(action, TargetKind::Rule, &target_text(listed))
        .id(listed.rule.rule_id.as_i64())
        .within(namespace)
}

/// What the audit log says of a rule.
fn told(listed: &ListedRule) -> serde_json::Value {
    let (kind, id) = listed.rule.subject.to_parts();
    json!({
        "subject_kind": kind,
        "subject_id": id.to_string(),
        "subject": listed.subject_name,
        "rights": listed.rule.rights.to_string(),
        "push_tags": listed.rule.push_tags.to_text(),
        "delete_tags": listed.rule.delete_tags.to_text(),
        "expires_at": listed.rule.expires_at,
    })
}
