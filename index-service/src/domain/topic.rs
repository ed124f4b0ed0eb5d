//! Topics: what a repository is about, in its maintainers' words.

use std::fmt;
use std::str::FromStr;

/// Most topics of a repository.
pub const MAX_TOPICS: usize = 20;
/// Most characters of a topic.
const MAX_CHARACTERS: usize = 35;

/// A topic: letters and digits in lower case, joined by single hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(Box<str>);

/// A text is no topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a topic is of letters and digits, joined by hyphens, with at most 35 characters")]
pub struct InvalidTopic;

impl Topic {
    /// The topic as it is stored and shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Topic {
    type Err = InvalidTopic;

    /// Capitals, spaces and underscores are written otherwise; other signs are refused.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut topic = String::new();
        for c in text.trim().chars().flat_map(char::to_lowercase) {
            match c {
                ' ' | '_' | '-' if topic.ends_with('-') || topic.is_empty() => return Err(InvalidTopic),
                ' ' | '_' | '-' => topic.push('-'),
                _ if c.is_alphanumeric() => topic.push(c),
                _ => return Err(InvalidTopic),
            }
        }
        if topic.is_empty() || topic.ends_with('-') || topic.chars().count() > MAX_CHARACTERS {
            return Err(InvalidTopic);
        }
        Ok(Self(topic.into()))
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_written_in_one_way() {
        for (text, topic) in [
            ("web", "web"),
            (" Web Server ", "web-server"),
            ("a_b", "a-b"),
            ("数据库", "数据库"),
        ] {
            assert_eq!(text.parse::<Topic>().unwrap().as_str(), topic);
        }
        let long = "a".repeat(36);
        for text in ["", " ", "-a", "a-", "a--b", "c++", "a/b", "a\0", "#a", "%", &long] {
            assert_eq!(text.parse::<Topic>(), Err(InvalidTopic), "{text:?}");
        }
    }
}
