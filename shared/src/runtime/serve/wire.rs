//! The byte stream of an HTTP/1.1 connection: time-outs between and within headers, and an end that lets the
//! client read the answer.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::head::HeadScanner;
use super::limits::Limits;
use super::socket::OnSocket;
use super::state::ConnectionState;

/// Wraps the stream that hyper reads and writes.
///
/// hyper's own header time-out also runs while a kept-alive connection is idle, so it cannot tell a slow header (10 s)
/// from a quiet client (75 s); this one can. When time is up hyper sees the end of the stream.
#[derive(Debug)]
pub(super) struct Http1Wire<I> {
    inner: I,
    state: Arc<ConnectionState>,
    limits: Arc<Limits>,
    scanner: HeadScanner,
    phase: Phase,
    /// The number of requests when `phase` was determined.
    requests: u64,
    deadline: Option<Pin<Box<Sleep>>>,
    end: End,
    /// Whether the peer takes nothing at the moment: hyper has more to write.
    is_blocked: bool,
}

/// What the connection is waiting for from its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The rest of a header; since the connection opened or the header's first byte.
    Header(Instant),
    /// The next request.
    Idle,
    /// A request is being handled; its body and answer have time-outs of their own.
    Busy,
}

#[derive(Debug)]
enum End {
    /// Not begun.
    Open,
    /// Time ran out, or the connection was quiet when it was to end: nobody is owed an answer.
    TimedOut,
    /// Our side is closed; what still comes is dropped, so many bytes so far.
    Lingering(Pin<Box<Sleep>>, usize),
}

impl<I> Http1Wire<I> {
    /// `opened` is when the connection was accepted or its handshake ended.
    pub(super) fn new(inner: I, state: Arc<ConnectionState>, limits: Arc<Limits>, opened: Instant) -> Self {
        Self {
            inner,
            state,
            limits,
            scanner: HeadScanner::new(),
            phase: Phase::Header(opened),
            requests: 0,
            deadline: None,
            end: End::Open,
            is_blocked: false,
        }
    }

    fn next_phase(&mut self) -> Phase {
        let now = Instant::now();
        let requests = self.state.requests();
        // A request may have begun and ended since the last look.
        let before = if requests == self.requests {
            self.phase
        } else {
            Phase::Busy
        };
        self.requests = requests;
        match (self.state.is_busy(), self.scanner.is_mid_head(), before) {
            (true, _, _) => Phase::Busy,
            // Before the first request there is no difference between silence and a slow header.
            (false, _, Phase::Header(since)) => Phase::Header(since),
            (false, true, Phase::Idle | Phase::Busy) => Phase::Header(now),
            (false, false, Phase::Idle | Phase::Busy) => Phase::Idle,
        }
    }

    /// Whether the time for what is being waited for is over; else wakes the task when it will be.
    fn poll_time_is_up(&mut self, cx: &mut Context<'_>) -> bool {
        let phase = self.next_phase();
        let at = match phase {
            Phase::Busy | Phase::Idle => None,
            Phase::Header(since) => Some(since + self.limits.headers),
        };
        if phase != self.phase || self.deadline.is_none() {
            self.phase = phase;
            match (at, &mut self.deadline) {
                (Some(at), Some(deadline)) => deadline.as_mut().reset(at),
                (Some(at), None) => self.deadline = Some(Box::pin(sleep_until(at))),
                (None, _) => {}
            }
        }
        match (at, &mut self.deadline) {
            (Some(_), Some(deadline)) => deadline.as_mut().poll(cx).is_ready(),
            _ => false,
        }
    }

    fn scan(&mut self, bytes: &[u8]) {
        if self.scanner.is_mid_chunked_body() && !self.state.is_busy() {
            self.scanner.restart();
            self.state.forget_framings();
        }
        let state = &self.state;
        self.scanner.feed(bytes, |framing| state.note_framing(framing));
    }

    /// Notes whether the peer takes what is written.
    fn watch(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let was_blocked = std::mem::replace(&mut self.is_blocked, polled.is_pending());
        if was_blocked && polled.is_ready() && self.state.is_ending() {
            // hyper does not look for the next request by itself when this was the last of an answer.
            cx.waker().wake_by_ref();
        }
        polled
    }

    /// Whether the connection is to end, all answers are written, and its client has sent nothing since its last request,
    /// as far as the kernel knows.
    fn ends_quietly(&self) -> bool
    where
        I: OnSocket,
    {
        self.state.is_ending()
            && !self.state.is_busy()
            && !self.is_blocked
            && !self.scanner.is_mid_head()
            // The event of what is there will come, and with it the request.
            && !self.inner.has_unread()
    }

    /// Whether the client may be sending what nobody will read.
    fn owes_linger(&self) -> bool {
        match self.end {
            End::TimedOut => false,
            End::Lingering(..) => true,
            End::Open => {
                let mid_body = self.scanner.is_mid_body() && !self.state.is_body_complete();
                mid_body || self.scanner.is_mid_head()
            }
        }
    }
}

impl<I: AsyncRead + OnSocket + Unpin> AsyncRead for Http1Wire<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if matches!(this.end, End::TimedOut) {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        match Pin::new(&mut this.inner).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                let read = &buf.filled()[before..];
                if !read.is_empty() {
                    this.scan(read);
                    // A header that dribbles in is always ready, and must still end in time.
                    if this.poll_time_is_up(cx) {
                        this.end = End::TimedOut;
                        buf.set_filled(before);
                    }
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                if this.poll_time_is_up(cx) || this.ends_quietly() {
                    this.end = End::TimedOut;
                    return Poll::Ready(Ok(()));
                }
                Poll::Pending
            }
        }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Http1Wire<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.watch(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.watch(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    /// Closes our side; then, when a request was cut short, drops what the client still sends. Closing a socket with
    /// unread bytes resets it, and the reset may overtake the answer.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.end {
                End::Open | End::TimedOut => {
                    ready!(Pin::new(&mut this.inner).poll_shutdown(cx))?;
                    if !this.owes_linger() {
                        return Poll::Ready(Ok(()));
                    }
                    let until = Instant::now() + this.limits.linger;
                    this.end = End::Lingering(Box::pin(sleep_until(until)), 0);
                }
                End::Lingering(deadline, dropped) => {
                    let mut scratch = [MaybeUninit::uninit(); 4096];
                    let mut scratch = ReadBuf::uninit(&mut scratch);
                    if deadline.as_mut().poll(cx).is_ready() || *dropped > this.limits.linger_bytes {
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

/// Closes a connection that is answered outside hyper: writes `answer`, and waits a moment for the peer.
pub(super) async fn answer_and_close<I: AsyncRead + AsyncWrite + Unpin>(
    mut stream: I,
    answer: &[u8],
    within: Duration,
) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let _ = tokio::time::timeout(within, async {
        stream.write_all(answer).await?;
        stream.shutdown().await?;
        let mut scratch = [0; 1024];
        let mut left: usize = 64 << 10;
        while left > 0 {
            match stream.read(&mut scratch).await? {
                0 => break,
                read => left = left.saturating_sub(read),
            }
        }
        Ok::<_, io::Error>(())
    })
    .await;
}
