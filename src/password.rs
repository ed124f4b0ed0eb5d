//! Passwords on the command line: read from standard input or made at random, never taken as an argument.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use anyhow::Context as _;
use shared::secret::Secret;

/// Longest password that is read, in bytes.
const MAX_LENGTH: u64 = 4 * 256;

/// Reads one password: asks for it when standard input is a terminal, else takes its first line without the line end.
pub(crate) fn read() -> anyhow::Result<Secret<String>> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Ok(Secret::new(
            rpassword::prompt_password("Password: ").context("reading the password")?,
        ));
    }
    let mut line = String::new();
    stdin
        .lock()
        .take(MAX_LENGTH)
        .read_line(&mut line)
        .context("reading the password from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    anyhow::ensure!(!password.is_empty(), "standard input held no password");
    Ok(Secret::new(password))
}
