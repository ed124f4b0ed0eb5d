//! Organisations: several accounts that own a namespace together, and the teams in them.

use std::fmt;
use std::str::FromStr;

use super::id::{OrganisationId, TeamId};
use super::namespace::NamespaceName;
use super::right::{Right, Rights};

/// What a member is in an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrganisationRole {
    /// From outside, until a date: holds what rules give to it and to its teams.
    Guest,
    /// Holds what rules give to it, to its teams and to all members.
    Member,
    /// Looks after repositories, members, teams and robots: every right on the namespace. Owners are out of its reach.
    Manager,
    /// Decides about everything, the organisation's end included.
    Owner,
}

impl OrganisationRole {
    /// Every role.
    pub const EVERY: [Self; 4] = [Self::Guest, Self::Member, Self::Manager, Self::Owner];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Member => "member",
            Self::Manager => "manager",
            Self::Owner => "owner",
        }
    }

    /// What the role itself gives on every repository of the namespace.
    pub fn rights(self) -> Rights {
        match self {
            Self::Owner | Self::Manager => Rights::ALL,
            Self::Member | Self::Guest => Rights::NONE,
        }
    }

    /// Whether the role may make somebody `other`, or take that role away.
    pub fn may_appoint(self, other: Self) -> bool {
        match self {
            Self::Owner => true,
            Self::Manager => other < Self::Owner,
            Self::Member | Self::Guest => false,
        }
    }
}

/// A word is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a member of an organisation is an owner, a manager, a member or a guest")]
pub struct InvalidRole;

impl FromStr for OrganisationRole {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::EVERY
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(InvalidRole)
    }
}

impl fmt::Display for OrganisationRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An account's place in an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// Which organisation.
    pub organisation_id: OrganisationId,
    /// What the account is there.
    pub role: OrganisationRole,
    /// From when on it counts no more, in milliseconds since 1970: guests alone.
    pub expires_at: Option<i64>,
}

impl Membership {
    /// Whether it counts at `now_ms`.
    pub fn is_live(&self, now_ms: i64) -> bool {
        self.expires_at.is_none_or(|end| now_ms < end)
    }
}

/// An organisation as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Its id.
    pub organisation_id: OrganisationId,
    /// Its name and that of its namespace.
    pub name: NamespaceName,
    /// Its name as people write it; free text.
    pub display_name: String,
    /// What it is; free text.
    pub description: String,
    /// When it was created, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was deleted: its name is never given away again.
    pub deleted_at: Option<i64>,
}

/// A team as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its id.
    pub team_id: TeamId,
    /// Its organisation.
    pub organisation_id: OrganisationId,
    /// Its name, one component as in repository names.
    pub name: NamespaceName,
    /// What it is for; free text.
    pub description: String,
    /// When it was created, in milliseconds since 1970.
    pub created_at: i64,
}

/// Longest name of a team in characters.
pub const MAX_TEAM_NAME_LENGTH: usize = 64;

/// A text is no name of a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a team has 1 to 64 characters: letters a to z and digits, joined by '.', '_', '__' or dashes"
)]
pub struct InvalidTeamName;

/// The name of a team as a person typed it; upper-case ASCII letters are folded.
pub fn parse_team_name(text: &str) -> Result<NamespaceName, InvalidTeamName> {
    if text.len() > MAX_TEAM_NAME_LENGTH {
        return Err(InvalidTeamName);
    }
    text.to_ascii_lowercase().parse().map_err(|_| InvalidTeamName)
}

/// Whether someone of this role, through a credential with these rights on the whole namespace, may administer the
/// organisation: its members, teams, robots and settings.
pub fn may_administer(role: Option<OrganisationRole>, credential: Rights) -> bool {
    role.is_some_and(|role| role.rights().contains(Right::Administer))
        && credential.contains(Right::Administer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_back_what_it_writes() {
        for role in OrganisationRole::EVERY {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("Owner".parse::<OrganisationRole>(), Err(InvalidRole));
    }

    #[test]
    fn nobody_appoints_above_themselves() {
        use OrganisationRole::{Guest, Manager, Member, Owner};
        for (one, other, may) in [
            (Owner, Owner, true),
            (Owner, Guest, true),
            (Manager, Owner, false),
            (Manager, Manager, true),
            (Manager, Guest, true),
            (Member, Guest, false),
            (Guest, Guest, false),
        ] {
            assert_eq!(one.may_appoint(other), may, "{one} {other}");
        }
    }

    #[test]
    fn team_names_are_folded_components() {
        assert_eq!(parse_team_name("Ops-1").unwrap().as_str(), "ops-1");
        for text in ["", "a b", "a/b", "öps", &"a".repeat(65)] {
            assert_eq!(parse_team_name(text), Err(InvalidTeamName), "{text}");
        }
    }

    #[test]
    fn a_membership_ends_with_its_date() {
        let guest = Membership {
            organisation_id: OrganisationId::from_i64(1),
            role: OrganisationRole::Guest,
            expires_at: Some(10),
        };
        assert!(guest.is_live(9) && !guest.is_live(10));
    }
}
