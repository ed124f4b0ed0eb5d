//! Comments on a repository: threads, answers, and what those who manage it decide about them.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::Wish;
use super::head::Head;
use crate::app::comment::{KnownComment, MAX_BYTES, Reported};
use crate::app::repository_page::RepositoryHead;
use crate::domain::comment::CommentState;
use crate::domain::{CommentId, Right};
use crate::http::State;
use crate::http::markdown::render_below;
use crate::http::web::fault::PageError;
use crate::http::web::page::render_with;
use crate::http::web::view::View;
use crate::http::web::visitor::Visitor;

/// Threads on a page.
const PAGE: u32 = 10;
/// Answers that a thread shows beside others, and alone.
const MOST_REPLIES: u32 = 5;
const MOST_REPLIES_ALONE: u32 = 50;
/// Comments that wait for a verdict which are shown.
const MOST_WAITING: u32 = 10;

/// What was wrong with a form, and what stood in it.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) error: String,
    pub(super) text: String,
    pub(super) answers: Option<CommentId>,
}

/// A comment.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a page asks each of them alone")]
struct Shown {
    id: String,
    author: String,
    text: String,
    html: String,
    /// The key of a word about it, where it is not simply shown.
    state: Option<&'static str>,
    is_deleted: bool,
    is_hidden: bool,
    is_own: bool,
    is_locked: bool,
    created_at: i64,
    edited_at: Option<i64>,
    reports: i64,
}

/// A comment with its answers.
struct Thread {
    root: Shown,
    replies: Vec<Shown>,
    /// Where the rest of them is.
    rest: Option<String>,
    /// What stood in the form below it.
    draft: String,
    has_draft: bool,
}

/// A comment that waits for a verdict.
struct Waiting {
    comment: Shown,
    reasons: Vec<String>,
}

#[derive(Template)]
#[template(path = "repository/comments.html")]
#[expect(clippy::struct_excessive_bools, reason = "a page asks each of them alone")]
struct CommentPage {
    view: View,
    head: Head,
    is_allowed: bool,
    is_open: bool,
    newcomers_wait: bool,
    moderates: bool,
    waiting: Vec<Waiting>,
    threads: Vec<Thread>,
    /// Whether one thread alone is shown.
    is_alone: bool,
    next: String,
    draft: String,
    error: Option<String>,
    most_bytes: usize,
}

pub(super) async fn show(
    state: &State,
    visitor: Visitor,
    head: &RepositoryHead,
    wish: &Wish,
    refused: Option<Refused>,
) -> Result<Response, PageError> {
    let Visitor { caller, view } = &visitor;
    let id = head.id();
    let settings = state.app.show_comment_settings(caller, id).await?;
    let moderates = head.rights.contains(Right::Manage);
    let is_open = settings.is_allowed && settings.board.is_open;
    if !is_open && !moderates {
        return Err(PageError::not_found());
    }
    let reader = view.username();
    let base = Head::new(head, "comments");
    let path = base.page("comments");
    let (roots, next) = if let Some(thread) = wish.thread {
        // The thread is the first that is older than what comes right behind it.
        let mut found = state
            .app
            .list_comment_threads(caller, id, thread.saturating_add(1), 1)
            .await?;
        found.retain(|comment| comment.comment_id.as_i64() == thread);
        if found.is_empty() {
            return Err(PageError::not_found());
        }
        (found, None)
    } else {
        let before = wish.before.unwrap_or(i64::MAX);
        let mut found = state
            .app
            .list_comment_threads(caller, id, before, PAGE + 1)
            .await?;
        let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let has_more = found.len() > page;
        found.truncate(page);
        let last = found.last().filter(|_| has_more);
        let next = last.map(|last| format!("{path}?before={}", last.comment_id));
        (found, next)
    };
    let most = if wish.thread.is_some() {
        MOST_REPLIES_ALONE
    } else {
        MOST_REPLIES
    };
    let after = wish.after.filter(|_| wish.thread.is_some()).unwrap_or(i64::MIN);
    let mut threads = Vec::with_capacity(roots.len());
    for root in roots {
        let mut replies = state
            .app
            .list_comment_replies(caller, id, root.comment_id, after, most + 1)
            .await?;
        let count = usize::try_from(most).unwrap_or(usize::MAX);
        let has_more = replies.len() > count;
        replies.truncate(count);
        let last = replies.last().filter(|_| has_more);
        let draft = refused
            .as_ref()
            .filter(|refused| refused.answers == Some(root.comment_id));
        threads.push(Thread {
            rest: last.map(|last| format!("{path}?thread={}&after={}", root.comment_id, last.comment_id)),
            draft: draft.map(|draft| draft.text.clone()).unwrap_or_default(),
            has_draft: draft.is_some(),
            root: shown(root, reader),
            replies: replies.into_iter().map(|reply| shown(reply, reader)).collect(),
        });
    }
    let waiting = if moderates {
        state
            .app
            .list_comments_to_moderate(caller, id, i64::MIN, MOST_WAITING)
            .await?
    } else {
        Vec::new()
    };
    let begins = refused.as_ref().filter(|refused| refused.answers.is_none());
    let status = if refused.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let page = CommentPage {
        head: base,
        is_allowed: settings.is_allowed,
        is_open,
        newcomers_wait: settings.board.newcomers_wait,
        moderates,
        waiting: waiting
            .into_iter()
            .map(|Reported { comment, reports }| Waiting {
                comment: shown(comment, reader),
                reasons: reports.into_iter().map(|report| report.reason).collect(),
            })
            .collect(),
        threads,
        is_alone: wish.thread.is_some(),
        next: next.unwrap_or_default(),
        draft: begins.map(|begins| begins.text.clone()).unwrap_or_default(),
        error: refused.map(|refused| refused.error),
        most_bytes: MAX_BYTES,
        view: visitor.view,
    };
    Ok(render_with(status, &page))
}

fn shown(comment: KnownComment, reader: &str) -> Shown {
    Shown {
        id: comment.comment_id.to_string(),
        is_own: comment.username == reader,
        author: comment.username,
        html: render_below(&comment.text, 4),
        text: comment.text,
        state: match comment.state {
            CommentState::Shown | CommentState::Deleted => None,
            CommentState::Waiting => Some("comment-waiting"),
            CommentState::Hidden => Some("comment-hidden"),
        },
        is_deleted: comment.state == CommentState::Deleted,
        is_hidden: matches!(comment.state, CommentState::Hidden | CommentState::Waiting),
        is_locked: comment.locked_at.is_some(),
        created_at: comment.created_at,
        edited_at: comment.edited_at,
        reports: comment.reports,
    }
}
