//! Lines on their way into one mail.

use std::fmt::Write as _;

use serde_json::Value;
use shared::runtime::telemetry::Line;
use tracing::Level;

/// Lines that one mail has; more are counted.
const LINES: usize = 50;
/// Bytes of a text of a line.
const LONGEST: usize = 4 << 10;

/// A line, as the mail has it.
#[derive(Debug)]
pub(super) struct Note {
    level: &'static str,
    message: String,
    text: String,
}

impl Note {
    pub(super) fn of(line: &Line<'_>) -> Self {
        let level = match line.level {
            _ if line.is_panic() => "panic",
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let message = cut(line.message);
        let mut text = format!("{message}\n\n");
        for (name, value) in line.fields {
            let value = match value {
                Value::String(text) => cut(text),
                other => cut(&other.to_string()),
            };
            let _ = writeln!(text, "{name}: {value}");
        }
        Self { level, message, text }
    }
}

/// At most [`LONGEST`] bytes, without characters that do something to whoever reads it.
fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST.min(text.len()));
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let dots = if end < text.len() { "…" } else { "" };
    text[..end].chars().map(shown).chain(dots.chars()).collect()
}

/// The lines of the next mail.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    notes: Vec<Note>,
    /// Lines that are only counted.
    pub(super) left_out: u64,
}

impl Gathering {
    pub(super) fn extend(&mut self, notes: impl IntoIterator<Item = Note>) {
        for note in notes {
            if self.notes.len() < LINES {
                self.notes.push(note);
            } else {
                self.left_out += 1;
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count() == 0
    }

    pub(super) fn count(&self) -> u64 {
        self.notes.len() as u64 + self.left_out
    }

    /// As distribution has it for one line: `[level] mail host: message`.
    pub(super) fn subject(&self, host: &str) -> String {
        let Some(first) = self.notes.first() else {
            return format!("[error] {host}: {} lines", self.left_out);
        };
        let more = match self.count() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        let end = first.message.floor_char_boundary(first.message.len().min(200));
        format!("[{}] {host}: {}{more}", first.level, &first.message[..end])
    }

    pub(super) fn body(&self) -> String {
        let mut body = String::new();
        for note in &self.notes {
            let _ = writeln!(body, "[{}] {}", note.level, note.text);
        }
        if self.left_out > 0 {
            let _ = writeln!(body, "{} more lines stand in the log alone.", self.left_out);
        }
        body
    }
}
