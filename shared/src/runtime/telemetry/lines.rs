//! Lines as distribution's log has them (logrus): text, JSON or logstash, with fields of the operator's own.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::hook::{Hook, Line};
use crate::runtime::clock::Clock;

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// `time="…" level=info msg="…" name=value`
    #[default]
    Text,
    /// One JSON object per line with `time`, `level` and `msg`.
    Json,
    /// One JSON object per line with `@timestamp`, `@version`, `level` and `message`.
    Logstash,
}

/// What each line carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    /// How it is written.
    pub style: Style,
    /// Fields of every line.
    pub fields: Vec<(String, String)>,
    /// Whether it names its place in the program (`file` and `func`).
    pub caller: bool,
    /// Who is told of it too.
    pub hook: Option<Hook>,
}

/// Turns events and the fields of the spans around them into lines.
pub(super) struct LineLayer<W> {
    lines: Lines,
    clock: Clock,
    writer: W,
}

impl<W> LineLayer<W> {
    pub(super) fn new(lines: Lines, clock: Clock, writer: W) -> Self {
        Self { lines, clock, writer }
    }

    fn line(&self, event: &Event<'_>, mut fields: Map<String, Value>) -> String {
        let metadata = event.metadata();
        if self.lines.caller {
            let place = metadata.file().zip(metadata.line());
            if let Some((file, line)) = place {
                fields.insert("file".to_owned(), format!("{file}:{line}").into());
            }
            fields.insert("func".to_owned(), metadata.target().into());
        }
        let message = match fields.remove("message") {
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
            None => String::new(),
        };
        if let Some(hook) = &self.lines.hook {
            hook.tell(&Line {
                level: *metadata.level(),
                message: &message,
                fields: &fields,
            });
        }
        let level = level(*metadata.level());
        let time = rfc3339(self.clock.now());
        let mut line = match self.lines.style {
            Style::Text => text(&time, level, &message, &fields),
            Style::Json => {
                fields.insert("time".to_owned(), time.into());
                fields.insert("level".to_owned(), level.into());
                fields.insert("msg".to_owned(), message.into());
                Value::Object(fields).to_string()
            }
            Style::Logstash => {
                fields.insert("@timestamp".to_owned(), time.into());
                fields.insert("@version".to_owned(), "1".into());
                fields.insert("level".to_owned(), level.into());
                fields.insert("message".to_owned(), message.into());
                Value::Object(fields).to_string()
            }
        };
        line.push('\n');
        line
    }
}

/// The fields of a span, kept with it.
struct SpanFields(Map<String, Value>);

impl<S, W> Layer<S> for LineLayer<W>
where
    S: Subscriber + for<'l> LookupSpan<'l>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Map::new();
        attributes.record(&mut Fields(&mut fields));
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(SpanFields(fields)) = span.extensions_mut().get_mut()
        {
            values.record(&mut Fields(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Map::new();
        for (name, value) in &self.lines.fields {
            fields.insert(name.clone(), value.as_str().into());
        }
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            if let Some(SpanFields(of_span)) = span.extensions().get() {
                for (name, value) in of_span {
                    if let Some(name) = in_distribution(name) {
                        fields.insert(name.to_owned(), value.clone());
                    }
                }
            }
        }
        event.record(&mut Fields(&mut fields));
        let line = self.line(event, fields);
        // There is nowhere to say that the log cannot be written.
        let _ = self.writer.make_writer().write_all(line.as_bytes());
    }
}

/// What distribution calls a field of a request's span; none for those that its last line has anyway.
fn in_distribution(name: &str) -> Option<&str> {
    match name {
        "request_id" => Some("http.request.id"),
        "method" => Some("http.request.method"),
        "status" | "duration_ms" => None,
        other => Some(other),
    }
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            let _ = write!(text, ": {cause}");
            source = cause.source();
        }
        self.put(field, text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn text(time: &str, level: &str, message: &str, fields: &Map<String, Value>) -> String {
    let mut line = format!("time=\"{time}\" level={level} msg=");
    word(&mut line, message);
    for (name, value) in fields {
        let _ = write!(line, " {name}=");
        match value {
            Value::String(text) => word(&mut line, text),
            other => word(&mut line, &other.to_string()),
        }
    }
    line
}

/// As logrus does: bare when it holds nothing but letters, digits and a few signs.
fn word(line: &mut String, text: &str) {
    let bare = |c: char| c.is_ascii_alphanumeric() || "-._/@^+".contains(c);
    if !text.is_empty() && text.chars().all(bare) {
        line.push_str(text);
        return;
    }
    line.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => line.extend(['\\', c]),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(line, "\\u{:04x}", u32::from(c));
            }
            c => line.push(c),
        }
    }
    line.push('"');
}

fn rfc3339(time: OffsetDateTime) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}
