//! Logging: where lines go, and how a request is named in them.
//!
//! A request has one span with the fields `request_id`, `method`, `route` (the route's name, never the path),
//! `status` and `duration_ms`, and one line at the level info when it ends. Query strings, the header
//! `Authorization`, cookies and bodies are never given to the log by this module or by
//! [`serve`](super::serve).

mod hook;
mod lines;

use std::fmt;
use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::HeaderValue;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

use super::clock::Clock;
use lines::LineLayer;

pub use hook::{Hook, Line};
pub use lines::{Lines, Style};

/// The field that a line about a panic has.
const PANIC: &str = "panic.message";

/// How log lines are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Format {
    /// One line of text; coloured on a terminal.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
    /// As distribution writes them.
    Fields(Lines),
}

/// Logging cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is not one.
    #[error("{level:?} is not a log level such as \"info\" or \"info,registry_service=debug\"")]
    Level {
        /// The text that was given.
        level: String,
        /// The cause.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The process logs already.
    #[error("logging is set up twice")]
    Twice,
}

/// Writes log lines to standard error from here on, panics included.
///
/// `level` is `error`, `warn`, `info`, `debug`, `trace` or `off`, optionally per module
/// (`info,registry_service=debug`).
pub fn init(format: Format, level: &str) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(level).map_err(|source| TelemetryError::Level {
        level: level.to_owned(),
        source,
    })?;
    let ansi = std::io::stderr().is_terminal();
    tracing::subscriber::set_global_default(subscriber(format, filter, std::io::stderr, ansi))
        .map_err(|_| TelemetryError::Twice)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// What turns spans and events into lines for `writer`.
pub(crate) fn subscriber<W>(
    format: Format,
    filter: EnvFilter,
    writer: W,
    ansi: bool,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    match format {
        Format::Text => Box::new(
            tracing_subscriber::fmt()
                .with_env_filter(filter)
                .with_writer(writer)
                .with_ansi(ansi)
                .finish(),
        ),
        Format::Fields(lines) => {
            let layer = LineLayer::new(lines, Clock::system(), writer);
            Box::new(tracing_subscriber::registry().with(filter).with(layer))
        }
        Format::Json => Box::new(
            tracing_subscriber::fmt()
                .with_env_filter(filter)
                .with_writer(writer)
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_span_list(false)
                .finish(),
        ),
    }
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let message = info.payload_as_str().unwrap_or("(no text)");
    tracing::error!(panic.location = location, panic.message = message, "panic");
}

/// The name by which one request is found in the log; the answer carries it as `X-Request-Id`.
///
/// It is in the request's extensions, so that an error's body can name it.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id that a client or a proxy gave its request, so that it is found in their logs too: at most 64 letters, digits
    /// and `-`, since it is shown as it is.
    pub(crate) fn accept(sent: &HeaderValue) -> Option<Self> {
        let text = sent.to_str().ok()?;
        let sane = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(sane);
        fits.then(|| Self(text.into()))
    }

    /// The id's text: letters, digits and `-`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("-"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Hands out request ids: a random part for the process's run, so that ids of two processes or runs differ, and
/// a number. They are names, not secrets.
#[derive(Debug)]
pub struct RequestIds {
    run: u64,
    next: AtomicU32,
}

impl RequestIds {
    /// Ids that begin with `run` (48 bits of it), which should be random.
    pub fn new(run: u64) -> Self {
        Self {
            run: run & 0xffff_ffff_ffff,
            next: AtomicU32::new(0),
        }
    }

    /// The next id.
    pub fn next(&self) -> RequestId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        RequestId(format!("{:012x}-{number:08x}", self.run).into())
    }
}

/// The name of the route that answered, such as `blob.get`: a service puts it into the extensions of its
/// response, and the request's span and line carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteName(pub &'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_differ_within_a_run_and_between_runs() {
        let (one, two) = (RequestIds::new(1), RequestIds::new(u64::MAX));
        let ids = [one.next(), one.next(), two.next()].map(|id| id.to_string());
        assert_eq!(
            ids,
            [
                "000000000001-00000000",
                "000000000001-00000001",
                "ffffffffffff-00000000"
            ]
        );
    }

    #[test]
    fn an_id_that_came_with_the_request_is_taken_when_it_can_be_shown_as_it_is() {
        let accepted = |text: &str| {
            let value = HeaderValue::from_str(text).unwrap();
            RequestId::accept(&value).map(|id| id.to_string())
        };
        let uuid = "c6681f13-6ba9-4e61-884e-67cbfca17e7c";
        assert_eq!(accepted(uuid).as_deref(), Some(uuid));
        for other in ["", "a b", "a=b", "a\"b", "a\tb", &"a".repeat(65)] {
            assert_eq!(accepted(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_wrong_level_is_named() {
        let error = init(Format::Text, "info,x=loud").unwrap_err().to_string();
        assert!(error.contains("info,x=loud"), "{error}");
    }
}
