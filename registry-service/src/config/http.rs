//! `http`

use std::net::{SocketAddr, ToSocketAddrs as _};

use ::http::{HeaderName, HeaderValue};
use shared::runtime::config::{Faults, Node, read_secret_file};
use shared::runtime::serve::Limits;
use shared::secret::Secret;

use super::auth::web_url;
use super::key::{Key, Kind, key};
use super::tls::TlsConfig;
use super::{Section, limits, shape};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("http.addr", Kind::Text, ":5000", "Where to listen."),
    key("http.net", Kind::OneOf(&["", "tcp"]), "tcp", "Nothing else in this version."),
    key("http.host", Kind::Text, "", "The external URL; without it `Location`s are relative."),
    key("http.prefix", Kind::Text, "/", "Nothing else in this version."),
    key("http.relativeurls", Kind::Switch, "false", "Relative `Location`s in spite of `http.host`."),
    key("http.secret", Kind::Secret, "(random per process)", "Shared by all replicas: signs upload locations and hash states."),
    key("http.secretfile", Kind::Text, "", "Ours: the file that holds it."),
    key("http.headers", Kind::Headers, "", "Headers that every answer carries."),
    key("http.warning", Kind::Text, "", "Ours: a notice that every answer carries as `Warning`; clients show it to people."),
];

/// `http`
#[derive(Debug)]
pub struct HttpConfig {
    /// `http.addr`: where to listen, such as `:5000` or `127.0.0.1:5000`.
    pub addr: SocketAddr,
    /// `http.host`: the external URL without a slash at its end; empty for relative locations.
    pub base_url: String,
    /// `http.secret` or `http.secretfile`: shared by all replicas; `None` for a random one per process.
    pub secret: Option<Secret<Vec<u8>>>,
    /// `http.headers`
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// `http.warning`: a notice that every answer carries, such as that the service will be away on Sunday.
    pub warning: Option<String>,
    /// `http.tls`
    pub tls: Option<TlsConfig>,
    /// `http.limits`, `http.draintimeout`, `http.draindelay`
    pub limits: Limits,
}

impl HttpConfig {
    pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> Self {
        if root.word("http.prefix").is_some_and(|prefix| prefix != "/") {
            root.refuse(faults, "http.prefix", "/");
        }
        Self {
            limits: limits::check(faults, root),
            addr: addr(faults, root),
            base_url: base_url(faults, root),
            secret: secret(faults, root),
            headers: headers(faults, root),
            warning: root.word("http.warning"),
            tls: TlsConfig::check(faults, root),
        }
    }
}

fn addr(faults: &mut Faults, root: &Section<'_>) -> SocketAddr {
    let text = root.text("http.addr").unwrap_or_default();
    // Go's short form for every address.
    let full = match text.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        None => text,
    };
    let found = full.to_socket_addrs().ok().and_then(|mut found| found.next());
    found.unwrap_or_else(|| {
        root.refuse(
            faults,
            "http.addr",
            "an address and a port, such as 127.0.0.1:5000",
        );
        SocketAddr::from(([127, 0, 0, 1], 5000))
    })
}

fn base_url(faults: &mut Faults, root: &Section<'_>) -> String {
    let Some(host) = root.word("http.host") else {
        return String::new();
    };
    if web_url(&host).is_none() {
        root.refuse(
            faults,
            "http.host",
            "the external URL, such as https://registry.example",
        );
    }
    if root.switch("http.relativeurls") {
        return String::new();
    }
    host.trim_end_matches('/').to_owned()
}

fn secret(faults: &mut Faults, root: &Section<'_>) -> Option<Secret<Vec<u8>>> {
    let inline = root.word("http.secret");
    let file = root.word("http.secretfile");
    match (inline, file) {
        (Some(_), Some(_)) => {
            faults.push("http.secret", "either http.secret or http.secretfile", "both");
            None
        }
        (Some(text), None) => Some(Secret::new(text.into_bytes())),
        (None, Some(path)) => {
            let read = read_secret_file(path.as_ref());
            let text = faults.check("http.secretfile", "a file with a secret", read)?;
            Some(Secret::new(text.expose().as_bytes().to_vec()))
        }
        (None, None) => None,
    }
}

fn headers(faults: &mut Faults, root: &Section<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    let entries = root.get("http.headers").map(Node::entries).unwrap_or_default();
    for (name, values) in entries {
        let parsed = name.parse::<HeaderName>();
        for value in shape::texts(values).unwrap_or_default() {
            if let (Ok(name), Ok(value)) = (&parsed, value.parse::<HeaderValue>()) {
                headers.push((name.clone(), value));
            } else {
                let path = format!("http.headers.{name}");
                faults.push(path, "a header's name and value", format!("{value:?}"));
            }
        }
    }
    headers
}
