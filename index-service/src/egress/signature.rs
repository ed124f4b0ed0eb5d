//! What shows a receiver that a message is ours: Standard Webhooks, and the ways of chats that have one.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a secret begins with; 32 random bytes in base64 follow.
const PREFIX: &str = "whsec_";

/// A secret as receivers are configured with it (Standard Webhooks).
pub fn new_secret(random: [u8; 32]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(random))
}

/// `webhook-signature` by each of the secrets: HMAC-SHA256 over `id.timestamp.body`. Of a secret that was brought along in
/// another form the characters are the key.
pub fn standard<'a>(
    secrets: impl IntoIterator<Item = &'a str>,
    id: &str,
    timestamp_s: i64,
    body: &str,
) -> String {
    let text = format!("{id}.{timestamp_s}.{body}");
    let signatures: Vec<String> = secrets
        .into_iter()
        .map(|secret| format!("v1,{}", mac(&key_of(secret), text.as_bytes())))
        .collect();
    signatures.join(" ")
}

fn key_of(secret: &str) -> Vec<u8> {
    secret
        .strip_prefix(PREFIX)
        .and_then(|text| STANDARD.decode(text).ok())
        .unwrap_or_else(|| secret.as_bytes().to_vec())
}

/// `sign` of a custom bot of Feishu: the time and the secret are the key, nothing is signed.
pub fn feishu(secret: &str, timestamp_s: i64) -> String {
    mac(format!("{timestamp_s}\n{secret}").as_bytes(), b"")
}

/// `sign` of a custom robot of DingTalk: the time and the secret are signed with the secret.
pub fn dingtalk(secret: &str, timestamp_ms: i64) -> String {
    mac(secret.as_bytes(), format!("{timestamp_ms}\n{secret}").as_bytes())
}

fn mac(key: &[u8], text: &[u8]) -> String {
    STANDARD.encode(sign(&Key::new(HMAC_SHA256, key), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks reference libraries.
    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        let signed = standard(
            ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn two_secrets_sign_side_by_side() {
        let (one, two) = (new_secret([1; 32]), new_secret([2; 32]));
        let both = standard([one.as_str(), two.as_str()], "msg_1", 1, "{}");
        let parts: Vec<&str> = both.split(' ').collect();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0], standard([one.as_str()], "msg_1", 1, "{}"));
        assert_eq!(parts[1], standard([two.as_str()], "msg_1", 1, "{}"));
        assert_ne!(
            parts[0],
            standard([one.as_str()], "msg_1", 2, "{}"),
            "the time is signed"
        );
        assert_ne!(
            parts[0],
            standard([one.as_str()], "msg_2", 1, "{}"),
            "the id is signed"
        );
    }

    /// Computed with Python's hmac as the documents of both say.
    #[test]
    fn chats_are_signed_to_as_they_document() {
        assert_eq!(
            feishu("demo", 1_599_360_473),
            "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="
        );
        assert_eq!(
            dingtalk("SECdemo", 1_577_262_236_757),
            "sLRlUUvzoOXn5DR/+o+s6tOqX+bWe3JGaZ7JQ7844l8="
        );
    }
}
