//! `portolan htpasswd`: lines for distribution's htpasswd file.

use shared::secret::Secret;

/// A line as `htpasswd -nbBC COST NAME PASSWORD` prints it: `name:$2y$…`.
pub(crate) fn line(name: &str, password: &Secret<String>, cost: u32) -> anyhow::Result<String> {
    anyhow::ensure!(
        !name.is_empty() && name.len() <= 255 && !name.contains([':', '\r', '\n']),
        "a user name in an htpasswd file is 1 to 255 bytes without ':' and line ends"
    );
    // bcrypt ignores what comes after 72 bytes; a longer password would be weaker than it looks.
    anyhow::ensure!(
        password.expose().len() <= 72,
        "bcrypt takes at most 72 bytes of password"
    );
    let hash = bcrypt::hash_with_result(password.expose(), cost)?;
    Ok(format!(
        "{name}:{}",
        hash.format_for_version(bcrypt::Version::TwoY)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_apaches_tool_writes() {
        let line = line("alice", &Secret::new("secret".into()), 5).unwrap();
        let (name, hash) = line.split_once(':').unwrap();
        assert_eq!((name, &hash[..7], hash.len()), ("alice", "$2y$05$", 60));
        assert!(bcrypt::verify("secret", hash).unwrap());
    }

    #[test]
    fn names_that_would_break_the_file_are_refused() {
        let password = Secret::new("secret".to_owned());
        for name in ["", "a:b", "a\nb"] {
            assert!(line(name, &password, 5).is_err(), "{name}");
        }
        assert!(line("a", &Secret::new("x".repeat(73)), 5).is_err());
    }
}
