//! R11: the registry is killed under pushes, and its receiver fails; every event arrives in order.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow};
use harness::api::Api;
use harness::archive::digest;
use harness::binaries::path_of;
use harness::layout::{IMAGE_CONFIG, IMAGE_MANIFEST};
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::wait_for;
use harness::receiver::Receiver;
use serde_json::{Value, json};

use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "R11",
    promise: "kill -9 of the registry and failures of the receiver lose no event of an acknowledged push and keep each repository's order",
    needs: &[harness::Need::Portolan],
    control: "events are written after the push was acknowledged",
    run,
};

/// Clients at once, each with a repository of its own,
const CLIENTS: usize = 6;
/// and one that all move a tag of.
const SHARED: &str = "shared";
/// The server is killed after so many acknowledgements, at most.
const LOAD: u64 = 60;
/// Longest wait for as many, and for the queue to be empty.
const PATIENCE: Duration = Duration::from_mins(4);

/// What one client pushed.
#[derive(Debug, Default)]
struct Ledger {
    /// The digests in its repository and in the shared one, in the order of their acknowledgements.
    own: Vec<String>,
    shared: Vec<String>,
    /// Repository and manifest of a push that nobody answered. It may stand without its event until it is repeated.
    in_doubt: Option<(String, Vec<u8>)>,
}

impl Ledger {
    /// Pushes a manifest under the tag, and writes down how that ended.
    fn push(&mut self, api: &Api, repository: &str, content: Vec<u8>) -> Result<()> {
        self.in_doubt = Some((repository.to_owned(), content.clone()));
        let of = api.push_manifest(repository, "moving", IMAGE_MANIFEST, content)?;
        self.in_doubt = None;
        if repository == SHARED {
            self.shared.push(of);
        } else {
            self.own.push(of);
        }
        Ok(())
    }

    /// As every client has to.
    fn repeat(&mut self, api: &Api) -> Result<()> {
        match self.in_doubt.take() {
            Some((repository, content)) => self.push(api, &repository, content),
            None => Ok(()),
        }
    }
}

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let receiver = Receiver::start()?;
    let config = format!(
        "notifications:\n  endpoints:\n    - name: proof\n      url: {}\n      timeout: 30s\n      backoff: 50ms\n      \
         threshold: 2\n      batch: 10\n      maxevents: 1000000\n",
        receiver.url()
    );
    let choices = Choices {
        sabotage: if run.control { "tell-after-commit" } else { "" }.into(),
        config,
        ..Choices::default()
    };
    let folder = run.folder().join("storage");
    let mut registry = OpenRegistry::start(run.journey, &folder, &choices)?;
    let mut verdict = Verdict::default();
    let mut ledgers: Vec<Ledger> = (0..CLIENTS).map(|_| Ledger::default()).collect();
    let mut next = 0_u64;
    let api = registry.api()?;
    for client in 0..CLIENTS {
        api.push_blob(&own(client), "{}")?;
    }
    api.push_blob(SHARED, "{}")?;
    let kills = run.choose(6, 200);
    for number in 0..kills {
        // Every third time nobody hears.
        let is_failing = number % 3 == 2;
        receiver.answer(if is_failing { 503 } else { 200 });
        let wanted = 1 + run.random.below(LOAD);
        let (ended, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
        let api = registry.api()?;
        next = std::thread::scope(|scope| -> Result<u64> {
            let clients: Vec<_> = ledgers
                .iter_mut()
                .enumerate()
                .map(|(client, ledger)| {
                    let (api, ended, acknowledged) = (&api, &ended, &acknowledged);
                    scope.spawn(move || push(api, client, next, ledger, (ended, acknowledged)))
                })
                .collect();
            let enough = wait_for("acknowledgements", PATIENCE, || {
                Ok((acknowledged.load(Ordering::Relaxed) >= wanted).then_some(()))
            });
            registry.kill();
            ended.store(true, Ordering::Relaxed);
            let mut furthest = next;
            for client in clients {
                let reached = client.join().map_err(|_| anyhow!("a client panicked"))?;
                furthest = furthest.max(reached);
            }
            enough.map(|()| furthest)
        })?;
        registry.start_again()?;
        verdict.count("kills", 1);
        verdict.count("rounds_without_a_receiver", u64::from(is_failing));
        run.progress(&format!("kill {number} of {kills}"));
    }
    receiver.answer(200);
    let api = registry.api()?;
    ledgers.iter_mut().try_for_each(|ledger| ledger.repeat(&api))?;
    let list = || -> Result<String> {
        let line = run.journey.command(path_of("registry-service")?);
        let line = line.args(["notifications", "list"]).arg(registry.config());
        Ok(line.succeeds()?.stdout)
    };
    wait_for("an empty queue", PATIENCE, || {
        Ok(list()?.starts_with("0 events wait").then_some(()))
    })?;
    let told = receiver.events();
    let last = judge(&told, &ledgers, &mut verdict);
    let stands = api.manifest(SHARED, "moving")?;
    let stands = stands.header("docker-content-digest")?;
    verdict.require(last == Some(stands), || {
        format!("the tag stands at {stands}, and the last that was told is {last:?}")
    });
    registry.stop()?;
    Ok(verdict)
}

/// Pushes until the server is gone; the next number that nobody has used.
fn push(
    api: &Api,
    client: usize,
    first: u64,
    ledger: &mut Ledger,
    (ended, acknowledged): (&AtomicBool, &AtomicU64),
) -> u64 {
    let mut number = first;
    while !ended.load(Ordering::Relaxed) {
        let content = manifest(client, number);
        number += 1;
        let own = own(client);
        let pushed = (|| -> Result<()> {
            ledger.repeat(api)?;
            for repository in [own.as_str(), SHARED] {
                ledger.push(api, repository, content.clone())?;
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        })();
        if pushed.is_err() {
            break;
        }
    }
    number
}

fn own(client: usize) -> String {
    format!("own/{client}")
}

fn manifest(client: usize, number: u64) -> Vec<u8> {
    let document = json!({
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": { "mediaType": IMAGE_CONFIG, "digest": digest(b"{}"), "size": 2 },
        "layers": [],
        "annotations": { "client": client.to_string(), "number": number.to_string() },
    });
    document.to_string().into_bytes()
}

/// Holds what arrived against what was acknowledged; the last that was told of the shared tag.
fn judge<'e>(events: &'e [Value], ledgers: &[Ledger], verdict: &mut Verdict) -> Option<&'e str> {
    let mut seen = HashMap::new();
    let mut last = None;
    let mut told: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        // The same event may come again.
        if *seen.entry(event["id"].as_str().unwrap_or_default()).or_insert(at) != at {
            verdict.count("events_that_came_again", 1);
            continue;
        }
        let target = &event["target"];
        if target["tag"] == "moving" {
            let text = |name: &str| target[name].as_str().unwrap_or_default();
            told.insert((text("repository"), text("digest")), at);
            if target["repository"] == SHARED {
                last = target["digest"].as_str();
            }
        }
    }
    verdict.figure("events", seen.len());
    for (client, ledger) in ledgers.iter().enumerate() {
        let own = own(client);
        for (repository, pushed) in [(own.as_str(), &ledger.own), (SHARED, &ledger.shared)] {
            verdict.count("acknowledged_pushes", pushed.len() as u64);
            let mut before = None;
            for digest in pushed {
                let Some(at) = told.get(&(repository, digest.as_str())) else {
                    verdict.violation(format!(
                        "the push of {digest} to {repository} was acknowledged and not told"
                    ));
                    continue;
                };
                verdict.require(before.is_none_or(|before| before < *at), || {
                    format!("{digest} of {repository} was told out of order")
                });
                before = Some(*at);
            }
        }
    }
    last
}
