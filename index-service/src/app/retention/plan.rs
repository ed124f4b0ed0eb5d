//! What a policy's rules mean for a repository as it is now.

use std::collections::BTreeSet;

use shared::oci::{RepositoryName, Tag};
use shared::token::terms::{Kept, Terms};

use crate::app::content::Holdings;
use crate::app::error::AppError;
use crate::domain::retention::{RetentionRules, Verdict, judge, subject_of_tag};

const DAY_MS: i64 = 86_400_000;
/// How far ahead of this machine's clock another's may be, in milliseconds.
const AHEAD_MS: i64 = 3_600_000;

/// A tag that would go, or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTag {
    /// Its name.
    pub name: String,
    /// The manifest that it points to.
    pub digest: String,
    /// When it was pushed last, in milliseconds since 1970.
    pub pushed_at: i64,
    /// When it, or its manifest, was pulled last,
    pub pulled_at: Option<i64>,
    /// and by whom, when it was by its name.
    pub pulled_by: Option<String>,
    /// By which rule, counted from 1; none for a tag that goes with what it is named after.
    pub rule: Option<usize>,
}

/// A tag that a rule would delete, were it not immutable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImmutableTag {
    /// Its name.
    pub name: String,
    /// By which rule of the policy it would go, counted from 1.
    pub rule: Option<usize>,
    /// The pattern that keeps it, and whose it is, in words.
    pub kept_by: String,
}

/// What goes.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    pub(super) tags: Vec<PlannedTag>,
    /// Tags that stay.
    pub(super) kept: usize,
    /// Of these, those that would go if they were not immutable.
    pub(super) immutable: Vec<ImmutableTag>,
    /// Manifests that nothing leads to any more, once the tags cannot be restored.
    pub(super) with_tags: Vec<String>,
    /// Manifests that nothing has led to for long.
    pub(super) untagged: Vec<String>,
}

/// Says what goes of a repository that keeps to these terms: a tag that is immutable stays whatever rules say. Nothing is decided
/// by a clock that is wrong.
pub(super) fn plan(
    holdings: &Holdings,
    rules: &RetentionRules,
    name: &RepositoryName,
    terms: &Terms,
    now_ms: i64,
) -> Result<Plan, AppError> {
    let is_ahead = |at: &i64| *at > now_ms.saturating_add(AHEAD_MS);
    if holdings.tags.iter().any(|tag| is_ahead(&tag.pushed_at)) {
        return Err(AppError::Conflict(
            "a tag was pushed in the future: a clock is wrong, so nothing is decided by age".to_owned(),
        ));
    }
    let verdicts = judge(&rules.rules, name, &holdings.tags, now_ms);
    let tags = holdings.tags.iter().map(|tag| tag.name.parse::<Tag>().ok());
    let kept: Vec<Option<Kept>> = tags.map(|tag| tag.and_then(|tag| terms.kept(&tag))).collect();
    let is_going = |place: usize| matches!(verdicts[place], Verdict::Goes(_)) && kept[place].is_none();
    // What is named after a manifest goes when no tag leads to that any more: it holds it no more than a referrer does, and what is
    // kept to be restored does not hold it.
    let held: Vec<&str> = holdings.held.iter().map(|(_, digest)| digest.as_str()).collect();
    let is_led_to =
        |place: usize| !is_going(place) && (verdicts[place] != Verdict::Follows || kept[place].is_some());
    let first = loose(holdings, is_going, &held, is_led_to, &[]);
    let graph = &holdings.graph;
    let mut goes: Vec<bool> = (0..verdicts.len()).map(is_going).collect();
    for (place, tag) in holdings.tags.iter().enumerate() {
        // Until everything is read, nobody knows what an index leads to.
        if verdicts[place] == Verdict::Follows && kept[place].is_none() && holdings.is_read {
            let subject = subject_of_tag(&tag.name);
            goes[place] = subject.is_some_and(|subject| first.contains(&subject));
        }
    }
    let with_tags = loose(holdings, |place| goes[place], &[], |place| !goes[place], &held);
    let untagged = match rules.untagged_days {
        Some(days) if holdings.is_read => {
            let before = now_ms.saturating_sub(i64::from(days) * DAY_MS);
            // Tags that go now can be restored for a while: what they lead to stays for so long.
            graph.untagged(&holdings.roots(&[]), before)
        }
        _ => Vec::new(),
    };
    let mut plan = Plan {
        with_tags: with_tags.into_iter().collect(),
        untagged,
        ..Plan::default()
    };
    for (place, tag) in holdings.tags.iter().enumerate() {
        let rule = match verdicts[place] {
            Verdict::Goes(rule) => Some(rule),
            Verdict::Kept(_) | Verdict::Untouched | Verdict::Follows => None,
        };
        if !goes[place] {
            plan.kept += 1;
            if let (Some(kept), Some(_)) = (&kept[place], rule) {
                plan.immutable.push(ImmutableTag {
                    name: tag.name.clone(),
                    rule,
                    kept_by: kept.to_string(),
                });
            }
            continue;
        }
        plan.tags.push(PlannedTag {
            rule,
            name: tag.name.clone(),
            digest: tag.digest.clone(),
            pushed_at: tag.pushed_at,
            pulled_at: tag.pulled_at,
            pulled_by: holdings.pulled_by.get(place).cloned().flatten(),
        });
    }
    Ok(plan)
}

/// Of what some tags and manifests lead to, what neither other tags nor some manifests lead to.
fn loose(
    holdings: &Holdings,
    goes: impl Fn(usize) -> bool,
    go_too: &[&str],
    stays: impl Fn(usize) -> bool,
    stay_too: &[&str],
) -> BTreeSet<String> {
    let tags = || holdings.tags.iter().enumerate();
    let gone = tags()
        .filter(|(place, _)| goes(*place))
        .map(|(_, tag)| tag.digest.as_str());
    let reached = holdings.graph.reach(gone.chain(go_too.iter().copied()));
    let candidates: BTreeSet<String> = reached.into_iter().map(str::to_owned).collect();
    let staying = tags()
        .filter(|(place, _)| stays(*place))
        .map(|(_, tag)| tag.digest.as_str());
    let roots: Vec<String> = staying
        .chain(stay_too.iter().copied())
        .map(str::to_owned)
        .collect();
    holdings.graph.loose(&candidates, &roots).into_iter().collect()
}
