//! Stars: `/v2/repositories/{ns}/{repo}/stars`, and the repositories that one gave one.

use axum::extract::{Path, State as Shared};
use http::StatusCode;
use serde_json::Value;

use super::caller::SignedIn;
use super::error::HubError;
use super::page::Wish;
use super::shown::{listed, repository_name};
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::http::State;

/// Stars that are looked through for a page.
const MOST: u32 = 500;

pub(super) async fn give(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<StatusCode, HubError> {
    set(&state, &caller, &namespace, &name, true).await?;
    Ok(StatusCode::CREATED)
}

pub(super) async fn take_back(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<StatusCode, HubError> {
    set(&state, &caller, &namespace, &name, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set(
    state: &State,
    caller: &Caller,
    namespace: &str,
    name: &str,
    is_given: bool,
) -> Result<(), HubError> {
    let name = repository_name(namespace, name)?;
    let found = state.app.show_hub_repository(caller, &name).await?;
    let id = found.facts.repository_id;
    Ok(state.app.set_star(caller, id, is_given).await?)
}

/// Nobody is told of the stars that others gave.
pub(super) async fn list(
    shared: Shared<State>,
    caller: SignedIn,
    Path(user): Path<String>,
    wish: Wish,
) -> Result<axum::Json<Value>, HubError> {
    if !user.eq_ignore_ascii_case(&caller.0.name()) {
        let hidden = format!("there are no stars of {user} that you may see");
        return Err(AppError::NotFound(hidden).into());
    }
    list_own(shared, caller, wish).await
}

pub(super) async fn list_own(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    wish: Wish,
) -> Result<axum::Json<Value>, HubError> {
    let (starred, _) = state.app.list_starred(&caller, i64::MIN, MOST).await?;
    let (offset, limit) = wish.range();
    let mut shown = Vec::new();
    for one in starred.iter().skip(offset).take(limit) {
        let found = state.app.show_hub_repository(&caller, &one.facts.name).await;
        match found {
            Ok(found) => shown.push(listed(&found)),
            // Gone since.
            Err(AppError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    wish.answer(starred.len(), &shown)
}
