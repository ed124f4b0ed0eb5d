//! A setting as a field of the form.

use crate::app::organisation::OrganisationMakers;
use crate::app::setting::{Setting, UNLIMITED};
use crate::app::sign_up::SignUp;
use crate::domain::SettingKey;
use crate::http::web::view::View;

/// A setting as a field of the form.
pub(super) struct Field {
    /// The key in the configuration, and the name of the field.
    pub(super) name: &'static str,
    /// The field's id on the page.
    pub(super) id: String,
    /// What it is called, in the reader's language.
    pub(super) label: String,
    /// What it is about.
    pub(super) hint: String,
    /// What stands in it.
    pub(super) text: String,
    /// What stood in it as long as nobody typed anything.
    pub(super) known: String,
    /// What holds, in words.
    pub(super) shown: String,
    /// What holds when nobody decides otherwise, in words.
    pub(super) default: String,
    /// The words to choose from, and what they mean; none where a text is typed.
    pub(super) choices: Vec<(&'static str, String)>,
    /// Whether a text of several lines is typed.
    pub(super) is_long: bool,
    /// Whether the configuration says it.
    pub(super) is_fixed: bool,
    /// Whether administrators decided it.
    pub(super) is_changed: bool,
}

impl Field {
    /// What is known, and what was typed where the form is shown again.
    pub(super) fn new(view: &View, setting: &Setting, form: &[(String, String)]) -> Self {
        let key = setting.key;
        let name = key.as_str();
        let known = written(key, &setting.value);
        let mut typed_again = form.iter().filter(|(field, _)| field == name);
        let (label, hint) = texts(view, key);
        Self {
            name,
            id: format!("setting-{}", name.replace(['.', '_'], "-")),
            label,
            hint,
            text: typed_again
                .next()
                .map_or_else(|| known.clone(), |(_, text)| typed(text)),
            known,
            shown: in_words(view, key, &setting.value),
            default: in_words(view, key, &setting.default),
            choices: choices(view, key),
            is_long: key == SettingKey::SiteGreeting,
            is_fixed: setting.is_fixed,
            is_changed: setting.is_changed(),
        }
    }

    /// Whether this word is chosen.
    pub(super) fn has(&self, word: &str) -> bool {
        self.text == word
    }
}

/// What was typed, without what browsers add to it.
pub(super) fn typed(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

fn texts(view: &View, key: SettingKey) -> (String, String) {
    match key {
        SettingKey::SiteName => (view.t("admin-settings-name"), view.t("admin-settings-name-hint")),
        SettingKey::SiteGreeting => (
            view.t("admin-settings-greeting"),
            view.t("admin-settings-greeting-hint"),
        ),
        SettingKey::SignUp => (
            view.t("admin-settings-sign-up"),
            view.t("admin-settings-sign-up-hint"),
        ),
        SettingKey::OrganisationsCreate => (
            view.t("admin-settings-makers"),
            view.t("admin-settings-makers-hint"),
        ),
        SettingKey::RestoreDelay => (
            view.t("admin-settings-restore"),
            view.t("admin-settings-restore-hint"),
        ),
        SettingKey::Comments => (
            view.t("admin-settings-comments"),
            view.t("admin-settings-comments-hint"),
        ),
        SettingKey::QuotaBytes => (view.t("admin-quota-bytes"), view.t("admin-settings-size-hint")),
        SettingKey::QuotaStorageBytes => (
            view.t("admin-quota-storage_bytes"),
            view.t("admin-settings-storage-hint"),
        ),
        SettingKey::QuotaRepositories => (
            view.t("admin-quota-repositories"),
            view.t("admin-settings-limit-hint"),
        ),
        SettingKey::QuotaTags => (view.t("admin-quota-tags"), view.t("admin-settings-limit-hint")),
        SettingKey::QuotaStrict => (view.t("admin-quota-strict"), view.t("admin-settings-strict-hint")),
    }
}

fn choices(view: &View, key: SettingKey) -> Vec<(&'static str, String)> {
    let words: &[&'static str] = match key {
        SettingKey::SignUp => &SignUp::WORDS,
        SettingKey::OrganisationsCreate => &OrganisationMakers::WORDS,
        SettingKey::Comments | SettingKey::QuotaStrict => &["false", "true"],
        _ => &[],
    };
    words
        .iter()
        .map(|word| (*word, in_words(view, key, word)))
        .collect()
}

/// A value as it stands in the form.
fn written(key: SettingKey, value: &str) -> String {
    let is_size = matches!(key, SettingKey::QuotaBytes | SettingKey::QuotaStorageBytes);
    match value.parse() {
        Ok(bytes) if is_size => size(bytes),
        _ => value.to_owned(),
    }
}

/// Bytes in the largest unit that leaves no rest.
fn size(bytes: u64) -> String {
    let units = [
        ("TB", 1_000_000_000_000),
        ("TiB", 1 << 40),
        ("GB", 1_000_000_000),
        ("GiB", 1 << 30),
        ("MB", 1_000_000),
        ("MiB", 1 << 20),
    ];
    for (unit, length) in units {
        if bytes > 0 && bytes.is_multiple_of(length) {
            return format!("{} {unit}", bytes / length);
        }
    }
    bytes.to_string()
}

/// A value as people read it.
fn in_words(view: &View, key: SettingKey, value: &str) -> String {
    match (key, value) {
        (SettingKey::SignUp, "open") => view.t("admin-settings-sign-up-open"),
        (SettingKey::SignUp, "invitation") => view.t("admin-settings-sign-up-invitation"),
        (SettingKey::SignUp, _) => view.t("admin-settings-sign-up-closed"),
        (SettingKey::OrganisationsCreate, "everyone") => view.t("admin-settings-makers-everyone"),
        (SettingKey::OrganisationsCreate, _) => view.t("admin-settings-makers-admins"),
        (SettingKey::Comments | SettingKey::QuotaStrict, "true") => view.t("admin-yes"),
        (SettingKey::Comments | SettingKey::QuotaStrict, _) => view.t("admin-no"),
        (SettingKey::SiteGreeting, "") => view.t("admin-settings-none"),
        (SettingKey::SiteName | SettingKey::SiteGreeting, _) => value.to_owned(),
        (_, UNLIMITED) => view.t("admin-unlimited"),
        (SettingKey::QuotaBytes | SettingKey::QuotaStorageBytes, _) => value
            .parse::<u64>()
            .map_or_else(|_| value.to_owned(), |bytes| view.size(bytes)),
        (SettingKey::QuotaRepositories | SettingKey::QuotaTags, _) => value
            .parse::<u64>()
            .map_or_else(|_| value.to_owned(), |count| view.number(count)),
        (SettingKey::RestoreDelay, _) => {
            let hours = value
                .strip_suffix('h')
                .and_then(|hours| hours.parse::<i64>().ok());
            match hours {
                Some(hours) if hours % 24 == 0 => view.tn("account-days", hours / 24),
                _ => value.to_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::quota::Amount;

    #[test]
    fn a_size_is_written_shortly_and_read_back_as_what_it_was() {
        for (bytes, text) in [
            (0, "0"),
            (1, "1"),
            (500_000_000_000, "500 GB"),
            (2_000_000_000_000, "2 TB"),
            (5 << 30, "5 GiB"),
            (1_500_000, "1500000"),
        ] {
            let written = written(SettingKey::QuotaBytes, &bytes.to_string());
            assert_eq!(written, text);
            assert_eq!(written.parse::<Amount>(), Ok(Amount(bytes)));
        }
        assert_eq!(written(SettingKey::QuotaTags, "1000000"), "1000000");
        assert_eq!(written(SettingKey::QuotaBytes, "unlimited"), "unlimited");
    }
}
