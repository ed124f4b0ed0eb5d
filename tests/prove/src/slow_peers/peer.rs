//! Clients that begin something and do not go on.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use harness::archive::digest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

use crate::raw::{Connection, Stream};

/// Between two bytes of one who dribbles, and two looks at a connection that is not read.
const PACE: Duration = Duration::from_millis(250);
/// The kernel takes this much of an answer that nobody reads.
const UNREAD_BYTES: u32 = 4 << 10;

/// What is slow about a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sloth {
    /// Connects and says nothing.
    Silent,
    /// Stops in the middle of its header.
    HalfHeader,
    /// Sends its header byte by byte.
    DribbledHeader,
    /// Sends one request well, and the next one's header byte by byte.
    SecondHeader,
    /// Stops in the middle of a blob.
    HalfBlob,
    /// Sends a blob byte by byte.
    DribbledBlob,
    /// Sends a manifest byte by byte.
    DribbledManifest,
    /// Stops within a chunk of chunked coding.
    HalfChunk,
    /// Reads nothing of a blob.
    Unread,
    /// Reads the beginning of a blob.
    HalfRead,
}

/// What a kind of slowness is bounded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Header,
    Body,
    Reader,
}

pub(super) const HEADERS: [Sloth; 4] = [
    Sloth::Silent,
    Sloth::HalfHeader,
    Sloth::DribbledHeader,
    Sloth::SecondHeader,
];
pub(super) const BODIES: [Sloth; 4] = [
    Sloth::HalfBlob,
    Sloth::DribbledBlob,
    Sloth::DribbledManifest,
    Sloth::HalfChunk,
];
pub(super) const READERS: [Sloth; 2] = [Sloth::Unread, Sloth::HalfRead];

impl Sloth {
    pub(super) fn bound(self) -> Bound {
        match self {
            Self::Silent | Self::HalfHeader | Self::DribbledHeader | Self::SecondHeader => Bound::Header,
            Self::HalfBlob | Self::DribbledBlob | Self::DribbledManifest | Self::HalfChunk => Bound::Body,
            Self::Unread | Self::HalfRead => Bound::Reader,
        }
    }

    fn dribbles(self) -> bool {
        matches!(
            self,
            Self::DribbledHeader | Self::SecondHeader | Self::DribbledBlob | Self::DribbledManifest
        )
    }

    /// What it sends at once, before it becomes slow.
    fn beginning(self, scene: &Target, location: &str) -> String {
        let host = "HTTP/1.1\r\nHost: localhost\r\n";
        match self {
            Self::Silent => String::new(),
            Self::HalfHeader | Self::DribbledHeader | Self::SecondHeader => {
                format!("GET /v2/ {host}X-Slow: ")
            }
            Self::HalfBlob | Self::DribbledBlob => format!(
                "POST /v2/slow/blobs/uploads/?digest={} {host}Content-Type: application/octet-stream\r\n\
                 Content-Length: 1000000\r\n\r\nbegun",
                digest(b"never sent")
            ),
            Self::DribbledManifest => format!(
                "PUT /v2/slow/manifests/never {host}Content-Type: application/vnd.oci.image.manifest.v1+json\r\n\
                 Content-Length: 10000\r\n\r\n{{"
            ),
            Self::HalfChunk => format!(
                "PATCH {location} {host}Content-Type: application/octet-stream\r\n\
                 Transfer-Encoding: chunked\r\n\r\n1000\r\nbegun"
            ),
            Self::Unread | Self::HalfRead => format!("GET {} {host}\r\n", scene.blob),
        }
    }
}

/// Where slow clients turn to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) port: u16,
    /// The path of a blob that fits in no buffer.
    pub(super) blob: String,
}

/// How the server ended a connection.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) sloth: Sloth,
    /// At least and at most so long after the server could see the client become slow: between the two lies what our
    /// side took to begin.
    pub(super) after: Duration,
    pub(super) at_most: Duration,
    /// What it was told, if anything.
    pub(super) status: Option<u16>,
}

/// A slow client that has begun.
#[derive(Debug)]
pub(super) struct Peer {
    sloth: Sloth,
    connection: Connection,
    /// Before it became slow, and when it was.
    before: Instant,
    slow_since: Instant,
}

impl Peer {
    /// Connects and begins.
    pub(super) async fn begin(sloth: Sloth, source: Ipv4Addr, target: &Target) -> Result<Self> {
        let receive = (sloth.bound() == Bound::Reader).then_some(UNREAD_BYTES);
        let mut before = Instant::now();
        let stream = Stream::connect_from(source, target.port, receive).await;
        let mut slow_since = Instant::now();
        let mut connection = Connection::over(stream.context("connect")?);
        let mut location = String::new();
        if sloth == Sloth::SecondHeader {
            let answer = connection.get("/v2/").await?;
            ensure!(answer.status == 200, "/v2/: {}", answer.status);
            before = Instant::now();
            slow_since = before;
        }
        if sloth == Sloth::HalfChunk {
            let answer = connection.ask("POST", "/v2/slow/blobs/uploads/", "", b"").await?;
            ensure!(answer.status == 202, "POST: {}", answer.status);
            answer
                .header("location")
                .context("no location")?
                .clone_into(&mut location);
        }
        let beginning = sloth.beginning(target, &location);
        if sloth.bound() != Bound::Header {
            before = Instant::now();
        }
        connection.send(beginning.as_bytes()).await?;
        if sloth.bound() != Bound::Header {
            slow_since = Instant::now();
        }
        if sloth == Sloth::HalfRead {
            connection.stream().read_exact(&mut [0; 1024]).await?;
            slow_since = Instant::now();
        }
        Ok(Self {
            sloth,
            connection,
            before,
            slow_since,
        })
    }

    /// Goes on slowly until the server ends the connection; none when it has not after so long.
    pub(super) async fn suffer(mut self, patience: Duration) -> Option<Ended> {
        let mut status = None;
        let mut read = [0; 256];
        while self.slow_since.elapsed() < patience {
            let stream = self.connection.stream();
            if self.sloth.bound() == Bound::Reader {
                // Nothing is read, so only a reset shows.
                if !matches!(stream.tcp().take_error(), Ok(None)) {
                    return Some(self.ended(status));
                }
                sleep(PACE).await;
                continue;
            }
            match timeout(PACE, stream.read(&mut read)).await {
                Ok(Ok(0) | Err(_)) => return Some(self.ended(status)),
                Ok(Ok(length)) => {
                    let told = String::from_utf8_lossy(&read[..length]);
                    status = status.or_else(|| told.split(' ').nth(1)?.parse().ok());
                }
                Err(_) if self.sloth.dribbles() => {
                    if stream.write_all(b"x").await.is_err() {
                        return Some(self.ended(status));
                    }
                }
                Err(_) => {}
            }
        }
        None
    }

    fn ended(&self, status: Option<u16>) -> Ended {
        Ended {
            sloth: self.sloth,
            after: self.slow_since.elapsed(),
            at_most: self.before.elapsed(),
            status,
        }
    }
}
