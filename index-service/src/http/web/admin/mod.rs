//! What administrators of the site look after: people, keys, limits, what failed, what everybody is told.

mod account;
mod announcement;
mod audit;
mod category;
mod event;
mod key;
mod organisation;
mod overview;
mod setting;
mod storage;
#[cfg(test)]
mod tests;
mod upkeep;
mod work;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use http::request::Parts;
use serde::Deserialize;

use crate::app::AppError;
use crate::app::caller::Caller;
use crate::http::web::fault::PageError;
use crate::http::web::frame::problem;
use crate::http::web::page::done;
use crate::http::web::view::View;
use crate::http::web::visitor::{Confirmed, SignedIn};
use crate::http::{State, named};

pub(in crate::http) fn routes() -> Router<State> {
    Router::new()
        .route("/admin", named("web.admin", get(overview::show)))
        .route(
            "/admin/accounts",
            named("web.admin.accounts", get(account::list).post(account::create)),
        )
        .route(
            "/admin/accounts/{name}",
            named("web.admin.accounts", get(account::show)),
        )
        .route(
            "/admin/accounts/{name}/{action}",
            named("web.admin.accounts", post(account::act)),
        )
        .route(
            "/admin/organisations",
            named("web.admin.organisations", get(organisation::list)),
        )
        .route(
            "/admin/storage",
            named("web.admin.storage", get(storage::show).post(storage::decide)),
        )
        .route("/admin/keys", named("web.admin.keys", get(key::show)))
        .route("/admin/keys/rotate", named("web.admin.keys", post(key::rotate)))
        .route("/admin/keys/revoke", named("web.admin.keys", post(key::revoke)))
        .route("/admin/events", named("web.admin.events", get(event::show)))
        .route(
            "/admin/events/redeliver",
            named("web.admin.events", post(event::redeliver)),
        )
        .route("/admin/upkeep", named("web.admin.upkeep", get(upkeep::show)))
        .route(
            "/admin/upkeep/reindex",
            named("web.admin.upkeep", post(upkeep::reindex)),
        )
        .route(
            "/admin/upkeep/verify",
            named("web.admin.upkeep", post(upkeep::verify)),
        )
        .route(
            "/admin/upkeep/progress",
            named("web.admin.upkeep", get(upkeep::progress)),
        )
        .route(
            "/admin/settings",
            named("web.admin.settings", get(setting::show).post(setting::save)),
        )
        .route(
            "/admin/settings/reset",
            named("web.admin.settings", post(setting::reset)),
        )
        .route(
            "/admin/categories",
            named("web.admin.categories", get(category::show).post(category::put)),
        )
        .route(
            "/admin/categories/remove",
            named("web.admin.categories", post(category::remove)),
        )
        .route(
            "/admin/categories/verify",
            named("web.admin.categories", post(category::verify)),
        )
        .route(
            "/admin/announcements",
            named(
                "web.admin.announcements",
                get(announcement::show).post(announcement::add),
            ),
        )
        .route(
            "/admin/announcements/remove",
            named("web.admin.announcements", post(announcement::remove)),
        )
        .route("/admin/audit", named("web.admin.audit", get(audit::show)))
}

/// Which of a list are looked for: those whose names begin so.
#[derive(Debug, Default, Deserialize)]
struct Search {
    #[serde(default)]
    prefix: String,
}

impl Search {
    /// How names begin. What can begin no name finds nothing, and PostgreSQL takes no NUL.
    fn prefix(&self) -> String {
        let typed = self.prefix.trim().chars();
        typed.filter(char::is_ascii_graphic).take(64).collect()
    }
}

/// What follows a form: the page that it belongs to, which says what was done, or what was wrong, for the form to be shown
/// again.
fn settle(
    ended: Result<(), AppError>,
    view: &View,
    (path, said): (&str, &str),
) -> Result<Result<Response, (StatusCode, String)>, PageError> {
    match ended {
        Ok(()) => Ok(Ok(done(view, path, said))),
        Err(error) => problem(error, view).map(Err),
    }
}

/// An administrator of the site who is signed in and gave the password a short time ago: others are refused, or asked for it,
/// before anything is looked at.
struct Administrator {
    caller: Caller,
    view: View,
}

impl FromRequestParts<State> for Administrator {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, PageError> {
        let signed_in = SignedIn::from_request_parts(parts, state).await?;
        signed_in.caller.administrator()?;
        let Confirmed { caller, view } = Confirmed::of(parts, state, signed_in).await?;
        Ok(Self { caller, view })
    }
}
