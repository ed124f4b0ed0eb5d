//! The reference of `config.yml` for `docs/configuration.md`, made from the tables of keys.

use super::TABLES;
use super::key::{Key, Kind, Standing};

/// The table in Markdown.
pub fn reference() -> String {
    let mut page = String::from("| key | takes | default | what it says |\n|---|---|---|---|\n");
    for key in TABLES.into_iter().flatten() {
        page += &line(key);
    }
    page
}

fn line(key: &Key) -> String {
    let default = match key.written_default() {
        Some(default) => format!("`{default}`"),
        None => key.default.trim_matches(['(', ')']).to_owned(),
    };
    let standing = match key.standing {
        Standing::Acts => "",
        Standing::Quiet => "Read, without effect.",
        Standing::NotYet => "Without effect in this version, and the start says so.",
        Standing::Stops => "Refused in this version.",
    };
    let says = [key.says, standing].into_iter().filter(|text| !text.is_empty());
    let says = says.collect::<Vec<_>>().join(" ");
    let cells = [format!("`{}`", key.path), takes(key.kind), default, says].map(|cell| {
        let space = if cell.is_empty() { "" } else { " " };
        format!(" {cell}{space}|")
    });
    format!("|{}\n", cells.concat())
}

fn takes(kind: Kind) -> String {
    match kind {
        Kind::Text => "text",
        Kind::Secret => "secret text",
        Kind::Switch => "true or false",
        Kind::Integer | Kind::Count => "whole number",
        Kind::Duration => "duration",
        Kind::DurationText => "duration, as text",
        Kind::Size => "size",
        Kind::Texts => "list of texts",
        Kind::Headers => "map of lists of texts",
        Kind::SecretHeaders => "map of lists of secret texts",
        Kind::Section | Kind::Map => "map",
        Kind::Any | Kind::AnySecret => "anything",
        Kind::OneOf(words) => {
            let words = words.iter().filter(|word| !word.is_empty());
            return words
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(", ");
        }
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paper_is_what_the_tables_make() {
        let paper = include_str!("../../../docs/configuration.md");
        let (_, rest) = paper
            .split_once("<!-- made by `registry-service reference` -->\n")
            .unwrap();
        let (written, _) = rest.split_once("<!-- end -->").unwrap();
        assert!(
            written == reference(),
            "put the answer of `registry-service reference` into docs/configuration.md"
        );
    }

    #[test]
    fn every_default_is_what_its_key_takes() {
        let tables = TABLES;
        let mut paths = std::collections::HashSet::new();
        for key in tables.into_iter().flatten() {
            assert!(paths.insert(key.path), "{} is there twice", key.path);
            let fits = match (key.kind, key.written_default()) {
                (_, None) | (Kind::Text | Kind::Any, _) => true,
                (Kind::Switch, Some(default)) => matches!(default, "true" | "false"),
                (Kind::Integer | Kind::Count, Some(default)) => default.parse::<u64>().is_ok(),
                (Kind::Duration | Kind::DurationText, Some(default)) => {
                    default.parse::<shared::runtime::config::GoDuration>().is_ok()
                }
                (Kind::Size, Some(default)) => default.parse::<shared::runtime::config::ByteSize>().is_ok(),
                (Kind::OneOf(words), Some(default)) => words.contains(&default),
                _ => false,
            };
            assert!(fits, "{}", key.path);
        }
    }
}
