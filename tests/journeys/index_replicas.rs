//! Three index-services on one PostgreSQL: keys take turns and every replica restarts while images are pulled.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use harness::api::Api;
use harness::postgres::Postgres;
use harness::process::{Daemon, free_port, wait_for};
use harness::server::{answers, probe};
use harness::{Account, Context as _, Journey, Need, Result, Suite, binaries, ensure, nginx};
use http::Method;
use serde_json::json;

const PATIENCE: Duration = Duration::from_mins(3);
const REPOSITORY: &str = "admin/app";

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "index_replicas",
        "no_pull_fails_while_keys_take_turns_and_each_replica_restarts",
        &[Need::Portolan, Need::Nginx, Need::Postgres],
        turns_and_restarts,
    );
    suite.add(
        "index_replicas",
        "a_backup_restores_to_an_index_whose_tokens_the_registry_takes",
        &[Need::Portolan, Need::Nginx, Need::Postgres],
        backup,
    );
}

/// PostgreSQL, replicas of the index, a registry, nginx.
struct Deployment<'a> {
    journey: &'a Journey,
    folder: PathBuf,
    database: String,
    front: u16,
    indexes: Vec<u16>,
    registry: u16,
    running: Vec<Daemon>,
    replicas: Vec<Option<Daemon>>,
    postgres: Postgres,
}

impl<'a> Deployment<'a> {
    fn start(journey: &'a Journey, replicas: usize) -> Result<Self> {
        let postgres = Postgres::start(journey, &["fsync=off"])?;
        let database = postgres.database("portolan_index")?;
        let folder = journey.subfolder("data")?;
        std::fs::write(folder.join("master-key"), "5a".repeat(32))?;
        let indexes = (0..replicas).map(|_| free_port()).collect::<Result<Vec<_>>>()?;
        let mut deployment = Self {
            journey,
            folder,
            database,
            front: free_port()?,
            indexes,
            registry: free_port()?,
            running: Vec::new(),
            replicas: Vec::new(),
            postgres,
        };
        // All at once: migrations, keys and the first account are made by one of them.
        for number in 0..replicas {
            let daemon = deployment.spawn_index(number)?;
            deployment.replicas.push(Some(daemon));
        }
        for number in 0..replicas {
            deployment.wait_for_index(number)?;
        }
        deployment.start_registry()?;
        deployment.start_nginx()?;
        Ok(deployment)
    }

    fn url(&self) -> String {
        format!("http://localhost:{}", self.front)
    }

    fn config_of(&self, number: usize) -> Result<PathBuf> {
        let path = self.folder.join(format!("index-{number}.yml"));
        let at = self.folder.display();
        let text = format!(
            "listen: 127.0.0.1:{}\npublic_url: {}\ndatabase: {}\nmaster_key_file: {at}/master-key\n\
             initial_password_file: {at}/first-{number}\nregistry:\n  url: http://127.0.0.1:{}\n\
             token:\n  lifetime: 60s\n  key_rotation: 0s\n  key_notice: 30s\n\
             password:\n  memory_kib: 8\n  iterations: 1\nlimits:\n  drain_delay: 1s\n",
            self.indexes[number],
            self.url(),
            self.database,
            self.registry,
        );
        std::fs::write(&path, text)?;
        Ok(path)
    }

    fn spawn_index(&self, number: usize) -> Result<Daemon> {
        let log = self.journey.folder().join(format!("index-{number}.log"));
        let mut command = Command::new(binaries::path_of("index-service")?);
        command.arg("serve").arg(self.config_of(number)?);
        self.journey.watch_log(&log);
        Daemon::start("index-service", command, &log)
    }

    fn wait_for_index(&mut self, number: usize) -> Result<()> {
        let ready = format!("http://127.0.0.1:{}/readyz", self.indexes[number]);
        let daemon = self.replicas[number].as_mut().context("it was started")?;
        daemon.wait_until_ready(PATIENCE, || probe(&ready))
    }

    fn restart(&mut self, number: usize) -> Result<()> {
        let mut daemon = self.replicas[number].take().context("it runs")?;
        let status = daemon.stop(PATIENCE)?;
        ensure!(status.success(), "replica {number} ended with {status}");
        self.replicas[number] = Some(self.spawn_index(number)?);
        self.wait_for_index(number)
    }

    fn start_registry(&mut self) -> Result<()> {
        let path = self.folder.join("registry.yml");
        let (url, front) = (self.url(), self.front);
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}/registry\nauth:\n  token:\n    realm: {url}/token\n    \
             service: localhost:{front}\n    issuer: portolan\n    jwksurl: {url}/.well-known/jwks.json\nhttp:\n  \
             addr: 127.0.0.1:{}\n  secret: {}\n",
            self.folder.display(),
            self.registry,
            "one secret for every start, and long",
        );
        std::fs::write(&path, text)?;
        let log = self.journey.folder().join("registry.log");
        let mut command = Command::new(binaries::path_of("registry-service")?);
        command.arg("serve").arg(&path);
        self.journey.watch_log(&log);
        let mut daemon = Daemon::start("registry-service", command, &log)?;
        let port = self.registry;
        daemon.wait_until_ready(PATIENCE, || answers(port))?;
        self.running.push(daemon);
        Ok(())
    }

    fn start_nginx(&mut self) -> Result<()> {
        let daemon = nginx::front_door(self.journey, self.front, &self.indexes, self.registry)?;
        self.running.push(daemon);
        Ok(())
    }

    /// The administrator, whose password exactly one replica has kept.
    fn admin(&self) -> Result<Account> {
        let kept: Vec<_> = (0..self.indexes.len())
            .map(|number| self.folder.join(format!("first-{number}")))
            .filter(|path| path.exists())
            .collect();
        ensure!(kept.len() == 1, "{} replicas made the account admin", kept.len());
        Ok(Account {
            name: "admin".to_owned(),
            password: std::fs::read_to_string(&kept[0])?.trim_end().to_owned(),
        })
    }

    fn portolan(&self, words: &[&str]) -> Result<String> {
        let line = self.journey.command(binaries::path_of("portolan")?).args(words);
        Ok(line.succeeds()?.stdout)
    }

    fn stop(mut self) -> Result<()> {
        for daemon in self.replicas.iter_mut().flatten() {
            let status = daemon.stop(PATIENCE)?;
            ensure!(status.success(), "a replica ended with {status}");
        }
        drop(self.postgres);
        Ok(())
    }
}

/// A request of the API with a JSON body.
fn call(
    api: &Api,
    account: &Account,
    method: Method,
    path: &str,
    body: &serde_json::Value,
) -> Result<harness::api::Answer> {
    let basic = account.basic();
    let headers = [
        ("authorization", basic.as_str()),
        ("content-type", "application/json"),
    ];
    // Without an account of its own, so that it adds no credential.
    Api::new(api.base(), None)?.send(method, path, &headers, Bytes::from(body.to_string()))
}

/// An access token that may pull everything: its id and itself.
fn access_token(api: &Api, admin: &Account, label: &str) -> Result<(String, Account)> {
    let wish = json!({ "label": label, "limits": [{ "pattern": "*", "rights": ["pull"] }] });
    let made = call(api, admin, Method::POST, "/api/v1/access-tokens", &wish)?
        .expect(201)?
        .json()?;
    let text = |key: &str| {
        made[key]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("{key} in {made}"))
    };
    let account = Account {
        name: "admin".to_owned(),
        password: text("secret")?,
    };
    Ok((text("id")?, account))
}

/// What pulls saw.
#[derive(Default)]
struct Seen {
    keys: BTreeSet<String>,
    pulls: u64,
    failures: Vec<String>,
}

/// One pull with a token that was made for it.
fn pull(api: &Api, url: &str, service: &str) -> Result<String> {
    let scope = format!("repository:{REPOSITORY}:pull");
    let answer = api
        .token(&format!("{url}/token"), service, &[&scope])?
        .expect(200)?
        .json()?;
    let token = answer["token"].as_str().context("a token")?;
    let header = token.split('.').next().context("a header")?;
    let header: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header)?)?;
    let bearer = format!("Bearer {token}");
    let path = format!("/v2/{REPOSITORY}/manifests/1");
    let headers = [("authorization", bearer.as_str())];
    Api::new(url, None)?
        .send(Method::GET, &path, &headers, Bytes::new())?
        .expect(200)?;
    Ok(header["kid"].as_str().context("a key id")?.to_owned())
}

fn turns_and_restarts(journey: &Journey) -> Result<()> {
    let mut deployment = Deployment::start(journey, 3)?;
    let admin = deployment.admin()?;
    let url = deployment.url();
    let service = format!("localhost:{}", deployment.front);
    let front = Api::new(&url, Some(admin.clone()))?;
    front.push_small_image(REPOSITORY, "1", "three replicas")?;
    let (_, puller) = access_token(&front, &admin, "puller")?;
    let (seen, stop) = (Mutex::new(Seen::default()), AtomicBool::new(false));
    let look = || seen.lock().map_err(|_| harness::anyhow!("a pull panicked"));
    let told = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let api = Api::new(&url, Some(puller.clone()));
                while !stop.load(Ordering::Relaxed) {
                    let pulled = api.as_ref().map_or_else(
                        |error| Err(harness::anyhow!("{error:#}")),
                        |api| pull(api, &url, &service),
                    );
                    let Ok(mut seen) = seen.lock() else { return };
                    match pulled {
                        Ok(key) => {
                            seen.pulls += 1;
                            seen.keys.insert(key);
                        }
                        Err(error) => seen.failures.push(format!("{error:#}")),
                    }
                }
            });
        }
        let done = (|| -> Result<u32> {
            let mut writes = 0;
            let anonymous = Api::new(&url, None)?;
            for turn in 1..=2 {
                call(
                    &anonymous,
                    &admin,
                    Method::POST,
                    "/api/v1/keys/rotations",
                    &json!({}),
                )?
                .expect(202)?;
                for number in 0..3 {
                    let before = look()?.pulls;
                    deployment.restart(number)?;
                    let label = format!("made in turn {turn} after replica {number}");
                    access_token(&anonymous, &admin, &label)?;
                    writes += 1;
                    wait_for("a pull after the restart", PATIENCE, || {
                        Ok((look()?.pulls > before).then_some(()))
                    })?;
                }
                wait_for("the next key to sign", PATIENCE, || {
                    Ok((look()?.keys.len() > turn).then_some(()))
                })?;
            }
            Ok(writes)
        })();
        stop.store(true, Ordering::Relaxed);
        done
    });
    let writes = told?;
    let seen = seen
        .into_inner()
        .map_err(|_| harness::anyhow!("a pull panicked"))?;
    ensure!(
        seen.failures.is_empty(),
        "{} of {} pulls failed: {:#?}",
        seen.failures.len(),
        seen.pulls,
        &seen.failures[..seen.failures.len().min(5)]
    );
    journey.say(&format!(
        "{} pulls with a token each, {} keys, 6 restarts, {writes} writes: none failed",
        seen.pulls,
        seen.keys.len()
    ));
    revocation(&deployment, &admin)?;
    deployment.stop()
}

/// What one replica revokes, the others refuse at once.
fn revocation(deployment: &Deployment<'_>, admin: &Account) -> Result<()> {
    let at = |number: usize, account: &Account| {
        Api::new(
            &format!("http://127.0.0.1:{}", deployment.indexes[number]),
            Some(account.clone()),
        )
    };
    let one = at(0, admin)?;
    let (id, puller) = access_token(&one, admin, "to be revoked")?;
    let service = format!("localhost:{}", deployment.front);
    let ask = |number: usize| -> Result<u16> {
        let realm = format!("http://127.0.0.1:{}/token", deployment.indexes[number]);
        Ok(at(number, &puller)?.token(&realm, &service, &[])?.status)
    };
    for number in 0..3 {
        ensure!(ask(number)? == 200, "replica {number} does not know the token");
    }
    let path = format!("/api/v1/access-tokens/{id}");
    call(&one, admin, Method::DELETE, &path, &json!({}))?.expect(204)?;
    for number in 0..3 {
        ensure!(ask(number)? == 401, "replica {number} takes a revoked token");
    }
    Ok(())
}

fn backup(journey: &Journey) -> Result<()> {
    let mut deployment = Deployment::start(journey, 1)?;
    let admin = deployment.admin()?;
    let front = Api::new(&deployment.url(), Some(admin.clone()))?;
    let url = deployment.url();
    let service = format!("localhost:{}", deployment.front);
    front.push_small_image(REPOSITORY, "1", "before the loss")?;
    let (_, puller) = access_token(&front, &admin, "puller")?;
    let api = Api::new(&url, Some(puller.clone()))?;
    let key = pull(&api, &url, &service)?;
    let config = deployment.config_of(0)?.display().to_string();
    let file = deployment.folder.join("backup").display().to_string();
    deployment.portolan(&["backup", &file, "--config", &config])?;
    deployment.portolan(&["backup", &file, "--verify"])?;
    // Another database, into which nothing but the backup goes; first by way of a SQLite file.
    let by_way = format!("sqlite://{}/copy.db", deployment.folder.display());
    let database = deployment.database.clone();
    deployment.portolan(&["db", "copy", "--from", &database, "--to", &by_way])?;
    deployment.database = deployment.postgres.database("restored")?;
    let config = deployment.config_of(0)?.display().to_string();
    let said = deployment.portolan(&["restore", &file, "--config", &config])?;
    ensure!(said.contains("restored from"), "{said}");
    deployment.restart(0)?;
    ensure!(
        pull(&api, &url, &service)? == key,
        "another key signs after the restoration"
    );
    deployment.database = by_way;
    deployment.restart(0)?;
    ensure!(
        pull(&api, &url, &service)? == key,
        "another key signs after the copy"
    );
    deployment.stop()
}
