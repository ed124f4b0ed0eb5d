//! `portolan reindex`: what the index knows of content against what the registry holds.

use clap::Args;
use serde_json::Value;

use super::repository::id_of;
use super::{Client, Column, Target, column};

const COMPARISON: [Column; 9] = [
    column("compared", "/compared"),
    column("differences", "/differences"),
    column("tags that were missing", "/tags_missing"),
    column("tags that pointed elsewhere", "/tags_moved"),
    column("tags that are gone", "/tags_gone"),
    column("manifests that were missing", "/manifests_missing"),
    column("manifests that differed", "/manifests_different"),
    column("manifests that are gone", "/manifests_gone"),
    column("such as", "/examples"),
];

#[derive(Debug, Args)]
pub(crate) struct Reindex {
    /// NAMESPACE/NAME; without it every repository, in the background.
    name: Option<String>,
    /// Repair nothing; fail when something differs.
    #[arg(long, requires = "name")]
    dry_run: bool,
    #[command(flatten)]
    target: Target,
}

/// `portolan reindex …`
pub(crate) async fn reindex(command: Reindex) -> anyhow::Result<()> {
    let client = Client::open(&command.target).await?;
    let Some(name) = &command.name else {
        let queued = client.post("/reindex", &Value::Null).await?;
        let count = &queued["repositories"];
        client
            .output()
            .done(&format!("the server reads {count} repositories again"));
        client.close().await;
        return Ok(());
    };
    let path = format!("/repositories/{}/reindex", id_of(&client, name).await?);
    if command.target.server.is_none() {
        anyhow::ensure!(
            !command.dry_run,
            "to compare, the server must be asked: say --server URL"
        );
        client.post(&format!("{path}?later=true"), &Value::Null).await?;
        client
            .output()
            .done(&format!("the server reads {name} again, once it runs"));
        client.close().await;
        return Ok(());
    }
    let found = client
        .post(&format!("{path}?dry_run={}", command.dry_run), &Value::Null)
        .await?;
    client.output().one(&found, &COMPARISON);
    client.close().await;
    let differs = found["differences"].as_u64().unwrap_or_default();
    anyhow::ensure!(
        !command.dry_run || differs == 0,
        "{differs} tags and manifests differ from what the index knows"
    );
    Ok(())
}
