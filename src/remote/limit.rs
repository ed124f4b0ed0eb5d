//! `portolan immutable`: tags that stay what they are. `portolan quota`: how much namespaces may hold.

use anyhow::Context as _;
use clap::Subcommand;
use index_service::domain::quota::Amount;
use serde_json::json;

use super::client::escape;
use super::repository::id_of;
use super::{Client, Column, Target, column};

const OF_REPOSITORY: [Column; 4] = [
    column("immutable", "/tags"),
    column("except", "/except"),
    column("by the namespace", "/namespace/tags"),
    column("except", "/namespace/except"),
];
const OF_NAMESPACE: [Column; 2] = [column("immutable", "/tags"), column("except", "/except")];

const USAGE: [Column; 10] = [
    column("bytes", "/bytes/used"),
    column("of at most", "/bytes/limit"),
    column("bytes of storage", "/storage_bytes/used"),
    column("of at most", "/storage_bytes/limit"),
    column("repositories", "/repositories/used"),
    column("of at most", "/repositories/limit"),
    column("tags", "/tags/used"),
    column("of at most", "/tags/limit"),
    column("strict", "/strict"),
    column("warned from percent", "/warn_percent"),
];
const DECIDED: [Column; 6] = [
    column("NAMESPACE", "/namespace"),
    column("BYTES", "/bytes"),
    column("STORAGE", "/storage_bytes"),
    column("REPOSITORIES", "/repositories"),
    column("TAGS", "/tags"),
    column("STRICT", "/strict"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Quota {
    /// What a namespace holds, and may hold.
    Show {
        /// The namespace.
        namespace: String,
        #[command(flatten)]
        target: Target,
    },
    /// Decide what a namespace may hold: a number, `none` for no limit, or `default` for what the site's configuration says.
    Set {
        /// The namespace.
        namespace: String,
        /// Bytes of its repositories together, such as 5GB.
        #[arg(long, value_name = "BYTES")]
        bytes: Option<String>,
        /// Bytes, what its repositories share counted once.
        #[arg(long, value_name = "BYTES")]
        storage_bytes: Option<String>,
        /// Repositories.
        #[arg(long, value_name = "NUMBER")]
        repositories: Option<String>,
        /// Tags of all its repositories.
        #[arg(long, value_name = "NUMBER")]
        tags: Option<String>,
        /// Whether the registry asks before each manifest: yes, no or default.
        #[arg(long, value_name = "WHETHER", value_parser = ["yes", "no", "default"])]
        strict: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// The namespaces with limits of their own.
    List {
        #[command(flatten)]
        target: Target,
    },
}

/// `portolan quota …`
pub(crate) async fn quota(command: Quota) -> anyhow::Result<()> {
    match command {
        Quota::Show { namespace, target } => {
            let client = Client::open(&target).await?;
            let path = format!("/namespaces/{}/quota", escape(&namespace));
            client.output().one(&client.get(&path, &[]).await?, &USAGE);
            client.close().await;
        }
        Quota::Set {
            namespace,
            bytes,
            storage_bytes,
            repositories,
            tags,
            strict,
            target,
        } => {
            let mut change = serde_json::Map::new();
            for (key, said) in [
                ("bytes", bytes),
                ("storage_bytes", storage_bytes),
                ("repositories", repositories),
                ("tags", tags),
            ] {
                let Some(said) = said else { continue };
                let limit = match said.as_str() {
                    "none" => json!(-1),
                    "default" => json!(null),
                    text => json!(
                        text.parse::<Amount>()
                            .with_context(|| format!("--{key}: {text:?}"))?
                            .0
                    ),
                };
                change.insert(key.to_owned(), limit);
            }
            if let Some(said) = strict {
                let flag = match said.as_str() {
                    "yes" => json!(true),
                    "no" => json!(false),
                    _ => json!(null),
                };
                change.insert("strict".to_owned(), flag);
            }
            anyhow::ensure!(
                !change.is_empty(),
                "say what shall be limited, such as --bytes 5GB"
            );
            let client = Client::open(&target).await?;
            let path = format!("/namespaces/{}/quota", escape(&namespace));
            let answer = client.patch(&path, &change.into()).await?;
            client.output().one(&answer, &USAGE);
            client.close().await;
        }
        Quota::List { target } => {
            let client = Client::open(&target).await?;
            client
                .output()
                .list(&client.list("/quotas", &[]).await?, &DECIDED);
            client.close().await;
        }
    }
    Ok(())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Immutable {
    /// Which tags of a repository, or of all repositories of a namespace, stay what they are.
    Show {
        /// NAMESPACE/NAME, or a namespace.
        place: String,
        #[command(flatten)]
        target: Target,
    },
    /// Let no push move these tags, and nobody delete them.
    Set {
        /// NAMESPACE/NAME, or a namespace.
        place: String,
        /// Patterns such as v*.
        #[arg(required = true)]
        tags: Vec<String>,
        /// Tags that may move all the same.
        #[arg(long, value_name = "PATTERN")]
        except: Vec<String>,
        #[command(flatten)]
        target: Target,
    },
    /// End the rule.
    Clear {
        /// NAMESPACE/NAME, or a namespace.
        place: String,
        #[command(flatten)]
        target: Target,
    },
}

/// `portolan immutable …`
pub(crate) async fn immutable(command: Immutable) -> anyhow::Result<()> {
    let (place, rule, target) = match command {
        Immutable::Show { place, target } => (place, None, target),
        Immutable::Set {
            place,
            tags,
            except,
            target,
        } => (place, Some(json!({"tags": tags, "except": except})), target),
        Immutable::Clear { place, target } => (place, Some(json!({"tags": []})), target),
    };
    let client = Client::open(&target).await?;
    let (path, columns) = if place.contains('/') {
        let id = id_of(&client, &place).await?;
        (format!("/repositories/{id}/immutable-tags"), &OF_REPOSITORY[..])
    } else {
        (
            format!("/namespaces/{}/immutable-tags", escape(&place)),
            &OF_NAMESPACE[..],
        )
    };
    let answer = match rule {
        Some(rule) => client.put(&path, &rule).await?,
        None => client.get(&path, &[]).await?,
    };
    client.output().one(&answer, columns);
    client.close().await;
    Ok(())
}
