//! How often a holder may ask, as a token says it: who it is counted as, and how much in which time.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::oci::Object;

/// Most limits of one token.
pub const MAX_RATES: usize = 6;
/// Longest key or source, in bytes.
const MAX_TEXT: usize = 128;
/// Longest time that a limit is about, in seconds: 31 days.
pub const MAX_WINDOW_S: u32 = 31 * 86_400;
/// The version that is written, and the only one that is read.
const VERSION: u8 = 1;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counted {
    /// Manifests of images and artifacts that are fetched.
    Pulls,
    /// Every request.
    Requests,
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// Whom it counts as: all tokens with this key share the count.
    pub key: String,
    /// What is counted.
    pub what: Counted,
    /// How many.
    pub limit: u32,
    /// In how many seconds.
    pub window_s: u32,
}

/// The limits of a token; each holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Who is counted, as is told to them: an address, or a name.
    pub source: String,
    /// The limits; at least one.
    pub limits: Vec<Rate>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: u8,
    source: String,
    of: Vec<(String, Counted, u32, u32)>,
}

impl Serialize for Rates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let limits = self.limits.iter();
        Wire {
            v: VERSION,
            source: self.source.clone(),
            of: limits
                .map(|rate| (rate.key.clone(), rate.what, rate.limit, rate.window_s))
                .collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let Object(wire) = Object::<Wire>::deserialize(deserializer)?;
        let is_text = |text: &str| text.len() <= MAX_TEXT && text.bytes().all(|b| b.is_ascii_graphic());
        let is_good = wire.v == VERSION
            && (1..=MAX_RATES).contains(&wire.of.len())
            && is_text(&wire.source)
            && wire
                .of
                .iter()
                .all(|(key, _, _, window)| is_text(key) && (1..=MAX_WINDOW_S).contains(window));
        if !is_good {
            return Err(D::Error::custom("rates that are not known"));
        }
        Ok(Self {
            source: wire.source,
            limits: wire
                .of
                .into_iter()
                .map(|(key, what, limit, window_s)| Rate {
                    key,
                    what,
                    limit,
                    window_s,
                })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_back_what_they_write_and_what_is_not_understood_is_refused() {
        let rates = Rates {
            source: "192.0.2.7".to_owned(),
            limits: vec![Rate {
                key: "n:192.0.2.7/32".to_owned(),
                what: Counted::Pulls,
                limit: 100,
                window_s: 21_600,
            }],
        };
        let json = serde_json::to_value(&rates).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"v": 1, "source": "192.0.2.7", "of": [["n:192.0.2.7/32", "pulls", 100, 21600]]})
        );
        assert_eq!(serde_json::from_value::<Rates>(json).unwrap(), rates);
        for text in [
            "null",
            "[]",
            r#"[1,"x",[["k","pulls",1,1]]]"#,
            r#"{"v":2,"source":"x","of":[["k","pulls",1,1]]}"#,
            r#"{"v":1,"source":"x","of":[]}"#,
            r#"{"v":1,"source":"x","of":[["k","pushes",1,1]]}"#,
            r#"{"v":1,"source":"x","of":[["k","pulls",1,0]]}"#,
            r#"{"v":1,"source":"x","of":[["k","pulls",-1,1]]}"#,
            r#"{"v":1,"source":"x","of":[["k k","pulls",1,1]]}"#,
            r#"{"v":1,"source":"x\ny","of":[["k","pulls",1,1]]}"#,
            r#"{"v":1,"source":"x","of":[["k","pulls",1,1]],"more":1}"#,
        ] {
            assert!(serde_json::from_str::<Rates>(text).is_err(), "{text}");
        }
    }
}
