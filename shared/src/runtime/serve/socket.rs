//! A stream that is reset when its peer stops reading.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;

use super::state::ConnectionState;
use super::stream::Stream;

/// What stands on a socket.
pub(super) trait OnSocket {
    fn socket(&self) -> &Stream;

    /// Whether bytes have come to the socket that nobody has read, as the kernel knows it: what this process knows may be
    /// older when it has much to do.
    fn has_unread(&self) -> bool {
        has_unread(self.socket())
    }
}

/// The same of the socket itself.
pub(super) fn has_unread(socket: &Stream) -> bool {
    let mut byte = [MaybeUninit::uninit()];
    matches!(socket.socket().peek(&mut byte), Ok(1))
}

/// Fails a write that makes no progress for `limit`, and then resets the connection, so that the kernel's buffers
/// are freed too. Below TLS, where each byte that the peer took counts as progress.
#[derive(Debug)]
pub(super) struct StallGuard {
    inner: Stream,
    state: Arc<ConnectionState>,
    limit: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl StallGuard {
    pub(super) fn new(inner: Stream, state: Arc<ConnectionState>, limit: Duration) -> Self {
        Self {
            inner,
            state,
            limit,
            stalled: None,
        }
    }

    fn watch<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.limit)));
        if stalled.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.inner.reset_when_dropped();
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the peer stopped reading",
        )))
    }
}

impl OnSocket for StallGuard {
    fn socket(&self) -> &Stream {
        &self.inner
    }
}

impl OnSocket for TlsStream<StallGuard> {
    fn socket(&self) -> &Stream {
        self.get_ref().0.socket()
    }
}

impl AsyncRead for StallGuard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.state.hear();
        }
        polled
    }
}

impl AsyncWrite for StallGuard {
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
        // A socket has nothing to flush: this must not count as progress of a write that waits.
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
