//! `portolan org`, `portolan member`, `portolan team`: who is in an organisation.

use clap::Subcommand;
use serde_json::json;

use super::client::escape;
use super::{Client, Column, Target, column};

const ORGANISATIONS: [Column; 4] = [
    column("NAME", "/name"),
    column("DISPLAY NAME", "/display_name"),
    column("YOUR ROLE", "/role"),
    column("CREATED", "/created_at"),
];
const MEMBERS: [Column; 4] = [
    column("NAME", "/name"),
    column("FULL NAME", "/full_name"),
    column("ROLE", "/role"),
    column("UNTIL", "/expires_at"),
];
const TEAMS: [Column; 3] = [
    column("NAME", "/name"),
    column("DESCRIPTION", "/description"),
    column("CREATED", "/created_at"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Org {
    /// The organisations that you are in.
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Make an organisation with a namespace of its name; you own it.
    Create {
        /// Its name, as in repository names.
        name: String,
        /// Its name as people write it.
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// What deleting an organisation would end, and, with --yes, delete it.
    Delete {
        /// Its name, which nobody gets again.
        name: String,
        /// Delete it.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Member {
    /// Who is in an organisation.
    List {
        /// The organisation.
        org: String,
        #[command(flatten)]
        target: Target,
    },
    /// Make an account a member, or change its role.
    Put {
        /// The organisation.
        org: String,
        /// The account.
        name: String,
        /// owner, manager, member or guest.
        #[arg(long, default_value = "member")]
        role: String,
        /// The end of a guest's time, such as 2027-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// What an account would lose by leaving, and, with --yes, remove it.
    Remove {
        /// The organisation.
        org: String,
        /// The account.
        name: String,
        /// Remove it.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Team {
    /// The teams of an organisation.
    List {
        /// The organisation.
        org: String,
        #[command(flatten)]
        target: Target,
    },
    /// Make a team.
    Create {
        /// The organisation.
        org: String,
        /// The team.
        team: String,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
        #[command(flatten)]
        target: Target,
    },
    /// Delete a team; what rules gave to it ends.
    Delete {
        /// The organisation.
        org: String,
        /// The team.
        team: String,
        #[command(flatten)]
        target: Target,
    },
    /// Who is in a team.
    Members {
        /// The organisation.
        org: String,
        /// The team.
        team: String,
        #[command(flatten)]
        target: Target,
    },
    /// Take a member of the organisation into a team.
    Add {
        /// The organisation.
        org: String,
        /// The team.
        team: String,
        /// The account.
        name: String,
        #[command(flatten)]
        target: Target,
    },
    /// Take an account out of a team.
    Remove {
        /// The organisation.
        org: String,
        /// The team.
        team: String,
        /// The account.
        name: String,
        #[command(flatten)]
        target: Target,
    },
}

/// `portolan org …`
pub(crate) async fn org(command: Org) -> anyhow::Result<()> {
    match command {
        Org::List { target } => {
            let client = Client::open(&target).await?;
            client
                .output()
                .list(&client.list("/organisations", &[]).await?, &ORGANISATIONS);
            client.close().await;
        }
        Org::Create {
            name,
            display_name,
            target,
        } => {
            let client = Client::open(&target).await?;
            let mut body = json!({"name": name});
            if let Some(text) = display_name {
                body["display_name"] = text.into();
            }
            let made = client.post("/organisations", &body).await?;
            client.output().one(&made, &ORGANISATIONS);
            client.close().await;
        }
        Org::Delete { name, yes, target } => {
            let client = Client::open(&target).await?;
            let path = format!("/organisations/{}", escape(&name));
            let columns = [
                column("repositories in the way", "/repositories/names"),
                column("members", "/members"),
                column("teams", "/teams"),
            ];
            client
                .end(&path, "deletion", &columns, (yes, &format!("{name} is deleted")))
                .await?;
            client.close().await;
        }
    }
    Ok(())
}

/// `portolan member …`
pub(crate) async fn member(command: Member) -> anyhow::Result<()> {
    match command {
        Member::List { org, target } => {
            let client = Client::open(&target).await?;
            let path = format!("/organisations/{}/members", escape(&org));
            client.output().list(&client.list(&path, &[]).await?, &MEMBERS);
            client.close().await;
        }
        Member::Put {
            org,
            name,
            role,
            until,
            target,
        } => {
            let client = Client::open(&target).await?;
            let path = format!("/organisations/{}/members/{}", escape(&org), escape(&name));
            let mut body = json!({"role": role});
            if let Some(until) = until {
                body["expires_at"] = until.into();
            }
            client.output().one(&client.put(&path, &body).await?, &MEMBERS);
            client.close().await;
        }
        Member::Remove {
            org,
            name,
            yes,
            target,
        } => {
            let client = Client::open(&target).await?;
            let path = format!("/organisations/{}/members/{}", escape(&org), escape(&name));
            let columns = [
                column("in the way", "/obstacle"),
                column("teams", "/teams"),
                column("rules", "/rules/names"),
                column("access tokens", "/tokens"),
            ];
            client
                .end(
                    &path,
                    "departure",
                    &columns,
                    (yes, &format!("{name} has left {org}")),
                )
                .await?;
            client.close().await;
        }
    }
    Ok(())
}

/// `portolan team …`
pub(crate) async fn team(command: Team) -> anyhow::Result<()> {
    let teams = |org: &str| format!("/organisations/{}/teams", escape(org));
    let one = |org: &str, team: &str| format!("{}/{}", teams(org), escape(team));
    match command {
        Team::List { org, target } => {
            let client = Client::open(&target).await?;
            client
                .output()
                .list(&client.list(&teams(&org), &[]).await?, &TEAMS);
            client.close().await;
        }
        Team::Create {
            org,
            team,
            description,
            target,
        } => {
            let client = Client::open(&target).await?;
            let body = json!({"name": team, "description": description});
            client
                .output()
                .one(&client.post(&teams(&org), &body).await?, &TEAMS);
            client.close().await;
        }
        Team::Delete { org, team, target } => {
            let client = Client::open(&target).await?;
            client.delete(&one(&org, &team)).await?;
            client
                .output()
                .done(&format!("the team {team} of {org} is deleted"));
            client.close().await;
        }
        Team::Members { org, team, target } => {
            let client = Client::open(&target).await?;
            let path = format!("{}/members", one(&org, &team));
            client.output().list(&client.list(&path, &[]).await?, &MEMBERS);
            client.close().await;
        }
        Team::Add {
            org,
            team,
            name,
            target,
        } => {
            let client = Client::open(&target).await?;
            let path = format!("{}/members/{}", one(&org, &team), escape(&name));
            client.put(&path, &json!({})).await?;
            client.output().done(&format!("{name} is in {team}"));
            client.close().await;
        }
        Team::Remove {
            org,
            team,
            name,
            target,
        } => {
            let client = Client::open(&target).await?;
            client
                .delete(&format!("{}/members/{}", one(&org, &team), escape(&name)))
                .await?;
            client.output().done(&format!("{name} is no longer in {team}"));
            client.close().await;
        }
    }
    Ok(())
}
