//! `auth`

use std::path::PathBuf;

use reqwest::Url;
use serde_json::Value;
use shared::runtime::config::Faults;

use super::Section;
use super::storage::{Backend, StorageConfig};
use crate::auth::algorithm::SignatureAlgorithm;
use crate::auth::key_source::KeyLocations;

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
}

impl AuthConfig {
    pub(super) fn check(faults: &mut Faults, root: &Section<'_>, storage: &StorageConfig) -> Self {
        match method(faults, root) {
            None | Some("none") => Self::None,
            Some("silly") => Self::Silly {
                realm: root.required(faults, "auth.silly.realm"),
                service: root.required(faults, "auth.silly.service"),
            },
            Some("htpasswd") => Self::Htpasswd {
                realm: root.required(faults, "auth.htpasswd.realm"),
                path: root.required(faults, "auth.htpasswd.path").into(),
            },
            Some("token") => Self::Token(Box::new(token(faults, root, storage))),
            Some(other) => {
                let expected = "htpasswd, token, silly, or none for an open registry";
                faults.push("auth", expected, other);
                Self::None
            }
        }
    }
}

/// The one method that is configured.
fn method<'a>(faults: &mut Faults, root: &Section<'a>) -> Option<&'a str> {
    let methods: Vec<&str> = match root.get("auth")? {
        Value::String(method) => vec![method],
        // An empty section is no authentication, as in distribution.
        Value::Object(map) if map.is_empty() => return None,
        Value::Object(map) => map.keys().map(String::as_str).collect(),
        _ => vec!["a list or number"],
    };
    if let [method] = methods.as_slice() {
        return Some(method);
    }
    faults.push("auth", "one method alone", methods.join(", "));
    None
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
        bundle: path(root.text(faults, "auth.token.rootcertbundle")),
        jwks: path(root.text(faults, "auth.token.jwks")),
        kept: kept.filter(|_| jwks_url.is_some()),
        jwks_url,
    };
    if keys.bundle.is_none() && keys.jwks.is_none() && root.get("auth.token.jwksurl").is_none() {
        let expected = "keys to verify tokens with: rootcertbundle, jwks or jwksurl";
        faults.push("auth.token", expected, "none of them");
    }
    TokenConfig {
        realm,
        service: root.required(faults, "auth.token.service"),
        issuer: root.required(faults, "auth.token.issuer"),
        auto_redirect: auto_redirect(faults, root),
        algorithms: algorithms(faults, root),
        keys,
    }
}

fn auto_redirect(faults: &mut Faults, root: &Section<'_>) -> Option<String> {
    // As distribution's code has it; its documentation has a slash at the end.
    const PATH: &str = "/auth/token";
    let path = root.text(faults, "auth.token.autoredirectpath");
    let is_on = root.switch(faults, "auth.token.autoredirect", false);
    is_on.then(|| {
        path.filter(|path| !path.is_empty())
            .unwrap_or_else(|| PATH.to_owned())
    })
}

fn algorithms(faults: &mut Faults, root: &Section<'_>) -> Vec<SignatureAlgorithm> {
    const KEY: &str = "auth.token.signingalgorithms";
    let names = match root.get(KEY) {
        None => return SignatureAlgorithm::ALL.to_vec(),
        Some(Value::Array(names)) if names.is_empty() => return SignatureAlgorithm::ALL.to_vec(),
        Some(Value::Array(names)) => names.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let mut algorithms = Vec::new();
    for name in names {
        match name.as_str().and_then(|name| name.parse().ok()) {
            Some(algorithm) => algorithms.push(algorithm),
            None => faults.push(KEY, "a list of names such as ES256, RS256 or EdDSA", name),
        }
    }
    algorithms
}

/// The URL of the key set: whoever can change what comes from it can sign any token, so in the clear it may cross this
/// machine alone, unless it is said to be safe.
fn jwks_url(faults: &mut Faults, root: &Section<'_>) -> Option<Url> {
    const KEY: &str = "auth.token.jwksurl";
    let text = root.text(faults, KEY).filter(|text| !text.is_empty())?;
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
    if !is_safe && !root.switch(faults, "auth.token.insecurejwksurl", false) {
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
