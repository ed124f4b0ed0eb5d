//! Everything that is wrong with a configuration, at once.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key's full path, such as `http.tls.certificate`.
    pub path: String,
    /// What belongs there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// Collects faults while a raw configuration becomes a checked one, so that all are reported in one run.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// No faults yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `found` is at `path` where `expected` belongs. Never pass a secret as `found`.
    pub fn push(&mut self, path: impl Into<String>, expected: impl Into<String>, found: impl fmt::Display) {
        self.0.push(Fault {
            path: path.into(),
            expected: expected.into(),
            found: found.to_string(),
        });
    }

    /// The value, or a noted fault whose `found` is the error's text.
    pub fn check<T, E: fmt::Display>(
        &mut self,
        path: &str,
        expected: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.push(path, expected, error)).ok()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults, in the order in which they were noted.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// `value` when nothing is wrong, else all the faults.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has a fault:")?,
            count => write!(f, "the configuration has {count} faults:")?,
        }
        for Fault {
            path,
            expected,
            found,
        } in &self.0
        {
            write!(f, "\n  {path}: expected {expected}, found {found}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
