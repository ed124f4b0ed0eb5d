//! The policy as it is written by hand, and what it says of one cell.

use std::collections::{BTreeMap, BTreeSet};

use harness::{Context as _, Result, bail, ensure};

const TEXT: &str = include_str!("policy.txt");

/// Every right.
pub(super) const RIGHTS: [&str; 5] = ["pull", "push", "delete", "manage", "administer"];
/// Namespaces of the world.
pub(super) const NAMESPACES: [&str; 3] = ["own", "library", "team"];

/// The table: rows by their keys in words.
#[derive(Debug, Clone)]
pub(super) struct Policy(BTreeMap<String, BTreeSet<String>>);

/// A table with one value turned round.
pub(super) struct Flip {
    pub(super) what: String,
    pub(super) table: Policy,
    /// Whether it cannot matter, as the table says.
    pub(super) is_moot: bool,
}

/// One cell but for its action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) principal: &'a str,
    /// `anonymous`, `account` or `machine`.
    pub(super) kind: &'a str,
    pub(super) credential: &'a str,
    /// One of [`NAMESPACES`].
    pub(super) namespace: &'a str,
    /// `public`, `internal`, `private`; `None` for a name without a repository.
    pub(super) visibility: Option<&'a str>,
    /// The subject and the role of the one rule about the repository.
    pub(super) rule: Option<(&'a str, &'a str)>,
}

impl Policy {
    /// The table that is shipped with the test.
    pub(super) fn read() -> Result<Self> {
        let mut rows = BTreeMap::new();
        for line in TEXT
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (key, values) = line.split_once(':').context("a row has a colon")?;
            let values = values.split_whitespace().map(str::to_owned).collect();
            let twice = rows.insert(key.to_owned(), values);
            ensure!(twice.is_none(), "{key} stands twice");
        }
        Ok(Self(rows))
    }

    fn row(&self, key: &str) -> Option<&BTreeSet<String>> {
        self.0.get(key)
    }

    fn has(&self, key: &str, value: &str) -> bool {
        self.row(key).is_some_and(|values| values.contains(value))
    }

    /// Whether `action` is allowed there.
    pub(super) fn allows(&self, place: &Place<'_>, action: &str) -> bool {
        if self.has("suspended", place.principal) {
            return false;
        }
        let by_place = self.has(&format!("held {} {}", place.namespace, place.principal), action);
        let by_visibility = place
            .visibility
            .is_some_and(|visibility| self.has(&format!("visible {visibility} {}", place.kind), action));
        let by_rule = place.rule.is_some_and(|(subject, role)| {
            self.has(&format!("applies {subject}"), place.principal)
                && self.has(&format!("role {role}"), action)
        });
        (by_place || by_visibility || by_rule)
            // Without a credential there is nothing that narrows.
            && (place.credential == "nothing"
                || self.has(&format!("lets {}", place.credential), action)
                    && self.has(&format!("reaches {}", place.credential), place.namespace))
    }

    /// Every table that differs from this one in one value of one row, with what differs and whether it can be noticed at all.
    pub(super) fn flips(&self, principals: &[&str]) -> Result<Vec<Flip>> {
        let mut flips = Vec::new();
        for key in self.0.keys().filter(|key| !key.starts_with("moot ")) {
            let universe: Vec<&str> = match key.split(' ').next().unwrap_or_default() {
                "held" | "visible" | "role" | "lets" => RIGHTS.to_vec(),
                "reaches" => NAMESPACES.to_vec(),
                "applies" | "suspended" => principals.to_vec(),
                other => bail!("no row begins with {other}"),
            };
            for value in universe {
                let mut flipped = self.clone();
                let row = flipped.0.get_mut(key).context("a row that was just listed")?;
                if !row.remove(value) {
                    row.insert(value.to_owned());
                }
                flips.push(Flip {
                    what: format!("{key} ± {value}"),
                    table: flipped,
                    is_moot: self.has(&format!("moot {key}"), value),
                });
            }
        }
        Ok(flips)
    }

    /// Rows that say something.
    pub(super) fn rows(&self) -> usize {
        self.0.keys().filter(|key| !key.starts_with("moot ")).count()
    }
}
