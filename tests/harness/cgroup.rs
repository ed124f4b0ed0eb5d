//! A memory cgroup for one process, of either version.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::journey::unique;
use crate::process::wait_for;

const V1: &str = "/sys/fs/cgroup/memory";
const V2: &str = "/sys/fs/cgroup";

/// A cgroup with a limit of memory; removed when dropped.
#[derive(Debug)]
pub struct MemoryCgroup {
    folder: PathBuf,
    v1: bool,
}

/// Why this user can make none here, when that is so.
pub fn missing() -> Option<String> {
    match MemoryCgroup::with_limit(64 << 20) {
        Ok(_) => None,
        Err(error) => Some(format!("no memory cgroup: {error:#}")),
    }
}

impl MemoryCgroup {
    /// Makes one whose processes together may use this many bytes, page cache included, and no swap.
    pub fn with_limit(bytes: u64) -> Result<Self> {
        let v1 = Path::new(V1).join("memory.limit_in_bytes").exists();
        if !v1 {
            // Version 2 hands a controller down only when it is told to; an error shows below.
            drop(std::fs::write(
                Path::new(V2).join("cgroup.subtree_control"),
                "+memory",
            ));
        }
        let base = if v1 { V1 } else { V2 };
        let folder = Path::new(base).join(format!("portolan-test-{}-{}", std::process::id(), unique()));
        std::fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
        let group = Self { folder, v1 };
        let limit = if v1 { "memory.limit_in_bytes" } else { "memory.max" };
        std::fs::write(group.folder.join(limit), bytes.to_string()).context("set the limit")?;
        Ok(group)
    }

    /// A command line to put before another one so that it starts inside.
    pub fn launcher(&self) -> Vec<String> {
        let enter = r#"echo $$ > "$0/cgroup.procs" && exec "$@""#;
        vec![
            "sh".into(),
            "-c".into(),
            enter.into(),
            self.folder.display().to_string(),
        ]
    }

    /// How often a process in it was killed for want of memory.
    pub fn kills(&self) -> Result<u64> {
        let name = if self.v1 {
            "memory.oom_control"
        } else {
            "memory.events"
        };
        let text = std::fs::read_to_string(self.folder.join(name)).context("read the kills")?;
        Ok(text
            .lines()
            .find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
            .unwrap_or(0))
    }
}

impl Drop for MemoryCgroup {
    fn drop(&mut self) {
        // The kernel lets go of a cgroup shortly after its last process was reaped.
        let removed = wait_for("the cgroup to be empty", Duration::from_secs(10), || {
            Ok(std::fs::remove_dir(&self.folder).ok())
        });
        drop(removed);
    }
}

/// The largest resident set that a process has had, in bytes (`VmHWM` of proc(5)).
pub fn peak_resident(pid: u32) -> Result<u64> {
    status_field(pid, "VmHWM:")
}

/// The resident set of a process, in bytes (`VmRSS` of proc(5)).
pub fn resident(pid: u32) -> Result<u64> {
    status_field(pid, "VmRSS:")
}

fn status_field(pid: u32, name: &str) -> Result<u64> {
    let status =
        std::fs::read_to_string(format!("/proc/{pid}/status")).context("read the process's status")?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_default();
    let kib: u64 = kib
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .with_context(|| format!("read {name}"))?;
    Ok(kib * 1024)
}
