//! What administrators of the site may decide while it runs.

use std::fmt;
use std::str::FromStr;

use super::audit::words;

words! {
    /// Something that administrators of the site may decide while it runs, by its key in the configuration.
    SettingKey: InvalidSettingKey, "there is no such setting";
    /// What the site is called.
    SiteName = "site.name",
    /// What visitors read first.
    SiteGreeting = "site.greeting",
    /// Who may make an account for themselves.
    SignUp = "sign_up",
    /// Who may make organisations.
    OrganisationsCreate = "organisations.create",
    /// How long a deleted repository can be restored.
    RestoreDelay = "repositories.restore_delay",
    /// Whether those who manage a repository may open comments there. No configuration has it.
    Comments = "comments",
    /// Bytes of a namespace's repositories together.
    QuotaBytes = "quotas.bytes",
    /// Bytes of a namespace, what its repositories share counted once.
    QuotaStorageBytes = "quotas.storage_bytes",
    /// Repositories of a namespace.
    QuotaRepositories = "quotas.repositories",
    /// Tags of a namespace.
    QuotaTags = "quotas.tags",
    /// Whether the registry asks before each manifest.
    QuotaStrict = "quotas.strict",
}

/// How the site presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// What it is called.
    pub name: String,
    /// What visitors read first; empty for what we say of ourselves.
    pub greeting: String,
}

impl Site {
    /// What a site is called that nobody named.
    pub const NAME: &str = "Portolan";
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: Self::NAME.to_owned(),
            greeting: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_found_by_its_key() {
        for key in SettingKey::EVERY {
            assert_eq!(key.as_str().parse(), Ok(*key));
        }
        assert_eq!("public_url".parse::<SettingKey>(), Err(InvalidSettingKey));
    }
}
