//! `/api/v1/organisations/{organisation}/teams`.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::caller::SignedIn;
use super::instant::Instant;
use super::member::{ShownMember, page};
use super::page::{Page, Wish};
use super::problem::Problem;
use crate::app::team::TeamChange;
use crate::domain::Team;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, delete))
        .routes(routes!(list_members))
        .routes(routes!(put_member, remove_member))
}

/// A team of an organisation.
#[derive(Debug, Serialize, ToSchema)]
struct ShownTeam {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// What it is for.
    description: String,
    /// When it was made.
    created_at: Instant,
}

impl From<Team> for ShownTeam {
    fn from(team: Team) -> Self {
        Self {
            id: team.team_id.to_string(),
            name: team.name.to_string(),
            description: team.description,
            created_at: Instant(team.created_at),
        }
    }
}

/// A team to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TeamCreation {
    /// Its name: letters a to z and digits, joined by `.`, `_`, `__` or dashes; upper case is folded.
    #[schema(max_length = 64)]
    name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1000)]
    description: String,
}

/// What is to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TeamPatch {
    /// Its name.
    #[schema(max_length = 64)]
    name: Option<String>,
    /// What it is for.
    #[schema(max_length = 1000)]
    description: Option<String>,
}

/// The teams of an organisation; guests see those that they are in
#[utoipa::path(get, path = "/organisations/{organisation}/teams", operation_id = "list_teams", tag = "teams",
    params(("organisation" = String, Path), Wish), responses((status = 200, body = Page<ShownTeam>), (status = 401, body = Problem),
    (status = 404, body = Problem)))]
async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<ShownTeam>>, Problem> {
    let read = state
        .app
        .list_teams(&caller, &organisation, wish.after(), wish.limit() + 1)
        .await?;
    Ok(Json(Page::new(
        &wish,
        read,
        |team| team.name.to_string(),
        ShownTeam::from,
    )))
}

/// Makes a team
#[utoipa::path(post, path = "/organisations/{organisation}/teams", operation_id = "create_team", tag = "teams",
    params(("organisation" = String, Path)), request_body = TeamCreation, responses((status = 201, body = ShownTeam),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem, description = "the name is taken")))]
async fn create(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
    Json(body): Json<TeamCreation>,
) -> Result<(StatusCode, Json<ShownTeam>), Problem> {
    let team = state
        .app
        .create_team(&caller, &organisation, &body.name, &body.description)
        .await?;
    Ok((StatusCode::CREATED, Json(team.into())))
}

/// A team
#[utoipa::path(get, path = "/organisations/{organisation}/teams/{team}", operation_id = "show_team", tag = "teams",
    params(("organisation" = String, Path), ("team" = String, Path)), responses((status = 200, body = ShownTeam),
    (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn show(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, team)): Path<(String, String)>,
) -> Result<Json<ShownTeam>, Problem> {
    Ok(Json(state.app.team(&caller, &organisation, &team).await?.into()))
}

/// Changes a team; rules about it stay
#[utoipa::path(patch, path = "/organisations/{organisation}/teams/{team}", operation_id = "change_team", tag = "teams",
    params(("organisation" = String, Path), ("team" = String, Path)), request_body = TeamPatch,
    responses((status = 200, body = ShownTeam), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem, description = "the name is taken")))]
async fn change(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, team)): Path<(String, String)>,
    Json(body): Json<TeamPatch>,
) -> Result<Json<ShownTeam>, Problem> {
    let change = TeamChange {
        name: body.name,
        description: body.description,
    };
    let team = state
        .app
        .change_team(&caller, &organisation, &team, &change)
        .await?;
    Ok(Json(team.into()))
}

/// Deletes a team, with the rules about it and the invitations to it
#[utoipa::path(delete, path = "/organisations/{organisation}/teams/{team}", operation_id = "delete_team", tag = "teams",
    params(("organisation" = String, Path), ("team" = String, Path)), responses((status = 204), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, team)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    state.app.delete_team(&caller, &organisation, &team).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is in a team
#[utoipa::path(get, path = "/organisations/{organisation}/teams/{team}/members", operation_id = "list_team_members", tag = "teams",
    params(("organisation" = String, Path), ("team" = String, Path), Wish), responses((status = 200, body = Page<ShownMember>),
    (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn list_members(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, team)): Path<(String, String)>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<ShownMember>>, Problem> {
    let read = state
        .app
        .list_team_members(&caller, &organisation, &team, wish.after_id(), wish.limit() + 1)
        .await?;
    Ok(page(&wish, read))
}

/// Puts somebody who is in the organisation into a team
#[utoipa::path(put, path = "/organisations/{organisation}/teams/{team}/members/{account}", operation_id = "put_team_member",
    tag = "teams", params(("organisation" = String, Path), ("team" = String, Path), ("account" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn put_member(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, team, account)): Path<(String, String, String)>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .put_team_member(&caller, &organisation, &team, &account)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes an account out of a team
#[utoipa::path(delete, path = "/organisations/{organisation}/teams/{team}/members/{account}", operation_id = "remove_team_member",
    tag = "teams", params(("organisation" = String, Path), ("team" = String, Path), ("account" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn remove_member(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, team, account)): Path<(String, String, String)>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .remove_team_member(&caller, &organisation, &team, &account)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
