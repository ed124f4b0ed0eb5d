//! Repository patterns: which repositories a credential reaches.

use std::fmt;
use std::str::FromStr;

use shared::oci::RepositoryName;
use shared::oci::name::{LIBRARY, MAX_NAME_LENGTH, is_component};

/// Why a text is not a repository pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// The empty text, or over 255 bytes before the `*`.
    #[error("a repository pattern has 1 to 255 characters")]
    Length,
    /// A `*` that is not the last character.
    #[error("'*' may only be the last character of a repository pattern")]
    Star,
    /// `te*` would reach other people's namespaces.
    #[error("a repository pattern names a whole namespace before its '*', such as team/* or team/app-*")]
    Namespace,
    /// What stands before the `*` begins no repository name, or the pattern without `*` is none.
    #[error("a repository pattern is made of the characters of a repository name")]
    Characters,
}

/// A pattern over repository names: `*` (every repository), `team/*`, `team/app-*` (any characters from there on, `/`
/// included), or one whole name. Names of one segment belong to `library`, so that `library/*` reaches them too.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RepositoryPattern {
    /// What a name must begin with, or be.
    literal: Box<str>,
    is_prefix: bool,
}

impl RepositoryPattern {
    /// `*`
    pub fn every() -> Self {
        Self {
            literal: "".into(),
            is_prefix: true,
        }
    }

    /// Whether the pattern reaches the repository.
    pub fn matches(&self, name: &RepositoryName) -> bool {
        let name = name.as_str();
        if !self.is_prefix {
            return name == &*self.literal;
        }
        name.starts_with(&*self.literal)
            || (!name.contains('/') && self.library_literal().is_some_and(|rest| name.starts_with(rest)))
    }

    /// Whether it reaches every repository that `other` reaches.
    pub fn holds(&self, other: &Self) -> bool {
        if !other.is_prefix {
            return other
                .literal
                .parse()
                .is_ok_and(|name: RepositoryName| self.matches(&name));
        }
        self.is_prefix && other.literal.starts_with(&*self.literal)
    }

    /// Whether it reaches every repository of a namespace, those to come too.
    pub fn holds_namespace(&self, namespace: &str) -> bool {
        self.is_prefix && (self.literal.is_empty() || self.literal.strip_suffix('/') == Some(namespace))
    }

    /// The one namespace that it reaches into; `None` for `*`.
    pub fn namespace(&self) -> Option<&str> {
        match self.literal.split_once('/') {
            Some((namespace, _)) => Some(namespace),
            None if self.literal.is_empty() => None,
            None => Some(LIBRARY),
        }
    }

    /// The one repository that it names, when it has no `*`.
    pub fn name(&self) -> Option<RepositoryName> {
        (!self.is_prefix).then(|| self.literal.parse().ok()).flatten()
    }

    /// The names that the pattern reaches, as ranges in the order of bytes.
    pub fn ranges(&self) -> PatternRanges {
        // Every character of a name lies between '-' and 'z', so that '!' ends the range of one name
        // and '~' the range of all names that begin so.
        let range = |literal: &str, end: char| (literal.to_owned(), format!("{literal}{end}"));
        if !self.is_prefix {
            return PatternRanges {
                names: range(&self.literal, '!'),
                one_segment: (String::new(), String::new()),
            };
        }
        PatternRanges {
            names: range(&self.literal, '~'),
            one_segment: self
                .library_literal()
                .map_or_else(Default::default, |rest| range(rest, '~')),
        }
    }

    /// What a prefix in `library` asks of a name of one segment.
    fn library_literal(&self) -> Option<&str> {
        self.literal.strip_prefix(LIBRARY)?.strip_prefix('/')
    }
}

/// The names that a pattern reaches: every name in `names`, and names of one segment in `one_segment`. Ranges are
/// half-open, `(from, before)`, in the order of bytes; an empty range reaches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternRanges {
    /// For every name.
    pub names: (String, String),
    /// For names of one segment.
    pub one_segment: (String, String),
}

impl FromStr for RepositoryPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (literal, is_prefix) = match text.strip_suffix('*') {
            Some(literal) => (literal, true),
            None => (text, false),
        };
        if text.is_empty() || literal.len() > MAX_NAME_LENGTH {
            return Err(InvalidPattern::Length);
        }
        if literal.contains('*') {
            return Err(InvalidPattern::Star);
        }
        if is_prefix && !literal.is_empty() {
            let (namespace, rest) = literal.split_once('/').ok_or(InvalidPattern::Namespace)?;
            if !is_component(namespace) || !begins_a_name(rest) {
                return Err(InvalidPattern::Characters);
            }
        } else if !is_prefix && literal.parse::<RepositoryName>().is_err() {
            return Err(InvalidPattern::Characters);
        }
        Ok(Self {
            literal: literal.into(),
            is_prefix,
        })
    }
}

/// Whether some repository name could go on from `rest`, the text behind `namespace/`.
fn begins_a_name(rest: &str) -> bool {
    let (whole, last) = match rest.rsplit_once('/') {
        Some((whole, last)) => (Some(whole), last),
        None => (None, rest),
    };
    // The last part may end inside a separator: "app-" goes on as "app-x".
    whole.is_none_or(|whole| whole.split('/').all(is_component))
        && (last.is_empty() || is_component(last) || is_component(&format!("{last}0")))
}

impl fmt::Display for RepositoryPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.literal)?;
        f.write_str(if self.is_prefix { "*" } else { "" })
    }
}

impl fmt::Debug for RepositoryPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
#[path = "pattern/tests.rs"]
mod tests;
