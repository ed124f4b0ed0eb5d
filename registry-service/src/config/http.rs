//! `http`

use std::net::{SocketAddr, ToSocketAddrs as _};

use ::http::{HeaderName, HeaderValue};
use shared::runtime::config::{Faults, Node, read_secret_file};
use shared::runtime::serve::{Address, Limits};
use shared::secret::Secret;

use super::auth::web_url;
use super::key::{Key, Kind, key};
use super::tls::TlsConfig;
use super::{Section, limits, shape};
use crate::http::{Network, OfRequest};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("http.addr", Kind::Text, ":5000", "Where to listen: an address and a port, or with `net: unix` the path of the socket. A socket of the service manager's (systemd) counts instead."),
    key("http.net", Kind::OneOf(&["", "tcp", "unix"]), "tcp", "`unix`: a socket in the file system. One that lies there is replaced."),
    key("http.socketmode", Kind::Text, "(what the umask leaves)", "Ours: permissions of that socket's file, as `0660`. Who may write to it may connect."),
    key("http.host", Kind::Text, "", "The external URL, which `Location`s then begin with, whatever `http.relativeurls` says. Nothing is put between it and `/v2/`: with `http.prefix` it ends in the path that clients use."),
    key("http.prefix", Kind::Text, "/", "The path before `/v2/`, with a slash at both ends: `/registry/`."),
    key("http.relativeurls", Kind::Switch, "(true without `http.host`)", "Whether `Location`s are relative. A `false` that is written makes them by what the request says: `Forwarded`, or `X-Forwarded-Proto` and `-Host`, or its own host; so distribution makes them by default."),
    key("http.trustedproxies", Kind::Texts, "(everybody)", "Ours: addresses and networks (`10.0.0.0/8`) whose `Forwarded` and `X-Forwarded-…` are believed."),
    key("http.secret", Kind::Secret, "(random per process)", "Shared by all replicas: signs upload locations and hash states."),
    key("http.secretfile", Kind::Text, "", "Ours: the file that holds it."),
    key("http.headers", Kind::Headers, "", "Headers that every answer carries."),
    key("http.warning", Kind::Text, "", "Ours: a notice that every answer carries as `Warning`; clients show it to people."),
];

/// `http`
#[derive(Debug)]
pub struct HttpConfig {
    /// `http.addr`, `http.net`, `http.socketmode`: where to listen, such as `:5000` or `127.0.0.1:5000`.
    pub addr: Address,
    /// `http.host`: the external URL without a slash at its end; empty for relative locations.
    pub base_url: String,
    /// `http.prefix` without a slash at its end; empty for none.
    pub prefix: String,
    /// `http.relativeurls: false` without `http.host`, and `http.trustedproxies`.
    pub of_request: Option<OfRequest>,
    /// `http.trustedproxies`, for what is told of requests.
    pub requests: OfRequest,
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
        let prefix = prefix(faults, root);
        let requests = requests(faults, root);
        Self {
            limits: limits::check(faults, root),
            addr: addr(faults, root),
            base_url: base_url(faults, root),
            of_request: is_absolute(root).then(|| requests.clone()),
            requests,
            prefix,
            secret: secret(faults, root),
            headers: headers(faults, root),
            warning: root.word("http.warning"),
            tls: TlsConfig::check(faults, root),
        }
    }
}

fn addr(faults: &mut Faults, root: &Section<'_>) -> Address {
    if root.text("http.net").as_deref() == Some("unix") {
        return socket(faults, root);
    }
    if root.has("http.socketmode") {
        faults.push("http.socketmode", "http.net: unix beside it", "none");
    }
    Address::Tcp(tcp(faults, root))
}

fn socket(faults: &mut Faults, root: &Section<'_>) -> Address {
    let path = root.word("http.addr").unwrap_or_default();
    // Also the default, which is a port.
    if !path.contains('/') || path.ends_with('/') {
        let expected = "the path of a socket, such as /run/registry/registry.sock";
        root.refuse(faults, "http.addr", expected);
    }
    let mode = root.word("http.socketmode").map(|text| {
        let octal = u32::from_str_radix(text.trim_start_matches("0o"), 8);
        octal.ok().filter(|mode| *mode <= 0o777)
    });
    if mode == Some(None) {
        root.refuse(faults, "http.socketmode", "permissions such as 0660");
    }
    Address::Unix {
        path: path.into(),
        mode: mode.flatten(),
    }
}

fn tcp(faults: &mut Faults, root: &Section<'_>) -> SocketAddr {
    let text = root.text("http.addr").unwrap_or_default();
    // Go's short form for every address.
    let full = match text.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        None => text,
    };
    let found: Vec<SocketAddr> = full.to_socket_addrs().map(Iterator::collect).unwrap_or_default();
    // `localhost` is both; Go takes the address of IPv4.
    let found = found.iter().find(|addr| addr.is_ipv4()).or(found.first());
    found.copied().unwrap_or_else(|| {
        root.refuse(
            faults,
            "http.addr",
            "an address and a port, such as 127.0.0.1:5000",
        );
        SocketAddr::from(([127, 0, 0, 1], 5000))
    })
}

fn prefix(faults: &mut Faults, root: &Section<'_>) -> String {
    const KEY: &str = "http.prefix";
    let prefix = root.word(KEY).unwrap_or_default();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
    if !prefix.starts_with('/') || !prefix.bytes().all(allowed) || prefix.contains("//") {
        root.refuse(faults, KEY, "a path such as /registry/");
    }
    prefix.trim_end_matches('/').to_owned()
}

fn base_url(faults: &mut Faults, root: &Section<'_>) -> String {
    const KEY: &str = "http.host";
    let Some(host) = root.word(KEY) else {
        return String::new();
    };
    if web_url(&host).is_none() {
        root.refuse(faults, KEY, "the external URL, such as https://registry.example");
        return String::new();
    }
    // It stands for the whole way to `/v2/`, as in distribution: a proxy may add the prefix that is ours.
    host.trim_end_matches('/').to_owned()
}

/// Whether `Location`s are absolute by what a request says.
fn is_absolute(root: &Section<'_>) -> bool {
    let is_asked_for = root.has("http.relativeurls") && !root.switch("http.relativeurls");
    is_asked_for && root.word("http.host").is_none()
}

fn requests(faults: &mut Faults, root: &Section<'_>) -> OfRequest {
    const KEY: &str = "http.trustedproxies";
    let mut trusted = Vec::new();
    for text in root.texts(KEY) {
        match text.parse::<Network>() {
            Ok(network) => trusted.push(network),
            Err(_) => faults.push(
                KEY,
                "addresses or networks such as 10.0.0.0/8",
                format!("{text:?}"),
            ),
        }
    }
    OfRequest { trusted }
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
