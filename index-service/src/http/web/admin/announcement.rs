//! What everybody is told, on every page.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::{Administrator, settle};
use crate::app::AppError;
use crate::app::announcement::AnnouncementWish;
use crate::app::caller::Caller;
use crate::domain::{Announcement, AnnouncementId};
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::Frame;
use crate::http::web::page::render_with;
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// Hours that the form offers; 0 is until it is taken away.
const HOURS: [u32; 6] = [0, 1, 4, 24, 72, 168];

#[derive(Template)]
#[template(path = "admin/announcements.html")]
struct AnnouncementsPage {
    view: View,
    frame: Frame,
    announcements: Vec<Announcement>,
    typed: Typed,
    hours: [u32; 6],
}

impl AnnouncementsPage {
    fn is_current(&self, announcement: &Announcement) -> bool {
        announcement.is_current(self.view.now_ms)
    }
}

/// What was typed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    text: String,
    #[serde(default)]
    text_zh: String,
    warning: Option<String>,
    #[serde(default)]
    hours: u32,
}

/// Which one.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    id: i64,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
) -> Result<Response, PageError> {
    page(
        &state,
        &caller,
        view,
        Typed::default(),
        (StatusCode::OK, String::new()),
    )
    .await
}

pub(super) async fn add(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(typed): Submitted<Typed>,
) -> Result<Response, PageError> {
    let wish = AnnouncementWish {
        text: typed.text.clone(),
        text_zh: typed.text_zh.clone(),
        is_warning: typed.warning.is_some(),
        starts_at: None,
        hours: (typed.hours > 0).then_some(typed.hours),
    };
    let ended = state.app.announce(&caller, &wish).await.map(drop);
    settled(&state, &caller, view, typed, ended, "admin-done-announced").await
}

pub(super) async fn remove(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(which): Submitted<Which>,
) -> Result<Response, PageError> {
    let id = AnnouncementId::from_i64(which.id);
    let ended = state.app.remove_announcement(&caller, id).await;
    let typed = Typed::default();
    settled(
        &state,
        &caller,
        view,
        typed,
        ended,
        "admin-done-announcement-removed",
    )
    .await
}

async fn settled(
    state: &State,
    caller: &Caller,
    view: View,
    typed: Typed,
    ended: Result<(), AppError>,
    said: &str,
) -> Result<Response, PageError> {
    match settle(ended, &view, ("/admin/announcements", said))? {
        Ok(response) => Ok(response),
        Err(refusal) => page(state, caller, view, typed, refusal).await,
    }
}

async fn page(
    state: &State,
    caller: &Caller,
    view: View,
    typed: Typed,
    (status, problem): (StatusCode, String),
) -> Result<Response, PageError> {
    let page = AnnouncementsPage {
        announcements: state.app.list_announcements(caller).await?,
        frame: Frame {
            problem,
            ..Frame::of("announcements")
        },
        typed,
        hours: HOURS,
        view,
    };
    Ok(render_with(status, &page))
}
