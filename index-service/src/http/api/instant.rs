//! Times of the API: RFC 3339, in UTC.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

/// A moment (RFC 3339), such as `2027-01-15T08:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub(super) struct Instant(
    /// Milliseconds since 1970.
    pub(super) i64,
);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|time| time.format(&Rfc3339).ok());
        text.unwrap_or_default().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom("a time is written as 2027-01-15T08:00:00Z (RFC 3339)");
        let time = OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| wrong())?;
        let ms = time.unix_timestamp_nanos().div_euclid(1_000_000);
        i64::try_from(ms).map(Self).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_utc_and_read_in_any_zone() {
        let text = serde_json::to_string(&Instant(1_800_000_000_000)).unwrap();
        assert_eq!(text, "\"2027-01-15T08:00:00Z\"");
        for text in ["\"2027-01-15T08:00:00Z\"", "\"2027-01-15T10:00:00+02:00\""] {
            assert_eq!(
                serde_json::from_str::<Instant>(text).unwrap().0,
                1_800_000_000_000
            );
        }
        for text in ["\"2027-01-15\"", "1800000000", "\"\"", "\"tomorrow\""] {
            assert!(serde_json::from_str::<Instant>(text).is_err(), "{text}");
        }
    }
}
