//! The claims of a token that somebody else than Portolan's index made, as distribution reads them: all but `iss`, `aud` and
//! `exp` may be absent, and `aud` may be a list. A claim of a wrong type is an error here too, never an absent claim.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use shared::oci::Object;
use shared::token::claims::MAX_NOTES;
use shared::token::claims::present;
use shared::token::rates::Rates;
use shared::token::{AccessEntry, Claims, Note};

/// Claims whose audience has not been chosen yet.
#[derive(Deserialize)]
pub(super) struct ForeignClaims {
    iss: String,
    sub: Option<String>,
    aud: Audience,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    jti: Option<String>,
    #[serde(default, deserialize_with = "access")]
    access: Vec<AccessEntry>,
    /// Read only so that it is not there twice: of others it may be anything (RFC 8693, section 4.1).
    #[serde(rename = "act")]
    _act: Option<IgnoredAny>,
    /// Our own index's notes; of others it may be anything.
    #[serde(default, deserialize_with = "notes")]
    why: Vec<Note>,
    /// Nobody else has a claim of this name, so what cannot be read is an error.
    #[serde(default, rename = "portolan_rates", deserialize_with = "present")]
    rates: Option<Rates>,
}

fn notes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Note>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let mut notes: Vec<Note> = serde_json::from_value(value).unwrap_or_default();
    notes.truncate(MAX_NOTES);
    Ok(notes)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl ForeignClaims {
    /// As claims whose audience is `service`, when it is among those named, and another otherwise.
    pub(super) fn for_service(self, service: &str) -> Claims {
        let aud = match self.aud {
            Audience::One(one) => one,
            Audience::Several(several) => several
                .iter()
                .find(|name| *name == service)
                .or(several.first())
                .cloned()
                .unwrap_or_default(),
        };
        Claims {
            iss: self.iss,
            sub: self.sub.unwrap_or_default(),
            aud,
            exp: self.exp,
            nbf: self.nbf.unwrap_or_default(),
            iat: self.iat.unwrap_or_default(),
            jti: self.jti.unwrap_or_default(),
            access: self.access,
            act: None,
            why: self.why,
            rates: self.rates,
        }
    }
}

fn access<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<AccessEntry>, D::Error> {
    let entries = Option::<Vec<serde_json::Value>>::deserialize(deserializer)?.unwrap_or_default();
    let known = entries
        .into_iter()
        .filter_map(|entry| serde_json::from_value(entry).ok().map(|Object(entry)| entry));
    Ok(known.collect())
}
