//! What the operator decided in the configuration.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;

use super::Administrator;
use crate::app::organisation::OrganisationMakers;
use crate::app::overview::SiteSettings;
use crate::app::sign_up::SignUp;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::Frame;
use crate::http::web::page::render;
use crate::http::web::view::View;

#[derive(Template)]
#[template(path = "admin/settings.html")]
struct SettingsPage {
    view: View,
    frame: Frame,
    settings: SiteSettings,
}

impl SettingsPage {
    fn sign_up(&self) -> String {
        self.view.t(match self.settings.sign_up {
            SignUp::Open => "admin-settings-sign-up-open",
            SignUp::Invitation => "admin-settings-sign-up-invitation",
            SignUp::Closed => "admin-settings-sign-up-closed",
        })
    }

    fn organisation_makers(&self) -> String {
        self.view.t(match self.settings.organisation_makers {
            OrganisationMakers::Everyone => "admin-settings-makers-everyone",
            OrganisationMakers::Admins => "admin-settings-makers-admins",
        })
    }

    fn restore_days(&self) -> i64 {
        self.settings.restore_delay_ms / 86_400_000
    }

    /// What a namespace may hold of a resource.
    fn limit(&self, resource: &str) -> String {
        let limits = self.settings.limits();
        let limit = match resource {
            "bytes" => limits.bytes,
            "storage_bytes" => limits.storage_bytes,
            "repositories" => limits.repositories,
            _ => limits.tags,
        };
        match limit {
            None => self.view.t("admin-unlimited"),
            Some(limit) if resource.ends_with("bytes") => self.view.size(limit),
            Some(limit) => self.view.number(limit),
        }
    }
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
) -> Result<Response, PageError> {
    Ok(render(&SettingsPage {
        settings: state.app.site_settings(&caller)?,
        frame: Frame::of("settings"),
        view,
    }))
}
