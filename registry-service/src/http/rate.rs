//! How often somebody may ask, by what their token says.

use axum::response::Response;
use http::{HeaderMap, HeaderName, Method};
use shared::token::rates::Counted;

use super::dispatch::Asked;
use super::error::Error;
use super::header;
use crate::rate::{Ask, Standing};
use crate::registry::StoredManifest;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const SOURCE: HeaderName = HeaderName::from_static("docker-ratelimit-source");

/// Who asked too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limited {
    pub(super) standing: Standing,
    source: String,
}

impl Limited {
    /// `the limit of 100 pulls in 6h is reached for 192.0.2.7; …`
    pub(super) fn text(&self) -> String {
        let Standing {
            what,
            limit,
            window_s,
            resets_s,
            ..
        } = self.standing;
        let what = match what {
            Counted::Pulls => "pulls",
            Counted::Requests => "requests",
        };
        let hint = if self.source.parse::<std::net::IpAddr>().is_ok() {
            "; whoever signs in is counted apart"
        } else {
            ""
        };
        format!(
            "the limit of {limit} {what} in {} is reached for {}: try again in {}{hint}",
            period(window_s),
            self.source,
            period(resets_s)
        )
    }

    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        tell(&self.standing, &self.source, headers);
    }
}

/// `6h`, `90s`
fn period(seconds: u32) -> String {
    match seconds {
        s if s >= 3_600 && s.is_multiple_of(3_600) => format!("{}h", s / 3_600),
        s if s >= 60 && s.is_multiple_of(60) => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

/// As Docker Hub does; clients and people know it.
fn tell(standing: &Standing, source: &str, headers: &mut HeaderMap) {
    let window = standing.window_s;
    headers.insert(LIMIT, header::value(format!("{};w={window}", standing.limit)));
    headers.insert(
        REMAINING,
        header::value(format!("{};w={window}", standing.remaining)),
    );
    headers.insert(SOURCE, header::value(source.to_owned()));
}

impl Asked<'_> {
    /// Counts a request. Costs nothing where the token has no limit.
    pub(super) async fn count_request(&self) -> Result<(), Error> {
        let Some(rates) = self.authorized.rates() else {
            return Ok(());
        };
        let now_ms = self.service.clock.now_ms();
        let asked = self
            .service
            .rates
            .ask(rates, Counted::Requests, Ask::Take, now_ms);
        match asked.await.filter(|standing| standing.is_over) {
            Some(standing) => Err(Error::RateLimited(Box::new(Limited {
                standing,
                source: rates.source.clone(),
            }))),
            None => Ok(()),
        }
    }

    /// Counts a pull: a manifest that is fetched. An index is none, since what is chosen of it is one; and whoever only asks
    /// what there is learns how the count stands.
    pub(super) async fn count_pull(
        &self,
        stored: &StoredManifest,
        is_known: bool,
    ) -> Result<Option<(Standing, &str)>, Error> {
        let Some(rates) = self.authorized.rates() else {
            return Ok(None);
        };
        let is_read = self.parts.method == Method::GET && !is_known;
        let ask = if is_read && !stored.media_type.is_index() {
            Ask::Take
        } else {
            Ask::Look
        };
        let now_ms = self.service.clock.now_ms();
        let asked = self.service.rates.ask(rates, Counted::Pulls, ask, now_ms);
        match asked.await {
            Some(standing) if standing.is_over && is_read => Err(Error::RateLimited(Box::new(Limited {
                standing,
                source: rates.source.clone(),
            }))),
            standing => Ok(standing.map(|standing| (standing, rates.source.as_str()))),
        }
    }
}

/// Says how the count stands.
pub(super) fn tell_of(counted: Option<(Standing, &str)>, response: &mut Response) {
    if let Some((standing, source)) = counted {
        tell(&standing, source, response.headers_mut());
    }
}
