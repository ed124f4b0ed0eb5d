//! Clients that flood one HTTP/2 connection, and clients that only hold it.

use std::time::{Duration, Instant};

use anyhow::Result;
use harness::archive::digest;
use tokio::io::{self, AsyncReadExt as _, AsyncWriteExt as _, ReadHalf};
use tokio::time::timeout;

use super::frame::{self, ACK, END_HEADERS, END_STREAM};
use crate::raw::Stream;

/// Frames, or what stands for one, that are sent at once.
const VOLLEY: u32 = 100;
/// Between two looks of a client that waits.
const PACE: Duration = Duration::from_millis(200);
/// Streams that one connection may have.
const STREAMS: u32 = 128;

/// What there is too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flood {
    /// PING, each of which is to be answered.
    Ping,
    /// Answers to PING that nobody has sent.
    Pong,
    Settings,
    Priority,
    /// WINDOW_UPDATE of one byte.
    WindowUpdate,
    /// Frames of no standard.
    Unknown,
    /// Requests that are reset in the same breath.
    RapidReset,
    /// The same, one at a time.
    PacedReset,
    /// Requests whose streams the server must reset.
    MadeYouReset,
    /// Headers that never end, without content.
    Continuation,
    /// Headers that refer to a large field again and again.
    HeaderBomb,
    /// A body of empty frames.
    EmptyData,
}

impl Flood {
    pub(super) const ALL: [Self; 12] = [
        Self::Ping,
        Self::Pong,
        Self::Settings,
        Self::Priority,
        Self::WindowUpdate,
        Self::Unknown,
        Self::RapidReset,
        Self::PacedReset,
        Self::MadeYouReset,
        Self::Continuation,
        Self::HeaderBomb,
        Self::EmptyData,
    ];

    /// What comes before the flood.
    fn opening(self) -> Vec<u8> {
        let mut out = frame::OPENING.to_vec();
        match self {
            Self::Continuation => frame::put(&mut out, frame::HEADERS, END_STREAM, 1, b"\x82"),
            Self::HeaderBomb => {
                // A field of 3,900 bytes that is remembered: incremental indexing; with a prefix of 7 bits, that length is
                // 127 + 0x3d + 128 * 0x1d.
                let mut block = frame::request(false, "/v2/");
                block.extend(b"\x40\x01x\x7f\xbd\x1d");
                block.extend([b'x'; 3_900]);
                frame::put(&mut out, frame::HEADERS, END_STREAM, 1, &block);
            }
            Self::EmptyData => {
                let path = format!("/v2/flood/blobs/uploads/?digest={}", digest(b"never sent"));
                let block = frame::request(true, &path);
                frame::put(&mut out, frame::HEADERS, END_HEADERS, 1, &block);
            }
            _ => {}
        }
        out
    }

    /// The volley of this number.
    fn volley(self, number: u32) -> Vec<u8> {
        let mut out = Vec::new();
        let put = frame::put;
        let count = if self == Self::PacedReset { 1 } else { VOLLEY };
        for place in 0..count {
            let stream = 1 + 2 * (number * count + place);
            match self {
                Self::Ping => put(&mut out, frame::PING, 0, 0, b"12345678"),
                Self::Pong => put(&mut out, frame::PING, ACK, 0, b"12345678"),
                // The initial window, now larger, now smaller.
                Self::Settings => put(
                    &mut out,
                    frame::SETTINGS,
                    0,
                    0,
                    &[0, 4, 0, 0, 0xff, u8::try_from(place).unwrap_or(0)],
                ),
                Self::Priority => put(&mut out, frame::PRIORITY, 0, stream, &[0, 0, 0, 0, 1]),
                Self::WindowUpdate => put(&mut out, frame::WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
                Self::Unknown => put(&mut out, frame::UNKNOWN, 0, 0, b""),
                Self::RapidReset | Self::PacedReset | Self::MadeYouReset => {
                    let block = frame::request(false, "/v2/");
                    put(&mut out, frame::HEADERS, END_HEADERS | END_STREAM, stream, &block);
                    if self == Self::MadeYouReset {
                        // More than a window may be: an error of the stream.
                        let increment = [0x7f, 0xff, 0xff, 0xff];
                        put(&mut out, frame::WINDOW_UPDATE, 0, stream, &increment);
                    } else {
                        put(&mut out, frame::RST_STREAM, 0, stream, &[0, 0, 0, 8]);
                    }
                }
                Self::Continuation => put(&mut out, frame::CONTINUATION, 0, 1, b""),
                // 0xbe is the field that was remembered last.
                Self::HeaderBomb => put(&mut out, frame::CONTINUATION, 0, 1, &[0xbe; 100]),
                Self::EmptyData => put(&mut out, frame::DATA, 0, 1, b""),
            }
        }
        out
    }
}

/// How a flood ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// The reason of GOAWAY, when there was one.
    pub(super) reason: Option<u32>,
    pub(super) after: Duration,
    pub(super) sent_bytes: u64,
}

/// Floods until the server ends the connection; none when it has not after so long.
pub(super) async fn flood(stream: Stream, flood: Flood, patience: Duration) -> Result<Option<Ended>> {
    let begun = Instant::now();
    let (read, mut write) = io::split(stream);
    let mut reader = tokio::spawn(farewell(read));
    let mut sent_bytes = 0;
    let mut number = 0;
    let mut volley = flood.opening();
    let mut writes = true;
    while let Some(left) = patience.checked_sub(begun.elapsed()) {
        tokio::select! {
            ended = &mut reader => {
                return Ok(Some(Ended { reason: ended?, after: begun.elapsed(), sent_bytes }));
            }
            written = send(&mut write, &volley), if writes => {
                // The server may have said something before.
                writes = written.is_ok();
                sent_bytes += volley.len() as u64;
                volley = flood.volley(number);
                number += 1;
                if flood == Flood::PacedReset {
                    tokio::task::yield_now().await;
                }
            }
            () = tokio::time::sleep(left) => {}
        }
    }
    reader.abort();
    Ok(None)
}

async fn send(write: &mut io::WriteHalf<Stream>, volley: &[u8]) -> io::Result<()> {
    write.write_all(volley).await?;
    write.flush().await
}

/// Reads to the end; why the server went away.
async fn farewell(mut from: ReadHalf<Stream>) -> Option<u32> {
    let mut read = Vec::new();
    let mut reason = None;
    // A reset is an end too.
    while from.read_buf(&mut read).await.is_ok_and(|length| length > 0) {
        for frame in frame::take(&mut read) {
            reason = frame::reason(&frame).or(reason);
        }
    }
    reason
}

/// What a connection is held by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// A header that does not go on.
    HalfHeader,
    /// Answers for which there is no window.
    NoWindow,
    /// Answers whose window grows by one byte now and then.
    SmallWindow,
}

impl Hold {
    pub(super) const ALL: [Self; 3] = [Self::HalfHeader, Self::NoWindow, Self::SmallWindow];

    fn opening(self, blob: &str) -> Vec<u8> {
        let mut out = frame::OPENING.to_vec();
        if self == Self::HalfHeader {
            frame::put(&mut out, frame::HEADERS, END_STREAM, 1, b"\x82");
            return out;
        }
        // The initial window of each stream.
        let window = u8::from(self == Self::SmallWindow);
        frame::put(&mut out, frame::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, window]);
        for stream in 0..STREAMS {
            let block = frame::request(false, blob);
            frame::put(
                &mut out,
                frame::HEADERS,
                END_HEADERS | END_STREAM,
                1 + 2 * stream,
                &block,
            );
        }
        out
    }
}

/// Holds a connection, and answers every PING, until the server ends it; after how long it did.
pub(super) async fn hold(
    mut stream: Stream,
    hold: Hold,
    blob: &str,
    patience: Duration,
) -> Result<Option<Duration>> {
    let begun = Instant::now();
    stream.write_all(&hold.opening(blob)).await?;
    stream.flush().await?;
    let mut read = Vec::new();
    let mut turn = 0;
    while begun.elapsed() < patience {
        match timeout(PACE, stream.read_buf(&mut read)).await {
            Ok(Ok(0) | Err(_)) => return Ok(Some(begun.elapsed())),
            Err(_) if hold == Hold::SmallWindow => {
                let mut out = Vec::new();
                frame::put(
                    &mut out,
                    frame::WINDOW_UPDATE,
                    0,
                    1 + 2 * (turn % STREAMS),
                    &[0, 0, 0, 1],
                );
                turn += 1;
                if send_all(&mut stream, &out).await.is_err() {
                    return Ok(Some(begun.elapsed()));
                }
            }
            Ok(Ok(_)) | Err(_) => {}
        }
        let mut out = Vec::new();
        for frame in frame::take(&mut read) {
            if frame.kind == frame::PING && frame.flags & ACK == 0 {
                frame::put(&mut out, frame::PING, ACK, 0, &frame.payload);
            }
        }
        if !out.is_empty() && send_all(&mut stream, &out).await.is_err() {
            return Ok(Some(begun.elapsed()));
        }
    }
    Ok(None)
}

async fn send_all(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}
