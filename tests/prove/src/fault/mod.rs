//! Failing and waiting system calls on demand: a library between a server and the C library (`fault.c`).
//!
//! `strace -e inject` counts the calls of each thread by themselves and needs a new start for each fault; this counts
//! those of the whole process and is told through a shared file, so that one server meets hundreds of faults. That it
//! misses no call is checked against a trace of strace (`coverage.rs`).

mod coverage;

pub(crate) use coverage::trace;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use harness::Journey;

/// Kinds of calls, as bits; in the order of `enum kind` in `fault.c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kinds(u64);

impl Kinds {
    const NAMES: [&'static str; 13] = [
        "open", "create", "read", "write", "sync", "rename", "unlink", "mkdir", "truncate", "stat", "list",
        "lock", "close",
    ];
    pub(crate) const ALL: Self = Self((1 << Self::NAMES.len()) - 1);
    /// What may need space on the disk.
    pub(crate) const SPACE: Self = Self::of(&[1, 3, 4, 5, 7, 8]);
    pub(crate) const SYNC: Self = Self::of(&[4]);
    /// What changes the disk.
    pub(crate) const CHANGES: Self = Self::of(&[1, 3, 5, 6, 7, 8]);

    const fn of(bits: &[u32]) -> Self {
        let (mut mask, mut next) = (0, 0);
        while next < bits.len() {
            mask |= 1 << bits[next];
            next += 1;
        }
        Self(mask)
    }
}

/// What a failing call reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(crate) enum Errno {
    #[serde(rename = "EIO")]
    Io = 5,
    #[serde(rename = "ENOSPC")]
    NoSpace = 28,
    #[serde(rename = "EROFS")]
    ReadOnly = 30,
}

/// A call that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) kind: String,
    pub(crate) failed: bool,
    pub(crate) path: PathBuf,
}

/// The library, and what it is told.
#[derive(Debug)]
pub(crate) struct Fault {
    control: File,
    library: PathBuf,
    control_path: PathBuf,
    log: PathBuf,
}

/// Words of the shared file.
const KINDS: u64 = 0;
const FROM: u64 = 1;
const TO: u64 = 2;
const ERROR: u64 = 3;
const DELAY: u64 = 4;
const COUNT: u64 = 5;
const FAILED: u64 = 6;
const WAITING: u64 = 7;
const FOLDER: u64 = 8;

impl Fault {
    /// Compiles the library; it will act on calls below `folder`, which must exist, under this
    /// name.
    pub(crate) fn prepare(journey: &Journey, name: &str, folder: &Path) -> Result<Self> {
        let source = journey.folder().join(format!("{name}.c"));
        std::fs::write(&source, include_str!("fault.c")).context("write the library's source")?;
        let library = source.with_extension("so");
        journey
            .command("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(&source)
            .arg("-ldl")
            .succeeds()?;
        let control_path = source.with_extension("control");
        let control = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&control_path)
            .context("make the control file")?;
        control.set_len(FOLDER * 8 + 4096)?;
        let folder = folder.canonicalize().context("the folder of the faults")?;
        control.write_all_at(folder.as_os_str().as_encoded_bytes(), FOLDER * 8)?;
        let log = source.with_extension("calls");
        File::create(&log).context("make the log of calls")?;
        Ok(Self {
            control,
            library,
            control_path,
            log,
        })
    }

    /// A command line to put before the program's own.
    pub(crate) fn launcher(&self) -> Vec<String> {
        let set = |name: &str, path: &Path| format!("{name}={}", path.display());
        vec![
            "env".to_owned(),
            set("LD_PRELOAD", &self.library),
            set("FAULT_CONTROL", &self.control_path),
            set("FAULT_LOG", &self.log),
        ]
    }

    /// The `nth` call of these kinds from now on fails, once.
    pub(crate) fn fail_nth(&self, kinds: Kinds, nth: u64, error: Errno) -> Result<()> {
        self.set(kinds, nth, nth, error, Duration::ZERO)
    }

    /// All calls of these kinds fail from now on.
    pub(crate) fn fail_all(&self, kinds: Kinds, error: Errno) -> Result<()> {
        self.set(kinds, 1, u64::MAX, error, Duration::ZERO)
    }

    /// All calls of these kinds take so much longer from now on.
    pub(crate) fn delay(&self, kinds: Kinds, delay: Duration) -> Result<()> {
        self.set(kinds, 0, 0, Errno::Io, delay)
    }

    /// Calls of these kinds are only counted.
    pub(crate) fn watch(&self, kinds: Kinds) -> Result<()> {
        self.set(kinds, 0, 0, Errno::Io, Duration::ZERO)
    }

    /// Nothing happens any more, and whoever waits goes on.
    pub(crate) fn off(&self) -> Result<()> {
        self.write(KINDS, 0)?;
        self.write(DELAY, 0)
    }

    fn set(&self, kinds: Kinds, from: u64, to: u64, error: Errno, delay: Duration) -> Result<()> {
        self.off()?;
        File::create(&self.log).context("empty the log of calls")?;
        self.write(FROM, from)?;
        self.write(TO, to)?;
        self.write(ERROR, error as u64)?;
        self.write(DELAY, u64::try_from(delay.as_micros())?)?;
        self.write(COUNT, 0)?;
        self.write(FAILED, 0)?;
        // The kinds last: from then on the library acts.
        self.write(KINDS, kinds.0)
    }

    /// Calls since the last order.
    pub(crate) fn count(&self) -> Result<u64> {
        self.read(COUNT)
    }

    /// Calls that were made to fail since the last order.
    pub(crate) fn failed(&self) -> Result<u64> {
        self.read(FAILED)
    }

    /// Calls that wait at this moment.
    pub(crate) fn waiting(&self) -> Result<u64> {
        self.read(WAITING)
    }

    /// The calls since the last order.
    pub(crate) fn calls(&self) -> Result<Vec<Call>> {
        let text = std::fs::read_to_string(&self.log).context("read the log of calls")?;
        // What follows the last end of a line is a call that is being written down.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| {
                let mut words = line.splitn(4, ' ').skip(1);
                let mut word = || words.next().context("a line of the log of calls is short");
                let call = Call {
                    kind: word()?.to_owned(),
                    failed: word()? == "E",
                    path: PathBuf::from(word()?),
                };
                ensure!(
                    Kinds::NAMES.contains(&call.kind.as_str()),
                    "an unknown kind: {line}"
                );
                Ok(call)
            })
            .collect()
    }

    fn write(&self, word: u64, value: u64) -> Result<()> {
        self.control
            .write_all_at(&value.to_ne_bytes(), word * 8)
            .context("write the control file")
    }

    fn read(&self, word: u64) -> Result<u64> {
        let mut bytes = [0; 8];
        self.control
            .read_exact_at(&mut bytes, word * 8)
            .context("read the control file")?;
        Ok(u64::from_ne_bytes(bytes))
    }
}
