//! OpenTelemetry traces, as the `OTEL_…` variables want them: a span for each request, and below it one for each action
//! on the storage, sent by OTLP over HTTP. Off unless asked for, and then nothing is made, kept or measured.
//!
//! What is sent is made from what is measured anyway, so there is no layer in the log and no library: the format has few
//! fields, and a queue with a bound is a channel. No span carries a header, a query, or the name of a user.

mod context;
mod exporter;
mod protobuf;
mod request;
mod sampler;
mod settings;
mod span;

#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use shared::runtime::clock::Clock;
use tokio::sync::mpsc;

pub use context::ParentContext;
pub use exporter::{Exporter, TraceError};
pub use request::{RequestSpan, Traced};
pub use settings::{Found, Settings};

use crate::metrics::TRACE_DROPPED;
use context::Current;
use sampler::Sampler;
use span::{Kind, Span, Value};

/// Where random bytes come from.
pub type Random = Arc<dyn Fn() -> [u8; 16] + Send + Sync>;

/// A process traces one way.
static TRACER: OnceLock<Tracer> = OnceLock::new();

struct Tracer {
    sampler: Sampler,
    /// Whether callers' traces are gone on with.
    listens: bool,
    clock: Clock,
    random: Random,
    queue: mpsc::Sender<Span>,
}

/// Begins to trace. Must be called inside a runtime, and once.
pub fn start(settings: Settings, clock: Clock, random: Random) -> Result<Exporter, TraceError> {
    let (queue, spans) = mpsc::channel(settings.queue);
    let tracer = Tracer {
        sampler: settings.sampler,
        listens: settings.listens,
        clock,
        random,
        queue,
    };
    let exporter = Exporter::start(settings, spans)?;
    TRACER.set(tracer).map_err(|_| TraceError::Twice)?;
    Ok(exporter)
}

/// Whether this process traces.
pub fn is_on() -> bool {
    TRACER.get().is_some()
}

impl Tracer {
    fn span_id(&self) -> [u8; 8] {
        let mut id = [0; 8];
        id.copy_from_slice(&(self.random)()[..8]);
        // All zeroes is no id.
        id[7] |= u8::from(id == [0; 8]);
        id
    }

    fn trace_id(&self) -> [u8; 16] {
        let mut id = (self.random)();
        id[15] |= u8::from(id == [0; 16]);
        id
    }

    fn send(&self, span: Span) {
        if self.queue.try_send(span).is_err() {
            TRACE_DROPPED.add(1);
        }
    }
}

/// An action on the storage, as part of the request that this task serves; until it is dropped.
#[derive(Debug)]
pub struct Action {
    name: &'static str,
    driver: &'static str,
    parent: Current,
    began: Instant,
}

/// Begins one, if this request is traced.
pub fn action(driver: &'static str, name: &'static str) -> Option<Action> {
    TRACER.get()?;
    Some(Action {
        name,
        driver,
        parent: context::current()?,
        began: Instant::now(),
    })
}

impl Drop for Action {
    fn drop(&mut self) {
        let Some(tracer) = TRACER.get() else { return };
        let begin_ns = self.parent.at_ns(self.began);
        tracer.send(Span {
            trace_id: self.parent.trace_id,
            id: tracer.span_id(),
            parent: Some(self.parent.span_id),
            name: self.name.into(),
            kind: Kind::Internal,
            begin_ns,
            end_ns: begin_ns + nanoseconds(self.began.elapsed()),
            attributes: vec![("storage.driver.name", Value::Text(self.driver.into()))],
            is_error: false,
        });
    }
}

/// Lets a task of its own be part of the request that this task serves.
pub fn in_current<F: Future>(future: F) -> impl Future<Output = F::Output> {
    context::scope(context::current(), future)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
