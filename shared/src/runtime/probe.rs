//! A process asked whether it is ready, as the health check of a container does: from the same machine, with nothing but
//! this binary.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::serve::Address;
use super::tls::provider;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(4);
/// As much of the answer is read.
const MOST: u64 = 8192;

const REQUEST: &[u8] =
    b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nUser-Agent: portolan-health\r\nConnection: close\r\n\r\n";

/// The process does not answer, or is not ready.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Nobody answers, or not with HTTP.
    #[error("{address} does not answer")]
    Silent {
        /// Where it was asked.
        address: Address,
        /// Why not.
        source: io::Error,
    },
    /// It answers that it is not ready.
    #[error("{address} is not ready: {answer}")]
    Unready {
        /// Where it was asked.
        address: Address,
        /// The status and what it says of itself.
        answer: String,
    },
}

/// Asks the listener at `address` for `/readyz`, over TLS when `tls`; gives what it says of itself, such as `ok`.
///
/// An address for every interface is asked on loopback. The certificate is not verified: nothing is told to the other
/// side, and whoever listens there could answer with any certificate's name.
pub fn ready(address: &Address, tls: bool) -> Result<String, ProbeError> {
    let answer = ask(address, tls).map_err(|source| ProbeError::Silent {
        address: address.clone(),
        source,
    })?;
    let (status, said) = answer;
    if status == "200" {
        return Ok(said);
    }
    Err(ProbeError::Unready {
        address: address.clone(),
        answer: format!("{status} {said}"),
    })
}

fn ask(address: &Address, tls: bool) -> io::Result<(String, String)> {
    match address {
        Address::Tcp(address) => {
            let stream = connect(*address)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            exchange(stream, tls)
        }
        Address::Unix { path, .. } => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            exchange(stream, tls)
        }
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let at = |ip: IpAddr| TcpStream::connect_timeout(&SocketAddr::new(ip, address.port()), PATIENCE);
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => at(Ipv4Addr::LOCALHOST.into()),
        // It takes both families, and a container often has one of them alone.
        IpAddr::V6(ip) if ip.is_unspecified() => {
            at(Ipv4Addr::LOCALHOST.into()).or_else(|_| at(Ipv6Addr::LOCALHOST.into()))
        }
        ip => at(ip),
    }
}

fn exchange(stream: impl Read + Write, tls: bool) -> io::Result<(String, String)> {
    if !tls {
        return talk(stream);
    }
    let provider = provider();
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyName(provider)))
        .with_no_client_auth();
    let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
    let client = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    talk(StreamOwned::new(client, stream))
}

/// The status and the body's first line.
fn talk(mut stream: impl Read + Write) -> io::Result<(String, String)> {
    stream.write_all(REQUEST)?;
    stream.flush()?;
    let mut bytes = Vec::new();
    match stream.take(MOST).read_to_end(&mut bytes) {
        Ok(_) => {}
        // A peer that leaves without a goodbye has said enough.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !bytes.is_empty() => {}
        Err(error) => return Err(error),
    }
    let text = String::from_utf8_lossy(&bytes);
    let status = text
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .and_then(|rest| rest.split(['\r', '\n']).next())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no answer of HTTP"))?;
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let said = body.lines().next().unwrap_or_default().trim();
    Ok((status.to_owned(), said.to_owned()))
}

/// Takes any certificate whose key the other side holds.
#[derive(Debug)]
struct AnyName(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use axum::Router;
    use axum::routing::get;
    use time::OffsetDateTime;

    use super::*;
    use crate::runtime::private_file::write_private;
    use crate::runtime::serve::{Limits, Listener, serve};
    use crate::runtime::tls::{TlsAcceptorHandle, self_signed};

    /// What is said of a server on every interface that answers `/readyz` with this.
    async fn asked(
        status: u16,
        body: &'static str,
        tls: Option<TlsAcceptorHandle>,
    ) -> Result<String, ProbeError> {
        let listener = Listener::bind("0.0.0.0:0".parse().unwrap()).await.unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        let status = http::StatusCode::from_u16(status).unwrap();
        let router = Router::new().route("/readyz", get(async move || (status, body)));
        let over_tls = tls.is_some();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let served = tokio::spawn(serve(listener, tls, router, Limits::default(), async {
            drop(ended.await);
        }));
        let said = tokio::task::spawn_blocking(move || ready(&address, over_tls))
            .await
            .unwrap();
        drop(end);
        served.await.unwrap().unwrap();
        said
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_process_says_whether_it_is_ready_and_why_not() {
        assert_eq!(asked(200, "ok\n", None).await.unwrap(), "ok");
        let refusal = asked(503, "the storage fails to write\n", None)
            .await
            .unwrap_err();
        assert!(
            refusal
                .to_string()
                .ends_with("is not ready: 503 the storage fails to write"),
            "{refusal}"
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_is_asked_over_tls_whatever_its_certificate_names() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("c"), folder.path().join("k"));
        let (chain, secret) = self_signed(&["elsewhere.example".into()], OffsetDateTime::now_utc()).unwrap();
        write_private(&certificate, chain.as_bytes()).unwrap();
        write_private(&key, secret.as_bytes()).unwrap();
        let tls = TlsAcceptorHandle::load(&certificate, &key).unwrap();
        assert_eq!(asked(200, "ok\n", Some(tls)).await.unwrap(), "ok");
    }

    #[test]
    fn who_is_not_there_does_not_answer() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let refusal = ready(&Address::Tcp(free), false).unwrap_err();
        assert!(refusal.to_string().contains("does not answer"), "{refusal}");
    }
}
