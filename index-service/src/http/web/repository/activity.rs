//! What happened to a repository: pulls, pushes, and where its tags went.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Response;

use super::Wish;
use super::calendar::{self, Calendar};
use super::head::Head;
use super::tag::Line;
use crate::app::repository_page::RepositoryHead;
use crate::domain::content::Dimension;
use crate::domain::{DeletionId, Right};
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::page::render;
use crate::http::web::view::View;
use crate::http::web::visitor::Visitor;

/// Changes, and deleted tags, on the first page, which shows much else, and on those behind it: names are long where they are, and
/// a page is light.
const FIRST: u32 = 5;
const PAGE: u32 = 40;
const FIRST_DELETED: u32 = 5;
const PAGE_DELETED: u32 = 20;
/// Spans that are offered, in days.
const SPANS: [i64; 3] = [30, 90, 365];
/// Lines of a table of counts.
const MOST_LINES: usize = 10;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Counts of one thing.
struct Sum {
    value: String,
    pulls: i64,
    pushes: i64,
}

/// A deleted tag that can be restored.
struct Deleted {
    tag: String,
    digest: String,
    at: i64,
    by: Option<String>,
    until: Option<i64>,
    may_restore: bool,
}

#[derive(Template)]
#[template(path = "repository/activity.html")]
struct ActivityPage {
    view: View,
    head: Head,
    days: i64,
    spans: [i64; 3],
    /// The word of what counts are by.
    by: &'static str,
    /// What was pulled and pushed; on the first page alone.
    calendar: Option<Calendar>,
    sums: Vec<Sum>,
    most: i64,
    pulls: i64,
    pushes: i64,
    last_pulled_at: Option<i64>,
    deleted: Vec<Deleted>,
    /// Where those follow that were deleted before.
    next_deleted: String,
    /// Whether it is a page of deleted tags alone.
    is_deleted_alone: bool,
    history: Vec<Line>,
    next: String,
}

pub(super) async fn show(
    state: &State,
    visitor: Visitor,
    head: &RepositoryHead,
    wish: &Wish,
) -> Result<Response, PageError> {
    let days = wish.days.filter(|days| SPANS.contains(days)).unwrap_or(SPANS[0]);
    let by = match wish.by.as_deref() {
        Some("client") => Dimension::Client,
        Some("tag") => Dimension::Tag,
        _ => Dimension::Platform,
    };
    let (caller, id) = (&visitor.caller, head.id());
    let (before, most) = match wish.before {
        Some(before) => (before, PAGE),
        None => (i64::MAX, FIRST),
    };
    let (mut told, mut sums) = (None, Vec::new());
    let (mut gone, mut changes) = (Gone::default(), Vec::new());
    let is_deleted_alone = wish.before.is_none() && wish.after.is_some();
    if let (None, Some(after)) = (wish.before, wish.after) {
        gone = deleted(state, &visitor, head, (after, PAGE_DELETED)).await?;
    } else {
        changes = state.app.list_tag_changes(caller, id, before, most + 1).await?;
    }
    if wish.before.is_none() && wish.after.is_none() {
        let all = state
            .app
            .activity(caller, id, Dimension::Repository, calendar::DAYS);
        told = Some(all.await?);
        sums = sums_of(&state.app.activity(caller, id, by, days).await?.days);
        gone = deleted(state, &visitor, head, (i64::MAX, FIRST_DELETED)).await?;
    }
    let page = usize::try_from(most).unwrap_or(usize::MAX);
    let has_more = changes.len() > page;
    changes.truncate(page);
    let head = Head::new(head, "activity");
    let next = changes.last().filter(|_| has_more).map(|last| {
        let path = head.page("activity");
        format!("{path}?days={days}&by={}&before={}", by.as_str(), last.sequence)
    });
    let today = visitor.view.now_ms.div_euclid(DAY_MS);
    let total = told.as_ref().and_then(|told| told.total.as_ref());
    Ok(render(&ActivityPage {
        calendar: told.as_ref().map(|told| Calendar::new(&told.days, today)),
        days,
        spans: SPANS,
        by: by.as_str(),
        most: sums.iter().map(|sum| sum.pulls).max().unwrap_or(0),
        sums,
        deleted: gone.tags,
        next_deleted: gone.next,
        is_deleted_alone,
        pulls: total.map_or(0, |total| total.pull_count),
        pushes: total.map_or(0, |total| total.push_count),
        last_pulled_at: total.and_then(|total| total.last_pulled_at),
        history: changes
            .into_iter()
            .map(|change| Line::new(change, None, false))
            .collect(),
        next: next.unwrap_or_default(),
        view: visitor.view,
        head,
    }))
}

/// Deleted tags, and where more follow.
#[derive(Default)]
struct Gone {
    tags: Vec<Deleted>,
    next: String,
}

/// Tags that were deleted and can be restored, for those who push here: so many before one of them.
async fn deleted(
    state: &State,
    visitor: &Visitor,
    head: &RepositoryHead,
    (before, most): (i64, u32),
) -> Result<Gone, PageError> {
    if !head.rights.contains(Right::Push) {
        return Ok(Gone::default());
    }
    let before = DeletionId::from_i64(before);
    let mut found = state
        .app
        .list_deleted_tags(&visitor.caller, head.id(), before, most + 1)
        .await?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let has_more = found.len() > most;
    found.truncate(most);
    let last = found.last().filter(|_| has_more);
    let next = last.map(|last| format!("?after={}#deleted", last.deletion_id.as_i64()));
    let tags = found.into_iter().filter_map(|one| {
        let tag = one.tag?;
        Some(Deleted {
            may_restore: head.may_push(&tag),
            tag,
            digest: one.digest,
            at: one.deleted_at,
            by: one.deleted_by,
            until: one.purge_after,
        })
    });
    Ok(Gone {
        tags: tags.collect(),
        next: next.unwrap_or_default(),
    })
}

/// Counts of all days by what they are of, the most pulls first.
fn sums_of(days: &[crate::app::content::shown::Day]) -> Vec<Sum> {
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for day in days {
        let sum = sums.entry(&day.value).or_default();
        sum.0 += day.pull_count;
        sum.1 += day.push_count;
    }
    let mut sums: Vec<Sum> = sums
        .into_iter()
        .map(|(value, (pulls, pushes))| Sum {
            value: value.to_owned(),
            pulls,
            pushes,
        })
        .collect();
    sums.sort_by_key(|sum| (std::cmp::Reverse(sum.pulls), sum.value.clone()));
    sums.truncate(MOST_LINES);
    sums
}
