//! Retention: which tags of a repository stay, and which go.

mod graph;
mod judge;
mod schedule;

pub use graph::{Graph, Node, subject_of_tag};
pub use judge::{TagFacts, Verdict, judge};
pub use schedule::Schedule;

use serde::{Deserialize, Serialize};
use shared::oci::RepositoryName;
use shared::token::TagSet;

use super::pattern::RepositoryPattern;

/// Most rules of a policy.
pub const MAX_RULES: usize = 20;
/// Most days that a rule may speak of.
pub const MAX_DAYS: u32 = 36_500;
/// Most tags that a rule may keep by their count.
pub const MAX_COUNT: u32 = 100_000;
/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// What a rule does with the tags that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionAction {
    /// They stay, whatever other rules say.
    Keep,
    /// They go, unless a rule keeps them.
    Delete,
}

impl RetentionAction {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Delete => "delete",
        }
    }
}

/// A rule as it is written and stored. Conditions that are absent hold; of several all must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleForm {
    /// What becomes of the tags.
    pub action: RetentionAction,
    /// Of which repositories of a namespace; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repositories: Option<String>,
    /// Patterns of the tags; without one, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Patterns of tags that it is not about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
    /// To keep: so many of them that were pushed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<u32>,
    /// To keep: pushed within so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_within_days: Option<u32>,
    /// To keep: pulled within so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulled_within_days: Option<u32>,
    /// To delete: not pushed for so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_pushed_for_days: Option<u32>,
    /// To delete: neither pulled nor pushed for so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_pulled_for_days: Option<u32>,
}

/// Why a policy is refused whoever wants it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRetention {
    /// Too many rules.
    #[error("a policy has at most {MAX_RULES} rules")]
    TooMany,
    /// Something about one rule.
    #[error("rule {0}: {1}")]
    Rule(usize, String),
    /// Days that cannot be.
    #[error("untagged manifests go after 1 to {MAX_DAYS} days")]
    Untagged,
    /// A schedule that cannot be.
    #[error("a policy is carried out every 1 to 31 days, at an hour from 0 to 23 (UTC)")]
    Schedule,
}

/// A rule that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionRule {
    /// As it was written.
    pub form: RuleForm,
    repositories: Option<RepositoryPattern>,
    tags: TagSet,
    except: TagSet,
}

impl RetentionRule {
    /// Checks a rule of a namespace, or of one repository.
    fn new(form: RuleForm, is_of_namespace: bool) -> Result<Self, String> {
        let repositories = match &form.repositories {
            None => None,
            Some(_) if !is_of_namespace => {
                return Err("only the policy of a namespace chooses repositories".to_owned());
            }
            Some(text) => Some(
                text.parse::<RepositoryPattern>()
                    .map_err(|error| error.to_string())?,
            ),
        };
        let set = |texts: &[String]| -> Result<TagSet, String> {
            let patterns: Result<_, _> = texts.iter().map(|text| text.parse()).collect();
            patterns.and_then(TagSet::only).map_err(|error| error.to_string())
        };
        let tags = if form.tags.is_empty() {
            TagSet::Every
        } else {
            set(&form.tags)?
        };
        let except = set(&form.except)?;
        let (keeps, deletes) = (
            [form.newest, form.pushed_within_days, form.pulled_within_days],
            [form.not_pushed_for_days, form.not_pulled_for_days],
        );
        match form.action {
            RetentionAction::Keep if deletes.iter().any(Option::is_some) => {
                return Err(
                    "not_pushed_for_days and not_pulled_for_days are conditions to delete".to_owned(),
                );
            }
            RetentionAction::Delete if keeps.iter().any(Option::is_some) => {
                return Err(
                    "newest, pushed_within_days and pulled_within_days are conditions to keep".to_owned(),
                );
            }
            RetentionAction::Keep | RetentionAction::Delete => {}
        }
        let days = [
            form.pushed_within_days,
            form.pulled_within_days,
            form.not_pushed_for_days,
            form.not_pulled_for_days,
        ];
        if days
            .into_iter()
            .flatten()
            .any(|days| !(1..=MAX_DAYS).contains(&days))
        {
            return Err(format!("days are from 1 to {MAX_DAYS}"));
        }
        if form.newest.is_some_and(|count| !(1..=MAX_COUNT).contains(&count)) {
            return Err(format!("newest is from 1 to {MAX_COUNT}"));
        }
        Ok(Self {
            form,
            repositories,
            tags,
            except,
        })
    }

    fn is_about_repository(&self, name: &RepositoryName) -> bool {
        self.repositories
            .as_ref()
            .is_none_or(|pattern| pattern.matches(name))
    }
}

/// The rules of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionRules {
    /// A tag that any rule keeps stays; of the others, those go that any rule deletes.
    pub rules: Vec<RetentionRule>,
    /// Manifests that nothing leads to go after so many days.
    pub untagged_days: Option<u32>,
}

impl RetentionRules {
    /// Checks rules of a namespace, or of one repository.
    pub fn new(
        forms: Vec<RuleForm>,
        untagged_days: Option<u32>,
        is_of_namespace: bool,
    ) -> Result<Self, InvalidRetention> {
        if forms.len() > MAX_RULES {
            return Err(InvalidRetention::TooMany);
        }
        if untagged_days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
            return Err(InvalidRetention::Untagged);
        }
        let rules = forms.into_iter().enumerate().map(|(place, form)| {
            RetentionRule::new(form, is_of_namespace).map_err(|why| InvalidRetention::Rule(place + 1, why))
        });
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
            untagged_days,
        })
    }

    /// The rules as they are stored.
    pub fn to_json(&self) -> String {
        let forms: Vec<&RuleForm> = self.rules.iter().map(|rule| &rule.form).collect();
        serde_json::to_string(&forms).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
