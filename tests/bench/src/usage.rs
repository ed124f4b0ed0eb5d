//! What a process and its children have used, as the kernel tells it.

use std::fs;

use anyhow::{Context, Result};

/// Seconds of CPU of one or several processes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu {
    pub(crate) user: f64,
    pub(crate) system: f64,
}

impl Cpu {
    pub(crate) fn total(self) -> f64 {
        self.user + self.system
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            user: self.user - before.user,
            system: self.system - before.system,
        }
    }
}

/// What these processes and all below them have used since they began, threads that ended included.
pub(crate) fn cpu(processes: &[u32]) -> Result<Cpu> {
    let mut sum = Cpu::default();
    for process in tree(processes) {
        let text = fs::read_to_string(format!("/proc/{process}/stat")).context("a server has ended")?;
        let (user, system) = ticks(&text).context("read /proc/PID/stat")?;
        // The kernel reports in hundredths of a second everywhere (USER_HZ), rounded from an exact sum.
        sum.user += user / 100.0;
        sum.system += system / 100.0;
    }
    Ok(sum)
}

/// `utime` and `stime`, and what ended children had used. The name in the second field may hold anything.
fn ticks(stat: &str) -> Option<(f64, f64)> {
    let rest = stat.get(stat.rfind(')')? + 1..)?;
    let fields: Vec<f64> = rest
        .split_whitespace()
        .skip(11)
        .take(4)
        .map(|field| field.parse().unwrap_or_default())
        .collect();
    Some((fields.first()? + fields.get(2)?, fields.get(1)? + fields.get(3)?))
}

/// Begins the count of the largest resident set anew.
pub(crate) fn reset_peak(processes: &[u32]) -> Result<()> {
    for process in tree(processes) {
        fs::write(format!("/proc/{process}/clear_refs"), "5").context("reset the peak of memory")?;
    }
    Ok(())
}

/// The largest resident sets since then, bytes.
pub(crate) fn peak(processes: &[u32]) -> Result<u64> {
    memory(processes, "VmHWM:")
}

/// The resident sets of now, bytes.
pub(crate) fn resident(processes: &[u32]) -> Result<u64> {
    memory(processes, "VmRSS:")
}

fn memory(processes: &[u32], key: &str) -> Result<u64> {
    let mut sum = 0;
    for process in tree(processes) {
        let text = fs::read_to_string(format!("/proc/{process}/status")).context("a server has ended")?;
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let kibibytes: u64 = line
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .context("no memory in /proc/PID/status")?
            .parse()?;
        sum += kibibytes << 10;
    }
    Ok(sum)
}

fn tree(processes: &[u32]) -> Vec<u32> {
    let mut all = processes.to_vec();
    let mut next = 0;
    while let Some(&process) = all.get(next) {
        next += 1;
        let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else {
            continue;
        };
        for task in tasks.flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            all.extend(
                children
                    .split_whitespace()
                    .filter_map(|id| id.parse::<u32>().ok()),
            );
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_blanks_does_not_move_the_fields() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 7 3 20 0 4 0 99";
        assert_eq!(ticks(stat), Some((257.0, 53.0)));
    }

    #[test]
    fn this_process_has_used_memory() {
        let own = [std::process::id()];
        assert!(resident(&own).unwrap() > 100_000);
        assert!(peak(&own).unwrap() > 100_000);
        assert!(cpu(&own).unwrap().total() >= 0.0);
    }
}
