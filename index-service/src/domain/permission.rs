//! The one decision: what a principal may do with a repository.

use shared::oci::RepositoryName;
use shared::token::{Action, Actions};

use super::credential::Ceiling;
use super::id::AccountId;
use super::namespace::{NamespaceFacts, NamespaceOwner};
use super::repository::{RepositoryFacts, RepositoryState, Visibility};

/// Who asks: an account through one credential, or nobody known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// No credential was shown.
    Anonymous,
    /// An account, seen through a credential.
    Account(AccountPrincipal),
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

impl Principal {
    /// The account behind it.
    pub fn account_id(&self) -> Option<AccountId> {
        match self {
            Self::Anonymous => None,
            Self::Account(account) => Some(account.account_id),
        }
    }
}

/// The answer for one repository name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The grant: of the requested actions those that are allowed. Never `*`: that is expanded.
    pub granted: Actions,
    /// Whether the grant allows a push to a name that no repository has yet, so that the name is to be reserved.
    pub reserves: bool,
}

impl Decision {
    const NOTHING: Self = Self {
        granted: Actions::NONE,
        reserves: false,
    };
}

/// What `principal` may do of `requested` with the repository `name`.
///
/// `namespace` and `repository` are what the store holds under exactly the name's namespace and the name; `None` when
/// there is none. Facts of anything else grant nothing.
pub fn decide(
    principal: &Principal,
    namespace: Option<&NamespaceFacts>,
    repository: Option<&RepositoryFacts>,
    name: &RepositoryName,
    requested: Actions,
) -> Decision {
    let Some(namespace) = namespace.filter(|n| n.name.as_str() == name.namespace()) else {
        return Decision::NOTHING;
    };
    if repository.is_some_and(|r| r.name != *name || r.namespace_id != namespace.namespace_id) {
        return Decision::NOTHING;
    }
    let granted = held(principal, namespace, repository)
        .intersection(allowed_by_credential(principal, name))
        .intersection(expanded(requested));
    Decision {
        granted,
        reserves: repository.is_none() && granted.contains(Action::Push),
    }
}

/// What `principal` may do of `requested` with `registry:catalog`: search is everybody's; the list of everything (`*`)
/// is an administrator's with an unlimited credential. Lists that are filtered by what their reader may see need no grant.
pub fn decide_catalog(principal: &Principal, requested: Actions) -> Actions {
    let held = match principal {
        Principal::Account(account) if account.is_disabled => Actions::NONE,
        Principal::Account(account) if account.is_admin && account.ceiling == Ceiling::Full => {
            Actions::NONE.with(Action::Search).with(Action::All)
        }
        Principal::Account(_) | Principal::Anonymous => Actions::NONE.with(Action::Search),
    };
    held.intersection(requested)
}

/// What the principal holds before its credential narrows it.
fn held(principal: &Principal, namespace: &NamespaceFacts, repository: Option<&RepositoryFacts>) -> Actions {
    if let Principal::Account(account) = principal {
        if account.is_disabled {
            return Actions::NONE;
        }
        let owns = match namespace.owner {
            NamespaceOwner::Account(owner) => owner == account.account_id,
            NamespaceOwner::Administrators => account.is_admin,
        };
        if owns {
            return Actions::OWNER;
        }
    }
    match repository {
        Some(RepositoryFacts {
            visibility: Visibility::Public,
            state: RepositoryState::Active,
            ..
        }) => Actions::PULL,
        _ => Actions::NONE,
    }
}

fn allowed_by_credential(principal: &Principal, name: &RepositoryName) -> Actions {
    match principal {
        Principal::Account(AccountPrincipal {
            ceiling: Ceiling::Limited { actions, pattern },
            ..
        }) => {
            if pattern.matches(name) {
                expanded(*actions)
            } else {
                Actions::NONE
            }
        }
        Principal::Account(_) | Principal::Anonymous => Actions::OWNER,
    }
}

/// `*` stands for every action on a repository; actions of the catalog are none.
fn expanded(actions: Actions) -> Actions {
    if actions.contains(Action::All) {
        Actions::OWNER
    } else {
        actions.intersection(Actions::OWNER)
    }
}

#[cfg(test)]
#[path = "permission/tests.rs"]
mod tests;
