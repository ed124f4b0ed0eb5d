//! Robots: machines' accounts in a namespace, called `namespace+name`; and access tokens of organisations, which are the
//! same without a name.

use core::fmt;
use core::str::FromStr;

use shared::oci::name::is_component;

use super::access_token::is_use_due;
use super::ceiling::{Ceiling, InvalidLimit, Limit};
use super::credential::TokenLabel;
use super::credential_use::{AllowedNetworks, LastUse, RefusedUses};
use super::id::{AccountId, NamespaceId, RobotId};
use super::namespace::NamespaceName;
use super::right::Right;
use super::secret_token::SecretKind;

/// Longest name of a robot in bytes, its namespace apart.
pub const MAX_NAME_LENGTH: usize = 64;
/// Most robots above one another.
pub const MAX_DEPTH: usize = 5;

/// A text is no name of a robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a robot has 1 to 64 characters: letters a to z and digits, joined by '.', '_', '__' or dashes"
)]
pub struct InvalidRobotName;

/// The part of a robot's name behind the `+`: one component of a repository name. Upper case is folded.
#[derive(Clone, PartialEq, Eq)]
pub struct RobotName(Box<str>);

impl RobotName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RobotName {
    type Err = InvalidRobotName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let folded = text.to_ascii_lowercase();
        if folded.len() > MAX_NAME_LENGTH || !is_component(&folded) {
            return Err(InvalidRobotName);
        }
        Ok(Self(folded.into()))
    }
}

impl fmt::Display for RobotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RobotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A robot as it is stored, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Robot {
    /// Its id.
    pub robot_id: RobotId,
    /// The namespace that owns it.
    pub namespace_id: NamespaceId,
    /// That namespace's name.
    pub namespace: NamespaceName,
    /// Its name; an organisation's access token has none.
    pub name: Option<RobotName>,
    /// The robot that made it.
    pub parent_id: Option<RobotId>,
    /// What people call it.
    pub label: TokenLabel,
    /// What it may reach at most in its namespace.
    pub ceiling: Ceiling,
    /// Where it may be used.
    pub networks: AllowedNetworks,
    /// Who made it, when an account did.
    pub created_by: Option<AccountId>,
    /// When it was created, in milliseconds since 1970, as all times here.
    pub created_at: i64,
    /// From when on it is refused.
    pub expires_at: Option<i64>,
    /// Since when it is suspended.
    pub suspended_at: Option<i64>,
    /// When it was deleted.
    pub deleted_at: Option<i64>,
    /// When it was used last.
    pub last_use: Option<LastUse>,
    /// Uses that were refused.
    pub refused: Option<RefusedUses>,
    /// Whether the owner of its namespace is disabled or gone.
    pub is_owner_gone: bool,
}

impl Robot {
    /// Whether its secrets are accepted at `now_ms`: it may be suspended all the same.
    pub fn is_live(&self, now_ms: i64) -> bool {
        self.deleted_at.is_none() && self.expires_at.is_none_or(|end| now_ms < end)
    }

    /// Whether it may do something at `now_ms`, as far as it concerns itself and the owner of its namespace.
    pub fn is_active(&self, now_ms: i64) -> bool {
        self.is_live(now_ms) && self.suspended_at.is_none() && !self.is_owner_gone
    }

    /// The user name that clients log in with: `org+ci`, or the organisation for its access token.
    pub fn username(&self) -> String {
        match &self.name {
            Some(name) => format!("{}+{name}", self.namespace),
            None => self.namespace.to_string(),
        }
    }

    /// Whether a client means it by the user name that it sent.
    pub fn is_called(&self, username: &str) -> bool {
        username.eq_ignore_ascii_case(&self.username())
    }

    /// What its secrets are.
    pub fn secret_kind(&self) -> SecretKind {
        match self.name {
            Some(_) => SecretKind::Robot,
            None => SecretKind::OrganisationToken,
        }
    }

    /// How a token says which credential it was issued for.
    pub fn actor(&self) -> String {
        let kind = if self.name.is_some() { "rob" } else { "oat" };
        format!("{kind}:{}", self.robot_id)
    }

    /// Whether a use at `now_ms` is to be written down.
    pub fn is_use_due(&self, now_ms: i64) -> bool {
        is_use_due(self.last_use.as_ref(), now_ms)
    }
}

/// Whether a machine with these ceilings may make, or look after, one with `wanted`: on each of its repositories it
/// administers, and holds every right that the other gets.
pub fn may_delegate(ceilings: &[Ceiling], wanted: &Ceiling) -> bool {
    let Ceiling::Limited(limits) = wanted else {
        return false;
    };
    let asked: Vec<Limit> = limits
        .iter()
        .map(|limit| Limit {
            rights: limit.rights.with(Right::Administer),
            ..limit.clone()
        })
        .collect();
    let asked = Ceiling::Limited(asked.into());
    !ceilings.is_empty() && ceilings.iter().all(|ceiling| asked.is_within(ceiling))
}

/// Why limits are not those of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMachineLimits {
    /// The limits themselves.
    #[error(transparent)]
    Limit(#[from] InvalidLimit),
    /// A pattern reaches out of the namespace.
    #[error("a machine is limited to repositories of its own namespace; rules give it rights elsewhere")]
    Elsewhere,
}

/// The ceiling of a machine: its limits are all inside its namespace.
pub fn check_limits(ceiling: &Ceiling, namespace: &NamespaceName) -> Result<(), InvalidMachineLimits> {
    match ceiling {
        Ceiling::Limited(limits)
            if limits
                .iter()
                .all(|limit| limit.pattern.namespace() == Some(namespace.as_str())) =>
        {
            Ok(())
        }
        Ceiling::Limited(_) | Ceiling::Full => Err(InvalidMachineLimits::Elsewhere),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ceiling(text: &str) -> Ceiling {
        Ceiling::parse(Some(text)).unwrap()
    }

    fn robot(name: Option<&str>) -> Robot {
        Robot {
            robot_id: RobotId::from_i64(7),
            namespace_id: NamespaceId::from_i64(1),
            namespace: "team".parse().unwrap(),
            name: name.map(|name| name.parse().unwrap()),
            parent_id: None,
            label: "ci".parse().unwrap(),
            ceiling: ceiling("pull team/*"),
            networks: AllowedNetworks::default(),
            created_by: None,
            created_at: 0,
            expires_at: Some(100),
            suspended_at: None,
            deleted_at: None,
            last_use: None,
            refused: None,
            is_owner_gone: false,
        }
    }

    #[test]
    fn a_robot_is_called_by_its_namespace_and_name_in_any_case() {
        let ci = robot(Some("CI"));
        assert_eq!(
            (ci.username().as_str(), ci.actor().as_str()),
            ("team+ci", "rob:7")
        );
        assert!(ci.is_called("Team+CI") && !ci.is_called("team") && !ci.is_called("ci"));
        let own = robot(None);
        assert_eq!((own.username().as_str(), own.actor().as_str()), ("team", "oat:7"));
        assert!(own.is_called("TEAM"));
        for text in ["", "a b", "a+b", "a/b", "ä", "-a", &"a".repeat(65)] {
            assert_eq!(text.parse::<RobotName>(), Err(InvalidRobotName), "{text:?}");
        }
    }

    #[test]
    fn a_robot_ends_by_its_date_by_deletion_and_with_its_owner() {
        let now = robot(Some("ci"));
        assert!(now.is_active(99) && !now.is_live(100));
        let suspended = Robot {
            suspended_at: Some(1),
            ..now.clone()
        };
        assert!(suspended.is_live(99) && !suspended.is_active(99));
        let orphan = Robot {
            is_owner_gone: true,
            ..now.clone()
        };
        assert!(!orphan.is_active(99));
        let deleted = Robot {
            deleted_at: Some(1),
            ..now
        };
        assert!(!deleted.is_live(99));
    }

    #[test]
    fn a_robot_makes_robots_only_below_what_it_administers() {
        for (own, wanted, may) in [
            ("* team/*", "pull team/app", true),
            ("* team/app-*", "pull,push team/app-1", true),
            ("* team/app-*", "pull team/web", false),
            ("pull,push,delete,manage team/*", "pull team/app", false),
            ("pull,administer team/*", "pull,push team/app", false),
            ("* team/* push:v*", "push team/app", false),
            ("* team/* push:v*", "push team/app push:v*", true),
            ("* team/*", "* team/*", true),
            ("* team/*", "pull *", false),
        ] {
            assert_eq!(
                may_delegate(&[ceiling(own)], &ceiling(wanted)),
                may,
                "{own}: {wanted}"
            );
        }
        // Every ceiling above counts, also one that was narrowed since.
        let chain = [ceiling("* team/*"), ceiling("pull team/*")];
        assert!(!may_delegate(&chain, &ceiling("pull team/app")));
        assert!(!may_delegate(&[], &ceiling("pull team/app")));
        assert!(!may_delegate(&[Ceiling::Full], &Ceiling::Full));
    }

    #[test]
    fn the_limits_of_a_machine_stay_in_its_namespace() {
        let team = "team".parse().unwrap();
        assert_eq!(check_limits(&ceiling("pull team/*\npush team/x"), &team), Ok(()));
        for text in ["pull *", "pull other/*", "pull team/*\npull other/x"] {
            assert_eq!(
                check_limits(&ceiling(text), &team),
                Err(InvalidMachineLimits::Elsewhere)
            );
        }
        assert!(check_limits(&Ceiling::Full, &team).is_err());
        assert_eq!(
            check_limits(&ceiling("pull centos"), &NamespaceName::library()),
            Ok(())
        );
    }
}
