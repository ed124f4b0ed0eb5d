//! What the system says of this process, under the names that Prometheus' clients share.

use std::fmt::Write as _;

/// Appends the lines; what the system does not tell is left out.
pub fn append(out: &mut String) {
    if let Some(bytes) = resident_bytes() {
        let _ = writeln!(
            out,
            "# HELP process_resident_memory_bytes Resident memory size in bytes.\n# TYPE process_resident_memory_bytes gauge\n\
             process_resident_memory_bytes {bytes}"
        );
    }
    if let Some(seconds) = cpu_seconds() {
        let _ = writeln!(
            out,
            "# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.\n\
             # TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total {seconds}"
        );
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        // One is the listing's own.
        let open = files.count().saturating_sub(1);
        let _ = writeln!(
            out,
            "# HELP process_open_fds Number of open file descriptors.\n# TYPE process_open_fds gauge\nprocess_open_fds {open}"
        );
    }
    if let Some(most) = most_files() {
        let _ = writeln!(
            out,
            "# HELP process_max_fds Maximum number of open file descriptors.\n# TYPE process_max_fds gauge\nprocess_max_fds {most}"
        );
    }
    if let Some(seconds) = start_seconds() {
        let _ = writeln!(
            out,
            "# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.\n\
             # TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {seconds}"
        );
    }
}

fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}

/// Linux tells times to programs in hundredths of a second, whatever the kernel counts in.
const TICKS: f64 = 100.0;

/// Processor time of all threads, of those that have ended too.
fn cpu_seconds() -> Option<f64> {
    // `utime`, then `stime`.
    let user: u32 = stat_field(14)?.parse().ok()?;
    let system: u32 = stat_field(15)?.parse().ok()?;
    Some((f64::from(user) + f64::from(system)) / TICKS)
}

/// A field of `/proc/self/stat`, counted from 1 as proc(5) does.
fn stat_field(number: usize) -> Option<String> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field, the program's name, may hold blanks and parentheses.
    let (_, rest) = text.rsplit_once(')')?;
    let field = rest.split_whitespace().nth(number.checked_sub(3)?)?;
    Some(field.to_owned())
}

/// What the soft limit is now.
fn most_files() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// When the process began, by the clock of now.
fn start_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let boot: f64 = text
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .parse()
        .ok()?;
    let after: f64 = stat_field(22)?.parse().ok()?;
    Some(boot + after / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_all_of_it() {
        let mut text = String::new();
        append(&mut text);
        let value = |name: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {text}"))
                .trim()
                .parse()
                .unwrap()
        };
        assert!(value("process_resident_memory_bytes ") > 1e6);
        assert!(value("process_cpu_seconds_total ") >= 0.0);
        assert!(value("process_open_fds ") >= 3.0);
        assert!(value("process_max_fds ") >= value("process_open_fds "));
        // Since 2020, and not in the future.
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
        let began = value("process_start_time_seconds ");
        assert!(began > 1.5e9 && began <= now + 2.0, "{began} at {now}");
    }
}
