//! `portolan repo`: repositories of a server or of a data folder.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;

use super::client::escape;
use super::{Client, Column, Target, column};

const REPOSITORIES: [Column; 4] = [
    column("NAME", "/name"),
    column("VISIBILITY", "/visibility"),
    column("STATE", "/state"),
    column("YOUR RIGHTS", "/rights"),
];
const DELETED: [Column; 4] = [
    column("ID", "/id"),
    column("NAME", "/name"),
    column("DELETED", "/deleted_at"),
    column("RESTORABLE UNTIL", "/restorable_until"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Repository {
    /// The repositories that you may pull, or those of a namespace.
    List {
        /// Only those of this namespace.
        namespace: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Make a repository before anything is pushed to it.
    Create {
        /// NAMESPACE/NAME.
        name: String,
        /// public, internal or private; without it what the namespace says.
        #[arg(long)]
        visibility: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Decide who may pull: public (everybody), internal (every account) or private.
    Visibility {
        /// NAMESPACE/NAME.
        name: String,
        /// public, internal or private.
        visibility: String,
        #[command(flatten)]
        target: Target,
    },
    /// Give a repository another name, in another namespace too; the old name goes on for pulls.
    Rename {
        /// NAMESPACE/NAME.
        name: String,
        /// The new one.
        to: String,
        /// Only say what it would mean.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Say what a repository is: what is not given stays.
    Describe {
        /// NAMESPACE/NAME.
        name: String,
        /// In one line, at most 100 characters.
        #[arg(long, value_name = "TEXT")]
        summary: Option<String>,
        /// At length: a file of Markdown, at most 25,000 bytes.
        #[arg(long, value_name = "FILE")]
        readme: Option<PathBuf>,
        /// What it is about; once for each. They replace those from before.
        #[arg(long = "topic", value_name = "TOPIC")]
        topics: Vec<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Delete a repository; for a while it can be restored.
    Delete {
        /// NAMESPACE/NAME.
        name: String,
        #[command(flatten)]
        target: Target,
    },
    /// The deleted repositories of a namespace that can be restored.
    Deleted {
        /// The namespace.
        namespace: String,
        #[command(flatten)]
        target: Target,
    },
    /// Restore a deleted repository.
    Restore {
        /// Its id, as `deleted` shows it.
        id: String,
        /// Under another name, when its own is taken.
        #[arg(long, value_name = "NS/NAME")]
        name: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Remove the content of a deleted repository now; it cannot be restored any more.
    Purge {
        /// Its id, as `deleted` shows it.
        id: String,
        /// Remove it.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        target: Target,
    },
}

/// `portolan repo …`
pub(crate) async fn run(command: Repository) -> anyhow::Result<()> {
    match command {
        Repository::List { namespace, target } => {
            let client = Client::open(&target).await?;
            let query: Vec<(&str, &str)> = namespace
                .iter()
                .map(|name| ("namespace", name.as_str()))
                .collect();
            let found = client.list("/repositories", &query).await?;
            client.output().list(&found, &REPOSITORIES);
            client.close().await;
        }
        Repository::Create {
            name,
            visibility,
            target,
        } => {
            let client = Client::open(&target).await?;
            let body = json!({"name": name, "visibility": visibility});
            client
                .output()
                .one(&client.post("/repositories", &body).await?, &REPOSITORIES);
            client.close().await;
        }
        Repository::Visibility {
            name,
            visibility,
            target,
        } => {
            let client = Client::open(&target).await?;
            let path = format!("/repositories/{}", id_of(&client, &name).await?);
            let body = json!({"visibility": visibility});
            client
                .output()
                .one(&client.patch(&path, &body).await?, &REPOSITORIES);
            client.close().await;
        }
        Repository::Rename {
            name,
            to,
            dry_run,
            target,
        } => {
            let client = Client::open(&target).await?;
            let id = id_of(&client, &name).await?;
            let path = format!("/repositories/{id}/transfer?dry_run={dry_run}");
            let done = client.post(&path, &json!({"name": to})).await?;
            let columns = [
                column("name", "/repository/name"),
                column("former name, for pulls", "/former_name"),
                column("rules that end", "/dropped_rules"),
                column("patterns that reach it no more", "/left_patterns"),
            ];
            client.output().one(&done, &columns);
            client.close().await;
        }
        Repository::Describe {
            name,
            summary,
            readme,
            topics,
            target,
        } => {
            let description = readme.map(|file| {
                std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
            });
            let mut body = json!({"summary": summary, "description": description.transpose()?});
            if !topics.is_empty() {
                body["topics"] = json!(topics);
            }
            let client = Client::open(&target).await?;
            let path = format!("/repositories/{}/description", id_of(&client, &name).await?);
            let columns = [
                column("name", "/name"),
                column("short description", "/summary"),
                column("topics", "/topics"),
                column("stars", "/stars"),
            ];
            client.output().one(&client.patch(&path, &body).await?, &columns);
            client.close().await;
        }
        Repository::Delete { name, target } => {
            let client = Client::open(&target).await?;
            let id = id_of(&client, &name).await?;
            client.delete(&format!("/repositories/{id}")).await?;
            client.output().done(&format!(
                "{name} is deleted; for a while, `portolan repo restore {id}` brings it back"
            ));
            client.close().await;
        }
        Repository::Deleted { namespace, target } => {
            let client = Client::open(&target).await?;
            let found = client
                .list("/deleted-repositories", &[("namespace", &namespace)])
                .await?;
            client.output().list(&found, &DELETED);
            client.close().await;
        }
        Repository::Restore { id, name, target } => {
            let client = Client::open(&target).await?;
            let path = format!("/deleted-repositories/{}/restore", escape(&id));
            let restored = client.post(&path, &json!({"name": name})).await?;
            client.output().one(&restored, &REPOSITORIES);
            client.close().await;
        }
        Repository::Purge { id, yes, target } => {
            anyhow::ensure!(yes, "nothing brings the content back afterwards: say --yes");
            let client = Client::open(&target).await?;
            client
                .delete(&format!("/deleted-repositories/{}", escape(&id)))
                .await?;
            client
                .output()
                .done("the content goes and cannot be restored; garbage collection frees its space");
            client.close().await;
        }
    }
    Ok(())
}

/// The id of a repository by its name.
pub(super) async fn id_of(client: &Client, name: &str) -> anyhow::Result<String> {
    let found = client.get("/repositories", &[("name", name)]).await?;
    found["items"][0]["id"]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("there is no repository {name} that you may see"))
}
