//! Personal access tokens: random secrets that stand for their account where a password is asked for.

use super::ceiling::Ceiling;
use super::credential::{TokenLabel, USE_INTERVAL_MS};
use super::credential_secret::Ended;
use super::credential_use::{AllowedNetworks, LastUse, RefusedUses};
use super::id::{AccountId, TokenId};

/// A personal access token as it is stored, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Its id.
    pub token_id: TokenId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What its owner calls it.
    pub label: TokenLabel,
    /// What it may reach at most.
    pub ceiling: Ceiling,
    /// Where it may be used.
    pub networks: AllowedNetworks,
    /// When it was created, in milliseconds since 1970, as all times here.
    pub created_at: i64,
    /// From when on it is refused.
    pub expires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// Why it was revoked.
    pub revoked_because: Option<Ended>,
    /// When it was used last.
    pub last_use: Option<LastUse>,
    /// Uses that were refused.
    pub refused: Option<RefusedUses>,
}

impl AccessToken {
    /// Whether it is accepted at `now_ms`.
    pub fn is_live(&self, now_ms: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now_ms < end)
    }

    /// Whether a use at `now_ms` is to be written down.
    pub fn is_use_due(&self, now_ms: i64) -> bool {
        is_use_due(self.last_use.as_ref(), now_ms)
    }
}

/// Whether a use at `now_ms` is to be written down, once in [`USE_INTERVAL_MS`].
pub(super) fn is_use_due(last: Option<&LastUse>, now_ms: i64) -> bool {
    last.is_none_or(|last| last.at <= now_ms - USE_INTERVAL_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_token_is_live_until_it_expires_or_is_revoked() {
        let token = AccessToken {
            token_id: TokenId::from_i64(1),
            account_id: AccountId::from_i64(1),
            label: "ci".parse().unwrap(),
            ceiling: Ceiling::Full,
            networks: AllowedNetworks::default(),
            created_at: 0,
            expires_at: Some(100),
            revoked_at: None,
            revoked_because: None,
            last_use: Some(LastUse {
                at: 40_000,
                address: None,
                client: String::new(),
            }),
            refused: None,
        };
        assert!(token.is_live(99) && !token.is_live(100));
        assert!(!token.is_use_due(99_999) && token.is_use_due(100_000));
        let revoked = AccessToken {
            revoked_at: Some(5),
            revoked_because: Some(Ended::Leaked),
            expires_at: None,
            ..token
        };
        assert!(!revoked.is_live(1));
        assert!(
            AccessToken {
                revoked_at: None,
                ..revoked
            }
            .is_live(i64::MAX)
        );
    }
}
