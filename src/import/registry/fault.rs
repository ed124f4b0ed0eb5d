//! What goes wrong between two registries, and whether trying again may help.

use std::time::Duration;

use http::StatusCode;

/// A request that did not come to its end, or was refused.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}")]
pub(super) struct Fault {
    pub(super) kind: Kind,
    why: String,
}

/// What kind of fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It may work later; not before this time, when the other side said so.
    Passing(Option<Duration>),
    /// What was asked for is not there.
    Absent,
    /// Whoever asks may not.
    Denied,
    /// It would be refused again.
    Lasting,
}

impl Fault {
    pub(super) fn new(kind: Kind, why: impl Into<String>) -> Self {
        // What others say goes to a terminal: no control characters.
        let why: String = why.into().chars().filter(|c| !c.is_control()).collect();
        Self { kind, why }
    }

    pub(super) fn lasting(why: impl Into<String>) -> Self {
        Self::new(Kind::Lasting, why)
    }

    /// A connection that failed, or broke.
    pub(super) fn of_connection(who: &str, error: reqwest::Error) -> Self {
        // A redirect that is not followed, or a request that cannot be made, stays so.
        let kind = if error.is_redirect() || error.is_builder() {
            Kind::Lasting
        } else {
            Kind::Passing(None)
        };
        // URLs of storage hold signatures.
        let why = shared::causes::in_one_line(&error.without_url());
        Self::new(kind, format!("{who}: {why}"))
    }

    /// An answer that is no success.
    pub(super) fn of_status(status: StatusCode, after: Option<Duration>, why: String) -> Self {
        let kind = match status {
            StatusCode::NOT_FOUND => Kind::Absent,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Kind::Denied,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Kind::Passing(after),
            status if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED => {
                Kind::Passing(after)
            }
            _ => Kind::Lasting,
        };
        Self::new(kind, why)
    }

    pub(super) fn is_absent(&self) -> bool {
        self.kind == Kind::Absent
    }

    pub(super) fn is_denied(&self) -> bool {
        self.kind == Kind::Denied
    }
}

/// `None` for what is not there.
pub(super) fn found<T>(asked: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(fault) if fault.is_absent() => Ok(None),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
        let kind = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            Fault::of_status(status, Some(Duration::from_secs(7)), String::new()).kind
        };
        for status in [408, 429, 500, 502, 503, 504] {
            assert_eq!(
                kind(status),
                Kind::Passing(Some(Duration::from_secs(7))),
                "{status}"
            );
        }
        for status in [400, 405, 409, 413, 416, 501] {
            assert_eq!(kind(status), Kind::Lasting, "{status}");
        }
        assert_eq!(kind(404), Kind::Absent);
        assert_eq!((kind(401), kind(403)), (Kind::Denied, Kind::Denied));
    }

    #[test]
    fn what_a_terminal_would_obey_is_left_out() {
        assert_eq!(Fault::lasting("a\u{1b}[31mb\n").to_string(), "a[31mb");
    }
}
