//! Webhooks: who is told of what, and in which form.

mod format;
mod message;

pub use format::render;
pub use message::{About, Facts, Platform, Told};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::oci::Tag;
use shared::token::TagSet;

use super::audit::words;
use super::id::{AccountId, DeliveryId, NamespaceId, RepositoryId, RobotId, WebhookId};

/// Most characters of a webhook's address.
pub const MAX_URL: usize = 2_048;
/// Most characters of a secret that somebody brings along.
pub const MAX_SECRET: usize = 256;

words! {
    /// What a webhook may be told of.
    EventKind: InvalidEventKind, "a webhook is told of push, tag.moved, tag.deleted, manifest.deleted, repository.created, repository.renamed, \
        repository.deleted, repository.restored, repository.visibility, star, comment or quota";
    /// A tag was pushed, also when it points where it did before.
    Push = "push",
    /// A tag that was there points elsewhere.
    TagMoved = "tag.moved",
    /// A tag was deleted.
    TagDeleted = "tag.deleted",
    /// A manifest was deleted.
    ManifestDeleted = "manifest.deleted",
    /// A repository was made.
    RepositoryCreated = "repository.created",
    /// It has another name, perhaps in another namespace.
    RepositoryRenamed = "repository.renamed",
    /// It was deleted.
    RepositoryDeleted = "repository.deleted",
    /// It was restored.
    RepositoryRestored = "repository.restored",
    /// Others may see it, or fewer.
    RepositoryVisibility = "repository.visibility",
    /// Somebody gave it a star.
    Star = "star",
    /// Somebody wrote a comment.
    Comment = "comment",
    /// A quota is nearly, or wholly, used up.
    Quota = "quota",
    /// A test, which is asked for.
    Ping = "ping",
}

impl EventKind {
    /// Whether a webhook can ask to be told of it.
    pub fn is_chosen(self) -> bool {
        self != Self::Ping
    }

    /// What people make as many of as they like: little of it may wait, so that it keeps nothing else away.
    pub fn is_chatter(self) -> bool {
        matches!(self, Self::Star | Self::Comment)
    }
}

words! {
    /// In which form a webhook is told.
    HookFormat: InvalidHookFormat, "a webhook's format is docker_hub, cloudevents, slack, feishu, dingtalk or wecom";
    /// As Docker Hub does, and more.
    DockerHub = "docker_hub",
    /// CloudEvents 1.0, structured JSON.
    CloudEvents = "cloudevents",
    /// An incoming webhook of Slack, or of what takes the same.
    Slack = "slack",
    /// A custom bot of Feishu or Lark.
    Feishu = "feishu",
    /// A custom robot of DingTalk.
    DingTalk = "dingtalk",
    /// A group robot of WeCom.
    WeCom = "wecom",
}

impl HookFormat {
    /// Whether deliveries carry a signature by a secret of ours.
    pub fn is_signed(self) -> bool {
        matches!(self, Self::DockerHub | Self::CloudEvents)
    }

    /// Whether the receiver has a way of its own to sign, by a secret that it made.
    pub fn takes_secret(self) -> bool {
        matches!(self, Self::Feishu | Self::DingTalk)
    }

    /// The media type of what is sent.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::CloudEvents => "application/cloudevents+json; charset=utf-8",
            Self::DockerHub | Self::Slack | Self::Feishu | Self::DingTalk | Self::WeCom => "application/json",
        }
    }
}

/// Whose webhook it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HookPlace {
    /// One repository, whatever it is called.
    Repository(RepositoryId),
    /// Every repository of a namespace.
    Namespace(NamespaceId),
}

impl HookPlace {
    /// The kind and the id that are stored.
    pub fn to_parts(self) -> (&'static str, i64) {
        match self {
            Self::Repository(id) => ("repository", id.as_i64()),
            Self::Namespace(id) => ("namespace", id.as_i64()),
        }
    }

    /// What [`HookPlace::to_parts`] gave.
    pub fn of_parts(kind: &str, id: i64) -> Option<Self> {
        match kind {
            "repository" => Some(Self::Repository(RepositoryId::from_i64(id))),
            "namespace" => Some(Self::Namespace(NamespaceId::from_i64(id))),
            _ => None,
        }
    }
}

/// On whose rights a webhook stands: who made it, or changed it last. Without those it tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// An account.
    Account(AccountId),
    /// A robot, or an organisation's access token.
    Robot(RobotId),
}

impl Keeper {
    /// The kind and the id that are stored.
    pub fn to_parts(self) -> (&'static str, i64) {
        match self {
            Self::Account(id) => ("account", id.as_i64()),
            Self::Robot(id) => ("robot", id.as_i64()),
        }
    }

    /// What [`Keeper::to_parts`] gave.
    pub fn of_parts(kind: &str, id: i64) -> Option<Self> {
        match kind {
            "account" => Some(Self::Account(AccountId::from_i64(id))),
            "robot" => Some(Self::Robot(RobotId::from_i64(id))),
            _ => None,
        }
    }
}

words! {
    /// Why a webhook is off.
    DisabledBecause: InvalidDisabledBecause, "a webhook is off because somebody said so, it failed, it is gone, or its keeper has no right";
    /// Somebody who manages it said so.
    Asked = "asked",
    /// Nothing could be delivered for days.
    Failing = "failing",
    /// The receiver answered 410 Gone.
    Gone = "gone",
    /// Who made it, or changed it last, does not manage the repository or the namespace any more.
    Permission = "permission",
}

/// Where a webhook is sent and what it is signed with: what is kept sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookSecrets {
    /// The address.
    pub url: String,
    /// What deliveries are signed with.
    pub secret: Option<String>,
    /// The one before, while both are good.
    pub former: Option<String>,
}

impl fmt::Debug for HookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookSecrets")
    }
}

/// What a webhook wants to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookFilter {
    /// Kinds of events.
    pub events: Vec<EventKind>,
    /// Of events about a tag, those about these tags.
    pub tags: TagSet,
}

impl HookFilter {
    /// Whether it wants to be told of this.
    pub fn wants(&self, kind: EventKind, tag: Option<&str>) -> bool {
        if !self.events.contains(&kind) {
            return false;
        }
        match (&self.tags, tag) {
            (TagSet::Every, _) | (_, None) => true,
            (tags, Some(tag)) => tag.parse::<Tag>().is_ok_and(|tag| tags.contains(&tag)),
        }
    }

    /// The kinds as they are stored.
    pub fn events_text(&self) -> String {
        let words: Vec<&str> = self.events.iter().map(|kind| kind.as_str()).collect();
        words.join(" ")
    }

    /// What [`HookFilter::events_text`] wrote. A word that a newer version wrote is left out.
    pub fn read_events(text: &str) -> Vec<EventKind> {
        text.split(' ').filter_map(|word| word.parse().ok()).collect()
    }
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub webhook_id: WebhookId,
    /// Whose it is.
    pub place: HookPlace,
    /// What people call it.
    pub label: String,
    /// In which form it is told.
    pub format: HookFormat,
    /// What it is told of.
    pub filter: HookFilter,
    /// Its address without what may be a secret.
    pub shown_url: String,
    /// [`HookSecrets`] as JSON, sealed where there is a master key.
    pub sealed: String,
    /// Since when it has its secret, in milliseconds since 1970, as all times here.
    pub secret_set_at: Option<i64>,
    /// Until when the secret before is good.
    pub former_secret_until: Option<i64>,
    /// On whose rights it stands.
    pub keeper: Keeper,
    /// Whether it is told anything.
    pub is_enabled: bool,
    /// Why not.
    pub disabled_because: Option<DisabledBecause>,
    /// Since when not.
    pub disabled_at: Option<i64>,
    /// Attempts that failed since the last that did not.
    pub failures: i64,
    /// When the first of them was.
    pub failing_since: Option<i64>,
    /// When something was sent last.
    pub attempted_at: Option<i64>,
    /// When something was taken last.
    pub delivered_at: Option<i64>,
    /// When it was made.
    pub created_at: i64,
}

words! {
    /// What became of a delivery.
    DeliveryState: InvalidDeliveryState, "a delivery is waiting, delivered or dead";
    /// It is to be sent, perhaps again.
    Waiting = "waiting",
    /// It was taken.
    Delivered = "delivered",
    /// It was given up.
    Dead = "dead",
}

/// Something that a webhook is, or was, told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookDelivery {
    /// Its id.
    pub delivery_id: DeliveryId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// The delivery that it repeats, or itself: the message's id.
    pub message_id: DeliveryId,
    /// What happened.
    pub kind: EventKind,
    /// What happened, in detail.
    pub facts: Facts,
    /// What became of it.
    pub state: DeliveryState,
    /// Since when it is known, in milliseconds since 1970, as all times here.
    pub created_at: i64,
    /// When it is to be sent.
    pub due_at: Option<i64>,
    /// How often it was sent.
    pub attempts: i64,
    /// When it was sent last.
    pub attempted_at: Option<i64>,
    /// How long that took.
    pub duration_ms: Option<i64>,
    /// The status that was answered.
    pub status: Option<i64>,
    /// Why it was not taken, or not sent.
    pub error: Option<String>,
    /// Headers of what was sent last, in lines.
    pub request_headers: Option<String>,
    /// What was sent last.
    pub request_body: Option<String>,
    /// Headers of the answer, in lines.
    pub response_headers: Option<String>,
    /// The beginning of the answer.
    pub response_body: Option<String>,
}

impl HookDelivery {
    /// The message's id as receivers see it.
    pub fn message(&self) -> String {
        format!("msg_{}", self.message_id)
    }
}

/// What a webhook's address is shown as: scheme, host and port. What follows opens the receiver to whoever knows it, for
/// many receivers, so that of it the last four characters are shown alone.
pub fn shown_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "…".to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let characters: Vec<char> = path.chars().collect();
    match characters.len() {
        0 | 1 => format!("{scheme}://{host}{path}"),
        // So short that its end would be all of it.
        2..=12 => format!("{scheme}://{host}/…"),
        count => {
            let last: String = characters[count - 4..].iter().collect();
            format!("{scheme}://{host}/…{last}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(events: &[EventKind], tags: Option<&str>) -> HookFilter {
        HookFilter {
            events: events.to_vec(),
            tags: TagSet::parse(tags).unwrap(),
        }
    }

    #[test]
    fn a_filter_lets_through_its_kinds_and_of_those_about_tags_its_tags() {
        let all = filter(&[EventKind::Push, EventKind::Star], None);
        assert!(all.wants(EventKind::Push, Some("v1")) && all.wants(EventKind::Star, None));
        assert!(!all.wants(EventKind::TagDeleted, Some("v1")));
        let some = filter(&[EventKind::Push, EventKind::Star], Some("v* main"));
        assert!(some.wants(EventKind::Push, Some("v1")) && some.wants(EventKind::Push, Some("main")));
        assert!(!some.wants(EventKind::Push, Some("dev")) && !some.wants(EventKind::Push, Some("no tag")));
        assert!(some.wants(EventKind::Star, None), "a star is about no tag");
        assert!(!filter(&[], None).wants(EventKind::Push, None));
    }

    #[test]
    fn kinds_are_read_back_and_unknown_ones_are_left_out() {
        let every: Vec<EventKind> = EventKind::EVERY.to_vec();
        let text = filter(&every, None).events_text();
        assert_eq!(HookFilter::read_events(&format!("{text} of.tomorrow")), every);
        assert_eq!(HookFilter::read_events(""), []);
    }

    #[test]
    fn an_address_is_shown_without_what_opens_the_receiver() {
        for (url, shown) in [
            ("https://hooks.example.com", "https://hooks.example.com"),
            ("https://hooks.example.com/", "https://hooks.example.com/"),
            ("https://hooks.example.com/token", "https://hooks.example.com/…"),
            (
                "https://hooks.slack.com/services/T00/B00/abcdefgh",
                "https://hooks.slack.com/…efgh",
            ),
            (
                "https://ci:pass@host.example:8443/a/long/enough/path?key=abcd",
                "https://host.example:8443/…abcd",
            ),
            ("https://host?secret-in-the-query", "https://host/…uery"),
        ] {
            assert_eq!(shown_url(url), shown);
        }
    }
}
