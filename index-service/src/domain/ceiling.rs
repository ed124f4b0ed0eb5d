//! What a credential may reach at most, whatever its holder may.

use std::fmt;
use std::str::FromStr;

use shared::oci::RepositoryName;
use shared::token::TagSet;
use shared::token::tag_pattern::InvalidTagPattern;

use super::pattern::{InvalidPattern, RepositoryPattern};
use super::right::{InvalidRight, Right, Rights};

/// Most limits of one credential.
pub const MAX_LIMITS: usize = 50;

/// Why a text is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLimit {
    /// Its rights.
    #[error(transparent)]
    Rights(#[from] InvalidRight),
    /// Its repositories.
    #[error(transparent)]
    Pattern(#[from] InvalidPattern),
    /// Its tags.
    #[error(transparent)]
    Tags(#[from] InvalidTagPattern),
    /// The text as a whole.
    #[error(
        "a limit is written as RIGHTS PATTERN, with push:TAGS and delete:TAGS behind it where tags are bound"
    )]
    Form,
    /// None, or too many.
    #[error("a credential has 1 to 50 limits")]
    Count,
}

/// Rights on the repositories of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What it allows at most.
    pub rights: Rights,
    /// Where.
    pub pattern: RepositoryPattern,
    /// Tags that it lets be pushed.
    pub push_tags: TagSet,
    /// Tags that it lets be deleted.
    pub delete_tags: TagSet,
}

impl Limit {
    /// These rights on every tag of the repositories of a pattern.
    pub fn new(rights: Rights, pattern: RepositoryPattern) -> Self {
        Self {
            rights,
            pattern,
            push_tags: TagSet::Every,
            delete_tags: TagSet::Every,
        }
    }

    fn on_every_tag(&self) -> Rights {
        self.rights.on_every_tag(&self.push_tags, &self.delete_tags)
    }
}

impl FromStr for Limit {
    type Err = InvalidLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split(' ');
        let mut limit = Self::new(
            words.next().unwrap_or_default().parse()?,
            words.next().ok_or(InvalidLimit::Form)?.parse()?,
        );
        for word in words {
            let (kind, tags) = word.split_once(':').ok_or(InvalidLimit::Form)?;
            let set = match kind {
                "push" => &mut limit.push_tags,
                "delete" => &mut limit.delete_tags,
                _ => return Err(InvalidLimit::Form),
            };
            *set = TagSet::only(tags.split(',').map(str::parse).collect::<Result<_, _>>()?)?;
        }
        Ok(limit)
    }
}

impl fmt::Display for Limit {
    /// `pull,push team/app-* push:v*,main`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rights, self.pattern)?;
        for (kind, set) in [("push", &self.push_tags), ("delete", &self.delete_tags)] {
            if let Some(tags) = set.to_text() {
                write!(f, " {kind}:{}", tags.replace(' ', ","))?;
            }
        }
        Ok(())
    }
}

/// What a credential may reach at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ceiling {
    /// All that its holder may: a password, a session.
    Full,
    /// What at least one of the limits allows.
    Limited(Box<[Limit]>),
}

/// What of a repository one ceiling lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Rights that pass.
    pub rights: Rights,
    /// Tags that may be pushed.
    pub push_tags: TagSet,
    /// Tags that may be deleted.
    pub delete_tags: TagSet,
}

impl Ceiling {
    /// One limit.
    pub fn limited(rights: Rights, pattern: RepositoryPattern) -> Self {
        Self::Limited(Box::new([Limit::new(rights, pattern)]))
    }

    /// What it lets through of a repository.
    pub fn passage(&self, name: &RepositoryName) -> Passage {
        let Self::Limited(limits) = self else {
            return Passage {
                rights: Rights::ALL,
                push_tags: TagSet::Every,
                delete_tags: TagSet::Every,
            };
        };
        let nothing = Passage {
            rights: Rights::NONE,
            push_tags: TagSet::none(),
            delete_tags: TagSet::none(),
        };
        limits
            .iter()
            .filter(|limit| limit.pattern.matches(name))
            .fold(nothing, |passage, limit| Passage {
                rights: passage.rights.union(limit.rights),
                push_tags: tags_with(passage.push_tags, limit, Right::Push, &limit.push_tags),
                delete_tags: tags_with(passage.delete_tags, limit, Right::Delete, &limit.delete_tags),
            })
    }

    /// Rights that it lets through for the whole of a namespace, on every tag, and so for what is no repository: members,
    /// teams, robots.
    pub fn namespace_rights(&self, namespace: &str) -> Rights {
        match self {
            Self::Full => Rights::ALL,
            Self::Limited(limits) => limits
                .iter()
                .filter(|limit| limit.pattern.holds_namespace(namespace))
                .fold(Rights::NONE, |rights, limit| rights.union(limit.on_every_tag())),
        }
    }

    /// Whether nothing that this one reaches is out of the other's reach.
    pub fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Full) => true,
            (Self::Full, Self::Limited(limits)) => limits.iter().any(|limit| {
                limit.rights == Rights::ALL
                    && limit.pattern == RepositoryPattern::every()
                    && limit.push_tags == TagSet::Every
                    && limit.delete_tags == TagSet::Every
            }),
            // Asked limit by limit: what only several limits of the other reach together is refused, never let through.
            (Self::Limited(own), Self::Limited(limits)) => own.iter().all(|one| {
                one.rights.iter().all(|right| {
                    limits.iter().any(|limit| {
                        limit.rights.contains(right)
                            && limit.pattern.holds(&one.pattern)
                            && match right {
                                Right::Push => holds_tags(&limit.push_tags, &one.push_tags),
                                Right::Delete => holds_tags(&limit.delete_tags, &one.delete_tags),
                                Right::Pull | Right::Manage | Right::Administer => true,
                            }
                    })
                })
            }),
        }
    }

    /// The ceiling of a stored text: a limit in each line; no text is a full one.
    pub fn parse(text: Option<&str>) -> Result<Self, InvalidLimit> {
        let Some(text) = text else {
            return Ok(Self::Full);
        };
        let limits: Vec<Limit> = text.lines().map(str::parse).collect::<Result<_, _>>()?;
        if limits.is_empty() || limits.len() > MAX_LIMITS {
            return Err(InvalidLimit::Count);
        }
        Ok(Self::Limited(limits.into()))
    }

    /// What [`Ceiling::parse`] reads.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Full => None,
            Self::Limited(limits) => Some(
                limits
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("\n"),
            ),
        }
    }
}

fn tags_with(tags: TagSet, limit: &Limit, right: Right, more: &TagSet) -> TagSet {
    if limit.rights.contains(right) {
        tags.union(more.clone())
    } else {
        tags
    }
}

/// Whether every tag of `inner` is surely one of `outer`: by the same pattern.
fn holds_tags(outer: &TagSet, inner: &TagSet) -> bool {
    match (outer, inner) {
        (TagSet::Every, _) => true,
        (TagSet::Only(_), TagSet::Every) => false,
        (TagSet::Only(outer), TagSet::Only(inner)) => inner.iter().all(|pattern| outer.contains(pattern)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ceiling(text: &str) -> Ceiling {
        Ceiling::parse(Some(text)).unwrap()
    }

    #[test]
    fn a_ceiling_reads_back_what_it_writes() {
        for text in [
            "pull,push team/app-* push:v*,main",
            "pull *\npull,push,delete team/* push:v* delete:*-dev",
            "pull,push,delete,manage,administer team/web",
        ] {
            assert_eq!(ceiling(text).to_text().as_deref(), Some(text));
        }
        assert_eq!(Ceiling::parse(None), Ok(Ceiling::Full));
        for (text, fault) in [
            ("", InvalidLimit::Count),
            ("pull", InvalidLimit::Form),
            ("pull team/* v*", InvalidLimit::Form),
            ("pull team/* pull:v*", InvalidLimit::Form),
            ("pull  team/*", InvalidPattern::Length.into()),
            ("pull te*", InvalidPattern::Namespace.into()),
            ("root team/*", InvalidRight.into()),
            ("push team/* push:v?", InvalidTagPattern::Characters.into()),
        ] {
            assert_eq!(Ceiling::parse(Some(text)), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn what_passes_is_what_at_least_one_limit_allows() {
        let name: RepositoryName = "team/app-1".parse().unwrap();
        let tag = |text: &str| text.parse().unwrap();
        let passage =
            ceiling("pull team/*\npull,push team/app-* push:v*\npush,delete other/*").passage(&name);
        assert_eq!(passage.rights, Rights::WRITE);
        assert!(passage.push_tags.contains(&tag("v1")) && !passage.push_tags.contains(&tag("main")));
        assert!(
            !passage.delete_tags.contains(&tag("v1")),
            "delete is not allowed at all"
        );
        let elsewhere = ceiling("push,delete other/*").passage(&name);
        assert!(elsewhere.rights.is_empty());
        assert_eq!(Ceiling::Full.passage(&name).rights, Rights::ALL);
    }

    #[test]
    fn a_ceiling_is_within_another_when_each_of_its_limits_is() {
        for (inner, outer, within) in [
            ("pull team/app", "pull team/*", true),
            ("pull team/app-*", "pull,push team/app-*", true),
            ("pull,push team/app", "pull team/*", false),
            ("pull,push team/app", "pull team/*\npush team/app", true),
            ("pull team/*", "pull team/app-*", false),
            ("pull *", "pull team/*", false),
            ("pull other/x", "pull *", true),
            ("push team/x push:v*", "push team/*", true),
            ("push team/x", "push team/* push:v*", false),
            ("push team/x push:v*", "push team/* push:v*,main", true),
            ("push team/x push:v1", "push team/* push:v*", false),
            ("pull team/x push:v1", "pull team/* push:v2", true),
        ] {
            assert_eq!(
                ceiling(inner).is_within(&ceiling(outer)),
                within,
                "{inner} in {outer}"
            );
            assert!(ceiling(inner).is_within(&Ceiling::Full));
        }
        assert!(!Ceiling::Full.is_within(&ceiling("pull,push *")));
        assert!(Ceiling::Full.is_within(&ceiling("* *")));
    }

    #[test]
    fn a_namespace_is_reached_by_a_pattern_over_all_of_it() {
        for (text, rights) in [
            ("* *", Rights::ALL),
            ("* team/*", Rights::ALL),
            ("* team/app-*", Rights::NONE),
            ("* team/app", Rights::NONE),
            ("* other/*\npull team/*", Rights::READ),
            (
                "pull,push,delete team/* push:v*",
                Rights::READ.with(Right::Delete),
            ),
        ] {
            assert_eq!(ceiling(text).namespace_rights("team"), rights, "{text}");
        }
    }
}
