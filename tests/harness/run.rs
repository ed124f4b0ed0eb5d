//! A run: trials from journeys, skipping with a reason, a summary, and a clean machine at the end.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::command::RUNTIME;
use crate::environment::nothing_skipped;
use crate::server::Kind;
use crate::{Journey, Need, binaries, engine, journey, process, scratch, server};

/// The tests of one file, in the order in which they were added.
#[derive(Default)]
pub struct Suite {
    trials: Vec<Trial>,
    skipped: Arc<Mutex<Vec<(String, String)>>>,
}

impl Suite {
    /// Adds a test; `needs` says what it cannot run without.
    pub fn add(
        &mut self,
        file: &str,
        name: &str,
        needs: &[Need],
        test: impl Fn(&Journey) -> Result<()> + Send + 'static,
    ) {
        let full = format!("{file}::{name}");
        let (needs, skipped, shown) = (needs.to_vec(), Arc::clone(&self.skipped), full.clone());
        self.trials.push(Trial::ignorable_test(full, move || {
            let missing: Vec<(Need, String)> = needs
                .iter()
                .filter_map(|need| need.missing().map(|why| (*need, why)))
                .collect();
            if let Some((_, why)) = missing.first() {
                let fails = nothing_skipped() && missing.iter().any(|(need, _)| need.is_compulsory());
                if fails {
                    return Err(Failed::from(format!("nothing may be skipped here, but {why}")));
                }
                skipped
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((shown, why.clone()));
                return Ok(Completion::ignored_with(why));
            }
            perform(&shown, &test).map(|()| Completion::Completed)
        }));
    }
}

fn perform(name: &str, test: &dyn Fn(&Journey) -> Result<()>) -> Result<(), Failed> {
    let journey = Journey::begin(name).map_err(|error| Failed::from(format!("{error:#}")))?;
    let begun = Instant::now();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(&journey)));
    let took = begun.elapsed();
    if took > SLOW {
        journey.say(&format!("took {took:.1?}"));
    }
    let fault = match outcome {
        Ok(Ok(())) => match journey.inspect_logs() {
            Ok(()) => return Ok(()),
            Err(error) => format!("{error:#}"),
        },
        Ok(Err(error)) => format!("{error:#}"),
        Err(panic) => panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "panicked".to_owned()),
    };
    Err(Failed::from(format!("{}\n\nFAULT: {fault}", journey.report())))
}

/// A test that takes longer is named at the end of the run.
const SLOW: Duration = Duration::from_secs(10);

/// The `main` of a test binary.
pub fn run(fill: impl FnOnce(&mut Suite)) -> ExitCode {
    let arguments = Arguments::from_args();
    let mut suite = Suite::default();
    fill(&mut suite);
    if !arguments.list {
        RUNTIME.spawn(clean_up_when_interrupted());
    }
    if !arguments.list
        && Kind::under_test() == Kind::Portolan
        && let Err(error) = binaries::prepare()
    {
        eprintln!("{error:#}");
        return ExitCode::FAILURE;
    }
    let conclusion = libtest_mimic::run(&arguments, suite.trials);
    clean_up();
    let skipped = suite.skipped.lock().unwrap_or_else(PoisonError::into_inner);
    for figure in journey::take_figures() {
        println!("measured: {figure}");
    }
    if !arguments.list {
        println!("skipped: {}", skipped.len());
        for (name, why) in skipped.iter() {
            println!("  {name} — {why}");
        }
    }
    conclusion.exit_code()
}

/// One journey outside a test binary: prepares, performs, and leaves a clean machine. A failure carries the transcript.
pub fn alone<T>(name: &str, perform: impl FnOnce(&Journey) -> Result<T>) -> Result<T> {
    RUNTIME.spawn(clean_up_when_interrupted());
    binaries::prepare()?;
    let journey = Journey::begin(name)?;
    let outcome = perform(&journey).map_err(|error| match journey.report() {
        report if report.trim().is_empty() => error,
        report => error.context(report),
    });
    drop(journey);
    clean_up();
    outcome
}

fn clean_up() {
    process::close();
    server::stop_shared();
    engine::stop();
    process::sweep();
    scratch::remove();
}

async fn clean_up_when_interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
    eprintln!("interrupted: ending what was started");
    drop(tokio::task::spawn_blocking(clean_up).await);
    #[expect(
        clippy::disallowed_methods,
        reason = "tests on other threads cannot be unwound; all was cleaned up"
    )]
    std::process::exit(130);
}
