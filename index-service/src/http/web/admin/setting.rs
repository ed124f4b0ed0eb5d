//! What administrators of the site decide while it runs, and what the configuration alone says.

mod field;

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::Administrator;
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::app::overview::SiteSettings;
use crate::app::setting::Setting;
use crate::domain::SettingKey;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, problem};
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;
use field::{Field, typed};

/// What the names of fields begin with that say what stood in the form when it was shown.
const WAS: &str = "was:";

/// Settings that belong together.
struct Section {
    title: &'static str,
    fields: Vec<Field>,
}

#[derive(Template)]
#[template(path = "admin/settings.html")]
struct SettingsPage {
    view: View,
    frame: Frame,
    sections: Vec<Section>,
    /// What the configuration alone says.
    settings: SiteSettings,
}

/// A field of the form, as it comes.
type Pair = (String, String);

/// A setting that goes back to its default.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    key: String,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
) -> Result<Response, PageError> {
    let said = (StatusCode::OK, String::new());
    page(&state, &caller, view, &[], said).await
}

pub(super) async fn save(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(form): Submitted<Vec<Pair>>,
) -> Result<Response, PageError> {
    let wishes = wishes(&form);
    let ended = state.app.change_settings(&caller, &wishes).await;
    settle(&state, &caller, view, &form, ended, "admin-done-settings").await
}

pub(super) async fn reset(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(which): Submitted<Which>,
) -> Result<Response, PageError> {
    let key = which.key.parse::<SettingKey>();
    let ended = match key {
        Ok(key) => state.app.change_settings(&caller, &[(key, None)]).await,
        Err(error) => Err(AppError::NotFound(error.to_string())),
    };
    settle(&state, &caller, view, &[], ended, "admin-done-setting-reset").await
}

/// What was changed in the form: what stands there as it stood is nobody's wish, and may have been changed by somebody else
/// since. An empty field is the default.
fn wishes(form: &[Pair]) -> Vec<(SettingKey, Option<String>)> {
    let said = |name: &str| {
        let mut found = form.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, text)| typed(text))
    };
    let mut wishes = Vec::new();
    for key in SettingKey::EVERY {
        let wished = said(key.as_str());
        if let Some(text) = wished.filter(|text| said(&format!("{WAS}{key}")).as_ref() != Some(text)) {
            wishes.push((*key, Some(text).filter(|text| !text.is_empty())));
        }
    }
    wishes
}

async fn settle(
    state: &State,
    caller: &Caller,
    view: View,
    form: &[Pair],
    ended: Result<Vec<Setting>, AppError>,
    said: &str,
) -> Result<Response, PageError> {
    match ended {
        Ok(_) => Ok(done(&view, "/admin/settings", said)),
        Err(error) => {
            let (status, text) = problem(error, &view)?;
            page(state, caller, view, form, (status, text)).await
        }
    }
}

async fn page(
    state: &State,
    caller: &Caller,
    view: View,
    form: &[Pair],
    (status, problem): (StatusCode, String),
) -> Result<Response, PageError> {
    let known = state.app.list_settings(caller).await?;
    let section = |title, keys: &[SettingKey]| Section {
        title,
        fields: keys
            .iter()
            .filter_map(|key| known.iter().find(|setting| setting.key == *key))
            .map(|setting| Field::new(&view, setting, form))
            .collect(),
    };
    let sections = vec![
        section(
            "admin-settings-site",
            &[SettingKey::SiteName, SettingKey::SiteGreeting],
        ),
        section(
            "admin-settings-people",
            &[SettingKey::SignUp, SettingKey::OrganisationsCreate],
        ),
        section(
            "admin-settings-repositories",
            &[SettingKey::RestoreDelay, SettingKey::Comments],
        ),
        section(
            "admin-settings-quotas",
            &[
                SettingKey::QuotaBytes,
                SettingKey::QuotaStorageBytes,
                SettingKey::QuotaRepositories,
                SettingKey::QuotaTags,
                SettingKey::QuotaStrict,
            ],
        ),
    ];
    let page = SettingsPage {
        settings: state.app.site_settings(caller)?,
        frame: Frame {
            problem,
            ..Frame::of("settings")
        },
        sections,
        view,
    };
    Ok(render_with(status, &page))
}

#[cfg(test)]
mod tests;
