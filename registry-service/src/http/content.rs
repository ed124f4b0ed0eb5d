//! The body of a blob's answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http_body::{Body, Frame, SizeHint};

use crate::registry::StorageError;

/// A stream of known length. It tells its end with its last byte, so that a connection need not ask once more.
pub(super) struct Content<S> {
    /// Read before the answer began.
    first: Option<Bytes>,
    stream: Pin<Box<S>>,
    left: u64,
}

impl<S: Stream<Item = Result<Bytes, StorageError>>> Content<S> {
    /// Reads the first piece of `stream`, which gives `length` bytes: while no status has been sent, a disk that fails at once can be
    /// told of.
    pub(super) async fn begin(stream: S, length: u64) -> Result<Self, StorageError> {
        let mut stream = Box::pin(stream);
        Ok(Self {
            first: stream.next().await.transpose()?,
            stream,
            left: length,
        })
    }
}

impl<S: Stream<Item = Result<Bytes, StorageError>>> Body for Content<S> {
    type Data = Bytes;
    type Error = StorageError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StorageError>>> {
        let polled = match self.first.take() {
            Some(piece) => Some(Ok(piece)),
            None => ready!(self.stream.as_mut().poll_next(cx)),
        };
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

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::BodyExt as _;

    use super::*;

    fn damaged() -> StorageError {
        StorageError::Corrupt {
            doing: "reading".to_owned(),
            source: None,
        }
    }

    #[tokio::test]
    async fn what_fails_at_the_first_piece_is_known_before_the_answer_begins() {
        let begun = Content::begin(stream::iter([Err(damaged()), Ok(Bytes::from_static(b"a"))]), 1).await;
        assert!(matches!(begun.err(), Some(StorageError::Corrupt { .. })));
    }

    #[tokio::test]
    async fn what_fails_later_ends_the_body() {
        let pieces = [Ok(Bytes::from_static(b"abc")), Err(damaged())];
        let mut content = Content::begin(stream::iter(pieces), 5).await.unwrap();
        assert_eq!(content.size_hint().exact(), Some(5), "nothing is sent yet");
        let first = content.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "abc");
        assert!(!content.is_end_stream());
        assert!(content.frame().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn every_piece_is_sent_once_and_the_last_byte_is_the_end() {
        for pieces in [&["ab", "c", "de"][..], &["abcde"], &[]] {
            let whole = pieces.concat();
            let stream = stream::iter(
                pieces
                    .iter()
                    .map(|piece| Ok(Bytes::from_static(piece.as_bytes()))),
            );
            let mut content = Content::begin(stream, whole.len() as u64).await.unwrap();
            let mut sent = Vec::new();
            while !content.is_end_stream() {
                sent.extend(content.frame().await.unwrap().unwrap().into_data().unwrap());
            }
            assert_eq!(sent, whole.as_bytes());
        }
    }
}
