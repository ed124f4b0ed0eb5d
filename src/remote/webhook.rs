//! `portolan webhook`: who is told of what happens to repositories.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::escape;
use super::repository::id_of;
use super::{Client, Column, Target, column};

const WEBHOOKS: [Column; 8] = [
    column("ID", "/id"),
    column("NAME", "/name"),
    column("URL", "/url"),
    column("FORMAT", "/format"),
    column("EVENTS", "/events"),
    column("TAGS", "/tags"),
    column("ON", "/enabled"),
    column("WHY NOT", "/disabled_because"),
];
const DELIVERIES: [Column; 8] = [
    column("ID", "/id"),
    column("TIME", "/created_at"),
    column("EVENT", "/event"),
    column("REPOSITORY", "/repository"),
    column("TAG", "/tag"),
    column("STATE", "/state"),
    column("STATUS", "/status"),
    column("ERROR", "/error"),
];

/// What a webhook shall be.
#[derive(Debug, Args)]
pub(crate) struct Wish {
    /// Where it is sent. Who knows the address of a chat can write there: the variable keeps it out of the list of processes.
    #[arg(
        long,
        value_name = "URL",
        env = "PORTOLAN_WEBHOOK_URL",
        hide_env_values = true
    )]
    url: Option<String>,
    /// What people call it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// docker_hub, cloudevents, slack, feishu, dingtalk or wecom [default: docker_hub]
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// What it is told of, such as push,tag.moved,tag.deleted [default: push]
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    events: Vec<String>,
    /// The tags that it is told of, such as v*; without one, all.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    tags: Vec<String>,
    /// The secret that a bot of Feishu or DingTalk signs by.
    #[arg(
        long = "bot-secret",
        value_name = "SECRET",
        env = "PORTOLAN_WEBHOOK_BOT_SECRET",
        hide_env_values = true
    )]
    secret: Option<String>,
}

impl Wish {
    fn body(&self) -> Value {
        let mut body = json!({});
        for (key, value) in [
            ("url", &self.url),
            ("name", &self.name),
            ("format", &self.format),
            ("secret", &self.secret),
        ] {
            if let Some(value) = value {
                body[key] = json!(value);
            }
        }
        for (key, list) in [("events", &self.events), ("tags", &self.tags)] {
            if !list.is_empty() {
                body[key] = json!(list);
            }
        }
        body
    }
}

/// One webhook.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// NAMESPACE/NAME for those of one repository, or the namespace.
    place: String,
    /// Its id.
    id: String,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Webhook {
    /// The webhooks of a repository, or of a namespace.
    List {
        /// NAMESPACE/NAME, or the namespace.
        place: String,
        #[command(flatten)]
        target: Target,
    },
    /// Make a webhook and print the secret that it signs with, alone, on standard output; it is not shown again.
    Create {
        /// NAMESPACE/NAME, or the namespace.
        place: String,
        #[command(flatten)]
        wish: Wish,
        #[command(flatten)]
        target: Target,
    },
    /// Make a webhook another one.
    Change {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        wish: Wish,
    },
    /// Switch a webhook on.
    Enable(One),
    /// Switch a webhook off; what waits for it is given up.
    Disable(One),
    /// Make another secret and print it; the older one signs besides for a day.
    Rotate {
        #[command(flatten)]
        one: One,
        /// Hours that the older one signs besides, at most 720; 0 after a theft.
        #[arg(long, value_name = "HOURS", default_value_t = 24)]
        overlap: u16,
    },
    /// Remove a webhook.
    Remove(One),
    /// Send a test.
    Ping(One),
    /// What a webhook was told last, the newest first.
    Deliveries {
        #[command(flatten)]
        one: One,
        /// How many, at most 200.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u16,
    },
    /// Send a delivery once more.
    Redeliver {
        #[command(flatten)]
        one: One,
        /// The delivery's id.
        delivery: String,
    },
}

/// `portolan webhook …`
pub(crate) async fn webhook(command: Webhook) -> anyhow::Result<()> {
    match command {
        Webhook::List { place, target } => {
            let client = Client::open(&target).await?;
            let hooks = client.list(&webhooks_of(&client, &place).await?, &[]).await?;
            client.output().list(&hooks, &WEBHOOKS);
            client.close().await;
        }
        Webhook::Create { place, wish, target } => {
            let client = Client::open(&target).await?;
            let made = client
                .post(&webhooks_of(&client, &place).await?, &wish.body())
                .await?;
            if made["secret"].is_string() {
                client.output().secret(&made, "/secret");
            } else {
                client.output().one(&made, &WEBHOOKS);
            }
            client.close().await;
        }
        Webhook::Change { one, wish } => change(&one, &wish.body()).await?,
        Webhook::Enable(one) => change(&one, &json!({"enabled": true})).await?,
        Webhook::Disable(one) => change(&one, &json!({"enabled": false})).await?,
        Webhook::Rotate { one, overlap } => {
            let client = Client::open(&one.target).await?;
            let path = format!("{}/secret", path_of(&client, &one).await?);
            let changed = client.post(&path, &json!({"overlap_hours": overlap})).await?;
            client.output().secret(&changed, "/secret");
            client.close().await;
        }
        Webhook::Remove(one) => {
            let client = Client::open(&one.target).await?;
            client.delete(&path_of(&client, &one).await?).await?;
            client.output().done("the webhook is removed");
            client.close().await;
        }
        Webhook::Ping(one) => {
            let client = Client::open(&one.target).await?;
            let path = format!("{}/ping", path_of(&client, &one).await?);
            client
                .output()
                .one(&client.post(&path, &json!({})).await?, &DELIVERIES);
            client.close().await;
        }
        Webhook::Deliveries { one, limit } => {
            let client = Client::open(&one.target).await?;
            let path = format!("{}/deliveries", path_of(&client, &one).await?);
            let page = client.get(&path, &[("limit", &limit.to_string())]).await?;
            let items = page["items"].as_array().cloned().unwrap_or_default();
            client.output().list(&items, &DELIVERIES);
            client.close().await;
        }
        Webhook::Redeliver { one, delivery } => {
            let client = Client::open(&one.target).await?;
            let path = format!(
                "{}/deliveries/{}/redeliver",
                path_of(&client, &one).await?,
                escape(&delivery)
            );
            client
                .output()
                .one(&client.post(&path, &json!({})).await?, &DELIVERIES);
            client.close().await;
        }
    }
    Ok(())
}

async fn change(one: &One, body: &Value) -> anyhow::Result<()> {
    let client = Client::open(&one.target).await?;
    let changed = client.patch(&path_of(&client, one).await?, body).await?;
    client.output().one(&changed, &WEBHOOKS);
    client.close().await;
    Ok(())
}

async fn webhooks_of(client: &Client, place: &str) -> anyhow::Result<String> {
    if place.contains('/') {
        return Ok(format!("/repositories/{}/webhooks", id_of(client, place).await?));
    }
    Ok(format!("/namespaces/{}/webhooks", escape(place)))
}

async fn path_of(client: &Client, one: &One) -> anyhow::Result<String> {
    let webhooks = webhooks_of(client, &one.place).await?;
    Ok(format!("{webhooks}/{}", escape(&one.id)))
}
