//! `http`

use std::net::{SocketAddr, ToSocketAddrs as _};

use ::http::{HeaderName, HeaderValue};
use serde_json::Value;
use shared::runtime::config::{Faults, read_secret_file};
use shared::runtime::serve::Limits;
use shared::secret::Secret;

use super::auth::web_url;
use super::tls::TlsConfig;
use super::{Section, limits};

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
        refuse_unsupported(faults, root);
        let limits = limits::check(faults, root);
        Self {
            limits,
            addr: addr(faults, root),
            base_url: base_url(faults, root),
            secret: secret(faults, root),
            headers: headers(faults, root),
            warning: root.text(faults, "http.warning").filter(|text| !text.is_empty()),
            tls: TlsConfig::check(faults, root),
        }
    }
}

/// Keys that would change who may connect, or where: ignoring them would be wrong.
fn refuse_unsupported(faults: &mut Faults, root: &Section<'_>) {
    let expected = "to be absent: this version has no such thing";
    if root.get("http.tls.letsencrypt").is_some() {
        faults.push("http.tls.letsencrypt", expected, "it");
    }
    if let Some(net) = root.text(faults, "http.net").filter(|net| net != "tcp") {
        faults.push("http.net", "tcp", net);
    }
    if let Some(prefix) = root.text(faults, "http.prefix").filter(|prefix| prefix != "/") {
        faults.push("http.prefix", expected, prefix);
    }
}

fn addr(faults: &mut Faults, root: &Section<'_>) -> SocketAddr {
    let text = root
        .text(faults, "http.addr")
        .unwrap_or_else(|| ":5000".to_owned());
    // Go's short form for every address.
    let full = match text.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        None => text.clone(),
    };
    let found = full.to_socket_addrs().ok().and_then(|mut found| found.next());
    found.unwrap_or_else(|| {
        faults.push("http.addr", "an address and a port, such as 127.0.0.1:5000", text);
        SocketAddr::from(([127, 0, 0, 1], 5000))
    })
}

fn base_url(faults: &mut Faults, root: &Section<'_>) -> String {
    let Some(host) = root.text(faults, "http.host").filter(|host| !host.is_empty()) else {
        return String::new();
    };
    if web_url(&host).is_none() {
        faults.push(
            "http.host",
            "the external URL, such as https://registry.example",
            &host,
        );
    }
    if root.switch(faults, "http.relativeurls", false) {
        return String::new();
    }
    host.trim_end_matches('/').to_owned()
}

fn secret(faults: &mut Faults, root: &Section<'_>) -> Option<Secret<Vec<u8>>> {
    let inline = root.text(faults, "http.secret").filter(|text| !text.is_empty());
    let file = root.text(faults, "http.secretfile");
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
    let Some(Value::Object(map)) = root.get("http.headers") else {
        return Vec::new();
    };
    let mut headers = Vec::new();
    for (name, values) in map {
        let path = format!("http.headers.{name}");
        let name = name.parse::<HeaderName>();
        let values = match values {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            let value = value.as_str().and_then(|value| value.parse::<HeaderValue>().ok());
            match (&name, value) {
                (Ok(name), Some(value)) => headers.push((name.clone(), value)),
                _ => faults.push(&path, "a header name with a list of texts", "something else"),
            }
        }
    }
    headers
}
