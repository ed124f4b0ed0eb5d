//! `registry-service`: arguments, configuration, wiring.

#[path = "main/arguments.rs"]
mod arguments;
#[path = "main/authentication.rs"]
mod authentication;
#[path = "main/garbage.rs"]
mod garbage;
#[path = "main/htpasswd.rs"]
mod htpasswd;
#[path = "main/log.rs"]
mod log;
#[path = "main/notifications.rs"]
mod notifications;
#[path = "main/report.rs"]
mod report;
mod scrub;
#[path = "main/socket.rs"]
mod socket;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arguments::{Arguments, Called, Command, called, configuration};
use authentication::authenticator;
use clap::Parser as _;
use registry_service::access_log::AccessLog;
use registry_service::acme::Acme;
use registry_service::config::{Backend, Config, DebugConfig, TlsConfig, TlsSource};
use registry_service::descriptor_cache::DescriptorCache;
use registry_service::endpoint::Policy;
use registry_service::health::Health;
use registry_service::http::debug::{self, Debug};
use registry_service::http::{WithHealth, observer, warning};
use registry_service::mail::Mailer;
use registry_service::notification::Notifications;
use registry_service::permit::Permits;
use registry_service::rate::{Counts, RedisTable};
use registry_service::redirect::{Redirects, effects_on_folder};
use registry_service::registry::Registry;
use registry_service::registry::garbage::Choice;
use registry_service::storage::{Filesystem, Memory, Options as FilesystemOptions, Storage};
use registry_service::trace::{self, Exporter, Traced};
use registry_service::{Builder, Built, maintenance};
use shared::runtime::clock::Clock;
use shared::runtime::probe;
use shared::runtime::serve::{Limits, Listener, Observer, serve, shutdown_signal};
use shared::runtime::telemetry;
use shared::runtime::tls::TlsAcceptorHandle;
use shared::secret::Secret;

#[expect(clippy::disallowed_methods, reason = "main reads the environment")]
fn main() -> ExitCode {
    if let Ok(promises) = std::env::var(shared::sabotage::VARIABLE) {
        shared::sabotage::choose(&promises);
    }
    let arguments = match called(std::env::args_os().collect(), Path::is_file) {
        Called::Htpasswd(arguments) => return finish(htpasswd::line(arguments).map(say)),
        Called::Registry(arguments) => arguments,
    };
    match Arguments::try_parse_from(arguments) {
        Ok(arguments) => finish(run(arguments.command)),
        Err(asked) => {
            // What was asked for, such as the version, or what is wrong with the arguments.
            let _ = asked.print();
            ExitCode::from(u8::from(asked.use_stderr()))
        }
    }
}

fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            fail(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the command's own last word, perhaps before there is a log"
)]
fn fail(error: &anyhow::Error) {
    eprintln!("registry-service: {error:#}");
}

#[expect(clippy::print_stderr, reason = "a check has no log; this is its answer")]
fn warn(warning: &str) {
    eprintln!("registry-service: warning: {warning}");
}

fn say(line: impl std::fmt::Display) {
    // Who reads along may go away in the middle.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::CheckConfig { config } => {
            let config = load(config)?;
            for warning in config.warnings() {
                warn(&warning);
            }
            for value in &config.effective {
                say(value);
            }
            Ok(())
        }
        Command::Health { config } => {
            let config = load(config)?;
            say(probe::ready(&config.http.addr, config.http.tls.is_some())?);
            Ok(())
        }
        Command::Reference => {
            let page = registry_service::config::reference();
            let _ = std::io::stdout().write_all(page.as_bytes());
            Ok(())
        }
        Command::Man { folder } => {
            clap_mangen::generate_to(<Arguments as clap::CommandFactory>::command(), &folder)
                .with_context(|| format!("writing into {}", folder.display()))
        }
        Command::GarbageCollect {
            config,
            dry_run,
            delete_untagged,
            quiet,
        } => {
            let choice = Choice {
                dry_run,
                delete_untagged,
            };
            let path = configuration(config, Path::is_file)?;
            let config = load(Some(path.clone()))?;
            telemetry::init(config.log.format.clone(), "warn")?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(garbage::collect_garbage(&config, &path, choice, quiet))
        }
        Command::Scrub {
            config,
            quarantine,
            quiet,
        } => {
            let config = load(config)?;
            telemetry::init(config.log.format.clone(), "error")?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(scrub::scrub(
                &content(&config, Clock::system())?,
                quarantine,
                quiet,
            ))
        }
        Command::Notifications { command } => {
            let (command, config) = command.into_parts();
            let config = load(config)?;
            telemetry::init(config.log.format.clone(), "error")?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let storage = storage(&config.storage.backend, &Clock::system())?;
            runtime.block_on(notifications::run(
                &storage,
                &config.notifications.endpoints,
                command,
            ))
        }
        Command::Serve { config } => {
            let config = load(config)?;
            let (hook, mailers) = log::mail(&config)?;
            telemetry::init(log::format(&config, hook), &config.log.level)?;
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let served = runtime.block_on(start(config));
            mailers.into_iter().for_each(Mailer::end);
            served
        }
    }
}

fn load(named: Option<PathBuf>) -> anyhow::Result<Config> {
    let path = configuration(named, Path::is_file)?;
    #[expect(clippy::disallowed_methods, reason = "main reads the environment")]
    let vars = std::env::vars();
    Ok(Config::load(&path, vars)?)
}

async fn start(config: Config) -> anyhow::Result<()> {
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let clock = Clock::system();
    let secret = match config.http.secret {
        Some(secret) => secret,
        None => random_secret()?,
    };
    let mut builder = Builder::new(
        storage(&config.storage.backend, &clock)?,
        clock.clone(),
        Arc::new(random),
        secret,
    );
    builder.policy = Policy {
        delete_enabled: config.storage.delete_enabled,
        read_only: config.storage.read_only,
    };
    builder.http.base_url = config.http.base_url;
    builder.http.prefix = config.http.prefix;
    builder.http.of_request = config.http.of_request;
    builder.http.requests = config.http.requests;
    builder.http.max_catalog = config.validation.max_catalog;
    builder.http.max_tags = config.validation.max_tags;
    builder.http.headers = config.http.headers;
    builder.http.warning = config.http.warning.as_deref().map(warning);
    builder.max_blob_size = config.validation.max_blob_size;
    builder.rules = config.validation.rules;
    let descriptors = config
        .redis
        .as_ref()
        .filter(|_| config.storage.cache_in_redis)
        .map(DescriptorCache::start)
        .transpose()
        .context("redis")?;
    if let Some(options) = &config.redis {
        // One redis for all replicas: they count together.
        builder.rates = Counts::shared(RedisTable::open(options).context("redis")?);
    }
    builder.descriptors.clone_from(&descriptors);
    // What has no effect must be good all the same, as in distribution.
    let redirects = Redirects::open(&config.redirects).context("middleware.storage")?;
    if effects_on_folder(&config.redirects).any(|has_effect| has_effect) {
        builder.redirects = Some(redirects);
    }
    builder.authenticator = authenticator(config.auth, &builder.secret, &builder.http.base_url)?;
    builder.permits = Permits::of_endpoints(&config.notifications.endpoints).context("notifications")?;
    builder.notifications = notifications::start(&builder, config.notifications, &config.http.addr)?;
    let notifications = builder.notifications.clone();
    let exporter = exporter(&clock)?;
    let readiness = builder.readiness.clone();
    let Built { router, registry } = builder.build();
    let health = Health::default();
    for check in config.health {
        health.watch(check, &registry);
    }
    if let Some(purging) = config.storage.purging {
        tokio::spawn(maintenance::purge_uploads(
            registry,
            purging.age,
            purging.interval,
            purging.dry_run,
        ));
    }
    let (tls, acme) = tls(config.http.tls)?;
    let listener = match socket::of_service_manager()? {
        Some(listener) => listener,
        None => Listener::bind_to(&config.http.addr)
            .await
            .with_context(|| format!("cannot listen on {}", config.http.addr))?,
    };
    let listener = listener.with_readiness(readiness);
    if let Some(acme) = acme {
        let random = || f64::from(u16::from_be_bytes([random()[0], random()[1]])) / f64::from(u16::MAX);
        acme.keep_current(clock.clone(), random)?;
    }
    let (access_log, writer) = if config.log.access_log {
        let (log, writer) = AccessLog::start(std::io::stdout()).context("the access log")?;
        (Some(log), Some(writer))
    } else {
        (None, None)
    };
    let listener = listener.observed_by(observer(clock, access_log));
    let debug = match config.debug {
        Some(debug) => Some(DebugServer::start(debug, &health, &listener, notifications, descriptors).await?),
        None => None,
    };
    tracing::info!(addr = %listener.address()?, tls = tls.is_some(), "listening");
    let readiness = listener.readiness();
    let router = WithHealth::new(router, readiness.clone()).gated_by(health, &readiness);
    let router = Traced::new(router);
    let served = serve(listener, tls, router, config.http.limits, shutdown_signal()).await;
    if let Some(exporter) = exporter {
        exporter.end().await;
    }
    if let Some(debug) = debug {
        debug.end().await?;
    }
    if let Some(writer) = writer {
        writer.end();
    }
    Ok(served?)
}

/// What sends traces, when the process's variables want them.
fn exporter(clock: &Clock) -> anyhow::Result<Option<Exporter>> {
    #[expect(clippy::disallowed_methods, reason = "main reads the environment")]
    let found = trace::Settings::of(std::env::vars());
    for warning in &found.warnings {
        tracing::warn!("{warning}");
    }
    let Some(settings) = found.settings else {
        return Ok(None);
    };
    // Without what may be secret in it.
    let collector = settings.endpoint.host_str().unwrap_or_default().to_owned();
    tracing::info!(collector, "requests are traced");
    Ok(Some(trace::start(settings, clock.clone(), Arc::new(random))?))
}

/// The registry's TLS, and what keeps its certificates current when they come by ACME.
fn tls(config: Option<TlsConfig>) -> anyhow::Result<(Option<TlsAcceptorHandle>, Option<Acme>)> {
    let Some(config) = config else {
        return Ok((None, None));
    };
    Ok(match config.source {
        TlsSource::Files { certificate, key } => {
            let tls = TlsAcceptorHandle::load_with(&certificate, &key, &config.options)?;
            (Some(tls), None)
        }
        TlsSource::Acme(settings) => {
            let acme = Acme::open(settings)?;
            (Some(acme.acceptor(&config.options)?), Some(acme))
        }
    })
}

/// The debug server, which goes on until the registry has drained: a drain is worth watching.
struct DebugServer {
    stop: tokio::sync::oneshot::Sender<()>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl DebugServer {
    async fn start(
        config: DebugConfig,
        health: &Health,
        registry: &Listener,
        notifications: Option<Notifications>,
        descriptors: Option<DescriptorCache>,
    ) -> anyhow::Result<Self> {
        let listener = Listener::bind(config.addr)
            .await
            .with_context(|| format!("the debug server cannot listen on {}", config.addr))?
            // Who looks at numbers is no request to the registry.
            .observed_by(Observer::new(|_| ()));
        tracing::info!(addr = %listener.local_addr()?, metrics = config.metrics_path.is_some(), "the debug server listens");
        let router = debug::router(Debug {
            health: health.clone(),
            metrics_path: config.metrics_path,
            connections: registry.connections(),
            notifications,
            descriptors,
        });
        let limits = Limits {
            max_connections: 64,
            drain: Duration::from_secs(1),
            ..Limits::default()
        };
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let stopped = async {
            // A sender that is gone has stopped it too.
            let _ = stopped.await;
        };
        let served = tokio::spawn(serve(listener, None, router, limits, stopped));
        Ok(Self { stop, served })
    }

    async fn end(self) -> anyhow::Result<()> {
        // A server that has ended by itself says why below.
        let _ = self.stop.send(());
        Ok(self.served.await??)
    }
}

/// The content that a configuration names, for a command that serves nobody.
fn content(config: &Config, clock: Clock) -> anyhow::Result<Registry> {
    let storage = storage(&config.storage.backend, &clock)?;
    let mut builder = Builder::new(storage, clock, Arc::new(random), Secret::new(Vec::new()));
    builder.rules = config.validation.rules.clone();
    Ok(builder.build().registry)
}

fn storage(backend: &Backend, clock: &Clock) -> anyhow::Result<Storage> {
    let clock = clock.clone();
    Ok(match backend {
        Backend::Filesystem { root, durability } => {
            let options = FilesystemOptions {
                durability: *durability,
            };
            Storage::Filesystem(Filesystem::open(root, options)?)
        }
        Backend::Memory => Storage::Memory(Memory::new(move || clock.now_ms())),
    })
}

fn random_secret() -> anyhow::Result<Secret<Vec<u8>>> {
    tracing::warn!("no http.secret is configured: a random one is used, which other replicas do not share");
    let mut secret = vec![0; 32];
    getrandom::fill(&mut secret).map_err(|e| anyhow::anyhow!("no random bytes: {e}"))?;
    Ok(Secret::new(secret))
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    #[expect(
        clippy::expect_used,
        reason = "the system gave random bytes at the start, and without them no id is safe"
    )]
    getrandom::fill(&mut bytes).expect("random bytes");
    bytes
}
