//! Webhooks of a namespace.

use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use axum::response::Response;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::State;
use super::super::caller::SignedIn;
use super::super::namespace::namespace_name;
use super::super::page::{Page, Wish};
use super::super::problem::Problem;
use super::delivery::{self, WebhookDelivery};
use super::{
    NewHookSecret, NewWebhook, Webhook, WebhookChange, WebhookWithSecret, edit, make, replace_secret,
};
use crate::app::AppError;
use crate::app::webhook::HookScope;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, remove))
        .routes(routes!(rotate))
        .routes(routes!(ping))
        .routes(routes!(deliveries))
        .routes(routes!(delivery))
        .routes(routes!(redeliver))
}

fn scope(name: &str) -> Result<HookScope, AppError> {
    Ok(HookScope::Namespace(namespace_name(name)?))
}

/// Webhooks of a namespace
///
/// The oldest first; for those who administer it.
#[utoipa::path(get, path = "/namespaces/{name}/webhooks", tag = "webhooks", params(("name" = String, Path, description = "The namespace's name"), Wish), responses(
    (status = 200, body = Page<Webhook>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<Webhook>>, Problem> {
    super::page(&state, &caller, &scope(&name)?, &wish).await
}

/// Make a webhook of a namespace
///
/// The secret that its deliveries are signed with is in the answer and is not shown again. At most 20.
#[utoipa::path(post, path = "/namespaces/{name}/webhooks", tag = "webhooks", params(("name" = String, Path, description = "The namespace's name")), request_body = NewWebhook, responses(
    (status = 201, body = WebhookWithSecret), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn create(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(name): Path<String>,
    Json(new): Json<NewWebhook>,
) -> Result<Response, Problem> {
    make(&state, &caller, &scope(&name)?, new).await
}

/// A webhook of a namespace
#[utoipa::path(get, path = "/namespaces/{name}/webhooks/{webhook}", tag = "webhooks", params(("name" = String, Path, description = "The namespace's name"), ("webhook" = String, Path, description = "The webhook's id")), responses(
    (status = 200, body = Webhook), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn show(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((name, webhook)): Path<(String, String)>,
) -> Result<Json<Webhook>, Problem> {
    let shown = state
        .app
        .show_webhook(&caller, &scope(&name)?, super::webhook_id(&webhook)?)
        .await?;
    Ok(Json(shown.into()))
}

/// Change a webhook of a namespace
///
/// Also switch it on or off. It stands on the rights of whoever changes it from then on.
#[utoipa::path(patch, path = "/namespaces/{name}/webhooks/{webhook}", tag = "webhooks", params(("name" = String, Path, description = "The namespace's name"), ("webhook" = String, Path, description = "The webhook's id")),
    request_body = WebhookChange, responses((status = 200, body = Webhook), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn change(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((name, webhook)): Path<(String, String)>,
    Json(change): Json<WebhookChange>,
) -> Result<Json<Webhook>, Problem> {
    edit(&state, &caller, &scope(&name)?, &webhook, change).await
}

/// Remove a webhook of a namespace
///
/// With the log of what it was told.
#[utoipa::path(delete, path = "/namespaces/{name}/webhooks/{webhook}", tag = "webhooks", params(("name" = String, Path, description = "The namespace's name"), ("webhook" = String, Path, description = "The webhook's id")), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn remove(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((name, webhook)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .remove_webhook(&caller, &scope(&name)?, super::webhook_id(&webhook)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a webhook of a namespace another secret
///
/// It is in the answer and is not shown again. The one before signs besides for a while.
#[utoipa::path(post, path = "/namespaces/{name}/webhooks/{webhook}/secret", tag = "webhooks", params(("name" = String, Path, description = "The namespace's name"), ("webhook" = String, Path, description = "The webhook's id")),
    request_body = NewHookSecret, responses((status = 201, body = WebhookWithSecret), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
async fn rotate(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((name, webhook)): Path<(String, String)>,
    Json(new): Json<NewHookSecret>,
) -> Result<Response, Problem> {
    replace_secret(&state, &caller, &scope(&name)?, &webhook, &new).await
}

/// Test a webhook of a namespace
///
/// A ping is sent, once; what became of it is said by its delivery.
#[utoipa::path(post, path = "/namespaces/{name}/webhooks/{webhook}/ping", tag = "webhooks", params(("name" = String, Path, description = "The namespace's name"), ("webhook" = String, Path, description = "The webhook's id")), responses(
    (status = 202, body = WebhookDelivery), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn ping(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((name, webhook)): Path<(String, String)>,
) -> Result<(StatusCode, Json<WebhookDelivery>), Problem> {
    delivery::test(&state, &caller, &scope(&name)?, &webhook).await
}

/// What a webhook of a namespace was told
///
/// The newest first: the last 500 of the last week.
#[utoipa::path(get, path = "/namespaces/{name}/webhooks/{webhook}/deliveries", tag = "webhooks", params(("name" = String, Path, description = "The namespace's name"), ("webhook" = String, Path, description = "The webhook's id"), Wish),
    responses((status = 200, body = Page<WebhookDelivery>), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn deliveries(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((name, webhook)): Path<(String, String)>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<WebhookDelivery>>, Problem> {
    delivery::page(&state, &caller, &scope(&name)?, &webhook, &wish).await
}

/// A delivery to a webhook of a namespace
///
/// With what was sent and what was answered.
#[utoipa::path(get, path = "/namespaces/{name}/webhooks/{webhook}/deliveries/{delivery}", tag = "webhooks",
    params(("name" = String, Path, description = "The namespace's name"), ("webhook" = String, Path, description = "The webhook's id"), ("delivery" = String, Path, description = "The delivery's id")), responses((status = 200, body = WebhookDelivery),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delivery(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((name, webhook, delivery)): Path<(String, String, String)>,
) -> Result<Json<WebhookDelivery>, Problem> {
    delivery::find(&state, &caller, &scope(&name)?, (&webhook, &delivery)).await
}

/// Deliver again to a webhook of a namespace
///
/// The same message, by the same id.
#[utoipa::path(post, path = "/namespaces/{name}/webhooks/{webhook}/deliveries/{delivery}/redeliver", tag = "webhooks",
    params(("name" = String, Path, description = "The namespace's name"), ("webhook" = String, Path, description = "The webhook's id"), ("delivery" = String, Path, description = "The delivery's id")), responses((status = 202, body = WebhookDelivery),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
async fn redeliver(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((name, webhook, delivery)): Path<(String, String, String)>,
) -> Result<(StatusCode, Json<WebhookDelivery>), Problem> {
    delivery::again(&state, &caller, &scope(&name)?, (&webhook, &delivery)).await
}
