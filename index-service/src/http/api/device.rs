//! `/api/v1/devices`: where whoever asks is signed in by `docker login` with the password.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::SignedIn;
use super::instant::Instant;
use super::page::{Page, Wish};
use super::problem::Problem;
use crate::domain::DeviceId;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list, end_all))
        .routes(routes!(end))
}

/// A device: one login with the password, kept by its client.
#[derive(Debug, Serialize, ToSchema)]
struct Device {
    /// Its id.
    id: String,
    /// The program, as it calls itself in the protocol.
    client_id: String,
    /// The program, as its `User-Agent` says.
    client: String,
    /// When it signed in.
    created_at: Instant,
    /// From which address.
    created_address: Option<String>,
    /// When it was used last, to the minute.
    last_used_at: Instant,
    /// From which address.
    last_address: Option<String>,
    /// When it has to sign in again, however often it is used.
    expires_at: Instant,
}

impl From<crate::domain::Device> for Device {
    fn from(device: crate::domain::Device) -> Self {
        Self {
            id: device.device_id.to_string(),
            client_id: device.client_id,
            client: device.user_agent,
            created_at: Instant(device.created_at),
            created_address: device.created_address,
            last_used_at: Instant(device.last_used_at),
            last_address: device.last_address,
            expires_at: Instant(device.expires_at),
        }
    }
}

/// Devices that are signed in, the oldest first
#[utoipa::path(get, path = "/devices", tag = "devices", params(Wish), responses(
    (status = 200, body = Page<Device>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn list(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<Device>>, Problem> {
    let devices = state
        .app
        .list_own_devices(&caller, wish.after_id(), wish.limit() + 1)
        .await?;
    Ok(Json(Page::new(
        &wish,
        devices,
        |device| device.device_id.to_string(),
        Device::from,
    )))
}

/// Sign one device out
#[utoipa::path(delete, path = "/devices/{id}", tag = "devices", params(("id" = i64, Path)), responses(
    (status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn end(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    state.app.end_own_device(&caller, DeviceId::from_i64(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign out everywhere
///
/// Every device has to log in again; access tokens stay.
#[utoipa::path(delete, path = "/devices", tag = "devices", responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn end_all(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
) -> Result<StatusCode, Problem> {
    state.app.end_own_devices(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
