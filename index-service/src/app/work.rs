//! Work that takes long: what the registry and imports tell of theirs, and how far everything is, for administrators.

use std::cmp::Reverse;
use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;

use super::App;
use super::caller::Caller;
use super::error::AppError;
use super::overview::ReindexProgress;
use super::retention::CLAIM_MS;
use crate::domain::content::clean;
use crate::domain::work::{
    LongWork, SILENCE_MS, WorkKind, WorkOutcome, WorkPhase, WorkPlace, WorkProgress, WorkUnit,
};
use crate::domain::{NamespaceName, WorkId};
use crate::store::{Tx, namespace, repository, work};

/// Works of each kind that are remembered.
const KEPT: u32 = 100;
/// Imports of one account that are remembered, so that nobody's push out everybody's.
const KEPT_OF_ONE: u32 = 20;
/// Works of each kind that are shown as going on.
pub const MOST_LIVE: u32 = 20;
/// Hexadecimal digits of what names a work.
const RUN_DIGITS: usize = 32;
/// Longest text of a report, in bytes; the rest is left out.
const LONGEST_TEXT: usize = 500;
/// The largest number of a report: what JSON's numbers hold exactly.
const LARGEST: i64 = 1 << 53;
/// Work does not take longer, in milliseconds: a year.
const LONGEST_MS: i64 = 366 * 86_400_000;

/// What whoever does long work tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct WorkReport {
    /// What whoever does it calls it: 32 hexadecimal digits.
    pub run: String,
    /// The number of this report: each is greater than those before.
    pub sequence: i64,
    /// What is done.
    pub kind: String,
    /// For how long it goes on, in milliseconds.
    pub elapsed_ms: i64,
    /// The name of the repository, or of the namespace, that it is about.
    pub about: Option<String>,
    /// The same in words.
    pub subject: String,
    /// What is being done.
    pub phase: String,
    /// What is counted.
    pub unit: String,
    /// How many of them are done.
    pub done: i64,
    /// How many there are.
    pub total: Option<i64>,
    /// Bytes that were freed, or copied.
    pub bytes: Option<i64>,
    /// Whether nothing is changed.
    pub is_rehearsal: bool,
    /// How it ended.
    pub outcome: Option<String>,
    /// A sentence about it.
    pub message: String,
}

impl App {
    /// What the registry tells of collecting garbage; says whether it was news.
    pub async fn receive_work(&self, body: &[u8]) -> Result<bool, AppError> {
        let report: WorkReport = serde_json::from_slice(body)
            .map_err(|error| AppError::Invalid(format!("this is no report of work: {error}")))?;
        if report.kind != WorkKind::GarbageCollection.as_str() {
            return Err(AppError::Invalid(
                "a registry tells of a garbage_collection".to_owned(),
            ));
        }
        self.note_report(&report, WorkKind::GarbageCollection, "").await
    }

    /// What somebody who imports repositories tells of that; says whether it was news.
    pub async fn report_import(&self, caller: &Caller, report: &WorkReport) -> Result<bool, AppError> {
        if caller.is_anonymous() {
            return Err(AppError::Unauthenticated("sign in to tell of an import"));
        }
        if report.kind != WorkKind::Import.as_str() {
            return Err(AppError::Invalid("an account tells of an import".to_owned()));
        }
        self.note_report(report, WorkKind::Import, &caller.name()).await
    }

    /// What the machine's own command tells of taking in repositories where they lie; says whether it was news. By whoever
    /// administers the machine.
    pub async fn report_adoption(&self, report: &WorkReport) -> Result<bool, AppError> {
        self.note_report(report, WorkKind::Import, "").await
    }

    async fn note_report(&self, report: &WorkReport, kind: WorkKind, by: &str) -> Result<bool, AppError> {
        let progress = report.progress()?;
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let is_news = match work::find_work_owner(&mut tx, &report.run).await? {
            Some((known, owner)) if known == kind && owner == by => {
                work::note_work(&mut tx, &report.run, report.sequence, &progress, now).await?
            }
            Some(_) => return Err(AppError::NotFound("there is no such work of yours".to_owned())),
            None => {
                let new = LongWork {
                    work_id: self.new_id(WorkId::new),
                    kind,
                    place: place(&mut tx, report.about.as_deref()).await?,
                    subject: short(&report.subject),
                    began_by: by.to_owned(),
                    began_at: now.saturating_sub(report.elapsed_ms),
                    told_at: now,
                    ended_at: progress.outcome.map(|_| now),
                    is_rehearsal: report.is_rehearsal,
                    progress,
                };
                work::add_work(&mut tx, &report.run, report.sequence, &new).await?;
                if !by.is_empty() {
                    work::prune_work_of(&mut tx, kind, by, KEPT_OF_ONE).await?;
                }
                work::prune_work(&mut tx, kind, KEPT).await?;
                true
            }
        };
        tx.commit().await?;
        Ok(is_news)
    }

    /// At most `limit` works of all kinds, the newest first, those before `before`. For administrators of the site.
    pub async fn list_work(
        &self,
        caller: &Caller,
        before: WorkId,
        limit: u32,
    ) -> Result<Vec<LongWork>, AppError> {
        let reindex = self
            .reindex_progress(caller)
            .await?
            .map(|known| self.reindexing(known));
        let mut tx = self.store.read().await?;
        let mut works = work::list_work(&mut tx, before, limit).await?;
        let runs = work::list_retention_work(&mut tx, before, limit).await?;
        drop(tx);
        works.extend(runs.into_iter().map(|run| self.claimed(run)));
        works.extend(reindex.filter(|reindex| reindex.work_id < before));
        works.sort_by_key(|work| Reverse(work.work_id));
        works.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(works)
    }

    /// Works that go on, at most [`MOST_LIVE`] of each kind that others tell of, the newest first. For administrators of the
    /// site.
    pub async fn list_live_work(&self, caller: &Caller) -> Result<Vec<LongWork>, AppError> {
        let now = self.clock.now_ms();
        let reindex = self
            .reindex_progress(caller)
            .await?
            .map(|known| self.reindexing(known));
        let mut tx = self.store.read().await?;
        let mut works = work::list_live_work(&mut tx, now.saturating_sub(SILENCE_MS), MOST_LIVE).await?;
        let runs = work::list_live_retention(&mut tx, MOST_LIVE).await?;
        drop(tx);
        works.extend(runs.into_iter().map(|run| self.claimed(run)));
        works.extend(reindex);
        works.retain(|work| work.is_going_on(now));
        works.sort_by_key(|work| Reverse(work.work_id));
        Ok(works)
    }

    /// The configuration that the last collection of garbage was given, on the registry's machine. For administrators of the
    /// site.
    pub async fn last_collected(&self, caller: &Caller) -> Result<Option<String>, AppError> {
        caller.administrator()?;
        let mut tx = self.store.read().await?;
        let subject = work::find_last_subject(&mut tx, WorkKind::GarbageCollection).await?;
        Ok(subject.filter(|path| !path.is_empty()))
    }

    /// A run of retention, with when its replica gave its last sign of life.
    fn claimed(&self, mut run: LongWork) -> LongWork {
        if run.progress.outcome.is_none() {
            let now = self.clock.now_ms().max(run.began_at);
            run.told_at = run.told_at.saturating_sub(CLAIM_MS).clamp(run.began_at, now);
        }
        run
    }

    /// Reading repositories as a whole, which is never silent: what is left of it is counted now.
    fn reindexing(&self, known: ReindexProgress) -> LongWork {
        let figure = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let is_done = known.done >= known.total;
        LongWork {
            work_id: WorkId::first_of(known.asked_at),
            kind: WorkKind::Reindex,
            place: None,
            subject: String::new(),
            began_by: String::new(),
            began_at: known.asked_at,
            told_at: self.clock.now_ms(),
            ended_at: None,
            is_rehearsal: false,
            progress: WorkProgress {
                phase: WorkPhase::Reading,
                unit: WorkUnit::Repositories,
                done: figure(known.done),
                total: Some(figure(known.total)),
                bytes: None,
                outcome: is_done.then_some(WorkOutcome::Done),
                message: String::new(),
            },
        }
    }
}

impl WorkReport {
    /// How far the work is, where the report is one.
    fn progress(&self) -> Result<WorkProgress, AppError> {
        let is_name = self.run.len() == RUN_DIGITS
            && self
                .run
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_name {
            return Err(AppError::Invalid(format!(
                "a report names its work by {RUN_DIGITS} hexadecimal digits in lower case"
            )));
        }
        let is_number = |number: i64| (0..=LARGEST).contains(&number);
        let numbers = [Some(self.sequence), Some(self.done), self.total, self.bytes];
        if !numbers.into_iter().flatten().all(is_number) || !(0..=LONGEST_MS).contains(&self.elapsed_ms) {
            return Err(AppError::Invalid(
                "the numbers of a report are 0 or more, and no larger than work can be".to_owned(),
            ));
        }
        Ok(WorkProgress {
            phase: word(&self.phase)?,
            unit: word(&self.unit)?,
            done: self.done,
            total: self.total,
            bytes: self.bytes,
            outcome: self.outcome.as_deref().map(word).transpose()?,
            message: short(&self.message),
        })
    }
}

/// A word of those that there are.
fn word<T: FromStr<Err: Display>>(text: &str) -> Result<T, AppError> {
    text.parse()
        .map_err(|error: T::Err| AppError::Invalid(error.to_string()))
}

/// A text that every database takes, in one line, and not too long.
fn short(text: &str) -> String {
    let text = clean(text).replace(char::is_control, " ");
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// What a report is about, where there is such a thing. Administrators alone are shown it.
async fn place(tx: &mut Tx, name: Option<&str>) -> Result<Option<(WorkPlace, Option<String>)>, AppError> {
    let Some(name) = name else { return Ok(None) };
    let place = if name.contains('/') {
        match name.parse() {
            Ok(name) => repository::find_repository(tx, &name)
                .await?
                .map(|facts| WorkPlace::Repository(facts.repository_id)),
            Err(_) => None,
        }
    } else {
        match name.parse::<NamespaceName>() {
            Ok(name) => namespace::find_namespace(tx, &name)
                .await?
                .map(|facts| WorkPlace::Namespace(facts.namespace_id)),
            Err(_) => None,
        }
    };
    Ok(place.map(|place| (place, None)))
}

#[cfg(test)]
#[path = "work/tests.rs"]
mod tests;
