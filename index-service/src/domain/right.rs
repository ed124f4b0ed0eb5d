//! Rights: what a rule, a role or a credential allows. Registry tokens hold the first three of them as actions.

use std::fmt;
use std::str::FromStr;

use shared::token::{Action, Actions, TagSet};

/// One right on a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Right {
    /// Read its content, and know that it exists.
    Pull = 1,
    /// Add content and move tags; in a namespace, make repositories.
    Push = 2,
    /// Remove content and tags.
    Delete = 4,
    /// Change what is said about it: its description and how it is shown.
    Manage = 8,
    /// Decide about it: visibility, name, rules, its end. In a namespace: members, teams, robots.
    Administer = 16,
}

impl Right {
    /// Every right, in the order in which a list of them is written.
    pub const EVERY: [Self; 5] = [
        Self::Pull,
        Self::Push,
        Self::Delete,
        Self::Manage,
        Self::Administer,
    ];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
            Self::Manage => "manage",
            Self::Administer => "administer",
        }
    }

    /// The right of a word.
    pub fn find(word: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|right| right.as_str() == word)
    }
}

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rights(u8);

impl Rights {
    /// No right.
    pub const NONE: Self = Self(0);
    /// The role *read*.
    pub const READ: Self = Self(Right::Pull as u8);
    /// The role *write*.
    pub const WRITE: Self = Self(Self::READ.0 | Right::Push as u8);
    /// The role *maintain*.
    pub const MAINTAIN: Self = Self(Self::WRITE.0 | Right::Delete as u8 | Right::Manage as u8);
    /// The role *admin*: every right.
    pub const ALL: Self = Self(Self::MAINTAIN.0 | Right::Administer as u8);

    /// The named sets.
    pub const ROLES: [(&'static str, Self); 4] = [
        ("read", Self::READ),
        ("write", Self::WRITE),
        ("maintain", Self::MAINTAIN),
        ("admin", Self::ALL),
    ];

    /// The role of a name.
    pub fn find_role(name: &str) -> Option<Self> {
        Self::ROLES
            .into_iter()
            .find(|(role, _)| *role == name)
            .map(|(_, rights)| rights)
    }

    /// The name of the role that is exactly this set.
    pub fn role(self) -> Option<&'static str> {
        Self::ROLES
            .into_iter()
            .find(|(_, rights)| *rights == self)
            .map(|(role, _)| role)
    }

    /// This set and one more right.
    #[must_use]
    pub fn with(self, right: Right) -> Self {
        Self(self.0 | right as u8)
    }

    /// This set without a right.
    #[must_use]
    pub fn without(self, right: Right) -> Self {
        Self(self.0 & !(right as u8))
    }

    /// Whether the right is in the set.
    pub fn contains(self, right: Right) -> bool {
        self.0 & right as u8 != 0
    }

    /// Whether every right of `needed` is in the set.
    pub fn covers(self, needed: Self) -> bool {
        needed.0 & !self.0 == 0
    }

    /// Those that reach every tag, when these are the tags that may be pushed and deleted.
    #[must_use]
    pub fn on_every_tag(self, push_tags: &TagSet, delete_tags: &TagSet) -> Self {
        let without = |rights: Self, right, tags: &TagSet| match tags {
            TagSet::Every => rights,
            TagSet::Only(_) => rights.without(right),
        };
        without(without(self, Right::Push, push_tags), Right::Delete, delete_tags)
    }

    /// Rights in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Rights in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is no right.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rights in their order.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::EVERY
            .into_iter()
            .filter(move |right| self.contains(*right))
    }

    /// What a client's actions on a repository ask for; `*` asks for all that a token can hold.
    pub fn of_actions(actions: Actions) -> Self {
        [
            (Action::Pull, Right::Pull),
            (Action::Push, Right::Push),
            (Action::Delete, Right::Delete),
        ]
        .into_iter()
        .filter(|(action, _)| actions.contains(*action) || actions.contains(Action::All))
        .fold(Self::NONE, |rights, (_, right)| rights.with(right))
    }

    /// What a registry token can hold of these rights.
    pub fn actions(self) -> Actions {
        self.iter()
            .filter_map(|right| match right {
                Right::Pull => Some(Action::Pull),
                Right::Push => Some(Action::Push),
                Right::Delete => Some(Action::Delete),
                Right::Manage | Right::Administer => None,
            })
            .collect()
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        rights.into_iter().fold(Self::NONE, Self::with)
    }
}

impl From<Right> for Rights {
    fn from(right: Right) -> Self {
        Self::NONE.with(right)
    }
}

/// A word is no right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a right is one of pull, push, delete, manage, administer, or * for all")]
pub struct InvalidRight;

impl FromStr for Rights {
    type Err = InvalidRight;

    /// Words separated by commas; `*` is every right.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').try_fold(Self::NONE, |rights, word| {
            Ok(match word {
                "*" => Self::ALL,
                word => rights.with(Right::find(word).ok_or(InvalidRight)?),
            })
        })
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, right) in self.iter().enumerate() {
            write!(f, "{}{}", if i > 0 { "," } else { "" }, right.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_read_back_what_they_write() {
        for bits in 1..32 {
            let rights = Rights(bits);
            assert_eq!(rights.to_string().parse(), Ok(rights));
            assert_eq!(rights.iter().collect::<Rights>(), rights);
        }
        assert_eq!("*".parse(), Ok(Rights::ALL));
        for text in ["", "pull,", "Pull", "pull push", "root"] {
            assert_eq!(text.parse::<Rights>(), Err(InvalidRight), "{text:?}");
        }
    }

    #[test]
    fn a_role_is_a_named_set_and_each_holds_the_one_before_it() {
        for (name, rights) in Rights::ROLES {
            assert_eq!(
                (Rights::find_role(name), rights.role()),
                (Some(rights), Some(name))
            );
        }
        for pair in Rights::ROLES.windows(2) {
            assert!(pair[1].1.covers(pair[0].1) && pair[1].1 != pair[0].1);
        }
        assert_eq!((Rights::find_role("owner"), Rights::NONE.role()), (None, None));
    }

    #[test]
    fn a_token_holds_the_rights_that_are_about_content() {
        assert_eq!(Rights::ALL.actions(), Actions::OWNER);
        assert_eq!(
            Rights::of_actions(Actions::NONE.with(Action::All)).actions(),
            Actions::OWNER
        );
        assert_eq!(Rights::of_actions(Actions::PULL_PUSH), Rights::WRITE);
        assert!(Rights::of_actions(Actions::NONE.with(Action::Search)).is_empty());
    }
}
