//! Tokens of the registry's own, for clients that ask a token endpoint or nobody: an engine that may pull without an
//! account and push with one learns to do both only from a Bearer challenge.
//!
//! A token says who its holder is and nothing of what they may. It is no JSON Web Token: nobody else reads it.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shared::secret::Secret;

use super::realm::Realm;

/// How long a token is good, in seconds.
pub(super) const LIFE_S: i64 = 300;
/// What a challenge calls this registry.
pub(super) const SERVICE: &str = "portolan-registry";
/// Where tokens are had.
pub(super) const PATH: &str = "/v2/_portolan/token";
/// What a token begins with.
const PREFIX: &str = "ptr_";
/// Longest token that is looked at.
const MAX_TOKEN: usize = 1024;

/// Makes tokens, and reads them.
#[derive(Debug)]
pub struct OwnTokens {
    key: hmac::Key,
    realm: Realm,
}

/// Who holds a token, as it says; not believed before [`OwnTokens::is_genuine`].
pub(super) struct Shown {
    /// The account; empty for nobody.
    pub(super) account: String,
    expires_s: i64,
    tag: Vec<u8>,
}

impl OwnTokens {
    /// Tokens of all registries that have this secret. `base_url` is the external URL; empty when it is to be taken from
    /// the request.
    pub fn new(secret: &Secret<Vec<u8>>, base_url: &str) -> Self {
        let derived = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret.expose()),
            b"portolan own tokens",
        );
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()),
            realm: Realm::own(base_url, PATH),
        }
    }

    pub(super) fn realm(&self) -> &Realm {
        &self.realm
    }

    /// A token for an account, whose password has this hash; for nobody when both are empty.
    pub(super) fn issue(&self, account: &str, hash: &str, now_s: i64) -> String {
        let mut payload = now_s.saturating_add(LIFE_S).to_be_bytes().to_vec();
        payload.extend_from_slice(account.as_bytes());
        let tag = hmac::sign(&self.key, &signed(&payload, hash));
        payload.extend_from_slice(tag.as_ref());
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(payload))
    }

    /// Reads a token of this kind.
    pub(super) fn read(token: &str) -> Option<Shown> {
        const TAG: usize = 32;
        if token.len() > MAX_TOKEN {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
        let (payload, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        let (expires, account) = payload.split_first_chunk::<8>()?;
        Some(Shown {
            account: String::from_utf8(account.to_vec()).ok()?,
            expires_s: i64::from_be_bytes(*expires),
            tag: tag.to_vec(),
        })
    }

    /// Whether it was made here, for an account whose password has this hash still, and is good.
    pub(super) fn is_genuine(&self, shown: &Shown, hash: &str, now_s: i64) -> bool {
        let mut payload = shown.expires_s.to_be_bytes().to_vec();
        payload.extend_from_slice(shown.account.as_bytes());
        now_s < shown.expires_s && hmac::verify(&self.key, &signed(&payload, hash), &shown.tag).is_ok()
    }
}

/// With its length, so that no text can be moved from the payload into the hash.
fn signed(payload: &[u8], hash: &str) -> Vec<u8> {
    let mut signed = (payload.len() as u64).to_be_bytes().to_vec();
    signed.extend_from_slice(payload);
    signed.extend_from_slice(hash.as_bytes());
    signed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_falls_with_time_password_and_any_change() {
        let secret = |text: &[u8]| Secret::new(text.to_vec());
        let own = OwnTokens::new(&secret(b"one"), "");
        let token = own.issue("alice", "hash", 1_000);
        let good = |own: &OwnTokens, token: &str, hash: &str, now_s| {
            OwnTokens::read(token).is_some_and(|shown| own.is_genuine(&shown, hash, now_s))
        };
        assert!(good(&own, &token, "hash", 1_000));
        assert!(good(&own, &token, "hash", 1_299));
        assert!(!good(&own, &token, "hash", 1_300));
        assert!(!good(&own, &token, "another hash", 1_000));
        assert!(!good(&OwnTokens::new(&secret(b"two"), ""), &token, "hash", 1_000));
        assert!(good(&OwnTokens::new(&secret(b"one"), ""), &token, "hash", 1_000));
        let nobody = own.issue("", "", 1_000);
        assert!(good(&own, &nobody, "", 1_000));
        // The tag of nobody's token opens no account's.
        let bytes = |token: &str| {
            URL_SAFE_NO_PAD
                .decode(token.strip_prefix(PREFIX).unwrap())
                .unwrap()
        };
        let (of_alice, of_nobody) = (bytes(&token), bytes(&nobody));
        let mixed = [&of_alice[..13], &of_nobody[8..]].concat();
        assert!(!good(
            &own,
            &format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(mixed)),
            "hash",
            1_000
        ));
        for at in 0..of_alice.len() {
            let mut changed = of_alice.clone();
            changed[at] ^= 1;
            let changed = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(changed));
            assert!(!good(&own, &changed, "hash", 1_000), "byte {at}");
        }
        for text in ["", "ptr_", "ptr_AAAA", "eyJhbGciOiJub25lIn0.e30.", &token[4..]] {
            assert!(OwnTokens::read(text).is_none(), "{text}");
        }
    }
}
