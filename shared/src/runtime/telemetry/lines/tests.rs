use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt as _;

use super::{LineLayer, Lines, Style};
use crate::runtime::clock::Clock;
use crate::runtime::telemetry::Hook;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written about one event within a request.
fn line(style: Style, caller: bool) -> String {
    let written = Written::default();
    let writer = written.clone();
    let lines = Lines {
        style,
        fields: vec![("service".to_owned(), "registry".to_owned())],
        caller,
        hook: None,
    };
    let (clock, _) = Clock::fixed(1_795_268_231_931);
    let layer = LineLayer::new(lines, clock, move || writer.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let span = tracing::info_span!(
            "request",
            request_id = "a-1",
            method = "GET",
            status = tracing::field::Empty
        );
        span.record("status", 200);
        let _inside = span.enter();
        let cause = io::Error::other("the \u{1b}[31m cause\n");
        tracing::warn!(
            http.response.status = 200,
            vars.name = Some("a/b"),
            vars.digest = None::<&str>,
            error = &cause as &(dyn std::error::Error + 'static),
            "response completed"
        );
    });
    let bytes = written.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn text_is_written_as_logrus_writes_it() {
    assert_eq!(
        line(Style::Text, false),
        "time=\"2026-11-21T13:37:11.931Z\" level=warning msg=\"response completed\" \
         error=\"the \\u001b[31m cause\\n\" http.request.id=a-1 http.request.method=GET http.response.status=200 \
         service=registry vars.name=a/b\n"
    );
}

#[test]
fn json_and_logstash_are_one_object_per_line() {
    let of = |style| serde_json::from_str::<Value>(&line(style, false)).unwrap();
    let mut expected = json!({
        "time": "2026-11-21T13:37:11.931Z", "level": "warning", "msg": "response completed",
        "error": "the \u{1b}[31m cause\n", "http.request.id": "a-1", "http.request.method": "GET",
        "http.response.status": 200, "service": "registry", "vars.name": "a/b",
    });
    assert_eq!(of(Style::Json), expected);
    let map = expected.as_object_mut().unwrap();
    for (from, to) in [("time", "@timestamp"), ("msg", "message")] {
        let value = map.remove(from).unwrap();
        map.insert(to.to_owned(), value);
    }
    map.insert("@version".to_owned(), "1".into());
    assert_eq!(of(Style::Logstash), expected);
}

#[test]
fn a_line_names_its_place_on_request() {
    let line = line(Style::Text, true);
    assert!(line.contains("telemetry/lines/tests.rs:"), "{line}");
    assert!(
        line.contains("func=\"shared::runtime::telemetry::lines::tests\""),
        "{line}"
    );
}

#[test]
fn a_hook_is_told_of_each_line_with_its_fields_and_which_ones_tell_of_panics() {
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let telling = Arc::clone(&told);
    let hook = Hook::new(move |line| {
        let said = format!(
            "{} {} {} {}",
            line.level,
            line.message,
            line.fields["service"],
            line.is_panic()
        );
        telling.lock().unwrap().push(said);
    });
    let lines = Lines {
        fields: vec![("service".to_owned(), "registry".to_owned())],
        hook: Some(hook),
        ..Lines::default()
    };
    let written = Written::default();
    let writer = written.clone();
    let layer = LineLayer::new(lines, Clock::fixed(0).0, move || writer.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::warn!("first");
        tracing::error!(panic.message = "no", "panic");
    });
    assert_eq!(
        *told.lock().unwrap(),
        ["WARN first \"registry\" false", "ERROR panic \"registry\" true"]
    );
    assert_eq!(
        String::from_utf8(written.0.lock().unwrap().clone())
            .unwrap()
            .lines()
            .count(),
        2
    );
}
