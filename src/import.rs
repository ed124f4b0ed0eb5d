//! `portolan import`: what other programs keep, taken over.

mod count;
mod htpasswd;
mod registry;
mod telling;
mod volume;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// Take over the accounts of an htpasswd file. bcrypt is kept, and replaced at the next login; weaker hashes are refused.
    Htpasswd(htpasswd::Htpasswd),
    /// Copy repositories out of another registry, such as Harbor or distribution, into a running server. What is there
    /// already is skipped, so it can be interrupted and said again.
    Registry(Box<registry::Registry>),
    /// Adopt the volume of a CNCF distribution (`registry:2`) in place: its repositories appear in the index, private, with
    /// owners of your choice. The volume is only read.
    Volume(volume::Volume),
}

/// `portolan import …`
pub(crate) async fn run(command: Import, variables: Vec<(String, String)>) -> anyhow::Result<()> {
    match command {
        Import::Htpasswd(command) => htpasswd::run(command).await,
        Import::Registry(command) => registry::run(*command).await,
        Import::Volume(command) => volume::run(command, variables).await,
    }
}
