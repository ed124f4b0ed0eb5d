//! The secrets of access tokens and robots: at most two of one owner live at once, so that one replaces the other without
//! a gap.

use super::id::{RobotId, SecretId, TokenId};

/// Most secrets of one owner that are live at once.
pub const MAX_LIVE: usize = 2;

/// Whose secret it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretOwner {
    /// A personal access token.
    AccessToken(TokenId),
    /// A robot, or an organisation's access token.
    Robot(RobotId),
}

impl SecretOwner {
    /// How it is stored: a kind and an id.
    pub fn to_parts(self) -> (&'static str, i64) {
        match self {
            Self::AccessToken(id) => ("access_token", id.as_i64()),
            Self::Robot(id) => ("robot", id.as_i64()),
        }
    }

    /// What [`SecretOwner::to_parts`] wrote.
    pub fn of_parts(kind: &str, id: i64) -> Option<Self> {
        match kind {
            "access_token" => Some(Self::AccessToken(TokenId::from_i64(id))),
            "robot" => Some(Self::Robot(RobotId::from_i64(id))),
            _ => None,
        }
    }
}

/// Why a secret, or all of a credential, came to an end before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Another took its place.
    Replaced,
    /// Its owner ended it.
    Revoked,
    /// Somebody found it where it should not be.
    Leaked,
}

impl Ended {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Revoked => "revoked",
            Self::Leaked => "leaked",
        }
    }

    /// The end of a word.
    pub fn find(word: &str) -> Option<Self> {
        [Self::Replaced, Self::Revoked, Self::Leaked]
            .into_iter()
            .find(|end| end.as_str() == word)
    }
}

/// A secret as it is stored: without itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialSecret {
    /// Its id.
    pub secret_id: SecretId,
    /// Whose it is.
    pub owner: SecretOwner,
    /// Its last four characters, by which people tell it from others.
    pub last_four: String,
    /// When it was made, in milliseconds since 1970, as all times here.
    pub created_at: i64,
    /// From when on it is refused; without, as long as its owner lives.
    pub ends_at: Option<i64>,
    /// Why it ends.
    pub ended_because: Option<Ended>,
}

impl CredentialSecret {
    /// Whether it is accepted at `now_ms`, as far as it concerns the secret itself.
    pub fn is_live(&self, now_ms: i64) -> bool {
        self.ends_at.is_none_or(|end| now_ms < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_lives_until_its_end() {
        let secret = CredentialSecret {
            secret_id: SecretId::from_i64(1),
            owner: SecretOwner::Robot(RobotId::from_i64(2)),
            last_four: "abcd".into(),
            created_at: 0,
            ends_at: Some(10),
            ended_because: Some(Ended::Replaced),
        };
        assert!(secret.is_live(9) && !secret.is_live(10));
        assert!(
            CredentialSecret {
                ends_at: None,
                ..secret
            }
            .is_live(i64::MAX)
        );
    }

    #[test]
    fn owners_and_ends_read_back_what_they_write() {
        for owner in [
            SecretOwner::AccessToken(TokenId::from_i64(3)),
            SecretOwner::Robot(RobotId::from_i64(3)),
        ] {
            let (kind, id) = owner.to_parts();
            assert_eq!(SecretOwner::of_parts(kind, id), Some(owner));
        }
        for end in [Ended::Replaced, Ended::Revoked, Ended::Leaked] {
            assert_eq!(Ended::find(end.as_str()), Some(end));
        }
        assert_eq!(
            (Ended::find("x"), SecretOwner::of_parts("device", 1)),
            (None, None)
        );
    }
}
