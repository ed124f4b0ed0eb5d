//! `portolan invitation`: links that let people in.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::escape;
use super::{Client, Column, Target, column};
use crate::password;

const INVITATIONS: [Column; 7] = [
    column("ID", "/id"),
    column("ENDS IN", "/last_four"),
    column("ROLE", "/role"),
    column("USES LEFT", "/uses_left"),
    column("BY", "/inviter"),
    column("OPEN UNTIL", "/expires_at"),
    column("WITHDRAWN", "/revoked_at"),
];
const OFFER: [Column; 6] = [
    column("from", "/inviter"),
    column("organisation", "/organisation"),
    column("as", "/role"),
    column("team", "/team"),
    column("until", "/guest_until"),
    column("open until", "/expires_at"),
];

/// What is invited to.
#[derive(Debug, Args)]
pub(crate) struct To {
    /// The organisation; without one the site itself.
    #[arg(long = "org", value_name = "NAME")]
    organisation: Option<String>,
}

impl To {
    fn path(&self) -> String {
        match &self.organisation {
            Some(name) => format!("/organisations/{}/invitations", escape(name)),
            None => "/invitations".to_owned(),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Invitation {
    /// Make an invitation and print its link, alone, on standard output; it is not shown again.
    Create {
        #[command(flatten)]
        to: To,
        /// What one becomes in the organisation: manager, member or guest [default: member]
        #[arg(long, requires = "organisation")]
        role: Option<String>,
        /// A team that one is put into.
        #[arg(long, value_name = "TEAM", requires = "organisation")]
        team: Option<String>,
        /// The end of a guest's time, such as 2027-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME", requires = "organisation")]
        until: Option<String>,
        /// Days that the link is open.
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=30))]
        days: u16,
        /// How many it lets in.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
        uses: u16,
        /// The URL under which clients reach the server, for the link out of a data folder [default: http://localhost:5000]
        #[arg(
            long,
            value_name = "URL",
            env = "PORTOLAN_PUBLIC_URL",
            conflicts_with = "server"
        )]
        public_url: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Invitations, without their secrets.
    List {
        #[command(flatten)]
        to: To,
        #[command(flatten)]
        target: Target,
    },
    /// Withdraw an invitation.
    Revoke {
        /// Its id.
        id: String,
        #[command(flatten)]
        to: To,
        #[command(flatten)]
        target: Target,
    },
    /// What an invitation offers.
    Show {
        /// The link, or the secret in it.
        link: String,
        #[command(flatten)]
        target: Target,
    },
    /// Take an invitation to an organisation, or make an account with one.
    Accept {
        /// The link, or the secret in it.
        link: String,
        /// Make this account with it; its password is read from standard input.
        #[arg(long = "new", value_name = "NAME", conflicts_with_all = ["sign_in", "token"])]
        new_account: Option<String>,
        #[command(flatten)]
        target: Target,
    },
}

/// `portolan invitation …`
pub(crate) async fn run(command: Invitation) -> anyhow::Result<()> {
    match command {
        Invitation::Create {
            to,
            role,
            team,
            until,
            days,
            uses,
            public_url,
            target,
        } => {
            let mut body = json!({"days": days, "uses": uses});
            if to.organisation.is_some() {
                body["role"] = role.unwrap_or_else(|| "member".to_owned()).into();
            }
            for (key, value) in [("team", team), ("guest_until", until)] {
                if let Some(value) = value {
                    body[key] = value.into();
                }
            }
            let client = Client::open(&target).await?;
            let mut made = client.post(&to.path(), &body).await?;
            if let (Some(url), Some(secret)) = (public_url, made["secret"].as_str()) {
                made["link"] = format!("{}/invitation#{secret}", url.trim_end_matches('/')).into();
            }
            client.output().secret(&made, "/link");
            client.close().await;
        }
        Invitation::List { to, target } => {
            let client = Client::open(&target).await?;
            client
                .output()
                .list(&client.list(&to.path(), &[]).await?, &INVITATIONS);
            client.close().await;
        }
        Invitation::Revoke { id, to, target } => {
            let client = Client::open(&target).await?;
            client.delete(&format!("{}/{}", to.path(), escape(&id))).await?;
            client.output().done(&format!("the invitation {id} is withdrawn"));
            client.close().await;
        }
        Invitation::Show { link, target } => {
            let client = Client::open(&target).await?;
            let offer = client
                .post("/invitations/look", &json!({"invitation": link}))
                .await?;
            client.output().one(&offer, &OFFER);
            client.close().await;
        }
        Invitation::Accept {
            link,
            new_account: None,
            target,
        } => {
            let client = Client::open(&target).await?;
            let joined = client
                .post("/invitations/accept", &json!({"invitation": link}))
                .await?;
            client
                .output()
                .one(&joined, &[column("you are in", "/organisation")]);
            client.close().await;
        }
        Invitation::Accept {
            link,
            new_account: Some(name),
            target,
        } => {
            let password = password::read()?;
            let body: Value = json!({"name": name, "password": password.expose(), "invitation": link});
            let client = Client::open(&target).await?;
            let made = client.post("/accounts", &body).await?;
            let columns = [column("account", "/name"), column("in", "/organisation")];
            client.output().one(&made, &columns);
            client.close().await;
        }
    }
    Ok(())
}
