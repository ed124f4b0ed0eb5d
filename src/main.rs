//! `portolan`: index and registry in one command, and their administration. Wiring only.

mod address;
mod admin;
mod assembly;
mod cli;
mod data;
mod front_door;
mod htpasswd;
mod nginx;
mod password;
mod up;

use std::process::ExitCode;

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

#[expect(clippy::print_stdout, reason = "what was asked for goes to standard output")]
async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None => up::run(cli.up).await,
        Some(Command::Up(up)) => up::run(*up).await,
        Some(Command::User(command)) => admin::user(command).await,
        Some(Command::Repo(command)) => admin::repo(command).await,
        Some(Command::Token(command)) => admin::token(command).await,
        Some(Command::Htpasswd(command)) => {
            println!(
                "{}",
                htpasswd::line(&command.name, &password::read()?, command.cost)?
            );
            Ok(())
        }
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
