//! Regular expressions as Go has them (RE2): what they match, and how long that takes, is the same here.

use regex::{Regex, RegexBuilder};

/// Most bytes that one compiled expression takes.
const SIZE: usize = 1 << 20;

/// An expression that is looked for anywhere in a text.
#[derive(Debug, Clone)]
pub struct Expression(Regex);

/// The text is no expression, or one that Go reads otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidExpression(String);

impl Expression {
    /// Reads an expression; the time to match it is linear in the text.
    pub fn parse(text: &str) -> Result<Self, InvalidExpression> {
        if let Some(what) = reads_otherwise(text) {
            return Err(InvalidExpression(what.to_owned()));
        }
        let built = RegexBuilder::new(text).size_limit(SIZE).build();
        // The parser draws the expression over several lines; the last says what is wrong.
        let reason = |error: regex::Error| error.to_string().lines().last().unwrap_or_default().to_owned();
        built.map(Self).map_err(|error| InvalidExpression(reason(error)))
    }

    /// Whether it matches a part of `text`, which is ASCII.
    pub fn finds(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// What Go takes for characters of a class is an operation on classes here.
fn reads_otherwise(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let (mut at, mut class) = (0, None);
    while at < bytes.len() {
        let rest = &bytes[at..];
        match (class, rest) {
            (_, [b'\\', ..]) => at += 1,
            (None, [b'[', ..]) => {
                // A bracket right at the beginning is a character.
                let skipped = usize::from(rest.get(1) == Some(&b'^'));
                class = Some(at);
                at += skipped + usize::from(rest.get(1 + skipped) == Some(&b']'));
            }
            (Some(_), [b'[', b':', ..]) => {
                let end = rest.windows(2).position(|pair| pair == b":]");
                at += end.map_or(0, |end| end + 1);
            }
            (Some(_), [b'[', ..]) => return Some("write \\[ in a class of characters"),
            (Some(_), [b'&', b'&', ..] | [b'-', b'-', ..] | [b'~', b'~', ..]) => {
                return Some("write \\&, \\- and \\~ in a class of characters");
            }
            (Some(_), [b']', ..]) => class = None,
            _ => {}
        }
        at += 1;
    }
    None
}
