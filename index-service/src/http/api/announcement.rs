//! `/api/v1/announcements`: what administrators of the site tell everybody.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, State as Shared};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::caller::SignedIn;
use super::instant::Instant;
use super::problem::Problem;
use crate::app::AppError;
use crate::app::announcement::AnnouncementWish;
use crate::domain::{Announcement, AnnouncementId};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(remove))
}

/// What administrators tell everybody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Announcement)]
struct Told {
    /// Its id.
    id: String,
    /// What it says.
    text: String,
    /// What it says to those who read Chinese; empty for the same.
    text_zh: String,
    /// Whether it warns.
    is_warning: bool,
    /// From when on it is shown.
    starts_at: Instant,
    /// Until when; absent until it is taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Instant>,
}

impl From<Announcement> for Told {
    fn from(announcement: Announcement) -> Self {
        Self {
            id: announcement.announcement_id.to_string(),
            text: announcement.text,
            text_zh: announcement.text_zh,
            is_warning: announcement.is_warning,
            starts_at: Instant(announcement.starts_at),
            ends_at: announcement.ends_at.map(Instant),
        }
    }
}

/// All announcements.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Announcements)]
struct Every {
    /// The oldest first; at most 20.
    items: Vec<Told>,
}

/// What is to be told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAnnouncement)]
struct New {
    /// What it says, in one line of at most 300 characters.
    text: String,
    /// What it says to those who read Chinese; absent for the same.
    #[serde(default)]
    text_zh: String,
    /// Whether it warns.
    #[serde(default)]
    is_warning: bool,
    /// For how many hours, 1 to 8760; absent until it is taken away.
    #[schema(minimum = 1, maximum = 8760)]
    hours: Option<u32>,
}

/// What everybody is told now
///
/// Without signing in; every page shows it.
#[utoipa::path(get, path = "/announcements", tag = "site", security(()), responses((status = 200, body = Every)))]
async fn list(Shared(state): Shared<State>) -> Json<Every> {
    let current = state.app.announcements().await;
    Json(Every {
        items: current.into_iter().map(Told::from).collect(),
    })
}

/// Tell everybody something
///
/// By administrators of the site. Every page shows it.
#[utoipa::path(post, path = "/announcements", tag = "site", request_body = New, responses(
    (status = 201, body = Told), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn create(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Json(new): Json<New>,
) -> Result<(StatusCode, Json<Told>), Problem> {
    let wish = AnnouncementWish {
        text: new.text,
        text_zh: new.text_zh,
        is_warning: new.is_warning,
        starts_at: None,
        hours: new.hours,
    };
    let made = state.app.announce(&caller, &wish).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Take an announcement away
///
/// By administrators of the site.
#[utoipa::path(delete, path = "/announcements/{id}", tag = "site",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn remove(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = id
        .parse()
        .map_err(|_| AppError::NotFound("there is no such announcement".to_owned()))?;
    state
        .app
        .remove_announcement(&caller, AnnouncementId::from_i64(id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::http::testing::Front;

    #[tokio::test]
    async fn everybody_reads_what_administrators_announce_and_nobody_else_announces() {
        let front = Front::new().await;
        front.administrator("root").await;
        let body = json!({"text": "Maintenance at 22:00 UTC", "hours": 5});
        front
            .api("ada", "POST", "/announcements", body.clone())
            .await
            .is(403);
        front
            .api("", "POST", "/announcements", body.clone())
            .await
            .is(401);
        let made = front.api("root", "POST", "/announcements", body).await.is(201);
        let told = front.api("", "GET", "/announcements", Value::Null).await.is(200);
        assert_eq!(told["items"][0]["text"], "Maintenance at 22:00 UTC");
        let path = format!("/announcements/{}", made["id"].as_str().unwrap());
        front.api("ada", "DELETE", &path, Value::Null).await.is(403);
        front.api("root", "DELETE", &path, Value::Null).await.is(204);
        front.api("root", "DELETE", &path, Value::Null).await.is(404);
        front
            .api("root", "DELETE", "/announcements/x", Value::Null)
            .await
            .is(404);
        let told = front.api("", "GET", "/announcements", Value::Null).await.is(200);
        assert_eq!(told["items"], json!([]));
    }
}
