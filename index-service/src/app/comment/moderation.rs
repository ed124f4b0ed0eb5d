//! What becomes of comments: shown, hidden, locked, reported.

use serde_json::json;

use super::super::App;
use super::super::access::Seen;
use super::super::audit::Change;
use super::super::caller::Caller;
use super::super::error::AppError;
use crate::domain::comment::CommentState;
use crate::domain::free_text::SUMMARY;
use crate::domain::{AuditAction, CommentId, RepositoryId, Right, TargetKind};
use crate::store::Tx;
use crate::store::comment::{self, Comment, CommentReport};

/// Most reports about a comment that are shown.
const MOST_REPORTS: u32 = 20;

/// What is decided about a comment; what is absent stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct Verdict {
    /// Whether it is shown; else it is hidden. Either way what was reported is dealt with.
    pub is_shown: Option<bool>,
    /// Whether nobody but those who manage the repository may answer any more; of the comment that begins a thread.
    pub is_locked: Option<bool>,
}

/// A comment that waits for a verdict, with what was said about it.
#[derive(Debug)]
pub struct Reported {
    /// The comment.
    pub comment: Comment,
    /// What was said.
    pub reports: Vec<CommentReport>,
}

impl App {
    /// At most `limit` comments behind `after` that wait to be shown or were reported, for those who manage the repository.
    pub async fn list_comments_to_moderate(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Reported>, AppError> {
        let mut tx = self.store.read().await?;
        let ground = self.ground(&mut tx, caller, repository_id).await?;
        ground.seen.with(Right::Manage)?;
        let mut found = Vec::new();
        for comment in comment::list_to_moderate(&mut tx, repository_id, after, limit).await? {
            let reports = comment::list_reports(&mut tx, comment.comment_id, MOST_REPORTS).await?;
            found.push(Reported { comment, reports });
        }
        Ok(found)
    }

    /// Decides about a comment. By those who manage the repository.
    pub async fn moderate_comment(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        comment_id: CommentId,
        verdict: Verdict,
    ) -> Result<Comment, AppError> {
        let mut tx = self.store.write().await?;
        let (ground, mut comment) = self.comment(&mut tx, caller, repository_id, comment_id).await?;
        let seen = ground.seen.with(Right::Manage)?;
        if comment.state == CommentState::Deleted {
            return Err(AppError::Conflict("the comment is deleted".to_owned()));
        }
        let before = comment.clone();
        if let Some(is_shown) = verdict.is_shown {
            comment.state = if is_shown {
                CommentState::Shown
            } else {
                CommentState::Hidden
            };
            comment.reports = 0;
            comment::end_reports(&mut tx, comment_id).await?;
        }
        if let Some(is_locked) = verdict.is_locked {
            if comment.thread_id.is_some() {
                return Err(AppError::Invalid(
                    "a thread is locked by the comment that begins it".to_owned(),
                ));
            }
            comment.locked_at = is_locked.then(|| comment.locked_at.unwrap_or_else(|| self.clock.now_ms()));
        }
        if comment != before {
            comment::change_comment(&mut tx, &comment).await?;
            self.audit_moderation(&mut tx, caller, &seen, &comment).await?;
            if before.state == CommentState::Waiting && comment.state == CommentState::Shown {
                self.tell_of_comment(&mut tx, &seen, &comment).await?;
                let thread = match comment.thread_id {
                    Some(root) => comment::find_comment(&mut tx, root).await?,
                    None => None,
                };
                self.notify_of_reply(&mut tx, &seen, &comment, thread.as_ref())
                    .await?;
            }
        }
        tx.commit().await?;
        Ok(comment)
    }

    /// Says what is wrong with a comment; once for each account.
    pub async fn report_comment(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        comment_id: CommentId,
        reason: &str,
    ) -> Result<(), AppError> {
        let reason = SUMMARY
            .check(reason)
            .ok()
            .filter(|reason| !reason.is_empty())
            .ok_or_else(|| AppError::Invalid("say in at most 100 characters what is wrong".to_owned()))?;
        let mut tx = self.store.write().await?;
        let (ground, mut comment) = self.comment(&mut tx, caller, repository_id, comment_id).await?;
        let account_id = ground.account()?.account_id;
        if comment.state == CommentState::Shown {
            let report = CommentReport {
                account_id,
                reason,
                created_at: self.clock.now_ms(),
            };
            if comment::add_report(&mut tx, comment_id, &report).await? {
                comment.reports += 1;
                comment::change_comment(&mut tx, &comment).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    pub(super) async fn audit_moderation(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        seen: &Seen,
        comment: &Comment,
    ) -> Result<(), AppError> {
        let change = Change::new(
            AuditAction::CommentModerate,
            TargetKind::Repository,
            &seen.facts.name,
        )
        .after(json!({
            "comment": comment.comment_id.to_string(),
            "author": comment.username,
            "state": comment.state.as_str(),
            "locked": comment.locked_at.is_some(),
        }));
        self.audit_comments(tx, caller, seen, change).await
    }
}
