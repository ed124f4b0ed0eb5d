//! The audit log: who did what to whom, when, from where and by which credential.

use std::fmt;
use std::str::FromStr;

use super::id::{EventId, OrganisationId};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident: $error:ident, $said:literal; $($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        #[doc = concat!("A word is no ", stringify!($name), ".")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error($said)]
        pub struct $error;

        impl $name {
            /// Every one.
            pub const EVERY: &[Self] = &[$(Self::$variant),*];

            /// The word that is stored and shown.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::EVERY.iter().copied().find(|one| one.as_str() == text).ok_or($error)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(super) use words;

words! {
    /// What happened. A word that was once written is never given another meaning.
    AuditAction: InvalidAuditAction, "the audit log knows no such action";
    /// A password was right.
    SignIn = "sign_in",
    /// A password or a token was wrong, or its account may not sign in.
    SignInRefused = "sign_in.refused",
    /// Sign-ins that were too many to be told apart.
    SignInOmitted = "sign_in.omitted",
    /// An account was made.
    AccountCreate = "account.create",
    /// Its profile or address was changed.
    AccountUpdate = "account.update",
    /// It may not sign in until further notice.
    AccountSuspend = "account.suspend",
    /// It may sign in again.
    AccountResume = "account.resume",
    /// It was made an administrator of the site, or is one no more.
    AccountAdmin = "account.admin",
    /// It was deleted.
    AccountDelete = "account.delete",
    /// Accounts were taken over from a file.
    AccountImport = "account.import",
    /// Its owner chose another password.
    PasswordChange = "password.change",
    /// An administrator gave it another password.
    PasswordReset = "password.reset",
    /// An administrator made a link that sets a password once.
    PasswordResetLink = "password.reset_link",
    /// A password login made a device.
    DeviceCreate = "device.create",
    /// One device was signed out.
    DeviceEnd = "device.end",
    /// Every device was signed out.
    DeviceEndAll = "device.end_all",
    /// An organisation was made.
    OrganisationCreate = "organisation.create",
    /// Its description was changed.
    OrganisationUpdate = "organisation.update",
    /// It was deleted.
    OrganisationDelete = "organisation.delete",
    /// An account was made a member, or another kind of member.
    MemberPut = "member.put",
    /// A member was removed.
    MemberRemove = "member.remove",
    /// A member left.
    MemberLeave = "member.leave",
    /// A guest's time was over.
    MemberExpire = "member.expire",
    /// A team was made.
    TeamCreate = "team.create",
    /// Its name or description was changed.
    TeamUpdate = "team.update",
    /// It was deleted.
    TeamDelete = "team.delete",
    /// A member of the organisation was put into it.
    TeamMemberAdd = "team_member.add",
    /// A member of the organisation was taken out of it.
    TeamMemberRemove = "team_member.remove",
    /// Somebody was invited.
    InvitationCreate = "invitation.create",
    /// An invitation was taken.
    InvitationAccept = "invitation.accept",
    /// An invitation was withdrawn.
    InvitationRevoke = "invitation.revoke",
    /// The visibility of new repositories was changed.
    NamespaceVisibility = "namespace.default_visibility",
    /// Which tags of all its repositories stay what they are was changed.
    NamespaceImmutable = "namespace.immutable_tags",
    /// What it may hold was changed.
    NamespaceQuota = "namespace.quota",
    /// A part of what it may hold was used, or is no longer.
    QuotaReached = "quota.reached",
    /// An administrator said whether it is whose it claims to be.
    NamespaceVerify = "namespace.verify",
    /// Administrators tell everybody something.
    AnnouncementCreate = "announcement.create",
    /// They do not any more.
    AnnouncementRemove = "announcement.remove",
    /// Every repository is read from the registry again.
    ContentReindex = "content.reindex",
    /// A category was made, or given another name.
    CategoryPut = "category.put",
    /// It was removed.
    CategoryRemove = "category.remove",
    /// Administrators of the site decided something that holds for all of it, or took that back.
    SettingChange = "setting.change",
    /// The site was given comments, or they were taken away.
    CommentsAllow = "comments.allow",
    /// The comments of a repository were opened or closed.
    CommentsOpen = "comments.open",
    /// Somebody who manages the repository decided about a comment of somebody else.
    CommentModerate = "comment.moderate",
    /// A repository was made by itself, without a push.
    RepositoryCreate = "repository.create",
    /// A push made a repository.
    RepositoryPush = "repository.push",
    /// Another visibility.
    RepositoryVisibility = "repository.visibility",
    /// Something else was said about it.
    RepositoryDescribe = "repository.describe",
    /// Which of its tags stay what they are was changed.
    RepositoryImmutable = "repository.immutable_tags",
    /// Another name in the same namespace.
    RepositoryRename = "repository.rename",
    /// Another namespace.
    RepositoryTransfer = "repository.transfer",
    /// It was deleted, and can be restored for a while.
    RepositoryDelete = "repository.delete",
    /// It was restored.
    RepositoryRestore = "repository.restore",
    /// Its content was removed for good.
    RepositoryPurge = "repository.purge",
    /// A tag was deleted through the index, and can be restored for a while.
    TagDelete = "tag.delete",
    /// A tag points again to what it pointed to before.
    TagRestore = "tag.restore",
    /// A policy of retention was made or changed.
    RetentionPut = "retention.put",
    /// It was taken away.
    RetentionRemove = "retention.remove",
    /// Somebody wanted it carried out.
    RetentionRun = "retention.run",
    /// A rule was made.
    RuleCreate = "rule.create",
    /// A rule was changed.
    RuleUpdate = "rule.update",
    /// A rule was deleted.
    RuleDelete = "rule.delete",
    /// An access token was made.
    AccessTokenCreate = "access_token.create",
    /// It was given another label.
    AccessTokenUpdate = "access_token.update",
    /// It was given a second secret.
    AccessTokenRotate = "access_token.rotate",
    /// It was revoked, or one of its secrets was.
    AccessTokenRevoke = "access_token.revoke",
    /// It was reported as leaked, and so revoked.
    AccessTokenLeak = "access_token.leak",
    /// A robot was made.
    RobotCreate = "robot.create",
    /// It was changed.
    RobotUpdate = "robot.update",
    /// It was given a second secret.
    RobotRotate = "robot.rotate",
    /// It may not sign in until further notice.
    RobotSuspend = "robot.suspend",
    /// It may sign in again.
    RobotResume = "robot.resume",
    /// It was deleted, with the robots that it made.
    RobotDelete = "robot.delete",
    /// It was reported as leaked, and so its secret is void.
    RobotLeak = "robot.leak",
    /// A signing key was published, to sign later.
    KeyPublish = "key.publish",
    /// A rotation was asked for.
    KeyRequest = "key.request",
    /// The published key signs, the one before it no longer does.
    KeyRotate = "key.rotate",
    /// A retired key was withdrawn: no token of it can be valid.
    KeyWithdraw = "key.withdraw",
    /// All keys were replaced at once, after a theft.
    KeyRevoke = "key.revoke",
    /// Keys were encrypted, or with another master key.
    KeyEncrypt = "key.encrypt",
    /// A webhook was made.
    WebhookCreate = "webhook.create",
    /// It was changed, or switched on or off.
    WebhookUpdate = "webhook.update",
    /// It was given another secret.
    WebhookRotate = "webhook.rotate",
    /// It was switched off by itself.
    WebhookDisable = "webhook.disable",
    /// It was removed.
    WebhookRemove = "webhook.remove",
    /// Somebody let a delivery be sent to it once more.
    WebhookRedeliver = "webhook.redeliver",
    /// Old events were dropped.
    AuditDrop = "audit.drop",
}

words! {
    /// What something happened to.
    TargetKind: InvalidTargetKind, "the audit log knows no such kind of target";
    /// An account, by its name.
    Account = "account",
    /// An organisation, by its name.
    Organisation = "organisation",
    /// A team, as `organisation/team`.
    Team = "team",
    /// A namespace, by its name.
    Namespace = "namespace",
    /// A repository, by its name at that time.
    Repository = "repository",
    /// A rule, by the repository or the pattern that it is about.
    Rule = "rule",
    /// An access token, by its label.
    AccessToken = "access_token",
    /// A robot, as `namespace+name`.
    Robot = "robot",
    /// A device, by the program that made it.
    Device = "device",
    /// An invitation, by the organisation; empty for one to the site.
    Invitation = "invitation",
    /// A webhook, by its label.
    Webhook = "webhook",
    /// A signing key, by its key id.
    SigningKey = "signing_key",
    /// The site as a whole.
    Site = "site",
}

words! {
    /// Who did it.
    ActorKind: InvalidActorKind, "the audit log knows no such kind of actor";
    /// An account.
    Account = "account",
    /// A robot, or an organisation's own access token.
    Robot = "robot",
    /// Nobody known.
    Anonymous = "anonymous",
    /// A command on the machine that holds the data.
    Machine = "machine",
    /// The service itself: something fell due.
    Service = "service",
}

/// Who did something, with what, from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// The account's or robot's id; `None` for the others.
    pub id: Option<i64>,
    /// The name at that time; empty for nobody, the machine and the service.
    pub name: String,
    /// The credential, such as `pat:17`.
    pub credential: Option<String>,
    /// The client's address.
    pub address: Option<String>,
    /// The client's program, as its `User-Agent` says; shortened.
    pub client: String,
    /// The request, as the log names it.
    pub request_id: Option<String>,
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditTarget {
    /// What kind of thing.
    pub kind: TargetKind,
    /// Its id; `None` for what has none.
    pub id: Option<i64>,
    /// Its name at that time.
    pub name: String,
}

/// One event of the log. Events are added, read, and dropped with their month; never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its id, which begins with its time: events are in the order of their ids.
    pub event_id: EventId,
    /// When, in milliseconds since 1970.
    pub created_at: i64,
    /// What.
    pub action: AuditAction,
    /// Who.
    pub actor: Actor,
    /// To what.
    pub target: AuditTarget,
    /// The organisation whose owners may read it; `None` when it concerns none.
    pub organisation_id: Option<OrganisationId>,
    /// What was so before, as JSON.
    pub before: Option<String>,
    /// What is so since, as JSON.
    pub after: Option<String>,
}

/// Which events are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Those that concern an organisation.
    pub organisation_id: Option<OrganisationId>,
    /// Those of one actor, by its name.
    pub actor: Option<String>,
    /// Those about one target, by its name.
    pub target: Option<String>,
    /// Those of one kind.
    pub action: Option<AuditAction>,
    /// Those at this time or later, in milliseconds since 1970.
    pub from: Option<i64>,
    /// Those before this time.
    pub to: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_what_it_was_and_none_is_used_twice() {
        fn check<T: Copy + PartialEq + FromStr + fmt::Display>(every: &[T]) {
            for one in every {
                assert!(one.to_string().parse::<T>().is_ok_and(|read| read == *one));
            }
        }
        check(AuditAction::EVERY);
        check(TargetKind::EVERY);
        check(ActorKind::EVERY);
        assert_eq!("sign_in.".parse::<AuditAction>(), Err(InvalidAuditAction));
    }
}
