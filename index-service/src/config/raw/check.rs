//! Checks of sections that need more than a look at one value.

use std::time::Duration;

use shared::runtime::config::{Faults, GoDuration, secret};
use shared::secret::Secret;

use super::{RawAmount, RawPassword, RawQuotas, RawRateLimits, RawRegistry, RawService, RawSite, RawToken};
use crate::app::Service;
use crate::app::rate::{InvalidRateLimit, RateLimit};
use crate::app::setting::is_unlimited;
use crate::config::{Config, authority};
use crate::domain::free_text::{GREETING, SITE_NAME};
use crate::domain::quota::{Amount, Limits};
use crate::password::Parameters;
use crate::token::Recipient;

/// How long a token may be valid, in seconds.
const LIFETIMES_S: std::ops::RangeInclusive<u64> = 60..=900;
/// The least time between two keys.
const SHORTEST_ROTATION: Duration = Duration::from_hours(1);
/// How long a key may be published before it signs: replicas look every 15 seconds which keys there are.
const NOTICES: std::ops::RangeInclusive<Duration> = Duration::from_secs(30)..=Duration::from_hours(24);

pub(super) fn check_site(config: &mut Config, faults: &mut Faults, raw: RawSite) {
    let name = raw.name.map(|name| SITE_NAME.check(&name));
    let expected = "at most 40 characters in one line";
    if let Some(name) = name.and_then(|name| faults.check("site.name", expected, name))
        && !name.is_empty()
    {
        config.site.name = name;
    }
    let greeting = raw.greeting.map(|text| GREETING.check(&text));
    let expected = "plain text of at most 500 characters";
    if let Some(greeting) = greeting.and_then(|text| faults.check("site.greeting", expected, text)) {
        config.site.greeting = greeting;
    }
}

pub(super) fn check_quotas(config: &mut Config, faults: &mut Faults, raw: RawQuotas) {
    let mut amount = |key: &'static str, raw: Option<RawAmount>| {
        let text = match raw? {
            RawAmount::Number(number) => number.to_string(),
            RawAmount::Text(text) => text,
        };
        if is_unlimited(&text) {
            return None;
        }
        let read = text.parse::<Amount>();
        faults
            .check(
                key,
                "a number such as 5000000000, 5GB or 5GiB, or unlimited",
                read,
            )
            .map(|amount| amount.0)
    };
    config.quotas.limits = Limits {
        bytes: amount("quotas.bytes", raw.bytes),
        storage_bytes: amount("quotas.storage_bytes", raw.storage_bytes),
        repositories: amount("quotas.repositories", raw.repositories),
        tags: amount("quotas.tags", raw.tags),
    };
    if let Some(percent) = raw.warn_percent {
        config.quotas.warn_percent = percent;
        if !(1..=100).contains(&percent) {
            faults.push("quotas.warn_percent", "1 to 100", percent);
        }
    }
    config.quotas.is_strict = raw.strict.unwrap_or_default();
}

pub(super) fn check_rates(config: &mut Config, faults: &mut Faults, raw: RawRateLimits) {
    let expected = "a number and a time of up to 31 days, such as 100/6h";
    for (key, place, text) in [
        (
            "rate_limits.pulls_anonymous",
            &mut config.rates.pulls.anonymous,
            raw.pulls_anonymous,
        ),
        (
            "rate_limits.pulls_account",
            &mut config.rates.pulls.account,
            raw.pulls_account,
        ),
        (
            "rate_limits.pulls_token",
            &mut config.rates.pulls.token,
            raw.pulls_token,
        ),
        (
            "rate_limits.requests_anonymous",
            &mut config.rates.requests.anonymous,
            raw.requests_anonymous,
        ),
        (
            "rate_limits.requests_account",
            &mut config.rates.requests.account,
            raw.requests_account,
        ),
        (
            "rate_limits.requests_token",
            &mut config.rates.requests.token,
            raw.requests_token,
        ),
    ] {
        if let Some(text) = text {
            *place = faults.check(key, expected, rate_limit(&text));
        }
    }
}

/// `100/6h`
fn rate_limit(text: &str) -> Result<RateLimit, InvalidRateLimit> {
    let (count, time) = text.split_once('/').ok_or(InvalidRateLimit)?;
    let time: GoDuration = time.trim().parse().map_err(|_| InvalidRateLimit)?;
    let time: Duration = time.into();
    let count = count.trim().parse().map_err(|_| InvalidRateLimit)?;
    RateLimit::new(count, time.as_secs())
}

pub(super) fn check_tokens(config: &mut Config, faults: &mut Faults, raw: RawToken) {
    if let Some(issuer) = raw.issuer {
        if issuer.is_empty() || issuer.len() > 255 {
            faults.push("token.issuer", "1 to 255 characters", &issuer);
        }
        config.issuer = issuer;
    }
    if let Some(lifetime) = raw.lifetime {
        config.lifetime = lifetime.into();
        if !LIFETIMES_S.contains(&config.lifetime.as_secs()) {
            faults.push("token.lifetime", "60s to 15m", format!("{:?}", config.lifetime));
        }
    }
    if let Some(every) = raw.key_rotation {
        let every: Duration = every.into();
        config.key_rotation = (!every.is_zero()).then_some(every);
        if config.key_rotation.is_some_and(|every| every < SHORTEST_ROTATION) {
            faults.push("token.key_rotation", "0, or 1h or longer", format!("{every:?}"));
        }
    }
    if let Some(notice) = raw.key_notice {
        config.key_notice = notice.into();
        if !NOTICES.contains(&config.key_notice) {
            faults.push(
                "token.key_notice",
                "30s to 24h",
                format!("{:?}", config.key_notice),
            );
        }
    }
}

pub(super) fn check_services(
    config: &mut Config,
    faults: &mut Faults,
    registry: RawRegistry,
    more: Vec<RawService>,
) {
    if let (Some(service), Some(own)) = (registry.service, config.services.first_mut()) {
        own.name = service;
    }
    for RawService { name, foreign } in more {
        let recipient = if foreign {
            Recipient::Foreign
        } else {
            Recipient::Own
        };
        // The front door's own registry may be named again to say that it is a stock one.
        match config.services.iter_mut().find(|known| known.name == name) {
            Some(known) => known.recipient = recipient,
            None => config.services.push(Service { name, recipient }),
        }
    }
    for service in &config.services {
        // It stands in a quoted string of a header and in the claims of every token.
        if service.name.is_empty()
            || service.name.len() > 255
            || !service.name.bytes().all(|b| b.is_ascii_graphic())
        {
            faults.push(
                "services",
                "names of 1 to 255 visible characters",
                format!("{:?}", service.name),
            );
        }
    }
    let shown = secret(
        faults,
        "registry.events_secret",
        registry.events_secret,
        registry.events_secret_file.as_deref(),
    );
    if let Some(shown) = shown {
        let secrets: Vec<&str> = shown.expose().split_whitespace().collect();
        if secrets.is_empty() || secrets.iter().any(|text| text.len() < 32) {
            let expected = "at least 32 characters without spaces, such as `openssl rand -hex 32` prints";
            faults.push(
                "registry.events_secret",
                expected,
                "something else (not shown: it is a secret)",
            );
        }
        config.event_secrets = secrets
            .into_iter()
            .map(|text| Secret::new(text.to_owned()))
            .collect();
    }
    if let Some(url) = registry.url {
        if authority(&url).is_none() {
            faults.push(
                "registry.url",
                "a URL such as http://127.0.0.1:5000, without a path",
                &url,
            );
        }
        config.registry_url = Some(url.trim_end_matches('/').to_owned());
    }
}

pub(super) fn check_password(config: &mut Config, faults: &mut Faults, raw: &RawPassword) {
    let checked = Parameters::new(
        raw.memory_kib.unwrap_or(19_456),
        raw.iterations.unwrap_or(2),
        raw.parallelism.unwrap_or(1),
    );
    if let Some(parameters) = faults.check("password", "parameters of argon2id", checked) {
        config.password = parameters;
    }
    if let Some(threads) = raw.threads {
        config.hashing.threads = threads;
        if !(1..=8).contains(&threads) {
            faults.push("password.threads", "1 to 8", threads);
        }
    }
    if let Some(queue) = raw.queue {
        config.hashing.queue = queue;
        if queue > 1024 {
            faults.push("password.queue", "0 to 1024", queue);
        }
    }
}
