//! A collector: takes OTLP over HTTP, and reads what it needs of Protocol Buffers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use harness::{Context, Result, ensure};

/// A span as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Span {
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: String,
    pub(super) name: String,
    pub(super) kind: u64,
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) attributes: BTreeMap<String, String>,
}

/// All that came.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) service: String,
    pub(super) key: String,
    pub(super) spans: Vec<Span>,
}

/// Listens until the run ends.
pub(super) struct Collector {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

impl Collector {
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let collector = Self {
            port: listener.local_addr()?.port(),
            seen: Arc::default(),
        };
        let seen = Arc::clone(&collector.seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                // A connection that breaks off has told what it told; the test looks at that.
                std::thread::spawn(move || drop(serve(&stream, &seen)));
            }
        });
        Ok(collector)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: &TcpStream, seen: &Mutex<Seen>) -> Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        ensure!(line.starts_with("POST /v1/traces HTTP/1.1"), "{line}");
        let (mut length, mut key) = (0, String::new());
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse()?,
                "x-collector-key" => value.clone_into(&mut key),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        {
            let mut seen = lock(seen);
            seen.key = key;
            request(&mut seen, &body)?;
        }
        (&mut &*stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
    }
}

/// A field's number, its number when it is one, its bytes when it has a length.
type Field<'b> = (u64, u64, &'b [u8]);

fn fields(mut bytes: &[u8]) -> Result<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let field = match tag & 7 {
            0 => (tag >> 3, varint(&mut bytes)?, &[][..]),
            1 => {
                let (number, rest) = bytes.split_first_chunk::<8>().context("cut off")?;
                bytes = rest;
                (tag >> 3, u64::from_le_bytes(*number), &[][..])
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)?)?;
                let (content, rest) = bytes.split_at_checked(length).context("cut off")?;
                bytes = rest;
                (tag >> 3, 0, content)
            }
            other => harness::bail!("a field of kind {other}"),
        };
        fields.push(field);
    }
    Ok(fields)
}

fn varint(bytes: &mut &[u8]) -> Result<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().context("cut off")?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    harness::bail!("a number without end")
}

fn request(seen: &mut Seen, body: &[u8]) -> Result<()> {
    for (_, _, resource_spans) in fields(body)? {
        for (field, _, content) in fields(resource_spans)? {
            if field == 1 {
                let resource = attributes(content, 1)?;
                seen.service = resource.get("service.name").cloned().unwrap_or_default();
                continue;
            }
            for (field, _, content) in fields(content)? {
                if field == 2 {
                    seen.spans.push(span(content)?);
                }
            }
        }
    }
    Ok(())
}

fn span(bytes: &[u8]) -> Result<Span> {
    let mut span = Span {
        attributes: attributes(bytes, 9)?,
        ..Span::default()
    };
    for (field, number, content) in fields(bytes)? {
        match field {
            1 => span.trace = hex(content),
            2 => span.id = hex(content),
            4 => span.parent = hex(content),
            5 => span.name = String::from_utf8(content.to_vec())?,
            6 => span.kind = number,
            7 => span.begin = number,
            8 => span.end = number,
            _ => {}
        }
    }
    Ok(span)
}

/// The attributes that are the field of this number.
fn attributes(bytes: &[u8], wanted: u64) -> Result<BTreeMap<String, String>> {
    let mut attributes = BTreeMap::new();
    for (_, _, content) in fields(bytes)?.iter().filter(|(field, ..)| *field == wanted) {
        let (mut name, mut value) = (String::new(), String::new());
        for (field, _, content) in fields(content)? {
            if field == 1 {
                name = String::from_utf8(content.to_vec())?;
                continue;
            }
            for (field, number, content) in fields(content)? {
                value = match field {
                    1 => String::from_utf8(content.to_vec())?,
                    _ => number.to_string(),
                };
            }
        }
        attributes.insert(name, value);
    }
    Ok(attributes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
