//! Repository names (OCI distribution-spec, "Pulling manifests": `<name>`).

use std::fmt;
use std::str::FromStr;

/// Longest accepted name in bytes.
pub const MAX_NAME_LENGTH: usize = 255;
/// Most `/`-separated components of a name.
pub const MAX_COMPONENTS: usize = 16;
/// The namespace that owns names of one segment: `HOST/centos` is, for permission, `library/centos`.
pub const LIBRARY: &str = "library";

/// Why a text is not a repository name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The empty text.
    #[error("the repository name is empty")]
    Empty,
    /// Over [`MAX_NAME_LENGTH`] bytes.
    #[error("the repository name is longer than 255 bytes")]
    TooLong,
    /// Over [`MAX_COMPONENTS`] components.
    #[error("the repository name has more than 16 parts between slashes")]
    TooDeep,
    /// A component does not follow the grammar.
    #[error(
        "each part of a repository name must be lower-case letters and digits, joined by '.', '_', '__' or dashes"
    )]
    Component,
}

/// A repository name: one or more components of the specification's grammar
/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, joined by `/`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(Box<str>);

impl RepositoryName {
    /// The whole name as it stands in a path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The namespace that owns the name: its first segment, or [`LIBRARY`] for a name of one segment.
    pub fn namespace(&self) -> &str {
        self.0.split_once('/').map_or(LIBRARY, |(first, _)| first)
    }

    /// What stands below the namespace: `b/c` of `a/b/c`, `centos` of `centos`.
    pub fn below_namespace(&self) -> &str {
        self.0.split_once('/').map_or(&*self.0, |(_, rest)| rest)
    }
}

/// Whether `text` is one component of a repository name.
pub fn is_component(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if !is_word(*first) || !is_word(*last) {
        return false;
    }
    // Between words stands one separator: '.', '_', '__' or any number of '-'.
    bytes.split(|b| is_word(*b)).all(|separator| match separator {
        b"" | b"." | b"_" | b"__" => true,
        dashes => dashes.iter().all(|b| *b == b'-'),
    })
}

impl FromStr for RepositoryName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(InvalidName::Empty);
        }
        if text.len() > MAX_NAME_LENGTH {
            return Err(InvalidName::TooLong);
        }
        let mut components = 0;
        for component in text.split('/') {
            components += 1;
            if components > MAX_COMPONENTS {
                return Err(InvalidName::TooDeep);
            }
            if !is_component(component) {
                return Err(InvalidName::Component);
            }
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::text::debug_as_text!(RepositoryName);
super::text::serialise_as_text!(RepositoryName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_grammar_are_accepted() {
        for name in [
            "centos",
            "a/b",
            "a/b/c/d/e",
            "a-b",
            "a--b",
            "a---b/c",
            "a.b_c__d-e/0",
            "0/1",
        ] {
            assert_eq!(
                name.parse::<RepositoryName>().map(|n| n.to_string()),
                Ok(name.to_owned())
            );
        }
        assert!(
            "a/".repeat(15)
                .trim_end_matches('/')
                .parse::<RepositoryName>()
                .is_ok()
        );
        assert!("a".repeat(255).parse::<RepositoryName>().is_ok());
    }

    #[test]
    fn names_outside_the_grammar_are_refused() {
        use InvalidName::{Component, Empty, TooDeep, TooLong};
        let long = "a".repeat(256);
        let deep = vec!["a"; 17].join("/");
        for (name, reason) in [
            ("", Empty),
            (long.as_str(), TooLong),
            (deep.as_str(), TooDeep),
            ("A/b", Component),
            ("a//b", Component),
            ("/a", Component),
            ("a/", Component),
            ("a/../b", Component),
            ("..", Component),
            ("a..b", Component),
            ("a___b", Component),
            ("a.-b", Component),
            ("-a", Component),
            ("a-", Component),
            ("_uploads", Component),
            ("a/_manifests/b", Component),
            ("ä/b", Component),
            ("a b", Component),
            ("a%2fb", Component),
            ("a:b", Component),
        ] {
            assert_eq!(name.parse::<RepositoryName>(), Err(reason), "{name}");
        }
    }

    #[test]
    fn a_name_of_one_segment_belongs_to_library_and_keeps_its_name() {
        let centos: RepositoryName = "centos".parse().unwrap();
        assert_eq!(
            (centos.namespace(), centos.below_namespace(), centos.as_str()),
            ("library", "centos", "centos")
        );
        let deep: RepositoryName = "team/app/web".parse().unwrap();
        assert_eq!((deep.namespace(), deep.below_namespace()), ("team", "app/web"));
    }

    proptest::proptest! {
        #[test]
        fn the_grammar_agrees_with_the_specification(text in "[a-c_.-]{0,8}") {
            // The oracle walks the regular expression by hand: word (separator word)*.
            fn oracle(s: &str) -> bool {
                let word = |s: &str| s.bytes().take_while(u8::is_ascii_lowercase).count();
                let mut rest = s;
                loop {
                    let n = word(rest);
                    if n == 0 { return false; }
                    rest = &rest[n..];
                    if rest.is_empty() { return true; }
                    let skip = if rest.starts_with("__") { 2 }
                        else if rest.starts_with(['.', '_']) { 1 }
                        else { rest.bytes().take_while(|b| *b == b'-').count() };
                    rest = &rest[skip..];
                }
            }
            proptest::prop_assert_eq!(is_component(&text), oracle(&text));
        }
    }
}
