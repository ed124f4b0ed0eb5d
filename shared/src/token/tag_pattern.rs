//! Patterns over tags: which tags a grant lets its holder push or delete. They travel in tokens, so both services read
//! them the same way.

use std::fmt;
use std::str::FromStr;

use crate::oci::Tag;
use crate::oci::tag::MAX_TAG_LENGTH;

/// Most patterns in one list.
pub const MAX_TAG_PATTERNS: usize = 20;
/// Most sets that bound one grant together.
pub const MAX_TAG_BOUNDS: usize = 4;
/// Most `*` in one pattern.
const MAX_STARS: usize = 4;

/// Why a text is not a tag pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTagPattern {
    /// The empty text, or longer than a tag.
    #[error("a tag pattern has 1 to 128 characters")]
    Length,
    /// Too many `*`.
    #[error("a tag pattern has at most 4 '*'")]
    Stars,
    /// A character that no tag has.
    #[error("a tag pattern is made of letters, digits, '_', '.', '-' and '*', and begins as a tag does")]
    Characters,
    /// Too many patterns in one list.
    #[error("a list has at most 20 tag patterns")]
    TooMany,
    /// Too many characters in patterns that go together.
    #[error("the patterns of a rule have at most 1,000 characters together")]
    TooLong,
}

/// A pattern over tags: the characters of a tag, where each `*` stands for any number of characters, none included.
/// Upper and lower case differ, as they do in tags.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagPattern(Box<str>);

impl TagPattern {
    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole tag is matched. Takes at most (characters of the tag) × (characters of the pattern) steps.
    pub fn matches(&self, tag: &Tag) -> bool {
        let (text, pattern) = (tag.as_str().as_bytes(), self.0.as_bytes());
        let (mut t, mut p) = (0, 0);
        // Where to go on when what follows the last star does not fit: one more character belongs to the star.
        let mut retry: Option<(usize, usize)> = None;
        while t < text.len() {
            if pattern.get(p) == Some(&b'*') {
                retry = Some((p + 1, t));
                p += 1;
            } else if pattern.get(p) == Some(&text[t]) {
                t += 1;
                p += 1;
            } else if let Some((after, from)) = retry {
                retry = Some((after, from + 1));
                p = after;
                t = from + 1;
            } else {
                return false;
            }
        }
        pattern[p..].iter().all(|byte| *byte == b'*')
    }
}

impl FromStr for TagPattern {
    type Err = InvalidTagPattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.len() > MAX_TAG_LENGTH {
            return Err(InvalidTagPattern::Length);
        }
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'*';
        let begins = text.bytes().next().is_some_and(word);
        if !begins || !text.bytes().all(|b| word(b) || b == b'.' || b == b'-') {
            return Err(InvalidTagPattern::Characters);
        }
        if text.bytes().filter(|b| *b == b'*').count() > MAX_STARS {
            return Err(InvalidTagPattern::Stars);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for TagPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TagPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Tags by patterns: every tag, or those that one of some patterns matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagSet {
    /// Every tag.
    Every,
    /// Tags that at least one pattern matches. Without a pattern, none.
    Only(Box<[TagPattern]>),
}

impl TagSet {
    /// No tag.
    pub fn none() -> Self {
        Self::Only(Box::default())
    }

    /// Tags in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        match (self, other) {
            (Self::Only(one), Self::Only(other)) => {
                let mut patterns = one.into_vec();
                patterns.extend(other);
                patterns.sort();
                patterns.dedup();
                Self::Only(patterns.into())
            }
            _ => Self::Every,
        }
    }

    /// Whether the tag is in the set.
    pub fn contains(&self, tag: &Tag) -> bool {
        match self {
            Self::Every => true,
            Self::Only(patterns) => patterns.iter().any(|pattern| pattern.matches(tag)),
        }
    }

    /// The set of a stored text: patterns separated by spaces; no text is every tag.
    pub fn parse(text: Option<&str>) -> Result<Self, InvalidTagPattern> {
        let Some(text) = text else {
            return Ok(Self::Every);
        };
        let patterns: Vec<TagPattern> = text
            .split_ascii_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        Self::only(patterns)
    }

    /// The set of a list of patterns.
    pub fn only(patterns: Vec<TagPattern>) -> Result<Self, InvalidTagPattern> {
        if patterns.len() > MAX_TAG_PATTERNS {
            return Err(InvalidTagPattern::TooMany);
        }
        Ok(Self::Only(patterns.into()))
    }

    /// What [`TagSet::parse`] reads.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Every => None,
            Self::Only(patterns) => Some(
                patterns
                    .iter()
                    .map(TagPattern::as_str)
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
        }
    }
}

/// Tags that are in each of several sets: what several bounds leave together. Without a set, every tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagLimits(Vec<Box<[TagPattern]>>);

impl TagLimits {
    /// No bound.
    pub const EVERY: Self = Self(Vec::new());

    /// Bound by one more set.
    #[must_use]
    pub fn within(mut self, set: TagSet) -> Self {
        if let TagSet::Only(patterns) = set
            && !self.0.contains(&patterns)
        {
            self.0.push(patterns);
        }
        self
    }

    /// Whether every bound lets the tag through.
    pub fn allow(&self, tag: &Tag) -> bool {
        self.0
            .iter()
            .all(|patterns| patterns.iter().any(|pattern| pattern.matches(tag)))
    }

    /// Whether there is no bound at all.
    pub fn is_every(&self) -> bool {
        self.0.is_empty()
    }

    /// The bounds.
    pub fn bounds(&self) -> &[Box<[TagPattern]>] {
        &self.0
    }

    /// These bounds; the form in which they travel.
    pub fn of_bounds(bounds: Vec<Box<[TagPattern]>>) -> Self {
        Self(bounds)
    }
}

impl fmt::Display for TagLimits {
    /// `v* or main, and *-dev`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, patterns) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", and ")?;
            }
            if patterns.is_empty() {
                f.write_str("no tag")?;
            }
            for (j, pattern) in patterns.iter().enumerate() {
                write!(f, "{}{pattern}", if j > 0 { " or " } else { "" })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> TagPattern {
        text.parse().unwrap()
    }

    fn tag(text: &str) -> Tag {
        text.parse().unwrap()
    }

    #[test]
    fn a_star_stands_for_any_characters_and_all_else_for_itself() {
        for (text, yes, no) in [
            ("v*", &["v", "v1", "v1.2-rc"][..], &["V1", "1v", "xv1"][..]),
            ("*-dev", &["x-dev", "1.2-dev-dev"], &["dev", "x-dev1", "x-Dev"]),
            (
                "1.*.3",
                &["1.2.3", "1.2.3.3", "1..3"],
                &["1.3", "1.2.33x", "11.2.3"],
            ),
            ("*", &["a", "latest"], &[]),
            ("latest", &["latest"], &["latest1", "Latest", "lates"]),
            ("a*b*c", &["abc", "axxbyyc", "abbcc"], &["ab", "acb", "abcx"]),
        ] {
            for name in yes {
                assert!(pattern(text).matches(&tag(name)), "{text} {name}");
            }
            for name in no {
                assert!(!pattern(text).matches(&tag(name)), "{text} {name}");
            }
        }
    }

    #[test]
    fn what_no_tag_could_be_is_no_pattern() {
        for (text, reason) in [
            ("", InvalidTagPattern::Length),
            (&*"a".repeat(129), InvalidTagPattern::Length),
            ("a b", InvalidTagPattern::Characters),
            ("v?", InvalidTagPattern::Characters),
            ("[ab]", InvalidTagPattern::Characters),
            ("ä*", InvalidTagPattern::Characters),
            (".a", InvalidTagPattern::Characters),
            ("-*", InvalidTagPattern::Characters),
            ("v\u{ff0a}", InvalidTagPattern::Characters),
            ("%2a", InvalidTagPattern::Characters),
            ("*****", InvalidTagPattern::Stars),
        ] {
            assert_eq!(text.parse::<TagPattern>(), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn sets_unite_and_limits_narrow() {
        let set = |text: &str| TagSet::parse(Some(text)).unwrap();
        assert_eq!(TagSet::parse(None).unwrap(), TagSet::Every);
        assert_eq!(set("v* main").to_text().as_deref(), Some("v* main"));
        assert_eq!(set("v*").union(TagSet::Every), TagSet::Every);
        let either = set("v*").union(set("main v*"));
        assert!(either.contains(&tag("main")) && either.contains(&tag("v1")) && !either.contains(&tag("x")));
        assert!(!TagSet::none().contains(&tag("x")));
        let limits = TagLimits::EVERY.within(set("v*")).within(TagSet::Every);
        assert!(limits.allow(&tag("v1")) && !limits.allow(&tag("main")) && !limits.is_every());
        let limits = limits.within(set("*-dev"));
        assert!(limits.allow(&tag("v1-dev")) && !limits.allow(&tag("v1")));
        assert_eq!(limits.to_string(), "v*, and *-dev");
        assert!(!limits.within(TagSet::none()).allow(&tag("v1-dev")));
        assert!(TagLimits::EVERY.is_every() && TagLimits::EVERY.allow(&tag("x")));
    }

    proptest::proptest! {
        #[test]
        fn matching_agrees_with_a_regular_expression_read_character_by_character(
            text in "[ab*]{1,8}", name in "[ab]{1,8}",
        ) {
            fn slow(pattern: &[u8], text: &[u8]) -> bool {
                match pattern {
                    [] => text.is_empty(),
                    [b'*', rest @ ..] => (0..=text.len()).any(|n| slow(rest, &text[n..])),
                    [first, rest @ ..] => text.split_first().is_some_and(|(t, more)| t == first && slow(rest, more)),
                }
            }
            if let Ok(pattern) = text.parse::<TagPattern>() {
                proptest::prop_assert_eq!(pattern.matches(&tag(&name)), slow(text.as_bytes(), name.as_bytes()));
            }
        }
    }
}
