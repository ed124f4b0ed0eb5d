//! Accounts and the rules of their names.

use std::fmt;
use std::str::FromStr;

use shared::front_door::RESERVED_NAMESPACES;
use shared::oci::name::{LIBRARY, is_component};

use super::ceiling::Ceiling;
use super::credential::PasswordHash;
use super::id::AccountId;
use super::permission::{AccountPrincipal, Principal};

/// Longest user name in bytes.
pub const MAX_USERNAME_LENGTH: usize = 64;

/// Names that no account may have besides [`RESERVED_NAMESPACES`] and [`LIBRARY`]: first path segments that pages and
/// APIs of the index use or will use, and names that clients send instead of a user name.
const RESERVED: [&str; 30] = [
    "about",
    "account",
    "anonymous",
    "api",
    "assets",
    "badge",
    "docs",
    "explore",
    "favicon.ico",
    "healthz",
    "help",
    "hub",
    "livez",
    "login",
    "logout",
    "metrics",
    "new",
    "oauth",
    "oauth2accesstoken",
    "oidc",
    "portolan",
    "readyz",
    "register",
    "robots.txt",
    "service",
    "settings",
    "static",
    "v1",
    "v2",
    "webhooks",
];

/// An account as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub account_id: AccountId,
    /// Its name.
    pub username: Username,
    /// What its password is verified against.
    pub password_hash: PasswordHash,
    /// Grows by one with each change of the password; what was issued under an older one is void.
    pub password_version: i64,
    /// Whether it administers the site.
    pub is_admin: bool,
    /// Since when it is disabled, in milliseconds since 1970.
    pub disabled_at: Option<i64>,
    /// When it was created, in milliseconds since 1970.
    pub created_at: i64,
}

impl Account {
    /// The account as a decision sees it through a credential with this ceiling.
    pub fn principal(&self, ceiling: Ceiling) -> Principal {
        Principal::Account(AccountPrincipal {
            account_id: self.account_id,
            is_admin: self.is_admin,
            is_disabled: self.disabled_at.is_some(),
            ceiling,
        })
    }
}

/// Why a text is not the name of an account or an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUsername {
    /// Empty, or over [`MAX_USERNAME_LENGTH`] bytes.
    #[error("the name of an account or an organisation has 1 to 64 characters")]
    Length,
    /// Outside the grammar of one repository name component.
    #[error(
        "the name of an account or an organisation is made of letters a to z and digits, joined by '.', '_', '__' or dashes"
    )]
    Characters,
    /// Kept for the service itself.
    #[error("this name is reserved")]
    Reserved,
}

/// The name of an account or of an organisation: one component of a repository name, since either owns the namespace of
/// its name. Upper-case ASCII
/// letters are accepted, kept for display and folded for everything else; two names that differ in case are one name.
#[derive(Clone, PartialEq, Eq)]
pub struct Username {
    folded: Box<str>,
    display: Box<str>,
}

impl Username {
    /// The name that identifies: lower case.
    pub fn as_str(&self) -> &str {
        &self.folded
    }

    /// The name as its owner wrote it; differs from [`Username::as_str`] in case at most.
    pub fn display_name(&self) -> &str {
        &self.display
    }

    /// A name that was stored before, with its display form. It may have become reserved since.
    pub fn stored(folded: &str, display: &str) -> Result<Self, InvalidUsername> {
        if !is_component(folded) || !display.eq_ignore_ascii_case(folded) {
            return Err(InvalidUsername::Characters);
        }
        Ok(Self {
            folded: folded.into(),
            display: display.into(),
        })
    }
}

impl FromStr for Username {
    type Err = InvalidUsername;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.len() > MAX_USERNAME_LENGTH {
            return Err(InvalidUsername::Length);
        }
        // ASCII alone is folded: a letter outside ASCII is left as it is and refused by the grammar.
        let folded = text.to_ascii_lowercase();
        if !is_component(&folded) {
            return Err(InvalidUsername::Characters);
        }
        let name = folded.as_str();
        if name == LIBRARY || RESERVED.contains(&name) || RESERVED_NAMESPACES.contains(&name) {
            return Err(InvalidUsername::Reserved);
        }
        Ok(Self {
            folded: folded.into(),
            display: text.into(),
        })
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.folded)
    }
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.folded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_is_folded_and_keeps_its_display_form() {
        let name: Username = "Ada.Lovelace-1".parse().unwrap();
        assert_eq!(
            (name.as_str(), name.display_name()),
            ("ada.lovelace-1", "Ada.Lovelace-1")
        );
        let longest = "a".repeat(64);
        for text in ["a", "0", "admin", "a__b", "a--b", longest.as_str()] {
            assert_eq!(
                text.parse::<Username>().map(|n| n.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn no_encoding_or_unicode_trick_passes() {
        let long = "a".repeat(65);
        for (text, reason) in [
            ("", InvalidUsername::Length),
            (long.as_str(), InvalidUsername::Length),
            ("ädä", InvalidUsername::Characters),
            ("\u{212a}arl", InvalidUsername::Characters), // the Kelvin sign, which Unicode folds to k
            ("\u{ff41}dmin", InvalidUsername::Characters), // a full-width a
            ("adm\u{131}n", InvalidUsername::Characters), // a dotless i
            ("ad\u{200b}min", InvalidUsername::Characters), // a zero-width space
            ("аdmin", InvalidUsername::Characters),       // a Cyrillic a
            ("admin\0", InvalidUsername::Characters),
            ("admin ", InvalidUsername::Characters),
            (" admin", InvalidUsername::Characters),
            ("admin\n", InvalidUsername::Characters),
            ("a/b", InvalidUsername::Characters),
            ("a%2fb", InvalidUsername::Characters),
            ("%61dmin", InvalidUsername::Characters),
            ("..", InvalidUsername::Characters),
            ("a..b", InvalidUsername::Characters),
            ("-a", InvalidUsername::Characters),
            ("a-", InvalidUsername::Characters),
            ("a___b", InvalidUsername::Characters),
            ("<token>", InvalidUsername::Characters),
            ("a+b", InvalidUsername::Characters),
            ("a@b", InvalidUsername::Characters),
        ] {
            assert_eq!(text.parse::<Username>(), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn reserved_names_are_refused_in_any_case() {
        for name in RESERVED_NAMESPACES
            .into_iter()
            .chain(RESERVED)
            .chain(["library", "v1", "v2", "api", "hub", "static"])
        {
            for text in [name.to_owned(), name.to_uppercase()] {
                assert_eq!(text.parse::<Username>(), Err(InvalidUsername::Reserved), "{text}");
            }
        }
    }

    #[test]
    fn a_stored_name_is_read_even_when_it_was_reserved_later() {
        let name = Username::stored("users", "Users").unwrap();
        assert_eq!((name.as_str(), name.display_name()), ("users", "Users"));
        assert!(Username::stored("ada", "eve").is_err());
        assert!(Username::stored("Ada", "Ada").is_err());
    }

    proptest::proptest! {
        #[test]
        fn every_accepted_name_is_a_lower_case_component(text in "\\PC{0,12}|[A-Za-z0-9._-]{0,70}") {
            if let Ok(name) = text.parse::<Username>() {
                proptest::prop_assert!(is_component(name.as_str()) && name.as_str().len() <= 64);
                proptest::prop_assert!(name.display_name().eq_ignore_ascii_case(name.as_str()));
                proptest::prop_assert_eq!(name.as_str().parse::<Username>().unwrap().to_string(), name.to_string());
            }
        }
    }
}
