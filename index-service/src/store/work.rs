//! Work that takes long: what others tell of theirs, and runs of retention beside it.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::WorkId;
use crate::domain::work::{LongWork, WorkKind, WorkOutcome, WorkPhase, WorkPlace, WorkProgress, WorkUnit};

statements! {
    ADD_WORK = "insert into work (work_id, run, kind, namespace_id, repository_id, subject, began_by, began_at, told_at,
        sequence, phase, unit, done, total, bytes, is_rehearsal, outcome, message, ended_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
        on conflict (run) do nothing";
    NOTE_WORK = "update work set told_at = $1, sequence = $2, phase = $3, unit = $4, done = $5, total = $6, bytes = $7,
        outcome = $8, message = $9, ended_at = $10 where run = $11 and sequence < $2 and outcome is null";
    FIND_WORK_OWNER = "select kind, began_by from work where run = $1";
    FIND_LAST_SUBJECT = "select subject from work where kind = $1 order by work_id desc limit 1";
    LIST_WORK = "select w.work_id, w.kind, w.namespace_id, w.repository_id, w.subject, w.began_by, w.began_at, w.told_at,
        w.phase, w.unit, w.done, w.total, w.bytes, w.is_rehearsal, w.outcome, w.message, w.ended_at,
        n.name as namespace_name, r.name as repository_name from work w
        left join namespace n on n.namespace_id = w.namespace_id
        left join repository r on r.repository_id = w.repository_id
        where w.work_id < $1 order by w.work_id desc limit $2";
    /// What has not ended, and was heard of since.
    LIST_LIVE_WORK = "select w.work_id, w.kind, w.namespace_id, w.repository_id, w.subject, w.began_by, w.began_at, w.told_at,
        w.phase, w.unit, w.done, w.total, w.bytes, w.is_rehearsal, w.outcome, w.message, w.ended_at,
        n.name as namespace_name, r.name as repository_name from work w
        left join namespace n on n.namespace_id = w.namespace_id
        left join repository r on r.repository_id = w.repository_id
        where w.outcome is null and w.told_at > $1 order by w.told_at desc limit $2";
    /// All but the newest so many of a kind.
    PRUNE_WORK = "delete from work where kind = $1 and work_id <= (select work_id from work where kind = $1
        order by work_id desc limit 1 offset $2)";
    /// The same of what one account began.
    PRUNE_WORK_OF = "delete from work where kind = $1 and began_by = $2 and work_id <= (select work_id from work
        where kind = $1 and began_by = $2 order by work_id desc limit 1 offset $3)";
    LIST_RETENTION_WORK = "select t.run_id, t.namespace_id, t.repository_id, t.requested_by, t.state, t.due_at, t.created_at,
        t.started_at, t.ended_at, t.tags, t.manifests, t.failures, t.planned, t.message, n.name as namespace_name,
        r.name as repository_name from retention_run t
        left join namespace n on n.namespace_id = t.namespace_id
        left join repository r on r.repository_id = t.repository_id
        where t.run_id < $1 order by t.run_id desc limit $2";
    LIST_LIVE_RETENTION = "select t.run_id, t.namespace_id, t.repository_id, t.requested_by, t.state, t.due_at, t.created_at,
        t.started_at, t.ended_at, t.tags, t.manifests, t.failures, t.planned, t.message, n.name as namespace_name,
        r.name as repository_name from retention_run t
        left join namespace n on n.namespace_id = t.namespace_id
        left join repository r on r.repository_id = t.repository_id
        where t.due_at > $1 order by t.due_at desc limit $2";
}

row! {
struct OwnerRow {
    kind: String,
    began_by: String,
}
}

row! {
struct SubjectRow {
    subject: String,
}
}

row! {
struct WorkRow {
    work_id: i64,
    kind: String,
    namespace_id: Option<i64>,
    repository_id: Option<i64>,
    subject: String,
    began_by: String,
    began_at: i64,
    told_at: i64,
    phase: String,
    unit: String,
    done: i64,
    total: Option<i64>,
    bytes: Option<i64>,
    is_rehearsal: bool,
    outcome: Option<String>,
    message: String,
    ended_at: Option<i64>,
    namespace_name: Option<String>,
    repository_name: Option<String>,
}
}

row! {
struct RetentionRow {
    run_id: i64,
    namespace_id: Option<i64>,
    repository_id: Option<i64>,
    requested_by: Option<String>,
    state: String,
    due_at: Option<i64>,
    created_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    tags: i64,
    manifests: i64,
    failures: i64,
    planned: Option<i64>,
    message: Option<String>,
    namespace_name: Option<String>,
    repository_name: Option<String>,
}
}

impl WorkRow {
    fn into_work(self) -> Result<LongWork, StoreError> {
        let outcome = self.outcome.map(|word| word.parse::<WorkOutcome>()).transpose();
        let place = WorkPlace::of_ids(self.namespace_id, self.repository_id);
        let name = self.repository_name.or(self.namespace_name);
        Ok(LongWork {
            work_id: WorkId::from_i64(self.work_id),
            kind: self.kind.parse().map_err(unreadable("work"))?,
            place: place.map(|place| (place, name)),
            subject: self.subject,
            began_by: self.began_by,
            began_at: self.began_at,
            told_at: self.told_at,
            ended_at: self.ended_at,
            is_rehearsal: self.is_rehearsal,
            progress: WorkProgress {
                phase: self.phase.parse().map_err(unreadable("work"))?,
                unit: self.unit.parse().map_err(unreadable("work"))?,
                done: self.done,
                total: self.total,
                bytes: self.bytes,
                outcome: outcome.map_err(unreadable("work"))?,
                message: self.message,
            },
        })
    }
}

impl RetentionRow {
    /// Of a run that has not ended, the last sign of life is where its claim ends.
    fn into_work(self) -> LongWork {
        let (phase, outcome) = match self.state.as_str() {
            "waiting" => (WorkPhase::Waiting, None),
            "done" => (WorkPhase::Deleting, Some(WorkOutcome::Done)),
            "failed" => (WorkPhase::Deleting, Some(WorkOutcome::Failed)),
            _ => (WorkPhase::Deleting, None),
        };
        let place = WorkPlace::of_ids(self.namespace_id, self.repository_id);
        let name = self.repository_name.or(self.namespace_name);
        LongWork {
            work_id: WorkId::from_i64(self.run_id),
            kind: WorkKind::Retention,
            place: place.map(|place| (place, name)),
            subject: String::new(),
            began_by: self.requested_by.unwrap_or_default(),
            began_at: self.started_at.unwrap_or(self.created_at),
            told_at: self.due_at.or(self.ended_at).unwrap_or(self.created_at),
            ended_at: self.ended_at,
            is_rehearsal: false,
            progress: WorkProgress {
                phase,
                unit: WorkUnit::TagsAndManifests,
                done: self.tags + self.manifests + self.failures,
                total: self.planned,
                bytes: None,
                outcome,
                message: self.message.unwrap_or_default(),
            },
        }
    }
}

/// Adds work that `run` names, as the report with this number tells it; nothing where there is such work.
pub async fn add_work(tx: &mut Tx, run: &str, sequence: i64, new: &LongWork) -> Result<(), StoreError> {
    let (namespace_id, repository_id) = new.place.as_ref().map_or((None, None), |(place, _)| place.ids());
    let progress = &new.progress;
    on!(tx, c => sqlx::query(ADD_WORK)
        .bind(new.work_id.as_i64())
        .bind(run)
        .bind(new.kind.as_str())
        .bind(namespace_id)
        .bind(repository_id)
        .bind(&new.subject)
        .bind(&new.began_by)
        .bind(new.began_at)
        .bind(new.told_at)
        .bind(sequence)
        .bind(progress.phase.as_str())
        .bind(progress.unit.as_str())
        .bind(progress.done)
        .bind(progress.total)
        .bind(progress.bytes)
        .bind(new.is_rehearsal)
        .bind(progress.outcome.map(WorkOutcome::as_str))
        .bind(&progress.message)
        .bind(new.ended_at)
        .execute(c).await.map(drop))
    .map_err(writing("work"))
}

/// Notes how far work is that has not ended, unless a report with this number, or a later one, was noted; says whether.
pub async fn note_work(
    tx: &mut Tx,
    run: &str,
    sequence: i64,
    progress: &WorkProgress,
    now_ms: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(NOTE_WORK)
        .bind(now_ms)
        .bind(sequence)
        .bind(progress.phase.as_str())
        .bind(progress.unit.as_str())
        .bind(progress.done)
        .bind(progress.total)
        .bind(progress.bytes)
        .bind(progress.outcome.map(WorkOutcome::as_str))
        .bind(&progress.message)
        .bind(progress.outcome.map(|_| now_ms))
        .bind(run)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("work"))
}

/// What the work is that `run` names, and whose.
pub async fn find_work_owner(tx: &mut Tx, run: &str) -> Result<Option<(WorkKind, String)>, StoreError> {
    let Some(row) = find!("work", tx, OwnerRow, FIND_WORK_OWNER, run)? else {
        return Ok(None);
    };
    Ok(Some((
        row.kind.parse().map_err(unreadable("work"))?,
        row.began_by,
    )))
}

/// What the newest work of a kind was about, in words.
pub async fn find_last_subject(tx: &mut Tx, kind: WorkKind) -> Result<Option<String>, StoreError> {
    let row = find!("work", tx, SubjectRow, FIND_LAST_SUBJECT, kind.as_str())?;
    Ok(row.map(|row| row.subject))
}

/// At most `limit` works that were told of, the newest first, those before `before`.
pub async fn list_work(tx: &mut Tx, before: WorkId, limit: u32) -> Result<Vec<LongWork>, StoreError> {
    let rows = list!("work", tx, WorkRow, LIST_WORK, before.as_i64(), i64::from(limit))?;
    rows.into_iter().map(WorkRow::into_work).collect()
}

/// At most `limit` of those that have not ended and were heard of after `since_ms`.
pub async fn list_live_work(tx: &mut Tx, since_ms: i64, limit: u32) -> Result<Vec<LongWork>, StoreError> {
    let rows = list!("work", tx, WorkRow, LIST_LIVE_WORK, since_ms, i64::from(limit))?;
    rows.into_iter().map(WorkRow::into_work).collect()
}

/// At most `limit` runs of policies of retention, the newest first, those before `before`.
pub async fn list_retention_work(
    tx: &mut Tx,
    before: WorkId,
    limit: u32,
) -> Result<Vec<LongWork>, StoreError> {
    let rows = list!(
        "runs",
        tx,
        RetentionRow,
        LIST_RETENTION_WORK,
        before.as_i64(),
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(RetentionRow::into_work).collect())
}

/// At most `limit` of those that have not ended.
pub async fn list_live_retention(tx: &mut Tx, limit: u32) -> Result<Vec<LongWork>, StoreError> {
    let rows = list!(
        "runs",
        tx,
        RetentionRow,
        LIST_LIVE_RETENTION,
        i64::MIN,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(RetentionRow::into_work).collect())
}

/// Forgets all but the newest `keep` works of a kind.
pub async fn prune_work(tx: &mut Tx, kind: WorkKind, keep: u32) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(PRUNE_WORK).bind(kind.as_str()).bind(i64::from(keep)).execute(c).await.map(drop))
        .map_err(writing("work"))
}

/// Forgets all but the newest `keep` works of a kind that one account began.
pub async fn prune_work_of(tx: &mut Tx, kind: WorkKind, by: &str, keep: u32) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(PRUNE_WORK_OF).bind(kind.as_str()).bind(by).bind(i64::from(keep))
        .execute(c).await.map(drop))
    .map_err(writing("work"))
}
