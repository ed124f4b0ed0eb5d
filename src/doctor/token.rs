//! A registry token as it looks from outside: read, not verified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// What a token says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) key_id: String,
    pub(super) issuer: String,
    pub(super) audience: String,
    /// Seconds since 1970.
    pub(super) not_before: i64,
    /// Seconds since 1970.
    pub(super) expires: i64,
}

impl Seen {
    /// `None` for what is no JSON Web Token.
    pub(super) fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let header = part(parts.next()?)?;
        let claims = part(parts.next()?)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Some(Self {
            key_id: text(&header["kid"]),
            issuer: text(&claims["iss"]),
            audience: match &claims["aud"] {
                Value::Array(list) => list.first().map(text).unwrap_or_default(),
                one => text(one),
            },
            not_before: claims["nbf"].as_i64().unwrap_or_default(),
            expires: claims["exp"].as_i64().unwrap_or_default(),
        })
    }
}

fn part(text: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// A parameter of a `Bearer` challenge.
pub(super) fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_without_its_key() {
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!(
            "{}.{}.x",
            encode(serde_json::json!({"alg": "ES256", "kid": "k1"})),
            encode(serde_json::json!({"iss": "i", "aud": ["s"], "nbf": 1, "exp": 2})),
        );
        let seen = Seen::read(&token).unwrap();
        assert_eq!(
            (seen.key_id.as_str(), seen.issuer.as_str(), seen.audience.as_str()),
            ("k1", "i", "s")
        );
        assert_eq!((seen.not_before, seen.expires), (1, 2));
        for text in ["", "a", "a.b.c", "e30.e30"] {
            assert!(
                Seen::read(text).is_none_or(|seen| seen.issuer.is_empty()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_challenge_gives_its_parameters() {
        let challenge = r#"Bearer realm="https://h/token",service="h",error="invalid_token""#;
        assert_eq!(parameter(challenge, "realm"), Some("https://h/token"));
        assert_eq!(parameter(challenge, "service"), Some("h"));
        assert_eq!(parameter(challenge, "scope"), None);
    }
}
