use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::runtime::clock::Clock;

struct Pair {
    folder: tempfile::TempDir,
}

impl Pair {
    fn new(hosts: &[&str]) -> Self {
        let pair = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        pair.renew(hosts);
        pair
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("tls.crt")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("tls.key")
    }

    /// Replaces both files, as a certificate's renewal does.
    fn renew(&self, hosts: &[&str]) {
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let (certificate, key) = self_signed(&hosts, Clock::system().now()).unwrap();
        for (path, text) in [
            (self.certificate(), certificate.as_bytes()),
            (self.key(), key.as_bytes()),
        ] {
            let _ = fs::remove_file(&path);
            write_private(&path, text).unwrap();
        }
    }
}

/// The certificate that a client sees, when the client trusts `root` and asks for `name`.
async fn seen_by_client(
    tls: &TlsAcceptorHandle,
    root: &Path,
    name: &str,
) -> Result<(Vec<u8>, Option<Vec<u8>>), String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(tls.config());
    let accepting = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(mut stream) = acceptor.accept(stream).await {
            let _ = stream.shutdown().await;
        }
    });
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&fs::read(root).unwrap()).unwrap())
        .unwrap();
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TcpStream::connect(addr).await.unwrap();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    accepting.await.unwrap();
    let stream = connected.map_err(|error| error.to_string())?;
    let session = stream.get_ref().1;
    Ok((
        session.peer_certificates().unwrap()[0].to_vec(),
        session.alpn_protocol().map(<[u8]>::to_vec),
    ))
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_for_its_names_and_addresses_only() {
    let pair = Pair::new(&["registry.test", "127.0.0.1", "::1"]);
    let tls = TlsAcceptorHandle::load(&pair.certificate(), &pair.key()).unwrap();
    for name in ["registry.test", "127.0.0.1", "::1"] {
        let (_, alpn) = seen_by_client(&tls, &pair.certificate(), name).await.unwrap();
        assert_eq!(alpn.as_deref(), Some(&b"h2"[..]), "{name}");
    }
    for name in ["other.test", "127.0.0.2"] {
        seen_by_client(&tls, &pair.certificate(), name).await.unwrap_err();
    }
    let stranger = Pair::new(&["registry.test"]);
    seen_by_client(&tls, &stranger.certificate(), "registry.test")
        .await
        .unwrap_err();
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart_and_a_broken_one_is_not() {
    let pair = Pair::new(&["registry.test"]);
    let tls = TlsAcceptorHandle::build(
        &pair.certificate(),
        &pair.key(),
        &Options::default(),
        Duration::ZERO,
    )
    .unwrap();
    let (first, _) = seen_by_client(&tls, &pair.certificate(), "registry.test")
        .await
        .unwrap();
    pair.renew(&["registry.test"]);
    let (second, _) = seen_by_client(&tls, &pair.certificate(), "registry.test")
        .await
        .unwrap();
    assert_ne!(first, second);
    let kept = pair.folder.path().join("kept.crt");
    fs::copy(pair.certificate(), &kept).unwrap();
    fs::write(pair.certificate(), "not a certificate").unwrap();
    let (third, _) = seen_by_client(&tls, &kept, "registry.test").await.unwrap();
    assert_eq!(second, third, "the last good one stays");
}

#[test]
fn a_key_of_another_certificate_is_refused_with_both_names() {
    let (one, two) = (Pair::new(&["a.test"]), Pair::new(&["a.test"]));
    let error = TlsAcceptorHandle::load(&one.certificate(), &two.key())
        .unwrap_err()
        .to_string();
    assert!(error.contains("tls.key") && error.contains("tls.crt"), "{error}");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let pair = Pair::new(&["a.test"]);
    fs::set_permissions(pair.key(), fs::Permissions::from_mode(0o644)).unwrap();
    let error = TlsAcceptorHandle::load(&pair.certificate(), &pair.key())
        .unwrap_err()
        .to_string();
    assert!(error.contains("chmod 600"), "{error}");
}

#[test]
fn missing_and_empty_files_are_named() {
    let pair = Pair::new(&["a.test"]);
    let none = pair.folder.path().join("none.pem");
    let error = TlsAcceptorHandle::load(&none, &pair.key())
        .unwrap_err()
        .to_string();
    assert!(error.contains("none.pem"), "{error}");
    fs::write(&none, "").unwrap();
    let error = TlsAcceptorHandle::load(&none, &pair.key())
        .unwrap_err()
        .to_string();
    assert!(error.contains("no certificate"), "{error}");
}

#[test]
fn a_self_signed_certificate_is_valid_for_825_days() {
    use rustls::pki_types::UnixTime;
    let now = Clock::system().now();
    let (certificate, key) = self_signed(&["a.test".to_owned()], now).unwrap();
    assert!(key.contains("PRIVATE KEY"));
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .unwrap();
    let name = ServerName::try_from("a.test").unwrap();
    let at = |days: u64| {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.unix_timestamp().unsigned_abs());
        let time = now.duration_since(SystemTime::UNIX_EPOCH).unwrap() + Duration::from_hours(days * 24);
        rustls::client::danger::ServerCertVerifier::verify_server_cert(
            &*verifier,
            &certificate,
            &[],
            &name,
            &[],
            UnixTime::since_unix_epoch(time),
        )
    };
    at(0).unwrap();
    at(824).unwrap();
    at(825).unwrap_err();
}

/// A certificate that vouches for itself and says that it is an authority, as openssl makes it.
fn vouching_for_itself(
    host: &str,
    begins_days: i64,
    usage: Option<rcgen::ExtendedKeyUsagePurpose>,
) -> CertificateDer<'static> {
    let mut params = rcgen::CertificateParams::new([host.to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.extended_key_usages = usage.into_iter().collect();
    params.not_before = Clock::system().now() + time::Duration::days(begins_days);
    params.not_after = params.not_before + time::Duration::days(10);
    let key = rcgen::KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().clone()
}

#[test]
fn an_authority_that_is_listed_itself_is_believed_for_its_time_its_purpose_and_its_name() {
    use super::itself::{Purpose, believes, names};
    use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
    let now = || {
        let now = u64::try_from(Clock::system().now_s()).unwrap();
        rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(now))
    };
    for (begins, usage, client, server) in [
        (-1, None, true, true),
        (-1, Some(ClientAuth), true, false),
        (-1, Some(ServerAuth), false, true),
        (-11, None, false, false),
        (1, None, false, false),
    ] {
        let shown = format!("{begins} {usage:?}");
        let certificate = vouching_for_itself("a.test", begins, usage);
        let stranger = vouching_for_itself("a.test", -1, None);
        let roots = [stranger.clone(), certificate.clone()];
        for (purpose, expected) in [(Purpose::Client, client), (Purpose::Server, server)] {
            assert_eq!(
                believes(&roots, &certificate, purpose, now()),
                expected,
                "{shown}"
            );
            assert!(
                !believes(&roots[..1], &certificate, purpose, now()),
                "{shown}: not listed"
            );
        }
        names(&certificate, &ServerName::try_from("a.test").unwrap()).unwrap();
        names(&certificate, &ServerName::try_from("b.test").unwrap()).unwrap_err();
    }
}

#[tokio::test]
async fn a_server_that_vouches_for_itself_is_believed_by_who_names_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let mut params = rcgen::CertificateParams::new(["registry.test".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let path = folder.path().join("both.pem");
    write_private(
        &path,
        format!("{}{}", key.serialize_pem(), certificate.pem()).as_bytes(),
    )
    .unwrap();
    let tls = TlsAcceptorHandle::load(&path, &path).unwrap();
    let stranger = Pair::new(&["registry.test"]);
    for (root, name, expected) in [
        (path.clone(), "registry.test", true),
        (path.clone(), "other.test", false),
        (stranger.certificate(), "registry.test", false),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(tls.config());
        let accepting = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            drop(acceptor.accept(stream).await);
        });
        let connector = TlsConnector::from(Arc::new(trusting(&root).unwrap()));
        let stream = TcpStream::connect(addr).await.unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connected = connector.connect(name.clone(), stream).await;
        assert_eq!(connected.is_ok(), expected, "{name:?} {}", root.display());
        accepting.await.unwrap();
    }
}
