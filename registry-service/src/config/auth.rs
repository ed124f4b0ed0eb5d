//! `auth`

use std::path::PathBuf;

use reqwest::Url;
use shared::runtime::config::Faults;

use super::key::{Key, Kind, key};
use super::storage::{Backend, StorageConfig};
use super::{Section, auth_policy};
use crate::auth::AccessPolicy;
use crate::auth::algorithm::SignatureAlgorithm;
use crate::auth::key_source::KeyLocations;

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("auth", Kind::Map, "", "One method, or its name alone. Without it everybody may do everything. Ours: `htpasswd` and `token` together, each for who shows a password or a token."),
    key("auth.none", Kind::Any, "", "Everybody may do everything, as without `auth`."),
    key("auth.htpasswd.realm", Kind::Text, "", "Required. What the browser or client shows when it asks for a password."),
    key("auth.htpasswd.path", Kind::Text, "", "Required. A file of accounts with bcrypt hashes, as `htpasswd -B` of Apache writes it; whoever is in it may do everything. Read again within a second of a change. A missing one is made with the account `docker`, whose random password stands in the log once. A verified password is remembered for 5 minutes; at most one password per core is hashed at once, 64 wait, more are answered with 429."),
    key("auth.silly.realm", Kind::Text, "", "Required. Whoever sends any `Authorization` is let in: for tests of clients alone."),
    key("auth.silly.service", Kind::Text, "", "Required."),
    key("auth.token.realm", Kind::Text, "", "Required. The URL of the token endpoint, as clients are told it."),
    key("auth.token.service", Kind::Text, "", "Required. Whom tokens must be for."),
    key("auth.token.issuer", Kind::Text, "", "Required. Who must have issued them."),
    key("auth.token.rootcertbundle", Kind::Text, "", "Certificates (PEM) whose keys are believed: directly, by RFC 7638 thumbprint or libtrust fingerprint, or as roots of `x5c`, with up to three certificates in between. Other blocks are passed over."),
    key("auth.token.jwks", Kind::Text, "", "A file with a JSON Web Key Set; read again when it changes. It may hold shared secrets (`oct`, at least 32 bytes), and is then to be kept like a password."),
    key("auth.token.jwksurl", Kind::Text, "", "Ours: the URL of the index's key set, fetched in the background, the last good set kept."),
    key("auth.token.jwksurlca", Kind::Text, "", "Ours: the authorities (PEM) to believe there instead of the system's. The server's own certificate may be one, also when it vouches for itself."),
    key("auth.token.insecurejwksurl", Kind::Switch, "false", "Ours: allow `http` for it on another host than this one."),
    key("auth.token.signingalgorithms", Kind::Texts, "(all)", "Which of `EdDSA`, `ES256`, `ES384`, `ES512`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `HS256`, `HS384`, `HS512` are allowed. What a key can do its kind says, or its `alg` in a key set; `HS…` needs a shared secret among the keys."),
    key("auth.token.autoredirect", Kind::Switch, "false", "Send clients to `autoredirectpath` on the host that they asked for, by `X-Forwarded-Proto` or else https, instead of to `realm`."),
    key("auth.token.autoredirectpath", Kind::Text, "/auth/token", "The code of distribution has it so; its documentation has a slash at the end."),
    key("auth.challenge", Kind::OneOf(&["", "token", "htpasswd"]), "(`token` where there is one)", "Ours: of several methods, the one that who shows nothing is asked for. Where a policy gives something to everybody and accounts are asked for, the registry has a token endpoint of its own, `/v2/_portolan/token`: only so does an engine pull without an account and push with one."),
];

/// `auth.token`: the token server that is believed.
#[derive(Debug, Clone)]
pub struct TokenConfig {
    /// `realm`: the URL of its token endpoint, as clients are told it.
    pub realm: String,
    /// `service`: whom tokens must be for.
    pub service: String,
    /// `issuer`: who must have issued them.
    pub issuer: String,
    /// `autoredirect` and `autoredirectpath`: the path of the token endpoint on whatever host a client asks for.
    pub auto_redirect: Option<String>,
    /// `signingalgorithms`: those that are allowed, of those that the keys have.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// `rootcertbundle`, `jwks`, `jwksurl`: at least one.
    pub keys: KeyLocations,
}

/// `auth`
#[derive(Debug, Clone)]
pub enum AuthConfig {
    /// Absent, empty or `none`: everybody is let in.
    None,
    /// `auth.silly`
    Silly {
        /// `realm`
        realm: String,
        /// `service`
        service: String,
    },
    /// `auth.htpasswd`
    Htpasswd {
        /// `realm`
        realm: String,
        /// `path`: the file of accounts.
        path: PathBuf,
    },
    /// `auth.token`
    Token(Box<TokenConfig>),
    /// Several of them, or `auth.policy`
    Chain(Box<ChainConfig>),
}

/// Several ways to be let in, and what each may.
#[derive(Debug, Clone)]
pub struct ChainConfig {
    /// `auth.htpasswd`: realm and file.
    pub accounts: Option<(String, PathBuf)>,
    /// `auth.token`
    pub token: Option<TokenConfig>,
    /// `auth.policy`
    pub policy: Option<AccessPolicy>,
    /// `auth.challenge`: whether who shows nothing is sent to the token server, when there is one.
    pub prefers_tokens: bool,
}

impl AuthConfig {
    pub(super) fn check(faults: &mut Faults, root: &Section<'_>, storage: &StorageConfig) -> Self {
        let policy = auth_policy::check(faults, root);
        match (methods(root).as_slice(), policy) {
            ([] | ["none"], None) => Self::None,
            (["silly"], None) => Self::Silly {
                realm: root.required(faults, "auth.silly.realm"),
                service: root.required(faults, "auth.silly.service"),
            },
            (["htpasswd"], None) => {
                let (realm, path) = accounts(faults, root);
                Self::Htpasswd { realm, path }
            }
            (["token"], None) => Self::Token(Box::new(token(faults, root, storage))),
            (methods, policy) => {
                for other in methods
                    .iter()
                    .filter(|name| !["htpasswd", "token"].contains(*name))
                {
                    let expected = match *other {
                        "none" | "silly" => "to stand alone, without another method or a policy",
                        _ => "htpasswd, token, silly, or none for an open registry",
                    };
                    faults.push("auth", expected, other);
                }
                let has = |name: &str| methods.contains(&name);
                Self::Chain(Box::new(ChainConfig {
                    accounts: has("htpasswd").then(|| accounts(faults, root)),
                    token: has("token").then(|| token(faults, root, storage)),
                    policy,
                    prefers_tokens: root.word("auth.challenge").as_deref() != Some("htpasswd"),
                }))
            }
        }
    }
}

/// The methods that are configured; an empty section is none, as in distribution.
fn methods<'a>(root: &Section<'a>) -> Vec<&'a str> {
    let mut names = root.names("auth");
    names.retain(|name| !["policy", "challenge"].contains(name));
    names
}

fn accounts(faults: &mut Faults, root: &Section<'_>) -> (String, PathBuf) {
    let realm = root.required(faults, "auth.htpasswd.realm");
    (realm, root.required(faults, "auth.htpasswd.path").into())
}

fn token(faults: &mut Faults, root: &Section<'_>, storage: &StorageConfig) -> TokenConfig {
    let realm = root.required(faults, "auth.token.realm");
    if !realm.is_empty() && web_url(&realm).is_none() {
        faults.push("auth.token.realm", "an http or https URL", &realm);
    }
    let path = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Into::into);
    let kept = match &storage.backend {
        Backend::Filesystem { root, .. } => Some(root.join("portolan").join("keyset.json")),
        Backend::Memory => None,
    };
    let jwks_url = jwks_url(faults, root);
    let keys = KeyLocations {
        bundle: path(root.text("auth.token.rootcertbundle")),
        jwks: path(root.text("auth.token.jwks")),
        kept: kept.filter(|_| jwks_url.is_some()),
        jwks_authorities: path(root.text("auth.token.jwksurlca")),
        jwks_url,
    };
    if keys.bundle.is_none() && keys.jwks.is_none() && !root.has("auth.token.jwksurl") {
        let expected = "keys to verify tokens with: rootcertbundle, jwks or jwksurl";
        faults.push("auth.token", expected, "none of them");
    }
    TokenConfig {
        realm,
        service: root.required(faults, "auth.token.service"),
        issuer: root.required(faults, "auth.token.issuer"),
        auto_redirect: auto_redirect(root),
        algorithms: algorithms(faults, root),
        keys,
    }
}

fn auto_redirect(root: &Section<'_>) -> Option<String> {
    let is_on = root.switch("auth.token.autoredirect");
    let path = root.word("auth.token.autoredirectpath");
    is_on.then_some(path).flatten()
}

fn algorithms(faults: &mut Faults, root: &Section<'_>) -> Vec<SignatureAlgorithm> {
    const KEY: &str = "auth.token.signingalgorithms";
    let names = root.texts(KEY);
    if names.is_empty() {
        return SignatureAlgorithm::ALL.to_vec();
    }
    let mut algorithms = Vec::new();
    for name in names {
        match name.parse() {
            Ok(algorithm) => algorithms.push(algorithm),
            Err(_) => faults.push(KEY, "a list of names such as ES256, RS256 or EdDSA", name),
        }
    }
    algorithms
}

/// The URL of the key set: whoever can change what comes from it can sign any token, so in the clear it may cross this
/// machine alone, unless it is said to be safe.
fn jwks_url(faults: &mut Faults, root: &Section<'_>) -> Option<Url> {
    const KEY: &str = "auth.token.jwksurl";
    let text = root.word(KEY)?;
    let Some(url) = web_url(&text) else {
        faults.push(KEY, "an https URL", text);
        return None;
    };
    let is_local = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    let is_safe = url.scheme() == "https" || is_local;
    if !is_safe && !root.switch("auth.token.insecurejwksurl") {
        let expected =
            "an https URL, or auth.token.insecurejwksurl: true on a network that nobody else can reach";
        faults.push(KEY, expected, text);
        return None;
    }
    Some(url)
}

/// An http or https URL.
pub(super) fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}
