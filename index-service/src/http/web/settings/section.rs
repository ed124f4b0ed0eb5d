//! The pages that settings consist of.

use crate::domain::Right;

/// One page of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Section {
    /// What a repository is about, and who may see it.
    General,
    /// What an organisation is, and what is in it.
    Overview,
    /// What is said about an organisation, and its defaults.
    Profile,
    /// Who may do what.
    Access,
    /// Who is in it.
    Members,
    /// Its teams.
    Teams,
    /// Links that let others in.
    Invitations,
    /// Its robots.
    Robots,
    /// Its own access tokens.
    Tokens,
    /// Who is told what happens.
    Webhooks,
    /// Tags that stay what they are.
    Immutable,
    /// What goes by itself.
    Retention,
    /// How much it holds.
    Quota,
    /// What happened.
    Audit,
    /// What can be restored.
    Deleted,
    /// Another name.
    Name,
    /// The end of the reader's own membership.
    Leave,
    /// The end.
    Deletion,
}

impl Section {
    /// Those of a repository, in the order in which they are shown.
    pub(in crate::http) const OF_REPOSITORY: [Self; 7] = [
        Self::General,
        Self::Access,
        Self::Webhooks,
        Self::Immutable,
        Self::Retention,
        Self::Name,
        Self::Deletion,
    ];

    /// Those of a namespace.
    pub(in crate::http) const OF_NAMESPACE: [Self; 16] = [
        Self::Overview,
        Self::Members,
        Self::Teams,
        Self::Invitations,
        Self::Access,
        Self::Robots,
        Self::Tokens,
        Self::Webhooks,
        Self::Immutable,
        Self::Retention,
        Self::Quota,
        Self::Audit,
        Self::Deleted,
        Self::Profile,
        Self::Leave,
        Self::Deletion,
    ];

    /// The word in its address.
    pub(in crate::http) fn word(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Overview => "",
            Self::Profile => "profile",
            Self::Access => "access",
            Self::Members => "members",
            Self::Teams => "teams",
            Self::Invitations => "invitations",
            Self::Robots => "robots",
            Self::Tokens => "tokens",
            Self::Webhooks => "webhooks",
            Self::Immutable => "immutable",
            Self::Retention => "retention",
            Self::Quota => "quota",
            Self::Audit => "audit",
            Self::Deleted => "deleted",
            Self::Name => "name",
            Self::Leave => "leave",
            Self::Deletion => "delete",
        }
    }

    /// What its title says.
    pub(in crate::http) fn key(self) -> &'static str {
        match self {
            Self::General => "settings-general",
            Self::Overview => "organisation-overview",
            Self::Profile => "organisation-profile",
            Self::Access => "settings-access",
            Self::Members => "organisation-members",
            Self::Teams => "organisation-teams",
            Self::Invitations => "organisation-invitations",
            Self::Robots => "organisation-robots",
            Self::Tokens => "organisation-tokens",
            Self::Webhooks => "settings-webhooks",
            Self::Immutable => "settings-immutable",
            Self::Retention => "settings-retention",
            Self::Quota => "organisation-quota",
            Self::Audit => "organisation-audit",
            Self::Deleted => "organisation-deleted",
            Self::Name => "settings-name",
            Self::Leave => "organisation-leave",
            Self::Deletion => "settings-deletion",
        }
    }

    /// That of a repository at this address.
    pub(in crate::http) fn of_repository(word: &str) -> Option<Self> {
        Self::OF_REPOSITORY.into_iter().find(|one| one.word() == word)
    }

    /// That of a namespace at this address.
    pub(in crate::http) fn of_namespace(word: &str) -> Option<Self> {
        Self::OF_NAMESPACE.into_iter().find(|one| one.word() == word)
    }

    /// Which right on the repository it is for.
    pub(in crate::http) fn right(self) -> Right {
        match self {
            Self::General | Self::Webhooks => Right::Manage,
            _ => Right::Administer,
        }
    }

    /// Whether namespaces have it that an organisation owns, or that none does.
    pub(in crate::http) fn is_of_organisation(self, has_organisation: bool) -> bool {
        let needs_one = matches!(
            self,
            Self::Members
                | Self::Teams
                | Self::Invitations
                | Self::Tokens
                | Self::Audit
                | Self::Leave
                | Self::Deletion
        );
        has_organisation || !needs_one
    }
}
