//! When signing keys take turns.
//!
//! A key is published before it signs, so that every registry knows it by then, and stays published after it has signed,
//! until its last token has ended.

use std::fmt;
use std::str::FromStr;

/// What a signing key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It is published and will sign.
    Next,
    /// It signs.
    Current,
    /// It has signed; what it signed may be valid still.
    Retired,
}

impl KeyState {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Retired => "retired",
        }
    }
}

/// A word is no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing key is next, current or retired")]
pub struct InvalidKeyState;

impl FromStr for KeyState {
    type Err = InvalidKeyState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Next, Self::Current, Self::Retired]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(InvalidKeyState)
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A signing key, but the key itself. All times are in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeyFacts {
    /// Its JWK thumbprint.
    pub key_id: String,
    /// What it does.
    pub state: KeyState,
    /// Since when it is published.
    pub created_at: i64,
    /// The next key: from when on it shall sign, when somebody asked for that.
    pub promote_at: Option<i64>,
    /// Since when it signs, or when it began to.
    pub activated_at: Option<i64>,
    /// A retired key: until when it is published.
    pub withdraw_at: Option<i64>,
}

/// What the operator decides about rotation. All times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationPlan {
    /// How long a key signs; `None` for as long as nobody asks for another.
    pub every: Option<i64>,
    /// How long a key is published before it signs: longer than registries keep the published keys.
    pub notice: i64,
    /// How long a key stays published after it signed last: longer than a token lives.
    pub overlap: i64,
}

/// One change that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RotationStep {
    /// A key is to be made and published.
    Publish,
    /// The next key is to sign, and the current one to retire.
    Promote {
        /// The key that signs from now on.
        next: String,
    },
    /// A retired key is to go.
    Withdraw(String),
}

/// The next change that is due, if any.
pub fn due(keys: &[SigningKeyFacts], plan: &RotationPlan, now_ms: i64) -> Option<RotationStep> {
    let of = |state| keys.iter().find(|key| key.state == state);
    let Some(next) = of(KeyState::Next) else {
        return Some(RotationStep::Publish);
    };
    let Some(current) = of(KeyState::Current) else {
        // Nobody signs: there is nothing to wait for.
        return Some(RotationStep::Promote {
            next: next.key_id.clone(),
        });
    };
    let is_asked = next.promote_at.is_some_and(|at| at <= now_ms);
    let is_turn = plan.every.is_some_and(|every| {
        let since = current.activated_at.unwrap_or(current.created_at);
        since.saturating_add(every) <= now_ms
    });
    if (is_asked || is_turn) && next.created_at.saturating_add(plan.notice) <= now_ms {
        return Some(RotationStep::Promote {
            next: next.key_id.clone(),
        });
    }
    keys.iter()
        .find(|key| key.withdraw_at.is_some_and(|at| at <= now_ms))
        .map(|key| RotationStep::Withdraw(key.key_id.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: RotationPlan = RotationPlan {
        every: Some(1000),
        notice: 100,
        overlap: 50,
    };

    fn key(id: &str, state: KeyState, created_at: i64) -> SigningKeyFacts {
        SigningKeyFacts {
            key_id: id.to_owned(),
            state,
            created_at,
            promote_at: None,
            activated_at: (state != KeyState::Next).then_some(created_at),
            withdraw_at: (state == KeyState::Retired).then_some(created_at + 500),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with what may be none")]
    fn promote(id: &str) -> Option<RotationStep> {
        Some(RotationStep::Promote { next: id.to_owned() })
    }

    #[test]
    fn there_is_always_a_next_key_and_it_signs_when_its_turn_comes() {
        let current = key("a", KeyState::Current, 0);
        assert_eq!(due(&[], &PLAN, 0), Some(RotationStep::Publish));
        assert_eq!(
            due(std::slice::from_ref(&current), &PLAN, 0),
            Some(RotationStep::Publish)
        );
        let keys = [current, key("b", KeyState::Next, 0)];
        for (at, step) in [(0, None), (999, None), (1000, promote("b")), (5000, promote("b"))] {
            assert_eq!(due(&keys, &PLAN, at), step, "{at}");
        }
        let never = RotationPlan { every: None, ..PLAN };
        assert_eq!(due(&keys, &never, i64::MAX), None);
    }

    #[test]
    fn no_key_signs_before_it_was_published_long_enough() {
        let mut next = key("b", KeyState::Next, 2000);
        next.promote_at = Some(0);
        let keys = [key("a", KeyState::Current, 0), next];
        assert_eq!(due(&keys, &PLAN, 2099), None);
        assert_eq!(due(&keys, &PLAN, 2100), promote("b"));
    }

    #[test]
    fn a_rotation_that_was_asked_for_waits_for_its_time_alone() {
        let mut next = key("b", KeyState::Next, 0);
        next.promote_at = Some(300);
        let keys = [key("a", KeyState::Current, 0), next];
        assert_eq!(due(&keys, &PLAN, 299), None);
        assert_eq!(due(&keys, &PLAN, 300), promote("b"));
    }

    #[test]
    fn a_retired_key_is_withdrawn_at_its_time_and_the_next_signs_when_nobody_does() {
        let keys = [
            key("a", KeyState::Current, 0),
            key("b", KeyState::Next, 0),
            key("c", KeyState::Retired, 0),
        ];
        assert_eq!(due(&keys, &PLAN, 499), None);
        assert_eq!(
            due(&keys, &PLAN, 500),
            Some(RotationStep::Withdraw("c".to_owned()))
        );
        assert_eq!(due(&keys[1..2], &PLAN, 0), promote("b"));
    }

    #[test]
    fn a_state_reads_back_what_it_writes() {
        for state in [KeyState::Next, KeyState::Current, KeyState::Retired] {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert_eq!("Next".parse::<KeyState>(), Err(InvalidKeyState));
    }
}
