//! The verdict of a policy's rules on the tags of a repository.

use shared::oci::{RepositoryName, Tag};

use super::graph::subject_of_tag;
use super::{DAY_MS, RetentionAction, RetentionRule};

/// What a tag is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFacts {
    /// Its name.
    pub name: String,
    /// The manifest that it points to.
    pub digest: String,
    /// When it was pushed last, or first known, in milliseconds since 1970.
    pub pushed_at: i64,
    /// When it, or its manifest, was pulled last.
    pub pulled_at: Option<i64>,
}

/// What becomes of a tag, and by which rule, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A rule keeps it.
    Kept(usize),
    /// A rule deletes it, and none keeps it.
    Goes(usize),
    /// No rule is about it.
    Untouched,
    /// It is named after a manifest, whose signature or the like it is: it stays and goes with that.
    Follows,
}

/// The verdict on each tag of the repository, in their order. A tag that any rule keeps stays.
pub fn judge(rules: &[RetentionRule], name: &RepositoryName, tags: &[TagFacts], now_ms: i64) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = tags
        .iter()
        .map(|tag| match subject_of_tag(&tag.name) {
            Some(_) => Verdict::Follows,
            None => Verdict::Untouched,
        })
        .collect();
    let parsed: Vec<Option<Tag>> = tags.iter().map(|tag| tag.name.parse().ok()).collect();
    // Rules that keep come last, so that what they say stands.
    for wanted in [RetentionAction::Delete, RetentionAction::Keep] {
        let numbered = (1..).zip(rules);
        for (number, rule) in
            numbered.filter(|(_, rule)| rule.form.action == wanted && rule.is_about_repository(name))
        {
            let mut matched: Vec<usize> = (0..tags.len())
                .filter(|place| {
                    verdicts[*place] != Verdict::Follows
                        && parsed[*place]
                            .as_ref()
                            .is_some_and(|tag| rule.tags.contains(tag) && !rule.except.contains(tag))
                })
                .collect();
            if let Some(count) = rule.form.newest {
                matched.sort_by(|a, b| {
                    let (a, b) = (&tags[*a], &tags[*b]);
                    b.pushed_at.cmp(&a.pushed_at).then_with(|| b.name.cmp(&a.name))
                });
                matched.truncate(usize::try_from(count).unwrap_or(usize::MAX));
            }
            for place in matched {
                if !holds(rule, &tags[place], now_ms) {
                    continue;
                }
                match (wanted, verdicts[place]) {
                    (RetentionAction::Delete, Verdict::Untouched) => verdicts[place] = Verdict::Goes(number),
                    (RetentionAction::Keep, Verdict::Untouched | Verdict::Goes(_)) => {
                        verdicts[place] = Verdict::Kept(number);
                    }
                    _ => {}
                }
            }
        }
    }
    verdicts
}

/// Whether every condition of a rule holds for a tag, save its place among others.
fn holds(rule: &RetentionRule, tag: &TagFacts, now_ms: i64) -> bool {
    let is_within = |at: i64, days: u32| at > now_ms.saturating_sub(i64::from(days) * DAY_MS);
    let used_at = tag.pulled_at.map_or(tag.pushed_at, |at| at.max(tag.pushed_at));
    let form = &rule.form;
    form.pushed_within_days
        .is_none_or(|days| is_within(tag.pushed_at, days))
        && form
            .pulled_within_days
            .is_none_or(|days| tag.pulled_at.is_some_and(|at| is_within(at, days)))
        && form
            .not_pushed_for_days
            .is_none_or(|days| !is_within(tag.pushed_at, days))
        && form
            .not_pulled_for_days
            .is_none_or(|days| !is_within(used_at, days))
}
