//! What the system says of a process.

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A running process, by its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// Resident memory in bytes (`VmRSS` of proc(5)).
    pub(crate) fn resident(self) -> Result<u64> {
        Ok(self.status("VmRSS:")? * 1024)
    }

    /// Its threads.
    pub(crate) fn threads(self) -> Result<u64> {
        self.status("Threads:")
    }

    /// Its open file descriptors.
    pub(crate) fn descriptors(self) -> Result<usize> {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.0)).context("list open files")?;
        Ok(open.count())
    }

    fn status(self, key: &str) -> Result<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.0))
            .context("read the process's status")?;
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let number = line.and_then(|line| line.split_whitespace().next());
        number
            .with_context(|| format!("no {key}"))?
            .parse()
            .context("a number")
    }
}

/// Lets this process and those that it starts from now on open so many files.
pub(crate) fn allow_open_files(count: u64) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    ensure!(
        most >= count,
        "the hard limit on open files is {most}, and {count} are needed"
    );
    if limit.current.is_some_and(|current| current < count) {
        let wanted = Rlimit {
            current: Some(count),
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, wanted).context("raise the limit on open files")?;
    }
    Ok(())
}
