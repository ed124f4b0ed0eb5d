//! Devices: clients that logged in with a password once and keep a refresh token.

use super::ceiling::Ceiling;
use super::credential::USE_INTERVAL_MS;
use super::id::{AccountId, DeviceId};

/// A device as it is stored: a refresh token without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub device_id: DeviceId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The `client_id` that asked for it.
    pub client_id: String,
    /// The `User-Agent` that asked for it.
    pub user_agent: String,
    /// The version of the password that it was issued under.
    pub password_version: i64,
    /// What it may reach at most.
    pub ceiling: Ceiling,
    /// The address that asked for it, as far as it is known.
    pub created_address: Option<String>,
    /// The address that used it last, as far as it is known.
    pub last_address: Option<String>,
    /// When it was created, in milliseconds since 1970, as all times here.
    pub created_at: i64,
    /// When it was used last, to the minute.
    pub last_used_at: i64,
    /// From when on it is refused however often it is used.
    pub expires_at: i64,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// When the password was given last in it; of sessions of the web pages alone.
    pub confirmed_at: Option<i64>,
    /// Until when administration goes on in it without the password.
    pub confirmed_until: Option<i64>,
}

/// How long a password that was given counts, in milliseconds: a quarter of an hour since it was used last.
pub const CONFIRMED_MS: i64 = 15 * 60_000;
/// And how long at most, in milliseconds: 8 hours.
const CONFIRMED_AT_MOST_MS: i64 = 8 * 3_600_000;

impl Device {
    /// Whether it is accepted at `now_ms` while the account's password has the given version: neither revoked, nor
    /// over its end, nor unused for `idle_ms`, nor issued under an older password.
    pub fn is_live(&self, now_ms: i64, password_version: i64, idle_ms: i64) -> bool {
        self.revoked_at.is_none()
            && now_ms < self.expires_at
            && now_ms.saturating_sub(self.last_used_at) < idle_ms
            && self.password_version == password_version
    }

    /// Whether the password was given in it a short time ago.
    pub fn is_confirmed(&self, now_ms: i64) -> bool {
        self.confirmed_until.is_some_and(|until| now_ms < until)
    }

    /// Until when it is confirmed since it administers at `now_ms`, where that is to be written down: of many uses in a minute
    /// once, and never beyond 8 hours after the password.
    pub fn confirmed_on(&self, now_ms: i64) -> Option<i64> {
        let (at, until) = (self.confirmed_at?, self.confirmed_until?);
        let on = (now_ms + CONFIRMED_MS).min(at + CONFIRMED_AT_MOST_MS);
        (self.is_confirmed(now_ms) && on - until >= USE_INTERVAL_MS).then_some(on)
    }

    /// Whether a use at `now_ms` is to be written down.
    pub fn is_use_due(&self, now_ms: i64) -> bool {
        self.last_used_at <= now_ms - USE_INTERVAL_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_dies_by_idleness_by_age_by_revocation_and_with_the_password() {
        let device = Device {
            device_id: DeviceId::from_i64(1),
            account_id: AccountId::from_i64(1),
            client_id: "docker".into(),
            user_agent: String::new(),
            password_version: 3,
            ceiling: Ceiling::Full,
            created_address: None,
            last_address: None,
            created_at: 0,
            last_used_at: 50,
            expires_at: 100,
            revoked_at: None,
            confirmed_at: None,
            confirmed_until: None,
        };
        assert!(device.is_live(99, 3, 50));
        assert!(!device.is_live(100, 3, 60), "over its end");
        assert!(!device.is_live(99, 3, 49), "idle");
        assert!(!device.is_live(99, 4, 50), "older password");
        assert!(
            !Device {
                revoked_at: Some(60),
                ..device
            }
            .is_live(99, 3, 50),
            "revoked"
        );
    }

    #[test]
    fn a_confirmation_goes_on_while_it_is_used_and_ends_after_eight_hours() {
        const MINUTE: i64 = 60_000;
        let mut device = Device {
            device_id: DeviceId::from_i64(1),
            account_id: AccountId::from_i64(1),
            client_id: "portolan-web".into(),
            user_agent: String::new(),
            password_version: 1,
            ceiling: Ceiling::Full,
            created_address: None,
            last_address: None,
            created_at: 0,
            last_used_at: 0,
            expires_at: i64::MAX,
            revoked_at: None,
            confirmed_at: None,
            confirmed_until: None,
        };
        assert!(!device.is_confirmed(0), "a session of before");
        assert_eq!(device.confirmed_on(0), None);
        (device.confirmed_at, device.confirmed_until) = (Some(0), Some(CONFIRMED_MS));
        assert!(device.is_confirmed(CONFIRMED_MS - 1) && !device.is_confirmed(CONFIRMED_MS));
        assert_eq!(device.confirmed_on(MINUTE - 1), None, "once a minute");
        assert_eq!(device.confirmed_on(CONFIRMED_MS), None, "what is over stays so");
        let mut now = 0;
        while let Some(on) = device.confirmed_on(now + 14 * MINUTE) {
            now += 14 * MINUTE;
            device.confirmed_until = Some(on);
        }
        assert_eq!(device.confirmed_until, Some(8 * 60 * MINUTE));
    }
}
