//! What is one's own: the profile, the password, devices, access tokens, what one is told, lists, and the end of it all.

mod device;
mod end;
mod list;
mod notice;
mod organisation;
mod password;
mod profile;
#[cfg(test)]
mod tests;
mod token;

use axum::Router;
use axum::routing::{get, post};

use crate::http::{State, named};

pub(in crate::http) fn routes() -> Router<State> {
    Router::new()
        .route(
            "/account",
            named("web.account", get(profile::show).post(profile::change)),
        )
        .route(
            "/account/password",
            named("web.account.password", get(password::show).post(password::change)),
        )
        .route(
            "/account/devices",
            named("web.account.devices", get(device::show)),
        )
        .route(
            "/account/devices/end",
            named("web.account.devices", post(device::end)),
        )
        .route(
            "/account/devices/end-all",
            named("web.account.devices", post(device::end_all)),
        )
        .route(
            "/account/tokens",
            named("web.account.tokens", get(token::list).post(token::create)),
        )
        .route(
            "/account/tokens/{id}",
            named("web.account.tokens", get(token::show).post(token::rename)),
        )
        .route(
            "/account/tokens/{id}/rotate",
            named("web.account.tokens", post(token::rotate)),
        )
        .route(
            "/account/tokens/{id}/revoke",
            named("web.account.tokens", post(token::revoke)),
        )
        .route(
            "/account/tokens/{id}/secrets/{secret}/end",
            named("web.account.tokens", post(token::end_secret)),
        )
        .route(
            "/account/organisations",
            named("web.account.organisations", get(organisation::show)),
        )
        .route(
            "/account/notifications",
            named("web.account.notifications", get(notice::show)),
        )
        .route(
            "/account/notifications/open",
            named("web.account.notifications", post(notice::open)),
        )
        .route(
            "/account/notifications/read",
            named("web.account.notifications", post(notice::read)),
        )
        .route(
            "/account/notifications/read-all",
            named("web.account.notifications", post(notice::read_all)),
        )
        .route(
            "/account/notifications/remove",
            named("web.account.notifications", post(notice::remove)),
        )
        .route(
            "/account/notifications/remove-all",
            named("web.account.notifications", post(notice::remove_all)),
        )
        .route(
            "/account/notifications/choose",
            named("web.account.notifications", post(notice::choose)),
        )
        .route("/account/lists", named("web.account.lists", get(list::show)))
        .route(
            "/account/lists/remove",
            named("web.account.lists", post(list::remove)),
        )
        .route(
            "/account/appearance",
            named("web.account.appearance", get(profile::appearance)),
        )
        .route(
            "/account/end",
            named("web.account.end", get(end::show).post(end::delete)),
        )
}
