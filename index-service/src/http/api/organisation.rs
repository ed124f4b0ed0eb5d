//! `/api/v1/organisations`.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::caller::{Anyone, SignedIn};
use super::instant::Instant;
use super::page::{Page, Wish};
use super::problem::Problem;
use crate::app::organisation::{NewOrganisation, OrganisationChange, OrganisationEnd, OrganisationView};
use crate::domain::departure::Listed;
use crate::domain::{Membership, Organisation, Visibility};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, delete))
        .routes(routes!(deletion))
}

/// An organisation, as the caller sees it.
#[derive(Debug, Serialize, ToSchema)]
struct ShownOrganisation {
    /// Its id.
    id: String,
    /// Its name and that of its namespace.
    name: String,
    /// Its name as people write it.
    display_name: String,
    /// What it is.
    description: String,
    /// When it was made.
    created_at: Instant,
    /// What the caller is in it: `owner`, `manager`, `member` or `guest`; absent for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// When that ends: guests alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    role_expires_at: Option<Instant>,
    /// Who may see new repositories: `public`, `internal` or `private`; for members.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_visibility: Option<&'static str>,
}

impl ShownOrganisation {
    fn new(
        organisation: &Organisation,
        membership: Option<Membership>,
        default_visibility: Option<Visibility>,
    ) -> Self {
        Self {
            id: organisation.organisation_id.to_string(),
            name: organisation.name.to_string(),
            display_name: organisation.display_name.clone(),
            description: organisation.description.clone(),
            created_at: Instant(organisation.created_at),
            role: membership.map(|membership| membership.role.as_str()),
            role_expires_at: membership
                .and_then(|membership| membership.expires_at)
                .map(Instant),
            default_visibility: default_visibility.map(Visibility::as_str),
        }
    }
}

impl From<OrganisationView> for ShownOrganisation {
    fn from(view: OrganisationView) -> Self {
        Self::new(&view.organisation, view.membership, view.default_visibility)
    }
}

/// An organisation to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrganisationCreation {
    /// Its name: letters a to z and digits, joined by `.`, `_`, `__` or dashes; upper case is folded.
    #[schema(max_length = 64)]
    name: String,
    /// Its name as people write it. Default: the name.
    #[schema(max_length = 100)]
    display_name: Option<String>,
    /// What it is.
    #[serde(default)]
    #[schema(max_length = 1000)]
    description: String,
}

/// What is to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrganisationPatch {
    /// Its name as people write it.
    #[schema(max_length = 100)]
    display_name: Option<String>,
    /// What it is.
    #[schema(max_length = 1000)]
    description: Option<String>,
    /// Who may see repositories that are made from now on: `public`, `internal` or `private`.
    default_visibility: Option<String>,
}

/// What ends with an organisation.
#[derive(Debug, Serialize, ToSchema)]
struct OrganisationDeletion {
    /// Repositories: while there are any, it cannot be deleted. Delete or transfer them first.
    repositories: Listing,
    /// How many are in it.
    members: i64,
    /// How many teams it has.
    teams: i64,
    /// Its robots and access tokens, which would stop.
    robots: Listing,
    /// Rules of other people's repositories about its robots; they would go.
    rules: Listing,
}

impl From<OrganisationEnd> for OrganisationDeletion {
    fn from(end: OrganisationEnd) -> Self {
        Self {
            repositories: end.repositories.into(),
            members: end.members,
            teams: end.teams,
            robots: end.robots.into(),
            rules: end.rules.into(),
        }
    }
}

/// How many there are of something, and the first hundred of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listing {
    /// How many.
    count: i64,
    /// The first hundred.
    names: Vec<String>,
}

impl From<Listed> for Listing {
    fn from(listed: Listed) -> Self {
        Self {
            count: listed.count,
            names: listed.names,
        }
    }
}

/// The organisations that the caller is in
#[utoipa::path(get, path = "/organisations", operation_id = "list_organisations", tag = "organisations", params(Wish),
    responses((status = 200, body = Page<ShownOrganisation>), (status = 401, body = Problem)))]
async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<ShownOrganisation>>, Problem> {
    let read = state
        .app
        .list_organisations(&caller, wish.after_id(), wish.limit() + 1)
        .await?;
    Ok(Json(Page::new(
        &wish,
        read,
        |(organisation, _)| organisation.organisation_id.to_string(),
        |(organisation, membership)| ShownOrganisation::new(&organisation, Some(membership), None),
    )))
}

/// Makes an organisation, which the caller owns, and the namespace of its name
#[utoipa::path(post, path = "/organisations", operation_id = "create_organisation", tag = "organisations",
    request_body = OrganisationCreation, responses((status = 201, body = ShownOrganisation), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem, description = "the name is taken")))]
async fn create(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Json(body): Json<OrganisationCreation>,
) -> Result<(StatusCode, Json<ShownOrganisation>), Problem> {
    let new = NewOrganisation {
        name: body.name,
        display_name: body.display_name,
        description: body.description,
    };
    let view = state.app.create_organisation(&caller, &new).await?;
    Ok((StatusCode::CREATED, Json(view.into())))
}

/// An organisation
#[utoipa::path(get, path = "/organisations/{organisation}", operation_id = "show_organisation", tag = "organisations",
    params(("organisation" = String, Path)), responses((status = 200, body = ShownOrganisation), (status = 404, body = Problem)))]
async fn show(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path(organisation): Path<String>,
) -> Result<Json<ShownOrganisation>, Problem> {
    Ok(Json(state.app.organisation(&caller, &organisation).await?.into()))
}

/// Changes an organisation
#[utoipa::path(patch, path = "/organisations/{organisation}", operation_id = "change_organisation", tag = "organisations",
    params(("organisation" = String, Path)), request_body = OrganisationPatch, responses((status = 200, body = ShownOrganisation),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn change(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
    Json(body): Json<OrganisationPatch>,
) -> Result<Json<ShownOrganisation>, Problem> {
    let default_visibility = body
        .default_visibility
        .map(|word| word.parse())
        .transpose()
        .map_err(|error: crate::domain::repository::InvalidVisibility| {
            Problem::new(StatusCode::BAD_REQUEST, error.to_string())
        })?;
    let change = OrganisationChange {
        display_name: body.display_name,
        description: body.description,
        default_visibility,
    };
    let view = state
        .app
        .change_organisation(&caller, &organisation, &change)
        .await?;
    Ok(Json(view.into()))
}

/// Deletes an organisation that has no repositories any more; its name is never given again
#[utoipa::path(delete, path = "/organisations/{organisation}", operation_id = "delete_organisation", tag = "organisations",
    params(("organisation" = String, Path)), responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem, description = "it has repositories")))]
async fn delete(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
) -> Result<StatusCode, Problem> {
    state.app.delete_organisation(&caller, &organisation).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What would end with an organisation
#[utoipa::path(get, path = "/organisations/{organisation}/deletion", operation_id = "show_organisation_deletion",
    tag = "organisations", params(("organisation" = String, Path)), responses((status = 200, body = OrganisationDeletion),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn deletion(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
) -> Result<Json<OrganisationDeletion>, Problem> {
    Ok(Json(
        state.app.organisation_end(&caller, &organisation).await?.into(),
    ))
}

#[cfg(test)]
#[path = "organisation/tests.rs"]
mod tests;
