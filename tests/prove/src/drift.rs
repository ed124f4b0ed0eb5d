//! R12: index and registry are killed and stopped under pushes, moves and deletes; afterwards the index knows what the registry
//! holds, and the history what was acknowledged.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use harness::Account;
use harness::api::{Answer, Api};
use harness::archive::digest;
use harness::binaries::path_of;
use harness::layout::{IMAGE_CONFIG, IMAGE_INDEX, IMAGE_MANIFEST};
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::{Daemon, free_port, wait_for};
use harness::server::probe;
use http::Method;
use serde_json::{Value, json};

use crate::{Proof, Random, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "R12",
    promise: "whatever is killed or stopped, the index comes to know exactly what the registry holds, each push counted once",
    needs: &[harness::Need::Portolan],
    control: "the registry writes events after the push was acknowledged",
    run,
};

const CLIENTS: usize = 4;
const TAGS: u64 = 6;
/// One of the two is killed after so many acknowledgements, at most.
const LOAD: u64 = 60;
/// Longest wait for them, and for what waits to be delivered.
const PATIENCE: Duration = Duration::from_mins(3);
/// Longest wait for a comparison without differences, however many of them go.
const LONGEST: Duration = Duration::from_mins(15);
const SECRET: &str = "what-the-registry-shows-to-the-index-0123456789";

/// What one client did in its repository.
#[derive(Debug, Default)]
struct Ledger {
    /// What each tag points to, as far as that is certain.
    tags: BTreeMap<String, Option<String>>,
    /// Pushes with a tag: acknowledged, and without an answer.
    pushed: u64,
    doubtful: u64,
    deleted: u64,
    next: u64,
}

/// The index beside the registry.
struct Index<'a> {
    run: &'a Run<'a>,
    port: u16,
    daemon: Option<Daemon>,
}

impl Index<'_> {
    fn start(&mut self) -> Result<()> {
        let folder = self.run.folder();
        let mut command = Command::new(path_of("index-service")?);
        command.arg("serve").arg(folder.join("index.yml"));
        let mut daemon = Daemon::start("index-service", command, &folder.join("index.log"))?;
        let ready = format!("http://127.0.0.1:{}/readyz", self.port);
        daemon.wait_until_ready(Duration::from_mins(1), || probe(&ready))?;
        self.daemon = Some(daemon);
        Ok(())
    }

    fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill();
        }
    }

    fn stop(&mut self) -> Result<()> {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.stop(Duration::from_mins(1))?;
        }
        Ok(())
    }
}

/// Clients' way to the registry: one token for a whole round, so that nobody asks an index that is away.
struct Access {
    api: Api,
    authorization: String,
    repository: String,
}

impl Access {
    fn send(&self, method: Method, path: &str, media_type: &str, body: Vec<u8>) -> Result<Answer> {
        let path = format!("/v2/{}/{path}", self.repository);
        let headers = [
            ("authorization", self.authorization.as_str()),
            ("content-type", media_type),
        ];
        self.api.send(method, &path, &headers, Bytes::from(body))
    }
}

fn repository(client: usize) -> String {
    format!("ada/app-{client}")
}

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let mut random = run.random.fork();
    let (kills, limit) = run.choose((4, 0), (10_000, 300));
    let sabotage = if run.control { "tell-after-commit" } else { "" };
    // What is lost is lost after a short while, too.
    let settle = Duration::from_secs(if run.control { 5 } else { run.choose(60, 120) });
    let run = &*run;
    let (mut index, mut registry, ada) = prepare(run, sabotage)?;
    let mut verdict = Verdict::default();
    let mut ledgers: Vec<Ledger> = (0..CLIENTS).map(|_| Ledger::default()).collect();
    let begun = Instant::now();
    for number in 0..kills {
        if limit > 0 && begun.elapsed().as_secs() >= limit {
            break;
        }
        let accesses = accesses(index.port, registry.port(), &ada)?;
        // In the first round everything is new; later the index is away in one of four for all of it.
        let is_away = number % 4 == 3;
        if is_away {
            index.stop()?;
            verdict.count("rounds_without_an_index", 1);
        }
        let wanted = 1 + random.below(LOAD);
        // The control shows itself at the registry.
        let victim = if run.control { 1 } else { random.below(3) };
        let (ended, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
        std::thread::scope(|scope| -> Result<()> {
            let mut clients = Vec::new();
            for (access, ledger) in accesses.iter().zip(&mut ledgers) {
                let (mut random, ended, acknowledged) = (random.fork(), &ended, &acknowledged);
                clients.push(scope.spawn(move || work(access, ledger, &mut random, (ended, acknowledged))));
            }
            let enough = wait_for("acknowledgements", PATIENCE, || {
                Ok((acknowledged.load(Ordering::Relaxed) >= wanted).then_some(()))
            });
            if victim != 1 {
                index.kill();
            }
            if victim != 0 {
                registry.kill();
            }
            ended.store(true, Ordering::Relaxed);
            for client in clients {
                client.join().map_err(|_| anyhow!("a client panicked"))?;
            }
            enough
        })?;
        if victim != 0 {
            registry.start_again()?;
        }
        if index.daemon.is_none() {
            index.start()?;
        }
        let name = ["kills_of_the_index", "kills_of_the_registry", "kills_of_both"][usize::try_from(victim)?];
        verdict.count(name, 1);
    }
    settled(run, &registry)?;
    for (client, ledger) in ledgers.iter().enumerate() {
        judge(
            (&index, &registry, &ada),
            &repository(client),
            ledger,
            settle,
            &mut verdict,
        )?;
    }
    index.stop()?;
    registry.stop()?;
    Ok(verdict)
}

fn prepare<'a>(run: &'a Run<'a>, sabotage: &str) -> Result<(Index<'a>, OpenRegistry, Account)> {
    use std::os::unix::fs::PermissionsExt as _;
    let port = free_port()?;
    let base = format!("http://127.0.0.1:{port}");
    let choices = Choices {
        sabotage: sabotage.to_owned(),
        config: format!(
            "auth:\n  token:\n    realm: {base}/token\n    service: 127.0.0.1:{port}\n    issuer: portolan\n    \
             jwksurl: {base}/.well-known/jwks.json\nnotifications:\n  endpoints:\n    - name: index\n      \
             url: {base}/events/registry\n      index: true\n      headers:\n        Authorization: [Bearer {SECRET}]\n      \
             timeout: 30s\n      backoff: 50ms\n      threshold: 2\n      batch: 50\n      ignore:\n        \
             mediatypes: [application/octet-stream]\n"
        ),
        ..Choices::default()
    };
    let folder = run.folder();
    let data = run.journey.subfolder("data")?;
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700))?;
    let registry = OpenRegistry::start(run.journey, &folder.join("storage"), &choices)?;
    let data = data.display();
    let config = format!(
        "listen: 127.0.0.1:{port}\npublic_url: {base}\ndatabase: sqlite://{data}/index.db\nkeys_dir: {data}/keys\n\
         initial_password_file: {data}/initial-admin-password\nregistry:\n  url: http://127.0.0.1:{}\n  \
         events_secret: {SECRET}\n",
        registry.port()
    );
    std::fs::write(folder.join("index.yml"), config)?;
    run.journey.watch_log(&folder.join("index.log"));
    let mut index = Index {
        run,
        port,
        daemon: None,
    };
    index.start()?;
    let ada = Account {
        name: "ada".to_owned(),
        password: "correct horse of ada".to_owned(),
    };
    let line = run.journey.command(path_of("portolan")?);
    line.args(["user", "add", "ada", "--password-stdin", "--data"])
        .arg(data.to_string())
        .stdin(ada.password.as_str())
        .succeeds()?;
    Ok((index, registry, ada))
}

/// A token for each client's repository, good for everything and for minutes.
fn accesses(index: u16, registry: u16, ada: &Account) -> Result<Vec<Access>> {
    let base = format!("http://127.0.0.1:{index}");
    let tokens = Api::new(&base, Some(ada.clone()))?;
    (0..CLIENTS)
        .map(|client| {
            let repository = repository(client);
            let scope = format!("repository:{repository}:pull,push,delete");
            let answer = tokens.token(
                &format!("{base}/token"),
                &format!("127.0.0.1:{index}"),
                &[scope.as_str()],
            )?;
            let answer = answer.expect(200)?.json()?;
            Ok(Access {
                api: Api::new(&format!("http://127.0.0.1:{registry}"), None)?,
                authorization: format!("Bearer {}", answer["token"].as_str().context("a token")?),
                repository,
            })
        })
        .collect()
}

/// Pushes, moves and deletes until a service is gone.
fn work(
    access: &Access,
    ledger: &mut Ledger,
    random: &mut Random,
    (ended, acknowledged): (&AtomicBool, &AtomicU64),
) {
    if push_blob(access).is_err() {
        return;
    }
    while !ended.load(Ordering::Relaxed) {
        let tag = format!("t{}", random.below(TAGS));
        let done = match random.below(10) {
            0 | 1 => delete(access, ledger, &tag),
            2 | 3 => push_index(access, ledger, &tag),
            _ => push(access, ledger, &tag),
        };
        match done {
            Ok(()) => drop(acknowledged.fetch_add(1, Ordering::Relaxed)),
            // Killed in between: what it is now is in doubt.
            Err(_) => break,
        }
    }
}

fn push_blob(access: &Access) -> Result<()> {
    let path = format!("blobs/uploads/?digest={}", digest(b"{}").replace(':', "%3A"));
    let answer = access.send(Method::POST, &path, "application/octet-stream", b"{}".to_vec())?;
    answer.expect(201).map(drop)
}

fn image(ledger: &mut Ledger) -> Vec<u8> {
    ledger.next += 1;
    let document = json!({
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": { "mediaType": IMAGE_CONFIG, "digest": digest(b"{}"), "size": 2 },
        "layers": [],
        "annotations": { "number": ledger.next.to_string() },
    });
    document.to_string().into_bytes()
}

fn put(access: &Access, ledger: &mut Ledger, tag: &str, (media_type, body): (&str, Vec<u8>)) -> Result<()> {
    let pushed = digest(&body);
    let answer = access
        .send(Method::PUT, &format!("manifests/{tag}"), media_type, body)
        .and_then(|answer| answer.expect(201));
    if let Err(error) = answer {
        ledger.doubtful += 1;
        ledger.tags.remove(tag);
        return Err(error);
    }
    ledger.pushed += 1;
    ledger.tags.insert(tag.to_owned(), Some(pushed));
    Ok(())
}

fn push(access: &Access, ledger: &mut Ledger, tag: &str) -> Result<()> {
    let body = image(ledger);
    put(access, ledger, tag, (IMAGE_MANIFEST, body))
}

fn push_index(access: &Access, ledger: &mut Ledger, tag: &str) -> Result<()> {
    let mut manifests = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let body = image(ledger);
        let (digest, size) = (digest(&body), body.len());
        let path = format!("manifests/{digest}");
        access
            .send(Method::PUT, &path, IMAGE_MANIFEST, body)?
            .expect(201)?;
        manifests.push(
            json!({"mediaType": IMAGE_MANIFEST, "digest": digest, "size": size,
            "platform": {"os": "linux", "architecture": architecture}}),
        );
    }
    let body = json!({"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": manifests});
    put(access, ledger, tag, (IMAGE_INDEX, body.to_string().into_bytes()))
}

fn delete(access: &Access, ledger: &mut Ledger, tag: &str) -> Result<()> {
    let answer = access.send(Method::DELETE, &format!("manifests/{tag}"), "", Vec::new());
    match answer {
        Ok(answer) if answer.status == 202 || answer.status == 404 => {
            ledger.deleted += u64::from(answer.status == 202);
            ledger.tags.insert(tag.to_owned(), None);
            Ok(())
        }
        Ok(answer) => answer.expect(202).map(drop),
        Err(error) => {
            ledger.tags.remove(tag);
            Err(error)
        }
    }
}

/// Waits until the registry has delivered everything.
fn settled(run: &Run<'_>, registry: &OpenRegistry) -> Result<()> {
    wait_for("an empty queue", PATIENCE, || {
        let line = run.journey.command(path_of("registry-service")?);
        let line = line.args(["notifications", "list"]).arg(registry.config());
        Ok(line.succeeds()?.stdout.starts_with("0 events wait").then_some(()))
    })
}

/// Holds what the index knows against the registry, and its history against what was acknowledged.
fn judge(
    (index, registry, ada): (&Index<'_>, &OpenRegistry, &Account),
    name: &str,
    ledger: &Ledger,
    settle: Duration,
    verdict: &mut Verdict,
) -> Result<()> {
    verdict.count("acknowledged_pushes", ledger.pushed);
    verdict.count("pushes_in_doubt", ledger.doubtful);
    verdict.count("acknowledged_deletes", ledger.deleted);
    let api = Api::new(&format!("http://127.0.0.1:{}", index.port), None)?;
    let authorization = ada.basic();
    let ask = |method: Method, path: &str| -> Result<Answer> {
        let headers = [("authorization", authorization.as_str())];
        api.send(method, &format!("/api/v1{path}"), &headers, Bytes::new())
    };
    let found = ask(Method::GET, &format!("/repositories?name={name}"))?
        .expect(200)?
        .json()?;
    let Some(id) = found["items"][0]["id"].as_str() else {
        verdict.require(ledger.pushed == 0, || format!("{name} is not known"));
        return Ok(());
    };
    let id = format!("/repositories/{id}");
    // What was to be read while the registry was away is read a little later: for as long as less and less differs.
    let begun = Instant::now();
    let (mut differences, mut fewest, mut less_since) = (Value::Null, u64::MAX, begun);
    wait_for("a comparison that stays as it is", LONGEST, || {
        let answer = ask(Method::POST, &format!("{id}/reindex?dry_run=true"))?;
        if answer.status == 200 {
            differences = answer.json()?;
            let count = differences["differences"].as_u64().context("a number")?;
            let elapsed = begun.elapsed().as_secs();
            let note = format!("{name}: {count} differ after {elapsed} s");
            index.run.journey.note(&note);
            if count < fewest {
                (fewest, less_since) = (count, Instant::now());
            }
        }
        Ok((fewest == 0 || less_since.elapsed() >= settle).then_some(()))
    })?;
    verdict.require(fewest == 0, || format!("{name} differs: {differences}"));
    verdict.count("compared", differences["compared"].as_u64().unwrap_or_default());
    let waited = u64::try_from(begun.elapsed().as_millis())?;
    verdict.count("waited_ms", waited);
    let activity = ask(Method::GET, &format!("{id}/activity"))?.expect(200)?.json()?;
    let pushes = activity["push_count"].as_u64().unwrap_or_default();
    verdict.require(
        (ledger.pushed..=ledger.pushed + ledger.doubtful).contains(&pushes),
        || {
            format!(
                "{name}: {pushes} pushes are counted, {} were acknowledged and {} not answered",
                ledger.pushed, ledger.doubtful
            )
        },
    );
    let registry = Api::new(
        &format!("http://127.0.0.1:{}", registry.port()),
        Some(ada.clone()),
    )?;
    for (tag, expected) in &ledger.tags {
        let served = registry.manifest(name, tag)?;
        let stands = (served.status == 200)
            .then(|| served.header("docker-content-digest").map(str::to_owned))
            .transpose()?;
        verdict.require(stands == *expected, || {
            format!("{name}:{tag} is {stands:?} in the registry, and {expected:?} was acknowledged")
        });
        let history = ask(Method::GET, &format!("{id}/tags/{tag}/history?limit=1"))?
            .expect(200)?
            .json()?;
        let last = history["items"][0]["digest_after"].as_str().map(str::to_owned);
        verdict.require(last == *expected, || {
            format!("{name}:{tag}: the history ends with {last:?}, and {expected:?} was acknowledged")
        });
        verdict.count("histories", 1);
    }
    Ok(())
}
