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
}

impl Device {
    /// Whether it is accepted at `now_ms` while the account's password has the given version: neither revoked, nor
    /// over its end, nor unused for `idle_ms`, nor issued under an older password.
    pub fn is_live(&self, now_ms: i64, password_version: i64, idle_ms: i64) -> bool {
        self.revoked_at.is_none()
            && now_ms < self.expires_at
            && now_ms.saturating_sub(self.last_used_at) < idle_ms
            && self.password_version == password_version
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
}
