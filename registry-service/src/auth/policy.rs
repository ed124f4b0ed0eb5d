//! `auth.policy`: which accounts may do what with which repositories, and what everybody may.

use shared::oci::RepositoryName;
use shared::token::Actions;

use super::glob::Glob;

/// Rules that give; what none gives nobody has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessPolicy {
    /// In any order: what they give adds up.
    pub rules: Vec<Rule>,
}

/// Users × repositories × actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// To whom it gives.
    pub users: Vec<Users>,
    /// On which repositories.
    pub repositories: Vec<Glob>,
    /// What.
    pub actions: Actions,
}

/// To whom a rule gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Users {
    /// Everybody, with an account or without.
    Anybody,
    /// The accounts whose names have this form.
    Accounts(Glob),
}

impl AccessPolicy {
    /// What an account may do with a repository; what everybody may, without one.
    pub fn held(&self, account: Option<&str>, repository: &RepositoryName) -> Actions {
        self.rules_of(account)
            .filter(|rule| {
                let mut patterns = rule.repositories.iter();
                patterns.any(|pattern| pattern.matches(repository.as_str()))
            })
            .fold(Actions::NONE, |held, rule| held.union(rule.actions))
    }

    /// Whether an account may do anything at all; whether everybody may, without one.
    pub fn gives_anything(&self, account: Option<&str>) -> bool {
        self.rules_of(account)
            .any(|rule| !rule.actions.is_empty() && !rule.repositories.is_empty())
    }

    fn rules_of(&self, account: Option<&str>) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| {
            rule.users.iter().any(|users| match users {
                Users::Anybody => true,
                Users::Accounts(names) => account.is_some_and(|account| names.matches(account)),
            })
        })
    }
}
