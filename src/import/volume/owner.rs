//! Whose a repository becomes: `org:NAME`, `user:NAME`, `same` or `skip`, by a rule `PATTERN=OWNER`.

use std::fmt;
use std::str::FromStr;

use shared::oci::RepositoryName;

/// An owner as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) kind: Kind,
    name: String,
    /// The name below the owner's namespace; `*` stands for what the pattern's `*` stood for.
    below: Option<String>,
}

/// What kind of owner it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Organisation,
    Account,
    /// Whoever has the first part of the name; the site, of names of one part.
    Same,
    /// Nobody: it stays unknown to the index.
    Skip,
}

/// Who gets the repositories of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pattern: String,
    owner: Owner,
}

/// What is to become of a repository.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Where its content lies: its name so far.
    pub(super) stored_as: RepositoryName,
    pub(super) owner: Owner,
    /// What it is called from now on, or why it cannot be called so.
    pub(super) name: Result<RepositoryName, String>,
}

impl FromStr for Owner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = |kind| Self {
            kind,
            name: String::new(),
            below: None,
        };
        let (kind, rest) = match text {
            "same" => return Ok(bare(Kind::Same)),
            "skip" => return Ok(bare(Kind::Skip)),
            _ => match text.split_once(':') {
                Some(("org", rest)) => (Kind::Organisation, rest),
                Some(("user", rest)) => (Kind::Account, rest),
                _ => return Err(format!("{text:?} is no owner: org:NAME, user:NAME, same or skip")),
            },
        };
        let (name, below) = match rest.split_once('/') {
            Some((name, below)) => (name, Some(below.to_owned())),
            None => (rest, None),
        };
        if name.is_empty() || name.contains('*') || below.as_deref() == Some("") {
            return Err(format!("{text:?} names no owner: org:NAME or org:NAME/PART"));
        }
        Ok(Self {
            kind,
            name: name.to_owned(),
            below,
        })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Organisation => write!(f, "org:{}", self.name),
            Kind::Account => write!(f, "user:{}", self.name),
            Kind::Same => f.write_str("same"),
            Kind::Skip => f.write_str("skip"),
        }
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (pattern, owner) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?} is no rule: PATTERN=OWNER"))?;
        if pattern.is_empty() || pattern.matches('*').count() > 1 {
            return Err(format!("the pattern {pattern:?} is a name with at most one `*`"));
        }
        Ok(Self {
            pattern: pattern.to_owned(),
            owner: owner.parse()?,
        })
    }
}

impl Rule {
    /// What becomes of a repository that the rule reaches.
    pub(super) fn plan(&self, stored_as: &RepositoryName) -> Option<Plan> {
        let text = stored_as.as_str();
        let Some((before, after)) = self.pattern.split_once('*') else {
            return (self.pattern == text).then(|| self.owner.plan(stored_as, None));
        };
        let star = text.strip_prefix(before)?.strip_suffix(after)?;
        Some(self.owner.plan(stored_as, Some(star)))
    }
}

impl Owner {
    /// What becomes of a repository of this owner; `star` is what the pattern's `*` stood for.
    pub(super) fn plan(&self, stored_as: &RepositoryName, star: Option<&str>) -> Plan {
        let text = match (&self.below, self.kind) {
            (_, Kind::Same | Kind::Skip) => stored_as.to_string(),
            (Some(below), _) => format!("{}/{}", self.name, below.replace('*', star.unwrap_or_default())),
            // A name that is the owner's already stays.
            (None, _) if stored_as.as_str().starts_with(&format!("{}/", self.name)) => stored_as.to_string(),
            (None, _) => format!("{}/{stored_as}", self.name),
        };
        let name = text
            .parse()
            .map_err(|error: shared::oci::name::InvalidName| format!("{text}: {error}"));
        Plan {
            stored_as: stored_as.clone(),
            owner: self.clone(),
            name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_gives_a_name_and_an_owner() {
        for (rule, old, owner, new) in [
            ("team-*=org:team", "team-app", "org:team", "team/team-app"),
            ("team-*=org:team/*", "team-app", "org:team", "team/app"),
            ("foo/*=org:foo", "foo/app/web", "org:foo", "foo/app/web"),
            ("foo/*=user:bar", "foo/app", "user:bar", "bar/foo/app"),
            ("*=same", "alpine", "same", "alpine"),
            ("exact=org:o/renamed", "exact", "org:o", "o/renamed"),
            ("*-old=org:o/*", "a/b-old", "org:o", "o/a/b"),
        ] {
            let plan = rule.parse::<Rule>().unwrap().plan(&old.parse().unwrap()).unwrap();
            assert_eq!(plan.owner.to_string(), owner, "{rule}");
            assert_eq!(plan.name.as_ref().map(RepositoryName::as_str), Ok(new), "{rule}");
        }
        let rule: Rule = "team-*=org:team".parse().unwrap();
        assert!(rule.plan(&"teams".parse().unwrap()).is_none());
        let aba: Rule = "aba*aba=skip".parse().unwrap();
        assert!(
            aba.plan(&"ababa".parse().unwrap()).is_none(),
            "the halves of a pattern do not overlap"
        );
    }

    #[test]
    fn what_is_no_rule_is_refused_with_the_form() {
        for text in [
            "team",
            "=org:a",
            "a*b*=org:a",
            "a=b",
            "a=org:",
            "a=org:x/",
            "a=org:*",
            "a=team:x",
        ] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_that_is_none_is_told() {
        let plan = "x*=org:o/*"
            .parse::<Rule>()
            .unwrap()
            .plan(&"x".parse().unwrap())
            .unwrap();
        assert!(plan.name.unwrap_err().contains("o/"));
    }
}
