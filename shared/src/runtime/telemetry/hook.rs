//! Who is told of lines besides the log.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use tracing::Level;

/// A line that is logged.
#[derive(Debug)]
pub struct Line<'a> {
    /// How bad it is.
    pub level: Level,
    /// What it says.
    pub message: &'a str,
    /// All else.
    pub fields: &'a Map<String, Value>,
}

impl Line<'_> {
    /// Whether it tells of a panic.
    pub fn is_panic(&self) -> bool {
        self.fields.contains_key(super::PANIC)
    }
}

/// Told of each line, by the thread that logs it: it must not wait, and not log.
#[derive(Clone)]
pub struct Hook(Arc<dyn Fn(&Line<'_>) + Send + Sync>);

impl Hook {
    /// One that does this.
    pub fn new(tell: impl Fn(&Line<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Tells of a line.
    pub fn tell(&self, line: &Line<'_>) {
        (self.0)(line);
    }
}

impl PartialEq for Hook {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Hook {}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}
