//! One run of a proof: its size, its seed, its folder, its progress.

use std::path::Path;
use std::time::{Duration, Instant};

use harness::Journey;

use crate::Random;

/// How much of a proof is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// Seconds: in the gate.
    Short,
    /// Minutes, under ten: the figures that are published.
    Full,
}

/// What a proof gets.
#[derive(Debug)]
pub struct Run<'a> {
    /// Starts servers and commands, and keeps the transcript that is shown on a failure.
    pub journey: &'a Journey,
    pub size: Size,
    /// Whether the server shall break the promise: the proof must then find a violation.
    pub control: bool,
    pub seed: u64,
    /// Follows from the seed.
    pub random: Random,
    progress: Option<Instant>,
}

impl<'a> Run<'a> {
    /// A run that begins now; with `progress` it says on standard error how far it is.
    pub fn new(journey: &'a Journey, size: Size, control: bool, seed: u64, progress: bool) -> Self {
        Self {
            journey,
            size,
            control,
            seed,
            random: Random::new(seed),
            progress: progress.then(Instant::now),
        }
    }

    /// The short or the full value.
    pub fn choose<T>(&self, short: T, full: T) -> T {
        match self.size {
            Size::Short => short,
            Size::Full => full,
        }
    }

    /// The run's own folder.
    pub fn folder(&self) -> &Path {
        self.journey.folder()
    }

    /// Says how far the run is, at most once a second.
    pub fn progress(&mut self, text: &str) {
        if let Some(last) = &mut self.progress
            && last.elapsed() >= Duration::from_secs(1)
        {
            *last = Instant::now();
            eprintln!("  {text}");
        }
    }
}
