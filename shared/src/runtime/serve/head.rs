//! How the headers of an HTTP/1.1 connection frame their bodies, read beside hyper.
//!
//! hyper resolves `Transfer-Encoding` together with `Content-Length` as RFC 9112, 6.3 allows (the length is dropped, the
//! connection closed after) and merges equal lengths. Both are the stuff of request smuggling, and after hyper nothing
//! shows that they were there. So the bytes are looked at on their way. What is found can only refuse a request,
//! never change how it is read.

/// What one header says about its body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Framing {
    /// Lines `Transfer-Encoding`.
    pub(super) encodings: u8,
    /// Lines `Content-Length`.
    pub(super) lengths: u8,
}

/// Enough of a line to recognise both headers and to read a length.
const LINE: usize = 64;

/// Follows the bytes of one connection.
#[derive(Debug)]
pub(super) struct HeadScanner {
    stage: Stage,
    line: [u8; LINE],
    /// Bytes of the current line, which may exceed what `line` keeps.
    line_len: usize,
    lines: usize,
    framing: Framing,
    length: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    /// So many bytes of a body are still to come.
    Body(u64),
    /// A body whose end is not looked for; the scan goes on with the next request.
    Chunked,
}

impl HeadScanner {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Head,
            line: [0; LINE],
            line_len: 0,
            lines: 0,
            framing: Framing::default(),
            length: None,
        }
    }

    /// Whether part of a header has been read.
    pub(super) fn is_mid_head(&self) -> bool {
        self.stage == Stage::Head && (self.lines > 0 || self.line_len > 0)
    }

    /// Whether a body is, as far as the header told, not read to its end.
    pub(super) fn is_mid_body(&self) -> bool {
        self.stage != Stage::Head
    }

    pub(super) fn is_mid_chunked_body(&self) -> bool {
        self.stage == Stage::Chunked
    }

    /// The next bytes begin a header.
    pub(super) fn restart(&mut self) {
        *self = Self::new();
    }

    /// Looks at bytes, and gives each header that ends in them to `found`.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut found: impl FnMut(Framing)) {
        while !bytes.is_empty() {
            match self.stage {
                Stage::Chunked => return,
                Stage::Body(left) => {
                    let skipped = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = &bytes[skipped..];
                    let left = left - skipped as u64;
                    self.stage = if left == 0 { Stage::Head } else { Stage::Body(left) };
                }
                Stage::Head => {
                    let end = bytes.iter().position(|&b| b == b'\n');
                    let part = &bytes[..end.unwrap_or(bytes.len())];
                    self.extend_line(part);
                    let Some(end) = end else { return };
                    bytes = &bytes[end + 1..];
                    if self.end_line() {
                        found(self.framing);
                        self.begin_body();
                    }
                }
            }
        }
    }

    fn extend_line(&mut self, part: &[u8]) {
        let kept = self.line_len.min(LINE);
        let taken = part.len().min(LINE - kept);
        self.line[kept..kept + taken].copy_from_slice(&part[..taken]);
        self.line_len += part.len();
    }

    /// Takes note of the line that ended; true when it was the empty one that ends a header.
    fn end_line(&mut self) -> bool {
        let len = std::mem::take(&mut self.line_len);
        let whole = len <= LINE;
        let kept = &self.line[..len.min(LINE)];
        let kept = if whole {
            kept.strip_suffix(b"\r").unwrap_or(kept)
        } else {
            kept
        };
        if kept.is_empty() {
            // Empty lines before a request line are skipped (RFC 9112, 2.2).
            return self.lines > 0;
        }
        self.lines += 1;
        if self.lines == 1 {
            return false;
        }
        let Some(colon) = kept.iter().position(|&b| b == b':') else {
            return false;
        };
        let (name, value) = (&kept[..colon], &kept[colon + 1..]);
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.framing.encodings = self.framing.encodings.saturating_add(1);
        } else if name.eq_ignore_ascii_case(b"content-length") {
            self.framing.lengths = self.framing.lengths.saturating_add(1);
            let value = if whole {
                std::str::from_utf8(value).ok()
            } else {
                None
            };
            self.length = value.and_then(|text| text.trim().parse().ok());
        }
        false
    }

    fn begin_body(&mut self) {
        let stage = match (self.framing, self.length) {
            (
                Framing {
                    encodings: 0,
                    lengths: 0,
                },
                _,
            )
            | (Framing { encodings: 0, .. }, Some(0)) => Stage::Head,
            (Framing { encodings: 0, .. }, Some(length)) => Stage::Body(length),
            _ => Stage::Chunked,
        };
        self.restart();
        self.stage = stage;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(parts: &[&[u8]]) -> (Vec<(u8, u8)>, HeadScanner) {
        let mut scanner = HeadScanner::new();
        let mut found = Vec::new();
        for part in parts {
            scanner.feed(part, |framing| found.push((framing.encodings, framing.lengths)));
        }
        (found, scanner)
    }

    #[test]
    fn the_framing_of_each_header_is_found_however_the_bytes_are_split() {
        let text = b"\r\nPOST /a HTTP/1.1\r\nHost: x\r\nContent-length: 5\r\n\r\nab\n\ncGET / HTTP/1.1\r\nA: b\r\n\r\n\
            PUT / HTTP/1.1\nTRANSFER-ENCODING:chunked\nContent-Length: 1\nContent-Length: 1\n\n";
        let expected = vec![(0, 1), (0, 0), (1, 2)];
        assert_eq!(scan(&[text]).0, expected);
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(scan(&bytes).0, expected);
        let sevens: Vec<&[u8]> = text.chunks(7).collect();
        assert_eq!(scan(&sevens).0, expected);
    }

    #[test]
    fn a_scanner_knows_where_it_stands() {
        assert!(!scan(&[]).1.is_mid_head());
        assert!(scan(&[b"G"]).1.is_mid_head());
        assert!(scan(&[b"GET / HTTP/1.1\r\n"]).1.is_mid_head());
        assert!(!scan(&[b"GET / HTTP/1.1\r\nA: b\r\n\r\n"]).1.is_mid_head());
        assert!(
            scan(&[b"PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\na"])
                .1
                .is_mid_body()
        );
        assert!(
            !scan(&[b"PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab"])
                .1
                .is_mid_body()
        );
        assert!(
            scan(&[b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"])
                .1
                .is_mid_chunked_body()
        );
    }

    #[test]
    fn long_lines_and_names_that_only_begin_alike_are_not_mistaken() {
        let long = format!(
            "GET / HTTP/1.1\r\nX: {}\r\nContent-Length-X: 3\r\n\r\n",
            "content-length: 1".repeat(99)
        );
        assert_eq!(scan(&[long.as_bytes()]).0, vec![(0, 0)]);
    }
}
