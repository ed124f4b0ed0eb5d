//! `Warning` headers (distribution-spec, "Warnings"): rare, so their form is checked on every answer there is.

use harness::api::Answer;
use harness::{Result, ensure};

/// Longest sum of all warnings of one answer.
const MOST_BYTES: usize = 4096;

/// That what warnings an answer carries are `299 - "text"` without a date and not too long together.
pub(super) fn check(answer: &Answer) -> Result<()> {
    let mut total = 0;
    for warning in answer.headers.get_all("warning") {
        let text = String::from_utf8_lossy(warning.as_bytes()).into_owned();
        total += text.len();
        let quoted = text
            .strip_prefix("299 - \"")
            .and_then(|rest| rest.strip_suffix('"'));
        ensure!(
            quoted.is_some_and(|quoted| !quoted.is_empty()),
            "not a warning of the specification: {answer}"
        );
    }
    ensure!(total <= MOST_BYTES, "{total} bytes of warnings: {answer}");
    Ok(())
}
