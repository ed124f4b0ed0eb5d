//! YAML text into a tree of [`Node`]s.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use super::node::{Content, Node, Origin, Scalar};
use super::scalar::Resolved;

/// Most values of one text, copies through aliases included: a few lines can otherwise stand for billions.
const MAX_NODES: usize = 200_000;
/// Deepest nesting.
const MAX_DEPTH: usize = 64;

/// Where the text stands.
pub(super) enum Place {
    File(Arc<str>),
    Variable(Arc<str>),
}

/// Reads the first document; `None` when there is none. An error names line and column.
pub(super) fn read(text: &str, place: &Place) -> Result<Option<Node>, String> {
    let mut tree = Tree {
        place,
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        root: None,
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        let origin = tree.origin(span.start.line());
        tree.take(event, origin)
            .map_err(|message| format!("{message} in line {}", span.start.line()))?;
        if tree.root.is_some() {
            break;
        }
    }
    Ok(tree.root)
}

struct Tree<'a> {
    place: &'a Place,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
}

/// A list or map that has not ended.
struct Open {
    origin: Origin,
    anchor: usize,
    /// Values in it so far.
    began: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map {
        entries: Vec<(String, Node)>,
        /// What `<<` brought: it yields to what is written here.
        merged: Vec<(String, Node)>,
        key: Option<Key>,
    },
}

enum Key {
    Name(String),
    Merge,
}

impl Tree<'_> {
    fn origin(&self, line: usize) -> Origin {
        match self.place {
            Place::File(file) => Origin::Line {
                file: Arc::clone(file),
                line,
            },
            Place::Variable(name) => Origin::Variable(Arc::clone(name)),
        }
    }

    fn take(&mut self, event: Event<'_>, origin: Origin) -> Result<(), &'static str> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1)?;
                let content = scalar(text.into_owned(), style, tag.as_deref());
                let node = Node { content, origin };
                self.remember(anchor, &node, 1);
                let is_plain = style == ScalarStyle::Plain;
                self.put(node, is_plain)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(origin, anchor, OpenKind::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                let kind = OpenKind::Map {
                    entries: Vec::new(),
                    merged: Vec::new(),
                    key: None,
                };
                self.begin(origin, anchor, kind)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let Some((node, nodes)) = self.anchors.get(&anchor).cloned() else {
                    return Err("an alias stands within what it names");
                };
                self.count(nodes)?;
                self.put(node, false)
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), &'static str> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err("more values than a configuration can have");
        }
        Ok(())
    }

    fn remember(&mut self, anchor: usize, node: &Node, nodes: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), nodes));
        }
    }

    fn begin(&mut self, origin: Origin, anchor: usize, kind: OpenKind) -> Result<(), &'static str> {
        self.count(1)?;
        if self.open.len() >= MAX_DEPTH {
            return Err("nested deeper than a configuration can be");
        }
        let began = self.nodes;
        self.open.push(Open {
            origin,
            anchor,
            began,
            kind,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), &'static str> {
        let Some(Open {
            origin,
            anchor,
            began,
            kind,
        }) = self.open.pop()
        else {
            return Ok(());
        };
        let content = match kind {
            OpenKind::List(items) => Content::List(items),
            OpenKind::Map {
                mut entries, merged, ..
            } => {
                for (key, node) in merged {
                    if !entries.iter().any(|(known, _)| *known == key) {
                        entries.push((key, node));
                    }
                }
                Content::Map(entries)
            }
        };
        let node = Node { content, origin };
        let nodes = self.nodes - began + 1;
        self.remember(anchor, &node, nodes);
        self.put(node, false)
    }

    /// Puts a whole value where it belongs.
    fn put(&mut self, node: Node, is_plain: bool) -> Result<(), &'static str> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.kind {
            OpenKind::List(items) => items.push(node),
            OpenKind::Map { key: slot, .. } if slot.is_none() => {
                *slot = Some(match node.content {
                    Content::Scalar(scalar) if is_plain && scalar.text() == "<<" => Key::Merge,
                    Content::Scalar(scalar) => Key::Name(scalar.text().to_owned()),
                    Content::Null => Key::Name(String::new()),
                    Content::List(_) | Content::Map(_) => return Err("a key is a list or map"),
                });
            }
            OpenKind::Map {
                entries, merged, key, ..
            } => match key.take() {
                Some(Key::Name(name)) => entries.push((name, node)),
                Some(Key::Merge) => merge(merged, node)?,
                None => {}
            },
        }
        Ok(())
    }
}

/// `<<: map` or `<<: [map, map]`: of two the first wins.
fn merge(merged: &mut Vec<(String, Node)>, node: Node) -> Result<(), &'static str> {
    let maps = match node.content {
        Content::List(items) => items,
        _ => vec![node],
    };
    for map in maps {
        let Content::Map(entries) = map.content else {
            return Err("what << merges is no map");
        };
        for (key, node) in entries {
            if !merged.iter().any(|(known, _)| *known == key) {
                merged.push((key, node));
            }
        }
    }
    Ok(())
}

fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Content {
    let suffix = tag.and_then(Tag::core_suffix);
    let is_plain = match suffix {
        Some("str") => false,
        Some("null") => return Content::Null,
        // A type that is said outright is read as if without quotes.
        Some(_) => true,
        None => style == ScalarStyle::Plain,
    };
    let scalar = Scalar::new(text, is_plain);
    if scalar.resolved() == Resolved::Null {
        Content::Null
    } else {
        Content::Scalar(scalar)
    }
}
