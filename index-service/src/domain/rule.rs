//! Rules: who may do what on which repositories of a namespace, beside what ownership and visibility give.

use shared::oci::RepositoryName;
use shared::token::TagSet;

use super::id::{AccountId, NamespaceId, RepositoryId, RobotId, RuleId, TeamId};
use super::namespace::NamespaceName;
use super::pattern::RepositoryPattern;
use super::right::{Right, Rights};

/// Whom a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// One account.
    Account(AccountId),
    /// The members of a team of the namespace's organisation, while they are members.
    Team(TeamId),
    /// One robot.
    Robot(RobotId),
    /// Owners, managers and members of the namespace's organisation; not its guests.
    Members,
    /// Every account of the site.
    SignedIn,
    /// Everybody, without login too.
    Anyone,
}

impl Subject {
    /// How it is stored: a kind and an id, which is 0 where the kind says all.
    pub fn to_parts(self) -> (&'static str, i64) {
        match self {
            Self::Account(id) => ("account", id.as_i64()),
            Self::Team(id) => ("team", id.as_i64()),
            Self::Robot(id) => ("robot", id.as_i64()),
            Self::Members => ("members", 0),
            Self::SignedIn => ("signed_in", 0),
            Self::Anyone => ("anyone", 0),
        }
    }

    /// What [`Subject::to_parts`] wrote; `None` for anything else.
    pub fn of_parts(kind: &str, id: i64) -> Option<Self> {
        Some(match kind {
            "account" => Self::Account(AccountId::from_i64(id)),
            "team" => Self::Team(TeamId::from_i64(id)),
            "robot" => Self::Robot(RobotId::from_i64(id)),
            "members" => Self::Members,
            "signed_in" => Self::SignedIn,
            "anyone" => Self::Anyone,
            _ => return None,
        })
    }
}

/// Which repositories a rule reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One repository, whatever it is called: the rule goes with it when it is renamed.
    Repository(RepositoryId),
    /// The repositories of a pattern inside the rule's namespace, those to come too.
    Pattern(RepositoryPattern),
}

/// Most rules about one subject in a namespace.
pub const MAX_RULES_OF_SUBJECT: i64 = 100;
/// Most rules in a namespace.
pub const MAX_RULES: i64 = 1_000;

/// What a rule gives, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Rights; at least one.
    pub rights: Rights,
    /// Tags that may be pushed.
    pub push_tags: TagSet,
    /// Tags that may be deleted.
    pub delete_tags: TagSet,
    /// From when on it counts no more, in milliseconds since 1970.
    pub expires_at: Option<i64>,
}

/// Why a rule is refused whoever wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRule {
    /// No right at all.
    #[error("a rule gives at least one right")]
    Nothing,
    /// Strangers would change something.
    #[error("a rule for everybody, or for everybody who is signed in, gives no more than pull")]
    Strangers,
    /// Only organisations have members and teams.
    #[error("only the namespace of an organisation has members and teams")]
    NoOrganisation,
    /// The pattern reaches elsewhere.
    #[error("the pattern must lie in one namespace, such as team/* or team/app-*")]
    Elsewhere,
    /// It has ended already.
    #[error("a rule ends in the future")]
    Ended,
    /// Tags are bound where none may be changed.
    #[error("tag patterns go with the right to push, or to delete")]
    IdleTags,
}

impl Grant {
    /// Whether anybody may make a rule that gives this to the subject in a namespace.
    pub fn check(&self, subject: Subject, is_of_organisation: bool, now_ms: i64) -> Result<(), InvalidRule> {
        if self.rights.is_empty() {
            return Err(InvalidRule::Nothing);
        }
        match subject {
            Subject::Anyone | Subject::SignedIn if self.rights != Rights::READ => {
                return Err(InvalidRule::Strangers);
            }
            Subject::Team(_) | Subject::Members if !is_of_organisation => {
                return Err(InvalidRule::NoOrganisation);
            }
            _ => {}
        }
        if self.expires_at.is_some_and(|end| end <= now_ms) {
            return Err(InvalidRule::Ended);
        }
        let is_idle = |tags: &TagSet, right| *tags != TagSet::Every && !self.rights.contains(right);
        if is_idle(&self.push_tags, Right::Push) || is_idle(&self.delete_tags, Right::Delete) {
            return Err(InvalidRule::IdleTags);
        }
        Ok(())
    }
}

/// A rule as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub rule_id: RuleId,
    /// Whose repositories it is about.
    pub namespace_id: NamespaceId,
    /// Whom it is about.
    pub subject: Subject,
    /// Which repositories it reaches.
    pub target: Target,
    /// What it gives.
    pub rights: Rights,
    /// Tags that it lets be pushed.
    pub push_tags: TagSet,
    /// Tags that it lets be deleted.
    pub delete_tags: TagSet,
    /// From when on it counts no more, in milliseconds since 1970.
    pub expires_at: Option<i64>,
}

/// A rule with the names of what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRule {
    /// The rule.
    pub rule: Rule,
    /// Its namespace.
    pub namespace: NamespaceName,
    /// The name of the account or team that it is about.
    pub subject_name: Option<String>,
    /// The repository that it is about, where it is about one.
    pub repository: Option<RepositoryName>,
}

impl Rule {
    /// Whether it reaches a repository of its namespace: by its id when there is one, and by its name.
    pub fn reaches(&self, repository_id: Option<RepositoryId>, name: &RepositoryName) -> bool {
        match &self.target {
            Target::Repository(id) => repository_id == Some(*id),
            Target::Pattern(pattern) => pattern.matches(name),
        }
    }

    /// Whether it counts at `now_ms`.
    pub fn is_live(&self, now_ms: i64) -> bool {
        self.expires_at.is_none_or(|end| now_ms < end)
    }

    /// What it gives.
    pub fn grant(&self) -> Grant {
        Grant {
            rights: self.rights,
            push_tags: self.push_tags.clone(),
            delete_tags: self.delete_tags.clone(),
            expires_at: self.expires_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(rights: &str, push: Option<&str>, delete: Option<&str>, expires_at: Option<i64>) -> Grant {
        Grant {
            rights: if rights.is_empty() {
                Rights::NONE
            } else {
                rights.parse().unwrap()
            },
            push_tags: TagSet::parse(push).unwrap(),
            delete_tags: TagSet::parse(delete).unwrap(),
            expires_at,
        }
    }

    #[test]
    fn a_rule_that_nobody_may_make_says_why() {
        let ada = Subject::Account(AccountId::from_i64(1));
        let team = Subject::Team(TeamId::from_i64(1));
        for (subject, given, organisation, expected) in [
            (ada, grant("*", None, None, None), false, Ok(())),
            (ada, grant("pull,push", Some("v*"), None, Some(11)), false, Ok(())),
            (ada, grant("", None, None, None), true, Err(InvalidRule::Nothing)),
            (
                ada,
                grant("pull", None, None, Some(10)),
                true,
                Err(InvalidRule::Ended),
            ),
            (
                ada,
                grant("pull", Some("v*"), None, None),
                true,
                Err(InvalidRule::IdleTags),
            ),
            (
                ada,
                grant("pull,push", None, Some("v*"), None),
                true,
                Err(InvalidRule::IdleTags),
            ),
            (Subject::Anyone, grant("pull", None, None, None), false, Ok(())),
            (
                Subject::Anyone,
                grant("pull,push", None, None, None),
                false,
                Err(InvalidRule::Strangers),
            ),
            (
                Subject::SignedIn,
                grant("*", None, None, None),
                true,
                Err(InvalidRule::Strangers),
            ),
            (
                team,
                grant("pull", None, None, None),
                false,
                Err(InvalidRule::NoOrganisation),
            ),
            (team, grant("*", None, None, None), true, Ok(())),
            (
                Subject::Members,
                grant("pull", None, None, None),
                false,
                Err(InvalidRule::NoOrganisation),
            ),
        ] {
            assert_eq!(
                given.check(subject, organisation, 10),
                expected,
                "{subject:?} {given:?}"
            );
        }
    }
}
