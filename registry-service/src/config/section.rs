//! Reading typed values by their full paths. What has the wrong type was named as a fault before
//! ([`Shape::check`](super::shape::Shape::check)); here it reads as its default.

use std::time::Duration;

use shared::runtime::config::{Content, Faults, GoDuration, Node};

use super::key::Key;
use super::shape::{self, Shape};

/// The tree, or a part of it.
#[derive(Clone)]
pub(super) struct Section<'a> {
    shape: &'a Shape,
    node: &'a Node,
    /// The full path of the part; empty for the whole.
    path: String,
}

impl<'a> Section<'a> {
    pub(super) fn root(shape: &'a Shape, node: &'a Node) -> Self {
        let path = String::new();
        Self { shape, node, path }
    }

    /// The full path of a key that is named from here.
    pub(super) fn full(&self, path: &str) -> String {
        shape::join(&self.path, path)
    }

    /// What stands at a path; `null` is nothing.
    pub(super) fn get(&self, path: &str) -> Option<&'a Node> {
        let mut node = self.node;
        for name in path.split('.') {
            node = node.get(name)?;
        }
        Some(node).filter(|node| !node.is_null())
    }

    /// Whether anything stands at a path, be it an empty map.
    pub(super) fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// The names of the keys in a map; none when there is no map.
    pub(super) fn names(&self, path: &str) -> Vec<&'a str> {
        let entries = self.get(path).map(Node::entries).unwrap_or_default();
        entries.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The items of a list; none when there is no list.
    pub(super) fn items(&self, path: &str) -> Vec<Self> {
        let Some(Node {
            content: Content::List(items),
            ..
        }) = self.get(path)
        else {
            return Vec::new();
        };
        let item = |(index, node)| Self {
            shape: self.shape,
            node,
            path: format!("{}[{index}]", self.full(path)),
        };
        items.iter().enumerate().map(item).collect()
    }

    /// A text, or its default.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let written = self.get(path).and_then(shape::scalar_text);
        written.or_else(|| self.default(path)).map(str::to_owned)
    }

    /// A text that is not empty, or its default.
    pub(super) fn word(&self, path: &str) -> Option<String> {
        self.text(path).filter(|text| !text.is_empty())
    }

    /// A text that is not empty, or a fault.
    pub(super) fn required(&self, faults: &mut Faults, path: &str) -> String {
        self.word(path).unwrap_or_else(|| {
            let is_empty = self
                .get(path)
                .is_none_or(|node| shape::scalar_text(node).is_some());
            if is_empty {
                faults.push(self.full(path), "a text that is not empty", "nothing");
            }
            String::new()
        })
    }

    /// A switch, or its default, or off.
    pub(super) fn switch(&self, path: &str) -> bool {
        let written = self.get(path).and_then(shape::switch);
        written.unwrap_or_else(|| self.default(path) == Some("true"))
    }

    /// A duration, or its default, or no time.
    pub(super) fn duration(&self, path: &str) -> Duration {
        let written = self.get(path).and_then(shape::duration);
        written.unwrap_or_else(|| {
            let default = self
                .default(path)
                .and_then(|text| text.parse::<GoDuration>().ok());
            default.unwrap_or_default().0
        })
    }

    /// A whole number, or its default.
    pub(super) fn integer(&self, path: &str) -> Option<i64> {
        let written = self.get(path).and_then(shape::integer);
        written.or_else(|| self.default(path)?.parse().ok())
    }

    /// A whole number from zero, or its default, or zero.
    pub(super) fn count(&self, path: &str) -> usize {
        let number = self.integer(path).unwrap_or_default();
        usize::try_from(number).unwrap_or_default()
    }

    /// A list of texts; empty when nothing is written.
    pub(super) fn texts(&self, path: &str) -> Vec<String> {
        self.get(path).and_then(shape::texts).unwrap_or_default()
    }

    /// A fault of the value at a path; what is found there is told with its place, unless it is secret.
    pub(super) fn refuse(&self, faults: &mut Faults, path: &str, expected: impl Into<String>) {
        let full = self.full(path);
        let found = match (self.get(path), self.key(path)) {
            (None, _) => "nothing".to_owned(),
            (Some(node), Some(key)) => shape::found(key, node),
            (Some(node), None) => format!("{} ({})", node.kind(), node.origin),
        };
        faults.push(full, expected, found);
    }

    fn key(&self, path: &str) -> Option<&'static Key> {
        self.shape.find(&self.full(path))?.key
    }

    fn default(&self, path: &str) -> Option<&'static str> {
        let key = self.key(path);
        debug_assert!(key.is_some(), "{} is in no table of keys", self.full(path));
        key?.written_default()
    }
}
