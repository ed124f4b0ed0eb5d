//! What an image says about its repository: in annotations of its manifest (OCI image-spec, "Annotations") or in labels of its
//! configuration, and for which platforms it is. It comes from whoever pushed: it is text and nothing more.

use serde_json::{Map, Value};

use super::content::{Description, Role};
use super::free_text::turns;

/// Longest text in one line, in characters.
const LONGEST_LINE: usize = 100;
/// Longest text, in characters.
const LONGEST_TEXT: usize = 4_000;
/// Most platforms of a repository.
const MOST_PLATFORMS: usize = 24;
/// Most labels that it is found by.
const MOST_LABELS: usize = 32;
/// Longest word that it is found by, in bytes.
const LONGEST_FACET: usize = 120;

/// Keys by what they say, those of the specification first.
const SAYINGS: [(&str, &[&str]); 8] = [
    (
        "title",
        &["org.opencontainers.image.title", "org.label-schema.name"],
    ),
    (
        "description",
        &[
            "org.opencontainers.image.description",
            "org.label-schema.description",
            "io.k8s.description",
            "description",
            "summary",
        ],
    ),
    (
        "documentation",
        &["org.opencontainers.image.documentation", "org.label-schema.usage"],
    ),
    (
        "url",
        &["org.opencontainers.image.url", "org.label-schema.url", "url"],
    ),
    (
        "source",
        &["org.opencontainers.image.source", "org.label-schema.vcs-url"],
    ),
    (
        "version",
        &[
            "org.opencontainers.image.version",
            "org.label-schema.version",
            "version",
        ],
    ),
    ("licenses", &["org.opencontainers.image.licenses"]),
    ("vendor", &["org.opencontainers.image.vendor", "vendor"]),
];

/// Labels that are other ones with each build: nobody looks for them.
const FLEETING: [&str; 8] = [
    "org.opencontainers.image.created",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.base.digest",
    "org.label-schema.build-date",
    "org.label-schema.vcs-ref",
    "build-date",
    "vcs-ref",
    "revision",
];

/// What the image that stands for a repository says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Showcase {
    /// Its tag.
    pub tag: String,
    /// In one line; empty when it says nothing.
    pub summary: String,
    /// `title`, `description`, `documentation`, `url`, `source`, `version`, `licenses` and `vendor`, as far as it says them.
    pub sayings: Map<String, Value>,
    /// `os/architecture/variant`, in their order.
    pub platforms: Vec<String>,
    /// Labels as `key=value`, in their order.
    pub labels: Vec<String>,
}

impl Showcase {
    /// What is said by a tag's manifest, and by its first image when it is an index.
    pub fn new(tag: &str, manifest: &Description, image: Option<&Description>) -> Self {
        let spoken = [
            object(manifest.annotations.as_deref()),
            object(image.and_then(|image| image.annotations.as_deref())),
            labels(manifest),
            image.map(labels).unwrap_or_default(),
        ];
        let mut sayings = Map::new();
        for (what, keys) in SAYINGS {
            let found = spoken.iter().find_map(|said| {
                let texts = keys
                    .iter()
                    .filter_map(|key| said.get(*key).and_then(Value::as_str));
                texts.map(str::trim).find(|text| !text.is_empty())
            });
            if let Some(text) = found {
                sayings.insert(what.to_owned(), cut(text, LONGEST_TEXT).into());
            }
        }
        let text = |what: &str| sayings.get(what).and_then(Value::as_str).unwrap_or_default();
        let summary = [text("description"), text("title")].into_iter().map(one_line);
        let summary = summary
            .into_iter()
            .find(|line| !line.is_empty())
            .unwrap_or_default();
        let [_, _, of_manifest, of_image] = &spoken;
        let of_either = of_manifest.iter().chain(of_image.iter());
        let mut labels: Vec<String> = of_either
            .filter(|(key, _)| !FLEETING.contains(&key.as_str()))
            .filter_map(|(key, value)| Some(facet(&format!("{key}={}", value.as_str()?))))
            .take(MOST_LABELS)
            .collect();
        labels.sort();
        labels.dedup();
        Self {
            tag: tag.to_owned(),
            summary,
            platforms: platforms(manifest),
            labels,
            sayings,
        }
    }

    /// What it says at length, as Markdown in which nothing of it is a sign; empty when it says no more than its title.
    pub fn text(&self) -> String {
        let said = |what: &str| self.sayings.get(what).and_then(Value::as_str);
        let mut text = String::new();
        if let Some(description) = said("description") {
            text.push_str(&escaped(description));
            text.push('\n');
        }
        let links = [
            ("documentation", "Documentation"),
            ("source", "Source"),
            ("url", "Home page"),
        ];
        let links: Vec<String> = links
            .iter()
            .filter_map(|(what, shown)| Some((shown, said(what).filter(|url| is_link(url))?)))
            .map(|(shown, url)| format!("- {shown}: <{url}>\n"))
            .collect();
        if !links.is_empty() {
            text.push('\n');
            text.extend(links);
        }
        text
    }

    /// The words that platforms are found by: each as a whole, without its variant, and its two halves alone.
    pub fn platform_facets(&self) -> Vec<String> {
        let mut facets = Vec::new();
        for platform in &self.platforms {
            let mut parts = platform.splitn(3, '/');
            let (os, architecture) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            facets.extend([
                platform.clone(),
                format!("{os}/{architecture}"),
                os.to_owned(),
                architecture.to_owned(),
            ]);
        }
        facets.sort();
        facets.dedup();
        facets.retain(|facet| !facet.is_empty());
        facets
    }

    /// The words that labels are found by: each with its value, and its key alone.
    pub fn label_facets(&self) -> Vec<String> {
        let mut facets: Vec<String> = self
            .labels
            .iter()
            .flat_map(|label| {
                let key = label.split_once('=').map(|(key, _)| key.to_owned());
                key.into_iter().chain([label.clone()])
            })
            .collect();
        facets.sort();
        facets.dedup();
        facets
    }
}

/// A text as a word of a list: without spaces and signs that no database takes, and not too long.
pub fn facet(text: &str) -> String {
    let mut word = String::new();
    for c in text.trim().chars() {
        let c = if c.is_whitespace() || c.is_control() {
            '_'
        } else {
            c
        };
        if word.len() + c.len_utf8() > LONGEST_FACET {
            break;
        }
        word.push(c);
    }
    word
}

fn platforms(manifest: &Description) -> Vec<String> {
    let parts = manifest.parts.iter().filter(|part| part.role == Role::Manifest);
    let of_parts = parts.filter_map(|part| part.platform.as_deref());
    let mut platforms: Vec<String> = of_parts
        .chain(manifest.platform.as_deref())
        // Attestations are for no platform.
        .filter(|platform| !platform.starts_with("unknown/"))
        .map(|platform| facet(&platform.to_ascii_lowercase()))
        .take(MOST_PLATFORMS)
        .collect();
    platforms.sort();
    platforms.dedup();
    platforms
}

fn object(text: Option<&str>) -> Map<String, Value> {
    match text.map(serde_json::from_str) {
        Some(Ok(Value::Object(map))) => map,
        _ => Map::new(),
    }
}

fn labels(manifest: &Description) -> Map<String, Value> {
    match object(manifest.config.as_deref()).remove("labels") {
        Some(Value::Object(labels)) => labels,
        _ => Map::new(),
    }
}

fn cut(text: &str, most: usize) -> String {
    let kept = text
        .chars()
        .filter(|c| !(c.is_control() || turns(*c)) || matches!(c, '\n' | '\t'));
    kept.take(most).collect()
}

/// The first of a text that stands in one line.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let line = words.join(" ");
    if line.chars().count() <= LONGEST_LINE {
        return line;
    }
    let mut cut: String = line.chars().take(LONGEST_LINE - 1).collect();
    cut.push('…');
    cut
}

/// A text as Markdown that shows it as it is.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation()
            && !matches!(
                c,
                '.' | ',' | ':' | ';' | '\'' | '"' | '/' | '?' | '%' | '=' | '@'
            )
        {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
}

fn is_link(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://"))
        && !url.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>'))
}

#[cfg(test)]
#[path = "showcase/tests.rs"]
mod tests;
