//! People, permission and content as pure values: no I/O, no clock, no randomness.

pub mod access_token;
pub mod account;
pub mod announcement;
pub mod attachment;
pub mod audit;
pub mod ceiling;
pub mod comment;
pub mod comparison;
pub mod content;
pub mod credential;
pub mod credential_secret;
pub mod credential_use;
pub mod departure;
pub mod device;
pub mod email;
pub mod explanation;
pub mod free_text;
pub mod id;
pub mod image_config;
pub mod invitation;
pub mod layer;
pub mod member;
pub mod namespace;
pub mod notice;
pub mod organisation;
pub mod pattern;
pub mod permission;
pub mod preference;
pub mod profile;
pub mod quota;
pub mod repository;
pub mod retention;
pub mod right;
pub mod robot;
pub mod rule;
pub mod search;
pub mod secret_token;
pub mod showcase;
pub mod signing_key;
pub mod topic;
pub mod version;
pub mod webhook;
mod word;

pub use access_token::AccessToken;
pub use account::{Account, Username};
pub use announcement::Announcement;
pub use audit::{Actor, ActorKind, AuditAction, AuditEvent, AuditFilter, AuditTarget, TargetKind};
pub use ceiling::{Ceiling, Limit};
pub use credential::{PasswordHash, SecretHash, TokenLabel};
pub use credential_secret::{CredentialSecret, Ended, SecretOwner};
pub use credential_use::{AllowedNetworks, LastUse, RefusedUses};
pub use device::Device;
pub use email::EmailAddress;
pub use id::{
    AccountId, AnnouncementId, CategoryId, CommentId, DeletionId, DeliveryId, DeviceId, EventId,
    InvitationId, NamespaceId, NoticeId, OrganisationId, PolicyId, RepositoryId, RobotId, RuleId, RunId,
    SecretId, TeamId, TokenId, WebhookId,
};
pub use invitation::Invitation;
pub use member::Member;
pub use namespace::{NamespaceFacts, NamespaceName, NamespaceOwner};
pub use notice::{Notice, NoticeKind};
pub use organisation::{Membership, Organisation, OrganisationRole, Team};
pub use pattern::RepositoryPattern;
pub use permission::{
    AccountPrincipal, Decision, Facts, Machine, Principal, decide, decide_catalog, decide_namespace,
};
pub use preference::{PageLanguage, PageTheme, Preferences};
pub use profile::Profile;
pub use repository::{RepositoryFacts, RepositoryState, Visibility};
pub use right::{Right, Rights};
pub use robot::{Robot, RobotName};
pub use rule::{Grant, ListedRule, Rule, Subject, Target};
pub use search::{Reach, SearchFilter, SearchOrder};
pub use secret_token::{SecretKind, SecretToken};
pub use showcase::Showcase;
pub use signing_key::{KeyState, RotationPlan, RotationStep, SigningKeyFacts};
pub use topic::Topic;
pub use webhook::{EventKind, HookFormat};
