//! Why somebody may do something with a repository, or may not: what gives the right, what narrows it, what is missing.

use shared::oci::RepositoryName;
use shared::token::TagLimits;

use super::permission::{self, Facts, Principal, Source, decide};
use super::right::{Right, Rights};

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The account, the robot or what it hangs on is disabled.
    Active,
    /// The name is a former one, which is for pulls alone.
    PresentName,
    /// Nothing gives the right.
    Source,
    /// The credential does not reach so far.
    Credential,
}

/// The answer to: may this principal do this?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Whether it may.
    pub allowed: bool,
    /// What gives the right, whatever the credential leaves of it.
    pub because: Vec<Source>,
    /// Everything that is held before the credential narrows it.
    pub held: Rights,
    /// Tags that the right reaches; every tag for a right that is not about tags.
    pub tags: TagLimits,
    /// What is missing, when it may not.
    pub missing: Option<Missing>,
}

/// Why `principal` may, or may not, with the repository that it calls `name`: the same as [`decide`] says.
pub fn explain(principal: &Principal, facts: &Facts<'_>, name: &RepositoryName, right: Right) -> Explanation {
    let sources = permission::held(principal, facts, name);
    let held = sources
        .iter()
        .fold(Rights::NONE, |rights, source| rights.union(source.rights));
    let because: Vec<Source> = sources
        .into_iter()
        .filter(|source| source.rights.contains(right))
        .collect();
    let decision = decide(principal, facts, name, right.into());
    let allowed = decision.granted.contains(right);
    let is_disabled = match principal {
        Principal::Anonymous => false,
        Principal::Account(account) => account.is_disabled,
        Principal::Machine(machine) => machine.is_disabled,
    };
    let missing = if allowed {
        None
    } else if is_disabled {
        Some(Missing::Active)
    } else if because.is_empty() {
        Some(Missing::Source)
    } else if facts.by_former_name && right != Right::Pull {
        Some(Missing::PresentName)
    } else {
        Some(Missing::Credential)
    };
    Explanation {
        allowed,
        because,
        held,
        tags: match right {
            Right::Push => decision.push_tags,
            Right::Delete => decision.delete_tags,
            Right::Pull | Right::Manage | Right::Administer => TagLimits::EVERY,
        },
        missing,
    }
}
