//! Which trace a request belongs to: what its caller says (W3C Trace Context), and what its task knows.

use std::time::Instant;

use futures_util::future::Either;
use http::{HeaderMap, HeaderName};

use super::nanoseconds;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What a caller says of its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParentContext {
    /// The trace.
    pub trace_id: [u8; 16],
    /// The caller's span.
    pub span_id: [u8; 8],
    /// Whether the caller keeps it.
    pub sampled: bool,
}

impl ParentContext {
    /// From the one header `traceparent` (section 3.2); what is malformed counts as absent.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let text = values.next()?.to_str().ok()?.trim();
        if values.next().is_some() {
            return None;
        }
        let mut parts = text.split('-');
        let version: [u8; 1] = hex(parts.next()?)?;
        let (trace_id, span_id) = (hex(parts.next()?)?, hex(parts.next()?)?);
        let [flags] = hex(parts.next()?)?;
        // Later versions may have more parts; this one has none, and 255 is not one.
        let fits = match version {
            [0] => parts.next().is_none(),
            [255] => false,
            _ => true,
        };
        let named = trace_id != [0; 16] && span_id != [0; 8];
        (fits && named).then_some(Self {
            trace_id,
            span_id,
            sampled: flags & 1 == 1,
        })
    }
}

/// Lower-case digits, as the specification wants them.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |b: &u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(&pair[0])? << 4 | digit(&pair[1])?;
    }
    Some(bytes)
}

/// The request that a task serves, when it is traced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Current {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    /// When it began: as time of day, and for what follows.
    pub(super) begin_ns: u64,
    pub(super) began: Instant,
}

impl Current {
    /// The time of day of a moment since.
    pub(super) fn at_ns(&self, at: Instant) -> u64 {
        self.begin_ns + nanoseconds(at.saturating_duration_since(self.began))
    }
}

tokio::task_local! {
    static CURRENT: Current;
}

pub(super) fn current() -> Option<Current> {
    CURRENT.try_with(|current| *current).ok()
}

/// What is done here belongs to the request.
pub(super) fn with<T>(current: Option<Current>, what: impl FnOnce() -> T) -> T {
    match current {
        Some(current) => CURRENT.sync_scope(current, what),
        None => what(),
    }
}

pub(super) fn scope<F: Future>(
    current: Option<Current>,
    future: F,
) -> impl Future<Output = F::Output> + use<F> {
    match current {
        Some(current) => Either::Left(CURRENT.scope(current, future)),
        None => Either::Right(future),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(values: &[&str]) -> Option<ParentContext> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, value.parse().unwrap());
        }
        ParentContext::of(&headers)
    }

    #[test]
    fn a_callers_trace_is_taken_when_it_is_well_formed() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let good = parse(&[&format!("00-{trace}-{span}-01")]).unwrap();
        assert_eq!(good.trace_id[..2], [0x4b, 0xf9]);
        assert_eq!(good.span_id, [0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
        assert!(good.sampled);
        assert!(!parse(&[&format!("00-{trace}-{span}-02")]).unwrap().sampled);
        assert!(parse(&[&format!("01-{trace}-{span}-01-more")]).is_some());
        for text in [
            String::new(),
            format!("00-{trace}-{span}"),
            format!("00-{trace}-{span}-01-more"),
            format!("ff-{trace}-{span}-01"),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{trace}0-{span}-01"),
            format!("00-{trace}-{span}-1"),
        ] {
            assert_eq!(parse(&[&text]), None, "{text}");
        }
        let twice = format!("00-{trace}-{span}-01");
        assert_eq!(parse(&[&twice, &twice]), None);
    }
}
