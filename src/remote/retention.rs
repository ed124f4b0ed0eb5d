//! `portolan retention`: what goes by itself, what went, and bringing it back.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use super::client::escape;
use super::repository::id_of;
use super::{Client, Column, Target, column};

const POLICY: [Column; 6] = [
    column("policy", "/policy"),
    column("from the namespace", "/inherited"),
    column("rules", "/policy/rules"),
    column("untagged manifests go after (days)", "/policy/untagged_days"),
    column("every (days)", "/policy/every_days"),
    column("next time", "/policy/next_run_at"),
];
const SAVED: [Column; 5] = [
    column("carried out", "/enabled"),
    column("rules", "/rules"),
    column("untagged manifests go after (days)", "/untagged_days"),
    column("every (days)", "/every_days"),
    column("next time", "/next_run_at"),
];
const REHEARSAL: [Column; 6] = [
    column("REPOSITORY", "/name"),
    column("TAGS THAT GO", "/tag_count"),
    column("THAT STAY", "/kept_count"),
    column("UNTAGGED", "/untagged_count"),
    column("BYTES", "/bytes"),
    column("IN THE STORAGE", "/storage_bytes"),
];
const GOING: [Column; 6] = [
    column("TAG", "/name"),
    column("DIGEST", "/digest"),
    column("PUSHED", "/pushed_at"),
    column("PULLED", "/pulled_at"),
    column("BY", "/pulled_by"),
    column("RULE", "/rule"),
];
const RUNS: [Column; 8] = [
    column("ID", "/id"),
    column("STATE", "/state"),
    column("WANTED BY", "/requested_by"),
    column("BEGAN", "/started_at"),
    column("ENDED", "/ended_at"),
    column("TAGS", "/tags"),
    column("MANIFESTS", "/manifests"),
    column("MESSAGE", "/message"),
];
const DELETED: [Column; 6] = [
    column("TAG", "/tag"),
    column("DIGEST", "/digest"),
    column("STATE", "/state"),
    column("DELETED", "/deleted_at"),
    column("BY", "/deleted_by"),
    column("RESTORABLE UNTIL", "/restorable_until"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Retention {
    /// The policy of a namespace, or of a repository (NAMESPACE/NAME).
    Show {
        /// NAMESPACE, or NAMESPACE/NAME.
        place: String,
        #[command(flatten)]
        target: Target,
    },
    /// Give a namespace or a repository a policy.
    Set {
        /// NAMESPACE, or NAMESPACE/NAME.
        place: String,
        /// The policy, as JSON.
        policy: PathBuf,
        /// Only say what it would do now.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Take the policy away.
    Remove {
        /// NAMESPACE, or NAMESPACE/NAME.
        place: String,
        #[command(flatten)]
        target: Target,
    },
    /// Carry the policy out now, in the background.
    Run {
        /// NAMESPACE, or NAMESPACE/NAME.
        place: String,
        #[command(flatten)]
        target: Target,
    },
    /// When it was carried out, and what came of it.
    Runs {
        /// NAMESPACE, or NAMESPACE/NAME.
        place: String,
        #[command(flatten)]
        target: Target,
    },
    /// What a run deleted.
    Log {
        /// The run's id, as `runs` shows it.
        run: String,
        #[command(flatten)]
        target: Target,
    },
    /// Deleted tags of a repository that can be restored.
    Deleted {
        /// NAMESPACE/NAME.
        name: String,
        #[command(flatten)]
        target: Target,
    },
    /// Restore a deleted tag, or move a tag to a manifest of its history.
    Restore {
        /// NAMESPACE/NAME.
        name: String,
        /// The tag.
        tag: String,
        /// A manifest to which the tag pointed before.
        #[arg(long, value_name = "DIGEST")]
        digest: Option<String>,
        #[command(flatten)]
        target: Target,
    },
}

/// `portolan retention …`
pub(crate) async fn run(command: Retention) -> anyhow::Result<()> {
    match command {
        Retention::Show { place, target } => {
            let client = Client::open(&target).await?;
            let shown = client.get(&path_of(&client, &place).await?, &[]).await?;
            client.output().one(&shown, &POLICY);
            client.close().await;
        }
        Retention::Set {
            place,
            policy,
            dry_run,
            target,
        } => set(&place, &policy, dry_run, &target).await?,
        Retention::Remove { place, target } => {
            let client = Client::open(&target).await?;
            client.delete(&path_of(&client, &place).await?).await?;
            client.output().done("the policy is gone");
            client.close().await;
        }
        Retention::Run { place, target } => {
            let client = Client::open(&target).await?;
            let path = format!("{}/runs", path_of(&client, &place).await?);
            let run = client.post(&path, &Value::Null).await?;
            client.output().list(&[run], &RUNS);
            client.close().await;
        }
        Retention::Runs { place, target } => {
            let client = Client::open(&target).await?;
            let path = format!("{}/runs", path_of(&client, &place).await?);
            client.output().list(&client.list(&path, &[]).await?, &RUNS);
            client.close().await;
        }
        Retention::Log { run, target } => {
            let client = Client::open(&target).await?;
            let path = format!("/retention-runs/{}/deletions", escape(&run));
            client.output().list(&client.list(&path, &[]).await?, &DELETED);
            client.close().await;
        }
        Retention::Deleted { name, target } => {
            let client = Client::open(&target).await?;
            let path = format!("/repositories/{}/deleted-tags", id_of(&client, &name).await?);
            client.output().list(&client.list(&path, &[]).await?, &DELETED);
            client.close().await;
        }
        Retention::Restore {
            name,
            tag,
            digest,
            target,
        } => {
            let client = Client::open(&target).await?;
            let id = id_of(&client, &name).await?;
            let path = format!("/repositories/{id}/tags/{}/restore", escape(&tag));
            let restored = client.post(&path, &json!({ "digest": digest })).await?;
            let columns = [column("digest", "/digest"), column("with", "/with")];
            client.output().one(&restored, &columns);
            client.close().await;
        }
    }
    Ok(())
}

async fn set(place: &str, policy: &Path, dry_run: bool, target: &Target) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(policy).with_context(|| format!("reading {}", policy.display()))?;
    let body: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is no JSON", policy.display()))?;
    let client = Client::open(target).await?;
    let path = path_of(&client, place).await?;
    if !dry_run {
        client.output().one(&client.put(&path, &body).await?, &SAVED);
        client.close().await;
        return Ok(());
    }
    let mut after = String::new();
    let mut repositories = Vec::new();
    loop {
        let path = format!("{path}/simulation?after={}", escape(&after));
        let mut found = client.post(&path, &body).await?;
        if let Some(list) = found["repositories"].as_array_mut() {
            repositories.append(list);
        }
        match found["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    client.output().list(&repositories, &REHEARSAL);
    if !target.json
        && let [only] = repositories.as_slice()
        && let Some(tags) = only["tags"].as_array()
    {
        client.output().list(tags, &GOING);
    }
    client.close().await;
    Ok(())
}

async fn path_of(client: &Client, place: &str) -> anyhow::Result<String> {
    Ok(if place.contains('/') {
        format!("/repositories/{}/retention", id_of(client, place).await?)
    } else {
        format!("/namespaces/{}/retention", escape(place))
    })
}
