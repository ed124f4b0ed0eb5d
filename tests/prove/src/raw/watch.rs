//! The most that a process takes while something happens to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};

use super::Process;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks at a process again and again.
#[derive(Debug)]
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Peak>>,
}

/// The most that was seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Peak {
    /// Bytes of memory.
    pub(crate) resident: u64,
    pub(crate) threads: u64,
}

impl Watch {
    pub(crate) fn begin(process: Process) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut peak = Peak::default();
            while !stopped.load(Ordering::SeqCst) {
                peak.resident = peak.resident.max(process.resident()?);
                peak.threads = peak.threads.max(process.threads()?);
                thread::sleep(PAUSE);
            }
            Ok(peak)
        });
        Self { stop, thread }
    }

    pub(crate) fn end(self) -> Result<Peak> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| anyhow!("the watch panicked"))?
    }
}
