use std::time::Duration;

use super::protobuf;
use super::span::{Kind, Span, Value};
use super::*;

fn settings(vars: &[(&str, &str)]) -> Found {
    let vars = vars
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::of(vars)
}

#[test]
fn nothing_is_traced_unless_it_is_asked_for() {
    for vars in [
        &[][..],
        &[("OTEL_TRACES_EXPORTER", "none")],
        &[("OTEL_TRACES_EXPORTER", "")],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")],
        &[("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_SDK_DISABLED", "TRUE")],
    ] {
        let found = settings(vars);
        assert!(found.settings.is_none() && found.warnings.is_empty(), "{vars:?}");
    }
    for (name, value) in [
        ("OTEL_TRACES_EXPORTER", "jaeger"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
    ] {
        let found = settings(&[("OTEL_TRACES_EXPORTER", "otlp"), (name, value)]);
        assert!(found.settings.is_none(), "{name}={value}");
        assert_eq!(found.warnings.len(), 1, "{name}={value}");
    }
}

#[test]
fn what_is_said_of_traces_alone_counts_before_what_is_said_of_all() {
    let otlp = ("OTEL_TRACES_EXPORTER", "otlp");
    let plain = settings(&[otlp]).settings.unwrap();
    assert_eq!(plain.endpoint.as_str(), "http://localhost:4318/v1/traces");
    assert_eq!((plain.queue, plain.batch), (2048, 512));
    assert!(plain.listens);
    let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c.test/otel/");
    let found = settings(&[otlp, all]).settings.unwrap();
    assert_eq!(found.endpoint.as_str(), "https://c.test/otel/v1/traces");
    let alone = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t.test/in");
    let found = settings(&[
        otlp,
        all,
        alone,
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20secret, x-a = b",
        ),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_SERVICE_NAME", "images"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=other,deployment.environment=a%2Cb",
        ),
        ("OTEL_BSP_SCHEDULE_DELAY", "none"),
    ]);
    assert_eq!(found.warnings.len(), 1, "{:?}", found.warnings);
    let found = found.settings.unwrap();
    assert_eq!(found.endpoint.as_str(), "https://t.test/in");
    assert_eq!(found.timeout, Duration::from_millis(250));
    let headers: Vec<_> = found
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    assert_eq!(headers, [("authorization", "Bearer secret"), ("x-a", "b")]);
    assert!(!format!("{found:?}").contains("Bearer"), "a secret is shown");
    assert!(!found.listens && !found.sampler.follows);
    let of = |key: &str| {
        let all: Vec<_> = found.resource.iter().filter(|(name, _)| name == key).collect();
        assert_eq!(all.len(), 1, "{key}");
        all[0].1.clone()
    };
    assert_eq!(
        [of("service.name"), of("deployment.environment")],
        ["images", "a,b"]
    );
}

#[test]
fn a_span_is_written_as_the_protocol_has_it() {
    let span = Span {
        trace_id: [0xab; 16],
        id: [1, 2, 3, 4, 5, 6, 7, 8],
        parent: Some([9; 8]),
        name: "GET".into(),
        kind: Kind::Server,
        begin_ns: 1,
        end_ns: 0x0102,
        attributes: vec![("n", Value::Number(300)), ("t", Value::Text("x".into()))],
        is_error: true,
    };
    let bytes = protobuf::request(&[("k".to_owned(), "v".to_owned())], &[span]);
    let version = env!("CARGO_PKG_VERSION");
    // By hand from trace.proto: tag and length before each part.
    let mut of_span = vec![0x0a, 16];
    of_span.extend([0xab; 16]);
    of_span.extend([0x12, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
    of_span.extend([0x22, 8, 9, 9, 9, 9, 9, 9, 9, 9]);
    of_span.extend([0x2a, 3, b'G', b'E', b'T', 0x30, 2]);
    of_span.extend([0x39, 1, 0, 0, 0, 0, 0, 0, 0]);
    of_span.extend([0x41, 2, 1, 0, 0, 0, 0, 0, 0]);
    of_span.extend([0x4a, 8, 0x0a, 1, b'n', 0x12, 3, 0x18, 0xac, 0x02]);
    of_span.extend([0x4a, 8, 0x0a, 1, b't', 0x12, 3, 0x0a, 1, b'x']);
    of_span.extend([0x7a, 2, 0x18, 2]);
    let part = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        // One byte holds a length up to 127, two a longer one.
        let length = if length < 0x80 {
            vec![length]
        } else {
            vec![length | 0x80, 1]
        };
        [&[tag][..], &length, content].concat()
    };
    let scope = [part(0x0a, b"portolan"), part(0x12, version.as_bytes())].concat();
    let scope_spans = [part(0x0a, &scope), part(0x12, &of_span)].concat();
    let resource = part(0x0a, &[0x0a, 1, b'k', 0x12, 3, 0x0a, 1, b'v']);
    let resource_spans = [part(0x0a, &resource), part(0x12, &scope_spans)].concat();
    assert_eq!(bytes, part(0x0a, &resource_spans));
}
