//! An error with all that led to it, for people: a log line, a health check, a command's last word.

use std::error::Error;

/// The error's text and those of its causes, joined by `: `, in one line as far as the texts are.
pub fn in_one_line(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::fmt::Error);

    #[test]
    fn each_cause_is_named_after_what_it_caused() {
        let error = Outer(std::fmt::Error);
        assert_eq!(in_one_line(&error), format!("outer: {}", std::fmt::Error));
    }
}
