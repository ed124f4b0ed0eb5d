//! `portolan rule`, `portolan access`, `portolan audit`: who may what, why, and who changed it.

use clap::Subcommand;
use serde_json::json;

use super::client::escape;
use super::{Client, Column, Target, column};

const RULES: [Column; 9] = [
    column("ID", "/id"),
    column("SUBJECT", "/subject/kind"),
    column("NAME", "/subject/name"),
    column("REPOSITORY", "/repository"),
    column("PATTERN", "/pattern"),
    column("RIGHTS", "/rights"),
    column("PUSH TAGS", "/push_tags"),
    column("DELETE TAGS", "/delete_tags"),
    column("UNTIL", "/expires_at"),
];
const EVENTS: [Column; 6] = [
    column("TIME", "/at"),
    column("WHO", "/actor/name"),
    column("CREDENTIAL", "/actor/credential"),
    column("FROM", "/address"),
    column("WHAT", "/action"),
    column("TARGET", "/target/name"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Access {
    /// Say whether somebody may do something with a repository, and why.
    Explain {
        /// account:NAME, robot:NS+NAME, anonymous, or `me`.
        subject: String,
        /// NAMESPACE/NAME.
        repository: String,
        /// pull, push, delete, manage or administer.
        action: String,
        #[command(flatten)]
        target: Target,
    },
}

/// `portolan access …`
pub(crate) async fn access(command: Access) -> anyhow::Result<()> {
    let Access::Explain {
        subject,
        repository,
        action,
        target,
    } = command;
    let client = Client::open(&target).await?;
    let mut query = vec![("repository", repository.as_str()), ("action", action.as_str())];
    if subject != "me" {
        query.push(("subject", &subject));
    }
    let answer = client.get("/access/explain", &query).await?;
    let columns = [
        column("allowed", "/allowed"),
        column("because", "/because"),
        column("credential", "/credential"),
        column("missing", "/missing"),
        column("in short", "/text"),
    ];
    client.output().one(&answer, &columns);
    client.close().await;
    Ok(())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rule {
    /// The rules of a namespace, or about one repository.
    List {
        /// The namespace, or NAMESPACE/NAME for one repository.
        place: String,
        #[command(flatten)]
        target: Target,
    },
    /// Give somebody rights on repositories.
    Add {
        /// account:NAME, team:NAME, robot:NS+NAME, members, signed_in or anyone.
        subject: String,
        /// NAMESPACE/NAME for one repository, or a pattern such as NS/*.
        repositories: String,
        /// read, write, maintain or admin.
        #[arg(long, default_value = "read")]
        role: String,
        /// Tags that may be pushed, such as v*; without one, all.
        #[arg(long, value_name = "PATTERN")]
        push_tags: Vec<String>,
        /// Tags that may be deleted; without one, all.
        #[arg(long, value_name = "PATTERN")]
        delete_tags: Vec<String>,
        /// When it ends, such as 2027-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// End a rule.
    Remove {
        /// Its id.
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

/// `portolan rule …`
pub(crate) async fn rule(command: Rule) -> anyhow::Result<()> {
    match command {
        Rule::List { place, target } => {
            let client = Client::open(&target).await?;
            let query = if place.contains('/') {
                ("repository", place.as_str())
            } else {
                ("namespace", place.as_str())
            };
            client
                .output()
                .list(&client.list("/rules", &[query]).await?, &RULES);
            client.close().await;
        }
        Rule::Add {
            subject,
            repositories,
            role,
            push_tags,
            delete_tags,
            until,
            target,
        } => {
            let client = Client::open(&target).await?;
            let place = if repositories.contains('*') {
                "pattern"
            } else {
                "repository"
            };
            let (kind, name) = match subject.split_once(':') {
                Some((kind, name)) => (kind, Some(name)),
                None => (subject.as_str(), None),
            };
            let mut body =
                json!({"subject": {"kind": kind, "name": name}, "role": role, place: repositories});
            for (name, tags) in [("push_tags", push_tags), ("delete_tags", delete_tags)] {
                if !tags.is_empty() {
                    body[name] = tags.into();
                }
            }
            if let Some(until) = until {
                body["expires_at"] = until.into();
            }
            client.output().one(&client.post("/rules", &body).await?, &RULES);
            client.close().await;
        }
        Rule::Remove { id, target } => {
            let client = Client::open(&target).await?;
            client.delete(&format!("/rules/{}", escape(&id))).await?;
            client.output().done("the rule is gone");
            client.close().await;
        }
    }
    Ok(())
}

/// What was changed by whom.
#[derive(Debug, clap::Args)]
pub(crate) struct Audit {
    /// Of one organisation; without it, of the whole site.
    #[arg(long, value_name = "NAME")]
    org: Option<String>,
    /// By this account or robot.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only this action, such as `rule.create`.
    #[arg(long, value_name = "WORD")]
    action: Option<String>,
    /// From this time on, such as 2026-11-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// `portolan audit`
pub(crate) async fn audit(command: Audit) -> anyhow::Result<()> {
    let client = Client::open(&command.target).await?;
    let query: Vec<(&str, &str)> = [
        ("organisation", &command.org),
        ("actor", &command.actor),
        ("action", &command.action),
        ("from", &command.from),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
    .collect();
    client
        .output()
        .list(&client.list("/audit", &query).await?, &EVENTS);
    client.close().await;
    Ok(())
}
