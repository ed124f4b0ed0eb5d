//! Repositories that a principal may see, page by page.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::access::Surroundings;
use super::dialect::{Tx, list, statements};
use super::error::StoreError;
use super::repository::RepositoryRow;
use super::row::row;
use crate::domain::{
    Ceiling, NamespaceId, Principal, RepositoryFacts, RepositoryPattern, Right, Rights, decide, permission,
};

/// What may be visible, as [`crate::domain::decide`] would say, of a repository `r`: to the account `$1`, at home in the
/// namespace `$2`, an administrator or not (`$3`), the robot `$4`. Each candidate is asked about there as well. Every condition
/// is a look-up for one candidate, so that an order is walked and a page ends early.
macro_rules! visible {
    () => {
        "(r.visibility = 'public' or (r.visibility = 'internal' and $1 > 0)
            or exists (select 1 from namespace n where n.namespace_id = r.namespace_id
              and (n.account_id = $1 or n.namespace_id = $2 or (n.account_id is null and n.organisation_id is null and $3)))
            or exists (select 1 from namespace n join member m on m.organisation_id = n.organisation_id
              and m.account_id = $1 and m.role in ('owner', 'manager') where n.namespace_id = r.namespace_id)
            or exists (select 1 from access_rule a where a.namespace_id = r.namespace_id
              and ((a.subject_kind = 'account' and a.subject_id = $1) or (a.subject_kind = 'robot' and a.subject_id = $4)
                or (a.subject_kind in ('members', 'signed_in', 'anyone') and a.subject_id = 0))
              and (a.repository_id = r.repository_id or (r.name >= a.name_from and r.name < a.name_before)
                or (r.name not like '%/%' and 'library/' || r.name >= a.name_from and 'library/' || r.name < a.name_before)))
            or exists (select 1 from team_member t join access_rule a on a.namespace_id = r.namespace_id
              and a.subject_kind = 'team' and a.subject_id = t.team_id where t.account_id = $1
              and (a.repository_id = r.repository_id or (r.name >= a.name_from and r.name < a.name_before))))"
    };
}

statements! {
    /// In the order of their names.
    LIST_CANDIDATES = concat!(
        "select r.repository_id, r.namespace_id, r.name, r.stored_as, r.visibility, r.state, r.pending_until from repository r
        where r.state = 'active' and r.state <> 'deleted' and ", visible!(), "
          and r.name > $5 and r.name >= $6 and r.name < $7 and ($8 or r.name not like '%/%')
        order by r.name limit $9"
    );
    /// The same in one namespace.
    LIST_CANDIDATES_IN = concat!(
        "select r.repository_id, r.namespace_id, r.name, r.stored_as, r.visibility, r.state, r.pending_until from repository r
        where r.state = 'active' and r.state <> 'deleted' and ", visible!(), "
          and r.namespace_id = $5 and r.name > $6 order by r.name limit $7"
    );
    /// The same, those first of which a tag was changed last.
    LIST_CHANGED_IN = concat!(
        "select r.repository_id, r.namespace_id, r.name, r.stored_as, r.visibility, r.state, r.pending_until,
        r.tag_changed_at as at from repository r
        where r.state = 'active' and r.state <> 'deleted' and ", visible!(), "
          and r.namespace_id = $5 and (r.tag_changed_at, r.repository_id) < ($6, $7)
        order by r.tag_changed_at desc, r.repository_id desc limit $8"
    );
    /// A step of the walk along the last pushes: [`STEP`] repositories, whether visible or not.
    LIST_PUSHED = concat!(
        "select r.repository_id, r.namespace_id, r.name, r.stored_as, r.visibility, r.state, r.pending_until,
        walk.last_pushed_at as at, cast(case when r.state = 'active' and ", visible!(), "
          then 1 else 0 end as bigint) as visible
        from (select repository_id, last_pushed_at from content_total
          where dimension = 'repository' and value = '' and (last_pushed_at, repository_id) < ($5, $6)
          order by last_pushed_at desc, repository_id desc limit 200) as walk
        cross join repository r where r.repository_id = walk.repository_id"
    );
}

row! {
struct ChangedRow {
    repository_id: i64,
    namespace_id: i64,
    name: String,
    stored_as: String,
    visibility: String,
    state: String,
    pending_until: Option<i64>,
    at: i64,
}
}

row! {
struct PushedRow {
    repository_id: i64,
    namespace_id: i64,
    name: String,
    stored_as: String,
    visibility: String,
    state: String,
    pending_until: Option<i64>,
    at: i64,
    visible: i64,
}
}

/// Most candidates that are read at once.
const MAX_BATCH: u32 = 1000;
/// Repositories of a step along the last pushes, as its statement says.
const STEP: usize = 200;
/// Most steps for one list: behind them, what was pushed is old to whoever sees so little of it.
const MOST_STEPS: usize = 10;

/// At most `limit` active repositories that `principal` may pull at `now_ms`, in the order of their names (of bytes), those
/// behind `after` (empty for the first page). A page is full unless it is the last.
pub async fn list_visible_repositories(
    tx: &mut Tx,
    principal: &Principal,
    after: &str,
    limit: u32,
    now_ms: i64,
) -> Result<Vec<RepositoryFacts>, StoreError> {
    let mut page = Page::new(limit);
    let mut after = after.to_owned();
    for range in ranges(permission::ceiling(principal)) {
        while !page.is_full() {
            let batch = list_candidates(tx, principal, &after, &range, limit.min(MAX_BATCH)).await?;
            let Some(last) = batch.last() else { break };
            after = last.name.to_string();
            page.take(tx, principal, batch, now_ms).await?;
        }
    }
    Ok(page.found)
}

/// At most `limit` of those that are in one namespace, behind `after`: (`after`, `limit`).
pub async fn list_visible_in(
    tx: &mut Tx,
    principal: &Principal,
    namespace_id: NamespaceId,
    (after, limit): (&str, u32),
    now_ms: i64,
) -> Result<Vec<RepositoryFacts>, StoreError> {
    let mut page = Page::new(limit);
    let mut after = after.to_owned();
    let Some(who) = Who::of(principal) else {
        return Ok(page.found);
    };
    while !page.is_full() {
        let batch = list!(
            "repositories",
            tx,
            RepositoryRow,
            LIST_CANDIDATES_IN,
            who.account_id,
            who.home,
            who.is_admin,
            who.robot_id,
            namespace_id.as_i64(),
            after.as_str(),
            i64::from(limit.min(MAX_BATCH))
        )?;
        let batch: Vec<RepositoryFacts> = batch
            .into_iter()
            .map(RepositoryRow::into_facts)
            .collect::<Result<_, _>>()?;
        let Some(last) = batch.last() else { break };
        after = last.name.to_string();
        page.take(tx, principal, batch, now_ms).await?;
    }
    Ok(page.found)
}

/// A repository, and when a tag of it was changed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The repository.
    pub facts: RepositoryFacts,
    /// In milliseconds since 1970.
    pub tag_changed_at: i64,
}

/// At most `limit` repositories of a namespace that `principal` may pull, those first of which a tag was changed last, behind
/// the one of this time and id: (`before`, `limit`).
pub async fn list_changed_in(
    tx: &mut Tx,
    principal: &Principal,
    namespace_id: NamespaceId,
    (before, limit): ((i64, i64), u32),
    now_ms: i64,
) -> Result<Vec<Changed>, StoreError> {
    let mut page = Page::new(limit);
    let mut times = HashMap::new();
    let (mut at, mut id) = before;
    let Some(who) = Who::of(principal) else {
        return Ok(Vec::new());
    };
    while !page.is_full() {
        let batch = list!(
            "repositories",
            tx,
            ChangedRow,
            LIST_CHANGED_IN,
            who.account_id,
            who.home,
            who.is_admin,
            who.robot_id,
            namespace_id.as_i64(),
            at,
            id,
            i64::from(limit.min(MAX_BATCH))
        )?;
        let Some(last) = batch.last() else { break };
        (at, id) = (last.at, last.repository_id);
        let mut candidates = Vec::with_capacity(batch.len());
        for row in batch {
            times.insert(row.repository_id, row.at);
            candidates.push(row.into_repository().into_facts()?);
        }
        page.take(tx, principal, candidates, now_ms).await?;
    }
    let changed = page.found.into_iter().filter_map(|facts| {
        Some(Changed {
            tag_changed_at: *times.get(&facts.repository_id.as_i64())?,
            facts,
        })
    });
    Ok(changed.collect())
}

/// A repository, and when something was pushed to it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The repository.
    pub facts: RepositoryFacts,
    /// In milliseconds since 1970.
    pub pushed_at: i64,
}

/// At most `limit` repositories that `principal` may pull, those first to which something was pushed last. Of the last pushes
/// of all so many are looked through and no more.
pub async fn list_pushed(
    tx: &mut Tx,
    principal: &Principal,
    limit: u32,
    now_ms: i64,
) -> Result<Vec<Pushed>, StoreError> {
    let mut page = Page::new(limit);
    let mut times = HashMap::new();
    let (mut at, mut id) = (i64::MAX, i64::MAX);
    let Some(who) = Who::of(principal) else {
        return Ok(Vec::new());
    };
    for _ in 0..MOST_STEPS {
        let mut batch = list!(
            "repositories",
            tx,
            PushedRow,
            LIST_PUSHED,
            who.account_id,
            who.home,
            who.is_admin,
            who.robot_id,
            at,
            id
        )?;
        // What a join is made of has an order; what it makes has none.
        batch.sort_by_key(|row| std::cmp::Reverse((row.at, row.repository_id)));
        let is_last = batch.len() < STEP;
        let Some(last) = batch.last() else { break };
        (at, id) = (last.at, last.repository_id);
        let mut candidates = Vec::new();
        for row in batch.into_iter().filter(|row| row.visible > 0) {
            times.insert(row.repository_id, row.at);
            candidates.push(row.into_repository().into_facts()?);
        }
        page.take(tx, principal, candidates, now_ms).await?;
        if page.is_full() || is_last {
            break;
        }
    }
    let pushed = page.found.into_iter().filter_map(|facts| {
        Some(Pushed {
            pushed_at: *times.get(&facts.repository_id.as_i64())?,
            facts,
        })
    });
    Ok(pushed.collect())
}

/// The repository of a row that says something besides.
macro_rules! with_repository {
    ($($row:ident),+) => {$(
        impl $row {
            fn into_repository(self) -> RepositoryRow {
                RepositoryRow {
                    repository_id: self.repository_id,
                    namespace_id: self.namespace_id,
                    name: self.name,
                    stored_as: self.stored_as,
                    visibility: self.visibility,
                    state: self.state,
                    pending_until: self.pending_until,
                }
            }
        }
    )+};
}

with_repository!(PushedRow, ChangedRow);

/// A page that is being filled with those of the candidates that the decision lets be pulled.
struct Page {
    wanted: usize,
    found: Vec<RepositoryFacts>,
    /// What was read about namespaces, each once.
    known: HashMap<NamespaceId, Surroundings>,
}

impl Page {
    fn new(limit: u32) -> Self {
        Self {
            wanted: usize::try_from(limit).unwrap_or(usize::MAX),
            found: Vec::new(),
            known: HashMap::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.wanted
    }

    async fn take(
        &mut self,
        tx: &mut Tx,
        principal: &Principal,
        candidates: Vec<RepositoryFacts>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        for facts in candidates {
            if self.is_full() {
                break;
            }
            let surroundings = match self.known.entry(facts.namespace_id) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    entry.insert(Surroundings::of_namespace(tx, principal, facts.namespace_id).await?)
                }
            };
            let facts_now = surroundings.facts(Some(&facts), now_ms);
            if decide(principal, &facts_now, &facts.name, Rights::READ)
                .granted
                .contains(Right::Pull)
            {
                self.found.push(facts);
            }
        }
        Ok(())
    }
}

/// Names from one to before another, perhaps those of one segment alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    from: String,
    before: String,
    of_any_length: bool,
}

/// What a ceiling lets through at all: disjoint, in their order.
fn ranges(ceiling: Option<&Ceiling>) -> Vec<Range> {
    let everything = [RepositoryPattern::every()];
    let patterns: Vec<&RepositoryPattern> = match ceiling {
        None | Some(Ceiling::Full) => everything.iter().collect(),
        Some(Ceiling::Limited(limits)) => limits
            .iter()
            .filter(|limit| limit.rights.contains(Right::Pull))
            .map(|limit| &limit.pattern)
            .collect(),
    };
    let mut ranges: Vec<Range> = patterns
        .into_iter()
        .flat_map(|pattern| {
            let ranges = pattern.ranges();
            [(ranges.names, true), (ranges.one_segment, false)]
        })
        .filter(|((from, before), _)| from < before)
        .map(|((from, before), of_any_length)| Range {
            from,
            before,
            of_any_length,
        })
        .collect();
    ranges.sort();
    ranges
        .into_iter()
        .fold(Vec::new(), |mut merged: Vec<Range>, range| {
            match merged.last_mut() {
                Some(last) if range.from <= last.before => {
                    // What is let through too much is refused by the decision.
                    last.of_any_length |= range.of_any_length;
                    if range.before > last.before {
                        last.before = range.before;
                    }
                }
                _ => merged.push(range),
            }
            merged
        })
}

/// Whom candidates are looked for.
struct Who {
    account_id: i64,
    is_admin: bool,
    home: i64,
    robot_id: i64,
}

impl Who {
    /// `None` for whoever sees nothing at all.
    fn of(principal: &Principal) -> Option<Self> {
        // No row has the id -1.
        let nobody = Self {
            account_id: -1,
            is_admin: false,
            home: -1,
            robot_id: -1,
        };
        match principal {
            Principal::Anonymous => Some(nobody),
            Principal::Account(account) => (!account.is_disabled).then(|| Self {
                account_id: account.account_id.as_i64(),
                is_admin: account.is_admin,
                ..nobody
            }),
            Principal::Machine(machine) => (!machine.is_disabled).then(|| Self {
                home: machine.namespace_id.as_i64(),
                robot_id: machine.robot_id.map_or(-1, crate::domain::RobotId::as_i64),
                ..nobody
            }),
        }
    }
}

async fn list_candidates(
    tx: &mut Tx,
    principal: &Principal,
    after: &str,
    range: &Range,
    limit: u32,
) -> Result<Vec<RepositoryFacts>, StoreError> {
    let Some(who) = Who::of(principal) else {
        return Ok(Vec::new());
    };
    let (from, before) = (range.from.as_str(), range.before.as_str());
    list!(
        "repositories",
        tx,
        RepositoryRow,
        LIST_CANDIDATES,
        who.account_id,
        who.home,
        who.is_admin,
        who.robot_id,
        after,
        from,
        before,
        range.of_any_length,
        i64::from(limit)
    )?
    .into_iter()
    .map(RepositoryRow::into_facts)
    .collect()
}
