//! The index's SQLite under power cuts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use harness::Account;
use harness::api::Api;
use harness::binaries::path_of;
use harness::disk::Disk;
use harness::process::{free_port, wait_for};

use super::commands::Commands;
use super::person::{Person, Thing};
use super::view::Index;
use crate::crash::{Ledger, Service, judge};
use crate::{Run, Verdict};

const MEBIBYTES: u64 = 192;
/// People at once.
const PEOPLE: usize = 4;
/// The power is cut after so many acknowledgements, at most.
const MOST: u64 = 16;
/// The longest wait for them.
const PATIENCE: Duration = Duration::from_mins(1);
/// Things that are looked at after each cut, besides those in doubt. A login costs a password's hash.
const NEWEST: usize = 30;
/// What breaks the promise.
const SABOTAGE: &str = "sqlite-synchronous-off";

/// One disk through many cuts.
pub(super) fn run(run: &mut Run<'_>, verdict: &mut Verdict) -> Result<()> {
    let folder = run.journey.subfolder("index")?;
    let mut disk = Disk::make(&folder, MEBIBYTES)?;
    let sabotage = if run.control { SABOTAGE } else { "" };
    let data = disk.path().join("data");
    let owner = prepare(run, &folder, &data)?;
    let service = up(&folder, &data, sabotage)?;
    let commands = Commands::new(data, folder.clone(), sabotage);
    let index = Index {
        url: service.url(),
        service: format!("localhost:{}", service.port),
        owner,
    };
    let ledger = Arc::new(Ledger::<Thing>::default());
    let mut people: Vec<Person> = (0..PEOPLE)
        .map(|number| Person::new(number, run.random.fork()))
        .collect();
    let cuts = run.choose(2, 60);
    for cut in 0..=cuts {
        let mut running = service.start(run.journey)?;
        index.check()?;
        if cut == cuts {
            look(&index, &ledger, ledger.all(), verdict);
            verdict.require(running.stop()?, || {
                "the index did not end well at SIGTERM".to_owned()
            });
            break;
        }
        look(&index, &ledger, ledger.newest(NEWEST), verdict);
        let more = 1 + run.random.below(MOST);
        ledger.reopen();
        commands.reopen();
        std::thread::scope(|scope| -> Result<()> {
            let (index, commands, ledger) = (&index, &commands, &*ledger);
            let working: Vec<_> = people
                .iter_mut()
                .map(|person| scope.spawn(move || person.work(index, commands, ledger)))
                .collect();
            let before = ledger.total();
            let enough = wait_for("acknowledgements", PATIENCE, || {
                Ok((ledger.total() >= before + more).then_some(()))
            });
            // Answers that come from here on promise nothing.
            ledger.close();
            running.pause();
            commands.pause();
            let cut = disk.cut();
            running.kill();
            commands.kill();
            for person in working {
                person
                    .join()
                    .map_err(|_| anyhow::anyhow!("a person panicked"))??;
            }
            enough.and(cut)
        })?;
        disk.power_up()?;
        verdict.count("index_cuts", 1);
        let violations = verdict.violations;
        run.progress(&format!("index, cut {cut} of {cuts}, {violations} violations"));
    }
    for (what, count) in ledger.acknowledged() {
        verdict.count(&format!("index_acknowledged_{what}"), count);
    }
    verdict.count("index_acknowledged", ledger.total());
    Ok(())
}

fn up(folder: &Path, data: &Path, sabotage: &str) -> Result<Service> {
    let port = free_port()?;
    let program = path_of("portolan")?.display().to_string();
    let (listen, url) = (format!("127.0.0.1:{port}"), format!("http://localhost:{port}"));
    let data = data.display().to_string();
    let words = ["up", "--listen", &listen, "--public-url", &url, "--data", &data];
    Ok(Service {
        words: std::iter::once(program).chain(words.map(str::to_owned)).collect(),
        variables: vec![("PORTOLAN_SABOTAGE".to_owned(), sabotage.to_owned())],
        port,
        log: folder.join("portolan.log"),
    })
}

/// An account with repositories, before the first cut.
fn prepare(run: &Run<'_>, folder: &Path, data: &Path) -> Result<Account> {
    let service = up(folder, data, "")?;
    let commands = Commands::new(data.to_owned(), folder.to_owned(), "");
    let mut running = service.start(run.journey)?;
    let password = commands.run(&["user", "add", "owner"])?.context("no account")?;
    let owner = Account {
        name: "owner".to_owned(),
        password: password.trim().to_owned(),
    };
    let api = Api::new(&service.url(), Some(owner.clone()))?;
    for number in 0..PEOPLE {
        api.push_small_image(&format!("owner/base{number}"), "1", "base")?;
    }
    running.stop()?;
    Ok(owner)
}

fn look(index: &Index, ledger: &Ledger<Thing>, things: Vec<Thing>, verdict: &mut Verdict) {
    verdict.count("index_in_doubt", ledger.doubts() as u64);
    for thing in things {
        verdict.count("index_looks", 1);
        match index.look(&thing) {
            Ok(seen) => judge(ledger, &thing, &seen, verdict),
            Err(error) => verdict.violation(format!("{thing:?}: {error:#}")),
        }
    }
}
