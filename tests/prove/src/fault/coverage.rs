//! Whether the library sees every call that the server makes: the same work, watched by strace too.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use harness::process::{Daemon, wait_for};

use super::{Call, Fault, Kinds};

/// System calls by the kind that the library gives them; what is not here is nothing that a disk can refuse.
const KIND_OF: [(&str, &str); 34] = [
    ("open", "open"),
    ("openat", "open"),
    ("read", "read"),
    ("readv", "read"),
    ("pread64", "read"),
    ("preadv", "read"),
    ("preadv2", "read"),
    ("write", "write"),
    ("writev", "write"),
    ("pwrite64", "write"),
    ("pwritev", "write"),
    ("pwritev2", "write"),
    ("copy_file_range", "write"),
    ("fallocate", "write"),
    ("sendfile", "read"),
    ("splice", "read"),
    ("fsync", "sync"),
    ("fdatasync", "sync"),
    ("syncfs", "sync"),
    ("sync_file_range", "sync"),
    ("rename", "rename"),
    ("renameat", "rename"),
    ("renameat2", "rename"),
    ("linkat", "rename"),
    ("unlink", "unlink"),
    ("unlinkat", "unlink"),
    ("rmdir", "unlink"),
    ("mkdir", "mkdir"),
    ("mkdirat", "mkdir"),
    ("ftruncate", "truncate"),
    ("statx", "stat"),
    ("newfstatat", "stat"),
    ("getdents64", "list"),
    ("flock", "lock"),
];

/// Calls by which nothing can be lost, so that their failure need not be tried: the first falls back to a call that is
/// tried, the second is a hint.
const HARMLESS: [&str; 2] = ["preadv2", "sync_file_range"];

/// Calls as strace saw them and as the library did.
#[derive(Debug)]
pub(crate) struct Coverage {
    /// By name, those below the folder.
    pub(crate) system: BTreeMap<String, u64>,
    /// Kinds of calls, and names, that the library did not see as often as strace did.
    pub(crate) missed: Vec<String>,
}

/// Does `work` while both watch the process.
pub(crate) fn trace(
    fault: &Fault,
    pid: u32,
    folder: &Path,
    output: &Path,
    work: impl FnOnce() -> Result<()>,
) -> Result<Coverage> {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-y", "-s", "8", "-e", "trace=%file,%desc", "-o"])
        .arg(output);
    command.args(["-p", &pid.to_string()]);
    let log = output.with_extension("log");
    // The library begins first and ends last: what strace sees and it does not has passed it by.
    fault.watch(Kinds::ALL)?;
    let mut strace = Daemon::start("strace", command, &log)?;
    wait_for("strace to attach", Duration::from_mins(1), || {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        anyhow::ensure!(strace.ended()?.is_none(), "strace: {said}");
        Ok(said.contains("attached").then_some(()))
    })?;
    work()?;
    // SIGTERM lets the process go on and writes what is left.
    strace.terminate();
    strace.wait(Duration::from_mins(1))?;
    fault.off()?;
    let calls = fault.calls()?;
    let text = std::fs::read_to_string(output).context("read the trace")?;
    let folder = folder.canonicalize().context("the traced folder")?;
    Ok(compare(&text, &folder.display().to_string(), &calls))
}

fn compare(text: &str, folder: &str, calls: &[Call]) -> Coverage {
    let mut system: BTreeMap<String, u64> = BTreeMap::new();
    for line in text
        .lines()
        .filter(|line| line.contains(folder) && !line.contains("resumed>"))
    {
        // `PID name(arguments…`; the harness may write several PIDs of equal width.
        let Some(name) = line
            .split_whitespace()
            .nth(1)
            .and_then(|rest| rest.split('(').next())
        else {
            continue;
        };
        *system.entry(name.to_owned()).or_default() += 1;
    }
    let mut by_kind: BTreeMap<&str, u64> = BTreeMap::new();
    let mut missed = Vec::new();
    for (name, count) in &system {
        let kind = KIND_OF.iter().find(|(system, _)| system == name);
        if let Some((_, kind)) = kind.filter(|_| !HARMLESS.contains(&name.as_str())) {
            *by_kind.entry(kind).or_default() += count;
        }
    }
    for (kind, count) in by_kind {
        // To open a directory is to open it and to look at it.
        let is_one = |call: &&Call| {
            call.kind == kind
                || call.kind == "list" && matches!(kind, "open" | "stat")
                || call.kind == "create" && kind == "open"
        };
        let seen = calls.iter().filter(is_one).count() as u64;
        if seen < count {
            missed.push(format!("{kind}: {seen} of {count}"));
        }
    }
    Coverage { system, missed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_the_library_did_not_see_is_missed() {
        let text = "12 openat(AT_FDCWD, \"/d/x\", O_RDONLY) = 3</d/x>\n\
                    13 pwritev2(3</d/x>, ...) = 1\n\
                    13 preadv2(3</d/x>, ...) = 1\n\
                    13 fsync(9</elsewhere>) = 0\n";
        let opened = Call {
            kind: "open".to_owned(),
            failed: false,
            path: "/d/x".into(),
        };
        let coverage = compare(text, "/d", &[opened]);
        assert_eq!(coverage.missed, ["write: 0 of 1"]);
        assert_eq!(coverage.system.len(), 3);
    }
}
