//! Durations as Go writes them (`time.ParseDuration`).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// A duration in Go's syntax: `30s`, `1h30m`, `1.5h`, `100ms`; a bare integer is nanoseconds, as in
/// distribution's configuration. Never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct GoDuration(pub Duration);

/// The text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a duration such as \"30s\", \"1h30m\" or \"100ms\"")]
pub struct InvalidDuration;

impl From<GoDuration> for Duration {
    fn from(duration: GoDuration) -> Self {
        duration.0
    }
}

impl From<Duration> for GoDuration {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl FromStr for GoDuration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return text
                .parse()
                .map(|ns| Self(Duration::from_nanos(ns)))
                .map_err(|_| InvalidDuration);
        }
        let mut rest = text.strip_prefix('+').unwrap_or(text);
        let mut total: u128 = 0;
        if rest.is_empty() {
            return Err(InvalidDuration);
        }
        while !rest.is_empty() {
            let (term, after) = parse_term(rest).ok_or(InvalidDuration)?;
            total = total.checked_add(term).ok_or(InvalidDuration)?;
            rest = after;
        }
        // Go's durations are 64-bit signed nanoseconds; larger ones are faults there too.
        let nanoseconds = i64::try_from(total).map_err(|_| InvalidDuration)?;
        Ok(Self(Duration::from_nanos(nanoseconds.unsigned_abs())))
    }
}

/// One `number unit` from the front, in nanoseconds, and what follows it.
fn parse_term(text: &str) -> Option<(u128, &str)> {
    const UNITS: [(&str, u128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at(number_end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || whole.len() > 19 {
        return None;
    }
    let unit_end = rest
        .find(|c: char| c.is_ascii_digit() || c == '.')
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_end);
    let (_, scale) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let mut value = if whole.is_empty() {
        0
    } else {
        whole.parse::<u128>().ok()? * scale
    };
    // Places beyond the twelfth of an hour are less than a nanosecond.
    let fraction = &fraction[..fraction.len().min(12)];
    if !fraction.is_empty() {
        value += fraction.parse::<u128>().ok()? * scale / 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    }
    Some((value, rest))
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = GoDuration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as \"30s\", \"1h30m\" or \"100ms\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<GoDuration, E> {
                text.parse()
                    .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: de::Error>(self, nanoseconds: u64) -> Result<GoDuration, E> {
                Ok(GoDuration(Duration::from_nanos(nanoseconds)))
            }

            fn visit_i64<E: de::Error>(self, nanoseconds: i64) -> Result<GoDuration, E> {
                u64::try_from(nanoseconds)
                    .map(|ns| GoDuration(Duration::from_nanos(ns)))
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(nanoseconds), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
