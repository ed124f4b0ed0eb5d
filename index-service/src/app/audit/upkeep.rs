//! What becomes of the log: lines for others to keep, and an end after its time.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use time::{Date, OffsetDateTime};

use super::{App, AppError, By, Change, rfc3339};
use crate::domain::{AuditAction, AuditEvent, EventId, TargetKind};
use crate::store::{audit, lease, setting};

/// Events that are read, or dropped, at once.
const BATCH: u32 = 500;
/// Batches that are dropped in one go; the next goes on.
const MAX_BATCHES: usize = 200;
/// How much later than its time an event may appear: a transaction is open for seconds, and clocks differ. In milliseconds.
const LATE_MS: i64 = 120_000;
/// How long a process may write lines before another may, in milliseconds.
const LEASE_MS: i64 = 60_000;
const LEASE: &str = "audit.sink";
const CURSOR: &str = "audit.sink";

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditSink {
    /// Standard output.
    Stdout,
    /// The end of a file, which is opened for each batch, so that it may be moved away at any time.
    File(PathBuf),
}

/// What the operator decides about the audit log.
#[derive(Debug, Clone, Default)]
pub struct AuditSettings {
    /// How long events are kept, in milliseconds; `None` for ever.
    pub retention: Option<i64>,
    /// Where each is written as a line of JSON.
    pub sink: Option<AuditSink>,
}

/// Which of the last events this process wrote as lines.
#[derive(Debug, Default)]
pub(in crate::app) struct Written(Mutex<BTreeSet<i64>>);

impl App {
    /// Writes events that are new as lines of JSON, each at least once: one process at a time, whichever is there.
    pub async fn forward_audit(&self) -> Result<(), AppError> {
        let Some(sink) = &self.settings.audit.sink else {
            return Ok(());
        };
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        if !lease::take_lease(&mut tx, LEASE, &self.instance, now + LEASE_MS, now).await? {
            return Ok(());
        }
        let kept = setting::find_setting(&mut tx, CURSOR).await?;
        tx.commit().await?;
        let begin = kept.and_then(|text| text.parse().ok());
        let begin = begin.unwrap_or_else(|| EventId::first_of(now).as_i64() - 1);
        let mut after = EventId::from_i64(begin);
        loop {
            let mut tx = self.store.read().await?;
            let events = audit::list_events_since(&mut tx, after, BATCH).await?;
            drop(tx);
            let Some(last) = events.last() else { break };
            after = last.event_id;
            self.write_lines(sink, &events)?;
        }
        // Those of the last minutes are looked at again: one with a smaller id may appear still.
        let cursor = begin.max(EventId::first_of(now - LATE_MS).as_i64() - 1);
        self.written.forget_up_to(cursor);
        let mut tx = self.store.write().await?;
        setting::put_setting(&mut tx, CURSOR, &cursor.to_string()).await?;
        Ok(tx.commit().await?)
    }

    fn write_lines(&self, sink: &AuditSink, events: &[AuditEvent]) -> Result<(), AppError> {
        let new: Vec<_> = events
            .iter()
            .filter(|event| !self.written.has(event.event_id))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let lines: String = new.iter().map(|event| line(event)).collect();
        let done = match sink {
            AuditSink::Stdout => std::io::stdout().lock().write_all(lines.as_bytes()),
            AuditSink::File(path) => std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o600)
                .open(path)
                .and_then(|mut file| file.write_all(lines.as_bytes())),
        };
        done.map_err(|error| AppError::Internal(error.into()))?;
        for event in new {
            self.written.add(event.event_id);
        }
        Ok(())
    }

    /// Drops the months that are over for longer than events are kept; says how many events those were.
    pub async fn drop_old_audit(&self) -> Result<u64, AppError> {
        let Some(retention) = self.settings.audit.retention else {
            return Ok(0);
        };
        let Some(before) = month_of(self.clock.now_ms().saturating_sub(retention)) else {
            return Ok(0);
        };
        let mut dropped = 0;
        for _ in 0..MAX_BATCHES {
            let mut tx = self.store.write().await?;
            let some = audit::drop_events(&mut tx, before, BATCH).await?;
            tx.commit().await?;
            dropped += some;
            if some < u64::from(BATCH) {
                break;
            }
        }
        if dropped > 0 {
            let mut tx = self.store.write().await?;
            let change = Change::new(AuditAction::AuditDrop, TargetKind::Site, "")
                .after(serde_json::json!({ "before": rfc3339(before), "events": dropped }));
            self.audit(&mut tx, By::Service, change).await?;
            tx.commit().await?;
        }
        Ok(dropped)
    }
}

impl Written {
    fn has(&self, id: EventId) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&id.as_i64())
    }

    fn add(&self, id: EventId) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.as_i64());
    }

    fn forget_up_to(&self, id: i64) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|one| *one > id);
    }
}

/// When the month of a time began, in milliseconds since 1970.
fn month_of(ms: i64) -> Option<i64> {
    let time = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).ok()?;
    let first = Date::from_calendar_date(time.year(), time.month(), 1).ok()?;
    Some(first.midnight().assume_utc().unix_timestamp() * 1000)
}

/// An event as a line of JSON, with the names that the API uses.
fn line(event: &AuditEvent) -> String {
    let read = |text: &Option<String>| {
        let text = text.as_deref()?;
        serde_json::from_str::<serde_json::Value>(text).ok()
    };
    let (actor, target) = (&event.actor, &event.target);
    let id = |id: Option<i64>| id.map(|id| id.to_string());
    let line = serde_json::json!({
        "id": event.event_id.to_string(),
        "at": rfc3339(event.created_at),
        "action": event.action.as_str(),
        "actor": {
            "kind": actor.kind.as_str(), "id": id(actor.id), "name": actor.name, "credential": actor.credential,
        },
        "target": { "kind": target.kind.as_str(), "id": id(target.id), "name": target.name },
        "organisation": event.organisation_id.map(|id| id.to_string()),
        "address": actor.address,
        "client": actor.client,
        "request_id": actor.request_id,
        "before": read(&event.before),
        "after": read(&event.after),
    });
    line.to_string() + "\n"
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::secret::Secret;

    use super::*;
    use crate::app::fixture::{Fixture, NOW_MS};
    use crate::store::Store;

    const DAY: i64 = 86_400_000;

    async fn fixture(settings: AuditSettings) -> Fixture {
        let store = Store::open("sqlite::memory:").await.unwrap();
        Fixture::build(store, None, |all| all.audit = settings)
    }

    async fn account(fixture: &Fixture, name: &str) {
        let password = Secret::new("correct horse battery".to_owned());
        fixture.app.create_account(name, password).await.unwrap();
    }

    #[tokio::test]
    async fn each_event_is_one_line_of_the_file_also_after_it_was_moved_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let fixture = fixture(AuditSettings {
            retention: None,
            sink: Some(AuditSink::File(path.clone())),
        })
        .await;
        fixture.app.forward_audit().await.unwrap();
        account(&fixture, "ada").await;
        for _ in 0..3 {
            fixture.app.forward_audit().await.unwrap();
        }
        let read = |path: &std::path::Path| -> Vec<serde_json::Value> {
            let text = std::fs::read_to_string(path).unwrap();
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect()
        };
        let lines = read(&path);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["action"], "account.create");
        assert_eq!(lines[0]["target"]["name"], "ada");
        assert_eq!(lines[0]["at"], "2027-01-15T08:00:00Z");
        std::fs::rename(&path, folder.path().join("old")).unwrap();
        fixture.clock.advance(Duration::from_mins(10));
        account(&fixture, "eve").await;
        fixture.app.forward_audit().await.unwrap();
        let lines = read(&path);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["target"]["name"], "eve");
    }

    #[tokio::test]
    async fn whole_months_go_when_they_are_over_for_long_enough() {
        let fixture = fixture(AuditSettings {
            retention: Some(30 * DAY),
            sink: None,
        })
        .await;
        account(&fixture, "ada").await;
        // The 15th of January; its month is over for thirty days on the 3rd of March.
        for (day, dropped) in [(0, 0), (46, 0), (47, 1), (48, 0)] {
            fixture.clock.set(NOW_MS + day * DAY);
            assert_eq!(fixture.app.drop_old_audit().await.unwrap(), dropped, "{day}");
        }
    }
}
