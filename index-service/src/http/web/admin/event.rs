//! What failed: deliveries to webhooks that were given up, and what could not be read from the registry.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use serde::Deserialize;

use super::Administrator;
use crate::app::overview::{DeadDelivery, StuckReading};
use crate::domain::DeliveryId;
use crate::domain::webhook::HookPlace;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, PAGE, Paged, Place};
use crate::http::web::page::{done, render};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// A delivery as it is shown.
struct Row {
    delivery: DeadDelivery,
    name: String,
    is_repository: bool,
}

#[derive(Template)]
#[template(path = "admin/events.html")]
struct EventsPage {
    view: View,
    frame: Frame,
    dead: Paged<Row>,
    stuck: Vec<StuckReading>,
}

/// A delivery that is to be sent once more.
#[derive(Debug, Deserialize)]
pub(super) struct Again {
    delivery: String,
}

pub(super) async fn redeliver(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(again): Submitted<Again>,
) -> Result<Response, PageError> {
    let id = again.delivery.parse().map_err(|_| PageError::not_found())?;
    state
        .app
        .redeliver_dead(&caller, DeliveryId::from_i64(id))
        .await?;
    Ok(done(&view, "/admin/events", "admin-done-redelivered"))
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Query(place): Query<Place>,
) -> Result<Response, PageError> {
    let read = state
        .app
        .list_dead_deliveries(&caller, place.before_id(), PAGE + 1)
        .await?;
    let rows = read
        .into_iter()
        .map(|delivery| {
            let (is_repository, name) = match &delivery.place {
                Some((HookPlace::Repository(_), name)) => (true, name.clone()),
                Some((HookPlace::Namespace(_), name)) => (false, name.clone()),
                None => (false, String::new()),
            };
            Row {
                delivery,
                name,
                is_repository,
            }
        })
        .collect();
    Ok(render(&EventsPage {
        dead: Paged::new(&place, "/admin/events", rows, PAGE, |row: &Row| {
            row.delivery.delivery_id.to_string()
        }),
        stuck: state.app.list_stuck_reading(&caller, PAGE).await?,
        frame: Frame::of("events"),
        view,
    }))
}
