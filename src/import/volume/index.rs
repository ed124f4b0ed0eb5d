//! The index as it is told, where its data lies, how far adopting is.

use index_service::App;
use index_service::app::work::WorkReport;

use crate::import::telling::{Listener, Report};

impl Listener for App {
    async fn hear(&self, report: &Report<'_>) -> Result<(), String> {
        // On the heap: reports are a small part of the work beside which they go.
        Box::pin(self.report_adoption(&told(report)))
            .await
            .map(drop)
            .map_err(|error| shared::causes::in_one_line(&error))
    }

    fn name(&self) -> String {
        "the index".to_owned()
    }
}

fn told(report: &Report<'_>) -> WorkReport {
    let figure = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let (outcome, message) = report.end.unzip();
    WorkReport {
        run: report.run.to_owned(),
        sequence: figure(report.sequence),
        elapsed_ms: figure(report.elapsed_ms),
        about: report.subject.about.clone(),
        subject: report.subject.source.clone(),
        phase: report.phase.to_owned(),
        unit: "repositories".to_owned(),
        done: figure(report.done),
        total: Some(figure(report.total)),
        bytes: report.bytes.map(figure),
        is_rehearsal: report.subject.is_rehearsal,
        outcome: outcome.map(str::to_owned),
        message: message.unwrap_or_default().to_owned(),
        ..WorkReport::default()
    }
}
