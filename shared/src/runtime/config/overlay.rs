//! Variables laid over a configuration tree.

use serde_json::{Map, Value};

use super::{ConfigError, parse_variable};

/// Applies every variable `PREFIX_A_B=value` to the key `a.b` of the tree, in the lexical order of the names,
/// so that `PREFIX_A={…}` is refined by `PREFIX_A_B`.
///
/// Names are matched against the keys that the tree has, without regard to case; where keys contain
/// underscores the longest key that fits is taken (put known keys into the tree as `null` to have them found).
/// A name that fits no key makes a new one in lower case. In a list a number is an index, and the number
/// after the last appends; anything else is an error. The value is read as YAML; an empty value is the empty string.
pub fn overlay(
    tree: &mut Value,
    prefix: &str,
    vars: impl Iterator<Item = (String, String)>,
) -> Result<(), ConfigError> {
    let mut vars: Vec<(String, String)> = vars
        .filter_map(|(name, value)| {
            let rest = name.strip_prefix(prefix)?.strip_prefix('_')?;
            (!rest.is_empty()).then(|| (rest.to_owned(), value))
        })
        .collect();
    vars.sort();
    for (name, text) in vars {
        let value = if text.is_empty() {
            Value::String(text)
        } else {
            parse_variable(&format!("{prefix}_{name}"), &text)?.to_value()
        };
        let parts: Vec<&str> = name.split('_').collect();
        set(tree, &parts, value).map_err(|NoSuchItem| ConfigError::NoSuchItem(format!("{prefix}_{name}")))?;
    }
    Ok(())
}

/// The name leads into a list, and not to an item of it or just behind the last.
struct NoSuchItem;

fn set(node: &mut Value, parts: &[&str], value: Value) -> Result<(), NoSuchItem> {
    let Some((first, rest)) = parts.split_first() else {
        *node = value;
        return Ok(());
    };
    if let Value::Array(items) = node {
        let index = first.parse::<usize>().map_err(|_| NoSuchItem)?;
        if index == items.len() {
            items.push(Value::Null);
        }
        return set(items.get_mut(index).ok_or(NoSuchItem)?, rest, value);
    }
    if !node.is_object() {
        *node = Value::Object(Map::new());
    }
    let Value::Object(map) = node else { return Ok(()) };
    let (key, used) = find_key(map, parts).unwrap_or_else(|| (first.to_lowercase(), 1));
    set(map.entry(key).or_insert(Value::Null), &parts[used..], value)
}

/// The key of the map that the longest run of leading parts names, and the length of that run.
fn find_key(map: &Map<String, Value>, parts: &[&str]) -> Option<(String, usize)> {
    (1..=parts.len()).rev().find_map(|used| {
        let wanted = parts[..used].join("_").to_lowercase();
        map.keys()
            .find(|key| key.to_lowercase() == wanted)
            .map(|key| (key.clone(), used))
    })
}
