//! Answers of HTTP/1.1 (RFC 9112) as far as a load generator has to understand them.

use anyhow::{Context, Result, bail, ensure};

/// How the body of an answer ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After so many bytes.
    Length(u64),
    Chunked,
}

/// What is kept of an answer's head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) framing: Framing,
    pub(crate) location: Option<String>,
    /// The server will close the connection.
    pub(crate) close: bool,
}

/// Reads the head at the beginning of `bytes`, and tells its length; `None` as long as it is incomplete.
/// `without_body`: it answers a HEAD request.
pub(crate) fn parse_head(bytes: &[u8], without_body: bool) -> Result<Option<(Head, usize)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes[..end]).context("a head that is no text")?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .and_then(|rest| rest.get(..3))
        .context("no status line of HTTP/1.1")?
        .parse()
        .context("read the status")?;
    let (mut length, mut chunked, mut location, mut close) = (None, false, None, false);
    for line in lines {
        let (name, value) = line.split_once(':').context("a header without a colon")?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.parse().context("read Content-Length")?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.eq_ignore_ascii_case("chunked");
        } else if name.eq_ignore_ascii_case("location") {
            location = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("connection") {
            close = value.eq_ignore_ascii_case("close");
        }
    }
    let framing = if without_body || matches!(status, 100..=199 | 204 | 304) {
        Framing::Length(0)
    } else if chunked {
        Framing::Chunked
    } else {
        Framing::Length(length.context("neither a length nor chunks")?)
    };
    let head = Head {
        status,
        framing,
        location,
        close,
    };
    Ok(Some((head, end + 4)))
}

/// A chunked body as it comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    state: State,
    /// Bytes of the body so far.
    pub(crate) length: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// In a line that gives a chunk's size; its digits so far.
    Size {
        value: u64,
        digits: u8,
        extension: bool,
    },
    Data(u64),
    /// In the line break behind a chunk.
    Break,
    /// In the lines behind the last chunk; how many bytes the present one has.
    Trailer(u64),
    Done,
}

/// At the beginning of a chunk.
const BEGIN: State = State::Size {
    value: 0,
    digits: 0,
    extension: false,
};

impl Default for State {
    fn default() -> Self {
        BEGIN
    }
}

impl Chunks {
    /// Takes the next piece; `true` when the body has ended, which has to be with the end of a piece.
    pub(crate) fn feed(&mut self, mut piece: &[u8]) -> Result<bool> {
        while let Some(&byte) = piece.first() {
            if let State::Data(left) = self.state {
                let here = left.min(piece.len() as u64);
                self.length += here;
                piece = &piece[usize::try_from(here)?..];
                self.state = if here == left {
                    State::Break
                } else {
                    State::Data(left - here)
                };
                continue;
            }
            piece = &piece[1..];
            self.state = match (self.state, byte) {
                (State::Size { digits: 0, .. }, b'\r' | b'\n') => bail!("a chunk without a size"),
                (State::Size { value: 0, .. }, b'\n') => State::Trailer(0),
                (State::Size { value, .. }, b'\n') => State::Data(value),
                (state @ State::Size { extension: true, .. }, _) | (state @ State::Size { .. }, b'\r') => {
                    state
                }
                (State::Size { value, digits, .. }, b';' | b' ') => State::Size {
                    value,
                    digits,
                    extension: true,
                },
                (State::Size { value, digits, .. }, _) => {
                    let digit = char::from(byte).to_digit(16).context("a chunk's size")?;
                    ensure!(digits < 15, "a chunk's size is too large");
                    State::Size {
                        value: value * 16 + u64::from(digit),
                        digits: digits + 1,
                        extension: false,
                    }
                }
                (State::Break, b'\r') => State::Break,
                (State::Break, b'\n') => BEGIN,
                (State::Break, _) => bail!("a chunk is longer than its size"),
                (State::Trailer(0), b'\n') => State::Done,
                (State::Trailer(_), b'\n') => State::Trailer(0),
                (state @ State::Trailer(_), b'\r') => state,
                (State::Trailer(length), _) => State::Trailer(length + 1),
                (State::Data(_) | State::Done, _) => bail!("bytes behind the end of an answer"),
            };
        }
        Ok(matches!(self.state, State::Done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_only_when_it_is_whole() {
        let text = b"HTTP/1.1 202 Accepted\r\nLocation: /v2/a?x=1\r\ncontent-LENGTH: 12\r\n\r\nbody";
        for cut in 0..text.len() - 4 {
            assert_eq!(parse_head(&text[..cut], false).unwrap(), None, "{cut}");
        }
        let (head, length) = parse_head(text, false).unwrap().unwrap();
        assert_eq!(length, text.len() - 4);
        assert_eq!(head.status, 202);
        assert_eq!(head.framing, Framing::Length(12));
        assert_eq!(head.location.as_deref(), Some("/v2/a?x=1"));
        assert!(!head.close);
    }

    #[test]
    fn an_answer_to_head_has_no_body_whatever_its_length_says() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\n";
        let (head, _) = parse_head(text, true).unwrap().unwrap();
        assert_eq!(head.framing, Framing::Length(0));
        assert!(head.close);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for wrong in [
            "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 2x0 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
        ] {
            assert!(parse_head(wrong.as_bytes(), false).is_err(), "{wrong}");
        }
    }

    #[test]
    fn chunks_are_read_wherever_the_pieces_are_cut() {
        let text = b"4\r\nWiki\r\nA;x=1\r\n0123456789\r\n0\r\ntrailer: 1\r\n\r\n";
        for cut in 1..text.len() {
            let mut chunks = Chunks::default();
            assert!(!chunks.feed(&text[..cut]).unwrap(), "{cut}");
            assert!(chunks.feed(&text[cut..]).unwrap(), "{cut}");
            assert_eq!(chunks.length, 14);
        }
    }

    #[test]
    fn broken_chunks_are_errors() {
        for wrong in ["\r\n", "4\r\nWikis\r\n", "x\r\n", "0\r\n\r\nmore"] {
            assert!(Chunks::default().feed(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }
}
