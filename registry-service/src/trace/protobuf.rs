//! OTLP's message of spans (opentelemetry-proto 1.x, `trace.proto`), in Protocol Buffers' encoding.

use super::span::{Span, Value};

/// Kinds of fields on the wire.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;
/// `Status.code` of what went wrong.
const ERROR: u64 = 2;

/// `ExportTraceServiceRequest`: all spans, of one resource and one scope.
pub(super) fn request(resource: &[(String, String)], spans: &[Span]) -> Vec<u8> {
    let mut of_resource = Vec::new();
    for (name, value) in resource {
        message(&mut of_resource, 1, &text_attribute(name, value));
    }
    let mut scope = Vec::new();
    bytes(&mut scope, 1, b"portolan");
    bytes(&mut scope, 2, env!("CARGO_PKG_VERSION").as_bytes());
    let mut scope_spans = Vec::new();
    message(&mut scope_spans, 1, &scope);
    for each in spans {
        message(&mut scope_spans, 2, &span(each));
    }
    let mut resource_spans = Vec::new();
    message(&mut resource_spans, 1, &of_resource);
    message(&mut resource_spans, 2, &scope_spans);
    let mut request = Vec::new();
    message(&mut request, 1, &resource_spans);
    request
}

fn span(span: &Span) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, 1, &span.trace_id);
    bytes(&mut out, 2, &span.id);
    if let Some(parent) = &span.parent {
        bytes(&mut out, 4, parent);
    }
    bytes(&mut out, 5, span.name.as_bytes());
    number(&mut out, 6, span.kind as u64);
    fixed(&mut out, 7, span.begin_ns);
    fixed(&mut out, 8, span.end_ns);
    for (name, value) in &span.attributes {
        let attribute = match value {
            Value::Text(text) => text_attribute(name, text),
            Value::Number(value) => {
                let mut any = Vec::new();
                // A negative number is written as the number that has the same bits.
                number(&mut any, 3, value.cast_unsigned());
                attribute(name, &any)
            }
        };
        message(&mut out, 9, &attribute);
    }
    if span.is_error {
        let mut status = Vec::new();
        number(&mut status, 3, ERROR);
        message(&mut out, 15, &status);
    }
    out
}

fn text_attribute(name: &str, text: &str) -> Vec<u8> {
    let mut any = Vec::new();
    bytes(&mut any, 1, text.as_bytes());
    attribute(name, &any)
}

fn attribute(name: &str, any: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, 1, name.as_bytes());
    message(&mut out, 2, any);
    out
}

fn message(out: &mut Vec<u8>, field: u64, message: &[u8]) {
    bytes(out, field, message);
}

fn bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(out, field << 3 | LENGTH);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn number(out: &mut Vec<u8>, field: u64, number: u64) {
    varint(out, field << 3 | VARINT);
    varint(out, number);
}

fn fixed(out: &mut Vec<u8>, field: u64, number: u64) {
    varint(out, field << 3 | FIXED64);
    out.extend_from_slice(&number.to_le_bytes());
}

/// Seven bits to a byte, the lowest first.
fn varint(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = (number & 0x7f).to_le_bytes()[0];
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}
