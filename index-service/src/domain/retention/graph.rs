//! What leads to what in a repository: tags to manifests, indexes to their manifests, subjects to what refers to them.

use std::collections::{BTreeSet, HashMap, HashSet};

/// A manifest, as far as others depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// Of an index: its manifests.
    pub children: Vec<String>,
    /// The manifest that it refers to.
    pub subject: Option<String>,
    /// Since when nothing can have led to it but what leads to it now, in milliseconds since 1970.
    pub idle_since: i64,
}

/// The manifests of a repository by their digests.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: HashMap<String, Node>,
    referrers: HashMap<String, Vec<String>>,
}

impl Graph {
    /// Adds a manifest.
    pub fn add(&mut self, digest: String, node: Node) {
        if let Some(subject) = &node.subject {
            self.referrers
                .entry(subject.clone())
                .or_default()
                .push(digest.clone());
        }
        self.nodes.insert(digest, node);
    }

    /// A manifest.
    pub fn get(&self, digest: &str) -> Option<&Node> {
        self.nodes.get(digest)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What stays as long as these do: they themselves, manifests of an index, and what refers to any of them.
    pub fn reach<'a>(&'a self, roots: impl IntoIterator<Item = &'a str>) -> HashSet<&'a str> {
        let mut reached = HashSet::new();
        let mut waiting: Vec<&str> = roots.into_iter().collect();
        while let Some(digest) = waiting.pop() {
            if !reached.insert(digest) {
                continue;
            }
            if let Some(node) = self.nodes.get(digest) {
                waiting.extend(node.children.iter().map(String::as_str));
            }
            if let Some(referrers) = self.referrers.get(digest) {
                waiting.extend(referrers.iter().map(String::as_str));
            }
        }
        reached
    }

    /// Of `candidates` those that nothing leads to which stays: neither `roots` (what tags point to, and what is to be
    /// restorable) nor any manifest that is no candidate. In an order in which an index goes before its manifests.
    pub fn loose(&self, candidates: &BTreeSet<String>, roots: &[String]) -> Vec<String> {
        let staying = self
            .nodes
            .keys()
            .filter(|digest| !candidates.contains(*digest))
            .chain(roots)
            .map(String::as_str);
        let kept = self.reach(staying);
        let mut loose: Vec<&String> = candidates
            .iter()
            .filter(|digest| self.nodes.contains_key(*digest) && !kept.contains(digest.as_str()))
            .collect();
        loose.sort_by_key(|digest| {
            let node = self.nodes.get(*digest);
            node.is_none_or(|node| node.children.is_empty())
        });
        loose.into_iter().cloned().collect()
    }

    /// The manifests that neither `roots` nor a younger manifest lead to, and that nothing has led to since `before_ms`.
    pub fn untagged(&self, roots: &[String], before_ms: i64) -> Vec<String> {
        let kept = self.reach(roots.iter().map(String::as_str));
        let candidates: BTreeSet<String> = self
            .nodes
            .iter()
            .filter(|(digest, node)| !kept.contains(digest.as_str()) && node.idle_since <= before_ms)
            .map(|(digest, _)| digest.clone())
            .collect();
        self.loose(&candidates, roots)
    }
}

/// The manifest whose signature, attestation or list of referrers a tag is by its name: `sha256-<digits>`, as the
/// distribution-spec's fallback and cosign have it, with whatever ending.
pub fn subject_of_tag(tag: &str) -> Option<String> {
    let rest = tag.strip_prefix("sha256-")?;
    let digits = rest.get(..64)?;
    let is_digest = digits
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let is_whole = rest.len() == 64 || rest[64..].starts_with('.');
    (is_digest && is_whole).then(|| format!("sha256:{digits}"))
}
