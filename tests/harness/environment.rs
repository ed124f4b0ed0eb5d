//! The environment, read in this one place.
#![expect(
    clippy::disallowed_methods,
    reason = "the harness is its own main: this module is its reader"
)]

use std::path::PathBuf;

/// The variable's value, when it is set and not empty.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether a missing tool fails its tests (`PORTOLAN_TEST_NOTHING_SKIPPED=1`).
pub fn nothing_skipped() -> bool {
    variable("PORTOLAN_TEST_NOTHING_SKIPPED").is_some_and(|value| value != "0")
}

/// The first executable of this name in `PATH` or in the system folders that an ordinary user's `PATH` lacks.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}
