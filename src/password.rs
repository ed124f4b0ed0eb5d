//! Passwords on the command line: read from standard input or made at random, never taken as an argument.

use std::io::{BufRead, IsTerminal, Read as _, Write as _};

use anyhow::Context as _;
use shared::secret::Secret;

/// Longest password that is read, in bytes.
const MAX_LENGTH: u64 = 4 * 256;

/// Reads one password from standard input: the first line, without its end.
pub(crate) fn read() -> anyhow::Result<Secret<String>> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let mut stderr = std::io::stderr();
        write!(stderr, "Password (shown as you type): ").context("writing the prompt")?;
        stderr.flush().context("writing the prompt")?;
    }
    let mut line = String::new();
    stdin.lock().take(MAX_LENGTH).read_line(&mut line).context("reading the password from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    anyhow::ensure!(!password.is_empty(), "standard input held no password");
    Ok(Secret::new(password))
}
