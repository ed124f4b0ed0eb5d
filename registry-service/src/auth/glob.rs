//! Patterns of names: `*` is any text within a part, `**` any text, `?` one character within a part.

use std::fmt;
use std::str::FromStr;

/// Longest pattern in bytes.
const MAX_PATTERN: usize = 512;

/// A pattern of repository or account names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(Box<[Step]>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Byte(u8),
    OneOfPart,
    AnyOfPart,
    Any,
}

/// Not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a pattern is 1 to {MAX_PATTERN} bytes")]
pub struct InvalidGlob;

impl FromStr for Glob {
    type Err = InvalidGlob;

    fn from_str(text: &str) -> Result<Self, InvalidGlob> {
        if text.is_empty() || text.len() > MAX_PATTERN {
            return Err(InvalidGlob);
        }
        let mut steps: Vec<Step> = Vec::with_capacity(text.len());
        for byte in text.bytes() {
            match (byte, steps.last_mut()) {
                // Two stars are one that crosses slashes; more are no more than that.
                (b'*', Some(last @ (Step::AnyOfPart | Step::Any))) => *last = Step::Any,
                (b'*', _) => steps.push(Step::AnyOfPart),
                (b'?', _) => steps.push(Step::OneOfPart),
                (byte, _) => steps.push(Step::Byte(byte)),
            }
        }
        Ok(Self(steps.into()))
    }
}

impl Glob {
    /// Whether the whole name has this form. Takes steps of the pattern times bytes of the name, whatever they are.
    pub fn matches(&self, name: &str) -> bool {
        // Which steps may come next, one set for each byte that was read.
        let mut open = vec![false; self.0.len() + 1];
        open[0] = true;
        self.skip_stars(&mut open);
        for byte in name.bytes() {
            let mut next = vec![false; open.len()];
            for (at, step) in self.0.iter().enumerate().filter(|(at, _)| open[*at]) {
                match step {
                    Step::Byte(own) if *own == byte => next[at + 1] = true,
                    Step::OneOfPart if byte != b'/' => next[at + 1] = true,
                    Step::AnyOfPart if byte != b'/' => next[at] = true,
                    Step::Any => next[at] = true,
                    _ => {}
                }
            }
            self.skip_stars(&mut next);
            open = next;
        }
        open.last().is_some_and(|end| *end)
    }

    fn skip_stars(&self, open: &mut [bool]) {
        for (at, step) in self.0.iter().enumerate() {
            if open[at] && matches!(step, Step::AnyOfPart | Step::Any) {
                open[at + 1] = true;
            }
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: Vec<u8> = self
            .0
            .iter()
            .flat_map(|step| match step {
                Step::Byte(byte) => vec![*byte],
                Step::OneOfPart => b"?".to_vec(),
                Step::AnyOfPart => b"*".to_vec(),
                Step::Any => b"**".to_vec(),
            })
            .collect();
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_in_its_part_and_two_do_not() {
        for (pattern, good, bad) in [
            ("a/b", vec!["a/b"], vec!["a", "a/b/c", "a/bb", "xa/b"]),
            ("a/*", vec!["a/b", "a/bcd"], vec!["a", "a/b/c", "b/a"]),
            ("a/**", vec!["a/b", "a/b/c"], vec!["a", "ab"]),
            ("**", vec!["a", "a/b/c"], vec![]),
            ("*", vec!["a", "abc"], vec!["a/b"]),
            ("*/*", vec!["a/b"], vec!["a", "a/b/c"]),
            ("a?c", vec!["abc"], vec!["ac", "a/c", "abbc"]),
            (
                "**/cache",
                vec!["a/cache", "a/b/cache"],
                vec!["cache", "a/cache/b"],
            ),
            ("a*b*c", vec!["abc", "axxbxxc", "abbcc"], vec!["ab", "a/bc"]),
            ("team-*/**", vec!["team-a/b/c"], vec!["team-a", "teama/b"]),
        ] {
            let glob: Glob = pattern.parse().unwrap();
            for name in good {
                assert!(glob.matches(name), "{pattern} {name}");
            }
            for name in bad {
                assert!(!glob.matches(name), "{pattern} {name}");
            }
            assert_eq!(glob.to_string(), pattern);
        }
        assert!("".parse::<Glob>().is_err());
        assert!("a".repeat(MAX_PATTERN + 1).parse::<Glob>().is_err());
    }

    #[test]
    fn a_pattern_of_many_stars_is_no_more_work_than_its_length_times_the_names() {
        let pattern: Glob = "*a".repeat(100).parse().unwrap();
        assert!(!pattern.matches(&("a".repeat(254) + "b")));
    }
}
