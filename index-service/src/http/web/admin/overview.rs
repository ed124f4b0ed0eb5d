//! The site at a glance.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use shared::runtime::serve::ReadyState;

use super::Administrator;
use crate::app::audit::By;
use crate::app::key::ShownKey;
use crate::app::overview::{MOST, Overview, RegistryHealth};
use crate::domain::KeyState;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::figure::Figure;
use crate::http::web::frame::Frame;
use crate::http::web::page::render;
use crate::http::web::view::View;

/// A queue whose first entry waits for longer than this is behind, in milliseconds.
const BEHIND_MS: i64 = 120_000;

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct OverviewPage {
    view: View,
    frame: Frame,
    overview: Overview,
    /// What this process cannot do at the moment.
    limited: String,
    key: Option<ShownKey>,
}

impl OverviewPage {
    /// A number that is counted no further than a bound.
    fn bounded(&self, number: impl Figure) -> String {
        let number = number.figure();
        let text = self.view.number(number);
        if number >= i64::from(MOST) {
            format!("{text}+")
        } else {
            text
        }
    }

    fn is_behind(lag_ms: impl Figure) -> bool {
        lag_ms.figure() > BEHIND_MS
    }

    fn registry_answers(&self) -> Option<u64> {
        match &self.overview.registry {
            RegistryHealth::Answers(ms) => Some(*ms),
            RegistryHealth::Away(_) | RegistryHealth::Unknown => None,
        }
    }

    fn registry_fault(&self) -> Option<&str> {
        match &self.overview.registry {
            RegistryHealth::Away(why) => Some(why),
            RegistryHealth::Answers(_) | RegistryHealth::Unknown => None,
        }
    }
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
) -> Result<Response, PageError> {
    let overview = state.app.overview(&caller).await?;
    let keys = state.app.list_keys(By::Caller(&caller)).await?;
    let limited = match state.readiness.state() {
        ReadyState::Limited(what) | ReadyState::Unready(what) => what.to_owned(),
        ReadyState::Ready => String::new(),
    };
    Ok(render(&OverviewPage {
        view,
        frame: Frame::of("overview"),
        overview,
        limited,
        key: keys.into_iter().find(|key| key.facts.state == KeyState::Current),
    }))
}
