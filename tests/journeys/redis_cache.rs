//! Redis beside a registry: what distribution believes is kept right, and nothing depends on it.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::api::Api;
use harness::certificate::Certificate;
use harness::open_registry::{Choices, OpenRegistry};
use harness::peer::DockerRegistry;
use harness::process::{Daemon, free_port, wait_for};
use harness::{Journey, Need, Result, Suite, ensure};

pub(crate) fn add(suite: &mut Suite) {
    let needs = &[Need::Portolan, Need::Redis];
    suite.add(
        "redis_cache",
        "a_blob_that_is_deleted_here_is_gone_from_a_distribution_that_shares_redis",
        &[Need::Portolan, Need::Redis, Need::DockerRegistry],
        mixed,
    );
    suite.add(
        "redis_cache",
        "without_redis_nothing_fails_and_what_was_deleted_is_taken_out_later",
        needs,
        away,
    );
    suite.add(
        "redis_cache",
        "what_lies_in_redis_makes_no_answer_wrong",
        needs,
        lies,
    );
    suite.add(
        "redis_cache",
        "a_password_tls_sentinels_and_a_cluster_are_spoken_to",
        &[Need::Portolan, Need::Redis, Need::Openssl],
        kinds,
    );
}

const PATIENCE: Duration = Duration::from_mins(1);

/// A server of redis, or a sentinel.
pub(crate) struct Redis {
    pub(crate) port: u16,
    tls: Vec<String>,
    pub(crate) daemon: Daemon,
}

impl Redis {
    pub(crate) fn start(folder: &Path, words: &[&str]) -> Result<Self> {
        Self::start_on(free_port()?, folder, words)
    }

    fn start_on(port: u16, folder: &Path, words: &[&str]) -> Result<Self> {
        let mut command = Command::new("redis-server");
        let number = port.to_string();
        let is_sentinel = words.contains(&"--sentinel");
        let port_key = if words.contains(&"--tls-cert-file") {
            "--tls-port"
        } else {
            "--port"
        };
        // A sentinel's file comes first.
        if is_sentinel {
            command.args(words);
        }
        command
            .args([port_key, &number, "--bind", "127.0.0.1", "--dir"])
            .arg(folder);
        if !is_sentinel {
            command.args(["--save", ""]).args(words);
        }
        let mut daemon = Daemon::start("redis-server", command, &folder.join(format!("redis-{port}.log")))?;
        daemon.wait_until_ready(PATIENCE, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Self {
            port,
            tls: Vec::new(),
            daemon,
        })
    }

    fn ask(&self, journey: &Journey, words: &[&str]) -> Result<String> {
        let port = self.port.to_string();
        let line = journey
            .command("redis-cli")
            .args(["-p", &port, "--no-auth-warning"]);
        let answer = line.args(&self.tls).args(words).succeeds()?;
        Ok(answer.text().trim().to_owned())
    }

    /// Waits until a question is answered so.
    fn says(&self, journey: &Journey, words: &[&str], expected: &str) -> Result<()> {
        wait_for(&format!("{words:?} to be {expected:?}"), PATIENCE, || {
            Ok((self.ask(journey, words)? == expected).then_some(()))
        })
    }
}

fn start(journey: &Journey, folder: &Path, redis: &str) -> Result<OpenRegistry> {
    let choices = Choices {
        config: format!("redis: {redis}\n"),
        storage: "  cache:\n    blobdescriptor: redis\n".to_owned(),
        ..Choices::default()
    };
    OpenRegistry::start(journey, folder, &choices)
}

fn member(digest: &str) -> [&str; 3] {
    ["SISMEMBER", "repository::a/b::blobs", digest]
}

fn mixed(journey: &Journey) -> Result<()> {
    let redis = Redis::start(journey.folder(), &[])?;
    let store = journey.subfolder("store")?;
    let ours = start(journey, &store, &format!("{{addr: '127.0.0.1:{}'}}", redis.port))?;
    let folder = journey.subfolder("theirs")?;
    // Theirs is of 2.8: one address, and the cache below storage.
    let sections = format!("redis: {{addr: '127.0.0.1:{}'}}\n", redis.port);
    let theirs = DockerRegistry::with_storage(
        &folder,
        &store,
        "  cache:\n    blobdescriptor: redis\n",
        &sections,
    )?;
    let (ours, theirs) = (ours.api()?, Api::new(&theirs.url(), None)?);

    let digest = ours.push_blob("a/b", "pushed to ours")?;
    redis.says(journey, &member(&digest), "1")?;
    ensure!(
        redis.ask(
            journey,
            &[
                "HMGET",
                &format!("blobs::{digest}"),
                "digest",
                "size",
                "mediatype"
            ]
        )? == format!("{digest}\n14\napplication/octet-stream"),
        "another descriptor"
    );
    let path = format!("/v2/a/b/blobs/{digest}");
    theirs.get(&path)?.expect(200)?;
    ours.delete(&path)?.expect(202)?;
    // At once: it was taken out before the answer.
    theirs.get(&path)?.expect(404)?;
    ours.get(&path)?.expect(404)?;
    ensure!(redis.ask(journey, &member(&digest))? == "0", "a member still");

    let digest = theirs.push_blob("a/b", "pushed to theirs")?;
    let path = format!("/v2/a/b/blobs/{digest}");
    redis.says(journey, &member(&digest), "1")?;
    theirs.get(&path)?.expect(200)?;
    ours.delete(&path)?.expect(202)?;
    theirs.get(&path)?.expect(404).map(drop)
}

fn away(journey: &Journey) -> Result<()> {
    const PASSWORD: &str = "asked for and never shown";
    let run = |port| -> Result<Redis> {
        let redis = Redis::start_on(port, journey.folder(), &["--requirepass", PASSWORD])?;
        let tls = vec!["-a".to_owned(), PASSWORD.to_owned()];
        Ok(Redis { tls, ..redis })
    };
    let (port, operator) = (free_port()?, free_port()?);
    let redis = run(port)?;
    let choices = Choices {
        config: format!(
            "  debug:\n    addr: 127.0.0.1:{operator}\n    prometheus:\n      enabled: true\nredis:\n  addrs: \
             ['127.0.0.1:{port}']\n  password: {PASSWORD}\n"
        ),
        storage: "  cache:\n    blobdescriptor: redis\n".to_owned(),
        ..Choices::default()
    };
    let registry = OpenRegistry::start(journey, &journey.subfolder("store")?, &choices)?;
    let (api, debug) = (
        registry.api()?,
        Api::new(&format!("http://127.0.0.1:{operator}"), None)?,
    );
    let shown = || -> Result<serde_json::Value> {
        Ok(debug.get("/debug/vars")?.expect(200)?.json()?["registry"]["redis"].clone())
    };
    let digest = api.push_blob("a/b", "a blob")?;
    redis.says(journey, &member(&digest), "1")?;
    redis.ask(journey, &["SAVE"])?;
    drop(redis);
    let path = format!("/v2/a/b/blobs/{digest}");
    api.get(&path)?.expect(200)?;
    api.push_small_image("a/b", "1", "a layer")?;
    api.delete(&path)?.expect(202)?;
    api.get(&path)?.expect(404)?;
    let owed = shown()?;
    ensure!(owed["Active"] == 0 && owed["Owed"].as_u64() >= Some(1), "{owed}");
    ensure!(!owed.to_string().contains("never shown"), "{owed}");
    let metrics = String::from_utf8_lossy(&debug.get("/metrics")?.body).into_owned();
    ensure!(
        !metrics.contains("registry_storage_cache_errors_total 0\n"),
        "no error was counted"
    );
    // It comes back with what it was told before.
    let redis = run(port)?;
    redis.says(journey, &member(&digest), "0")?;
    wait_for("nothing to be owed", PATIENCE, || {
        let shown = shown()?;
        Ok((shown["Active"] == 1 && shown["Owed"] == 0).then_some(()))
    })
}

fn lies(journey: &Journey) -> Result<()> {
    let redis = Redis::start(journey.folder(), &[])?;
    let registry = start(
        journey,
        &journey.subfolder("store")?,
        &format!("{{addr: '127.0.0.1:{}'}}", redis.port),
    )?;
    let api = registry.api()?;
    let digest = api.push_blob("a/b", "0123456789")?;
    redis.says(journey, &member(&digest), "1")?;
    // Another repository is said to hold it, and its size to be another.
    for words in [
        vec!["SADD", "repository::a/c::blobs", &digest],
        vec![
            "HSET",
            &format!("repository::a/c::blobs::{digest}"),
            "mediatype",
            "text/html",
        ],
        vec![
            "HSET",
            &format!("blobs::{digest}"),
            "size",
            "3",
            "digest",
            "nonsense",
            "mediatype",
            "text/html",
        ],
    ] {
        redis.ask(journey, &words)?;
    }
    api.get(&format!("/v2/a/c/blobs/{digest}"))?.expect(404)?;
    api.head(&format!("/v2/a/c/blobs/{digest}"))?.expect(404)?;
    let path = format!("/v2/a/b/blobs/{digest}");
    let head = api.head(&path)?.expect(200)?;
    ensure!(head.header("content-length")? == "10", "{head}");
    ensure!(
        api.get(&path)?.expect(200)?.body == "0123456789",
        "another content"
    );
    // A key of another kind breaks what is written, and nothing else.
    redis.ask(journey, &["SET", "repository::a/d::blobs", "a text"])?;
    let digest = api.push_blob("a/d", "more")?;
    let path = format!("/v2/a/d/blobs/{digest}");
    api.delete(&path)?.expect(202)?;
    api.get(&path)?.expect(404)?;
    redis.ask(journey, &["FLUSHALL"])?;
    let digest = api.push_blob("a/e", "and more")?;
    api.get(&format!("/v2/a/e/blobs/{digest}"))?.expect(200)?;
    redis.says(journey, &["SISMEMBER", "repository::a/e::blobs", &digest], "1")
}

fn kinds(journey: &Journey) -> Result<()> {
    let folder = journey.folder();
    let check = |name: &str, section: &str, redis: &Redis| -> Result<()> {
        let registry = start(journey, &journey.subfolder(name)?, section)?;
        let api = registry.api()?;
        let digest = api.push_blob("a/b", name.to_owned())?;
        redis.says(journey, &member(&digest), "1")?;
        api.delete(&format!("/v2/a/b/blobs/{digest}"))?.expect(202)?;
        redis.says(journey, &member(&digest), "0")
    };

    let mut guarded = Redis::start(folder, &["--requirepass", "correct horse"])?;
    guarded.tls = ["-a", "correct horse", "-n", "3"].map(str::to_owned).to_vec();
    let port = guarded.port;
    check(
        "guarded",
        &format!("{{addrs: ['127.0.0.1:{port}'], password: correct horse, db: 3, clientname: registry}}"),
        &guarded,
    )?;

    let authority = Certificate::authority(journey, folder, "authority")?;
    let own = authority.issue(
        journey,
        folder,
        "redis",
        "subjectAltName=DNS:localhost,IP:127.0.0.1\n",
    )?;
    let shown = |path: &Path| path.display().to_string();
    let (root, certificate, key) = (
        shown(&authority.certificate),
        shown(&own.certificate),
        shown(&own.key),
    );
    let files = [
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &root,
    ];
    let mut secured = Redis::start(folder, &[&files[..], &["--port", "0"]].concat())?;
    secured.tls = ["--tls", "--cacert", &root, "--cert", &certificate, "--key", &key]
        .map(str::to_owned)
        .to_vec();
    let port = secured.port;
    let section = format!(
        "{{addrs: ['localhost:{port}'], tls: {{certificate: {certificate}, key: {key}, rootcas: [{root}]}}}}"
    );
    journey.note(&section);
    if let Err(error) = check("secured", &section, &secured) {
        return Err(error.context("TLS"));
    }

    let master = Redis::start(folder, &[])?;
    let text = format!("sentinel monitor main 127.0.0.1 {} 1\n", master.port);
    let sentinel_file = folder.join("sentinel.conf");
    std::fs::write(&sentinel_file, text)?;
    let sentinel = Redis::start(folder, &[&sentinel_file.display().to_string(), "--sentinel"])?;
    let dead = free_port()?;
    check(
        "sentinels",
        &format!(
            "{{addrs: ['127.0.0.1:{dead}', '127.0.0.1:{}'], mastername: main}}",
            sentinel.port
        ),
        &master,
    )?;

    let (mut nodes, mut members) = (Vec::new(), Vec::new());
    for number in 0..3 {
        let config = format!("nodes-{number}.conf");
        // By itself it takes its port and 10,000, where anything may listen.
        let bus = free_port()?;
        let node = Redis::start(
            folder,
            &[
                "--cluster-enabled",
                "yes",
                "--cluster-config-file",
                &config,
                "--cluster-port",
                &bus.to_string(),
            ],
        )?;
        members.push(format!("127.0.0.1:{}@{bus}", node.port));
        nodes.push(node);
    }
    let addrs: Vec<_> = nodes
        .iter()
        .map(|node| format!("127.0.0.1:{}", node.port))
        .collect();
    let create = journey
        .command("redis-cli")
        .args(["--cluster", "create"])
        .args(&members);
    create.args(["--cluster-yes"]).limit(PATIENCE).succeeds()?;
    nodes[0].tls = vec!["-c".to_owned()];
    wait_for("the cluster", PATIENCE, || {
        let state = nodes[0].ask(journey, &["CLUSTER", "INFO"])?;
        Ok(state.contains("cluster_state:ok").then_some(()))
    })?;
    check("cluster", &format!("{{addrs: {addrs:?}}}"), &nodes[0])?;
    for mut redis in [guarded, secured, master, sentinel].into_iter().chain(nodes) {
        redis.daemon.kill();
    }
    Ok(())
}
