//! When to order, and when to try again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use shared::runtime::clock::Clock;
use tokio::time::{Instant, sleep};

use super::account::AccountKey;
use super::authority::{Authority, client};
use super::cache::Cache;
use super::order::order;
use super::source::{Certificates, Validity, check};
use super::{AcmeError, Settings};

/// Longest sleep: the clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_hours(1);
/// How soon to look again while another replica orders.
const ELSEWHERE: Duration = Duration::from_secs(2);
/// First pause after a failure, and the longest: the network may come back any time, but an authority allows few failures
/// in an hour.
const NETWORK: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(5));
const REFUSAL: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(4));

/// A number between 0 and 1.
pub(super) type Random = Box<dyn Fn() -> f64 + Send + Sync>;

/// Keeps the certificates of all hosts current.
pub(super) struct Renewal {
    settings: Settings,
    certificates: Arc<Certificates>,
    clock: Clock,
    random: Random,
    client: reqwest::Client,
    hosts: HashMap<String, Host>,
}

/// What is known of one host.
struct Host {
    /// How much earlier than others, as a part of the longest.
    earlier: f64,
    failures: u32,
    not_before: Option<Instant>,
}

/// What came of looking after a host.
enum Outcome {
    /// Look again so much later.
    Later(Duration),
    /// Another process is ordering.
    Elsewhere,
}

impl Renewal {
    pub(super) fn new(
        settings: Settings,
        certificates: Arc<Certificates>,
        clock: Clock,
        random: Random,
    ) -> Result<Self, AcmeError> {
        let host = |name: &String| {
            let host = Host {
                earlier: random(),
                failures: 0,
                not_before: None,
            };
            (name.clone(), host)
        };
        let hosts = settings.hosts.iter().map(host).collect();
        Ok(Self {
            client: client(settings.authorities.as_deref())?,
            settings,
            certificates,
            clock,
            random,
            hosts,
        })
    }

    pub(super) async fn run(mut self) {
        loop {
            let mut pause = LONGEST_SLEEP;
            for name in self.settings.hosts.clone() {
                pause = pause.min(self.look_after(&name).await);
            }
            sleep(pause).await;
        }
    }

    /// Gives how long this host can wait.
    async fn look_after(&mut self, name: &str) -> Duration {
        let Some(host) = self.hosts.get(name) else {
            return LONGEST_SLEEP;
        };
        let earlier = host.earlier;
        if let Some(not_before) = host.not_before {
            let left = not_before.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return left;
            }
        }
        let outcome = self.have(name, earlier).await;
        let Some(host) = self.hosts.get_mut(name) else {
            return LONGEST_SLEEP;
        };
        match outcome {
            Ok(Outcome::Later(pause)) => {
                host.failures = 0;
                host.not_before = None;
                pause
            }
            Ok(Outcome::Elsewhere) => ELSEWHERE,
            Err(error) => {
                host.failures += 1;
                let pause = pause_after(&error, host.failures, (self.random)());
                host.not_before = Some(Instant::now() + pause);
                let has_one = self.certificates.validity(name).is_some();
                let cause = std::error::Error::source(&error).map(|cause| innermost(cause).to_string());
                tracing::error!(
                    host = name,
                    %error,
                    cause,
                    has_one,
                    again_in = ?pause,
                    "no certificate could be had"
                );
                pause
            }
        }
    }

    /// Sees to it that there is a certificate, and that it is not about to end.
    async fn have(&self, name: &str, earlier: f64) -> Result<Outcome, AcmeError> {
        if let Some(pause) = self.pause_until_due(name, earlier) {
            return Ok(Outcome::Later(pause));
        }
        let cache = self.certificates.cache();
        let Some(_ordering) = cache.begin_ordering()? else {
            return Ok(Outcome::Elsewhere);
        };
        // Another process may have ordered until just now.
        self.certificates.look(name);
        if let Some(pause) = self.pause_until_due(name, earlier) {
            return Ok(Outcome::Later(pause));
        }
        tracing::info!(host = name, authority = %self.settings.directory, "ordering a certificate");
        let key = AccountKey::open(cache)?;
        let authority = Authority::enter(&self.client, &key, &self.settings).await?;
        let text = order(&authority, cache, name).await?;
        // Tried beside the one in use, which a bad one must not replace.
        let draft = cache.validation(name);
        Cache::write(&draft, text.as_bytes())?;
        let checked = check(&draft);
        cache.forget_validation(name);
        checked.map_err(|error| AcmeError::Issued(name.to_owned(), Box::new(error)))?;
        Cache::write(&cache.certificate(name), text.as_bytes())?;
        self.certificates.look(name);
        let until = self.certificates.validity(name).map(|validity| validity.ends);
        tracing::info!(host = name, until, "a certificate was issued and is served");
        Ok(Outcome::Later(
            // At least a while: a certificate that ends at once must not have the next ordered at once.
            self.pause_until_due(name, earlier).unwrap_or(NETWORK.0),
        ))
    }

    /// How long it is until a certificate should be ordered; nothing when it is now.
    fn pause_until_due(&self, name: &str, earlier: f64) -> Option<Duration> {
        let due = due(self.certificates.validity(name)?, earlier);
        let left = due - self.clock.now_s();
        let left = u64::try_from(left).ok().filter(|left| *left > 0)?;
        Some(Duration::from_secs(left).min(LONGEST_SLEEP))
    }
}

/// When a third of its life is left, or by up to a thirtieth of it earlier, so that replicas and hosts that began together
/// do not all come at once.
pub(super) fn due(validity: Validity, earlier: f64) -> i64 {
    let life = (validity.ends - validity.begins).max(0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a part of a life of months, in seconds"
    )]
    let earlier = (life as f64 / 30.0 * earlier.clamp(0.0, 1.0)) as i64;
    validity.ends - life / 3 - earlier
}

/// Twice as long after each failure, up to a bound, and by up to a quarter longer; never sooner than the authority wants.
pub(super) fn pause_after(error: &AcmeError, failures: u32, random: f64) -> Duration {
    let (first, longest) = if error.is_of_network() { NETWORK } else { REFUSAL };
    let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let pause = doubled.min(longest).mul_f64(1.0 + random.clamp(0.0, 1.0) / 4.0);
    let wanted = error.retry_after().unwrap_or_default();
    pause.max(wanted.min(Duration::from_hours(24)))
}

fn innermost<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}
