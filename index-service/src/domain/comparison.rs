//! What differs between two images: layers, settings, names of variables, labels.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::content::{Description, Part, Role};

/// Where a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// In both images.
    Shared,
    /// In the later one alone.
    Added,
    /// In the earlier one alone.
    Removed,
}

/// A layer of either image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerLine {
    /// Where it is.
    pub standing: Standing,
    /// Its digest.
    pub digest: String,
    /// Its size in bytes.
    pub size: i64,
    /// What made it, as the configuration tells.
    pub command: Option<String>,
}

/// A value that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is of.
    pub key: String,
    /// The earlier image's, if it has one.
    pub before: Option<String>,
    /// The later image's, if it has one.
    pub after: Option<String>,
}

/// What differs between two images.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Layers, those that are shared first and in their order.
    pub layers: Vec<LayerLine>,
    /// Bytes of the layers in both, in the later alone, in the earlier alone.
    pub bytes: (i64, i64, i64),
    /// Entrypoint, command, user and the like that differ.
    pub settings: Vec<Difference>,
    /// Names of variables that only one of them has. Values are not kept.
    pub variables: Vec<Difference>,
    /// Labels that differ.
    pub labels: Vec<Difference>,
    /// How many labels and settings are the same.
    pub same: usize,
}

/// Settings that are compared, as a configuration's summary calls them.
const SETTINGS: [&str; 11] = [
    "entrypoint",
    "cmd",
    "working_dir",
    "user",
    "exposed_ports",
    "volumes",
    "stop_signal",
    "os",
    "architecture",
    "variant",
    "author",
];

impl Comparison {
    /// What differs from the earlier image to the later.
    pub fn new(before: &Description, after: &Description) -> Self {
        let mut comparison = Self::default();
        comparison.add_layers(&layers(before), &layers(after));
        let (earlier, later) = (object(before), object(after));
        for key in SETTINGS {
            let (old, new) = (earlier.get(key).map(text), later.get(key).map(text));
            add(&mut comparison.settings, &mut comparison.same, key, old, new);
        }
        let (old, new) = (labels(&earlier), labels(&later));
        for key in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let (was, is) = (old.get(key).cloned(), new.get(key).cloned());
            add(&mut comparison.labels, &mut comparison.same, key, was, is);
        }
        let (old, new) = (names(&earlier), names(&later));
        for key in old.symmetric_difference(&new) {
            let mark = |set: &BTreeSet<String>| set.contains(key).then(|| key.clone());
            comparison.variables.push(Difference {
                key: key.clone(),
                before: mark(&old),
                after: mark(&new),
            });
        }
        comparison
    }

    /// Whether nothing differs that is compared.
    pub fn is_same(&self) -> bool {
        let differs = self.layers.iter().any(|layer| layer.standing != Standing::Shared);
        !differs && self.settings.is_empty() && self.variables.is_empty() && self.labels.is_empty()
    }

    fn add_layers(&mut self, before: &[&Part], after: &[&Part]) {
        let mut lines: [Vec<LayerLine>; 3] = Default::default();
        // A layer that one image has twice is shared as often as the other has it.
        let mut left: BTreeMap<&str, usize> = BTreeMap::new();
        for part in before {
            *left.entry(&part.digest).or_default() += 1;
        }
        for part in after {
            let count = left.get_mut(part.digest.as_str()).filter(|count| **count > 0);
            let standing = match count {
                Some(count) => {
                    *count -= 1;
                    Standing::Shared
                }
                None => Standing::Added,
            };
            lines[usize::from(standing == Standing::Added)].push(line(standing, part));
        }
        for part in before.iter().rev() {
            if let Some(count) = left.get_mut(part.digest.as_str()).filter(|count| **count > 0) {
                *count -= 1;
                lines[2].push(line(Standing::Removed, part));
            }
        }
        lines[2].reverse();
        let sum = |lines: &[LayerLine]| lines.iter().fold(0_i64, |sum, one| sum.saturating_add(one.size));
        self.bytes = (sum(&lines[0]), sum(&lines[1]), sum(&lines[2]));
        self.layers = lines.into_iter().flatten().collect();
    }
}

fn add(to: &mut Vec<Difference>, same: &mut usize, key: &str, before: Option<String>, after: Option<String>) {
    if before == after {
        *same += usize::from(before.is_some());
        return;
    }
    to.push(Difference {
        key: key.to_owned(),
        before,
        after,
    });
}

fn line(standing: Standing, part: &Part) -> LayerLine {
    LayerLine {
        standing,
        digest: part.digest.clone(),
        size: part.size,
        command: part.command.clone(),
    }
}

fn layers(image: &Description) -> Vec<&Part> {
    image
        .parts
        .iter()
        .filter(|part| part.role == Role::Layer)
        .collect()
}

fn object(image: &Description) -> Map<String, Value> {
    let text = image.config.as_deref().unwrap_or_default();
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// A word as it is; a list as JSON, as Dockerfiles have it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn labels(config: &Map<String, Value>) -> BTreeMap<String, String> {
    let labels = config.get("labels").and_then(Value::as_object);
    labels
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), text(value)))
        .collect()
}

fn names(config: &Map<String, Value>) -> BTreeSet<String> {
    let names = config.get("env_names").and_then(Value::as_array);
    names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn image(layers: &[(&str, i64)], config: &Value) -> Description {
        let part = |(digest, size): &(&str, i64)| Part {
            role: Role::Layer,
            digest: (*digest).to_owned(),
            media_type: "application/vnd.oci.image.layer.v1.tar+gzip".to_owned(),
            size: *size,
            platform: None,
            command: Some(format!("ADD {digest}")),
        };
        Description {
            media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            size: 1,
            content_size: Some(1),
            artifact_type: None,
            subject: None,
            platform: None,
            config: Some(config.to_string()),
            annotations: None,
            parts: layers.iter().map(part).collect(),
        }
    }

    #[test]
    fn layers_are_shared_added_or_removed_as_often_as_they_are_there() {
        let before = image(&[("base", 5), ("twice", 1), ("twice", 1), ("old", 7)], &json!({}));
        let after = image(&[("base", 5), ("twice", 1), ("new", 9)], &json!({}));
        let found = Comparison::new(&before, &after);
        let lines: Vec<_> = found
            .layers
            .iter()
            .map(|one| (one.standing, one.digest.as_str()))
            .collect();
        assert_eq!(
            lines,
            [
                (Standing::Shared, "base"),
                (Standing::Shared, "twice"),
                (Standing::Added, "new"),
                (Standing::Removed, "twice"),
                (Standing::Removed, "old"),
            ]
        );
        assert_eq!(found.bytes, (6, 9, 8));
        assert!(!found.is_same());
        assert!(Comparison::new(&before, &before).is_same());
    }

    #[test]
    fn settings_variables_and_labels_are_told_where_they_differ() {
        let before = image(
            &[],
            &json!({"entrypoint": ["/app"], "user": "root", "env_names": ["PATH", "OLD"],
            "labels": {"version": "1", "title": "app", "gone": "x"}}),
        );
        let after = image(
            &[],
            &json!({"entrypoint": ["/app", "-v"], "user": "root", "env_names": ["PATH", "NEW"],
            "labels": {"version": "2", "title": "app"}}),
        );
        let found = Comparison::new(&before, &after);
        let told = |list: &[Difference]| -> Vec<(String, String, String)> {
            let word = |text: &Option<String>| text.clone().unwrap_or_default();
            list.iter()
                .map(|one| (one.key.clone(), word(&one.before), word(&one.after)))
                .collect()
        };
        let row = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(
            told(&found.settings),
            [row("entrypoint", "[\"/app\"]", "[\"/app\",\"-v\"]")]
        );
        assert_eq!(
            told(&found.labels),
            [row("gone", "x", ""), row("version", "1", "2")]
        );
        assert_eq!(
            told(&found.variables),
            [row("NEW", "", "NEW"), row("OLD", "OLD", "")]
        );
        assert_eq!(found.same, 2, "the user and one label");
        let odd = image(&[], &json!([]));
        assert!(Comparison::new(&odd, &odd).is_same());
    }
}
