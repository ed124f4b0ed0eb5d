//! Comments on repositories: Markdown, in threads of one level. Off until an administrator of the site allows them and those who
//! manage a repository open them.

mod moderation;

use serde_json::json;

use super::App;
use super::access::Seen;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use super::notice::News;
use crate::domain::comment::{Board, CommentState};
use crate::domain::webhook::Facts;
use crate::domain::{
    Account, AccountId, AuditAction, Ceiling, CommentId, EventKind, NoticeKind, RepositoryId, Right,
    TargetKind,
};
use crate::store::comment::{self, Comment, Reader};
use crate::store::{Tx, account, setting};

pub use moderation::{Reported, Verdict};

/// Longest comment, in bytes.
pub const MAX_BYTES: usize = 10_000;
/// Comments that an account may write within [`WINDOW_MS`].
const MAX_RECENT: i64 = 20;
/// Characters of a comment that webhooks tell.
const TOLD_CHARACTERS: usize = 280;
/// An hour, in milliseconds.
const WINDOW_MS: i64 = 3_600_000;
/// Where it is kept among the settings whether the site has comments.
const ALLOWED: &str = "comments";

/// A comment, as it is kept.
pub type KnownComment = Comment;

/// A repository's comments, as somebody finds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comments {
    /// What was decided about them.
    pub board: Board,
    /// Whether the site has comments at all.
    pub is_allowed: bool,
}

/// What a use case about comments begins with.
struct Ground {
    seen: Seen,
    comments: Comments,
    account: Option<Account>,
}

impl Ground {
    fn moderates(&self) -> bool {
        self.seen.rights().contains(Right::Manage)
    }

    fn reader(&self) -> Reader {
        Reader {
            account_id: self.account.as_ref().map(|account| account.account_id),
            moderates: self.moderates(),
        }
    }

    fn account(&self) -> Result<&Account, AppError> {
        self.account.as_ref().ok_or(AppError::Forbidden(
            "comments are written by people: sign in with an account",
        ))
    }

    /// Where comments are closed there are none, but for those who can open them.
    fn open(self) -> Result<Self, AppError> {
        let is_open = self.comments.is_allowed && self.comments.board.is_open;
        if is_open || self.moderates() {
            Ok(self)
        } else {
            Err(AppError::NotFound("this repository has no comments".to_owned()))
        }
    }

    fn may_see(&self, comment: &Comment) -> bool {
        let is_own = self
            .account
            .as_ref()
            .is_some_and(|account| account.account_id == comment.account_id);
        match comment.state {
            CommentState::Shown | CommentState::Deleted => true,
            CommentState::Waiting | CommentState::Hidden => is_own || self.moderates(),
        }
    }
}

impl App {
    /// Whether the site has comments.
    pub async fn are_comments_allowed(&self) -> Result<bool, AppError> {
        let mut tx = self.store.read().await?;
        Ok(allowed(&mut tx).await?)
    }

    /// Gives the site comments, or takes them away. By its administrators.
    pub async fn allow_comments(&self, caller: &Caller, is_allowed: bool) -> Result<(), AppError> {
        caller.administrator()?;
        let mut tx = self.store.write().await?;
        let before = allowed(&mut tx).await?;
        if before != is_allowed {
            let word = if is_allowed { "allowed" } else { "" };
            setting::put_setting(&mut tx, ALLOWED, word).await?;
            let change = Change::new(AuditAction::CommentsAllow, TargetKind::Site, "comments")
                .before(json!({"allowed": before}))
                .after(json!({"allowed": is_allowed}));
            self.audit(&mut tx, By::Caller(caller), change).await?;
        }
        Ok(tx.commit().await?)
    }

    /// What was decided about the comments of a repository, for whoever may pull it.
    pub async fn show_comment_settings(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
    ) -> Result<Comments, AppError> {
        let mut tx = self.store.read().await?;
        Ok(self.ground(&mut tx, caller, repository_id).await?.comments)
    }

    /// Decides about the comments of a repository. By those who manage it.
    pub async fn set_comment_settings(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        board: Board,
    ) -> Result<Comments, AppError> {
        let mut tx = self.store.write().await?;
        let ground = self.ground(&mut tx, caller, repository_id).await?;
        let before = ground.comments.board;
        let comments = Comments {
            board,
            ..ground.comments
        };
        let seen = ground.seen.with(Right::Manage)?;
        if before != board {
            comment::put_board(&mut tx, repository_id, board).await?;
            let shown = |board: Board| json!({"open": board.is_open, "newcomers_wait": board.newcomers_wait});
            let change = Change::new(
                AuditAction::CommentsOpen,
                TargetKind::Repository,
                &seen.facts.name,
            )
            .before(shown(before))
            .after(shown(board));
            self.audit_comments(&mut tx, caller, &seen, change).await?;
        }
        tx.commit().await?;
        Ok(comments)
    }

    /// At most `limit` threads older than `before`, the newest first.
    pub async fn list_comment_threads(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        before: i64,
        limit: u32,
    ) -> Result<Vec<Comment>, AppError> {
        let mut tx = self.store.read().await?;
        let ground = self.ground(&mut tx, caller, repository_id).await?.open()?;
        Ok(comment::list_threads(&mut tx, repository_id, before, ground.reader(), limit).await?)
    }

    /// At most `limit` answers to a comment behind `after`, the oldest first.
    pub async fn list_comment_replies(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        comment_id: CommentId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Comment>, AppError> {
        let mut tx = self.store.read().await?;
        let (ground, thread) = self.comment(&mut tx, caller, repository_id, comment_id).await?;
        Ok(comment::list_replies(&mut tx, &thread, after, ground.reader(), limit).await?)
    }

    /// Writes a comment, or an answer to one. The first of somebody new may wait until it was looked at.
    pub async fn write_comment(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        text: &str,
        answers: Option<CommentId>,
    ) -> Result<Comment, AppError> {
        let text = checked(text)?;
        let mut tx = self.store.write().await?;
        let (ground, thread) = match answers {
            None => (self.ground(&mut tx, caller, repository_id).await?.open()?, None),
            Some(id) => {
                let (ground, answered) = self.comment(&mut tx, caller, repository_id, id).await?;
                // An answer to an answer belongs to the same thread.
                let root = match answered.thread_id {
                    None => answered,
                    Some(root) => self.comment(&mut tx, caller, repository_id, root).await?.1,
                };
                if root.locked_at.is_some() && !ground.moderates() {
                    return Err(AppError::Forbidden(
                        "this thread is locked: nobody answers any more",
                    ));
                }
                (ground, Some(root))
            }
        };
        let thread_id = thread.as_ref().map(|root| root.comment_id);
        super::repository::active(&ground.seen.facts)?;
        let author = ground.account()?;
        let now = self.clock.now_ms();
        account::lock_account(&mut tx, author.account_id).await?;
        let recent = comment::count_recent_comments(&mut tx, author.account_id, now - WINDOW_MS).await?;
        if recent.number >= MAX_RECENT {
            let wait_ms = recent.oldest.map_or(WINDOW_MS, |oldest| oldest + WINDOW_MS - now);
            return Err(AppError::braked(
                "you have written many comments within an hour",
                wait_ms,
            ));
        }
        let is_known = ground.moderates() || comment::has_shown_comment(&mut tx, author.account_id).await?;
        let state = if ground.comments.board.newcomers_wait && !is_known {
            CommentState::Waiting
        } else {
            CommentState::Shown
        };
        let comment = Comment {
            comment_id: self.new_id(CommentId::new),
            repository_id,
            thread_id,
            account_id: author.account_id,
            username: author.username.to_string(),
            text,
            state,
            reports: 0,
            locked_at: None,
            created_at: now,
            edited_at: None,
            replies: 0,
        };
        comment::add_comment(&mut tx, &comment).await?;
        if state == CommentState::Shown {
            self.tell_of_comment(&mut tx, &ground.seen, &comment).await?;
            let replied = self
                .notify_of_reply(&mut tx, &ground.seen, &comment, thread.as_ref())
                .await?;
            self.notify_of_comment(&mut tx, &ground.seen, &comment, NoticeKind::Comment, replied)
                .await?;
        } else {
            self.notify_of_comment(&mut tx, &ground.seen, &comment, NoticeKind::Approval, None)
                .await?;
        }
        tx.commit().await?;
        Ok(comment)
    }

    /// Changes the text of one's own comment.
    pub async fn edit_comment(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        comment_id: CommentId,
        text: &str,
    ) -> Result<Comment, AppError> {
        let text = checked(text)?;
        let mut tx = self.store.write().await?;
        let (ground, mut comment) = self.comment(&mut tx, caller, repository_id, comment_id).await?;
        if ground.account()?.account_id != comment.account_id {
            return Err(AppError::Forbidden("a comment is changed by whoever wrote it"));
        }
        if comment.state == CommentState::Deleted {
            return Err(AppError::Conflict("the comment is deleted".to_owned()));
        }
        if comment.text != text {
            comment.text = text;
            comment.edited_at = Some(self.clock.now_ms());
            comment::change_comment(&mut tx, &comment).await?;
        }
        tx.commit().await?;
        Ok(comment)
    }

    /// Deletes a comment: one's own, or any as one who manages the repository. Its place in the thread stays.
    pub async fn delete_comment(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        comment_id: CommentId,
    ) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let (ground, mut comment) = self.comment(&mut tx, caller, repository_id, comment_id).await?;
        let is_own = ground
            .account
            .as_ref()
            .is_some_and(|account| account.account_id == comment.account_id);
        if !is_own && !ground.moderates() {
            return Err(AppError::Forbidden(
                "a comment is deleted by whoever wrote it, or by those who manage the repository",
            ));
        }
        if comment.state != CommentState::Deleted {
            comment.state = CommentState::Deleted;
            comment.text.clear();
            comment.reports = 0;
            comment::change_comment(&mut tx, &comment).await?;
            comment::end_reports(&mut tx, comment_id).await?;
            if !is_own {
                self.audit_moderation(&mut tx, caller, &ground.seen, &comment)
                    .await?;
            }
        }
        Ok(tx.commit().await?)
    }

    async fn ground(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        repository_id: RepositoryId,
    ) -> Result<Ground, AppError> {
        let seen = self
            .see_by_id(tx, &caller.principal(), repository_id)
            .await?
            .with(Right::Pull)?;
        let comments = Comments {
            board: comment::find_board(tx, repository_id).await?,
            is_allowed: allowed(tx).await?,
        };
        Ok(Ground {
            seen,
            comments,
            account: caller.account().ok().cloned(),
        })
    }

    /// A comment that the caller may see.
    async fn comment(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        repository_id: RepositoryId,
        comment_id: CommentId,
    ) -> Result<(Ground, Comment), AppError> {
        let ground = self.ground(tx, caller, repository_id).await?.open()?;
        let comment = comment::find_comment(tx, comment_id)
            .await?
            .filter(|comment| comment.repository_id == repository_id && ground.may_see(comment))
            .ok_or_else(|| AppError::NotFound("there is no such comment".to_owned()))?;
        Ok((ground, comment))
    }

    /// Tells of a comment that everybody sees now, with its beginning.
    async fn tell_of_comment(&self, tx: &mut Tx, seen: &Seen, comment: &Comment) -> Result<(), AppError> {
        let repository = &seen.facts;
        let mut facts = Facts::about(
            repository.repository_id,
            &repository.name,
            self.clock.now_ms(),
            &comment.username,
        );
        facts.text = Some(comment.text.chars().take(TOLD_CHARACTERS).collect());
        self.tell(tx, repository.repository_id, EventKind::Comment, facts)
            .await
    }

    /// Tells those who look after the repository's namespace of a comment, but for one who was told otherwise.
    async fn notify_of_comment(
        &self,
        tx: &mut Tx,
        seen: &Seen,
        comment: &Comment,
        kind: NoticeKind,
        but: Option<AccountId>,
    ) -> Result<(), AppError> {
        let Some(namespace) = &seen.surroundings.namespace else {
            return Ok(());
        };
        let mut told = self.caretakers(tx, namespace).await?;
        told.retain(|account_id| Some(*account_id) != but);
        let name = seen.facts.name.to_string();
        self.notify(tx, told, news_of(kind, &name, comment)).await
    }

    /// Tells whoever began the thread that a comment answers, as long as they see the repository; says whom.
    async fn notify_of_reply(
        &self,
        tx: &mut Tx,
        seen: &Seen,
        comment: &Comment,
        thread: Option<&Comment>,
    ) -> Result<Option<AccountId>, AppError> {
        let Some(root) = thread.filter(|root| root.account_id != comment.account_id) else {
            return Ok(None);
        };
        let Some(account) = account::find_account_by_id(tx, root.account_id).await? else {
            return Ok(None);
        };
        let principal = account.principal(Ceiling::Full);
        match self.see_by_id(tx, &principal, comment.repository_id).await {
            Ok(theirs) if theirs.rights().contains(Right::Pull) => {}
            Ok(_) | Err(AppError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        }
        let name = seen.facts.name.to_string();
        self.notify(
            tx,
            [account.account_id],
            news_of(NoticeKind::Reply, &name, comment),
        )
        .await?;
        Ok(Some(account.account_id))
    }

    async fn audit_comments(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        seen: &Seen,
        change: Change,
    ) -> Result<(), AppError> {
        let mut change = change.id(seen.facts.repository_id.as_i64());
        if let Some(namespace) = &seen.surroundings.namespace {
            change = change.within(namespace);
        }
        self.audit(tx, By::Caller(caller), change).await
    }
}

/// What there is to tell about a comment.
fn news_of<'a>(kind: NoticeKind, repository: &'a str, comment: &Comment) -> News<'a> {
    News {
        kind,
        subject: repository,
        subject_id: Some(comment.comment_id.as_i64()),
        actor: Some(comment.account_id),
        detail: "",
    }
}

pub(super) async fn allowed(tx: &mut Tx) -> Result<bool, crate::store::StoreError> {
    Ok(setting::find_setting(tx, ALLOWED)
        .await?
        .is_some_and(|word| word == "allowed"))
}

fn checked(text: &str) -> Result<String, AppError> {
    let text = text.trim();
    let is_fine = |c: char| !c.is_control() || matches!(c, '\n' | '\t' | '\r');
    if text.is_empty() || text.len() > MAX_BYTES || !text.chars().all(is_fine) {
        return Err(AppError::Invalid(format!(
            "a comment has 1 to {MAX_BYTES} bytes, and no control characters"
        )));
    }
    Ok(text.to_owned())
}
