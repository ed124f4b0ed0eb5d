//! Namespaces: the first segment of a repository name and who owns it.

use std::fmt;
use std::str::FromStr;

use shared::oci::RepositoryName;
use shared::oci::name::{InvalidName, LIBRARY, MAX_NAME_LENGTH, is_component};

use super::account::Username;
use super::id::{AccountId, NamespaceId, OrganisationId};
use super::repository::Visibility;

/// The name of a namespace: one component of a repository name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespaceName(Box<str>);

impl NamespaceName {
    /// `library`, which owns the repository names of one segment and belongs to the administrators.
    pub fn library() -> Self {
        Self(LIBRARY.into())
    }

    /// The name as it stands in a path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Username> for NamespaceName {
    /// The namespace of an account's name.
    fn from(username: &Username) -> Self {
        Self(username.as_str().into())
    }
}

impl From<&RepositoryName> for NamespaceName {
    /// The namespace that a repository name belongs to.
    fn from(name: &RepositoryName) -> Self {
        Self(name.namespace().into())
    }
}

impl FromStr for NamespaceName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(InvalidName::Empty);
        }
        if text.len() > MAX_NAME_LENGTH {
            return Err(InvalidName::TooLong);
        }
        if !is_component(text) {
            return Err(InvalidName::Component);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for NamespaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NamespaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who owns a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamespaceOwner {
    /// One account.
    Account(AccountId),
    /// An organisation: its owners and managers.
    Organisation(OrganisationId),
    /// Every administrator: `library`.
    Administrators,
}

/// What a decision needs to know of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceFacts {
    /// Its id.
    pub namespace_id: NamespaceId,
    /// Its name.
    pub name: NamespaceName,
    /// Its owner.
    pub owner: NamespaceOwner,
    /// Who may see repositories that are made by a push: private unless its owner decided otherwise.
    pub default_visibility: Visibility,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_of_a_name_of_one_segment_is_library() {
        let name: RepositoryName = "centos".parse().unwrap();
        assert_eq!(NamespaceName::from(&name), NamespaceName::library());
        let name: RepositoryName = "team/app/web".parse().unwrap();
        assert_eq!(NamespaceName::from(&name).as_str(), "team");
    }

    #[test]
    fn a_namespace_name_is_one_component() {
        assert!("team".parse::<NamespaceName>().is_ok());
        for text in ["", "a/b", "A", "..", "a b"] {
            assert!(text.parse::<NamespaceName>().is_err(), "{text}");
        }
        assert!("a".repeat(256).parse::<NamespaceName>().is_err());
    }
}
