//! `registry-service garbage-collect`.

use std::io::Write as _;
use std::path::Path;

use registry_service::config::Config;
use registry_service::registry::Registry;
use registry_service::registry::garbage::{Choice, Collection, Finding};
use shared::runtime::clock::Clock;
use shared::runtime::serve::shutdown_signal;

use super::report::{End, Teller};
use super::{content, random};

/// Collects garbage, and tells the index how it goes.
pub(crate) async fn collect_garbage(
    config: &Config,
    path: &Path,
    choice: Choice,
    quiet: bool,
) -> anyhow::Result<()> {
    let registry = content(config, Clock::system())?;
    let endpoints = &config.notifications.endpoints;
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let teller = Teller::start(endpoints, &path, choice.dry_run, random());
    let stopped = shutdown_signal();
    let collected = tokio::select! {
        collected = collect(&registry, &teller, choice, quiet) => collected,
        () = stopped => {
            teller
                .end(End {
                    outcome: "stopped",
                    bytes: None,
                    message: "somebody ended the command".to_owned(),
                })
                .await;
            anyhow::bail!("ended by a signal: say the command again to go on");
        }
    };
    let end = match &collected {
        Ok((collection, sum)) => End {
            outcome: "done",
            bytes: Some(collection.bytes),
            message: sum.clone(),
        },
        Err(error) => End {
            outcome: "failed",
            bytes: None,
            message: format!("{error:#}"),
        },
    };
    teller.end(end).await;
    collected.map(drop)
}

/// Collects garbage, and says what came of it.
async fn collect(
    registry: &Registry,
    teller: &Teller,
    choice: Choice,
    quiet: bool,
) -> anyhow::Result<(Collection, String)> {
    // Who reads along may go away in the middle.
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let mut tell = |finding: Finding<'_>| {
        teller.found(&finding);
        if !quiet {
            let _ = writeln!(out, "{finding}");
        }
    };
    let collection = registry.collect_garbage(choice, &mut tell).await?;
    if let Some((repository, digest)) = collection.damaged.first() {
        let more = collection.damaged.len() - 1;
        anyhow::bail!(
            "nothing was removed: the manifest {digest} of {repository} (and {more} more) cannot be read, so nobody knows \
             what it needs; push it again or delete it"
        );
    }
    let did = if choice.dry_run {
        "would be removed"
    } else {
        "removed"
    };
    let sum = format!(
        "{} manifests, {} layer links and {} blobs of {} bytes {did}; {} blobs stay",
        collection.manifests, collection.links, collection.blobs, collection.bytes, collection.marked
    );
    let _ = writeln!(out, "{sum}");
    Ok((collection, sum))
}
