//! The one decision: what a principal may do with a repository.
//!
//! What it *holds* now comes from owning the namespace, from a role in its organisation, from rules and from the
//! repository's visibility. Its credential *narrows* that and never adds to it. Both halves are kept, so that
//! [`super::explanation`] can say where an answer came from.

use shared::oci::RepositoryName;
use shared::token::{Action, Actions, TagLimits, TagSet};

use super::ceiling::Ceiling;
use super::id::{AccountId, NamespaceId, RobotId, RuleId};
use super::namespace::{NamespaceFacts, NamespaceOwner};
use super::organisation::{Membership, OrganisationRole};
use super::repository::{RepositoryFacts, RepositoryState, Visibility};
use super::right::{Right, Rights};
use super::rule::{Rule, Subject, Target};

/// Who asks: an account or a machine through one credential, or nobody known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// No credential was shown.
    Anonymous,
    /// An account, seen through a credential.
    Account(AccountPrincipal),
    /// A robot, or an organisation's own access token.
    Machine(Machine),
}

/// What a decision needs to know of an account and of the credential it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPrincipal {
    /// The account.
    pub account_id: AccountId,
    /// Whether it administers the site. That gives no right on other people's private content.
    pub is_admin: bool,
    /// Whether it is disabled: then it may nothing, not even what everybody may.
    pub is_disabled: bool,
    /// What the credential may reach at most.
    pub ceiling: Ceiling,
}

/// A credential that belongs to a namespace and not to a person. In its namespace it holds what its ceilings leave of
/// everything; elsewhere what rules give to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The namespace that owns it.
    pub namespace_id: NamespaceId,
    /// The robot; `None` for an organisation's access token.
    pub robot_id: Option<RobotId>,
    /// Whether it, a robot above it or its namespace's owner is disabled or gone.
    pub is_disabled: bool,
    /// Its own ceiling, that of the robot that made it, and so on upwards: each narrows what the namespace gives.
    pub ceilings: Vec<Ceiling>,
    /// What the secret it came with may reach at most, whatever its robot may.
    pub ceiling: Ceiling,
}

impl Principal {
    /// The account behind it.
    pub fn account_id(&self) -> Option<AccountId> {
        match self {
            Self::Account(account) => Some(account.account_id),
            Self::Anonymous | Self::Machine(_) => None,
        }
    }
}

/// What the store holds, now, about a name and about the principal there.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The namespace; `None` when there is none. That of the repository's present name when it was found by a former one.
    pub namespace: Option<&'a NamespaceFacts>,
    /// The repository; `None` when there is none.
    pub repository: Option<&'a RepositoryFacts>,
    /// Whether the repository was found by a name that it had before.
    pub by_former_name: bool,
    /// The account's place in the organisation that owns the namespace, also one whose time is over.
    pub membership: Option<Membership>,
    /// Rules of the namespace about subjects that the principal is or belongs to. Team rules are there only for teams
    /// that the account is in.
    pub rules: &'a [Rule],
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// Why something is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The account owns the namespace.
    Owner,
    /// The account administers the site, to which `library` belongs.
    Administrator,
    /// The account's role in the organisation.
    Role(OrganisationRole),
    /// The machine belongs to the namespace.
    Home,
    /// A rule.
    Rule(RuleId, Subject),
    /// The repository is internal and the principal is an account of the site.
    Internal,
    /// The repository is public.
    Public,
}

/// One thing that gives rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Why.
    pub because: Because,
    /// What it gives.
    pub rights: Rights,
    /// Tags that it lets be pushed.
    pub push_tags: TagSet,
    /// Tags that it lets be deleted.
    pub delete_tags: TagSet,
}

impl Source {
    fn plain(because: Because, rights: Rights) -> Self {
        Self {
            because,
            rights,
            push_tags: TagSet::Every,
            delete_tags: TagSet::Every,
        }
    }
}

/// The answer for one repository name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Of the requested rights those that are allowed.
    pub granted: Rights,
    /// Tags that may be pushed, where `granted` has that right.
    pub push_tags: TagLimits,
    /// Tags that may be deleted, where `granted` has that right.
    pub delete_tags: TagLimits,
    /// Whether the grant allows a push to a name that no repository has yet, so that the name is to be reserved.
    pub reserves: bool,
}

impl Decision {
    /// Nothing is allowed.
    pub const NOTHING: Self = Self {
        granted: Rights::NONE,
        push_tags: TagLimits::EVERY,
        delete_tags: TagLimits::EVERY,
        reserves: false,
    };
}

/// What `principal` may do of `requested` with the repository that it asks for as `name`.
///
/// A repository that was found by a former name can be pulled by it and nothing else. Facts of anything else than the
/// name grant nothing.
pub fn decide(
    principal: &Principal,
    facts: &Facts<'_>,
    name: &RepositoryName,
    requested: Rights,
) -> Decision {
    let sources = held(principal, facts, name);
    let mut rights = sources
        .iter()
        .fold(Rights::NONE, |rights, source| rights.union(source.rights))
        .intersection(requested);
    if facts.by_former_name {
        rights = rights.intersection(Rights::READ);
    }
    let tags = |right: Right, of: fn(&Source) -> &TagSet| {
        sources
            .iter()
            .filter(|source| source.rights.contains(right))
            .fold(TagSet::none(), |tags, source| tags.union(of(source).clone()))
    };
    let mut decision = Decision {
        granted: rights,
        push_tags: TagLimits::EVERY.within(tags(Right::Push, |source| &source.push_tags)),
        delete_tags: TagLimits::EVERY.within(tags(Right::Delete, |source| &source.delete_tags)),
        reserves: false,
    };
    if let Some(ceiling) = ceiling(principal) {
        decision = narrowed(decision, ceiling, name);
    }
    if !decision.granted.contains(Right::Push) {
        decision.push_tags = TagLimits::EVERY;
    }
    if !decision.granted.contains(Right::Delete) {
        decision.delete_tags = TagLimits::EVERY;
    }
    decision.reserves = facts.repository.is_none() && decision.granted.contains(Right::Push);
    decision
}

/// What `principal` may do with every repository of a namespace and every tag there, those to come too. For what is no
/// repository as well: its settings, its rules.
pub fn decide_namespace(principal: &Principal, facts: &Facts<'_>) -> Rights {
    let Some(namespace) = facts.namespace else {
        return Rights::NONE;
    };
    let name = namespace.name.as_str();
    let own = match principal {
        Principal::Account(account) if !account.is_disabled => {
            of_account(account, namespace, facts).map_or(Rights::NONE, |source| source.rights)
        }
        Principal::Machine(machine) if !machine.is_disabled => {
            let is_home = machine.namespace_id == namespace.namespace_id;
            let everything = if is_home { Rights::ALL } else { Rights::NONE };
            machine.ceilings.iter().fold(everything, |rights, ceiling| {
                rights.intersection(ceiling.namespace_rights(name))
            })
        }
        Principal::Anonymous => Rights::NONE,
        Principal::Account(_) | Principal::Machine(_) => return Rights::NONE,
    };
    let ruled = facts
        .rules
        .iter()
        .filter(|rule| counts(principal, rule, namespace, facts))
        .filter(|rule| matches!(&rule.target, Target::Pattern(pattern) if pattern.holds_namespace(name)))
        .fold(own, |rights, rule| {
            rights.union(rule.rights.on_every_tag(&rule.push_tags, &rule.delete_tags))
        });
    match ceiling(principal) {
        Some(ceiling) => ruled.intersection(ceiling.namespace_rights(name)),
        None => ruled,
    }
}

/// What a machine is in the organisation that owns its namespace: one that administers the whole namespace stands there as a
/// manager does, whatever rules give to it or to others; any other is nobody there.
pub fn place_of_machine(principal: &Principal, namespace: &NamespaceFacts) -> Option<OrganisationRole> {
    let Principal::Machine(machine) = principal else {
        return None;
    };
    let is_home = machine.namespace_id == namespace.namespace_id
        && matches!(namespace.owner, NamespaceOwner::Organisation(_));
    let facts = Facts {
        namespace: Some(namespace),
        repository: None,
        by_former_name: false,
        membership: None,
        rules: &[],
        now_ms: 0,
    };
    (is_home && decide_namespace(principal, &facts).contains(Right::Administer))
        .then_some(OrganisationRole::Manager)
}

/// Whether the visibility of an active repository alone lets `principal` pull it: what [`decide`] says without looking at
/// namespace, roles and rules.
pub fn lets_pull(visibility: Visibility, principal: &Principal, name: &RepositoryName) -> bool {
    let is_open = match (visibility, principal) {
        (
            _,
            Principal::Account(AccountPrincipal { is_disabled, .. })
            | Principal::Machine(Machine { is_disabled, .. }),
        ) if *is_disabled => false,
        (Visibility::Public, _) | (Visibility::Internal, Principal::Account(_)) => true,
        (Visibility::Internal | Visibility::Private, _) => false,
    };
    is_open && ceiling(principal).is_none_or(|ceiling| ceiling.passage(name).rights.contains(Right::Pull))
}

/// The ceiling of the credential that the principal came with.
pub fn ceiling(principal: &Principal) -> Option<&Ceiling> {
    match principal {
        Principal::Anonymous => None,
        Principal::Account(account) => Some(&account.ceiling),
        Principal::Machine(machine) => Some(&machine.ceiling),
    }
}

fn narrowed(decision: Decision, ceiling: &Ceiling, name: &RepositoryName) -> Decision {
    let passage = ceiling.passage(name);
    Decision {
        granted: decision.granted.intersection(passage.rights),
        push_tags: decision.push_tags.within(passage.push_tags),
        delete_tags: decision.delete_tags.within(passage.delete_tags),
        reserves: decision.reserves,
    }
}

/// What `principal` may do of `requested` with `registry:catalog`: search is everybody's; the list of everything (`*`)
/// is an administrator's with an unlimited credential. Lists that are filtered by what their reader may see need no grant.
pub fn decide_catalog(principal: &Principal, requested: Actions) -> Actions {
    let search = Actions::NONE.with(Action::Search);
    let held = match principal {
        Principal::Account(AccountPrincipal {
            is_disabled: true, ..
        })
        | Principal::Machine(Machine {
            is_disabled: true, ..
        }) => Actions::NONE,
        Principal::Account(account) if account.is_admin && account.ceiling == Ceiling::Full => {
            search.with(Action::All)
        }
        Principal::Account(_) | Principal::Machine(_) | Principal::Anonymous => search,
    };
    held.intersection(requested)
}

/// What the principal holds before its credential narrows it: every source, in the order in which people should hear of
/// them.
pub fn held(principal: &Principal, facts: &Facts<'_>, name: &RepositoryName) -> Vec<Source> {
    let repository = facts.repository;
    if repository.is_some_and(|repository| (repository.name != *name) != facts.by_former_name) {
        return Vec::new();
    }
    let name = repository.map_or(name, |repository| &repository.name);
    let Some(namespace) = facts
        .namespace
        .filter(|namespace| namespace.name.as_str() == name.namespace())
    else {
        return Vec::new();
    };
    if repository.is_some_and(|repository| repository.namespace_id != namespace.namespace_id) {
        return Vec::new();
    }
    let mut sources = Vec::new();
    match principal {
        Principal::Anonymous => {}
        Principal::Account(account) if account.is_disabled => return sources,
        Principal::Account(account) => {
            sources.extend(of_account(account, namespace, facts));
        }
        Principal::Machine(machine) if machine.is_disabled => return sources,
        Principal::Machine(machine) => {
            if machine.namespace_id == namespace.namespace_id {
                sources.push(of_home(machine, name));
            }
        }
    }
    for rule in facts.rules {
        if counts(principal, rule, namespace, facts)
            && rule.reaches(repository.map(|repository| repository.repository_id), name)
        {
            sources.push(Source {
                because: Because::Rule(rule.rule_id, rule.subject),
                rights: rule.rights,
                push_tags: rule.push_tags.clone(),
                delete_tags: rule.delete_tags.clone(),
            });
        }
    }
    let is_active = repository.is_some_and(|repository| repository.state == RepositoryState::Active);
    match repository.map(|repository| repository.visibility) {
        Some(Visibility::Public) if is_active => {
            sources.push(Source::plain(Because::Public, Rights::READ));
        }
        Some(Visibility::Internal) if is_active && matches!(principal, Principal::Account(_)) => {
            sources.push(Source::plain(Because::Internal, Rights::READ));
        }
        Some(Visibility::Public | Visibility::Internal | Visibility::Private) | None => {}
    }
    sources
}

fn of_account(account: &AccountPrincipal, namespace: &NamespaceFacts, facts: &Facts<'_>) -> Option<Source> {
    let (because, rights) = match namespace.owner {
        NamespaceOwner::Account(owner) if owner == account.account_id => (Because::Owner, Rights::ALL),
        NamespaceOwner::Administrators if account.is_admin => (Because::Administrator, Rights::ALL),
        NamespaceOwner::Organisation(_) => {
            let role = live_membership(namespace, facts)?.role;
            (Because::Role(role), role.rights())
        }
        NamespaceOwner::Account(_) | NamespaceOwner::Administrators => return None,
    };
    (!rights.is_empty()).then(|| Source::plain(because, rights))
}

/// What a machine's namespace gives: everything, within each of its ceilings.
fn of_home(machine: &Machine, name: &RepositoryName) -> Source {
    let mut source = Source::plain(Because::Home, Rights::ALL);
    for ceiling in &machine.ceilings {
        let passage = ceiling.passage(name);
        source.rights = source.rights.intersection(passage.rights);
        source.push_tags = common(source.push_tags, passage.push_tags);
        source.delete_tags = common(source.delete_tags, passage.delete_tags);
    }
    source
}

/// Patterns that stand in both sets. A ceiling below another holds no pattern that the upper one lacks, so nothing is lost
/// unless the upper one was narrowed since.
fn common(one: TagSet, other: TagSet) -> TagSet {
    match (one, other) {
        (TagSet::Every, set) | (set, TagSet::Every) => set,
        (TagSet::Only(one), TagSet::Only(other)) => TagSet::Only(
            one.into_vec()
                .into_iter()
                .filter(|pattern| other.contains(pattern))
                .collect(),
        ),
    }
}

fn live_membership(namespace: &NamespaceFacts, facts: &Facts<'_>) -> Option<Membership> {
    membership_in(namespace, facts).filter(|membership| membership.is_live(facts.now_ms))
}

/// Whether the account's time as a guest is over, though what it had there was not removed yet.
fn has_ended(namespace: &NamespaceFacts, facts: &Facts<'_>) -> bool {
    membership_in(namespace, facts).is_some_and(|membership| !membership.is_live(facts.now_ms))
}

fn membership_in(namespace: &NamespaceFacts, facts: &Facts<'_>) -> Option<Membership> {
    facts
        .membership
        .filter(|membership| namespace.owner == NamespaceOwner::Organisation(membership.organisation_id))
}

/// Whether a rule is one of the namespace, now, and about the principal.
fn counts(principal: &Principal, rule: &Rule, namespace: &NamespaceFacts, facts: &Facts<'_>) -> bool {
    rule.namespace_id == namespace.namespace_id
        && rule.is_live(facts.now_ms)
        && is_about(principal, rule.subject, namespace, facts)
}

fn is_about(principal: &Principal, subject: Subject, namespace: &NamespaceFacts, facts: &Facts<'_>) -> bool {
    match (subject, principal) {
        (Subject::Anyone, _) | (Subject::SignedIn, Principal::Account(_)) => true,
        // Rules about a guest end with its time, as a membership that is ended by hand takes them along.
        (Subject::Account(id), Principal::Account(account)) => {
            account.account_id == id && !has_ended(namespace, facts)
        }
        (Subject::Robot(id), Principal::Machine(machine)) => machine.robot_id == Some(id),
        // Who is no member any more is in no team either, whatever rows are left.
        (Subject::Team(_), Principal::Account(_)) => live_membership(namespace, facts).is_some(),
        (Subject::Members, Principal::Account(_)) => live_membership(namespace, facts)
            .is_some_and(|membership| membership.role > OrganisationRole::Guest),
        _ => false,
    }
}

#[cfg(test)]
#[path = "permission/properties.rs"]
mod properties;
#[cfg(test)]
#[path = "permission/tenants.rs"]
mod tenants;
#[cfg(test)]
#[path = "permission/tests.rs"]
mod tests;
