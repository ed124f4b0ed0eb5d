//! `portolan account`: accounts of a server or of a data folder.

use clap::Subcommand;
use serde_json::json;

use super::client::escape;
use super::{Client, Column, Target, column};

const ACCOUNTS: [Column; 6] = [
    column("NAME", "/name"),
    column("FULL NAME", "/full_name"),
    column("E-MAIL", "/email"),
    column("ADMIN", "/is_admin"),
    column("SUSPENDED", "/suspended_at"),
    column("CREATED", "/created_at"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// All accounts; for administrators.
    List {
        #[command(flatten)]
        target: Target,
    },
    /// One account, as you may see it.
    Show {
        /// The account.
        name: String,
        #[command(flatten)]
        target: Target,
    },
    /// Let an account do nothing until it is resumed.
    Suspend {
        /// The account.
        name: String,
        #[command(flatten)]
        target: Target,
    },
    /// Let a suspended account in again.
    Resume {
        /// The account.
        name: String,
        #[command(flatten)]
        target: Target,
    },
    /// Make an account an administrator of the site, or with --not no longer.
    Appoint {
        /// The account.
        name: String,
        /// It is none any more.
        #[arg(long)]
        not: bool,
        #[command(flatten)]
        target: Target,
    },
    /// What deleting an account would end, and, with --yes, delete it.
    Delete {
        /// The account; nobody gets its name again.
        name: String,
        /// Delete it.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        target: Target,
    },
}

/// `portolan account …`
pub(crate) async fn run(command: Account) -> anyhow::Result<()> {
    match command {
        Account::List { target } => {
            let client = Client::open(&target).await?;
            client
                .output()
                .list(&client.list("/accounts", &[]).await?, &ACCOUNTS);
            client.close().await;
        }
        Account::Show { name, target } => {
            let client = Client::open(&target).await?;
            let path = format!("/accounts/{}", escape(&name));
            client.output().one(&client.get(&path, &[]).await?, &ACCOUNTS);
            client.close().await;
        }
        Account::Suspend { name, target } => change(&name, &json!({"is_suspended": true}), &target).await?,
        Account::Resume { name, target } => change(&name, &json!({"is_suspended": false}), &target).await?,
        Account::Appoint { name, not, target } => change(&name, &json!({"is_admin": !not}), &target).await?,
        Account::Delete { name, yes, target } => {
            let client = Client::open(&target).await?;
            let path = format!("/accounts/{}", escape(&name));
            let columns = [
                column("in the way", "/obstacles"),
                column("repositories", "/repositories/names"),
            ];
            client
                .end(&path, "deletion", &columns, (yes, &format!("{name} is deleted")))
                .await?;
            client.close().await;
        }
    }
    Ok(())
}

async fn change(name: &str, body: &serde_json::Value, target: &Target) -> anyhow::Result<()> {
    let client = Client::open(target).await?;
    let path = format!("/accounts/{}", escape(name));
    client.output().one(&client.patch(&path, body).await?, &ACCOUNTS);
    client.close().await;
    Ok(())
}
