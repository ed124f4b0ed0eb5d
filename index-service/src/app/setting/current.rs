//! The values that administrators of the site may decide, and how they are written.

use std::time::Duration;

use shared::runtime::config::GoDuration;

use crate::app::Settings;
use crate::app::error::AppError;
use crate::app::organisation::{InvalidOrganisationMakers, OrganisationMakers};
use crate::app::sign_up::{InvalidSignUp, SignUp};
use crate::domain::free_text::{GREETING, SITE_NAME};
use crate::domain::quota::{Amount, InvalidAmount, QuotaDefaults};
use crate::domain::{SettingKey, Site};

/// Longest time that a deleted repository can be restored.
pub const LONGEST_RESTORE: Duration = Duration::from_hours(90 * 24);
/// What is written for no limit.
pub const UNLIMITED: &str = "unlimited";

/// What holds, whoever decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// How the site presents itself.
    pub site: Site,
    /// Who may make an account for themselves.
    pub sign_up: SignUp,
    /// Who may make organisations.
    pub organisation_makers: OrganisationMakers,
    /// How long a deleted repository can be restored, in milliseconds.
    pub restore_delay_ms: i64,
    /// What namespaces may hold of which nothing else was decided.
    pub quotas: QuotaDefaults,
    /// Whether the site has comments, for whoever looks at the settings. Use cases about comments read it themselves.
    has_comments: bool,
}

impl Current {
    /// What holds before administrators of the site have decided anything.
    pub(in crate::app) fn of(settings: &Settings) -> Self {
        Self {
            site: settings.site.clone(),
            sign_up: settings.sign_up,
            organisation_makers: settings.organisation_makers,
            restore_delay_ms: settings.restore_delay_ms,
            quotas: settings.quotas,
            has_comments: false,
        }
    }

    /// One of the values, as the configuration writes it. The same value is always written in the same way.
    pub fn text(&self, key: SettingKey) -> String {
        let limits = &self.quotas.limits;
        match key {
            SettingKey::SiteName => self.site.name.clone(),
            SettingKey::SiteGreeting => self.site.greeting.clone(),
            SettingKey::SignUp => self.sign_up.as_str().to_owned(),
            SettingKey::OrganisationsCreate => self.organisation_makers.as_str().to_owned(),
            SettingKey::RestoreDelay => time(self.restore_delay_ms),
            SettingKey::Comments => self.has_comments.to_string(),
            SettingKey::QuotaBytes => limit(limits.bytes),
            SettingKey::QuotaStorageBytes => limit(limits.storage_bytes),
            SettingKey::QuotaRepositories => limit(limits.repositories),
            SettingKey::QuotaTags => limit(limits.tags),
            SettingKey::QuotaStrict => self.quotas.is_strict.to_string(),
        }
    }

    /// Puts a value in the place of another.
    pub(super) fn decide(&mut self, key: SettingKey, text: &str) -> Result<(), AppError> {
        let limits = &mut self.quotas.limits;
        match key {
            SettingKey::SiteName => {
                let name = SITE_NAME.check(text)?;
                self.site.name = if name.is_empty() {
                    Site::NAME.to_owned()
                } else {
                    name
                };
            }
            SettingKey::SiteGreeting => self.site.greeting = GREETING.check(text)?,
            SettingKey::SignUp => self.sign_up = text.parse()?,
            SettingKey::OrganisationsCreate => self.organisation_makers = text.parse()?,
            SettingKey::RestoreDelay => self.restore_delay_ms = read_time(text)?,
            SettingKey::Comments => self.has_comments = read_flag(text)?,
            SettingKey::QuotaBytes => limits.bytes = read_limit(text)?,
            SettingKey::QuotaStorageBytes => limits.storage_bytes = read_limit(text)?,
            SettingKey::QuotaRepositories => limits.repositories = read_limit(text)?,
            SettingKey::QuotaTags => limits.tags = read_limit(text)?,
            SettingKey::QuotaStrict => self.quotas.is_strict = read_flag(text)?,
        }
        Ok(())
    }
}

/// Whether a text says that there is no limit.
pub fn is_unlimited(text: &str) -> bool {
    let text = text.trim();
    text.eq_ignore_ascii_case(UNLIMITED) || text.eq_ignore_ascii_case("none")
}

fn limit(limit: Option<u64>) -> String {
    limit.map_or_else(|| UNLIMITED.to_owned(), |limit| limit.to_string())
}

fn read_limit(text: &str) -> Result<Option<u64>, AppError> {
    // The API writes so in other places.
    if is_unlimited(text) || text.trim() == "-1" {
        return Ok(None);
    }
    match text.parse() {
        Ok(Amount(limit)) => Ok(Some(limit)),
        Err(InvalidAmount) => Err(AppError::Invalid(
            "a limit of the site is a number such as 1000 or 500 GB, or unlimited".to_owned(),
        )),
    }
}

/// A time in its largest unit that leaves no rest.
fn time(ms: i64) -> String {
    for (unit, length) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if ms % length == 0 {
            return format!("{}{unit}", ms / length);
        }
    }
    format!("{ms}ms")
}

fn read_time(text: &str) -> Result<i64, AppError> {
    let wrong = || {
        AppError::Invalid("deleted repositories are kept for 0s to 90d: a time such as 168h or 7d".to_owned())
    };
    let text = text.trim();
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
    let time: Duration = match days {
        Some(days) => Duration::from_secs(u64::from(days) * 86_400),
        // A bare number would be nanoseconds, which nobody means.
        None if text != "0" && text.bytes().all(|byte| byte.is_ascii_digit()) => return Err(wrong()),
        None => text.parse::<GoDuration>().map_err(|_| wrong())?.into(),
    };
    if time > LONGEST_RESTORE {
        return Err(wrong());
    }
    i64::try_from(time.as_millis()).map_err(|_| wrong())
}

fn read_flag(text: &str) -> Result<bool, AppError> {
    match text.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(AppError::Invalid("this setting is true or false".to_owned())),
    }
}

impl From<InvalidSignUp> for AppError {
    fn from(error: InvalidSignUp) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<InvalidOrganisationMakers> for AppError {
    fn from(error: InvalidOrganisationMakers) -> Self {
        Self::Invalid(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blank() -> Current {
        Current {
            site: Site::default(),
            sign_up: SignUp::Closed,
            organisation_makers: OrganisationMakers::Everyone,
            restore_delay_ms: 7 * 86_400_000,
            quotas: QuotaDefaults::default(),
            has_comments: false,
        }
    }

    #[test]
    fn what_was_written_is_read_back_in_one_way_alone() {
        for (key, text, kept) in [
            (SettingKey::SiteName, " 镜像站 ", "镜像站"),
            (SettingKey::SiteName, "", "Portolan"),
            (SettingKey::SiteGreeting, "a\nb", "a\nb"),
            (SettingKey::SignUp, "invitation", "invitation"),
            (SettingKey::OrganisationsCreate, "admins", "admins"),
            (SettingKey::RestoreDelay, "7d", "168h"),
            (SettingKey::RestoreDelay, "90m", "90m"),
            (SettingKey::RestoreDelay, "1.5s", "1500ms"),
            (SettingKey::RestoreDelay, "0", "0h"),
            (SettingKey::RestoreDelay, "90d", "2160h"),
            (SettingKey::Comments, "true", "true"),
            (SettingKey::QuotaBytes, "500 GB", "500000000000"),
            (SettingKey::QuotaStorageBytes, "Unlimited", "unlimited"),
            (SettingKey::QuotaRepositories, "-1", "unlimited"),
            (SettingKey::QuotaTags, "0", "0"),
            (SettingKey::QuotaStrict, "true", "true"),
        ] {
            let mut current = blank();
            current.decide(key, text).unwrap();
            assert_eq!(current.text(key), kept, "{key}");
            current.decide(key, kept).unwrap();
            assert_eq!(current.text(key), kept, "{key}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_changes_nothing() {
        let name = "x".repeat(41);
        let greeting = "x".repeat(501);
        for (key, text) in [
            (SettingKey::SiteName, name.as_str()),
            (SettingKey::SiteName, "a\nb"),
            (SettingKey::SiteGreeting, &greeting),
            (SettingKey::SiteGreeting, "a\u{202e}b"),
            (SettingKey::SignUp, "Open"),
            (SettingKey::SignUp, ""),
            (SettingKey::OrganisationsCreate, "nobody"),
            (SettingKey::RestoreDelay, "168"),
            (SettingKey::RestoreDelay, "91d"),
            (SettingKey::RestoreDelay, "-1h"),
            (SettingKey::RestoreDelay, "a week"),
            (SettingKey::RestoreDelay, ""),
            (SettingKey::Comments, "yes"),
            (SettingKey::QuotaBytes, "much"),
            (SettingKey::QuotaTags, "-2"),
            (SettingKey::QuotaStrict, ""),
        ] {
            let mut current = blank();
            assert!(
                matches!(current.decide(key, text), Err(AppError::Invalid(_))),
                "{key} {text}"
            );
            assert_eq!(current, blank(), "{key} {text}");
        }
    }
}
