//! What an examination found.

use std::fmt;

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As it should be.
    Well,
    /// Works, and will surprise somebody.
    Doubtful,
    /// Clients will fail.
    Wrong,
    /// Not looked at, since something before it failed.
    Skipped,
}

/// One check: what was looked at, what was seen, and what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) outcome: Outcome,
    pub(super) saw: String,
    /// The line to change, and in which file.
    pub(super) change: Option<String>,
}

impl Finding {
    pub(super) fn well(check: &'static str, saw: impl Into<String>) -> Self {
        Self {
            check,
            outcome: Outcome::Well,
            saw: saw.into(),
            change: None,
        }
    }

    pub(super) fn doubtful(check: &'static str, saw: impl Into<String>, change: impl Into<String>) -> Self {
        Self {
            check,
            outcome: Outcome::Doubtful,
            saw: saw.into(),
            change: Some(change.into()),
        }
    }

    pub(super) fn wrong(check: &'static str, saw: impl Into<String>, change: impl Into<String>) -> Self {
        Self {
            check,
            outcome: Outcome::Wrong,
            saw: saw.into(),
            change: Some(change.into()),
        }
    }

    pub(super) fn skipped(check: &'static str, why: impl Into<String>) -> Self {
        Self {
            check,
            outcome: Outcome::Skipped,
            saw: why.into(),
            change: None,
        }
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.outcome == Outcome::Wrong
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.outcome {
            Outcome::Well => "ok  ",
            Outcome::Doubtful => "note",
            Outcome::Wrong => "FAIL",
            Outcome::Skipped => "-   ",
        };
        write!(f, "{mark}  {:<10}  {}", self.check, self.saw)?;
        if let Some(change) = &self.change {
            write!(f, "\n                  → {change}")?;
        }
        Ok(())
    }
}

/// A JSON array with an object for each finding.
pub(super) fn as_json(findings: &[Finding]) -> String {
    let list: Vec<_> = findings
        .iter()
        .map(|finding| {
            serde_json::json!({
                "check": finding.check,
                "outcome": match finding.outcome {
                    Outcome::Well => "ok",
                    Outcome::Doubtful => "note",
                    Outcome::Wrong => "fail",
                    Outcome::Skipped => "skipped",
                },
                "saw": finding.saw,
                "change": finding.change,
            })
        })
        .collect();
    serde_json::Value::from(list).to_string()
}

pub(super) fn summary(wrong: usize) -> String {
    match wrong {
        1 => "one thing is wrong".to_owned(),
        wrong => format!("{wrong} things are wrong"),
    }
}
