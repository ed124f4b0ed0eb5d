//! `http.tls`, `http.http2` and `http.h2c`

use std::net::IpAddr;
use std::path::PathBuf;

use reqwest::Url;
use shared::runtime::config::Faults;
use shared::runtime::tls::{ClientCertificates, Demand, ExposedKey, Minimum, Options, is_supported};

use super::Section;
use super::auth::web_url;
use super::key::{Key, Kind, key};
use crate::acme;

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("http.tls.certificate", Kind::Text, "", "HTTPS: the chain (PEM). Read again within seconds of a change; a pair that does not fit is reported and the last one stays."),
    key("http.tls.key", Kind::Text, "", "Its private key (PEM). One that others can read is reported and served."),
    key("http.tls.minimumtls", Kind::OneOf(&["", "tls1.0", "tls1.1", "tls1.2", "tls1.3"]), "tls1.2", "`tls1.0` and `tls1.1` mean `tls1.2`, with a warning."),
    key("http.tls.ciphersuites", Kind::Texts, "(all that are safe)", "For TLS 1.2, by Go's names: ECDHE with AES-GCM or ChaCha20. Weaker ones of Go's are left out with a warning; those of TLS 1.3 cannot be chosen."),
    key("http.tls.clientcas", Kind::Texts, "", "PEM files of authorities whose certificates clients show; read again when they change."),
    key("http.tls.clientauth", Kind::OneOf(&["", "require-and-verify-client-cert", "verify-client-cert-if-given", "require-any-client-cert", "request-client-cert"]), "(require-and-verify-client-cert)", "What clients must show. It needs `clientcas`."),
    key("http.tls.letsencrypt.cachefile", Kind::Text, "", "Certificates by ACME, validated by TLS-ALPN-01 on this port: the folder of the account's key and the certificates, which replicas share. It may be one that distribution has used."),
    key("http.tls.letsencrypt.hosts", Kind::Texts, "", "Required with `cachefile`: the names to have certificates for. Other names are refused; who asks for none gets the first."),
    key("http.tls.letsencrypt.email", Kind::Text, "", "Whom the authority writes to."),
    key("http.tls.letsencrypt.directoryurl", Kind::Text, acme::LETS_ENCRYPT, "The authority."),
    key("http.tls.letsencrypt.directoryca", Kind::Text, "", "Ours: whose certificates are believed when speaking with it, instead of the system's authorities (PEM); its own may be one."),
    key("http.http2.disabled", Kind::Switch, "false", "Offer HTTP/1.1 alone."),
    key("http.h2c.enabled", Kind::Switch, "false", "HTTP/2 without TLS to clients that begin with it (\"prior knowledge\"), such as a proxy on the same machine."),
];

/// `http.tls`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// Where the certificate comes from.
    pub source: TlsSource,
    /// `http.tls.minimumtls`, `ciphersuites`, `clientcas`, `clientauth`; `http.http2.disabled`
    pub options: Options,
    /// What is allowed and done otherwise, one sentence each.
    pub warnings: Vec<String>,
}

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsSource {
    /// `http.tls.certificate` and `key`
    Files {
        /// The chain.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// `http.tls.letsencrypt`
    Acme(acme::Settings),
}

impl TlsConfig {
    pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> Option<Self> {
        let mut warnings = Vec::new();
        let source = source(faults, root);
        let options = Options {
            minimum: minimum(root, &mut warnings),
            suites: suites(faults, root, &mut warnings),
            clients: clients(faults, root),
            http2: !root.switch("http.http2.disabled"),
            // Keys come from volumes and secrets whose permissions are not the registry's to choose.
            exposed_key: ExposedKey::Warn,
        };
        Some(Self {
            source: source?,
            options,
            warnings,
        })
    }
}

fn source(faults: &mut Faults, root: &Section<'_>) -> Option<TlsSource> {
    let certificate = root.word("http.tls.certificate");
    let key = root.word("http.tls.key");
    let folder = root.word("http.tls.letsencrypt.cachefile");
    match (certificate, key, folder) {
        (Some(_), _, Some(_)) => {
            faults.push("http.tls", "either a certificate or letsencrypt", "both");
            None
        }
        (None, _, Some(folder)) => Some(TlsSource::Acme(acme::Settings {
            folder: folder.into(),
            email: root.word("http.tls.letsencrypt.email"),
            hosts: hosts(faults, root),
            directory: directory(faults, root)?,
            authorities: root.word("http.tls.letsencrypt.directoryca").map(Into::into),
        })),
        (Some(certificate), Some(key), None) => Some(TlsSource::Files {
            certificate: certificate.into(),
            key: key.into(),
        }),
        (None, None, None) => {
            if !root.texts("http.tls.clientcas").is_empty() {
                // Without a certificate nobody would be asked for theirs.
                faults.push("http.tls.clientcas", "a certificate and a key beside it", "none");
            }
            if !root.texts("http.tls.letsencrypt.hosts").is_empty() {
                let expected = "the folder of the certificates, beside the hosts";
                faults.push("http.tls.letsencrypt.cachefile", expected, "nothing");
            }
            None
        }
        _ => {
            faults.push("http.tls", "both a certificate and a key", "one of them");
            None
        }
    }
}

fn hosts(faults: &mut Faults, root: &Section<'_>) -> Vec<String> {
    const KEY: &str = "http.tls.letsencrypt.hosts";
    let hosts: Vec<String> = root
        .texts(KEY)
        .iter()
        .map(|host| host.trim_end_matches('.').to_ascii_lowercase())
        .collect();
    if hosts.is_empty() {
        faults.push(KEY, "the names to have certificates for", "none");
    }
    for host in hosts.iter().filter(|host| !is_dns_name(host)) {
        let expected = "DNS names such as registry.example; no addresses, no `*`, other letters as xn--…";
        faults.push(KEY, expected, format!("{host:?}"));
    }
    hosts
}

/// Whether an authority may be asked about it; names are also names of files.
fn is_dns_name(host: &str) -> bool {
    let is_label = |label: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(allowed) && !label.starts_with('-')
    };
    host.len() <= 253 && host.split('.').all(is_label) && host.parse::<IpAddr>().is_err()
}

fn directory(faults: &mut Faults, root: &Section<'_>) -> Option<Url> {
    const KEY: &str = "http.tls.letsencrypt.directoryurl";
    // An empty text is the default too, as with distribution.
    let text = root.word(KEY).unwrap_or_else(|| acme::LETS_ENCRYPT.to_owned());
    let url = web_url(&text).filter(|url| url.scheme() == "https");
    if url.is_none() {
        root.refuse(faults, KEY, "the https URL of an ACME directory");
    }
    url
}

fn minimum(root: &Section<'_>, warnings: &mut Vec<String>) -> Minimum {
    const KEY: &str = "http.tls.minimumtls";
    match root.text(KEY).as_deref() {
        Some("tls1.3") => Minimum::Tls13,
        Some(old @ ("tls1.0" | "tls1.1")) => {
            warnings.push(format!(
                "{KEY}: {old} is not spoken any more; the least version is tls1.2"
            ));
            Minimum::Tls12
        }
        _ => Minimum::Tls12,
    }
}

/// Names of Go that mean a suite by a shorter name than IANA's.
const SHORT: [(&str, &str); 2] = [
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
];

fn suites(faults: &mut Faults, root: &Section<'_>, warnings: &mut Vec<String>) -> Option<Vec<String>> {
    const KEY: &str = "http.tls.ciphersuites";
    let names = root.texts(KEY);
    if names.is_empty() {
        return None;
    }
    let mut suites = Vec::new();
    for name in names {
        let long = SHORT.iter().find(|(short, _)| *short == name);
        let name = long.map_or(name, |(_, long)| (*long).to_owned());
        if is_supported(&name) {
            suites.push(name);
        } else if is_of_go(&name) {
            warnings.push(format!(
                "{KEY}: {name} is not safe and not spoken; it is left out"
            ));
        } else {
            faults.push(KEY, "names of cipher suites as Go has them", name);
        }
    }
    Some(suites)
}

/// Whether Go knows a suite by this name that is too weak to be spoken: key exchange without forward secrecy, RC4, 3DES
/// or CBC.
fn is_of_go(name: &str) -> bool {
    let exchange = ["TLS_RSA_WITH_", "TLS_ECDHE_RSA_WITH_", "TLS_ECDHE_ECDSA_WITH_"];
    let cipher = exchange.iter().find_map(|exchange| name.strip_prefix(exchange));
    cipher.is_some_and(|cipher| {
        let ciphers = [
            "RC4_128_SHA",
            "3DES_EDE_CBC_SHA",
            "AES_128_CBC_SHA",
            "AES_256_CBC_SHA",
            "AES_128_CBC_SHA256",
            "AES_128_GCM_SHA256",
            "AES_256_GCM_SHA384",
        ];
        ciphers.contains(&cipher)
    })
}

fn clients(faults: &mut Faults, root: &Section<'_>) -> Option<ClientCertificates> {
    const KEY: &str = "http.tls.clientauth";
    let authorities = root.texts("http.tls.clientcas");
    let demand = match root.text(KEY).as_deref() {
        None | Some("") if authorities.is_empty() => return None,
        None | Some("" | "require-and-verify-client-cert") => Demand::RequireAndVerify,
        Some("verify-client-cert-if-given") => Demand::VerifyIfGiven,
        Some("require-any-client-cert") => Demand::RequireAny,
        Some("request-client-cert") => Demand::Request,
        // Another word was refused before.
        Some(_) => return None,
    };
    if authorities.is_empty() {
        faults.push(KEY, "http.tls.clientcas beside it", "none");
        return None;
    }
    Some(ClientCertificates {
        authorities: authorities.into_iter().map(Into::into).collect(),
        demand,
    })
}
