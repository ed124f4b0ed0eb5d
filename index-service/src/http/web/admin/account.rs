//! Accounts: looked for, made, suspended, appointed, given another password by a link, deleted.

use askama::Template;
use axum::extract::{Path, Query, State as Shared};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::{Administrator, Search};
use crate::app::caller::Caller;
use crate::app::departure::AccountEnd;
use crate::app::profile::ProfileChange;
use crate::app::sign_up::NewPerson;
use crate::domain::Profile;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, PAGE, Paged, Place, problem, query};
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

#[derive(Template)]
#[template(path = "admin/accounts.html")]
struct AccountsPage {
    view: View,
    frame: Frame,
    prefix: String,
    accounts: Paged<Profile>,
    typed: Typed,
}

#[derive(Template)]
#[template(path = "admin/account.html")]
struct AccountPage {
    view: View,
    frame: Frame,
    account: Profile,
    is_own: bool,
    end: AccountEnd,
}

#[derive(Template)]
#[template(path = "admin/secret.html")]
struct SecretPage {
    view: View,
    frame: Frame,
    name: String,
    secret: String,
    is_link: bool,
    until: i64,
}

/// A new account.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    full_name: String,
    #[serde(default)]
    email: String,
}

pub(super) async fn list(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Query(search): Query<Search>,
    Query(place): Query<Place>,
) -> Result<Response, PageError> {
    let typed = Typed::default();
    page(
        &state,
        &caller,
        view,
        (search, place),
        typed,
        (StatusCode::OK, String::new()),
    )
    .await
}

pub(super) async fn create(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(typed): Submitted<Typed>,
) -> Result<Response, PageError> {
    let new = NewPerson {
        username: typed.name.trim().to_owned(),
        password: None,
        email: Some(typed.email.clone()),
        full_name: typed.full_name.clone(),
        invitation: None,
        once: None,
    };
    match state.app.sign_up(&caller, &new).await {
        Ok(made) => Ok(render_with(
            StatusCode::OK,
            &SecretPage {
                name: made.account.username.to_string(),
                secret: made
                    .password
                    .map(|password| password.expose().clone())
                    .unwrap_or_default(),
                is_link: false,
                until: 0,
                frame: Frame::of("accounts"),
                view,
            },
        )),
        Err(error) => {
            let (status, text) = problem(error, &view)?;
            let first = (Search::default(), Place::default());
            page(&state, &caller, view, first, typed, (status, text)).await
        }
    }
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    one(&state, &caller, view, &name, (StatusCode::OK, String::new())).await
}

/// What was typed to confirm.
#[derive(Debug, Deserialize)]
pub(super) struct Confirmed {
    #[serde(default)]
    typed: String,
}

pub(super) async fn act(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Path((name, action)): Path<(String, String)>,
    Submitted(confirmed): Submitted<Confirmed>,
) -> Result<Response, PageError> {
    let mut change = ProfileChange::default();
    let (said, ended) = match action.as_str() {
        "suspend" => {
            change.is_suspended = Some(true);
            (
                "admin-done-suspended",
                state.app.change_profile(&caller, &name, &change).await.map(drop),
            )
        }
        "resume" => {
            change.is_suspended = Some(false);
            (
                "admin-done-resumed",
                state.app.change_profile(&caller, &name, &change).await.map(drop),
            )
        }
        "appoint" => {
            change.is_admin = Some(true);
            (
                "admin-done-appointed",
                state.app.change_profile(&caller, &name, &change).await.map(drop),
            )
        }
        "dismiss" => {
            change.is_admin = Some(false);
            (
                "admin-done-dismissed",
                state.app.change_profile(&caller, &name, &change).await.map(drop),
            )
        }
        "reset" => match state.app.create_password_reset(&caller, &name).await {
            Ok(reset) => {
                let page = SecretPage {
                    name: reset.username.to_string(),
                    secret: reset.link(state.app.public_url()).expose().clone(),
                    is_link: true,
                    until: reset.expires_at,
                    frame: Frame::of("accounts"),
                    view,
                };
                return Ok(render_with(StatusCode::OK, &page));
            }
            Err(error) => ("", Err(error)),
        },
        "delete" if confirmed.typed.trim().eq_ignore_ascii_case(&name) => {
            match state.app.delete_account(&caller, &name).await {
                Ok(()) => return Ok(done(&view, "/admin/accounts", "admin-done-deleted")),
                Err(error) => ("", Err(error)),
            }
        }
        "delete" => {
            let text = view.t("admin-account-name-differs");
            return one(&state, &caller, view, &name, (StatusCode::BAD_REQUEST, text)).await;
        }
        _ => return Err(PageError::not_found()),
    };
    match ended {
        Ok(()) => {
            let path = format!("/admin/accounts/{}", view.in_path(&name));
            Ok(done(&view, &path, said))
        }
        Err(error) => {
            let (status, text) = problem(error, &view)?;
            one(&state, &caller, view, &name, (status, text)).await
        }
    }
}

async fn page(
    state: &State,
    caller: &Caller,
    view: View,
    (search, place): (Search, Place),
    typed: Typed,
    (status, problem): (StatusCode, String),
) -> Result<Response, PageError> {
    let prefix = search.prefix();
    let read = state
        .app
        .list_profiles(caller, &prefix, place.after(), PAGE + 1)
        .await?;
    let path = format!("/admin/accounts{}", query(&[("prefix", &prefix)]));
    let page = AccountsPage {
        accounts: Paged::new(&place, &path, read, PAGE, |profile: &Profile| {
            profile.username.to_string()
        }),
        frame: Frame {
            problem,
            ..Frame::of("accounts")
        },
        prefix,
        typed,
        view,
    };
    Ok(render_with(status, &page))
}

async fn one(
    state: &State,
    caller: &Caller,
    view: View,
    name: &str,
    (status, problem): (StatusCode, String),
) -> Result<Response, PageError> {
    let account = state.app.profile(caller, name).await?.profile;
    let page = AccountPage {
        is_own: account.username.as_str() == caller.name(),
        end: state.app.account_end(caller, name).await?,
        account,
        frame: Frame {
            problem,
            ..Frame::of("accounts")
        },
        view,
    };
    Ok(render_with(status, &page))
}
