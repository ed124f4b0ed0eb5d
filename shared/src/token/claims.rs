//! The claims of a registry token (Docker token authentication specification, "JWT"; RFC 7519, section 4.1).

use serde::{Deserialize, Deserializer, Serialize};

use super::AccessEntry;
use super::rates::Rates;
use crate::oci::{Object, RepositoryName};

/// Most notes in a token.
pub const MAX_NOTES: usize = 10;
/// Longest text of a note, in bytes.
pub const MAX_NOTE_LENGTH: usize = 160;

/// Why something that was asked for is not granted: for people, shown with the refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The repository by the name that the client used.
    pub name: RepositoryName,
    /// One line.
    pub text: String,
}

/// What a token says. Every claim is required and of exactly its type: a claim of a wrong type is an error, never an
/// absent claim (CVE-2026-25537).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed: the issuer that the registry is configured with.
    pub iss: String,
    /// The user name; empty for anonymous.
    pub sub: String,
    /// The service the token is for. Written as a plain string, since distribution 2.8 cannot read a list; a list of
    /// one is read too.
    #[serde(deserialize_with = "audience")]
    pub aud: String,
    /// Seconds since the epoch after which it is refused.
    pub exp: i64,
    /// Seconds since the epoch before which it is refused.
    pub nbf: i64,
    /// Seconds since the epoch at which it was issued.
    pub iat: i64,
    /// A random id.
    pub jti: String,
    /// What it allows. Entries for resources that no service of ours knows are an error in our own tokens and ignored in
    /// foreign ones, so they are dropped here.
    #[serde(deserialize_with = "access")]
    pub access: Vec<AccessEntry>,
    /// Which credential the token was issued for, such as `pat:17`: ours alone, ignored by others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<String>,
    /// Why of what was asked for something is missing, for those who are signed in: ours alone, ignored by others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<Note>,
    /// How often the holder may ask: ours alone, ignored by others. What is there and cannot be read is an error.
    #[serde(
        default,
        rename = "portolan_rates",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub rates: Option<Rates>,
}

/// What is there: `null` is not what is absent.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn audience<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        List([String; 1]),
    }
    Ok(match Audience::deserialize(deserializer)? {
        Audience::One(one) | Audience::List([one]) => one,
    })
}

fn access<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<AccessEntry>, D::Error> {
    let entries = Option::<Vec<serde_json::Value>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(entries
        .into_iter()
        .filter_map(|entry| serde_json::from_value(entry).ok().map(|Object(entry)| entry))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> serde_json::Value {
        serde_json::json!({
            "iss": "portolan", "sub": "alice", "aud": "localhost:5000", "exp": 1_300, "nbf": 990, "iat": 1_000,
            "jti": "x", "access": [{"type": "repository", "name": "a/b", "actions": ["pull"]}],
        })
    }

    #[test]
    fn claims_read_back_what_they_write_with_the_audience_as_a_plain_string() {
        let read: Claims = serde_json::from_value(claims()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), claims());
    }

    #[test]
    fn every_claim_is_required_and_strictly_typed() {
        for claim in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access"] {
            let mut without = claims();
            without.as_object_mut().unwrap().remove(claim);
            assert!(
                serde_json::from_value::<Claims>(without).is_err(),
                "without {claim}"
            );
            for wrong in [
                serde_json::json!(1.5),
                serde_json::json!({}),
                serde_json::json!([1, 2]),
                serde_json::json!(true),
            ] {
                // `[1, 2]` as access holds no entry for a known resource: it grants nothing.
                if claim == "access" && wrong.is_array() {
                    continue;
                }
                let mut with = claims();
                with[claim] = wrong.clone();
                assert!(
                    serde_json::from_value::<Claims>(with).is_err(),
                    "{claim} = {wrong}"
                );
            }
        }
        for (claim, wrong) in [
            ("exp", "\"1300\""),
            ("exp", "1e300"),
            ("exp", "null"),
            ("nbf", "\"0\""),
            ("sub", "null"),
        ] {
            let mut with = claims();
            with[claim] = serde_json::from_str(wrong).unwrap();
            assert!(
                serde_json::from_value::<Claims>(with).is_err(),
                "{claim} = {wrong}"
            );
        }
    }

    #[test]
    fn an_access_entry_that_is_a_list_of_its_fields_grants_nothing() {
        let mut list = claims();
        list["access"] = serde_json::json!([["repository", "a/b", ["pull"], null]]);
        assert_eq!(serde_json::from_value::<Claims>(list).unwrap().access, []);
    }

    #[test]
    fn an_audience_of_several_services_is_refused() {
        let mut list = claims();
        list["aud"] = serde_json::json!(["localhost:5000"]);
        assert_eq!(
            serde_json::from_value::<Claims>(list.clone()).unwrap().aud,
            "localhost:5000"
        );
        list["aud"] = serde_json::json!(["localhost:5000", "other"]);
        assert!(serde_json::from_value::<Claims>(list).is_err());
    }
}
