//! HTTP/2 frames, by hand (RFC 9113, section 4).

/// What a client says first: the preface, and SETTINGS that settle nothing.
pub(super) const OPENING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;
/// Of no standard.
pub(super) const UNKNOWN: u8 = 99;

pub(super) const ACK: u8 = 1;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// Appends one frame. The payload is shorter than 16 KiB.
pub(super) fn put(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    out.extend(&length[1..]);
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
}

/// The header block of a request: indexed fields and literals that are not to be indexed (RFC 7541).
pub(super) fn request(post: bool, path: &str) -> Vec<u8> {
    let mut block = vec![if post { 0x83 } else { 0x82 }, 0x87, 0x01, 9];
    block.extend(b"localhost");
    block.push(0x04);
    block.push(u8::try_from(path.len()).unwrap_or(0) & 0x7f);
    block.extend(path.as_bytes());
    block
}

/// A frame that came.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) payload: Vec<u8>,
}

/// Takes the frames that are complete out of what was read.
pub(super) fn take(read: &mut Vec<u8>) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut at = 0;
    while let Some(header) = read.get(at..at + 9) {
        let length = usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
        let (kind, flags) = (header[3], header[4]);
        let Some(payload) = read.get(at + 9..at + 9 + length) else {
            break;
        };
        frames.push(Frame {
            kind,
            flags,
            payload: payload.to_vec(),
        });
        at += 9 + length;
    }
    read.drain(..at);
    frames
}

/// Why the server goes away, if this is its farewell.
pub(super) fn reason(frame: &Frame) -> Option<u32> {
    let code = frame.payload.get(4..8)?;
    (frame.kind == GOAWAY).then(|| u32::from_be_bytes(code.try_into().unwrap_or_default()))
}
