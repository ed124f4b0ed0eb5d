//! Where events lie: `portolan/events/<endpoint>/`, beside distribution's tree, which knows nothing of it.
//!
//! `queue/<repository>-<number>` waits for delivery, `last/<repository>/<number>` is the last number that was given,
//! `dead/<repository>-<number>` was given up. All that waits lies in one folder, so that one look tells whether
//! anything came.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use shared::oci::RepositoryName;

use crate::registry::LEASES;
use crate::storage::{Key, StagedId};

/// The prefix of all endpoints; its children are their names.
pub(super) const EVENTS: &str = "portolan/events";
/// A longer name, in bytes, stands there by its hash.
const LONGEST: usize = 200;
/// `-` and a number.
const NUMBER_LENGTH: usize = 21;

/// The keys of one endpoint.
#[derive(Debug, Clone)]
pub(super) struct Folder(String);

/// The name of an event in a queue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// The repository, as [`of_repository`] writes it.
    pub(super) repository: String,
    /// Its place in the order of the repository's events.
    pub(super) number: u64,
}

impl Folder {
    pub(super) fn of(endpoint: &str) -> Self {
        Self(escaped(endpoint))
    }

    /// A folder that was found.
    pub(super) fn found(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The endpoint's name, as far as the folder's tells.
    pub(super) fn endpoint(&self) -> String {
        unescaped(&self.0)
    }

    pub(super) fn queue(&self) -> Key {
        key(&format!("{EVENTS}/{}/queue", self.0))
    }

    pub(super) fn dead(&self) -> Key {
        key(&format!("{EVENTS}/{}/dead", self.0))
    }

    pub(super) fn counter(&self, repository: &str) -> Key {
        key(&format!("{EVENTS}/{}/last/{repository}", self.0))
    }

    /// What the keys of a repository's events begin with.
    pub(super) fn stem(&self, repository: &str) -> Key {
        key(&format!("{EVENTS}/{}/queue/{repository}", self.0))
    }

    pub(super) fn waiting(&self, name: &Name) -> Key {
        key(&format!("{EVENTS}/{}/queue/{name}", self.0))
    }

    pub(super) fn buried(&self, name: &Name) -> Key {
        key(&format!("{EVENTS}/{}/dead/{name}", self.0))
    }

    /// Whoever has this open delivers.
    pub(super) fn lease(&self) -> StagedId {
        let text = format!("{LEASES}{}", &hash(&self.0)[..32]);
        #[expect(clippy::expect_used, reason = "small letters, digits and '-', less than 128")]
        StagedId::parse(&text).expect("a lease's name")
    }
}

impl Name {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (repository, number) = text.split_at_checked(text.len().checked_sub(NUMBER_LENGTH)?)?;
        let number = number.strip_prefix('-')?;
        let is_number = number.bytes().all(|b| b.is_ascii_digit());
        Some(Self {
            repository: Some(repository)
                .filter(|name| !name.is_empty() && is_number)?
                .to_owned(),
            number: number.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:020}", self.repository, self.number)
    }
}

/// A repository's name as one component: no name has a `+`.
pub(super) fn of_repository(repository: &RepositoryName) -> String {
    if repository.as_str().len() > LONGEST {
        format!("+{}", hash(repository.as_str()))
    } else {
        repository.as_str().replace('/', "+")
    }
}

fn key(text: &str) -> Key {
    #[expect(
        clippy::expect_used,
        reason = "components of at most 255 allowed bytes, and few of them"
    )]
    Key::parse(text).expect("a key of escaped names")
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => escaped.push(char::from(byte)),
            b'.' if !escaped.is_empty() => escaped.push('.'),
            _ => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    if escaped.len() > LONGEST {
        format!("+{}", hash(text))
    } else {
        escaped
    }
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let hex = rest.get(at + 1..at + 3);
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &rest[at + 3..];
        } else {
            bytes.push(b'%');
            rest = &rest[at + 1..];
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_endpoints_and_repositories_are_told_apart_and_make_keys() {
        for name in ["alice", "a/b c", "..", ".hidden", "50%", "ä", "a.b"] {
            let folder = Folder::of(name);
            assert_eq!(Folder::found(&folder.0).endpoint(), name);
            assert!(folder.queue().as_str().starts_with("portolan/events/"));
            assert!(folder.lease().as_str().starts_with(LEASES));
        }
        let long = "ä".repeat(200);
        assert!(Folder::of(&long).dead().as_str().len() < 100);
        assert_ne!(Folder::of(&long).lease(), Folder::of(&format!("{long}x")).lease());
        let of = |name: &str| of_repository(&name.parse().unwrap());
        assert_eq!(of("team/app"), "team+app");
        let longest = "a".repeat(255);
        assert_eq!(of(&longest).len(), 65);
        assert!(
            Folder::of(&long)
                .counter(&of(&longest))
                .as_str()
                .contains("/last/+")
        );
    }

    #[test]
    fn an_events_name_survives_its_text() {
        let name = Name {
            repository: "team+app-00000000000000000007".to_owned(),
            number: 12,
        };
        let text = name.to_string();
        assert_eq!(text, "team+app-00000000000000000007-00000000000000000012");
        assert_eq!(Name::parse(&text), Some(name));
        for bad in [
            "",
            "x",
            "-00000000000000000001",
            "a-0000000000000000000x",
            "a00000000000000000001",
        ] {
            assert_eq!(Name::parse(bad), None, "{bad}");
        }
    }
}
