//! Personal access tokens: random secrets that stand for their account where a password is asked for.

use shared::token::Actions;

use super::credential::{Ceiling, TokenLabel, USE_INTERVAL_MS};
use super::id::{AccountId, TokenId};
use super::pattern::RepositoryPattern;

/// A personal access token as it is stored, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Its id.
    pub token_id: TokenId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What its owner calls it.
    pub label: TokenLabel,
    /// The last four characters of its secret, to tell tokens apart.
    pub last_four: String,
    /// Actions it allows at most; `*` is all of them.
    pub actions: Actions,
    /// Repositories it reaches.
    pub pattern: RepositoryPattern,
    /// When it was created, in milliseconds since 1970, as all times here.
    pub created_at: i64,
    /// From when on it is refused.
    pub expires_at: Option<i64>,
    /// When its owner revoked it.
    pub revoked_at: Option<i64>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<i64>,
}

impl AccessToken {
    /// What it may reach at most.
    pub fn ceiling(&self) -> Ceiling {
        Ceiling::Limited {
            actions: self.actions,
            pattern: self.pattern.clone(),
        }
    }

    /// Whether it is accepted at `now_ms`.
    pub fn is_live(&self, now_ms: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now_ms < end)
    }

    /// Whether a use at `now_ms` is to be written down.
    pub fn is_use_due(&self, now_ms: i64) -> bool {
        self.last_used_at
            .is_none_or(|last| last <= now_ms - USE_INTERVAL_MS)
    }
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
            last_four: "abcd".into(),
            actions: Actions::PULL,
            pattern: RepositoryPattern::every(),
            created_at: 0,
            expires_at: Some(100),
            revoked_at: None,
            last_used_at: Some(40_000),
        };
        assert!(token.is_live(99) && !token.is_live(100));
        assert!(!token.is_use_due(99_999) && token.is_use_due(100_000));
        let revoked = AccessToken {
            revoked_at: Some(5),
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
