//! Pages of organisations, and of the namespaces that accounts own.

mod audit;
mod deleted;
mod ending;
mod invitations;
mod machines;
mod members;
mod new;
mod overview;
mod profile;
mod quota;
mod teams;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::routing::get;

use super::settings::{access, immutable, retention, webhooks};
use crate::http::{State, named};

pub(in crate::http) fn routes() -> Router<State> {
    let page = |section: &str| format!("/o/{{organisation}}/{section}");
    let name = "web.organisation";
    Router::new()
        .route("/o", named(name, get(overview::list)))
        .route(
            "/new/organisation",
            named("web.new_organisation", get(new::show).post(new::act)),
        )
        .route("/o/{organisation}", named(name, get(overview::show)))
        .route(
            &page("profile"),
            named(name, get(profile::show).post(profile::act)),
        )
        .route(
            &page("members"),
            named(name, get(members::show).post(members::act)),
        )
        .route(&page("teams"), named(name, get(teams::show).post(teams::act)))
        .route(
            &page("invitations"),
            named(name, get(invitations::show).post(invitations::act)),
        )
        .route(&page("access"), named(name, get(access::show).post(access::act)))
        .route(
            &page("robots"),
            named(name, get(machines::show).post(machines::act)),
        )
        .route(
            &page("tokens"),
            named(name, get(machines::show).post(machines::act)),
        )
        .route(
            &page("webhooks"),
            named(name, get(webhooks::show).post(webhooks::act)),
        )
        .route(
            &page("immutable"),
            named(name, get(immutable::show).post(immutable::act)),
        )
        .route(
            &page("retention"),
            named(name, get(retention::show).post(retention::act)),
        )
        .route(&page("quota"), named(name, get(quota::show)))
        .route(&page("audit"), named(name, get(audit::show)))
        .route(
            &page("deleted"),
            named(name, get(deleted::show).post(deleted::act)),
        )
        .route(&page("leave"), named(name, get(ending::leave).post(ending::left)))
        .route(&page("delete"), named(name, get(ending::end).post(ending::ended)))
}
