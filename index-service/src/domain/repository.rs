//! Repositories: what the index knows of one without asking the registry.

use std::fmt;
use std::str::FromStr;

use shared::oci::RepositoryName;

use super::id::{NamespaceId, RepositoryId};

/// Who may pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Everybody, without login.
    Public,
    /// Every account of the site.
    Internal,
    /// Those who have a right on it.
    Private,
}

impl Visibility {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Private => "private",
        }
    }
}

/// A text is no visibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a repository is public, internal or private")]
pub struct InvalidVisibility;

impl FromStr for Visibility {
    type Err = InvalidVisibility;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "public" => Ok(Self::Public),
            "internal" => Ok(Self::Internal),
            "private" => Ok(Self::Private),
            _ => Err(InvalidVisibility),
        }
    }
}

impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a repository is known to hold a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepositoryState {
    /// A granted push reserved the name; for all but its owner it does not exist. Its first manifest confirms it.
    Pending {
        /// When the reservation ends, in milliseconds since 1970.
        expires_at: i64,
    },
    /// It holds, or held, a manifest.
    Active,
}

/// What a decision, a token and a page need to know of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryFacts {
    /// Its id.
    pub repository_id: RepositoryId,
    /// The namespace that owns it.
    pub namespace_id: NamespaceId,
    /// Its public name.
    pub name: RepositoryName,
    /// The name under which the registry keeps it.
    pub stored_as: RepositoryName,
    /// Who may pull.
    pub visibility: Visibility,
    /// Whether it is known to hold a manifest.
    pub state: RepositoryState,
}

/// A deleted repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedRepository {
    /// Its id.
    pub repository_id: RepositoryId,
    /// The namespace that it was in.
    pub namespace_id: NamespaceId,
    /// The public name that it had.
    pub name: RepositoryName,
    /// The name under which the registry keeps it.
    pub stored_as: RepositoryName,
    /// Who could pull.
    pub visibility: Visibility,
    /// When it was deleted, in milliseconds since 1970.
    pub deleted_at: i64,
    /// Until when it can be restored.
    pub purge_after: i64,
}

impl RepositoryFacts {
    /// The storage name for a token's `stored_as`: absent when it is the name that was asked for, which may be a former one.
    pub fn stored_elsewhere(&self, asked: &RepositoryName) -> Option<&RepositoryName> {
        (self.stored_as != *asked).then_some(&self.stored_as)
    }

    /// The storage name of a repository whose public name was somebody else's storage name before. No public name looks
    /// like it: the namespace is reserved.
    pub fn storage_name(
        repository_id: RepositoryId,
    ) -> Result<RepositoryName, shared::oci::name::InvalidName> {
        format!("portolan/{repository_id}").parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visibility_reads_back_what_it_writes() {
        for visibility in [Visibility::Public, Visibility::Internal, Visibility::Private] {
            assert_eq!(visibility.to_string().parse(), Ok(visibility));
        }
        assert_eq!("Public".parse::<Visibility>(), Err(InvalidVisibility));
    }
}
