//! What holds after all, and where each value came from.

use std::fmt;

use shared::runtime::config::{Content, Node};

use super::key::{Key, Standing};
use super::shape::{Shape, join, without_password};

/// A key that holds a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its full path.
    pub path: String,
    /// The value as YAML in one line; a secret is hidden.
    pub text: String,
    /// The default, a file and line, or a variable.
    pub origin: String,
    /// Whether this version acts on it.
    pub acts: bool,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle = if self.acts {
            ""
        } else {
            "; without effect in this version"
        };
        write!(f, "{}: {}  # {}{idle}", self.path, self.text, self.origin)
    }
}

pub(super) fn values(shape: &Shape, tree: &Node) -> Vec<Value> {
    let mut values = Vec::new();
    walk(shape, Some(tree), "", false, &mut values);
    values
}

/// `is_secret`: below a key that hides all it holds.
fn walk(shape: &Shape, node: Option<&Node>, path: &str, is_secret: bool, values: &mut Vec<Value>) {
    let node = node.filter(|node| !node.is_null());
    let leaf = shape.key.filter(|key| !key.kind.is_map());
    if let Some(key) = leaf {
        values.extend(value(key, node, path, is_secret));
        return;
    }
    for name in shape.names() {
        let below = node.and_then(|node| node.get(name));
        // A driver, method or section that nobody has chosen has no defaults.
        if below.is_none_or(Node::is_null) && is_choice(path, name) {
            continue;
        }
        if let Some(shape) = shape.named(name) {
            walk(shape, below, &join(path, name), is_secret, values);
        }
    }
    let Some(node) = node else { return };
    if let Some(item) = shape.item()
        && let Content::List(items) = &node.content
    {
        for (index, node) in items.iter().enumerate() {
            walk(item, Some(node), &format!("{path}[{index}]"), is_secret, values);
        }
    }
    for (name, node) in node.entries() {
        if !shape.names().any(|known| known == name)
            && let Some(shape) = shape.named(name)
        {
            walk(shape, Some(node), &join(path, name), is_secret, values);
        }
    }
}

fn is_choice(path: &str, name: &str) -> bool {
    match path {
        "" => ["redis", "proxy", "notifications", "middleware", "compatibility"].contains(&name),
        "storage" => ["filesystem", "s3", "azure", "gcs"].contains(&name),
        "auth" => true,
        _ => false,
    }
}

fn value(key: &Key, node: Option<&Node>, path: &str, is_secret: bool) -> Option<Value> {
    let is_secret = is_secret || key.kind.is_secret();
    let acts = !matches!(key.standing, Standing::NotYet);
    let (text, origin) = match node {
        Some(_) if is_secret => ("(hidden)".to_owned(), node?.origin.to_string()),
        Some(node) => {
            let text = node.to_value().to_string();
            (without_password(&text).into_owned(), node.origin.to_string())
        }
        None if acts => (key.written_default()?.to_owned(), "default".to_owned()),
        None => return None,
    };
    Some(Value {
        path: path.to_owned(),
        text,
        origin,
        acts,
    })
}
