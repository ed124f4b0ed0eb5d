//! Long work as the page shows it, and as it is told while the page is open.

use serde_json::{Map, Value};

use crate::domain::work::{LongWork, WorkKind, WorkPlace, WorkState, WorkUnit};
use crate::http::web::view::View;

/// Work in a list.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) title: String,
    /// Where what it is about is shown, and its name.
    pub(super) place: Option<(String, String)>,
    pub(super) subject: String,
    pub(super) state: String,
    pub(super) state_kind: &'static str,
    pub(super) is_lost: bool,
    pub(super) is_rehearsal: bool,
    pub(super) phase: String,
    pub(super) figures: String,
    pub(super) done: i64,
    pub(super) total: Option<i64>,
    pub(super) began_by: String,
    pub(super) began_at: i64,
    pub(super) told_at: i64,
    pub(super) ended_at: Option<i64>,
    pub(super) message: String,
}

impl Line {
    /// Work in the reader's language.
    pub(super) fn of(work: LongWork, view: &View) -> Self {
        let state = work.state(view.now_ms);
        let state_kind = match state {
            WorkState::Running => "",
            WorkState::Waiting => "quiet",
            WorkState::Lost | WorkState::Stopped => "warn",
            WorkState::Done => "good",
            WorkState::Failed => "bad",
        };
        let place = work.place.as_ref().and_then(|(place, name)| {
            let name = name.as_ref()?;
            let root = match place {
                WorkPlace::Repository(_) => "/r/",
                WorkPlace::Namespace(_) => "/n/",
            };
            Some((format!("{root}{}", view.in_path(name)), name.clone()))
        });
        Self {
            id: work.work_id.to_string(),
            title: view.t(&key("", work.kind.as_str())),
            place,
            state: view.t(&key("state-", state.as_str())),
            state_kind,
            is_lost: state == WorkState::Lost,
            is_rehearsal: work.is_rehearsal,
            phase: view.t(&key("phase-", work.progress.phase.as_str())),
            figures: figures(&work, view),
            done: work.progress.done,
            total: work.progress.total,
            subject: work.subject,
            began_by: work.began_by,
            began_at: work.began_at,
            told_at: work.told_at,
            ended_at: work.ended_at,
            message: work.progress.message,
        }
    }
}

/// The key of a word's text.
fn key(part: &str, word: &str) -> String {
    format!("admin-work-{part}{}", word.replace('_', "-"))
}

/// How many of what are done, of how many, and what came of it.
fn figures(work: &LongWork, view: &View) -> String {
    let progress = &work.progress;
    let amount = |number: i64| match progress.unit {
        WorkUnit::Bytes => view.size(number),
        unit => view.tn(&key("unit-", unit.as_str()), number),
    };
    let done = match progress.total {
        Some(total) if total != progress.done => {
            let done = match progress.unit {
                WorkUnit::Bytes => view.size(progress.done),
                _ => view.number(progress.done),
            };
            view.ta("admin-work-of", &[("done", done), ("total", amount(total))])
        }
        _ => amount(progress.done),
    };
    let what = match (work.kind, work.is_rehearsal) {
        (WorkKind::GarbageCollection, true) => "admin-work-would-free",
        (WorkKind::GarbageCollection, false) => "admin-work-freed",
        _ => "admin-work-copied",
    };
    match progress.bytes.filter(|bytes| *bytes > 0) {
        Some(bytes) => format!("{done} · {}", view.ta(what, &[("size", view.size(bytes))])),
        None => done,
    }
}

/// Which works go on, in a word: when that changes, the page is another one.
pub(super) fn state_of(running: &[Line]) -> String {
    if running.is_empty() {
        return "none".to_owned();
    }
    let mut state = "running".to_owned();
    for one in running {
        state.push(' ');
        state.push_str(&one.id);
    }
    state
}

/// What the page is told of the works that go on.
pub(super) fn told(running: &[Line], view: &View) -> String {
    let mut told = Map::new();
    told.insert("state".to_owned(), state_of(running).into());
    for one in running {
        let mut tell = |what: &str, value: Value| told.insert(format!("{what}-{}", one.id), value);
        tell("phase", one.phase.as_str().into());
        tell("figures", one.figures.as_str().into());
        tell("told", view.ago(one.told_at).into());
        if let Some(total) = one.total {
            tell("total", total.into());
            tell("done", one.done.into());
        }
    }
    Value::Object(told).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::WorkId;
    use crate::domain::work::{WorkPhase, WorkProgress};
    use crate::http::web::language::Language;
    use crate::http::web::view::testing::view;

    fn work(id: i64, total: Option<i64>) -> LongWork {
        LongWork {
            work_id: WorkId::from_i64(id),
            kind: WorkKind::Import,
            place: None,
            subject: "harbor.example".to_owned(),
            began_by: "ada".to_owned(),
            began_at: 0,
            told_at: 0,
            ended_at: None,
            is_rehearsal: false,
            progress: WorkProgress {
                phase: WorkPhase::Copying,
                unit: WorkUnit::Repositories,
                done: 1,
                total,
                bytes: Some(2_000_000),
                outcome: None,
                message: String::new(),
            },
        }
    }

    #[test]
    fn a_page_is_told_the_figures_of_each_work_and_of_another_state_when_one_more_begins() {
        let view = view();
        let lines = |works: Vec<LongWork>| {
            works
                .into_iter()
                .map(|one| Line::of(one, &view))
                .collect::<Vec<_>>()
        };
        let one = told(&lines(vec![work(7, Some(4))]), &view);
        let one: Value = serde_json::from_str(&one).unwrap();
        assert_eq!(one["state"], "running 7");
        assert_eq!((&one["done-7"], &one["total-7"]), (&json!(1), &json!(4)));
        assert_eq!(one["figures-7"], "1 of 4 repositories · 2.00 MB copied");
        assert_eq!(one["phase-7"], "Copying");
        assert!(one["told-7"].as_str().is_some_and(|text| !text.is_empty()));
        let two = told(&lines(vec![work(8, None), work(7, Some(4))]), &view);
        let two: Value = serde_json::from_str(&two).unwrap();
        assert_eq!(two["state"], "running 8 7");
        assert!(two.get("total-8").is_none() && two.get("done-8").is_none());
        assert_eq!(state_of(&[]), "none");
    }

    #[test]
    fn every_word_about_work_has_a_text() {
        let mut keys: Vec<String> = Vec::new();
        keys.extend(WorkKind::EVERY.iter().map(|kind| key("", kind.as_str())));
        keys.extend(WorkState::EVERY.iter().map(|state| key("state-", state.as_str())));
        keys.extend(WorkPhase::EVERY.iter().map(|phase| key("phase-", phase.as_str())));
        let units = WorkUnit::EVERY.iter().filter(|unit| **unit != WorkUnit::Bytes);
        keys.extend(units.map(|unit| key("unit-", unit.as_str())));
        keys.extend(["would-free", "freed", "copied", "of"].map(|word| key("", word)));
        for language in Language::EVERY {
            for key in &keys {
                assert!(language.has(key), "{key}");
            }
        }
    }
}
