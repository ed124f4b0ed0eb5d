//! `/api/v1/site/settings`: what administrators of the site decide while it runs.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::State as Shared;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::caller::SignedIn;
use super::problem::Problem;
use super::rule::Edit;
use crate::app::setting::Setting;
use crate::domain::SettingKey;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new().routes(routes!(list, change))
}

/// Something that administrators of the site may decide while it runs.
#[derive(Debug, Serialize, ToSchema)]
struct SiteSetting {
    /// Its key, as in the configuration.
    key: &'static str,
    /// What holds, as the configuration writes it.
    value: String,
    /// What holds when nobody decides otherwise.
    default: String,
    /// Whether the configuration says it: then it is changed there alone.
    fixed: bool,
    /// Whether administrators decided it.
    changed: bool,
}

/// What administrators of the site may decide while it runs.
#[derive(Debug, Serialize, ToSchema)]
struct SiteSettings {
    /// All of it.
    items: Vec<SiteSetting>,
}

/// What shall be decided; what is absent stays, and `null` takes back what was decided. Numbers, and `true` and `false`, may also be
/// written as such.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SiteSettingsChange {
    /// What the site is called on its pages: at most 40 characters.
    #[serde(default, rename = "site.name")]
    #[schema(value_type = Option<String>)]
    name: Edit<Said>,
    /// What visitors read first: plain text of at most 500 characters.
    #[serde(default, rename = "site.greeting")]
    #[schema(value_type = Option<String>)]
    greeting: Edit<Said>,
    /// Who may make an account for themselves: `open`, `invitation` or `closed`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    sign_up: Edit<Said>,
    /// Who may make organisations: `everyone` or `admins`.
    #[serde(default, rename = "organisations.create")]
    #[schema(value_type = Option<String>)]
    organisation_makers: Edit<Said>,
    /// How long a deleted repository can be restored, such as `168h` or `7d`; at most 90 days.
    #[serde(default, rename = "repositories.restore_delay")]
    #[schema(value_type = Option<String>)]
    restore_delay: Edit<Said>,
    /// Whether those who manage a repository may open comments there: `true` or `false`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    comments: Edit<Said>,
    /// Bytes of a namespace's repositories together, such as `500GB`, or `unlimited`.
    #[serde(default, rename = "quotas.bytes")]
    #[schema(value_type = Option<String>)]
    bytes: Edit<Said>,
    /// Bytes of a namespace, what its repositories share counted once.
    #[serde(default, rename = "quotas.storage_bytes")]
    #[schema(value_type = Option<String>)]
    storage_bytes: Edit<Said>,
    /// Repositories of a namespace.
    #[serde(default, rename = "quotas.repositories")]
    #[schema(value_type = Option<String>)]
    repositories: Edit<Said>,
    /// Tags of a namespace.
    #[serde(default, rename = "quotas.tags")]
    #[schema(value_type = Option<String>)]
    tags: Edit<Said>,
    /// Whether the registry asks before each manifest: `true` or `false`.
    #[serde(default, rename = "quotas.strict")]
    #[schema(value_type = Option<String>)]
    strict: Edit<Said>,
}

/// A value in whatever form it comes.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Said {
    Flag(bool),
    Number(i64),
    Text(String),
}

impl Said {
    fn into_text(self) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}

impl SiteSettingsChange {
    fn wishes(self) -> Vec<(SettingKey, Option<String>)> {
        [
            (SettingKey::SiteName, self.name),
            (SettingKey::SiteGreeting, self.greeting),
            (SettingKey::SignUp, self.sign_up),
            (SettingKey::OrganisationsCreate, self.organisation_makers),
            (SettingKey::RestoreDelay, self.restore_delay),
            (SettingKey::Comments, self.comments),
            (SettingKey::QuotaBytes, self.bytes),
            (SettingKey::QuotaStorageBytes, self.storage_bytes),
            (SettingKey::QuotaRepositories, self.repositories),
            (SettingKey::QuotaTags, self.tags),
            (SettingKey::QuotaStrict, self.strict),
        ]
        .into_iter()
        .filter_map(|(key, edit)| match edit {
            Edit::Keep => None,
            Edit::Clear => Some((key, None)),
            Edit::Set(value) => Some((key, Some(value.into_text()))),
        })
        .collect()
    }
}

impl From<Setting> for SiteSetting {
    fn from(setting: Setting) -> Self {
        Self {
            key: setting.key.as_str(),
            changed: setting.is_changed(),
            value: setting.value,
            default: setting.default,
            fixed: setting.is_fixed,
        }
    }
}

fn shown(settings: Vec<Setting>) -> Json<SiteSettings> {
    Json(SiteSettings {
        items: settings.into_iter().map(SiteSetting::from).collect(),
    })
}

/// What can be decided while the site runs
///
/// For administrators of the site.
#[utoipa::path(get, path = "/site/settings", tag = "site", responses(
    (status = 200, body = SiteSettings), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
) -> Result<Json<SiteSettings>, Problem> {
    Ok(shown(state.app.list_settings(&caller).await?))
}

/// Decide while the site runs
///
/// By administrators of the site: all of it, or nothing when one is refused. It holds at once where it is asked, and within five
/// seconds everywhere. What the configuration says is changed there alone (409).
#[utoipa::path(patch, path = "/site/settings", tag = "site", request_body = SiteSettingsChange, responses(
    (status = 200, body = SiteSettings), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn change(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Json(wanted): Json<SiteSettingsChange>,
) -> Result<Json<SiteSettings>, Problem> {
    let settings = state.app.change_settings(&caller, &wanted.wishes()).await?;
    Ok(shown(settings))
}

#[cfg(test)]
mod tests;
