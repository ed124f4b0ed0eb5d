//! `index-service`: arguments, configuration, wiring.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use index_service::config::LogFormat;
use index_service::random::Random;
use index_service::{App, Config, router};
use shared::runtime::clock::Clock;
use shared::runtime::probe;
use shared::runtime::serve::{Address, Listener, serve, shutdown_signal};
use shared::runtime::telemetry::{self, Format};
use shared::runtime::tls::TlsAcceptorHandle;

/// People and permission: accounts, repositories' visibility, the token endpoint.
#[derive(Debug, Parser)]
#[command(name = "index-service", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT.
    Serve {
        /// The configuration file (YAML); variables INDEX_… are laid over it.
        config: PathBuf,
    },
    /// Check a configuration file, name every fault, and exit.
    CheckConfig {
        /// The configuration file (YAML).
        config: PathBuf,
    },
    /// Ask the index that runs here with this configuration whether it is ready: exit code 0, or 1 and why not.
    Health {
        /// The configuration file (YAML); variables INDEX_… are laid over it.
        config: PathBuf,
    },
    /// Write the manual pages of this command line into a folder that is there.
    #[command(hide = true)]
    Man {
        /// The folder.
        folder: PathBuf,
    },
}

#[expect(clippy::disallowed_methods, reason = "main reads the environment")]
fn main() -> ExitCode {
    if let Ok(promises) = std::env::var(shared::sabotage::VARIABLE) {
        shared::sabotage::choose(&promises);
    }
    match run(&Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the last word is for the person who typed the command"
)]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("index-service: {error:#}");
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::CheckConfig { config } => {
            load(config)?;
            println!("{} is in order", config.display());
            Ok(())
        }
        Command::Health { config } => {
            let config = load(config)?;
            println!(
                "{}",
                probe::ready(&Address::Tcp(config.listen), config.tls.is_some())?
            );
            Ok(())
        }
        Command::Man { folder } => clap_mangen::generate_to(<Cli as clap::CommandFactory>::command(), folder)
            .with_context(|| format!("writing into {}", folder.display())),
        Command::Serve { config } => {
            let config = load(config)?;
            tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .context("starting the runtime")?
                .block_on(serve_index(config))
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
fn load(path: &std::path::Path) -> anyhow::Result<Config> {
    Config::load(path, std::env::vars()).with_context(|| format!("in the configuration {}", path.display()))
}

async fn serve_index(config: Config) -> anyhow::Result<()> {
    let format = match config.log.format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };
    telemetry::init(format, &config.log.level)?;
    let app = App::open(&config, Clock::system(), Random::system()).await?;
    if app.ensure_admin().await?.is_some() {
        let kept = config
            .initial_password_file
            .as_deref()
            .map(|path| path.display().to_string());
        tracing::info!(
            file = kept.unwrap_or_default(),
            "made the account admin; its first password is in the file"
        );
    }
    let tls = match &config.tls {
        Some((certificate, key)) => Some(TlsAcceptorHandle::load(certificate, key)?),
        None => None,
    };
    let listener = Listener::bind(config.listen)
        .await
        .with_context(|| format!("listening on {}", config.listen))?;
    tracing::info!(address = %listener.local_addr()?, public_url = app.public_url(), "serving");
    let router = router(app.clone(), listener.readiness());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let background = tokio::spawn({
        let app = app.clone();
        async move {
            app.background(async {
                let _ = stopped.await;
            })
            .await;
        }
    });
    serve(listener, tls, router, config.limits, shutdown_signal()).await?;
    drop(stop);
    background.await.context("ending the background work")?;
    app.close().await;
    Ok(())
}
