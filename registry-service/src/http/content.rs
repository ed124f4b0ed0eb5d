//! The body of a blob's answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Body, Frame, SizeHint};

use crate::registry::StorageError;

/// A stream of known length. It tells its end with its last byte, so that a connection need not ask once more.
pub(super) struct Content<S> {
    stream: Pin<Box<S>>,
    left: u64,
}

impl<S> Content<S> {
    /// `length` is the number of bytes that `stream` gives.
    pub(super) fn new(stream: S, length: u64) -> Self {
        Self {
            stream: Box::pin(stream),
            left: length,
        }
    }
}

impl<S: Stream<Item = Result<Bytes, StorageError>>> Body for Content<S> {
    type Data = Bytes;
    type Error = StorageError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StorageError>>> {
        let polled = ready!(self.stream.as_mut().poll_next(cx));
        match &polled {
            Some(Ok(piece)) => self.left = self.left.saturating_sub(piece.len() as u64),
            // The length has been promised already: the connection ends, and only the log can tell why.
            Some(Err(error)) => {
                let error: &dyn std::error::Error = error;
                tracing::error!(error, "a blob broke off while it was sent");
            }
            None => {}
        }
        Poll::Ready(polled.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
