//! Docker Hub's API as its clients speak it (<https://docs.docker.com/reference/api/hub/latest/>): other words for use cases
//! that there are anyway. On the front door's host it shares `/v2/` with the registry, by the path table; all of it is below
//! `/hub/v2/` as well.
//!
//! It is Docker's description that holds here and not that of our own API: pages by number, slashes at the end or not, errors
//! as `{"detail": …, "message": …}`.

mod access_token;
mod audit;
mod body;
pub(super) mod caller;
pub(super) mod error;
mod group;
mod member;
mod organisation;
mod organisation_token;
mod page;
mod person;
mod repository;
mod repository_group;
mod search;
mod session;
mod shown;
mod star;
mod tag;
#[cfg(test)]
mod tests;
mod uuid;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::{MethodRouter, delete, get, post};

use super::{State, named};

/// Where all of it is.
const ROOTS: [&str; 2] = ["/v2", "/hub/v2"];

/// Every route.
pub(super) fn router() -> Router<State> {
    let mut router = Router::new();
    for (path, name, route) in routes() {
        for root in ROOTS {
            let path = format!("{root}{path}");
            router = router
                .route(&format!("{path}/"), named(name, route.clone()))
                .route(&path, named(name, route.clone()));
        }
    }
    for path in ["/api/search/v4", "/api/content/v1/products/search"] {
        router = router.route(path, named("hub.search", get(search::products)));
    }
    router
        .route(
            "/api/billing/v4/accounts/{id}/hub-plan",
            named("hub.plan", get(person::plan)),
        )
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(map_response(error::bodies_of_the_framework))
}

#[rustfmt::skip]
fn routes() -> Vec<(&'static str, &'static str, MethodRouter<State>)> {
    let access_tokens = || get(access_token::list).post(access_token::create);
    let access_token = || get(access_token::show).patch(access_token::change).put(access_token::change)
        .delete(access_token::revoke);
    let repositories = || get(repository::list).post(repository::create_in);
    let repository = || get(repository::show).patch(repository::change).delete(repository::remove);
    let tag = || get(tag::show).delete(tag::remove);
    vec![
        ("/users/login", "hub.session", post(session::login)),
        ("/users/2fa-login", "hub.session", post(session::second_factor)),
        ("/auth/token", "hub.session", post(session::token)),
        ("/user", "hub.person", get(person::own)),
        ("/user/orgs", "hub.person", get(organisation::own)),
        ("/users/{user}", "hub.person", get(person::show)),
        ("/users/{user}/repositories/starred", "hub.star", get(star::list)),
        ("/user/starred", "hub.star", get(star::list_own)),
        ("/access-tokens", "hub.access_token", access_tokens()),
        ("/access-tokens/{id}", "hub.access_token", access_token()),
        ("/api_tokens", "hub.access_token", access_tokens()),
        ("/api_tokens/{id}", "hub.access_token", access_token()),
        ("/repositories", "hub.repository", post(repository::create)),
        ("/repositories/namespaces", "hub.repository", get(repository::namespaces)),
        ("/repositories/{ns}", "hub.repository", get(repository::list)),
        ("/namespaces/{ns}/repositories", "hub.repository", repositories()),
        ("/repositories/{ns}/{repo}", "hub.repository", repository()),
        ("/namespaces/{ns}/repositories/{repo}", "hub.repository", repository()),
        ("/repositories/{ns}/{repo}/privacy", "hub.repository", post(repository::set_privacy)),
        ("/repositories/{ns}/{repo}/stars", "hub.star", post(star::give).delete(star::take_back)),
        ("/repositories/{ns}/{repo}/tags", "hub.tag", get(tag::list)),
        ("/namespaces/{ns}/repositories/{repo}/tags", "hub.tag", get(tag::list)),
        ("/repositories/{ns}/{repo}/tags/{tag}", "hub.tag", tag()),
        ("/namespaces/{ns}/repositories/{repo}/tags/{tag}", "hub.tag", tag()),
        ("/repositories/{ns}/{repo}/tags/{tag}/images", "hub.tag", get(tag::images)),
        ("/namespaces/{ns}/repositories/{repo}/tags/{tag}/images", "hub.tag", get(tag::images)),
        ("/repositories/{ns}/{repo}/groups", "hub.repository_group",
            get(repository_group::list).post(repository_group::create)),
        ("/repositories/{ns}/{repo}/groups/{group}", "hub.repository_group",
            get(repository_group::show).patch(repository_group::change).delete(repository_group::remove)),
        ("/orgs", "hub.organisation", get(organisation::own)),
        ("/orgs/{org}", "hub.organisation", get(organisation::show)),
        ("/orgs/{org}/members", "hub.member", get(member::list)),
        ("/orgs/{org}/members/{user}", "hub.member",
            get(member::show).put(member::change).patch(member::change).delete(member::remove)),
        ("/orgs/{org}/invites", "hub.member", get(member::invites)),
        ("/invites/bulk", "hub.member", post(member::invite)),
        ("/orgs/{org}/groups", "hub.group", get(group::list).post(group::create)),
        ("/orgs/{org}/groups/{group}", "hub.group",
            get(group::show).put(group::change).patch(group::change).delete(group::remove)),
        ("/orgs/{org}/groups/{group}/members", "hub.group", get(group::members).post(group::add_member)),
        ("/orgs/{org}/groups/{group}/members/{user}", "hub.group", delete(group::remove_member)),
        ("/orgs/{org}/access-tokens", "hub.organisation_token",
            get(organisation_token::list).post(organisation_token::create)),
        ("/orgs/{org}/access-tokens/{id}", "hub.organisation_token", get(organisation_token::show)
            .patch(organisation_token::change).put(organisation_token::change).delete(organisation_token::remove)),
        ("/auditlogs/{account}", "hub.audit", get(audit::list)),
        ("/auditlogs/{account}/actions", "hub.audit", get(audit::actions)),
        ("/search/repositories", "hub.search", get(search::repositories)),
    ]
}
