//! A configuration as it was written: every value knows where it stands.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::scalar::{self, Resolved};

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In a file.
    Line {
        /// The file, as it was named.
        file: Arc<str>,
        /// The line, from 1.
        line: usize,
    },
    /// In the variable of this name.
    Variable(Arc<str>),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(f, "{file}:{line}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// Where it stands.
    pub origin: Origin,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing, `~` or `null`.
    Null,
    /// One word or text.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of writing. A key that is written twice stands twice until [`Node::settle`].
    Map(Vec<(String, Node)>),
}

/// A word or text. What it means depends on who reads it: `010` is 8 as a number and `010` as a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    text: String,
    is_plain: bool,
}

impl Scalar {
    /// `is_plain`: written without quotes.
    pub fn new(text: impl Into<String>, is_plain: bool) -> Self {
        let text = text.into();
        Self { text, is_plain }
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As what YAML 1.1 understands it.
    pub fn resolved(&self) -> Resolved {
        if self.is_plain {
            scalar::resolve(&self.text)
        } else {
            Resolved::Text
        }
    }
}

impl Node {
    /// Nothing, standing at `origin`.
    pub fn null(origin: Origin) -> Self {
        let content = Content::Null;
        Self { content, origin }
    }

    /// A text, standing at `origin`.
    pub fn text(text: impl Into<String>, origin: Origin) -> Self {
        let content = Content::Scalar(Scalar::new(text, false));
        Self { content, origin }
    }

    /// Whether nothing is written.
    pub fn is_null(&self) -> bool {
        self.content == Content::Null
    }

    /// The value of a key; of a key that is written twice the last.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, node)| node)
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[(String, Self)] {
        match &self.content {
            Content::Map(entries) => entries,
            _ => &[],
        }
    }

    /// What it is, for a message that must not tell the value.
    pub fn kind(&self) -> &'static str {
        match &self.content {
            Content::Null => "nothing",
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
            Content::Scalar(scalar) => match scalar.resolved() {
                Resolved::Bool(_) => "true or false",
                Resolved::Integer(_) | Resolved::Float(_) => "a number",
                Resolved::Text | Resolved::Null => "a text",
            },
        }
    }

    /// Makes each key stand once. Where `merges` says so of the path, two maps of one key become one, as Go's parser fills
    /// one structure twice; everywhere else the last wins. `twice` is told of each path with the origin that counted last.
    pub fn settle(
        &mut self,
        path: &str,
        merges: &dyn Fn(&str) -> bool,
        twice: &mut dyn FnMut(&str, &Origin),
    ) {
        match &mut self.content {
            Content::Map(entries) => {
                let mut settled: Vec<(String, Self)> = Vec::with_capacity(entries.len());
                for (key, node) in entries.drain(..) {
                    let path = join(path, &key);
                    let Some((_, earlier)) = settled.iter_mut().find(|(known, _)| *known == key) else {
                        settled.push((key, node));
                        continue;
                    };
                    twice(&path, &node.origin);
                    match (&mut earlier.content, node) {
                        (
                            Content::Map(into),
                            Self {
                                content: Content::Map(more),
                                ..
                            },
                        ) if merges(&path) => into.extend(more),
                        (_, node) => *earlier = node,
                    }
                }
                for (key, node) in &mut settled {
                    node.settle(&join(path, key), merges, twice);
                }
                *entries = settled;
            }
            Content::List(items) => {
                for (index, node) in items.iter_mut().enumerate() {
                    node.settle(&format!("{path}[{index}]"), merges, twice);
                }
            }
            Content::Null | Content::Scalar(_) => {}
        }
    }

    /// As JSON: numbers and booleans as YAML 1.1 means them, the last of equal keys.
    pub fn to_value(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::List(items) => items.iter().map(Self::to_value).collect(),
            Content::Map(entries) => {
                let entries = entries.iter().map(|(key, node)| (key.clone(), node.to_value()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
            Content::Scalar(scalar) => match scalar.resolved() {
                Resolved::Null => Value::Null,
                Resolved::Bool(value) => value.into(),
                Resolved::Integer(value) => number(value).unwrap_or_else(|| scalar.text().into()),
                Resolved::Float(value) => {
                    Number::from_f64(value).map_or_else(|| scalar.text().into(), Value::Number)
                }
                Resolved::Text => scalar.text().into(),
            },
        }
    }
}

fn number(value: i128) -> Option<Value> {
    let signed = i64::try_from(value).ok().map(Value::from);
    signed.or_else(|| u64::try_from(value).ok().map(Value::from))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
