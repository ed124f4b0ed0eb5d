//! What repositories are found by, and in which order.
//!
//! Each repository stands in the list of each of its words, at a place that its standing (official, stars, pulls) and the
//! word's part in it (name, topic, description) decide together: the lists are kept in that order, so that however many
//! repositories a word has, the first of them are read at once
//! ([decision 8](../../../docs/decisions/0008-search.md)).

use std::collections::BTreeMap;

use shared::oci::RepositoryName;

use super::id::NamespaceId;
use super::repository::Visibility;
use super::showcase::facet;
use super::topic::Topic;
use super::word::{Token, pairs, tokens, words};

/// The list that every repository is in.
pub const EVERYTHING: &str = "*";
/// The list of official repositories.
pub const OFFICIAL: &str = "=official";
/// Most characters of a query; what follows is not looked at.
const MAX_QUERY: usize = 200;
/// Most words of a query that are looked for.
const MAX_TERMS: usize = 12;
/// Places are counted down from here, so that none is negative.
const LAST_PLACE: i64 = 1000;

/// What a word's part in a repository counts.
const WHOLE_NAME: i64 = 24;
const IN_NAME: i64 = 16;
const IN_PATH: i64 = 12;
const IN_TOPIC: i64 = 10;
const IN_NAMESPACE: i64 = 8;
const IN_SUMMARY: i64 = 0;
/// What it counts to be official.
const FOR_OFFICIAL: i64 = 40;
/// What it counts when the stars are twice as many.
const FOR_STARS: i64 = 4;

/// What a repository is found by.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// Its name.
    pub name: &'a RepositoryName,
    /// Its short description.
    pub summary: &'a str,
    /// Its topics.
    pub topics: &'a [Topic],
    /// Its categories.
    pub categories: &'a [Topic],
    /// How many accounts gave it a star.
    pub star_count: i64,
    /// How often it was pulled.
    pub pull_count: i64,
    /// The platforms that its images are for.
    pub platforms: &'a [String],
    /// Labels of its images.
    pub labels: &'a [String],
}

impl Document<'_> {
    /// Its words, each once in the order of bytes, with its place in the list of that word: the lower, the earlier.
    pub fn postings(&self) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::from([(EVERYTHING.to_owned(), 0)]);
        let mut put = |word: String, count: i64| {
            let before = counts.entry(word).or_insert(count);
            *before = count.max(*before);
        };
        for word in words(self.summary) {
            put(word, IN_SUMMARY);
        }
        for topic in self.topics {
            put(format!("#{topic}"), 0);
            for word in words(topic.as_str()) {
                put(word, IN_TOPIC);
            }
        }
        for category in self.categories {
            put(format!("@{category}"), 0);
        }
        for platform in self.platforms {
            put(format!("%{platform}"), 0);
        }
        for label in self.labels {
            put(format!("&{label}"), 0);
        }
        let (path, last) = self
            .name
            .as_str()
            .rsplit_once('/')
            .unwrap_or(("", self.name.as_str()));
        for (position, component) in path.split('/').enumerate() {
            let count = if position == 0 { IN_NAMESPACE } else { IN_PATH };
            for word in words(component) {
                put(word, count);
            }
        }
        let of_last = words(last);
        let count = if of_last.len() == 1 { WHOLE_NAME } else { IN_NAME };
        for word in of_last {
            put(word, count);
        }
        if is_official(self.name) {
            put(OFFICIAL.to_owned(), 0);
        }
        let standing = self.standing();
        for count in counts.values_mut() {
            *count = (LAST_PLACE - standing - *count).max(0);
        }
        counts
    }

    fn standing(&self) -> i64 {
        let official = if is_official(self.name) { FOR_OFFICIAL } else { 0 };
        official + FOR_STARS * doublings(self.star_count) + doublings(self.pull_count)
    }
}

/// Whether a repository is the site's own: in `library`, which belongs to the administrators.
pub fn is_official(name: &RepositoryName) -> bool {
    name.namespace() == shared::oci::name::LIBRARY
}

/// How often a number was doubled, so that a list changes little when the number does.
pub fn doublings(number: i64) -> i64 {
    i64::from(number.max(0).saturating_add(1).ilog2())
}

/// Among whom a repository is looked for: each word has a list for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// What everybody may pull.
    Everybody,
    /// What every account may pull.
    Accounts,
    /// What is not public, in one namespace.
    Namespace(NamespaceId),
}

impl Reach {
    /// Where an active repository is found.
    pub fn of(visibility: Visibility, namespace_id: NamespaceId) -> Vec<Self> {
        match visibility {
            Visibility::Public => vec![Self::Everybody],
            // Robots are no accounts, and may have rights on it all the same.
            Visibility::Internal => vec![Self::Accounts, Self::Namespace(namespace_id)],
            Visibility::Private => vec![Self::Namespace(namespace_id)],
        }
    }

    /// The number that is stored; ids are positive.
    pub fn as_i64(self) -> i64 {
        match self {
            Self::Everybody => 0,
            Self::Accounts => -1,
            Self::Namespace(id) => id.as_i64(),
        }
    }
}

/// A word that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The word.
    pub word: String,
    /// Whether longer words that begin so are meant as well.
    pub is_prefix: bool,
}

/// The words of a query: what is found has all of them. What people write is only ever cut into words, so there is nothing in
/// it that could mean anything else. The last word may be unfinished. Without any, `None`.
pub fn terms(query: &str) -> Option<Vec<Term>> {
    let query: String = query.chars().take(MAX_QUERY).collect();
    let tokens = tokens(&query);
    let last = tokens.len().checked_sub(1)?;
    let mut terms: Vec<Term> = Vec::new();
    for (position, token) in tokens.into_iter().enumerate() {
        let found: Vec<Term> = match token {
            Token::Word(word) => vec![Term {
                is_prefix: position == last && word.chars().nth(1).is_some(),
                word,
            }],
            Token::Run(run) if run.len() == 1 => vec![Term {
                word: run.into_iter().collect(),
                is_prefix: true,
            }],
            Token::Run(run) => pairs(&run)
                .map(|word| Term {
                    word,
                    is_prefix: false,
                })
                .collect(),
        };
        for term in found {
            if !terms.iter().any(|known| known.word == term.word) {
                terms.push(term);
            }
        }
    }
    terms.truncate(MAX_TERMS);
    Some(terms)
}

/// What is wished for besides words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchFilter {
    /// Official repositories alone.
    pub is_official: bool,
    /// At least so many stars.
    pub min_stars: i64,
    /// With this topic.
    pub topic: Option<Topic>,
    /// In this category.
    pub category: Option<Topic>,
    /// With images for this platform: `os/architecture/variant`, `os/architecture`, or one of the two.
    pub platform: Option<String>,
    /// With images of this label: `key` or `key=value`.
    pub label: Option<String>,
    /// Changed at this time or later, in milliseconds since 1970.
    pub updated_since: Option<i64>,
}

impl SearchFilter {
    /// The lists that hold what is wished for.
    pub fn lists(&self) -> Vec<String> {
        let topic = self.topic.as_ref().map(|topic| format!("#{topic}"));
        let official = self.is_official.then(|| OFFICIAL.to_owned());
        let category = self.category.as_ref().map(|category| format!("@{category}"));
        let platform = self
            .platform
            .as_ref()
            .map(|text| format!("%{}", facet(&text.to_ascii_lowercase())));
        let label = self.label.as_ref().map(|text| format!("&{}", facet(text)));
        let lists = topic.into_iter().chain(category).chain(platform);
        lists.chain(label).chain(official).collect()
    }
}

/// In which order what is found is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SearchOrder {
    /// The best first.
    #[default]
    Best,
    /// Those with the most stars first.
    Stars,
    /// Those first that were pulled most.
    Pulls,
    /// Those first that were changed last.
    Updated,
    /// By name.
    Name,
}

#[cfg(test)]
#[path = "search/tests.rs"]
mod tests;
