//! Webhooks of one kind of place: the same paths below it, with the same answers.

/// The routes below a place: what it is called, its path, the parameter in that with its description, and what reads the parameter.
macro_rules! webhooks_of {
    ($place:literal, $prefix:literal, $parameter:literal, $described:literal, $scope:path) => {
        use axum::Json;
        use axum::extract::{Path, Query, State as Shared};
        use axum::response::Response;
        use http::StatusCode;
        use $crate::http::api::described::{ApiRouter, routes};

        use super::super::State;
        use super::super::caller::SignedIn;
        use super::super::page::{Page, Wish};
        use super::super::problem::Problem;
        use super::delivery::{self, WebhookDelivery};
        use super::{
            NewHookSecret, NewWebhook, Webhook, WebhookChange, WebhookWithSecret, edit, make, replace_secret,
        };

        pub(super) fn routes() -> ApiRouter {
            ApiRouter::new()
                .routes(routes!(list, create))
                .routes(routes!(show, change, remove))
                .routes(routes!(rotate))
                .routes(routes!(ping))
                .routes(routes!(deliveries))
                .routes(routes!(delivery))
                .routes(routes!(redeliver))
        }

        #[utoipa::path(get, summary = concat!("Webhooks of a ", $place), description = "The oldest first; for those who decide about it.", path = concat!($prefix, "/webhooks"), tag = "webhooks", params(($parameter = String, Path, description = $described), Wish), responses(
            (status = 200, body = Page<Webhook>), (status = 401, body = Problem), (status = 403, body = Problem),
            (status = 404, body = Problem)))]
        async fn list(
            Shared(state): Shared<State>,
            SignedIn(caller): SignedIn,
            Path(place): Path<String>,
            Query(wish): Query<Wish>,
        ) -> Result<Json<Page<Webhook>>, Problem> {
            super::page(&state, &caller, &$scope(&place)?, &wish).await
        }

        #[utoipa::path(post, summary = concat!("Make a webhook of a ", $place), description = "The secret that its deliveries are signed with is in the answer and is not shown again. At most 20.", path = concat!($prefix, "/webhooks"), tag = "webhooks", params(($parameter = String, Path, description = $described)), request_body = NewWebhook, responses(
            (status = 201, body = WebhookWithSecret), (status = 400, body = Problem), (status = 401, body = Problem),
            (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
        async fn create(
            Shared(state): Shared<State>,
            SignedIn(caller): SignedIn,
            Path(place): Path<String>,
            Json(new): Json<NewWebhook>,
        ) -> Result<Response, Problem> {
            make(&state, &caller, &$scope(&place)?, new).await
        }

        #[utoipa::path(get, summary = concat!("A webhook of a ", $place), path = concat!($prefix, "/webhooks/{webhook}"), tag = "webhooks", params(($parameter = String, Path, description = $described), ("webhook" = String, Path, description = "The webhook's id")), responses(
            (status = 200, body = Webhook), (status = 401, body = Problem), (status = 403, body = Problem),
            (status = 404, body = Problem)))]
        async fn show(
            Shared(state): Shared<State>,
            SignedIn(caller): SignedIn,
            Path((place, webhook)): Path<(String, String)>,
        ) -> Result<Json<Webhook>, Problem> {
            let shown = state
                .app
                .show_webhook(&caller, &$scope(&place)?, super::webhook_id(&webhook)?)
                .await?;
            Ok(Json(shown.into()))
        }

        #[utoipa::path(patch, summary = concat!("Change a webhook of a ", $place), description = "Also switch it on or off. It stands on the rights of whoever changes it from then on.", path = concat!($prefix, "/webhooks/{webhook}"), tag = "webhooks", params(($parameter = String, Path, description = $described), ("webhook" = String, Path, description = "The webhook's id")),
            request_body = WebhookChange, responses((status = 200, body = Webhook), (status = 400, body = Problem),
            (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
        async fn change(
            Shared(state): Shared<State>,
            SignedIn(caller): SignedIn,
            Path((place, webhook)): Path<(String, String)>,
            Json(change): Json<WebhookChange>,
        ) -> Result<Json<Webhook>, Problem> {
            edit(&state, &caller, &$scope(&place)?, &webhook, change).await
        }

        #[utoipa::path(delete, summary = concat!("Remove a webhook of a ", $place), description = "With the log of what it was told.", path = concat!($prefix, "/webhooks/{webhook}"), tag = "webhooks", params(($parameter = String, Path, description = $described), ("webhook" = String, Path, description = "The webhook's id")), responses(
            (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
        async fn remove(
            Shared(state): Shared<State>,
            SignedIn(caller): SignedIn,
            Path((place, webhook)): Path<(String, String)>,
        ) -> Result<StatusCode, Problem> {
            state
                .app
                .remove_webhook(&caller, &$scope(&place)?, super::webhook_id(&webhook)?)
                .await?;
            Ok(StatusCode::NO_CONTENT)
        }

        #[utoipa::path(post, summary = concat!("Give a webhook of a ", $place, " another secret"), description = "It is in the answer and is not shown again. The one before signs besides for a while.", path = concat!($prefix, "/webhooks/{webhook}/secret"), tag = "webhooks", params(($parameter = String, Path, description = $described), ("webhook" = String, Path, description = "The webhook's id")),
            request_body = NewHookSecret, responses((status = 201, body = WebhookWithSecret), (status = 400, body = Problem),
            (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
            (status = 409, body = Problem)))]
        async fn rotate(
            Shared(state): Shared<State>,
            SignedIn(caller): SignedIn,
            Path((place, webhook)): Path<(String, String)>,
            Json(new): Json<NewHookSecret>,
        ) -> Result<Response, Problem> {
            replace_secret(&state, &caller, &$scope(&place)?, &webhook, &new).await
        }

        #[utoipa::path(post, summary = concat!("Test a webhook of a ", $place), description = "A ping is sent, once; what became of it is said by its delivery.", path = concat!($prefix, "/webhooks/{webhook}/ping"), tag = "webhooks", params(($parameter = String, Path, description = $described), ("webhook" = String, Path, description = "The webhook's id")), responses(
            (status = 202, body = WebhookDelivery), (status = 401, body = Problem), (status = 403, body = Problem),
            (status = 404, body = Problem), (status = 409, body = Problem)))]
        async fn ping(
            Shared(state): Shared<State>,
            SignedIn(caller): SignedIn,
            Path((place, webhook)): Path<(String, String)>,
        ) -> Result<(StatusCode, Json<WebhookDelivery>), Problem> {
            delivery::test(&state, &caller, &$scope(&place)?, &webhook).await
        }

        #[utoipa::path(get, summary = concat!("What a webhook of a ", $place, " was told"), description = "The newest first: the last 500 of the last week.", path = concat!($prefix, "/webhooks/{webhook}/deliveries"), tag = "webhooks", params(($parameter = String, Path, description = $described), ("webhook" = String, Path, description = "The webhook's id"), Wish),
            responses((status = 200, body = Page<WebhookDelivery>), (status = 401, body = Problem), (status = 403, body = Problem),
            (status = 404, body = Problem)))]
        async fn deliveries(
            Shared(state): Shared<State>,
            SignedIn(caller): SignedIn,
            Path((place, webhook)): Path<(String, String)>,
            Query(wish): Query<Wish>,
        ) -> Result<Json<Page<WebhookDelivery>>, Problem> {
            delivery::page(&state, &caller, &$scope(&place)?, &webhook, &wish).await
        }

        #[utoipa::path(get, summary = concat!("A delivery to a webhook of a ", $place), description = "With what was sent and what was answered.", path = concat!($prefix, "/webhooks/{webhook}/deliveries/{delivery}"), tag = "webhooks",
            params(($parameter = String, Path, description = $described), ("webhook" = String, Path, description = "The webhook's id"), ("delivery" = String, Path, description = "The delivery's id")), responses((status = 200, body = WebhookDelivery),
            (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
        async fn delivery(
            Shared(state): Shared<State>,
            SignedIn(caller): SignedIn,
            Path((place, webhook, delivery)): Path<(String, String, String)>,
        ) -> Result<Json<WebhookDelivery>, Problem> {
            delivery::find(&state, &caller, &$scope(&place)?, (&webhook, &delivery)).await
        }

        #[utoipa::path(post, summary = concat!("Deliver again to a webhook of a ", $place), description = "The same message, by the same id.", path = concat!($prefix, "/webhooks/{webhook}/deliveries/{delivery}/redeliver"), tag = "webhooks",
            params(($parameter = String, Path, description = $described), ("webhook" = String, Path, description = "The webhook's id"), ("delivery" = String, Path, description = "The delivery's id")), responses((status = 202, body = WebhookDelivery),
            (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
            (status = 409, body = Problem)))]
        async fn redeliver(
            Shared(state): Shared<State>,
            SignedIn(caller): SignedIn,
            Path((place, webhook, delivery)): Path<(String, String, String)>,
        ) -> Result<(StatusCode, Json<WebhookDelivery>), Problem> {
            delivery::again(&state, &caller, &$scope(&place)?, (&webhook, &delivery)).await
        }
    };
}
pub(super) use webhooks_of;
