//! What one is told, and of what.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use serde::Deserialize;

use super::device::browser;
use crate::domain::{Notice, NoticeId, NoticeKind};
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, PAGE, Paged, Place};
use crate::http::web::page::{done, render, see};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;
use crate::http::web::visitor::SignedIn;

const PATH: &str = "/account/notifications";

/// A notice as it is shown.
struct Row {
    id: String,
    text: String,
    path: String,
    created_at: i64,
    is_read: bool,
}

impl Row {
    fn new(notice: &Notice, view: &View) -> Self {
        Self {
            id: notice.notice_id.to_string(),
            text: text(notice, view),
            path: super::super::in_path(&notice.path()),
            created_at: notice.created_at,
            is_read: notice.read_at.is_some(),
        }
    }
}

/// A notice as a sentence.
fn text(notice: &Notice, view: &View) -> String {
    let key = format!("notice-text-{}", word(notice.kind));
    let detail = match notice.kind {
        NoticeKind::Member => view.t(&format!("entry-role-{}", notice.detail)),
        NoticeKind::Webhook => view.t(match notice.detail.as_str() {
            "gone" => "notice-webhook-gone",
            "permission" => "notice-webhook-permission",
            _ => "notice-webhook-failing",
        }),
        NoticeKind::Quota => return quota(notice, view, &key),
        NoticeKind::SignIn if notice.detail.is_empty() => view.t("notice-nowhere"),
        NoticeKind::TokenEnding => view.date(notice.detail.parse().unwrap_or(0_i64)),
        _ => notice.detail.clone(),
    };
    let nobody = view.t("notice-somebody");
    let actor = notice.actor.as_deref().unwrap_or(&nobody);
    let subject = match notice.kind {
        NoticeKind::SignIn => browser(&notice.subject),
        _ => notice.subject.clone(),
    };
    view.ta(
        &key,
        &[
            ("actor", actor),
            ("subject", subject.as_str()),
            ("detail", detail.as_str()),
        ],
    )
}

/// How much of a limit is reached.
fn quota(notice: &Notice, view: &View, key: &str) -> String {
    let (percent, resource) = notice.detail.split_once(' ').unwrap_or_default();
    let resource = view.t(match resource {
        "repositories" => "notice-resource-repositories",
        "tags" => "notice-resource-tags",
        "storage_bytes" => "notice-resource-storage",
        _ => "notice-resource-bytes",
    });
    view.ta(
        key,
        &[
            ("subject", notice.subject.as_str()),
            ("percent", percent),
            ("resource", resource.as_str()),
        ],
    )
}

/// The word of a kind in keys of texts.
fn word(kind: NoticeKind) -> String {
    kind.as_str().replace('_', "-")
}

/// A kind that may be switched off.
struct Choice {
    kind: &'static str,
    label: String,
    is_on: bool,
}

#[derive(Template)]
#[template(path = "account/notifications.html")]
struct NotificationsPage {
    view: View,
    frame: Frame,
    notices: Paged<Row>,
    newest: String,
    choices: Vec<Choice>,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Query(place): Query<Place>,
) -> Result<Response, PageError> {
    let read = state
        .app
        .list_notices(&caller, place.before_id(), PAGE + 1)
        .await?;
    let rows: Vec<Row> = read.iter().map(|notice| Row::new(notice, &view)).collect();
    let choices = state.app.notice_choices(&caller).await?.into_iter();
    let choices = choices.map(|choice| Choice {
        kind: choice.kind.as_str(),
        label: view.t(&format!("notice-kind-{}", word(choice.kind))),
        is_on: choice.is_on,
    });
    let choices = choices.collect();
    Ok(render(&NotificationsPage {
        newest: rows.first().map(|row| row.id.clone()).unwrap_or_default(),
        notices: Paged::new(&place, PATH, rows, PAGE, |row: &Row| row.id.clone()),
        frame: Frame::of("notifications"),
        choices,
        view,
    }))
}

/// Which notice.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    id: i64,
}

/// Up to which one.
#[derive(Debug, Deserialize)]
pub(super) struct UpTo {
    newest: i64,
}

/// Goes on to what a notice is about, which is read by that.
pub(super) async fn open(
    Shared(state): Shared<State>,
    SignedIn { caller, .. }: SignedIn,
    Submitted(which): Submitted<Which>,
) -> Result<Response, PageError> {
    let notice = state
        .app
        .read_notice(&caller, NoticeId::from_i64(which.id))
        .await?;
    Ok(see(&super::super::in_path(&notice.path())))
}

pub(super) async fn read(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Submitted(which): Submitted<Which>,
) -> Result<Response, PageError> {
    state
        .app
        .read_notice(&caller, NoticeId::from_i64(which.id))
        .await?;
    Ok(done(&view, PATH, "notice-done-read"))
}

pub(super) async fn read_all(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Submitted(up_to): Submitted<UpTo>,
) -> Result<Response, PageError> {
    let newest = NoticeId::from_i64(up_to.newest);
    state.app.read_notices(&caller, Some(newest)).await?;
    Ok(done(&view, PATH, "notice-done-read-all"))
}

pub(super) async fn remove(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Submitted(which): Submitted<Which>,
) -> Result<Response, PageError> {
    state
        .app
        .remove_notice(&caller, NoticeId::from_i64(which.id))
        .await?;
    Ok(done(&view, PATH, "notice-done-removed"))
}

pub(super) async fn remove_all(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Submitted(up_to): Submitted<UpTo>,
) -> Result<Response, PageError> {
    let newest = NoticeId::from_i64(up_to.newest);
    state.app.remove_notices(&caller, Some(newest)).await?;
    Ok(done(&view, PATH, "notice-done-removed-all"))
}

/// The kinds that are ticked are told; all others are not.
pub(super) async fn choose(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Submitted(fields): Submitted<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let is_ticked = |kind: &NoticeKind| {
        fields
            .iter()
            .any(|(name, value)| name == "on" && value == kind.as_str())
    };
    let off: Vec<NoticeKind> = NoticeKind::EVERY
        .into_iter()
        .filter(|kind| !is_ticked(kind))
        .collect();
    state.app.choose_notices(&caller, &off).await?;
    Ok(done(&view, PATH, "notice-done-chosen"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::web::language::Language;

    #[test]
    fn every_kind_has_its_texts_in_both_languages() {
        for language in Language::EVERY {
            for kind in NoticeKind::EVERY {
                for key in [
                    format!("notice-kind-{}", word(kind)),
                    format!("notice-text-{}", word(kind)),
                ] {
                    assert!(language.has(&key), "{key}");
                }
            }
        }
    }
}
