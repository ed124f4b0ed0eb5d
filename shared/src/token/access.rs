//! Resources, actions and access entries (Docker token authentication specification, "JWT").

use std::fmt;
use std::sync::Arc;

use serde::de::Error as _;
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::tag_pattern::{MAX_TAG_BOUNDS, TagLimits, TagPattern};
use super::terms::Terms;
use crate::oci::RepositoryName;

/// What kind of thing a scope or an access entry names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceType {
    /// A repository.
    Repository,
    /// The registry as a whole; its one resource is `catalog`.
    Registry,
}

impl ResourceType {
    /// The type as it stands in a scope.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Registry => "registry",
        }
    }
}

/// One action on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Action {
    /// Read content.
    Pull = 1,
    /// Add content and move tags.
    Push = 2,
    /// Remove content and tags.
    Delete = 4,
    /// `search` of `registry:catalog`: what `docker search` asks for.
    Search = 8,
    /// `*`: everything that the principal may do. On `registry:catalog`, the list of repositories.
    All = 16,
}

impl Action {
    /// Every action, in the order in which a list of them is written.
    pub const EVERY: [Self; 5] = [Self::Pull, Self::Push, Self::Delete, Self::Search, Self::All];

    /// The action as it stands in a scope.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
            Self::Search => "search",
            Self::All => "*",
        }
    }

    /// The action of a text; vendors' words are none.
    pub fn find(text: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|action| action.as_str() == text)
    }
}

/// A set of actions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Actions(u8);

impl Actions {
    /// No action.
    pub const NONE: Self = Self(0);
    /// Pull alone.
    pub const PULL: Self = Self(Action::Pull as u8);
    /// Pull and push: what a client that pushes asks for.
    pub const PULL_PUSH: Self = Self(Action::Pull as u8 | Action::Push as u8);
    /// All that an owner may do with the content of a repository.
    pub const OWNER: Self = Self(Action::Pull as u8 | Action::Push as u8 | Action::Delete as u8);

    /// This set and one more action.
    #[must_use]
    pub fn with(self, action: Action) -> Self {
        Self(self.0 | action as u8)
    }

    /// Whether the action is in the set itself; see [`Actions::covers`] for the meaning of `*`.
    pub fn contains(self, action: Action) -> bool {
        self.0 & action as u8 != 0
    }

    /// Actions in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Actions in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is no action.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a grant of this set allows every action of `needed`: `*` in a grant allows all.
    pub fn covers(self, needed: Self) -> bool {
        self.contains(Action::All) || needed.0 & !self.0 == 0
    }

    /// The actions in their order.
    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::EVERY
            .into_iter()
            .filter(move |action| self.contains(*action))
    }
}

impl FromIterator<Action> for Actions {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        actions.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Actions {
    /// As in a scope: `pull,push`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, action) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            f.write_str(action.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

impl Serialize for Actions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for action in self.iter() {
            list.serialize_element(action.as_str())?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Actions {
    /// Unknown actions are dropped: a grant of something else allows nothing here.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        Ok(words.iter().filter_map(|word| Action::find(word)).collect())
    }
}

/// The resource that an access entry or a scope names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A repository by its public name.
    Repository(RepositoryName),
    /// `registry:catalog`.
    Catalog,
}

impl Resource {
    /// Its type.
    pub fn resource_type(&self) -> ResourceType {
        match self {
            Self::Repository(_) => ResourceType::Repository,
            Self::Catalog => ResourceType::Registry,
        }
    }

    /// Its name as it stands in a scope.
    pub fn name(&self) -> &str {
        match self {
            Self::Repository(name) => name.as_str(),
            Self::Catalog => "catalog",
        }
    }

    /// The resource of a type and a name; `None` for what no service of ours knows.
    pub fn find(resource_type: &str, name: &str) -> Option<Self> {
        match resource_type {
            "repository" => name.parse().ok().map(Self::Repository),
            "registry" if name == "catalog" => Some(Self::Catalog),
            _ => None,
        }
    }
}

/// One entry of a token's `access`: which actions it allows on which resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessEntry {
    /// The resource by the name that the client used.
    pub resource: Resource,
    /// What is allowed.
    pub actions: Actions,
    /// The name under which the registry keeps the repository; absent when it is the same. A storage name is never
    /// given to another repository, so an old token cannot reach the content of a re-created name.
    pub stored_as: Option<RepositoryName>,
    /// The class of content that it is for, such as `plugin`, as third parties' token servers give it; never empty.
    pub class: Option<Box<str>>,
    /// Which tags may be pushed, where `actions` hold that. Content without a tag is not bound.
    pub push_tags: TagLimits,
    /// Which tags may be deleted, where `actions` hold that; what has no tag then stays.
    pub delete_tags: TagLimits,
    /// What the registry keeps to when something is pushed or deleted; never empty.
    pub terms: Option<Arc<Terms>>,
}

impl AccessEntry {
    /// These actions on every tag of a resource that is stored under its own name.
    pub fn new(resource: Resource, actions: Actions) -> Self {
        Self {
            resource,
            actions,
            stored_as: None,
            class: None,
            push_tags: TagLimits::EVERY,
            delete_tags: TagLimits::EVERY,
            terms: None,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    resource_type: String,
    name: String,
    actions: Actions,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stored_as: Option<RepositoryName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Bounds::is_absent")]
    push_tags: Bounds,
    #[serde(default, skip_serializing_if = "Bounds::is_absent")]
    delete_tags: Bounds,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    terms: Option<Terms>,
}

/// What is there and cannot be read is an error; `null` is no terms either.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Terms>, D::Error> {
    Terms::deserialize(deserializer).map(Some)
}

/// Bounds of tags as they travel: absent for every tag, or lists of patterns, of each of which one must match.
#[derive(Default)]
struct Bounds(TagLimits);

impl Bounds {
    fn is_absent(&self) -> bool {
        self.0.is_every()
    }
}

impl Serialize for Bounds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let texts = |patterns: &[TagPattern]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>();
        serializer.collect_seq(self.0.bounds().iter().map(|patterns| texts(patterns)))
    }
}

impl<'de> Deserialize<'de> for Bounds {
    /// What is there and cannot be read is an error, never the absence of bounds.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lists = Vec::<Vec<String>>::deserialize(deserializer)?;
        if lists.is_empty() || lists.len() > MAX_TAG_BOUNDS {
            return Err(D::Error::custom(
                "tags are bound by one to four lists of patterns",
            ));
        }
        let bounds = lists
            .iter()
            .map(|list| list.iter().map(|text| text.parse::<TagPattern>()).collect())
            .collect::<Result<Vec<Box<[TagPattern]>>, _>>()
            .map_err(D::Error::custom)?;
        Ok(Self(TagLimits::of_bounds(bounds)))
    }
}

impl Serialize for AccessEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire {
            resource_type: self.resource.resource_type().as_str().to_owned(),
            name: self.resource.name().to_owned(),
            actions: self.actions,
            stored_as: self.stored_as.clone(),
            class: self.class.clone(),
            push_tags: Bounds(self.push_tags.clone()),
            delete_tags: Bounds(self.delete_tags.clone()),
            terms: self.terms.as_deref().cloned(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AccessEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let resource = Resource::find(&wire.resource_type, &wire.name)
            .ok_or_else(|| D::Error::custom("an access entry for no known resource"))?;
        Ok(Self {
            resource,
            actions: wire.actions,
            stored_as: wire.stored_as,
            class: wire.class.filter(|class| !class.is_empty()),
            push_tags: wire.push_tags.0,
            delete_tags: wire.delete_tags.0,
            terms: wire.terms.filter(|terms| !terms.is_empty()).map(Arc::new),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::TagSet;

    #[test]
    fn a_star_in_a_grant_covers_every_action() {
        let star = Actions::NONE.with(Action::All);
        assert!(star.covers(Actions::OWNER));
        assert!(Actions::OWNER.covers(Actions::PULL_PUSH));
        assert!(!Actions::PULL.covers(Actions::PULL_PUSH));
        assert!(!Actions::OWNER.covers(star));
        assert!(Actions::NONE.covers(Actions::NONE));
    }

    #[test]
    fn an_access_entry_reads_back_what_it_writes() {
        let resource = Resource::Repository("team/app".parse().unwrap());
        let plain = AccessEntry::new(resource, Actions::PULL_PUSH);
        let json = serde_json::to_value(&plain).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"type":"repository","name":"team/app","actions":["pull","push"]})
        );
        assert_eq!(serde_json::from_value::<AccessEntry>(json).unwrap(), plain);
        let moved = AccessEntry {
            stored_as: Some("team/old".parse().unwrap()),
            ..plain
        };
        let json = serde_json::to_value(&moved).unwrap();
        assert_eq!(json["stored_as"], "team/old");
        assert!(json.get("class").is_none());
        assert_eq!(serde_json::from_value::<AccessEntry>(json).unwrap(), moved);
    }

    #[test]
    fn bounds_of_tags_travel_as_lists_of_patterns() {
        let set = |text: &str| TagSet::parse(Some(text)).unwrap();
        let entry = AccessEntry {
            push_tags: TagLimits::EVERY.within(set("v* main")).within(set("*-dev")),
            delete_tags: TagLimits::EVERY.within(TagSet::none()),
            ..AccessEntry::new(Resource::Repository("a/b".parse().unwrap()), Actions::OWNER)
        };
        let json = serde_json::to_value(&entry).unwrap();
        assert_eq!(json["push_tags"], serde_json::json!([["v*", "main"], ["*-dev"]]));
        assert_eq!(json["delete_tags"], serde_json::json!([[]]));
        assert_eq!(serde_json::from_value::<AccessEntry>(json).unwrap(), entry);
    }

    #[test]
    fn bounds_that_cannot_be_read_make_the_entry_one_that_grants_nothing() {
        for bounds in [
            "null",
            "[]",
            "\"v*\"",
            "[\"v*\"]",
            "[[\"v?\"]]",
            "[[\"v*\",7]]",
            "[null]",
            "{}",
            "true",
            "[[\"a\"],[\"b\"],[\"c\"],[\"d\"],[\"e\"]]",
        ] {
            for kind in ["push_tags", "delete_tags"] {
                let json =
                    format!(r#"{{"type":"repository","name":"a/b","actions":["push"],"{kind}":{bounds}}}"#);
                assert!(serde_json::from_str::<AccessEntry>(&json).is_err(), "{json}");
            }
        }
    }

    #[test]
    fn terms_that_cannot_be_read_make_the_entry_one_that_grants_nothing() {
        let entry = |terms: &str| {
            let json = format!(r#"{{"type":"repository","name":"a/b","actions":["push"],"terms":{terms}}}"#);
            serde_json::from_str::<AccessEntry>(&json)
        };
        let tag = "v1".parse().unwrap();
        let read = entry(r#"{"v":1,"repository":{"tags":["v*"]}}"#).unwrap();
        assert!(
            read.terms
                .as_ref()
                .is_some_and(|terms| terms.kept(&tag).is_some())
        );
        assert_eq!(
            serde_json::from_value::<AccessEntry>(serde_json::to_value(&read).unwrap()).unwrap(),
            read
        );
        assert_eq!(entry(r#"{"v":1}"#).unwrap().terms, None);
        for terms in ["null", "7", "{}", r#"{"v":2}"#, r#"{"v":1,"other":{}}"#] {
            assert!(entry(terms).is_err(), "{terms}");
        }
    }

    #[test]
    fn a_class_is_read_and_an_empty_one_is_none() {
        for (said, expected) in [("\"plugin\"", Some("plugin")), ("\"\"", None), ("null", None)] {
            let json = format!(r#"{{"type":"repository","class":{said},"name":"a/b","actions":["pull"]}}"#);
            let entry: AccessEntry = serde_json::from_str(&json).unwrap();
            assert_eq!(entry.class.as_deref(), expected);
        }
    }

    #[test]
    fn unknown_actions_grant_nothing() {
        let json = r#"{"type":"repository","name":"a/b","actions":["pull","metadata_read","PUSH"]}"#;
        assert_eq!(
            serde_json::from_str::<AccessEntry>(json).unwrap().actions,
            Actions::PULL
        );
    }
}
