//! `portolan import registry`: repositories of another registry, through both sides' public interfaces.

mod blob;
mod challenge;
mod content;
mod copy;
mod endpoint;
mod fault;
mod listing;
mod name_map;
mod outcome;
mod progress;
mod retry;
mod server;
mod sign_in;
mod tally;
mod verification;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use futures_util::stream::{self, StreamExt as _};
use index_service::random::Random;
use serde_json::{Value, json};
use shared::runtime::clock::Clock;
use shared::secret::Secret;

use super::telling::{Subject, Telling};
use crate::remote::{Column, Output, column};
use copy::Copier;
use endpoint::Endpoint;
use name_map::{NameMap, Nameless, Pair};
use outcome::Outcome;
use progress::Progress;
use server::Server;
use sign_in::Account;

/// Longest password file that is read, in bytes.
const LONGEST_SECRET: u64 = 4096;

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct Registry {
    /// The registry to copy from: https://HOST, or http://HOST:PORT.
    #[arg(value_name = "URL")]
    source: String,
    /// Only this repository of it. May be given several times; without it, all of its catalog.
    #[arg(long = "repository", value_name = "NAME")]
    repositories: Vec<String>,
    /// Only the repositories that a file names, one in a line.
    #[arg(long, value_name = "FILE")]
    repositories_file: Option<PathBuf>,
    /// Sign in there as this account.
    #[arg(long, value_name = "NAME", requires = "source_password_file")]
    source_user: Option<String>,
    /// A file that holds its password or token.
    #[arg(long, value_name = "FILE", requires = "source_user")]
    source_password_file: Option<PathBuf>,
    /// A host of another domain that hands out the source's tokens and may see the password. May be given several times.
    #[arg(long = "source-token-host", value_name = "HOST")]
    source_token_hosts: Vec<String>,
    /// Trust this certificate of the source besides those of the system (PEM).
    #[arg(long, value_name = "FILE")]
    source_ca: Option<PathBuf>,
    /// Take this away at the beginning of names, with the slash behind it.
    #[arg(long, value_name = "PREFIX")]
    strip: Option<String>,
    /// Put everything into this namespace.
    #[arg(long, value_name = "NAMESPACE")]
    into: Option<String>,
    /// Make organisations for namespaces that are not there.
    #[arg(long)]
    create_organisations: bool,
    /// How many transfers run at a time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=32))]
    parallel: u16,
    /// Say what would be copied, and copy nothing.
    #[arg(long)]
    dry_run: bool,
    /// Copy nothing; only compare.
    #[arg(long, conflicts_with = "dry_run")]
    verify_only: bool,
    /// Do not compare at the end.
    #[arg(long, conflicts_with = "verify_only")]
    no_verify: bool,
    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

const REPOSITORIES: [Column; 8] = [
    column("REPOSITORY", "/source"),
    column("HERE", "/target"),
    column("TAGS", "/tags"),
    column("MANIFESTS", "/manifests"),
    column("BLOBS", "/blobs"),
    column("COPIED", "/size"),
    column("VERIFIED", "/verified"),
    column("RESULT", "/result"),
];
const FAILURES: [Column; 3] = [
    column("REPOSITORY", "/source"),
    column("WHAT", "/what"),
    column("WHY", "/why"),
];

/// `portolan import registry …`
pub(crate) async fn run(command: Registry) -> anyhow::Result<()> {
    let clock = Clock::system();
    let source = Endpoint::new(
        &command.source,
        account(
            command.source_user.as_deref(),
            command.source_password_file.as_deref(),
        )?,
        command.source_token_hosts.clone(),
        command.source_ca.as_deref(),
        clock.clone(),
    )?;
    let target = command.server.connect(clock).await?;
    let names = names(&command, &source).await?;
    anyhow::ensure!(!names.is_empty(), "{} shows no repositories", source.host());
    let map = NameMap {
        strip: command.strip.clone(),
        into: command.into.clone(),
    };
    let (pairs, nameless) = map.pairs(names);
    if command.create_organisations && !command.dry_run && !command.verify_only {
        server::create_organisations(&target, &pairs).await?;
    }
    let copier = Copier::new(source, target, usize::from(command.parallel), command.dry_run);
    let outcomes: Vec<Outcome> = pairs.iter().map(|_| Outcome::default()).collect();
    let subject = Subject {
        source: copier.source.host(),
        about: about(&command, &pairs),
        is_rehearsal: command.dry_run,
    };
    let run = Random::system().bytes();
    let telling = Telling::new(&copier.target, subject, Some(&copier.traffic), run);
    // On the heap: it is large.
    let work = Box::pin(carry_out(&command, &copier, &telling, (&pairs, &outcomes)));
    telling.of(work).await?;
    let failed = nameless.len() + outcomes.iter().filter(|outcome| !outcome.is_whole()).count();
    let total = pairs.len() + nameless.len();
    let fault = format!("{failed} of {total} repositories are not whole");
    let end = if failed == 0 {
        ("done", "")
    } else {
        ("failed", fault.as_str())
    };
    telling.end(end).await;
    report(&command, &copier, &pairs, &outcomes, &nameless);
    anyhow::ensure!(failed == 0, "{fault}; say the command again to go on");
    Ok(())
}

/// The namespace, or the one repository, that everything goes to.
fn about(command: &Registry, pairs: &[Pair]) -> Option<String> {
    match pairs {
        [pair] => Some(pair.target.to_string()),
        _ => command.into.clone(),
    }
}

/// Copies and compares, as far as the command wants it.
async fn carry_out(
    command: &Registry,
    copier: &Copier,
    telling: &Telling<'_, Endpoint>,
    (pairs, outcomes): (&[Pair], &[Outcome]),
) {
    if !command.verify_only {
        let doing = if command.dry_run { "looking" } else { "copying" };
        each(
            copier,
            telling,
            doing,
            (pairs, outcomes),
            async |pair, outcome| {
                copier.copy(pair, outcome).await;
            },
        )
        .await;
    }
    if !command.dry_run && !command.no_verify {
        each(
            copier,
            telling,
            "verifying",
            (pairs, outcomes),
            async |pair, outcome| {
                // What failed already is told already.
                if outcome.is_whole() {
                    copier.verify(pair, outcome).await;
                }
            },
        )
        .await;
    }
}

/// Does something for each repository, several at a time.
async fn each(
    copier: &Copier,
    telling: &Telling<'_, Endpoint>,
    doing: &'static str,
    (pairs, outcomes): (&[Pair], &[Outcome]),
    work: impl AsyncFn(&Pair, &Outcome),
) {
    let progress = Progress::new(doing, pairs.len(), &copier.traffic);
    telling.step(doing, pairs.len());
    let all = stream::iter(pairs.iter().zip(outcomes)).for_each_concurrent(
        copier.parallel,
        async |(pair, outcome)| {
            work(pair, outcome).await;
            progress.done.one();
            telling.one();
        },
    );
    progress.beside(all).await;
}

/// The repositories that are meant.
async fn names(command: &Registry, source: &Endpoint) -> anyhow::Result<Vec<String>> {
    let mut names = command.repositories.clone();
    if let Some(path) = &command.repositories_file {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        names.extend(lines.map(str::to_owned));
        anyhow::ensure!(!names.is_empty(), "{} names no repository", path.display());
    }
    if names.is_empty() {
        return listing::catalog(source).await.with_context(|| {
            format!(
                "the catalog of {} cannot be read; name the repositories (--repository, --repositories-file)",
                source.host()
            )
        });
    }
    Ok(names)
}

fn account(user: Option<&str>, password_file: Option<&Path>) -> anyhow::Result<Option<Account>> {
    let (Some(user), Some(path)) = (user, password_file) else {
        return Ok(None);
    };
    let reading = || format!("reading {}", path.display());
    let size = std::fs::metadata(path).with_context(reading)?.len();
    anyhow::ensure!(
        size <= LONGEST_SECRET,
        "{} holds more than a password",
        path.display()
    );
    let text = Secret::new(std::fs::read_to_string(path).with_context(reading)?);
    let secret = text.expose().trim_end_matches(['\r', '\n']).to_owned();
    anyhow::ensure!(!secret.is_empty(), "{} holds no password", path.display());
    Ok(Some(Account {
        name: user.to_owned(),
        secret: Secret::new(secret),
    }))
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
fn report(command: &Registry, copier: &Copier, pairs: &[Pair], outcomes: &[Outcome], nameless: &[Nameless]) {
    let outcomes = || pairs.iter().zip(outcomes);
    let unnamed = |one: &Nameless| json!({"source": one.source, "what": "name", "why": one.why});
    if command.json {
        let answer = json!({
            "source": copier.source.host(),
            "target": copier.target.host(),
            "is_dry_run": command.dry_run,
            "total": copier.all.json(),
            "repositories": outcomes().map(|(pair, outcome)| outcome.json(pair)).collect::<Vec<_>>(),
            "nameless": nameless.iter().map(unnamed).collect::<Vec<_>>(),
        });
        println!("{answer}");
        return;
    }
    let output = Output::new(false);
    let rows: Vec<Value> = outcomes().map(|(pair, outcome)| outcome.row(pair)).collect();
    output.list(&rows, &REPOSITORIES);
    let failures: Vec<Value> = nameless
        .iter()
        .map(unnamed)
        .chain(outcomes().flat_map(|(pair, outcome)| outcome.failure_rows(pair)))
        .collect();
    if !failures.is_empty() {
        println!();
        output.list(&failures, &FAILURES);
    }
    println!("\nMANIFESTS and BLOBS: copied + there already (or taken from another repository here)");
    if command.dry_run {
        println!("nothing was copied");
    }
}

#[cfg(test)]
mod tests;
