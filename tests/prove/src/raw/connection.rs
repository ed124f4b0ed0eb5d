//! One connection that speaks HTTP/1.1.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{self, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;

/// The bytes below HTTP.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Connects in the clear.
    pub(crate) async fn connect(port: u16) -> io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self::Plain(TcpStream::connect(address).await?))
    }

    /// Connects in the clear from an address of this machine; `receive` is how many bytes its kernel takes that nobody
    /// has read.
    pub(crate) async fn connect_from(source: Ipv4Addr, port: u16, receive: Option<u32>) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        if let Some(bytes) = receive {
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.bind(SocketAddr::from((source, 0)))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self::Plain(socket.connect(address).await?))
    }

    pub(crate) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

/// A client's end of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    /// Received and not yet taken.
    read: Vec<u8>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Whether the server said that this was the connection's last answer.
    pub(crate) fn is_last(&self) -> bool {
        self.header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

impl Connection {
    pub(crate) async fn open(port: u16) -> Result<Self> {
        Ok(Self::over(Stream::connect(port).await?))
    }

    pub(crate) fn over(stream: Stream) -> Self {
        Self {
            stream,
            read: Vec::new(),
        }
    }

    pub(crate) fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Sends one request with its body, and reads the answer.
    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> Result<Answer> {
        let length = if body.is_empty() && matches!(method, "GET" | "HEAD" | "DELETE") {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}{length}\r\n").into_bytes();
        request.extend_from_slice(body);
        self.send(&request).await?;
        self.answer(method == "HEAD").await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer> {
        self.ask("GET", path, "", b"").await
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await.context("send")?;
        // TLS may keep back what the socket did not take at once.
        self.stream.flush().await.context("send")
    }

    /// Reads one answer to its end.
    pub(crate) async fn answer(&mut self, bare: bool) -> Result<Answer> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            ensure!(self.read.len() < 64 << 10, "an endless head");
            self.more().await.context("before the answer's head")?;
        };
        let head: Vec<u8> = self.read.drain(..end).collect();
        let head = String::from_utf8(head).context("an answer that is no text")?;
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut answer = Answer {
            status: status.with_context(|| format!("no status in {head:?}"))?,
            head,
            body: Vec::new(),
        };
        let length = match answer.header("content-length") {
            _ if bare || answer.status == 204 || answer.status < 200 => 0,
            Some(length) => length.parse().context("Content-Length")?,
            None => bail!("an answer without a length: {}", answer.head),
        };
        while self.read.len() < length {
            self.more().await.context("within the answer's body")?;
        }
        answer.body = self.read.drain(..length).collect();
        Ok(answer)
    }

    async fn more(&mut self) -> Result<()> {
        let before = self.read.len();
        self.stream.read_buf(&mut self.read).await?;
        ensure!(self.read.len() > before, "the server closed the connection");
        Ok(())
    }

    /// Whether nothing has come from the server, not even its close.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut byte = [0];
        let peeked = self.stream.tcp().try_io(io::Interest::READABLE, || {
            rustix::net::recv(self.stream.tcp(), &mut byte, rustix::net::RecvFlags::PEEK).map_err(Into::into)
        });
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
