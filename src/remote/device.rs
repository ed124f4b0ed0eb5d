//! `portolan device`: where somebody is signed in by `docker login` with the password.

use clap::Subcommand;

use super::client::escape;
use super::{Client, Column, Target, column};

const DEVICES: [Column; 7] = [
    column("ID", "/id"),
    column("CLIENT", "/client_id"),
    column("PROGRAM", "/client"),
    column("SIGNED IN", "/created_at"),
    column("FROM", "/created_address"),
    column("LAST USE", "/last_used_at"),
    column("FROM", "/last_address"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Device {
    /// Your devices, the oldest first.
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Sign one of your devices out, or every one.
    End {
        /// Its id, as `list` shows it.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// Sign out everywhere; access tokens stay.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        target: Target,
    },
}

/// `portolan device …`
pub(crate) async fn run(command: Device) -> anyhow::Result<()> {
    match command {
        Device::List { target } => {
            let client = Client::open(&target).await?;
            client
                .output()
                .list(&client.list("/devices", &[]).await?, &DEVICES);
            client.close().await;
        }
        Device::End { id, target, .. } => {
            let client = Client::open(&target).await?;
            let (path, done) = match &id {
                Some(id) => (format!("/devices/{}", escape(id)), "the device is signed out"),
                None => ("/devices".to_owned(), "every device is signed out"),
            };
            client.delete(&path).await?;
            client.output().done(done);
            client.close().await;
        }
    }
    Ok(())
}
