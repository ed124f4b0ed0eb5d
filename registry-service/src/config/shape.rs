//! All keys as one tree, and how a tree of values is held against it.

use std::borrow::Cow;

use shared::runtime::config::{ByteSize, Content, Faults, GoDuration, Node, Resolved};

use super::key::{Key, Kind, Standing};

/// One place of the tree: `*` is any key of a map, `[]` any item of a list.
#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) key: Option<&'static Key>,
    below: Vec<(&'static str, Self)>,
}

/// What there is beside faults.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    /// Keys that nobody knows, by their full paths; a section once.
    pub(super) unknown: Vec<String>,
    /// Keys that are set and have no effect in this version.
    pub(super) not_yet: Vec<String>,
}

impl Shape {
    pub(super) fn of(tables: &[&'static [Key]]) -> Self {
        let mut root = Self::default();
        for key in tables.iter().copied().flatten() {
            let mut at = &mut root;
            for step in steps(key.path) {
                let index = at.below.iter().position(|(name, _)| *name == step);
                let index = index.unwrap_or_else(|| {
                    at.below.push((step, Self::default()));
                    at.below.len() - 1
                });
                at = &mut at.below[index].1;
            }
            at.key = Some(key);
        }
        root
    }

    /// The place below, by the name of a key of a map.
    pub(super) fn named(&self, name: &str) -> Option<&Self> {
        self.below(name).or_else(|| self.below("*"))
    }

    /// The place of an item of a list.
    pub(super) fn item(&self) -> Option<&Self> {
        self.below("[]")
    }

    /// The names of keys that are known here.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let names = self.below.iter().map(|(name, _)| *name);
        names.filter(|name| !matches!(*name, "*" | "[]"))
    }

    /// Whether any key may stand here, as in one of Go's maps.
    pub(super) fn is_open(&self) -> bool {
        let is_free = self.key.is_some_and(|key| {
            matches!(
                key.kind,
                Kind::Any | Kind::AnySecret | Kind::Headers | Kind::SecretHeaders | Kind::Map
            )
        });
        is_free || self.below("*").is_some()
    }

    /// Whether a list of texts stands here.
    pub(super) fn is_list(&self) -> bool {
        self.key.is_some_and(|key| key.kind == Kind::Texts)
    }

    fn below(&self, name: &str) -> Option<&Self> {
        let found = self.below.iter().find(|(known, _)| *known == name);
        found.map(|(_, shape)| shape)
    }

    /// The place of a full path, such as `health.file[0].interval`.
    pub(super) fn find(&self, path: &str) -> Option<&Self> {
        let mut at = self;
        for step in steps(path) {
            at = if step.starts_with('[') {
                at.item()?
            } else {
                at.named(step)?
            };
        }
        Some(at)
    }

    /// Holds `node` against this place.
    pub(super) fn check(&self, faults: &mut Faults, remarks: &mut Remarks, node: &Node, path: &str) {
        if node.is_null() {
            return;
        }
        if let Some(key) = self.key {
            match key.standing {
                Standing::Stops => {
                    faults.push(
                        path,
                        "to be absent: this version has no such thing",
                        found(key, node),
                    );
                }
                Standing::NotYet if !key.kind.is_map() => remarks.not_yet.push(path.to_owned()),
                _ => {}
            }
            if let Some(expected) = misfit(key.kind, node) {
                faults.push(path, expected, found(key, node));
                return;
            }
        }
        if self.key.is_some_and(|key| !key.kind.is_map()) && self.below.is_empty() {
            return;
        }
        match &node.content {
            Content::Map(entries) => {
                for (name, node) in entries {
                    let path = join(path, name);
                    match self.named(name) {
                        Some(shape) => shape.check(faults, remarks, node, &path),
                        None => remarks.unknown.push(path),
                    }
                }
            }
            Content::List(items) if self.item().is_some() => {
                for (index, node) in items.iter().enumerate() {
                    if let Some(shape) = self.item() {
                        shape.check(faults, remarks, node, &format!("{path}[{index}]"));
                    }
                }
            }
            Content::Scalar(_) | Content::List(_) | Content::Null => {
                let expected = if self.item().is_some() { "a list" } else { "a map" };
                let what = format!("{} ({})", node.kind(), node.origin);
                faults.push(path, expected, what);
            }
        }
    }
}

/// A text in which a URL shows neither account nor password.
pub(super) fn without_password(text: &str) -> Cow<'_, str> {
    let hidden = text.split_once("://").and_then(|(scheme, rest)| {
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        let at = authority.rfind('@')?;
        Some(format!("{scheme}://(hidden)@{}", &rest[at + 1..]))
    });
    hidden.map_or(Cow::Borrowed(text), Cow::Owned)
}

pub(super) fn join(path: &str, name: &str) -> String {
    match (path, name) {
        ("", name) => name.to_owned(),
        (path, "") => path.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

/// `a[].b` in `a`, `[]`, `b`.
pub(super) fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split('.').flat_map(|part| {
        let (name, item) = part.split_at(part.find('[').unwrap_or(part.len()));
        [name, item].into_iter().filter(|step| !step.is_empty())
    })
}

/// What is there, and where; without the value when that is a secret.
pub(super) fn found(key: &Key, node: &Node) -> String {
    let origin = &node.origin;
    match &node.content {
        Content::Scalar(scalar) if !key.kind.is_secret() => {
            format!("{:?} ({origin})", without_password(scalar.text()))
        }
        _ => format!("{} ({origin})", node.kind()),
    }
}

/// What belongs where `node` does not fit.
fn misfit(kind: Kind, node: &Node) -> Option<String> {
    let (fits, expected) = match kind {
        Kind::Any | Kind::AnySecret => (true, ""),
        Kind::Section | Kind::Map => (matches!(node.content, Content::Map(_)), "a map"),
        Kind::Text | Kind::Secret => (scalar_text(node).is_some(), "a text"),
        Kind::Switch => (switch(node).is_some(), "true or false"),
        Kind::Integer => (integer(node).is_some(), "a whole number"),
        Kind::Count => (
            integer(node).is_some_and(|n| u64::try_from(n).is_ok()),
            "a whole number, 0 or more",
        ),
        Kind::Duration => (duration(node).is_some(), "a duration such as 30s"),
        Kind::DurationText => (
            resolved(node) == Some(Resolved::Text) && duration(node).is_some(),
            "a duration as a text, such as 168h",
        ),
        Kind::Size => (
            scalar_text(node).is_some_and(|text| text.parse::<ByteSize>().is_ok()),
            "a size such as 10GiB",
        ),
        Kind::OneOf(words) => {
            let fits = scalar_text(node).is_some_and(|text| words.contains(&text));
            return (!fits).then(|| format!("one of {}", words.join(", ")));
        }
        Kind::Texts => (texts(node).is_some(), "a list of texts"),
        Kind::Headers | Kind::SecretHeaders => {
            let fits = matches!(node.content, Content::Map(_))
                && node
                    .entries()
                    .iter()
                    .all(|(_, values)| values.is_null() || texts(values).is_some());
            (fits, "a map from header names to lists of texts")
        }
    };
    (!fits).then(|| expected.to_owned())
}

/// A scalar as it is written.
pub(super) fn scalar_text(node: &Node) -> Option<&str> {
    match &node.content {
        Content::Scalar(scalar) => Some(scalar.text()),
        _ => None,
    }
}

fn resolved(node: &Node) -> Option<Resolved> {
    match &node.content {
        Content::Scalar(scalar) => Some(scalar.resolved()),
        _ => None,
    }
}

pub(super) fn switch(node: &Node) -> Option<bool> {
    match (resolved(node)?, scalar_text(node)?) {
        (Resolved::Bool(value), _) => Some(value),
        (Resolved::Text, "true") => Some(true),
        (Resolved::Text, "false") => Some(false),
        _ => None,
    }
}

pub(super) fn integer(node: &Node) -> Option<i64> {
    match resolved(node)? {
        Resolved::Integer(value) => value.try_into().ok(),
        Resolved::Text => scalar_text(node)?.parse().ok(),
        _ => None,
    }
}

pub(super) fn duration(node: &Node) -> Option<std::time::Duration> {
    match resolved(node)? {
        Resolved::Integer(ns) => u64::try_from(ns).ok().map(std::time::Duration::from_nanos),
        Resolved::Text => scalar_text(node)?.parse::<GoDuration>().ok().map(|found| found.0),
        _ => None,
    }
}

pub(super) fn texts(node: &Node) -> Option<Vec<String>> {
    match &node.content {
        Content::List(items) => items
            .iter()
            .map(|item| scalar_text(item).map(str::to_owned))
            .collect(),
        _ => None,
    }
}
