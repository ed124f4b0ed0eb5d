//! HTTP/2: a client that sends frames which bring nothing is sent away (RFC 9113, section 10.5).
//!
//! `h2` bounds what it must remember (resets of streams that nobody has looked at yet, CONTINUATION, small DATA frames), but
//! answers PING and SETTINGS, and reads PRIORITY, WINDOW_UPDATE, resets and unknown frames, for as long as they come.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::limits::Limits;

/// Bytes that a connection begins with, before its first frame.
const PREFACE: usize = 24;
const FRAME_HEADER: usize = 9;
/// Frame types.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const CONTINUATION: u8 = 9;

/// Idle frames that a client may send at once, and in each second beyond that.
const BURST: u64 = 2_000;
const PER_SECOND: u64 = 200;
/// Bytes of answers that make up for one more: Go's client sends two WINDOW_UPDATE for each 4 KiB that it reads.
const SENT_PER_FRAME: u64 = 1 << 10;
/// Bytes that are read and dropped of one who has been sent away.
const LINGER_BYTES: usize = 1 << 20;

/// GOAWAY with `ENHANCE_YOUR_CALM`; the stream identifier is the largest there is, since we do not say what became of each.
const GOAWAY: [u8; FRAME_HEADER + 8] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0x0b];

/// A connection's bytes, whose incoming frames are counted. To `h2` the connection of a flooder looks closed.
#[derive(Debug)]
pub(super) struct Http2Wire<I> {
    inner: I,
    limits: Arc<Limits>,
    scanner: FrameScanner,
    budget: Budget,
    end: End,
}

#[derive(Debug)]
enum End {
    Open,
    /// Nothing is read any more but the rest of a frame: `h2` takes an end in its middle for a fault, and says nothing then.
    Flooded,
    /// So many bytes of the farewell are written.
    Farewell(usize),
    /// Our side is closed; what still comes is dropped, so many bytes so far.
    Lingering(Pin<Box<Sleep>>, usize),
}

impl<I> Http2Wire<I> {
    pub(super) fn new(inner: I, limits: Arc<Limits>) -> Self {
        Self {
            inner,
            limits,
            scanner: FrameScanner::new(),
            budget: Budget::new(Instant::now()),
            end: End::Open,
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Http2Wire<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match this.end {
            End::Open => {
                let before = buf.filled().len();
                ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
                let (earned, spent) = this.scanner.feed(&buf.filled()[before..]);
                if earned + spent > 0 && !this.budget.spend(earned, spent, Instant::now()) {
                    tracing::debug!("too many HTTP/2 frames that bring nothing");
                    this.end = End::Flooded;
                }
                Poll::Ready(Ok(()))
            }
            End::Flooded => {
                let mut rest = [MaybeUninit::uninit(); 4096];
                let length = this.scanner.rest().min(rest.len()).min(buf.remaining());
                if length == 0 {
                    return Poll::Ready(Ok(()));
                }
                let mut rest = ReadBuf::uninit(&mut rest[..length]);
                ready!(Pin::new(&mut this.inner).poll_read(cx, &mut rest))?;
                this.scanner.feed(rest.filled());
                buf.put_slice(rest.filled());
                Poll::Ready(Ok(()))
            }
            End::Farewell(_) | End::Lingering(..) => Poll::Ready(Ok(())),
        }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Http2Wire<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, buf))?;
        self.budget.sent += written as u64;
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write_vectored(cx, bufs))?;
        self.budget.sent += written as u64;
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    /// `h2` has written all its frames when it comes here, so that a flooder can be told. Then what it still sends is dropped for
    /// a moment: closing a socket with unread bytes resets it, and the reset may overtake the farewell.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.end {
                End::Open => return Pin::new(&mut this.inner).poll_shutdown(cx),
                End::Flooded => this.end = End::Farewell(0),
                End::Farewell(written) if *written < GOAWAY.len() => {
                    match ready!(Pin::new(&mut this.inner).poll_write(cx, &GOAWAY[*written..]))? {
                        0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                        more => *written += more,
                    }
                }
                End::Farewell(_) => {
                    ready!(Pin::new(&mut this.inner).poll_shutdown(cx))?;
                    let until = Instant::now() + this.limits.linger;
                    this.end = End::Lingering(Box::pin(sleep_until(until)), 0);
                }
                End::Lingering(deadline, dropped) => {
                    let mut scratch = [MaybeUninit::uninit(); 4096];
                    let mut scratch = ReadBuf::uninit(&mut scratch);
                    if deadline.as_mut().poll(cx).is_ready() || *dropped > LINGER_BYTES {
                        return Poll::Ready(Ok(()));
                    }
                    match ready!(Pin::new(&mut this.inner).poll_read(cx, &mut scratch)) {
                        Ok(()) if !scratch.filled().is_empty() => *dropped += scratch.filled().len(),
                        _ => return Poll::Ready(Ok(())),
                    }
                }
            }
        }
    }
}

/// Finds the frames in a client's bytes.
#[derive(Debug)]
struct FrameScanner {
    /// The beginning of a frame's header.
    header: [u8; FRAME_HEADER],
    filled: usize,
    /// Bytes until the next header.
    skip: usize,
}

impl FrameScanner {
    fn new() -> Self {
        Self {
            header: [0; FRAME_HEADER],
            filled: 0,
            skip: PREFACE,
        }
    }

    /// Bytes that are at least left of the frame that has begun.
    fn rest(&self) -> usize {
        match self.filled {
            0 => self.skip,
            filled => FRAME_HEADER - filled,
        }
    }

    /// What the frames that begin in these bytes earn and cost. DATA and CONTINUATION are counted by `h2`; to begin a
    /// request earns what an extension's frame on its behalf costs, and to reset it costs more.
    fn feed(&mut self, mut bytes: &[u8]) -> (u64, u64) {
        let (mut earned, mut spent) = (0, 0);
        loop {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            if bytes.is_empty() {
                return (earned, spent);
            }
            let taken = bytes.len().min(FRAME_HEADER - self.filled);
            self.header[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            self.filled += taken;
            bytes = &bytes[taken..];
            if self.filled == FRAME_HEADER {
                self.filled = 0;
                let [a, b, c, kind, ..] = self.header;
                self.skip = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                match kind {
                    DATA | CONTINUATION => {}
                    HEADERS => earned += 1,
                    RST_STREAM => spent += 2,
                    _ => spent += 1,
                }
            }
        }
    }
}

/// How many frames that bring nothing a client may still send.
#[derive(Debug)]
struct Budget {
    left: u64,
    filled_at: Instant,
    /// Bytes of answers since then.
    sent: u64,
}

impl Budget {
    fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            filled_at: now,
            sent: 0,
        }
    }

    /// Whether there was enough.
    fn spend(&mut self, earned: u64, spent: u64, now: Instant) -> bool {
        if crate::sabotage::breaks("no-frame-budget") {
            return true;
        }
        let elapsed = u64::try_from((now - self.filled_at).as_millis()).unwrap_or(u64::MAX);
        let by_time = elapsed.saturating_mul(PER_SECOND) / 1_000;
        if by_time > 0 {
            self.filled_at = now;
        }
        let by_sending = self.sent / SENT_PER_FRAME;
        self.sent %= SENT_PER_FRAME;
        // Time saves up no more than one burst; what was paid for does not expire, or the updates that follow a large answer
        // would be too many.
        if self.left < BURST {
            self.left = self.left.saturating_add(by_time).min(BURST);
        }
        self.left = self.left.saturating_add(earned).saturating_add(by_sending);
        let enough = self.left >= spent;
        self.left = self.left.saturating_sub(spent);
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn frame(kind: u8, length: u8) -> Vec<u8> {
        [
            &[0, 0, length, kind, 0, 0, 0, 0, 0][..],
            &vec![9; usize::from(length)],
        ]
        .concat()
    }

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        for (kind, length) in [(4, 0), (1, 20), (0, 200), (9, 1), (6, 8), (3, 4), (99, 3), (0, 0)] {
            bytes.extend(frame(kind, length));
        }
        for step in 1..bytes.len() {
            let mut scanner = FrameScanner::new();
            let counted = bytes.chunks(step).map(|piece| scanner.feed(piece));
            let counted = counted.fold((0, 0), |sum, (earned, spent)| (sum.0 + earned, sum.1 + spent));
            assert_eq!(counted, (1, 5), "in pieces of {step}");
        }
    }

    #[test]
    fn a_budget_is_spent_and_grows_with_time_and_with_what_is_sent() {
        let begun = Instant::now();
        let mut budget = Budget::new(begun);
        assert!(budget.spend(0, BURST, begun));
        assert!(!budget.spend(0, 1, begun));
        assert!(budget.spend(2, 2, begun), "earned by requests");
        let later = begun + Duration::from_secs(1);
        assert!(budget.spend(0, PER_SECOND, later));
        assert!(!budget.spend(0, 1, later));
        budget.sent = 10 * SENT_PER_FRAME;
        assert!(budget.spend(0, 10, later));
        assert!(!budget.spend(0, 1, later));
        // However long it was quiet, it does not save up more than one burst.
        assert!(!budget.spend(0, BURST + 1, later + Duration::from_hours(1)));
        // The updates for a large answer may come late, and all at once.
        budget.sent = 64 << 20;
        assert!(budget.spend(0, 2 * (64 << 20) / (4 << 10), later + Duration::from_hours(1)));
    }

    #[test]
    fn small_times_add_up() {
        let begun = Instant::now();
        let mut budget = Budget::new(begun);
        assert!(budget.spend(0, BURST, begun));
        let frames = (1..=1_000).filter(|ms| budget.spend(0, 1, begun + Duration::from_millis(*ms)));
        assert!(frames.count() >= 190);
    }
}
