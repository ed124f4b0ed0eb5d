//! What an account is told: what others did that concerns it, and what it should look at.

use std::str::FromStr;

use super::id::NoticeId;

/// What an account is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// Somebody made it a member of an organisation.
    Member,
    /// Somebody gave it rights on repositories.
    Collaborator,
    /// Somebody commented on a repository that it looks after.
    Comment,
    /// Somebody answered its comment.
    Reply,
    /// A comment on a repository that it looks after waits to be shown.
    Approval,
    /// A webhook was switched off by itself.
    Webhook,
    /// A namespace that it looks after comes near a limit, or is at it.
    Quota,
    /// An access token of its own ends soon.
    TokenEnding,
    /// A secret of an access token of its own was reported as leaked and has ended.
    TokenLeaked,
    /// It signed in with its password from a device that was not known.
    SignIn,
}

/// A word is no kind of notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a notification is one of member, collaborator, comment, reply, approval, webhook, quota, token_ending, token_leaked, sign_in"
)]
pub struct InvalidNoticeKind;

impl NoticeKind {
    /// Every kind, as lists show them.
    pub const EVERY: [Self; 10] = [
        Self::Member,
        Self::Collaborator,
        Self::Comment,
        Self::Reply,
        Self::Approval,
        Self::Webhook,
        Self::Quota,
        Self::TokenEnding,
        Self::TokenLeaked,
        Self::SignIn,
    ];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Collaborator => "collaborator",
            Self::Comment => "comment",
            Self::Reply => "reply",
            Self::Approval => "approval",
            Self::Webhook => "webhook",
            Self::Quota => "quota",
            Self::TokenEnding => "token_ending",
            Self::TokenLeaked => "token_leaked",
            Self::SignIn => "sign_in",
        }
    }
}

impl FromStr for NoticeKind {
    type Err = InvalidNoticeKind;

    fn from_str(text: &str) -> Result<Self, InvalidNoticeKind> {
        Self::EVERY
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(InvalidNoticeKind)
    }
}

/// Something that an account is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id.
    pub notice_id: NoticeId,
    /// What kind it is.
    pub kind: NoticeKind,
    /// What it is about, as that was called then: a repository, a pattern, an organisation, a namespace, the label of an access
    /// token, a program.
    pub subject: String,
    /// The id of what it is about, where that has one.
    pub subject_id: Option<i64>,
    /// The name of the account that did it; none where nobody did, or where that is deleted.
    pub actor: Option<String>,
    /// What else there is to say: a role, rights, why, how much, when, from where.
    pub detail: String,
    /// When it was written, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was read.
    pub read_at: Option<i64>,
}

impl Notice {
    /// The page that it leads to.
    pub fn path(&self) -> String {
        let subject = &self.subject;
        let namespace = subject.split('/').next().unwrap_or_default();
        let is_repository = subject.contains('/');
        match self.kind {
            NoticeKind::Member => format!("/o/{subject}"),
            NoticeKind::Collaborator if subject.contains('*') => format!("/n/{namespace}"),
            NoticeKind::Collaborator => format!("/r/{subject}"),
            NoticeKind::Comment | NoticeKind::Reply | NoticeKind::Approval => {
                format!("/r/{subject}/-/comments")
            }
            NoticeKind::Webhook if is_repository => format!("/settings/webhooks/{subject}"),
            NoticeKind::Webhook | NoticeKind::Quota => format!("/n/{namespace}"),
            NoticeKind::TokenEnding | NoticeKind::TokenLeaked => match self.subject_id {
                Some(id) => format!("/account/tokens/{id}"),
                None => "/account/tokens".to_owned(),
            },
            NoticeKind::SignIn => "/account/devices".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_kinds_are_read_back() {
        for kind in NoticeKind::EVERY {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert!(
                InvalidNoticeKind.to_string().contains(kind.as_str()),
                "what is no kind is told which there are"
            );
        }
        assert_eq!("dance".parse::<NoticeKind>(), Err(InvalidNoticeKind));
    }

    #[test]
    fn a_notice_leads_to_what_it_is_about() {
        for (kind, subject, path) in [
            (NoticeKind::Member, "acme", "/o/acme"),
            (NoticeKind::Collaborator, "acme/web", "/r/acme/web"),
            (NoticeKind::Collaborator, "acme/web-*", "/n/acme"),
            (NoticeKind::Reply, "acme/web", "/r/acme/web/-/comments"),
            (NoticeKind::Webhook, "acme/a/b", "/settings/webhooks/acme/a/b"),
            (NoticeKind::Webhook, "acme", "/n/acme"),
            (NoticeKind::Quota, "acme", "/n/acme"),
            (NoticeKind::TokenEnding, "laptop", "/account/tokens/7"),
            (NoticeKind::SignIn, "docker/28", "/account/devices"),
        ] {
            let notice = Notice {
                notice_id: NoticeId::from_i64(1),
                kind,
                subject: subject.to_owned(),
                subject_id: Some(7),
                actor: None,
                detail: String::new(),
                created_at: 0,
                read_at: None,
            };
            assert_eq!(notice.path(), path, "{kind:?}");
        }
    }
}
