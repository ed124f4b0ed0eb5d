//! R1: the server is killed at random moments under load.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use harness::binaries::path_of;
use harness::server::Options;
use harness::{Account, Need, Server};

use crate::crash::{Access, Load, Running, Service, check_tree};
use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "R1",
    promise: "kill -9 at any moment loses nothing that was acknowledged and leaves nothing half visible",
    needs: &[Need::Portolan],
    control: "changes are acknowledged before they are made",
    run,
};

/// Clients at once.
const CLIENTS: usize = 8;
/// The server is killed so long after its clients began, at most.
const LOAD_MS: u64 = 400;
/// One in so many starts is killed too,
const STARTS_KILLED: u64 = 5;
/// so long after it began, at most.
const START_MS: u64 = 150;
/// What breaks the promise.
const SABOTAGE: &str = "acknowledge-before-commit";

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let mut ready = Vec::new();
    one_server(run, &mut verdict, &mut ready)?;
    if !run.control {
        two_servers(run, &mut verdict)?;
    }
    ready.sort();
    if let Some(median) = ready.get(ready.len() / 2) {
        verdict.figure("restart_to_ready_median_ms", median.as_secs_f64() * 1000.0);
    }
    Ok(verdict)
}

/// `portolan up`, with tokens.
fn one_server(run: &mut Run<'_>, verdict: &mut Verdict, ready: &mut Vec<Duration>) -> Result<()> {
    let server = Server::own(run.journey, Options::default())?;
    let account = server.account(run.journey, "crash")?;
    let secret = server.administer(
        run.journey,
        &["token", "create", &account.name, "--name", "crash"],
        "",
    )?;
    let account = Account {
        password: secret.trim().to_owned(),
        ..account
    };
    server.stop()?;
    let service = up(&server, if run.control { SABOTAGE } else { "" })?;
    let mut load = Load::new(&mut run.random, &account.name, CLIENTS, true);
    let repositories = load.repositories().to_vec();
    let kills = run.choose(12, 500);
    for number in 0..=kills {
        if run.random.below(STARTS_KILLED) == 0 {
            let mut starting = service.begin(run.journey)?;
            std::thread::sleep(Duration::from_millis(run.random.below(START_MS)));
            starting.kill();
            verdict.count("kills_while_starting", 1);
        }
        let mut running = service.start(run.journey)?;
        ready.push(running.ready_after);
        let access = Access::with_token(&service.url(), &server.host(), &account, &repositories)?;
        let access = Arc::new(access);
        if number == kills {
            load.audit_all(&access, verdict)?;
            check_tree(&server.storage(), verdict)?;
            verdict.require(running.stop()?, || {
                "the server did not end well at SIGTERM".to_owned()
            });
            break;
        }
        load.check(&access, verdict)?;
        let moment = Duration::from_millis(run.random.below(LOAD_MS));
        load.work_until(&access, |_| {
            // The random moment is what is tried here.
            std::thread::sleep(moment);
            running.kill();
            Ok(())
        })?;
        load.unexpected(run.control, verdict);
        verdict.count("kills", 1);
        run.progress(&format!(
            "kill {number} of {kills}, {} violations",
            verdict.violations
        ));
    }
    load.figures("", verdict);
    Ok(())
}

fn up(server: &Server, sabotage: &str) -> Result<Service> {
    let listen = format!("127.0.0.1:{}", server.port());
    let program = path_of("portolan")?.display().to_string();
    let data = server.data().display().to_string();
    let words = [
        "up",
        "--listen",
        &listen,
        "--public-url",
        &server.url(),
        "--data",
        &data,
    ];
    Ok(Service {
        words: std::iter::once(program).chain(words.map(str::to_owned)).collect(),
        variables: vec![("PORTOLAN_SABOTAGE".to_owned(), sabotage.to_owned())],
        port: server.port(),
        log: server.log(),
    })
}

/// Two registries on one folder; one of them is killed, the clients go on with the other.
fn two_servers(run: &mut Run<'_>, verdict: &mut Verdict) -> Result<()> {
    let folder = run.journey.subfolder("two")?;
    let services = [
        Service::open_registry(run.folder(), &folder, "")?,
        Service::open_registry(run.folder(), &folder, "")?,
    ];
    let urls: Vec<String> = services.iter().map(Service::url).collect();
    let mut running: Vec<Running> = services
        .iter()
        .map(|service| service.start(run.journey))
        .collect::<Result<_>>()?;
    let mut load = Load::new(&mut run.random, "two", CLIENTS, true);
    let kills = run.choose(3, 100);
    for number in 0..kills {
        let access = Arc::new(Access::open(&urls)?);
        load.check(&access, verdict)?;
        let killed = usize::try_from(run.random.below(2))?;
        let moment = Duration::from_millis(run.random.below(LOAD_MS));
        // The other one works on for a while.
        let after = Duration::from_millis(run.random.below(LOAD_MS) / 4);
        load.work_until(&access, |_| {
            std::thread::sleep(moment);
            running[killed].kill();
            std::thread::sleep(after);
            Ok(())
        })?;
        load.unexpected(false, verdict);
        running[killed] = services[killed].start(run.journey)?;
        verdict.count("kills_of_one_of_two", 1);
        run.progress(&format!("kill {number} of {kills} of one of two servers"));
    }
    let access = Arc::new(Access::open(&urls)?);
    load.audit_all(&access, verdict)?;
    check_tree(&folder, verdict)?;
    for server in &mut running {
        verdict.require(server.stop()?, || {
            "a replica did not end well at SIGTERM".to_owned()
        });
    }
    load.figures("", verdict);
    Ok(())
}
