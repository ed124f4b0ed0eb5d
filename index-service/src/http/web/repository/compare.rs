//! Two tags beside each other.

use askama::Template;
use axum::response::Response;

use super::Wish;
use super::head::Head;
use crate::app::content::{Compared, TagOrder};
use crate::app::repository_page::RepositoryHead;
use crate::domain::comparison::Standing;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::page::render;
use crate::http::web::view::View;
use crate::http::web::visitor::Visitor;

/// Tags that are offered.
const MOST_TAGS: u32 = 100;

#[derive(Template)]
#[template(path = "repository/compare.html")]
struct ComparePage {
    view: View,
    head: Head,
    /// What may be chosen, those that moved last first.
    tags: Vec<String>,
    from: String,
    to: String,
    compared: Option<Compared>,
    /// Why there is nothing to compare.
    error: Option<String>,
}

pub(super) async fn show(
    state: &State,
    visitor: Visitor,
    head: &RepositoryHead,
    wish: &Wish,
) -> Result<Response, PageError> {
    let order = (TagOrder::Updated, "");
    let found = state
        .app
        .list_tags(
            &visitor.caller,
            head.id(),
            order,
            (i64::MAX, ""),
            MOST_TAGS,
        )
        .await?;
    let tags: Vec<String> = found.into_iter().map(|tag| tag.name).collect();
    // The two that moved last, where nothing was chosen.
    let newest = tags.first().cloned().unwrap_or_default();
    let to = wish.to.clone().unwrap_or_else(|| newest.clone());
    let other = tags.iter().find(|tag| **tag != to).cloned();
    let from = wish.from.clone().or(other).unwrap_or(newest);
    let (mut compared, mut error) = (None, None);
    if !from.is_empty() && !to.is_empty() {
        let platform = wish.platform.as_deref();
        let found = state
            .app
            .compare(&visitor.caller, head.id(), (&from, &to), platform)
            .await;
        match found {
            Ok(found) => compared = Some(found),
            Err(refusal) => {
                let refusal = PageError::from(refusal);
                if !refusal.is_refusal() {
                    return Err(refusal);
                }
                error = Some(refusal.text(&visitor.view));
            }
        }
    }
    Ok(render(&ComparePage {
        head: Head::new(head, "compare"),
        view: visitor.view,
        tags,
        from,
        to,
        compared,
        error,
    }))
}

/// The key of where a layer is, and the word that colours it.
fn standing(standing: Standing) -> (&'static str, &'static str) {
    match standing {
        Standing::Shared => ("compare-shared", "shared"),
        Standing::Added => ("compare-added", "added"),
        Standing::Removed => ("compare-removed", "removed"),
    }
}

/// The key of the name of a setting.
fn setting(key: &str) -> String {
    format!("compare-setting-{}", key.replace('_', "-"))
}
