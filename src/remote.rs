//! Daily administration through the API: of a server by its address, or of a data folder in this process.

pub(crate) mod access;
pub(crate) mod account;
mod client;
pub(crate) mod content;
pub(crate) mod credential;
pub(crate) mod device;
pub(crate) mod invitation;
pub(crate) mod limit;
mod local;
pub(crate) mod organisation;
mod output;
pub(crate) mod repository;
pub(crate) mod retention;
pub(crate) mod search;
pub(crate) mod webhook;

use client::Client;
pub(crate) use output::{Column, Output, column};

use std::path::PathBuf;

use clap::Args;

use crate::cli::Data;

/// Which index is administered, and as whom.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// The server's address; without it the data folder is administered itself.
    #[arg(long, value_name = "URL", env = "PORTOLAN_SERVER")]
    pub(crate) server: Option<String>,
    /// An access token for --server.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "PORTOLAN_TOKEN",
        hide_env_values = true,
        requires = "server"
    )]
    pub(crate) token: Option<String>,
    /// Sign in at --server as this account; its password is read from standard input.
    #[arg(
        long = "user",
        value_name = "NAME",
        requires = "server",
        conflicts_with = "token"
    )]
    pub(crate) sign_in: Option<String>,
    /// In the data folder, act for this account: whoever administers the machine may.
    #[arg(
        long = "as",
        value_name = "NAME",
        default_value = "admin",
        conflicts_with = "server"
    )]
    pub(crate) for_account: String,
    /// Trust this certificate besides those of the system (PEM).
    #[arg(long, value_name = "FILE", env = "PORTOLAN_CA")]
    pub(crate) ca: Option<PathBuf>,
    /// Print what the server answers, as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: Data,
}
