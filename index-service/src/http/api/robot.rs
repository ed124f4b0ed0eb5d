//! `/api/v1/robots` and `/api/v1/organisation-tokens`: machines of a namespace, with and without a name.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::SignedIn;
use super::credential::{
    LastUseView, LimitBody, RefusedView, Rotation, SecretView, WithSecret, ceiling, invalid, label, limits,
    networks, shown_once,
};
use super::page::{Page, Wish};
use super::problem::Problem;
use crate::app::access_token::DEFAULT_LIFE_DAYS;
use crate::app::audit::rfc3339;
use crate::app::robot::MachineKind::{OrganisationToken, Robot};
use crate::app::robot::{MachineKind, RobotChange, RobotDetails, RobotWish};
use crate::domain::{RobotId, SecretId};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(show, change, delete))
        .routes(routes!(rotate))
        .routes(routes!(end_secret))
        .routes(routes!(create_token, list_tokens))
        .routes(routes!(show_token, change_token, delete_token))
        .routes(routes!(rotate_token))
        .routes(routes!(end_token_secret))
}

/// A new robot.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRobot {
    /// Its namespace: an organisation's or an account's.
    namespace: String,
    /// Its name in there: clients log in as `namespace+name`.
    name: String,
    /// What people call it, 1 to 100 characters. Default: its name.
    label: Option<String>,
    /// What it may reach at most in its namespace, 1 to 50 limits.
    limits: Vec<LimitBody>,
    /// The addresses that it may be used from, at most 20 such as `10.0.0.0/8`; everywhere when there are none.
    #[serde(default)]
    networks: Vec<String>,
    /// How long it is valid, 1 to 365 days; absent until it is deleted.
    #[schema(minimum = 1, maximum = 365)]
    expires_in_days: Option<u16>,
}

/// A new access token of an organisation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOrganisationToken {
    /// The organisation: the user name that clients log in with.
    organisation: String,
    /// What it is called, 1 to 100 characters.
    label: String,
    /// What it may reach at most in its namespace, 1 to 50 limits.
    limits: Vec<LimitBody>,
    /// The addresses that it may be used from, at most 20 such as `10.0.0.0/8`; everywhere when there are none.
    #[serde(default)]
    networks: Vec<String>,
    /// How long it is valid, 1 to 365 days. Default: 90.
    #[schema(minimum = 1, maximum = 365)]
    expires_in_days: Option<u16>,
}

/// What is to be different; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RobotChange)]
struct Change {
    /// What people call it.
    label: Option<String>,
    /// What it may reach at most in its namespace.
    limits: Option<Vec<LimitBody>>,
    /// The addresses that it may be used from; everywhere when there are none.
    networks: Option<Vec<String>>,
    /// Whether it is suspended: then it, and what it made, may nothing.
    suspended: Option<bool>,
}

/// Whose are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Of {
    /// The namespace.
    namespace: String,
}

/// Whose are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfOrganisation {
    /// The organisation.
    organisation: String,
}

/// A robot, or an access token of an organisation.
#[derive(Debug, Serialize, ToSchema)]
struct Machine {
    /// Its id.
    id: String,
    /// The user name that clients log in with: `namespace+name`, or the organisation.
    username: String,
    /// Its namespace.
    namespace: String,
    /// What people call it.
    label: String,
    /// The robot that made it.
    parent_id: Option<String>,
    /// What it may reach at most in its namespace.
    limits: Vec<LimitBody>,
    /// The addresses that it may be used from; everywhere when there are none.
    networks: Vec<String>,
    /// When it was made (RFC 3339).
    created_at: String,
    /// When it ends (RFC 3339).
    expires_at: Option<String>,
    /// Since when it is suspended (RFC 3339).
    suspended_at: Option<String>,
    /// Its last use.
    last_use: Option<LastUseView>,
    /// Uses that were refused.
    refused_since: Option<RefusedView>,
    /// Its secrets, the newest first; at most two live at once.
    secrets: Vec<SecretView>,
}

impl From<RobotDetails> for Machine {
    fn from(details: RobotDetails) -> Self {
        let robot = details.robot;
        Self {
            id: robot.robot_id.to_string(),
            username: robot.username(),
            namespace: robot.namespace.to_string(),
            label: robot.label.to_string(),
            parent_id: robot.parent_id.map(|id| id.to_string()),
            limits: limits(&robot.ceiling),
            networks: robot.networks.iter().map(ToString::to_string).collect(),
            created_at: rfc3339(robot.created_at),
            expires_at: robot.expires_at.map(rfc3339),
            suspended_at: robot.suspended_at.map(rfc3339),
            last_use: robot.last_use.map(Into::into),
            refused_since: robot.refused.map(Into::into),
            secrets: details.secrets.into_iter().map(Into::into).collect(),
        }
    }
}

impl Change {
    fn parse(self) -> Result<RobotChange, Problem> {
        Ok(RobotChange {
            label: self.label.map(|text| label(&text)).transpose()?,
            ceiling: self.limits.map(|limits| ceiling(&limits)).transpose()?,
            networks: self.networks.map(|texts| networks(&texts)).transpose()?,
            is_suspended: self.suspended,
        })
    }
}

async fn page(
    state: &super::State,
    caller: &crate::app::caller::Caller,
    kind: MachineKind,
    namespace: &str,
    wish: &Wish,
) -> Result<Json<Page<Machine>>, Problem> {
    let namespace = namespace.to_ascii_lowercase().parse().map_err(invalid)?;
    let robots = state
        .app
        .list_robots(caller, kind, &namespace, wish.after_id(), wish.limit() + 1)
        .await?;
    Ok(Json(Page::new(
        wish,
        robots,
        |details| details.robot.robot_id.to_string(),
        Machine::from,
    )))
}

/// Make a robot
///
/// The secret is in the answer and is not shown again. By those who administer the namespace, and by robots of it that
/// administer the repositories that the new one reaches: it gets no more than they have.
#[utoipa::path(post, path = "/robots", tag = "robots", request_body = NewRobot, responses(
    (status = 201, body = WithSecret<Machine>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn create(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Json(new): Json<NewRobot>,
) -> Result<Response, Problem> {
    let wish = RobotWish {
        namespace: new.namespace.to_ascii_lowercase().parse().map_err(invalid)?,
        name: Some(new.name.parse().map_err(invalid)?),
        label: label(new.label.as_ref().unwrap_or(&new.name))?,
        ceiling: ceiling(&new.limits)?,
        networks: networks(&new.networks)?,
        life_days: new.expires_in_days,
    };
    let (details, secret) = state.app.create_robot(&caller, &wish).await?;
    Ok(shown_once(Machine::from(details), &secret))
}

/// Robots of a namespace, the oldest first
#[utoipa::path(get, path = "/robots", tag = "robots", params(Of, Wish), responses(
    (status = 200, body = Page<Machine>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 404, body = Problem)))]
async fn list(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Query(of): Query<Of>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<Machine>>, Problem> {
    page(&state, &caller, Robot, &of.namespace, &wish).await
}

/// Make an access token of an organisation
///
/// The secret is in the answer and is not shown again. By owners and managers of the organisation.
#[utoipa::path(post, path = "/organisation-tokens", tag = "robots", request_body = NewOrganisationToken, responses(
    (status = 201, body = WithSecret<Machine>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn create_token(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Json(new): Json<NewOrganisationToken>,
) -> Result<Response, Problem> {
    let wish = RobotWish {
        namespace: new.organisation.to_ascii_lowercase().parse().map_err(invalid)?,
        name: None,
        label: label(&new.label)?,
        ceiling: ceiling(&new.limits)?,
        networks: networks(&new.networks)?,
        life_days: Some(new.expires_in_days.unwrap_or(DEFAULT_LIFE_DAYS)),
    };
    let (details, secret) = state.app.create_robot(&caller, &wish).await?;
    Ok(shown_once(Machine::from(details), &secret))
}

/// Access tokens of an organisation, the oldest first
#[utoipa::path(get, path = "/organisation-tokens", tag = "robots", params(OfOrganisation, Wish), responses(
    (status = 200, body = Page<Machine>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 404, body = Problem)))]
async fn list_tokens(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Query(of): Query<OfOrganisation>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<Machine>>, Problem> {
    page(&state, &caller, OrganisationToken, &of.organisation, &wish).await
}

/// The same routes about one of either kind.
macro_rules! one {
    ($kind:ident, $root:literal, $what:literal, $show:ident, $change:ident, $delete:ident, $rotate:ident, $end:ident) => {
        #[utoipa::path(get, summary = concat!("One ", $what),
                path = concat!($root, "/{id}"), tag = "robots", params(("id" = i64, Path)), responses(
            (status = 200, body = Machine), (status = 400, body = Problem), (status = 401, body = Problem),
            (status = 404, body = Problem)))]
        async fn $show(
            State(state): State<super::State>,
            SignedIn(caller): SignedIn,
            Path(id): Path<i64>,
        ) -> Result<Json<Machine>, Problem> {
            let found = state.app.find_robot(&caller, $kind, RobotId::from_i64(id)).await?;
            Ok(Json(found.into()))
        }

        #[utoipa::path(patch, summary = concat!("Change the ", $what, ": its label, limits, addresses; suspend it, let it go on"),
                path = concat!($root, "/{id}"), tag = "robots", params(("id" = i64, Path)),
            request_body = Change, responses((status = 200, body = Machine), (status = 400, body = Problem),
            (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
        async fn $change(
            State(state): State<super::State>,
            SignedIn(caller): SignedIn,
            Path(id): Path<i64>,
            Json(change): Json<Change>,
        ) -> Result<Json<Machine>, Problem> {
            let changed = state
                .app
                .change_robot(&caller, $kind, RobotId::from_i64(id), change.parse()?)
                .await?;
            Ok(Json(changed.into()))
        }

        #[utoipa::path(delete, summary = concat!("Delete the ", $what, " and all that it made"),
                path = concat!($root, "/{id}"), tag = "robots", params(("id" = i64, Path)), responses(
            (status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
            (status = 404, body = Problem)))]
        async fn $delete(
            State(state): State<super::State>,
            SignedIn(caller): SignedIn,
            Path(id): Path<i64>,
        ) -> Result<StatusCode, Problem> {
            state.app.delete_robot(&caller, $kind, RobotId::from_i64(id)).await?;
            Ok(StatusCode::NO_CONTENT)
        }

        #[utoipa::path(post, summary = concat!("Make another secret for the ", $what),
                path = concat!($root, "/{id}/secrets"), tag = "robots", params(("id" = i64, Path)),
            request_body = Rotation, responses((status = 201, body = WithSecret<Machine>), (status = 400, body = Problem),
            (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
        async fn $rotate(
            State(state): State<super::State>,
            SignedIn(caller): SignedIn,
            Path(id): Path<i64>,
            Json(rotation): Json<Rotation>,
        ) -> Result<Response, Problem> {
            let (details, secret) = state
                .app
                .rotate_robot(&caller, $kind, RobotId::from_i64(id), rotation.overlap_hours)
                .await?;
            Ok(shown_once(Machine::from(details), &secret))
        }

        #[utoipa::path(delete, summary = concat!("End one secret of the ", $what),
                path = concat!($root, "/{id}/secrets/{secret}"), tag = "robots",
            params(("id" = i64, Path), ("secret" = i64, Path)), responses((status = 204), (status = 400, body = Problem),
            (status = 401, body = Problem), (status = 404, body = Problem)))]
        async fn $end(
            State(state): State<super::State>,
            SignedIn(caller): SignedIn,
            Path((id, secret)): Path<(i64, i64)>,
        ) -> Result<StatusCode, Problem> {
            state
                .app
                .end_robot_secret(&caller, $kind, RobotId::from_i64(id), SecretId::from_i64(secret))
                .await?;
            Ok(StatusCode::NO_CONTENT)
        }
    };
}

one!(
    Robot, "/robots", "robot", show, change, delete, rotate, end_secret
);
one!(
    OrganisationToken,
    "/organisation-tokens",
    "access token of an organisation",
    show_token,
    change_token,
    delete_token,
    rotate_token,
    end_token_secret
);
