//! When a request is made again: later and later, and not before the other side wants it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::time::Instant;

use super::fault::{Fault, Kind};

/// How often a request is made before it counts as failed.
const ATTEMPTS: u32 = 8;
/// The first wait; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait that is of our own choosing.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest wait that another side may ask for.
const PATIENCE: Duration = Duration::from_mins(15);

/// The attempts of one request.
#[derive(Debug, Default)]
pub(super) struct Attempts(u32);

impl Attempts {
    /// How long to wait before the next attempt; `None` when there is none.
    pub(super) fn next(&mut self, fault: &Fault) -> Option<Duration> {
        let Kind::Passing(after) = fault.kind else {
            return None;
        };
        self.0 += 1;
        if self.0 >= ATTEMPTS {
            return None;
        }
        let own = FIRST.saturating_mul(1 << (self.0 - 1)).min(LONGEST);
        Some(after.map_or(own, |after| after.min(PATIENCE)))
    }

    /// Something has come through since: the count begins anew.
    pub(super) fn begin_anew(&mut self) {
        self.0 = 0;
    }
}

/// What `Retry-After` says (RFC 9110, section 10.2.3), seconds or a date.
pub(super) fn retry_after(headers: &HeaderMap, now: OffsetDateTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    // A date that is over means at once.
    Some(Duration::try_from(date - now).unwrap_or_default())
}

/// A registry that wants to be left alone for a while is left alone by everybody here.
#[derive(Debug, Default)]
pub(super) struct Pause(Mutex<Option<Instant>>);

impl Pause {
    pub(super) fn last(&self, wait: Duration) {
        let until = Instant::now() + wait.min(PATIENCE);
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(place.map_or(until, |before| before.max(until)));
    }

    /// Waits until it is over.
    pub(super) async fn over(&self) {
        loop {
            let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match until.filter(|until| *until > Instant::now()) {
                Some(until) => tokio::time::sleep_until(until).await,
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_end() {
        let fault = Fault::new(Kind::Passing(None), "");
        let mut attempts = Attempts::default();
        let waits: Vec<u128> = std::iter::from_fn(|| attempts.next(&fault))
            .map(|wait| wait.as_millis())
            .collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16000, 30000]);
        assert_eq!(Attempts::default().next(&Fault::lasting("")), None);
        let asked = Fault::new(Kind::Passing(Some(Duration::from_secs(3))), "");
        assert_eq!(Attempts::default().next(&asked), Some(Duration::from_secs(3)));
        let far = Fault::new(Kind::Passing(Some(Duration::from_hours(9))), "");
        assert_eq!(Attempts::default().next(&far), Some(PATIENCE));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = OffsetDateTime::from_unix_timestamp(784_111_777).unwrap();
        let said = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(said("120"), Some(Duration::from_mins(2)));
        assert_eq!(
            said("Sun, 06 Nov 1994 08:49:47 GMT"),
            Some(Duration::from_secs(10))
        );
        assert_eq!(said("Sun, 06 Nov 1994 08:49:27 GMT"), Some(Duration::ZERO));
        assert_eq!(said("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[tokio::test]
    async fn a_pause_holds_everybody_until_its_end() {
        let pause = Pause::default();
        pause.over().await;
        let began = Instant::now();
        pause.last(Duration::from_millis(80));
        pause.last(Duration::from_millis(20));
        pause.over().await;
        assert!(began.elapsed() >= Duration::from_millis(80));
    }
}
