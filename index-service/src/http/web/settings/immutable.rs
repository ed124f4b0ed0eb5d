//! Tags that stay what they are, in a repository or in all of a namespace.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use shared::token::{ImmutableTags, TagPattern};

use super::fields::{Draft, Fields};
use super::place::{At, Place, Subject};
use crate::app::AppError;
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

#[derive(Template)]
#[template(path = "settings/immutable.html")]
struct Immutable {
    view: View,
    place: Place,
    draft: Draft,
    tags: String,
    except: String,
    /// What the namespace says besides.
    namespace_tags: Vec<String>,
    namespace_except: Vec<String>,
}

pub(in crate::http::web) async fn show(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    page(&state, at, Draft::asked(query)).await
}

pub(in crate::http::web) async fn act(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    match change(&state, &at, &fields).await {
        Ok(()) => Ok(done(&at.view, &at.place.here(), "settings-done-saved")),
        Err(error) => {
            let draft = Draft::refused("immutable", fields, error, &at.view)?;
            page(&state, at, draft).await
        }
    }
}

async fn change(state: &Parts, at: &At, fields: &Fields) -> Result<(), AppError> {
    let read = |name: &str| -> Result<Vec<TagPattern>, AppError> {
        let words = fields.words(name);
        let patterns: Result<_, _> = words.iter().map(|word| word.parse()).collect();
        patterns.map_err(|error: shared::token::tag_pattern::InvalidTagPattern| {
            AppError::Invalid(error.to_string())
        })
    };
    let tags = ImmutableTags::new(read("tags")?, read("except")?);
    let tags = tags.map_err(|error| AppError::Invalid(error.to_string()))?;
    if tags.is_empty() && !tags.exceptions().is_empty() {
        return Err(AppError::Invalid(
            "there is nothing to except from: say which tags are immutable, such as *".to_owned(),
        ));
    }
    match &at.place.subject {
        Subject::Repository(shown) => {
            let id = shown.facts.repository_id;
            state.app.set_immutable_tags(&at.caller, id, tags).await?;
        }
        Subject::Namespace(namespace) => {
            state
                .app
                .set_immutable_tags_of(&at.caller, &namespace.name, tags)
                .await?;
        }
    }
    Ok(())
}

async fn page(state: &Parts, at: At, draft: Draft) -> Result<Response, PageError> {
    let (own, namespace) = match &at.place.subject {
        Subject::Repository(shown) => {
            let id = shown.facts.repository_id;
            let found = state.app.show_immutable_tags(&at.caller, id).await?;
            (found.own, found.namespace)
        }
        Subject::Namespace(namespace) => {
            let found = state
                .app
                .show_immutable_tags_of(&at.caller, &namespace.name)
                .await?;
            (found, ImmutableTags::default())
        }
    };
    let page = Immutable {
        tags: texts(own.patterns()).join("\n"),
        except: texts(own.exceptions()).join("\n"),
        namespace_tags: texts(namespace.patterns()),
        namespace_except: texts(namespace.exceptions()),
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}

fn texts(patterns: &[TagPattern]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}
