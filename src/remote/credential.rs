//! `portolan robot` and `portolan token`: secrets of machines and of people.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use index_service::domain::{AllowedNetworks, Ceiling};
use serde_json::{Value, json};

use super::client::escape;
use super::{Client, Column, Target, column};

const ROBOTS: [Column; 6] = [
    column("ID", "/id"),
    column("NAME", "/username"),
    column("LIMITS", "/limits"),
    column("EXPIRES", "/expires_at"),
    column("SUSPENDED", "/suspended_at"),
    column("LAST USE", "/last_use/at"),
];
const TOKENS: [Column; 6] = [
    column("ID", "/id"),
    column("LABEL", "/label"),
    column("LIMITS", "/limits"),
    column("EXPIRES", "/expires_at"),
    column("REVOKED", "/revoked"),
    column("LAST USE", "/last_use/at"),
];

/// The pattern of every repository.
const EVERYTHING: &str = "*";

/// What a credential may do, and from where.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// The repositories it reaches: NS/NAME, NS/PREFIX-* or NS/*.
    #[arg(long, value_name = "PATTERN", default_value = EVERYTHING)]
    repositories: String,
    /// What it may do there: pull, push, delete, manage, administer.
    #[arg(
        long,
        value_name = "RIGHTS",
        value_delimiter = ',',
        default_value = "pull,push,delete"
    )]
    actions: Vec<String>,
    /// The networks it may be used from, such as 10.0.0.0/8; without one, from everywhere.
    #[arg(long = "from", value_name = "NETWORK")]
    networks: Vec<String>,
    /// Days until it expires.
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=365))]
    expires: u16,
}

impl Limits {
    /// What the API calls a ceiling.
    pub(crate) fn ceiling(&self) -> anyhow::Result<Ceiling> {
        let (rights, pattern) = (self.actions.join(","), &self.repositories);
        Ok(Ceiling::limited(
            rights.parse().with_context(|| format!("the rights {rights:?}"))?,
            pattern
                .parse()
                .with_context(|| format!("the pattern {pattern:?}"))?,
        ))
    }

    /// Where it may be used.
    pub(crate) fn networks(&self) -> anyhow::Result<AllowedNetworks> {
        let networks = self.networks.join(" ");
        networks
            .parse()
            .with_context(|| format!("the networks {networks:?}"))
    }

    /// Days until it expires.
    pub(crate) fn days(&self) -> u16 {
        self.expires
    }

    fn body(&self) -> Value {
        json!({
            "limits": [{"rights": self.actions, "pattern": self.repositories}],
            "networks": self.networks,
            "expires_in_days": self.expires,
        })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Robot {
    /// The robots of a namespace.
    List {
        /// The namespace.
        namespace: String,
        #[command(flatten)]
        target: Target,
    },
    /// Make a robot and print its secret, alone, on standard output; it is not shown again.
    Create {
        /// NAMESPACE+NAME: what it logs in as.
        robot: String,
        #[command(flatten)]
        limits: Limits,
        #[command(flatten)]
        target: Target,
    },
    /// Make another secret and print it; the older one lives on for a day.
    Rotate {
        /// Its id.
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Let a robot no longer in, until it is resumed.
    Suspend {
        /// Its id.
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Let a suspended robot in again.
    Resume {
        /// Its id.
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Delete a robot, and those that it made.
    Delete {
        /// Its id.
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

/// `portolan robot …`
pub(crate) async fn robot(command: Robot) -> anyhow::Result<()> {
    match command {
        Robot::List { namespace, target } => {
            let client = Client::open(&target).await?;
            let robots = client.list("/robots", &[("namespace", &namespace)]).await?;
            client.output().list(&robots, &ROBOTS);
            client.close().await;
        }
        Robot::Create {
            robot,
            limits,
            target,
        } => {
            let (namespace, name) = robot
                .split_once('+')
                .ok_or_else(|| anyhow::anyhow!("a robot is called NAMESPACE+NAME, such as team+ci"))?;
            let client = Client::open(&target).await?;
            let mut body = limits.body();
            // Without a wish it reaches all of its namespace: elsewhere rules give it rights.
            if limits.repositories == EVERYTHING {
                body["limits"][0]["pattern"] = format!("{namespace}/*").into();
            }
            body["namespace"] = namespace.into();
            body["name"] = name.into();
            client
                .output()
                .secret(&client.post("/robots", &body).await?, "/secret");
            client.close().await;
        }
        Robot::Rotate { id, target } => {
            let client = Client::open(&target).await?;
            let path = format!("/robots/{}/secrets", escape(&id));
            client
                .output()
                .secret(&client.post(&path, &json!({})).await?, "/secret");
            client.close().await;
        }
        Robot::Suspend { id, target } => suspend(&id, true, &target).await?,
        Robot::Resume { id, target } => suspend(&id, false, &target).await?,
        Robot::Delete { id, target } => {
            let client = Client::open(&target).await?;
            client.delete(&format!("/robots/{}", escape(&id))).await?;
            client.output().done("the robot is deleted");
            client.close().await;
        }
    }
    Ok(())
}

async fn suspend(id: &str, suspended: bool, target: &Target) -> anyhow::Result<()> {
    let client = Client::open(target).await?;
    let path = format!("/robots/{}", escape(id));
    let robot = client.patch(&path, &json!({"suspended": suspended})).await?;
    client.output().one(&robot, &ROBOTS);
    client.close().await;
    Ok(())
}

/// Your access tokens.
pub(crate) async fn list_tokens(target: &Target) -> anyhow::Result<()> {
    let client = Client::open(target).await?;
    client
        .output()
        .list(&client.list("/access-tokens", &[]).await?, &TOKENS);
    client.close().await;
    Ok(())
}

/// Makes another secret for one of your access tokens.
pub(crate) async fn rotate_token(id: &str, overlap_hours: u16, target: &Target) -> anyhow::Result<()> {
    let client = Client::open(target).await?;
    let path = format!("/access-tokens/{}/secrets", escape(id));
    let body = json!({"overlap_hours": overlap_hours});
    client
        .output()
        .secret(&client.post(&path, &body).await?, "/secret");
    client.close().await;
    Ok(())
}

/// Ends one of your access tokens.
pub(crate) async fn revoke_token(id: &str, target: &Target) -> anyhow::Result<()> {
    let client = Client::open(target).await?;
    client.delete(&format!("/access-tokens/{}", escape(id))).await?;
    client.output().done("the access token is revoked");
    client.close().await;
    Ok(())
}

/// Makes an access token for whoever signs in at the server.
pub(crate) async fn create_token(label: &str, limits: &Limits, target: &Target) -> anyhow::Result<()> {
    let client = Client::open(target).await?;
    let mut body = limits.body();
    body["label"] = label.into();
    client
        .output()
        .secret(&client.post("/access-tokens", &body).await?, "/secret");
    client.close().await;
    Ok(())
}
