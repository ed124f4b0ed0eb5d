//! Processes that stay: started on free ports with their output in a file, stopped and swept for certain.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, kill_process_group, prlimit};

/// Process groups that this run started and has not yet seen end.
static STARTED: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Set when the run ends: nothing is started any more. Read and written with `STARTED` locked.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// A running process, the leader of its own process group. Dropping it kills the group.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

impl Daemon {
    /// Starts the command with standard output and error appended to `log`.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .context("open the log")?;
        let err = out.try_clone().context("open the log")?;
        let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(
            !CLOSED.load(Ordering::Relaxed),
            "the run has ended; {name} is not started"
        );
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {name}: {command:?}"))?;
        started.insert(child.id());
        drop(started);
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
            ended: None,
        })
    }

    /// The process id, which is also that of its group.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The file that takes the output.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// How it ended, when it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().context("wait for a process")?;
            if self.ended.is_some() {
                STARTED
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&self.child.id());
            }
        }
        Ok(self.ended)
    }

    /// Waits until `ready` holds; fails with the log's end when the process ends or the time is over.
    pub fn wait_until_ready(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let end = Instant::now() + limit;
        loop {
            if ready() {
                return Ok(());
            }
            if let Some(status) = self.ended()? {
                bail!(
                    "{} ended before it was ready ({status}):\n{}",
                    self.name,
                    tail(&self.log, 60)
                );
            }
            if Instant::now() > end {
                bail!(
                    "{} was not ready after {limit:?}:\n{}",
                    self.name,
                    tail(&self.log, 60)
                );
            }
            std::thread::sleep(POLL);
        }
    }

    /// Sends SIGTERM to the process alone, as a service manager does.
    pub fn terminate(&self) {
        if let Some(pid) = pid(self.child.id()) {
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    /// Sends SIGHUP to the process alone: many servers then read their configuration again.
    pub fn hang_up(&self) {
        if let Some(pid) = pid(self.child.id()) {
            let _ = kill_process(pid, Signal::HUP);
        }
    }

    /// SIGSTOP to the whole group: nothing of it runs any further, until it is killed.
    pub fn pause(&self) {
        if self.ended.is_none()
            && let Some(group) = pid(self.child.id())
        {
            let _ = kill_process_group(group, Signal::STOP);
        }
    }

    /// Waits for the end of the process.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() > end {
                bail!(
                    "{} still runs after {limit:?}:\n{}",
                    self.name,
                    tail(&self.log, 60)
                );
            }
            std::thread::sleep(POLL);
        }
    }

    /// SIGTERM, and SIGKILL to the group when that does not end it within the limit.
    pub fn stop(&mut self, limit: Duration) -> Result<ExitStatus> {
        self.terminate();
        let status = self.wait(limit);
        self.kill();
        status
    }

    /// `kill -9` of the whole group, at once.
    pub fn kill(&mut self) {
        if let Some(group) = pid(self.child.id()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        drop(
            self.child
                .wait()
                .map(|status| self.ended.get_or_insert(status).to_owned()),
        );
        STARTED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.child.id());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.kill();
        }
    }
}

/// How often a condition is looked at again.
const POLL: Duration = Duration::from_millis(30);

fn pid(raw: u32) -> Option<Pid> {
    i32::try_from(raw).ok().and_then(Pid::from_raw)
}

/// Waits until `done` gives a value; an error names what was waited for.
pub fn wait_for<T>(what: &str, limit: Duration, mut done: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = done()? {
            return Ok(value);
        }
        if Instant::now() > end {
            bail!("waited {limit:?} in vain for {what}");
        }
        std::thread::sleep(POLL);
    }
}

/// From now on nothing is started, whatever tests on other threads still try.
pub fn close() {
    let _started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    CLOSED.store(true, Ordering::Relaxed);
}

/// Kills every group that is still there: the last thing that a run does.
pub fn sweep() {
    let left = std::mem::take(&mut *STARTED.lock().unwrap_or_else(PoisonError::into_inner));
    for group in left.into_iter().filter_map(pid) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Sets how many files the process may have open from now on; those that it has open stay so. Needs its user's rights,
/// and never raises what it was started with.
pub fn limit_open_files(process: u32, count: u64) -> Result<()> {
    let process = pid(process).context("no process")?;
    let now = getrlimit(Resource::Nofile);
    let limit = Rlimit {
        current: Some(count),
        maximum: now.maximum,
    };
    prlimit(Some(process), Resource::Nofile, limit).context("set the limit of open files")?;
    Ok(())
}

/// How many files the process has open.
pub fn open_files(process: u32) -> Result<u64> {
    let entries = std::fs::read_dir(format!("/proc/{process}/fd")).context("the process has ended")?;
    Ok(entries.count() as u64)
}

/// Seconds of processor time that the process has used, to a hundredth.
pub fn processor_seconds(process: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).context("the process has ended")?;
    // Behind the name, which may hold anything: the state is field 3, `utime` 14, `stime` 15.
    let rest = text.rsplit_once(')').context("an unreadable /proc/PID/stat")?.1;
    let ticks: Vec<u32> = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect::<std::result::Result<_, _>>()?;
    Ok(f64::from(ticks.iter().sum::<u32>()) / 100.0)
}

/// A port of 127.0.0.1 on which nothing listens, below the range that outgoing connections take theirs from,
/// and given to one caller only.
pub fn free_port() -> Result<u16> {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(FIRST + start.wrapping_add(step) % COUNT)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port on 127.0.0.1")
}

/// The last lines of a file, or why there are none.
pub fn tail(path: &Path, lines: usize) -> String {
    const MOST: u64 = 64 * 1024;
    let read = || -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(MOST)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    match read() {
        Ok(text) => {
            let all: Vec<&str> = text.lines().collect();
            all.get(all.len().saturating_sub(lines)..)
                .unwrap_or_default()
                .join("\n")
        }
        Err(error) => format!("({}: {error})", path.display()),
    }
}
