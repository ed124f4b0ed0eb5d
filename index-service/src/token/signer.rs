//! Signing registry tokens, and checking those that come back to us.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use shared::token::{AccessEntry, Claims};

use super::KeySet;
use super::key_set::SigningKey;

/// Longest token in bytes: proxies and registries take headers of 8 KiB.
pub const MAX_TOKEN_BYTES: usize = 6 * 1024;
/// Longest text that is looked at as a token.
const MAX_PRESENTED_BYTES: usize = 8 * 1024;
/// How far the clocks of two machines may be apart, in seconds.
const LEEWAY_S: i64 = 60;
/// An ES256 signature in base64url.
const SIGNATURE_CHARS: usize = 86;

/// Whose registry reads the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipient {
    /// Ours: it finds the key by its id.
    Own,
    /// A stock distribution that trusts the authority: the certificates travel in the token (`x5c`).
    Foreign,
}

/// A token cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The claims without any access are too long already, or the library refused.
    #[error("while signing a token")]
    Refused,
}

/// A signed token and what of the access fitted into it.
#[derive(Debug)]
pub struct Signed {
    /// The compact JWS.
    pub token: String,
    /// The access that the token holds: a leading part of what was asked for.
    pub access: Vec<AccessEntry>,
}

/// Signs with the current key.
#[derive(Debug)]
pub struct Signer {
    keys: KeySet,
    issuer: String,
    /// The first part of a token, ready made.
    own_header: String,
    foreign_header: String,
}

impl Signer {
    /// A signer for tokens of `issuer`.
    pub fn new(keys: KeySet, issuer: String) -> Result<Self, SignError> {
        let current = keys.keys().first().ok_or(SignError::Refused)?;
        let header = |chain: Option<[String; 2]>| {
            let mut header = serde_json::json!({"typ": "JWT", "alg": "ES256", "kid": current.id});
            if let Some(chain) = chain {
                header["x5c"] = chain.into();
            }
            URL_SAFE_NO_PAD.encode(header.to_string())
        };
        let chain = [&current.leaf, keys.authority_der()].map(|certificate| STANDARD.encode(certificate));
        Ok(Self {
            own_header: header(None),
            foreign_header: header(Some(chain)),
            keys,
            issuer,
        })
    }

    /// The `iss` of every token.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The keys.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Signs the claims. When the token would be longer than [`MAX_TOKEN_BYTES`], notes and then access entries are left out
    /// from the end, so that what was asked for first is kept.
    pub fn sign(&self, mut claims: Claims, recipient: Recipient) -> Result<Signed, SignError> {
        let current = self.keys.keys().first().ok_or(SignError::Refused)?;
        let header = match recipient {
            Recipient::Own => &self.own_header,
            Recipient::Foreign => &self.foreign_header,
        };
        let room = MAX_TOKEN_BYTES.saturating_sub(header.len() + SIGNATURE_CHARS + 2) / 4 * 3;
        let payload = loop {
            let payload = serde_json::to_vec(&claims).map_err(|_| SignError::Refused)?;
            if payload.len() <= room {
                break payload;
            }
            if claims.why.pop().is_none() {
                claims.access.pop().ok_or(SignError::Refused)?;
            }
        };
        let mut token = String::with_capacity(header.len() + payload.len() * 4 / 3 + SIGNATURE_CHARS + 4);
        token.push_str(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&payload, &mut token);
        let signature = current
            .pair
            .sign(&SystemRandom::new(), token.as_bytes())
            .map_err(|_| SignError::Refused)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(Signed {
            token,
            access: claims.access,
        })
    }

    /// The claims of a token that we signed and that is valid at `now_s` (seconds since the epoch), whatever
    /// service it is for. Everything else is `None`: which part was wrong is nobody's business.
    pub fn verify(&self, token: &str, now_s: i64) -> Option<Claims> {
        #[derive(Deserialize)]
        struct Header {
            alg: String,
            kid: String,
            /// What a header of ours never has: keys of its own, and what would have to be understood.
            #[serde(flatten)]
            rest: serde_json::Map<String, serde_json::Value>,
        }
        if token.len() > MAX_PRESENTED_BYTES {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        // The algorithm is the key's, not the token's; a token that claims another one is none of ours.
        let is_strange = ["jwk", "jku", "x5u", "crit"]
            .iter()
            .any(|name| header.rest.contains_key(*name));
        if header.alg != "ES256" || is_strange {
            return None;
        }
        let key = self.find_key(&header.kid)?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.pair.public_key().as_ref())
            .verify(signed.as_bytes(), &decode(signature)?)
            .ok()?;
        let claims: Claims = serde_json::from_slice(&decode(payload)?).ok()?;
        let in_time = now_s < claims.exp.saturating_add(LEEWAY_S)
            && claims.nbf <= now_s.saturating_add(LEEWAY_S)
            && claims.iat <= now_s.saturating_add(LEEWAY_S);
        (claims.iss == self.issuer && in_time).then_some(claims)
    }

    fn find_key(&self, id: &str) -> Option<&SigningKey> {
        self.keys.keys().iter().find(|key| key.id == id)
    }
}

#[cfg(test)]
mod tests;
