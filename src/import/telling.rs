//! Telling the index how far an import is, so that its administrators see it: as well as it can be told. Nothing waits for it
//! or fails because of it.

use std::convert::Infallible;
use std::io::Write as _;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use shared::runtime::serve::shutdown_signal;
use tokio::time::Instant;

use super::count::Count;

/// Between two reports.
const INTERVAL: Duration = Duration::from_secs(2);
/// Longest wait for an answer, so also for the last one.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who is told: a server through its API, or the index itself where its data lies.
pub(super) trait Listener {
    /// Takes a report, or says why not.
    async fn hear(&self, report: &Report<'_>) -> Result<(), String>;

    /// What people call it.
    fn name(&self) -> String;
}

/// What is told at a time. What is counted are repositories.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report<'a> {
    /// What names the import: 32 hexadecimal digits.
    pub(super) run: &'a str,
    /// Each is greater than those before.
    pub(super) sequence: u64,
    /// For how long it goes on, in milliseconds.
    pub(super) elapsed_ms: u64,
    pub(super) subject: &'a Subject,
    pub(super) phase: &'static str,
    pub(super) done: u64,
    pub(super) total: u64,
    /// Bytes that were copied, where any are.
    pub(super) bytes: Option<u64>,
    /// How it ended; none while it goes on.
    pub(super) end: Option<End<'a>>,
}

/// What an import is about.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// Where it comes from.
    pub(super) source: String,
    /// The namespace or the repository that it goes to; none for several.
    pub(super) about: Option<String>,
    pub(super) is_rehearsal: bool,
}

/// How it ended: `done`, `failed` or `stopped`, and a sentence.
pub(super) type End<'a> = (&'static str, &'a str);

/// Tells how far an import is.
pub(super) struct Telling<'a, L> {
    listener: &'a L,
    run: String,
    subject: Subject,
    began: Instant,
    /// Bytes that were copied, where any are.
    traffic: Option<Arc<Count>>,
    sequence: AtomicU64,
    /// Whether the listener was found not to take it.
    is_refused: AtomicBool,
    step: Mutex<Step>,
}

/// What is being done.
#[derive(Debug, Clone, Copy)]
struct Step {
    phase: &'static str,
    done: u64,
    total: u64,
}

impl<'a, L: Listener> Telling<'a, L> {
    /// Of an import that begins; `run` is random.
    pub(super) fn new(
        listener: &'a L,
        subject: Subject,
        traffic: Option<&Arc<Count>>,
        run: [u8; 16],
    ) -> Self {
        Self {
            listener,
            run: format!("{:032x}", u128::from_be_bytes(run)),
            subject,
            began: Instant::now(),
            traffic: traffic.map(Arc::clone),
            sequence: AtomicU64::new(0),
            is_refused: AtomicBool::new(false),
            step: Mutex::new(Step {
                phase: "looking",
                done: 0,
                total: 0,
            }),
        }
    }

    /// Something else is done now, for so many repositories.
    pub(super) fn step(&self, phase: &'static str, total: usize) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = Step {
            phase,
            done: 0,
            total: total as u64,
        };
    }

    /// One repository more is done.
    pub(super) fn one(&self) {
        self.step.lock().unwrap_or_else(PoisonError::into_inner).done += 1;
    }

    /// Tells it every few seconds until `work` is done, which then has an end to be told; or until somebody ends the command,
    /// which is an end and an error.
    pub(super) async fn of<T>(&self, work: impl Future<Output = T>) -> anyhow::Result<T> {
        self.until(shutdown_signal(), work).await
    }

    async fn until<T>(
        &self,
        stopped: impl Future<Output = ()>,
        work: impl Future<Output = T>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            done = self.beside(work) => return Ok(done),
            () = stopped => {}
        }
        self.end(("stopped", "somebody ended the command")).await;
        anyhow::bail!("ended by a signal; say the command again to go on")
    }

    async fn beside<T>(&self, work: impl Future<Output = T>) -> T {
        let (tell, work) = (pin!(self.tell()), pin!(work));
        match select(work, tell).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    async fn tell(&self) -> Infallible {
        loop {
            self.send(None).await;
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Tells how it ended, for as long as one answer may take.
    pub(super) async fn end(&self, end: End<'_>) {
        self.send(Some(end)).await;
    }

    async fn send(&self, end: Option<End<'_>>) {
        if self.is_refused.load(Ordering::Relaxed) {
            return;
        }
        let report = self.report(end);
        let heard = tokio::time::timeout(PATIENCE, self.listener.hear(&report)).await;
        let why = match heard {
            Ok(Ok(())) => return,
            Ok(Err(why)) => why,
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        // A server of an earlier version does not know it; whoever is away may be back, but is not waited for again and again.
        self.is_refused.store(true, Ordering::Relaxed);
        let _ = writeln!(
            std::io::stderr(),
            "\r{} is not told how far the import is, which goes on: {why}",
            self.listener.name()
        );
    }

    fn report<'b>(&'b self, end: Option<End<'b>>) -> Report<'b> {
        let step = *self.step.lock().unwrap_or_else(PoisonError::into_inner);
        Report {
            run: &self.run,
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed) + 1,
            elapsed_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            subject: &self.subject,
            phase: step.phase,
            done: step.done,
            total: step.total,
            bytes: self.traffic.as_ref().map(|traffic| traffic.get()),
            end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever hears everything, or nothing.
    struct Ear {
        told: Mutex<Vec<(String, String)>>,
        is_deaf: bool,
    }

    impl Ear {
        fn new(is_deaf: bool) -> Self {
            Self {
                told: Mutex::default(),
                is_deaf,
            }
        }
    }

    impl Listener for Ear {
        async fn hear(&self, report: &Report<'_>) -> Result<(), String> {
            let heard = format!(
                "{} {}: {} {} of {}, {:?}, {:?}",
                report.subject.source,
                report.sequence,
                report.phase,
                report.done,
                report.total,
                report.bytes,
                report.end
            );
            self.told.lock().unwrap().push((report.run.to_owned(), heard));
            if self.is_deaf {
                Err("deaf".to_owned())
            } else {
                Ok(())
            }
        }

        fn name(&self) -> String {
            "an ear".to_owned()
        }
    }

    fn telling<'a>(ear: &'a Ear, traffic: Option<&Arc<Count>>) -> Telling<'a, Ear> {
        let subject = Subject {
            source: "harbor.example".to_owned(),
            about: None,
            is_rehearsal: false,
        };
        Telling::new(ear, subject, traffic, [10; 16])
    }

    #[tokio::test]
    async fn it_is_told_how_far_it_is_and_how_it_ended_by_rising_numbers() {
        let ear = Ear::new(false);
        let traffic = Arc::<Count>::default();
        let telling = telling(&ear, Some(&traffic));
        telling.step("copying", 3);
        telling.one();
        traffic.add(12);
        telling.send(None).await;
        assert_eq!(telling.of(async { 7 }).await.unwrap(), 7);
        telling.one();
        telling.end(("failed", "1 of 3 is not whole")).await;
        let told = ear.told.lock().unwrap();
        assert_eq!(
            told.first().unwrap(),
            &(
                "0a".repeat(16),
                "harbor.example 1: copying 1 of 3, Some(12), None".to_owned()
            )
        );
        let last = &told.last().unwrap().1;
        assert!(
            last.ends_with(r#"copying 2 of 3, Some(12), Some(("failed", "1 of 3 is not whole"))"#),
            "{last}"
        );
        assert!(last.contains(&format!(" {}: ", told.len())), "{last}");
    }

    #[tokio::test]
    async fn whoever_ends_the_command_ends_the_work_which_is_told_as_stopped() {
        let ear = Ear::new(false);
        let telling = telling(&ear, None);
        telling.step("adopting", 9);
        let stopped = telling
            .until(std::future::ready(()), std::future::pending::<()>())
            .await;
        let said = stopped.unwrap_err().to_string();
        assert!(said.contains("say the command again"), "{said}");
        let told = ear.told.lock().unwrap();
        let last = &told.last().unwrap().1;
        assert!(
            last.ends_with(r#"adopting 0 of 9, None, Some(("stopped", "somebody ended the command"))"#),
            "{last}"
        );
    }

    #[tokio::test]
    async fn who_does_not_take_it_is_asked_once_and_the_work_goes_on() {
        let ear = Ear::new(true);
        let telling = telling(&ear, None);
        telling.end(("done", "")).await;
        assert_eq!(telling.of(async { 7 }).await.unwrap(), 7);
        telling.end(("done", "")).await;
        assert_eq!(ear.told.lock().unwrap().len(), 1);
    }
}
