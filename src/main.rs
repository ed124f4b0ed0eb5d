//! `portolan`: index and registry in one command, and their administration. Wiring only.

mod address;
mod admin;
mod assembly;
mod cli;
mod data;
mod doctor;
mod front_door;
mod htpasswd;
mod import;
mod index_options;
mod keys;
mod nginx;
mod password;
mod place;
mod remote;
mod setup;
mod transfer;
mod up;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use cli::{Cli, Command};

#[expect(clippy::disallowed_methods, reason = "main reads the environment")]
fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Ok(promises) = std::env::var(shared::sabotage::VARIABLE) {
        shared::sabotage::choose(&promises);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the command's last word is for the person who typed it"
)]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("portolan: {error:#}");
    ExitCode::FAILURE
}

/// The variables, for the configuration of index-service.
#[expect(clippy::disallowed_methods, reason = "main reads the environment")]
fn environment() -> Vec<(String, String)> {
    std::env::vars().collect()
}

fn man(folder: &std::path::Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    clap_mangen::generate_to(<Cli as clap::CommandFactory>::command(), folder)
        .with_context(|| format!("writing into {}", folder.display()))
}

#[expect(clippy::print_stdout, reason = "what was asked for goes to standard output")]
async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None => up::run(cli.up).await,
        Some(Command::Up(up)) => up::run(*up).await,
        Some(Command::User(command)) => admin::user(command).await,
        Some(Command::Import(command)) => import::run(command, environment()).await,
        Some(Command::Repo(command)) => admin::repo(command).await,
        Some(Command::Token(command)) => admin::token(command).await,
        Some(Command::Account(command)) => remote::account::run(command).await,
        Some(Command::Org(command)) => remote::organisation::org(command).await,
        Some(Command::Member(command)) => remote::organisation::member(command).await,
        Some(Command::Team(command)) => remote::organisation::team(command).await,
        Some(Command::Invitation(command)) => remote::invitation::run(command).await,
        Some(Command::Search(search)) => remote::search::run(search).await,
        Some(Command::Reindex(command)) => remote::content::reindex(command).await,
        Some(Command::Retention(command)) => remote::retention::run(command).await,
        Some(Command::Immutable(command)) => remote::limit::immutable(command).await,
        Some(Command::Quota(command)) => remote::limit::quota(command).await,
        Some(Command::Rule(command)) => remote::access::rule(command).await,
        Some(Command::Webhook(command)) => remote::webhook::webhook(command).await,
        Some(Command::Access(command)) => remote::access::access(command).await,
        Some(Command::Robot(command)) => remote::credential::robot(command).await,
        Some(Command::Device(command)) => remote::device::run(command).await,
        Some(Command::Audit(command)) => remote::access::audit(command).await,
        Some(Command::Completion { shell }) => {
            let mut command = <Cli as clap::CommandFactory>::command();
            clap_complete::generate(shell, &mut command, "portolan", &mut std::io::stdout());
            Ok(())
        }
        Some(Command::Man { folder }) => man(&folder),
        Some(Command::Keys(command)) => keys::run(command, environment()).await,
        Some(Command::Db(command)) => transfer::db(command).await,
        Some(Command::Backup(command)) => transfer::back_up(command, environment()).await,
        Some(Command::Restore(command)) => transfer::restore(command, environment()).await,
        Some(Command::Health(up)) => {
            println!("{}", up::health(&up)?);
            Ok(())
        }
        Some(Command::Setup(command)) => setup::run(&command),
        Some(Command::Htpasswd(command)) => {
            println!(
                "{}",
                htpasswd::line(&command.name, &password::read()?, command.cost)?
            );
            Ok(())
        }
        Some(Command::Doctor(command)) => doctor::run(&command).await,
        Some(Command::NginxConfig(command)) => {
            let front_door = nginx::FrontDoor {
                listen: command.listen,
                index: command.index,
                registry: command.registry,
            };
            print!("{}", front_door.render());
            Ok(())
        }
    }
}
