use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use super::AccessLog;
use crate::metrics::ACCESS_LOG_DROPPED;

/// A stream that takes nothing until it is let go.
struct Stalled {
    go: Receiver<()>,
    taken: Arc<Mutex<Vec<u8>>>,
}

impl Stalled {
    fn new() -> (Self, Sender<()>, Arc<Mutex<Vec<u8>>>) {
        let (let_go, go) = channel();
        let taken = Arc::default();
        let stream = Self {
            go,
            taken: Arc::clone(&taken),
        };
        (stream, let_go, taken)
    }
}

impl Write for Stalled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A sender that is gone lets everything go.
        let _ = self.go.recv();
        self.taken.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_that_stalls_costs_lines_and_no_time_and_gets_the_rest_later() {
    let (stream, let_go, taken) = Stalled::new();
    let (log, writer) = AccessLog::with_buffer(stream, 1000).unwrap();
    let before = ACCESS_LOG_DROPPED.get();
    // 100,000 lines of 10 bytes: were one of them to wait for the stream, this would never end.
    for number in 0..100_000 {
        log.append(|lines| writeln!(lines, "{number:09}").unwrap());
    }
    let dropped = ACCESS_LOG_DROPPED.get() - before;
    assert!(dropped > 90_000, "{dropped} lines were dropped");
    drop(let_go);
    writer.end();
    let taken = taken.lock().unwrap();
    let lines = (taken.split(|byte| *byte == b'\n').count() - 1) as u64;
    assert_eq!(lines + dropped, 100_000, "each line is written or counted");
    assert!(taken.starts_with(b"000000000\n000000001\n"));
}

#[test]
fn lines_that_wait_are_written_at_the_end() {
    let (stream, let_go, taken) = Stalled::new();
    drop(let_go);
    let (log, writer) = AccessLog::with_buffer(stream, 1000).unwrap();
    log.append(|lines| lines.extend_from_slice(b"the last\n"));
    writer.end();
    assert_eq!(*taken.lock().unwrap(), b"the last\n");
}
