//! stub
use crate::cli;
pub(crate) async fn user(_: cli::User) -> anyhow::Result<()> { Ok(()) }
pub(crate) async fn repo(_: cli::Repo) -> anyhow::Result<()> { Ok(()) }
pub(crate) async fn token(_: cli::Token) -> anyhow::Result<()> { Ok(()) }
