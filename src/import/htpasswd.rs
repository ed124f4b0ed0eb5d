//! `portolan import htpasswd`: accounts of other programs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use index_service::App;
use index_service::app::AppError;
use index_service::app::password::Imported;
use index_service::domain::PasswordHash;

use crate::admin;
use crate::cli::Data;

/// Longest file that is read, in bytes.
const LONGEST: u64 = 16 << 20;
/// bcrypt's highest cost that a login is worth: each step doubles the work.
const HIGHEST_COST: u32 = 14;

#[derive(Debug, Args)]
pub(crate) struct Htpasswd {
    /// The file.
    file: PathBuf,
    /// Give accounts that exist the file's passwords.
    #[arg(long)]
    replace: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    data: Data,
}

/// What became of a line.
struct Outcome {
    name: String,
    what: &'static str,
    why: String,
}

/// `portolan import htpasswd …`
pub(super) async fn run(command: Htpasswd) -> anyhow::Result<()> {
    let Htpasswd {
        file,
        replace,
        dry_run,
        data,
    } = command;
    let text = read(&file)?;
    let app = admin::open(&data).await?;
    let mut outcomes = Vec::new();
    let mut seen = BTreeSet::new();
    for line in text.lines().filter(|line| is_entry(line)) {
        outcomes.push(take(&app, line, &mut seen, replace, dry_run).await?);
    }
    app.close().await;
    print(&outcomes, dry_run);
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<String> {
    let size = std::fs::metadata(file)
        .with_context(|| format!("reading {}", file.display()))?
        .len();
    anyhow::ensure!(size <= LONGEST, "{} is longer than 16 MiB", file.display());
    std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))
}

fn is_entry(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

async fn take(
    app: &App,
    line: &str,
    seen: &mut BTreeSet<String>,
    replace: bool,
    dry_run: bool,
) -> anyhow::Result<Outcome> {
    let (name, hash) = line.trim().split_once(':').unwrap_or((line.trim(), ""));
    // Apache appends further fields to some files.
    let hash = hash.split(':').next().unwrap_or_default();
    let outcome = |what, why: &str| Outcome {
        name: name.to_owned(),
        what,
        why: why.to_owned(),
    };
    let hash = match bcrypt(hash) {
        Ok(hash) => hash,
        Err(why) => return Ok(outcome("refused", &why)),
    };
    if !seen.insert(name.to_ascii_lowercase()) {
        return Ok(outcome(
            "skipped",
            "the file has this name twice; its first line counts",
        ));
    }
    let imported = if dry_run {
        app.preview_import(name, replace).await
    } else {
        app.import_account(name, &hash, replace).await
    };
    Ok(match imported {
        Ok(Imported::Created) => outcome("created", ""),
        Ok(Imported::Replaced) => outcome("replaced", ""),
        Ok(Imported::Skipped) => outcome(
            "skipped",
            "the name is taken; --replace gives an account the file's password",
        ),
        Err(AppError::Invalid(why)) => outcome("refused", &why),
        Err(error) => return Err(error).with_context(|| format!("taking over {name}")),
    })
}

/// The hash of a line, or why it cannot be taken over.
fn bcrypt(hash: &str) -> Result<PasswordHash, String> {
    let kinds = [
        ("{SHA}", "unsalted SHA-1"),
        ("$apr1$", "Apache's MD5"),
        ("$1$", "MD5"),
        ("$5$", "SHA-256 crypt"),
        ("$6$", "SHA-512 crypt"),
    ];
    if let Some((_, kind)) = kinds.iter().find(|(prefix, _)| hash.starts_with(prefix)) {
        return Err(format!("{kind} is too weak to keep: set a new password"));
    }
    let is_bcrypt = ["$2a$", "$2b$", "$2y$"]
        .iter()
        .any(|prefix| hash.starts_with(prefix));
    if !is_bcrypt || hash.len() != 60 {
        return Err("the password is neither bcrypt nor anything else that can be kept".to_owned());
    }
    let cost: u32 = hash
        .get(4..6)
        .and_then(|cost| cost.parse().ok())
        .ok_or("the bcrypt hash is damaged")?;
    if !(4..=HIGHEST_COST).contains(&cost) {
        return Err(format!(
            "bcrypt with a cost of {cost}: 4 to {HIGHEST_COST} are taken"
        ));
    }
    hash.parse()
        .map_err(|error: index_service::domain::credential::InvalidPasswordHash| error.to_string())
}

#[expect(clippy::print_stdout, reason = "what became of each line is the answer")]
fn print(outcomes: &[Outcome], dry_run: bool) {
    let width = outcomes.iter().map(|outcome| outcome.name.chars().count()).max();
    let width = width.unwrap_or_default().max(4);
    println!("{:width$}  {:9} WHY", "NAME", "RESULT");
    for outcome in outcomes {
        // What stands in a file goes to a terminal: no control characters.
        let name: String = outcome.name.chars().filter(|c| !c.is_control()).collect();
        println!("{name:width$}  {:9} {}", outcome.what, outcome.why);
    }
    let count = |what: &str| outcomes.iter().filter(|outcome| outcome.what == what).count();
    println!(
        "{} created, {} replaced, {} skipped, {} refused{}",
        count("created"),
        count("replaced"),
        count("skipped"),
        count("refused"),
        if dry_run { " (nothing was changed)" } else { "" }
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bcrypt_is_kept_and_all_else_refused_by_name() {
        let good = "$2y$05$L6Bc/AlTQHyd9liGgGEZyOFLPHNgyxeEPfgYfBCVxJ7JIlwxyVU3u";
        assert!(bcrypt(good).is_ok());
        for (hash, says) in [
            ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1"),
            ("$apr1$x$y", "Apache's MD5"),
            ("$6$x$y", "SHA-512 crypt"),
            ("$5$x$y", "SHA-256 crypt"),
            ("plain", "neither"),
            ("", "neither"),
            ("$2y$05$short", "neither"),
            (&good.replace("$05$", "$15$"), "cost of 15"),
            (&good.replace("$05$", "$xx$"), "damaged"),
        ] {
            let refused = bcrypt(hash).unwrap_err();
            assert!(refused.contains(says), "{hash}: {refused}");
        }
    }

    #[test]
    fn blank_lines_and_comments_are_no_entries() {
        for line in ["", "  ", "# a:b"] {
            assert!(!is_entry(line), "{line:?}");
        }
        assert!(is_entry("a:$2y$05$x"));
    }
}
