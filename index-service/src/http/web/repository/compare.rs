//! Two tags beside each other.

use askama::Template;
use axum::response::Response;

use super::Wish;
use super::head::Head;
use super::image::tidy;
use crate::app::content::{Compared, TagOrder, TagPlace};
use crate::app::repository_page::RepositoryHead;
use crate::domain::comparison::{LayerLine, Standing};
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::page::render;
use crate::http::web::view::View;
use crate::http::web::visitor::Visitor;

/// Tags that are offered.
const MOST_TAGS: u32 = 100;

/// A layer of either image.
struct Layer {
    /// The key of where it is, and the word that colours it.
    key: &'static str,
    word: &'static str,
    digest: String,
    size: i64,
    command: Option<String>,
}

impl From<&LayerLine> for Layer {
    fn from(line: &LayerLine) -> Self {
        let (key, word) = match line.standing {
            Standing::Shared => ("compare-shared", "shared"),
            Standing::Added => ("compare-added", "added"),
            Standing::Removed => ("compare-removed", "removed"),
        };
        Self {
            key,
            word,
            digest: line.digest.clone(),
            size: line.size,
            command: line.command.as_deref().map(tidy),
        }
    }
}

/// A setting that differs.
struct Setting {
    /// The key of its name.
    key: String,
    before: Option<String>,
    after: Option<String>,
}

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
    layers: Vec<Layer>,
    settings: Vec<Setting>,
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
            &TagPlace::beginning(),
            MOST_TAGS,
        )
        .await?;
    let tags: Vec<String> = found.tags.into_iter().map(|tag| tag.name).collect();
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
            .compare_images(&visitor.caller, head.id(), (&from, &to), platform)
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
    let differences = compared.as_ref().map(|compared| &compared.comparison);
    let (mut layers, mut settings) = (Vec::new(), Vec::new());
    if let Some(differences) = differences {
        layers.extend(differences.layers.iter().map(Layer::from));
        settings.extend(differences.settings.iter().map(|one| Setting {
            key: format!("compare-setting-{}", one.key.replace('_', "-")),
            before: one.before.clone(),
            after: one.after.clone(),
        }));
    }
    Ok(render(&ComparePage {
        layers,
        settings,
        head: Head::new(head, "compare"),
        view: visitor.view,
        tags,
        from,
        to,
        compared,
        error,
    }))
}
