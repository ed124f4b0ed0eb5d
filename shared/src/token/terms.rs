//! What a registry must keep to when content is pushed or deleted with a grant: tags that stay what they are. It travels
//! beside the grant, so that the registry asks nobody.
//!
//! A text of another version, or with a part that is not known, cannot be read, and then the grant allows nothing: what is
//! not understood is refused, never passed over.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::quota::Quota;
use super::tag_pattern::{InvalidTagPattern, MAX_TAG_PATTERNS, TagPattern};
use crate::oci::{Object, Tag};

/// Most characters of the patterns of one [`ImmutableTags`] together, so that tokens stay short.
pub const MAX_PATTERN_TEXT: usize = 1_000;
/// The version that is written, and the only one that is read.
const VERSION: u8 = 1;

/// Tags that stay what they are: those that a pattern matches, and no exception.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImmutableTags {
    patterns: Box<[TagPattern]>,
    exceptions: Box<[TagPattern]>,
}

impl ImmutableTags {
    /// Those of these patterns, without those of the exceptions.
    pub fn new(patterns: Vec<TagPattern>, exceptions: Vec<TagPattern>) -> Result<Self, InvalidTagPattern> {
        if patterns.len() > MAX_TAG_PATTERNS || exceptions.len() > MAX_TAG_PATTERNS {
            return Err(InvalidTagPattern::TooMany);
        }
        let all = patterns.iter().chain(&exceptions);
        if all.map(|pattern| pattern.as_str().len()).sum::<usize>() > MAX_PATTERN_TEXT {
            return Err(InvalidTagPattern::TooLong);
        }
        Ok(Self {
            patterns: patterns.into(),
            exceptions: exceptions.into(),
        })
    }

    /// The patterns.
    pub fn patterns(&self) -> &[TagPattern] {
        &self.patterns
    }

    /// The exceptions.
    pub fn exceptions(&self) -> &[TagPattern] {
        &self.exceptions
    }

    /// Whether no tag is among them.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The pattern that makes the tag one of them.
    pub fn find(&self, tag: &Tag) -> Option<&TagPattern> {
        if self.exceptions.iter().any(|pattern| pattern.matches(tag)) {
            return None;
        }
        self.patterns.iter().find(|pattern| pattern.matches(tag))
    }
}

/// Why a tag stays what it is: a pattern, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pattern: TagPattern,
    is_of_namespace: bool,
}

impl fmt::Display for Kept {
    /// `the rule v* of the namespace`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.is_of_namespace {
            "namespace"
        } else {
            "repository"
        };
        write!(f, "the rule {} of the {whose}", self.pattern)
    }
}

/// What a registry keeps to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// By a rule of the repository.
    pub repository: ImmutableTags,
    /// By a rule of its namespace.
    pub namespace: ImmutableTags,
    /// How much the namespace may hold.
    pub quota: Option<Quota>,
}

impl Terms {
    /// Whether there is nothing to keep to.
    pub fn is_empty(&self) -> bool {
        !self.keep_tags() && self.quota.is_none()
    }

    /// Whether there may be tags that stay what they are.
    pub fn keep_tags(&self) -> bool {
        !self.repository.is_empty() || !self.namespace.is_empty()
    }

    /// Why the tag stays what it is, if it does.
    pub fn kept(&self, tag: &Tag) -> Option<Kept> {
        let found = |tags: &ImmutableTags, is_of_namespace| {
            tags.find(tag).map(|pattern| Kept {
                pattern: pattern.clone(),
                is_of_namespace,
            })
        };
        found(&self.repository, false).or_else(|| found(&self.namespace, true))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: u8,
    #[serde(
        default,
        skip_serializing_if = "WireTags::is_empty",
        deserialize_with = "object"
    )]
    repository: WireTags,
    #[serde(
        default,
        skip_serializing_if = "WireTags::is_empty",
        deserialize_with = "object"
    )]
    namespace: WireTags,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    quota: Option<Quota>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct WireTags {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    except: Vec<String>,
}

/// What is there is no `null`, and no list of fields.
fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(value)| value)
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Quota>, D::Error> {
    object(deserializer).map(Some)
}

impl WireTags {
    fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    fn of(tags: &ImmutableTags) -> Self {
        let texts = |patterns: &[TagPattern]| patterns.iter().map(ToString::to_string).collect();
        Self {
            tags: texts(&tags.patterns),
            except: texts(&tags.exceptions),
        }
    }

    fn read(self) -> Result<ImmutableTags, InvalidTagPattern> {
        let patterns = |texts: Vec<String>| texts.iter().map(|text| text.parse()).collect::<Result<_, _>>();
        ImmutableTags::new(patterns(self.tags)?, patterns(self.except)?)
    }
}

impl Serialize for Terms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire {
            v: VERSION,
            repository: WireTags::of(&self.repository),
            namespace: WireTags::of(&self.namespace),
            quota: self.quota.clone(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Terms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let Object(wire) = Object::<Wire>::deserialize(deserializer)?;
        if wire.v != VERSION {
            return Err(D::Error::custom("terms of a version that is not known"));
        }
        Ok(Self {
            repository: wire.repository.read().map_err(D::Error::custom)?,
            namespace: wire.namespace.read().map_err(D::Error::custom)?,
            quota: wire.quota,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(patterns: &[&str], exceptions: &[&str]) -> ImmutableTags {
        let read = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        ImmutableTags::new(read(patterns), read(exceptions)).unwrap()
    }

    fn tag(text: &str) -> Tag {
        text.parse().unwrap()
    }

    #[test]
    fn a_tag_stays_by_a_pattern_unless_an_exception_matches_it() {
        let kept = tags(&["v*", "*-final"], &["v0*"]);
        for (name, expected) in [
            ("v1", true),
            ("v0.1", false),
            ("x-final", true),
            ("v0-final", false),
            ("latest", false),
        ] {
            assert_eq!(kept.find(&tag(name)).is_some(), expected, "{name}");
        }
        assert!(tags(&[], &["v*"]).is_empty());
        let terms = Terms {
            repository: kept,
            namespace: tags(&["*"], &["latest"]),
            quota: None,
        };
        let why = |name| terms.kept(&tag(name)).map(|kept| kept.to_string());
        assert_eq!(why("v1").as_deref(), Some("the rule v* of the repository"));
        assert_eq!(why("v0").as_deref(), Some("the rule * of the namespace"));
        assert_eq!(why("latest"), None);
    }

    #[test]
    fn terms_read_back_what_they_write() {
        let terms = Terms {
            repository: tags(&["v*"], &["v0*"]),
            namespace: tags(&["*-final"], &[]),
            quota: None,
        };
        let json = serde_json::to_value(&terms).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"v": 1, "repository": {"tags": ["v*"], "except": ["v0*"]}, "namespace": {"tags": ["*-final"]}})
        );
        assert_eq!(serde_json::from_value::<Terms>(json).unwrap(), terms);
    }

    #[test]
    fn what_is_not_understood_cannot_be_read() {
        for text in [
            "null",
            "[]",
            "[1]",
            "{}",
            r#"{"v":2}"#,
            r#"{"v":0}"#,
            r#"{"v":"1"}"#,
            r#"{"v":1,"more":[]}"#,
            r#"{"v":1,"repository":["v*"]}"#,
            r#"{"v":1,"repository":null}"#,
            r#"{"v":1,"repository":[]}"#,
            r#"{"v":1,"repository":{"tags":["v?"]}}"#,
            r#"{"v":1,"repository":{"tags":"v*"}}"#,
            r#"{"v":1,"repository":{"tags":["v*"],"until":7}}"#,
            r#"{"v":1,"namespace":{"tags":[7]}}"#,
            r#"{"v":1,"quota":null}"#,
            r#"{"v":1,"quota":{}}"#,
            r#"{"v":1,"quota":[1,2,null,null,null,80]}"#,
        ] {
            assert!(serde_json::from_str::<Terms>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn patterns_are_few_and_short() {
        let many: Vec<TagPattern> = (0..21).map(|n| format!("v{n}").parse().unwrap()).collect();
        assert_eq!(
            ImmutableTags::new(many, Vec::new()),
            Err(InvalidTagPattern::TooMany)
        );
        let long: Vec<TagPattern> = (0..8)
            .map(|n| format!("{}{n}", "v".repeat(126)).parse().unwrap())
            .collect();
        assert_eq!(
            ImmutableTags::new(long, Vec::new()),
            Err(InvalidTagPattern::TooLong)
        );
    }
}
