//! What the forms of a repository's pages do.

use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::comment::{self, Refused};
use super::place::{CommentDeed, Deed, deed};
use super::{Wish, path_of, repository_name, tag};
use crate::app::comment::Verdict;
use crate::app::repository_page::{RepositoryHead, SHELF};
use crate::domain::CommentId;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::page::done;
use crate::http::web::submitted::Submitted;
use crate::http::web::visitor::{SignedIn, Visitor};

/// The fields of these forms; each has a few of them.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Fields {
    /// `yes` to give a star or keep a bookmark.
    #[serde(default)]
    wanted: String,
    /// The manifest that a tag shall point to.
    #[serde(default)]
    digest: String,
    /// The name, typed by hand.
    #[serde(default)]
    typed: String,
    /// The text of a comment, or what is wrong with one.
    #[serde(default)]
    text: String,
    /// The comment that is answered.
    #[serde(default)]
    answers: String,
}

pub(super) async fn act(
    Shared(state): Shared<State>,
    Path(path): Path<String>,
    SignedIn { caller, view }: SignedIn,
    Submitted(fields): Submitted<Fields>,
) -> Response {
    let visitor = Visitor { caller, view };
    match carry_out(&state, visitor, &path, &fields).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn carry_out(
    state: &State,
    visitor: Visitor,
    path: &str,
    fields: &Fields,
) -> Result<Response, PageError> {
    let (name, deed) = deed(path).ok_or_else(PageError::not_found)?;
    let name = repository_name(name)?;
    let head = state.app.repository_head(&visitor.caller, &name).await?;
    let (app, caller, id) = (&state.app, &visitor.caller, head.id());
    let page = path_of(head.facts().name.as_str());
    let is_wanted = fields.wanted == "yes";
    match deed {
        Deed::Star => {
            app.set_star(caller, id, is_wanted).await?;
            Ok(done(
                &visitor.view,
                &page,
                either(is_wanted, "repository-done-starred", "repository-done-unstarred"),
            ))
        }
        Deed::Bookmark => {
            app.set_bookmark(caller, SHELF, id, is_wanted).await?;
            Ok(done(
                &visitor.view,
                &page,
                either(is_wanted, "repository-done-kept", "repository-done-dropped"),
            ))
        }
        Deed::RestoreTag(tag) => {
            app.restore_tag(caller, id, tag, given(&fields.digest)).await?;
            Ok(done(
                &visitor.view,
                &format!("{page}/-/tags/{tag}"),
                "tag-done-restored",
            ))
        }
        Deed::DeleteTag(tag) => delete(state, visitor, &head, tag, fields).await,
        Deed::WriteComment => write(state, visitor, &head, fields).await,
        Deed::Comment(comment, deed) => moderate(state, visitor, &head, (comment, deed), fields).await,
    }
}

async fn delete(
    state: &State,
    visitor: Visitor,
    head: &RepositoryHead,
    name: &str,
    fields: &Fields,
) -> Result<Response, PageError> {
    if fields.typed.trim() != name {
        let error = visitor.view.ta("tag-delete-mistyped", &[("name", name)]);
        return tag::show_deletion(state, visitor, head, name, Some(error)).await;
    }
    let deleted = state
        .app
        .delete_tag(&visitor.caller, head.id(), name, given(&fields.digest))
        .await
        .map_err(PageError::from);
    match deleted {
        Ok(_) => {
            let path = format!("{}/-/activity#deleted", path_of(head.facts().name.as_str()));
            Ok(done(&visitor.view, &path, "tag-done-deleted"))
        }
        Err(error) if error.is_refusal() && error.status != http::StatusCode::NOT_FOUND => {
            let text = error.text(&visitor.view);
            tag::show_deletion(state, visitor, head, name, Some(text)).await
        }
        Err(error) => Err(error),
    }
}

async fn write(
    state: &State,
    visitor: Visitor,
    head: &RepositoryHead,
    fields: &Fields,
) -> Result<Response, PageError> {
    let answers = match given(&fields.answers) {
        Some(text) => {
            let id = text.parse().map_err(|_| PageError::not_found())?;
            Some(CommentId::from_i64(id))
        }
        None => None,
    };
    let written = state
        .app
        .write_comment(&visitor.caller, head.id(), &fields.text, answers)
        .await
        .map_err(PageError::from);
    match written {
        Ok(comment) => {
            let page = format!("{}/-/comments", path_of(head.facts().name.as_str()));
            let thread = comment.thread_id.unwrap_or(comment.comment_id);
            let is_shown = comment.state == crate::domain::comment::CommentState::Shown;
            let key = either(is_shown, "comment-done-written", "comment-done-waits");
            Ok(done(&visitor.view, &format!("{page}#comment-{thread}"), key))
        }
        Err(error) if error.is_refusal() && error.status != http::StatusCode::NOT_FOUND => {
            let refused = Refused {
                error: error.text(&visitor.view),
                text: fields.text.clone(),
                answers,
            };
            comment::show(state, visitor, head, &Wish::default(), Some(refused)).await
        }
        Err(error) => Err(error),
    }
}

async fn moderate(
    state: &State,
    visitor: Visitor,
    head: &RepositoryHead,
    (comment, deed): (CommentId, CommentDeed),
    fields: &Fields,
) -> Result<Response, PageError> {
    let (app, caller, id) = (&state.app, &visitor.caller, head.id());
    let verdict = |is_shown, is_locked| Verdict { is_shown, is_locked };
    let key = match deed {
        CommentDeed::Edit => {
            app.edit_comment(caller, id, comment, &fields.text).await?;
            "comment-done-edited"
        }
        CommentDeed::Delete => {
            app.delete_comment(caller, id, comment).await?;
            "comment-done-deleted"
        }
        CommentDeed::Report => {
            app.report_comment(caller, id, comment, &fields.text).await?;
            "comment-done-reported"
        }
        CommentDeed::Show => {
            app.moderate_comment(caller, id, comment, verdict(Some(true), None))
                .await?;
            "comment-done-shown"
        }
        CommentDeed::Hide => {
            app.moderate_comment(caller, id, comment, verdict(Some(false), None))
                .await?;
            "comment-done-hidden"
        }
        CommentDeed::Lock => {
            app.moderate_comment(caller, id, comment, verdict(None, Some(true)))
                .await?;
            "comment-done-locked"
        }
        CommentDeed::Unlock => {
            app.moderate_comment(caller, id, comment, verdict(None, Some(false)))
                .await?;
            "comment-done-unlocked"
        }
    };
    let page = format!("{}/-/comments", path_of(head.facts().name.as_str()));
    Ok(done(&visitor.view, &format!("{page}#comment-{comment}"), key))
}

/// A field that holds something.
fn given(field: &str) -> Option<&str> {
    Some(field.trim()).filter(|text| !text.is_empty())
}

fn either(first: bool, one: &'static str, other: &'static str) -> &'static str {
    if first { one } else { other }
}
