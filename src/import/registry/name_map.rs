//! Which repository becomes which.

use std::collections::BTreeMap;

use shared::oci::RepositoryName;

/// How names change on the way.
#[derive(Debug, Clone, Default)]
pub(super) struct NameMap {
    /// What is taken away at the beginning, with the slash behind it.
    pub(super) strip: Option<String>,
    /// The namespace that everything goes into.
    pub(super) into: Option<String>,
}

/// A repository there, and what it is called here.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) source: String,
    pub(super) target: RepositoryName,
}

/// What has no name here, and why.
#[derive(Debug, Clone)]
pub(super) struct Nameless {
    pub(super) source: String,
    pub(super) why: String,
}

impl NameMap {
    /// The names here, in the order of the names there, each once.
    pub(super) fn pairs(&self, sources: Vec<String>) -> (Vec<Pair>, Vec<Nameless>) {
        let (mut pairs, mut nameless): (Vec<Pair>, Vec<Nameless>) = (Vec::new(), Vec::new());
        let sources: std::collections::BTreeSet<String> = sources.into_iter().collect();
        let mut taken: BTreeMap<RepositoryName, String> = BTreeMap::new();
        for source in sources {
            let target = match self.target(&source) {
                Ok(target) => target,
                Err(why) => {
                    nameless.push(Nameless { source, why });
                    continue;
                }
            };
            if let Some(other) = taken.get(&target) {
                let why = format!("{other} becomes {target} too");
                nameless.push(Nameless { source, why });
                continue;
            }
            taken.insert(target.clone(), source.clone());
            pairs.push(Pair { source, target });
        }
        (pairs, nameless)
    }

    fn target(&self, source: &str) -> Result<RepositoryName, String> {
        // It stands in paths of the source: nothing there may lead elsewhere.
        source
            .parse::<RepositoryName>()
            .map_err(|error| error.to_string())?;
        let rest = match &self.strip {
            None => source,
            Some(prefix) => source
                .strip_prefix(prefix.trim_end_matches('/'))
                .and_then(|rest| rest.strip_prefix('/'))
                .unwrap_or(source),
        };
        let name = match &self.into {
            None => rest.to_owned(),
            Some(namespace) => format!("{}/{rest}", namespace.trim_end_matches('/')),
        };
        name.parse()
            .map_err(|error: shared::oci::name::InvalidName| format!("{name}: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(strip: Option<&str>, into: Option<&str>) -> NameMap {
        NameMap {
            strip: strip.map(str::to_owned),
            into: into.map(str::to_owned),
        }
    }

    #[test]
    fn a_prefix_goes_and_a_namespace_comes() {
        for (strip, into, source, target) in [
            (None, None, "team/app", "team/app"),
            (Some("old"), None, "old/team/app", "team/app"),
            (Some("old/"), Some("new"), "old/app", "new/app"),
            (Some("old"), Some("new"), "older/app", "new/older/app"),
            (None, Some("new"), "alpine", "new/alpine"),
            (Some("old"), None, "old", "old"),
        ] {
            let map = map(strip, into);
            assert_eq!(
                map.target(source).as_ref().map(RepositoryName::as_str),
                Ok(target)
            );
        }
    }

    #[test]
    fn what_cannot_be_named_is_told_and_two_never_become_one() {
        let (pairs, nameless) = map(Some("a"), None).pairs(
            ["a/x", "x", "Upper/case", "b/../c", "b/y", "b/y"]
                .map(str::to_owned)
                .to_vec(),
        );
        let names: Vec<&str> = pairs.iter().map(|pair| pair.target.as_str()).collect();
        assert_eq!(names, ["x", "b/y"]);
        let told: Vec<&str> = nameless.iter().map(|one| one.source.as_str()).collect();
        assert_eq!(told, ["Upper/case", "b/../c", "x"]);
        assert!(nameless[2].why.contains("a/x becomes x too"));
    }
}
