//! Token → claims (RFC 7515, compact serialisation; RFC 7519; RFC 8725).

use std::borrow::Cow;
use std::str::FromStr as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moka::sync::Cache;
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};
use shared::oci::{Object, RepositoryName};
use shared::token::access::Resource;
use shared::token::claims::MAX_NOTE_LENGTH;
use shared::token::rates::Rates;
use shared::token::{AccessEntry, Action, Actions, Claims, Terms};

use super::algorithm::SignatureAlgorithm;
use super::allowed_tags::AllowedTags;
use super::certificate::{self, Leaf};
use super::foreign::ForeignClaims;
use super::key::Key;
use super::key_ring::{KeyRing, KeySet};

/// Longest token in bytes; anything longer is refused before it is looked at.
pub const MAX_TOKEN: usize = 8 << 10;
/// How far the clocks of index and registry may be apart, in seconds.
pub const LEEWAY: i64 = 60;
/// Room for remembered tokens in bytes, as weighed by [`weight`].
const REMEMBERED: u64 = 16 << 20;

/// Why a token is not believed. The texts go to the client; they tell nothing that it could not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// Not three parts of base64url, or too long.
    #[error("the token is not a signed JSON Web Token in compact form")]
    Form,
    /// The header has no key id, or asks for something that is not done.
    #[error("the token's header is not acceptable")]
    Header,
    /// No configured key has its id.
    #[error("the token was signed by a key that this registry does not know")]
    UnknownKey,
    /// `alg` is not the one of the key, or the signature is wrong.
    #[error("the token's signature is not valid")]
    Signature,
    /// A claim is missing or has a wrong type.
    #[error("the token's claims are not complete")]
    Claims,
    /// `iss` is somebody else.
    #[error("the token was issued by somebody else")]
    Issuer,
    /// `aud` is another service.
    #[error("the token is for another service")]
    Audience,
    /// `exp` is past.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is to come.
    #[error("the token is not valid yet; compare the clocks of the two services")]
    NotYetValid,
}

/// Claims whose signature, issuer, audience and time were checked. Made by [`Verifier::verify`] alone.
#[derive(Debug)]
pub struct VerifiedClaims {
    claims: Claims,
    key: Arc<Key>,
    /// Seconds since the epoch from which it is refused: `exp` with leeway, or the end of the certificate it hangs on.
    good_until: i64,
    token_length: usize,
}

impl VerifiedClaims {
    /// The user name; empty for anonymous.
    pub fn subject(&self) -> &str {
        &self.claims.sub
    }

    /// What the token allows on a repository, and under which name the registry keeps it.
    pub fn find_access<'a>(&'a self, name: &'a RepositoryName) -> Option<(Actions, &'a RepositoryName)> {
        let mut found: Option<(Actions, &RepositoryName)> = None;
        for entry in &self.claims.access {
            if !matches!(&entry.resource, Resource::Repository(own) if own == name) {
                continue;
            }
            let stored_as = entry.stored_as.as_ref().unwrap_or(name);
            found = match found {
                None => Some((entry.actions, stored_as)),
                // Entries of one name that disagree on where it is stored allow nothing together.
                Some((_, other)) if other != stored_as => return None,
                Some((actions, _)) => Some((actions.union(entry.actions), stored_as)),
            };
        }
        found
    }

    /// Which tags of a repository the token allows to push or to delete.
    pub fn allowed_tags(&self, name: &RepositoryName, action: Action) -> AllowedTags {
        let grants = self.claims.access.iter().filter_map(|entry| {
            let is_own = matches!(&entry.resource, Resource::Repository(own) if own == name);
            let limits = match action {
                Action::Push => &entry.push_tags,
                Action::Delete => &entry.delete_tags,
                Action::Pull | Action::Search | Action::All => return None,
            };
            (is_own && entry.actions.covers(Actions::NONE.with(action))).then_some(limits)
        });
        AllowedTags::of_grants(grants)
    }

    /// What pushes to a repository and deletions there keep to: all of it, whichever entry says it.
    pub fn terms(&self, name: &RepositoryName) -> Vec<Arc<Terms>> {
        let is_of =
            |entry: &&AccessEntry| matches!(&entry.resource, Resource::Repository(own) if own == name);
        let entries = self.claims.access.iter().filter(is_of);
        entries.filter_map(|entry| entry.terms.clone()).collect()
    }

    /// How often the holder may ask.
    pub fn rates(&self) -> Option<&Rates> {
        self.claims.rates.as_ref()
    }

    /// Why the index granted less on a repository than was asked for, in its words.
    pub fn find_note(&self, name: &RepositoryName) -> Option<&str> {
        let note = self.claims.why.iter().find(|note| note.name == *name)?;
        (note.text.len() <= MAX_NOTE_LENGTH).then_some(note.text.as_str())
    }

    /// Every repository whose content the token allows to read: its name and the name under which it is stored.
    pub fn pullable(&self) -> impl Iterator<Item = (&RepositoryName, &RepositoryName)> {
        self.claims
            .access
            .iter()
            .filter_map(|entry| match &entry.resource {
                Resource::Repository(name) if entry.actions.covers(Actions::PULL) => {
                    Some((name, entry.stored_as.as_ref().unwrap_or(name)))
                }
                _ => None,
            })
    }

    /// Whether an entry of the repository is for this class; one that names none is for images. A repository that no entry
    /// names is not bound.
    pub fn allows_class(&self, name: &RepositoryName, class: &str) -> bool {
        let is_of =
            |entry: &&AccessEntry| matches!(&entry.resource, Resource::Repository(own) if own == name);
        let mut entries = self.claims.access.iter().filter(is_of).peekable();
        let is_bound = entries.peek().is_some();
        !is_bound || entries.any(|entry| entry.class.as_deref().unwrap_or("image") == class)
    }

    /// Whether the token allows to list every repository: `registry:catalog:*`.
    pub fn lists_everything(&self) -> bool {
        self.claims
            .access
            .iter()
            .any(|entry| entry.resource == Resource::Catalog && entry.actions.contains(Action::All))
    }

    /// Whether the token allows anything at all.
    pub fn allows_nothing(&self) -> bool {
        self.claims.access.is_empty()
    }

    fn check_time(&self, now_s: i64) -> Result<(), InvalidToken> {
        if now_s >= self.good_until {
            return Err(InvalidToken::Expired);
        }
        if now_s < self.claims.nbf.saturating_sub(LEEWAY) || now_s < self.claims.iat.saturating_sub(LEEWAY) {
            return Err(InvalidToken::NotYetValid);
        }
        Ok(())
    }
}

/// What is asked of tokens besides a good signature, issuer, audience and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The algorithms that are allowed (`signingalgorithms`), of those that the keys have. By default all.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// Whether somebody else than Portolan's index makes them: claims that distribution does not need may then be absent,
    /// and one token may be for several services. By default not.
    pub foreign: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            algorithms: SignatureAlgorithm::ALL.to_vec(),
            foreign: false,
        }
    }
}

/// Checks tokens of one issuer for one service, and remembers those it found good.
#[derive(Debug)]
pub struct Verifier {
    issuer: String,
    service: String,
    ring: KeyRing,
    rules: Rules,
    /// Good tokens by their SHA-256, so that a signature is checked once per token. An entry counts only while its key
    /// is in use and its time is good.
    remembered: Cache<[u8; 32], Arc<VerifiedClaims>>,
}

/// What a remembered token takes of [`REMEMBERED`]; the floor keeps it to ten thousand tokens.
fn weight(token_length: usize) -> u32 {
    const FLOOR: u32 = 1_680;
    u32::try_from(512 + 2 * token_length)
        .unwrap_or(u32::MAX)
        .max(FLOOR)
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    typ: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kid: Option<Cow<'a, str>>,
    x5c: Option<Vec<String>>,
    // Keys and extensions that the token brings along are never honoured.
    #[serde(default)]
    jwk: Present,
    #[serde(default)]
    jku: Present,
    #[serde(default)]
    x5u: Present,
    #[serde(default)]
    crit: Present,
}

/// Whether a field is there, `null` included.
#[derive(Default)]
struct Present(bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

impl Verifier {
    /// A verifier of tokens that `issuer` signed for `service` with a key of the ring.
    pub fn new(issuer: impl Into<String>, service: impl Into<String>, ring: KeyRing) -> Self {
        let remembered = Cache::builder()
            .max_capacity(REMEMBERED)
            .weigher(|_, claims: &Arc<VerifiedClaims>| weight(claims.token_length))
            .build();
        Self {
            issuer: issuer.into(),
            service: service.into(),
            ring,
            rules: Rules::default(),
            remembered,
        }
    }

    /// The same under other rules.
    #[must_use]
    pub fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// The service that tokens must be for.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The claims of a token that is good at `now_s` (seconds since the epoch).
    pub fn verify(&self, token: &str, now_s: i64) -> Result<Arc<VerifiedClaims>, InvalidToken> {
        if token.len() > MAX_TOKEN {
            return Err(InvalidToken::Form);
        }
        let hash: [u8; 32] = Sha256::digest(token).into();
        if let Some(known) = self.remembered.get(&hash) {
            if !known.key.is_retired() && known.check_time(now_s).is_ok() {
                return Ok(known);
            }
            self.remembered.invalidate(&hash);
        }
        let verified = Arc::new(self.verify_afresh(token, now_s)?);
        self.remembered.insert(hash, Arc::clone(&verified));
        Ok(verified)
    }

    fn verify_afresh(&self, token: &str, now_s: i64) -> Result<VerifiedClaims, InvalidToken> {
        let (signed, signature) = token.rsplit_once('.').ok_or(InvalidToken::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(InvalidToken::Form)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| InvalidToken::Form);
        // Another dot in the payload fails here, since it is no base64url: five parts are an encrypted token.
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        let Object(header): Object<Header<'_>> =
            serde_json::from_slice(&header).map_err(|_| InvalidToken::Header)?;
        let key = signing_key(&header, &self.ring.current(), now_s)?;
        let algorithm = SignatureAlgorithm::from_str(&header.alg).map_err(|_| InvalidToken::Signature)?;
        let is_allowed = self.rules.algorithms.contains(&algorithm);
        if !is_allowed || !key.verifies(algorithm, signed.as_bytes(), &signature) {
            return Err(InvalidToken::Signature);
        }
        let claims = self.claims(&payload)?;
        if claims.iss != self.issuer {
            return Err(InvalidToken::Issuer);
        }
        if claims.aud != self.service && !shared::sabotage::breaks("skip-audience") {
            return Err(InvalidToken::Audience);
        }
        let verified = VerifiedClaims {
            good_until: claims.exp.saturating_add(LEEWAY).min(key.good_until()),
            token_length: token.len(),
            key: key.bound_to(),
            claims,
        };
        verified.check_time(now_s)?;
        Ok(verified)
    }

    fn claims(&self, payload: &[u8]) -> Result<Claims, InvalidToken> {
        if self.rules.foreign {
            let Object(claims): Object<ForeignClaims> =
                serde_json::from_slice(payload).map_err(|_| InvalidToken::Claims)?;
            return Ok(claims.for_service(&self.service));
        }
        let Object(claims): Object<Claims> =
            serde_json::from_slice(payload).map_err(|_| InvalidToken::Claims)?;
        Ok(claims)
    }
}

/// The key to verify with, and the configured key whose fall ends the trust.
enum SigningKey {
    Configured(Arc<Key>),
    Certified(Box<Leaf>, Arc<Key>),
}

impl SigningKey {
    fn good_until(&self) -> i64 {
        match self {
            Self::Configured(_) => i64::MAX,
            Self::Certified(leaf, _) => leaf.not_after_s,
        }
    }

    fn bound_to(self) -> Arc<Key> {
        match self {
            Self::Configured(key) => key,
            Self::Certified(_, root) => root,
        }
    }
}

impl std::ops::Deref for SigningKey {
    type Target = Key;

    fn deref(&self) -> &Key {
        match self {
            Self::Configured(key) => key,
            Self::Certified(leaf, _) => &leaf.key,
        }
    }
}

fn signing_key(header: &Header<'_>, keys: &KeySet, now_s: i64) -> Result<SigningKey, InvalidToken> {
    let is_jwt = header
        .typ
        .as_deref()
        .is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
    let brings_key = header.jwk.0 || header.jku.0 || header.x5u.0;
    if !is_jwt || brings_key || header.crit.0 {
        return Err(InvalidToken::Header);
    }
    if let Some(key) = header.kid.as_deref().and_then(|kid| keys.find(kid)) {
        return Ok(SigningKey::Configured(key));
    }
    match &header.x5c {
        Some(chain) if !keys.roots.is_empty() => {
            let (leaf, root) =
                certificate::leaf_key(chain, &keys.roots, now_s).ok_or(InvalidToken::UnknownKey)?;
            Ok(SigningKey::Certified(Box::new(leaf), Arc::clone(&root.key)))
        }
        _ if header.kid.is_none() => Err(InvalidToken::Header),
        _ => Err(InvalidToken::UnknownKey),
    }
}
