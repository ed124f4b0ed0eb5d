//! Mail about lines of the log (distribution's `log.hooks`).
//!
//! A thread of its own sends it, at most one mail in a minute with all that came meanwhile. Whoever logs never waits: what does
//! not fit is counted, and the next mail says how much that was. What this thread itself logs goes into no mail.

mod gathering;
mod transport;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use shared::runtime::telemetry::{Hook, Line};
use shared::secret::Secret;
use tracing::Level;

use gathering::{Gathering, Note};
use transport::Transport;

pub use transport::{Unusable, is_address};

/// Lines that may wait for their mail.
const WAITING: usize = 256;
/// The time between two mails.
pub const INTERVAL: Duration = Duration::from_mins(1);
/// How long the end of the process waits for the last mail.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// `log.hooks[]` of the type `mail`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `levels`
    pub levels: Vec<Wanted>,
    /// `options.smtp.addr`: the mail server's host and port.
    pub host: String,
    /// The port.
    pub port: u16,
    /// `options.smtp.username` and `password`, when there are any.
    pub account: Option<(String, Secret<String>)>,
    /// `options.smtp.insecure`: the server's certificate is not verified.
    pub insecure: bool,
    /// `options.from`
    pub from: String,
    /// `options.to`
    pub to: Vec<String>,
}

/// Of which lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Those about panics. What ends a registry of distribution's is one here, or is said before there is a log.
    Panics,
    /// Those of a level; those about panics are errors too.
    Of(Level),
}

impl Wanted {
    /// The level of a word, as logrus has them.
    pub fn find(word: &str) -> Option<Self> {
        Some(match word.to_lowercase().as_str() {
            "panic" | "fatal" => Self::Panics,
            "error" => Self::Of(Level::ERROR),
            "warn" | "warning" => Self::Of(Level::WARN),
            "info" => Self::Of(Level::INFO),
            "debug" => Self::Of(Level::DEBUG),
            "trace" => Self::Of(Level::TRACE),
            _ => return None,
        })
    }

    fn is_of(self, line: &Line<'_>) -> bool {
        match self {
            Self::Panics => line.is_panic(),
            Self::Of(level) => line.level == level,
        }
    }
}

thread_local! {
    /// Whether this thread sends mail: what it logs would go round for ever.
    static SENDS: Cell<bool> = const { Cell::new(false) };
}

/// Who is to be ended before the process is.
pub struct Mailer {
    sender: SyncSender<Option<Note>>,
    state: Arc<State>,
    done: Receiver<()>,
}

#[derive(Default)]
struct State {
    /// Lines that did not fit.
    left_out: AtomicU64,
    /// Whether the process ends.
    is_over: AtomicBool,
}

impl Mailer {
    /// Sends mail from now on. The hook is for the log.
    pub fn start(options: &Options, interval: Duration) -> Result<(Hook, Self), Unusable> {
        let transport = Transport::new(options)?;
        let (sender, notes) = sync_channel(WAITING);
        let (tell, done) = channel();
        let state = Arc::<State>::default();
        let (counting, own) = (Arc::clone(&state), Arc::clone(&state));
        let thread = std::thread::Builder::new().name("mail".to_owned());
        let spawned = thread.spawn(move || {
            SENDS.set(true);
            send_out(&transport, &notes, &own, interval);
            // Nobody waits any more when the time was over.
            let _ = tell.send(());
        });
        spawned.map_err(Unusable::NoThread)?;
        let levels = options.levels.clone();
        let waiting = sender.clone();
        let hook = Hook::new(move |line| {
            if !levels.iter().any(|wanted| wanted.is_of(line)) || SENDS.get() {
                return;
            }
            if waiting.try_send(Some(Note::of(line))).is_err() {
                counting.left_out.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok((hook, Self { sender, state, done }))
    }

    /// Sends what waits, and ends; for a mail server that does not answer it waits five seconds at most.
    pub fn end(self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        // To wake it: where there is no room, it is awake.
        let _ = self.sender.try_send(None);
        if self.done.recv_timeout(LAST_WORDS).is_err() {
            tracing::info!("the last mail about the log was not sent");
        }
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailer")
    }
}

/// Sends a mail about the first line, and then at most one in each `interval` about all that came in it.
fn send_out(transport: &Transport, notes: &Receiver<Option<Note>>, state: &State, interval: Duration) {
    while let Ok(first) = notes.recv() {
        let mut gathering = Gathering::default();
        gathering.extend(first);
        loop {
            gathering.extend(notes.try_iter().flatten());
            gathering.left_out += state.left_out.swap(0, Ordering::Relaxed);
            if gathering.is_empty() {
                break;
            }
            if let Err(error) = transport.send(&gathering) {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    error,
                    lines = gathering.count(),
                    "a mail about the log was not sent"
                );
            }
            gathering = Gathering::default();
            rest(notes, state, interval, &mut gathering);
        }
        if state.is_over.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// Gathers for `interval`, or until the process ends.
fn rest(notes: &Receiver<Option<Note>>, state: &State, interval: Duration, gathering: &mut Gathering) {
    let until = Instant::now() + interval;
    while !state.is_over.load(Ordering::Relaxed) {
        let left = until.saturating_duration_since(Instant::now());
        match notes.recv_timeout(left) {
            Ok(note) => gathering.extend(note),
            Err(_) => return,
        }
    }
}
