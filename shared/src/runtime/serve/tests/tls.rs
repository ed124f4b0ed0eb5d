//! The same over TLS.

use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::runtime::clock::Clock;
use crate::runtime::tls::{provider, self_signed, write_private};

struct TlsServer {
    server: Server,
    certificate: String,
}

async fn start(limits: Limits) -> TlsServer {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = self_signed(&["localhost".to_owned()], Clock::system().now()).unwrap();
    let (cert_path, key_path) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    write_private(&cert_path, certificate.as_bytes()).unwrap();
    write_private(&key_path, key.as_bytes()).unwrap();
    let tls = TlsAcceptorHandle::load(&cert_path, &key_path).unwrap();
    TlsServer {
        server: Server::start_with(limits, Some(tls)).await,
        certificate,
    }
}

impl TlsServer {
    async fn connect(&self, alpn: &[u8]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots
            .add(rustls::pki_types::CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap())
            .unwrap();
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, self.server.connect().await)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn http_1_1_over_tls_works_with_an_ordinary_client() {
    let tls = start(Limits::default()).await;
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(tls.certificate.as_bytes()).unwrap()])
        .timeout(PATIENCE)
        .http1_only()
        .build()
        .unwrap();
    let url = format!("https://localhost:{}/ok", tls.server.addr.port());
    let answer = client.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.version(), http::Version::HTTP_11);
    assert!(answer.text().await.unwrap().contains("Https"));
}

async fn http2(
    tls: &TlsServer,
) -> (
    hyper::client::conn::http2::SendRequest<Body>,
    JoinHandle<Result<(), hyper::Error>>,
) {
    let stream = hyper_util::rt::TokioIo::new(tls.connect(b"h2").await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (sender, connection) = hyper::client::conn::http2::handshake(executor, stream)
        .await
        .unwrap();
    (sender, tokio::spawn(connection))
}

fn request(method: &str, path: &str, body: Body) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(format!("https://localhost{path}"))
        .body(body)
        .unwrap()
}

#[tokio::test]
async fn http_2_over_tls_works_and_shares_one_connection() {
    let tls = start(Limits::default()).await;
    let (mut sender, _connection) = http2(&tls).await;
    for _ in 0..3 {
        let answer = sender
            .send_request(request("GET", "/ok", Body::empty()))
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().contains_key("x-request-id"));
    }
    let answer = sender
        .send_request(request("POST", "/count", Body::from(vec![7; 3 << 20])))
        .await
        .unwrap();
    let body = to_bytes(Body::new(answer.into_body()), 99).await.unwrap();
    assert_eq!(body, (3 << 20).to_string());
    let answer = sender
        .send_request(request("HEAD", "/ok", Body::empty()))
        .await
        .unwrap();
    assert!(answer.headers().contains_key("content-length"));
    let answer = sender
        .send_request(request("GET", "/panic", Body::empty()))
        .await
        .unwrap();
    assert_eq!(answer.status(), 500);
    let answer = sender
        .send_request(request("GET", "/a//b", Body::empty()))
        .await
        .unwrap();
    assert_eq!(answer.status(), 400);
    let answer = sender
        .send_request(request("GET", "/ok", Body::empty()))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_stalled_http_2_body_ends_its_request_and_not_the_connection() {
    let tls = start(Limits {
        body_idle: Duration::from_millis(100),
        ..Limits::default()
    })
    .await;
    let (mut sender, _connection) = http2(&tls).await;
    let stalled = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let answer = sender
        .send_request(request("POST", "/count", stalled))
        .await
        .unwrap();
    assert_eq!(answer.status(), 408);
    let answer = sender
        .send_request(request("GET", "/ok", Body::empty()))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn an_http_2_client_that_takes_nothing_of_an_answer_is_cut_off() {
    let tls = start(Limits {
        write_stall: Duration::from_millis(200),
        ..Limits::default()
    })
    .await;
    let (mut sender, connection) = http2(&tls).await;
    // The window is never opened again, because the body is not read.
    let answer = sender
        .send_request(request("GET", "/endless", Body::empty()))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let _ = timeout(PATIENCE, connection).await.expect("the connection ends");
}

#[tokio::test]
async fn an_idle_http_2_connection_is_closed() {
    let tls = start(Limits {
        idle: Duration::from_millis(300),
        ..Limits::default()
    })
    .await;
    let (mut sender, connection) = http2(&tls).await;
    let answer = sender
        .send_request(request("GET", "/ok", Body::empty()))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    drop(answer);
    let _ = timeout(PATIENCE, connection).await.expect("the connection ends");
}

#[tokio::test]
async fn an_http_2_connection_drains() {
    let mut tls = start(Limits::default()).await;
    let (mut sender, connection) = http2(&tls).await;
    let asked = tokio::spawn(sender.send_request(request("GET", "/gate", Body::empty())));
    tls.server.entered.notified().await;
    tls.server.stop();
    tls.server.gate.notify_one();
    let answer = timeout(PATIENCE, asked)
        .await
        .expect("an answer")
        .unwrap()
        .unwrap();
    let body = to_bytes(Body::new(answer.into_body()), 99).await.unwrap();
    assert_eq!(body, "through");
    let _ = timeout(PATIENCE, connection).await.expect("the connection ends");
    tls.server.ended().await;
}

#[tokio::test]
async fn a_flood_of_resets_ends_the_connection_and_others_are_served() {
    let tls = start(Limits::default()).await;
    let mut stream = tls.connect(b"h2").await;
    let mut frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    // GET https :authority=x :path=/ok, from the static table and literals (RFC 7541).
    let head = b"\x82\x87\x01\x01x\x04\x03/ok";
    for stream_id in (1..4000_u32).step_by(2) {
        frames.extend([0, 0, u8::try_from(head.len()).unwrap(), 1, 5]);
        frames.extend(stream_id.to_be_bytes());
        frames.extend(head);
        frames.extend([0, 0, 4, 3, 0]);
        frames.extend(stream_id.to_be_bytes());
        frames.extend(8_u32.to_be_bytes());
    }
    let _ = stream.write_all(&frames).await;
    let _ = stream.flush().await;
    let mut bytes = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes))
        .await
        .expect("the connection ends");
    let (mut sender, _connection) = http2(&tls).await;
    let answer = sender
        .send_request(request("GET", "/ok", Body::empty()))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_flood_of_frames_that_bring_nothing_is_told_to_calm_down_and_others_are_served() {
    let tls = start(Limits::default()).await;
    let (ping, settings) = (b"\0\0\x08\x06\0\0\0\0\x0012345678", b"\0\0\0\x04\0\0\0\0\0");
    let (priority, unknown) = (b"\0\0\x05\x02\0\0\0\0\x01\0\0\0\0\x01", b"\0\0\0\x63\0\0\0\0\0");
    for frame in [&ping[..], settings, priority, unknown] {
        let (mut read, mut write) = tokio::io::split(tls.connect(b"h2").await);
        let mut frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
        frames.extend(frame.repeat(3_000));
        let flood = tokio::spawn(async move {
            let _ = write.write_all(&frames).await;
            let _ = write.flush().await;
            // Kept open: the server has to end it.
            write
        });
        let mut bytes = Vec::new();
        let _ = timeout(PATIENCE, read.read_to_end(&mut bytes))
            .await
            .expect("the connection ends");
        assert!(
            bytes.ends_with(b"\0\0\x08\x07\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\x0b"),
            "{frame:?}: {} bytes",
            bytes.len()
        );
        drop(flood.await);
    }
    let (mut sender, _connection) = http2(&tls).await;
    let answer = sender
        .send_request(request("GET", "/ok", Body::empty()))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_silent_handshake_is_closed() {
    let limits = Limits {
        tls_handshake: Duration::from_millis(100),
        ..Limits::default()
    };
    let tls = start(limits).await;
    let mut stream = tls.server.connect().await;
    stream.write_all(&[0x16, 3, 1]).await.unwrap();
    assert_eq!(read_to_close(&mut stream).await, "");
}

#[tokio::test]
async fn plain_http_on_the_tls_port_is_told_so() {
    let tls = start(Limits::default()).await;
    let answer = tls.server.get("/ok").await;
    assert!(answer.starts_with("HTTP/1.0 400 Bad Request"), "{answer}");
    assert!(answer.contains("HTTPS server"), "{answer}");
}

#[tokio::test]
async fn a_slow_header_over_tls_is_closed() {
    let tls = start(Limits {
        headers: Duration::from_millis(300),
        ..Limits::default()
    })
    .await;
    let mut stream = tls.connect(b"http/1.1").await;
    stream.write_all(b"GET /ok").await.unwrap();
    let mut bytes = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes))
        .await
        .expect("the server closes");
    assert!(bytes.is_empty());
}

/// Gives one certificate to everybody.
#[derive(Debug)]
struct Always(Arc<rustls::sign::CertifiedKey>);

impl rustls::server::ResolvesServerCert for Always {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

#[tokio::test]
async fn an_authority_that_validates_gets_its_answer_and_nothing_else_and_others_notice_nothing() {
    use crate::runtime::tls::{ACME_TLS, ExposedKey, Options, load_pair};
    let folder = tempfile::tempdir().unwrap();
    let pair = |name: &str| {
        let path = folder.path().join(name);
        let (certificate, key) = self_signed(&["localhost".to_owned()], Clock::system().now()).unwrap();
        write_private(&path, format!("{}{certificate}", *key).as_bytes()).unwrap();
        let pair = load_pair(&path, &path, ExposedKey::Refuse).unwrap();
        (Arc::new(Always(Arc::new(pair))), certificate)
    };
    let ((served, certificate), (answer, answered)) = (pair("served"), pair("answer"));
    let tls = TlsAcceptorHandle::with_source(served, &Options::default())
        .unwrap()
        .validated_by(answer)
        .unwrap();
    let server = TlsServer {
        server: Server::start_with(Limits::default(), Some(tls)).await,
        certificate,
    };
    let mut ordinary = server.connect(b"http/1.1").await;
    ordinary
        .write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut text = String::new();
    ordinary.read_to_string(&mut text).await.unwrap();
    assert_status(&text, 200);
    assert_eq!(
        server.connect(b"h2").await.get_ref().1.alpn_protocol(),
        Some(&b"h2"[..])
    );

    let server = TlsServer {
        certificate: answered,
        ..server
    };
    let mut validating = server.connect(ACME_TLS).await;
    assert_eq!(validating.get_ref().1.alpn_protocol(), Some(ACME_TLS));
    let _ = validating.write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut bytes = Vec::new();
    let _ = timeout(PATIENCE, validating.read_to_end(&mut bytes))
        .await
        .unwrap();
    assert_eq!(bytes, b"", "a request was answered");
}
