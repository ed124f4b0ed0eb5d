//! Webhooks of a repository.

use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use axum::response::Response;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::State;
use super::super::caller::SignedIn;
use super::super::page::{Page, Wish};
use super::super::problem::Problem;
use super::super::repository::repository_id;
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

fn scope(id: &str) -> Result<HookScope, AppError> {
    Ok(HookScope::Repository(repository_id(id)?))
}

/// Webhooks of a repository
///
/// The oldest first; for those who manage it.
#[utoipa::path(get, path = "/repositories/{id}/webhooks", tag = "webhooks", params(("id" = String, Path, description = "The repository's id"), Wish), responses(
    (status = 200, body = Page<Webhook>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<Webhook>>, Problem> {
    super::page(&state, &caller, &scope(&id)?, &wish).await
}

/// Make a webhook of a repository
///
/// The secret that its deliveries are signed with is in the answer and is not shown again. At most 20.
#[utoipa::path(post, path = "/repositories/{id}/webhooks", tag = "webhooks", params(("id" = String, Path, description = "The repository's id")), request_body = NewWebhook, responses(
    (status = 201, body = WebhookWithSecret), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn create(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    Json(new): Json<NewWebhook>,
) -> Result<Response, Problem> {
    make(&state, &caller, &scope(&id)?, new).await
}

/// A webhook of a repository
#[utoipa::path(get, path = "/repositories/{id}/webhooks/{webhook}", tag = "webhooks", params(("id" = String, Path, description = "The repository's id"), ("webhook" = String, Path, description = "The webhook's id")), responses(
    (status = 200, body = Webhook), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn show(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((id, webhook)): Path<(String, String)>,
) -> Result<Json<Webhook>, Problem> {
    let shown = state
        .app
        .show_webhook(&caller, &scope(&id)?, super::webhook_id(&webhook)?)
        .await?;
    Ok(Json(shown.into()))
}

/// Change a webhook of a repository
///
/// Also switch it on or off. It stands on the rights of whoever changes it from then on.
#[utoipa::path(patch, path = "/repositories/{id}/webhooks/{webhook}", tag = "webhooks", params(("id" = String, Path, description = "The repository's id"), ("webhook" = String, Path, description = "The webhook's id")),
    request_body = WebhookChange, responses((status = 200, body = Webhook), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn change(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((id, webhook)): Path<(String, String)>,
    Json(change): Json<WebhookChange>,
) -> Result<Json<Webhook>, Problem> {
    edit(&state, &caller, &scope(&id)?, &webhook, change).await
}

/// Remove a webhook of a repository
///
/// With the log of what it was told.
#[utoipa::path(delete, path = "/repositories/{id}/webhooks/{webhook}", tag = "webhooks", params(("id" = String, Path, description = "The repository's id"), ("webhook" = String, Path, description = "The webhook's id")), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn remove(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((id, webhook)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .remove_webhook(&caller, &scope(&id)?, super::webhook_id(&webhook)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a webhook of a repository another secret
///
/// It is in the answer and is not shown again. The one before signs besides for a while.
#[utoipa::path(post, path = "/repositories/{id}/webhooks/{webhook}/secret", tag = "webhooks", params(("id" = String, Path, description = "The repository's id"), ("webhook" = String, Path, description = "The webhook's id")),
    request_body = NewHookSecret, responses((status = 201, body = WebhookWithSecret), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
async fn rotate(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((id, webhook)): Path<(String, String)>,
    Json(new): Json<NewHookSecret>,
) -> Result<Response, Problem> {
    replace_secret(&state, &caller, &scope(&id)?, &webhook, &new).await
}

/// Test a webhook of a repository
///
/// A ping is sent, once; what became of it is said by its delivery.
#[utoipa::path(post, path = "/repositories/{id}/webhooks/{webhook}/ping", tag = "webhooks", params(("id" = String, Path, description = "The repository's id"), ("webhook" = String, Path, description = "The webhook's id")), responses(
    (status = 202, body = WebhookDelivery), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn ping(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((id, webhook)): Path<(String, String)>,
) -> Result<(StatusCode, Json<WebhookDelivery>), Problem> {
    delivery::test(&state, &caller, &scope(&id)?, &webhook).await
}

/// What a webhook of a repository was told
///
/// The newest first: the last 500 of the last week.
#[utoipa::path(get, path = "/repositories/{id}/webhooks/{webhook}/deliveries", tag = "webhooks", params(("id" = String, Path, description = "The repository's id"), ("webhook" = String, Path, description = "The webhook's id"), Wish),
    responses((status = 200, body = Page<WebhookDelivery>), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn deliveries(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((id, webhook)): Path<(String, String)>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<WebhookDelivery>>, Problem> {
    delivery::page(&state, &caller, &scope(&id)?, &webhook, &wish).await
}

/// A delivery to a webhook of a repository
///
/// With what was sent and what was answered.
#[utoipa::path(get, path = "/repositories/{id}/webhooks/{webhook}/deliveries/{delivery}", tag = "webhooks",
    params(("id" = String, Path, description = "The repository's id"), ("webhook" = String, Path, description = "The webhook's id"), ("delivery" = String, Path, description = "The delivery's id")), responses((status = 200, body = WebhookDelivery),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delivery(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((id, webhook, delivery)): Path<(String, String, String)>,
) -> Result<Json<WebhookDelivery>, Problem> {
    delivery::find(&state, &caller, &scope(&id)?, (&webhook, &delivery)).await
}

/// Deliver again to a webhook of a repository
///
/// The same message, by the same id.
#[utoipa::path(post, path = "/repositories/{id}/webhooks/{webhook}/deliveries/{delivery}/redeliver", tag = "webhooks",
    params(("id" = String, Path, description = "The repository's id"), ("webhook" = String, Path, description = "The webhook's id"), ("delivery" = String, Path, description = "The delivery's id")), responses((status = 202, body = WebhookDelivery),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
async fn redeliver(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((id, webhook, delivery)): Path<(String, String, String)>,
) -> Result<(StatusCode, Json<WebhookDelivery>), Problem> {
    delivery::again(&state, &caller, &scope(&id)?, (&webhook, &delivery)).await
}
