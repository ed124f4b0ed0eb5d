//! A raw HTTP/1.1 client: prepared bytes out, as little as possible done with what comes back.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::payload::Payload;
use crate::wire::{Chunks, Framing, parse_head};

/// Where requests go, and what each of them carries.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) port: u16,
    /// `Authorization: …` with its line break, or nothing.
    pub(crate) authorization: String,
    pub(crate) tls: Option<TlsConnector>,
    /// A new connection for each request, which says so.
    pub(crate) fresh: bool,
}

impl Endpoint {
    /// The bytes of a request without a body; `headers` are whole lines.
    pub(crate) fn prepare(&self, method: &str, path: &str, headers: &str) -> Vec<u8> {
        // As Go's clients do when they keep no connection.
        let close = if self.fresh { "Connection: close\r\n" } else { "" };
        format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nUser-Agent: bench\r\n{}{close}{headers}\r\n",
            self.port, self.authorization
        )
        .into_bytes()
    }
}

/// A connection in either dress.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// One client; it holds one connection at most.
pub(crate) struct Client {
    pub(crate) endpoint: Arc<Endpoint>,
    stream: Option<Box<dyn Stream>>,
    buffer: Vec<u8>,
}

/// The body of a request.
pub(crate) enum Body<'a> {
    None,
    /// With a `Content-Length`.
    Whole(&'a Payload),
    /// In chunks of 32 KiB, as Go's programs send what they copy.
    Chunked(&'a Payload),
    Bytes(&'a [u8]),
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    /// Bytes of its body.
    pub(crate) length: u64,
    /// The body, where it came in one read with the head or was wanted.
    pub(crate) body: Vec<u8>,
}

/// Bytes that are read at once.
const BUFFER: usize = 256 << 10;

impl Client {
    pub(crate) fn new(endpoint: Arc<Endpoint>) -> Self {
        Self {
            endpoint,
            stream: None,
            buffer: vec![0; BUFFER],
        }
    }

    /// Connects when that is not done at each request.
    pub(crate) async fn connect(&mut self) -> Result<()> {
        if !self.endpoint.fresh {
            self.stream = Some(open(&self.endpoint).await?);
        }
        Ok(())
    }

    /// One request; `head` comes from [`Endpoint::prepare`] and says what `body` needs.
    pub(crate) async fn send(&mut self, head: &[u8], body: Body<'_>) -> Result<Answer> {
        self.exchange(head, body, false).await
    }

    /// The same, keeping the body of the answer.
    pub(crate) async fn fetch(&mut self, head: &[u8], body: Body<'_>) -> Result<Answer> {
        self.exchange(head, body, true).await
    }

    async fn exchange(&mut self, head: &[u8], body: Body<'_>, keep: bool) -> Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => open(&self.endpoint).await?,
        };
        match body {
            Body::None => stream.write_all(head).await?,
            Body::Bytes(bytes) => {
                let mut all = head.to_vec();
                all.extend_from_slice(bytes);
                stream.write_all(&all).await?;
            }
            Body::Whole(payload) => payload.write(head, &mut stream).await?,
            Body::Chunked(payload) => payload.write_chunked(head, &mut stream).await?,
        }
        stream.flush().await?;
        let without_body = head.starts_with(b"HEAD ");
        let (answer, close) = receive(&mut stream, &mut self.buffer, without_body, keep).await?;
        if close || self.endpoint.fresh {
            // Nothing is lost when the other side was quicker.
            drop(stream.shutdown().await);
        } else {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

async fn open(endpoint: &Endpoint) -> Result<Box<dyn Stream>> {
    let stream = TcpStream::connect(("127.0.0.1", endpoint.port))
        .await
        .context("connect")?;
    stream.set_nodelay(true)?;
    Ok(match &endpoint.tls {
        None => Box::new(stream),
        Some(connector) => {
            let name = ServerName::try_from("localhost")?;
            Box::new(connector.connect(name, stream).await.context("TLS handshake")?)
        }
    })
}

async fn receive(
    stream: &mut Box<dyn Stream>,
    buffer: &mut [u8],
    without_body: bool,
    keep: bool,
) -> Result<(Answer, bool)> {
    let mut filled = 0;
    let (head, begin) = loop {
        let read = stream.read(&mut buffer[filled..]).await.context("read a head")?;
        ensure!(read > 0, "the connection ended instead of an answer");
        filled += read;
        if let Some(found) = parse_head(&buffer[..filled], without_body)? {
            break found;
        }
        ensure!(filled < buffer.len(), "a head without an end");
    };
    let mut answer = Answer {
        status: head.status,
        location: head.location,
        length: 0,
        body: Vec::new(),
    };
    let keep = keep || head.status >= 400;
    let mut chunks = Chunks::default();
    let mut piece = begin..filled;
    loop {
        let bytes = &buffer[piece];
        if keep {
            answer.body.extend_from_slice(bytes);
        }
        let done = match head.framing {
            Framing::Chunked => {
                let done = chunks.feed(bytes)?;
                answer.length = chunks.length;
                done
            }
            Framing::Length(length) => {
                answer.length += bytes.len() as u64;
                ensure!(answer.length <= length, "more bytes than were promised");
                answer.length == length
            }
        };
        if done {
            return Ok((answer, head.close));
        }
        let read = stream.read(buffer).await.context("read a body")?;
        ensure!(read > 0, "an answer was cut short");
        piece = 0..read;
    }
}
