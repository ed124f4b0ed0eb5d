//! How far it is: a bar on a terminal, a line now and then elsewhere.

use std::convert::Infallible;
use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::Either;
use tokio::time::Instant;

use super::tally::size;
use crate::import::count::Count;

/// How often a bar is drawn, and a line written.
const FRAME: Duration = Duration::from_millis(250);
const LINE: Duration = Duration::from_secs(15);
/// Characters of the bar.
const WIDTH: u64 = 24;

/// What is shown.
#[derive(Debug)]
pub(super) struct Progress {
    /// What is being done, such as `copying`.
    pub(super) doing: &'static str,
    /// Repositories that are to be done.
    pub(super) total: u64,
    pub(super) done: Count,
    pub(super) traffic: Arc<Count>,
    began: Instant,
}

impl Progress {
    pub(super) fn new(doing: &'static str, total: usize, traffic: &Arc<Count>) -> Self {
        Self {
            doing,
            total: total as u64,
            done: Count::default(),
            traffic: Arc::clone(traffic),
            began: Instant::now(),
        }
    }

    /// Shows it until `work` is done.
    pub(super) async fn beside<T>(&self, work: impl Future<Output = T>) -> T {
        let is_terminal = std::io::stderr().is_terminal();
        let before = self.traffic.get();
        // Whichever ends first ends both, and only the work does.
        let (show, work) = (
            std::pin::pin!(self.show(is_terminal, before)),
            std::pin::pin!(work),
        );
        let done = match futures_util::future::select(work, show).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        };
        if is_terminal {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
        done
    }

    async fn show(&self, is_terminal: bool, before: u64) -> Infallible {
        loop {
            tokio::time::sleep(if is_terminal { FRAME } else { LINE }).await;
            // Nobody may be reading.
            let _ = if is_terminal {
                write!(std::io::stderr(), "\r\u{1b}[K{}", self.bar(before))
            } else {
                writeln!(std::io::stderr(), "{}", self.line(before))
            };
        }
    }

    fn bar(&self, before: u64) -> String {
        let filled = (self.done.get() * WIDTH)
            .checked_div(self.total)
            .unwrap_or(WIDTH)
            .min(WIDTH);
        let text: String = (0..WIDTH)
            .map(|place| if place < filled { '#' } else { '-' })
            .collect();
        format!("[{text}] {}", self.line(before))
    }

    fn line(&self, before: u64) -> String {
        let moved = self.traffic.get() - before;
        let seconds = self.began.elapsed().as_secs().max(1);
        format!(
            "{}: {} of {} repositories, {}, {}/s",
            self.doing,
            self.done.get(),
            self.total,
            size(moved),
            size(moved / seconds)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_bar_fills_with_what_is_done() {
        let progress = Progress::new("copying", 4, &Arc::default());
        assert!(
            progress
                .bar(0)
                .starts_with("[------------------------] copying: 0 of 4")
        );
        progress.done.one();
        assert!(progress.bar(0).starts_with("[######------------------]"));
        progress.done.add(3);
        assert!(progress.bar(0).starts_with("[########################]"));
        assert!(
            Progress::new("copying", 0, &Arc::default())
                .bar(0)
                .starts_with("[####")
        );
        assert_eq!(progress.beside(async { 7 }).await, 7);
    }
}
