//! The same `config.yml` and variables are given to Debian's `docker-registry` and to ours: whether it starts, on which
//! address, what it answers, and what it challenges with.

mod case;

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::api::Api;
use harness::certificate::Certificate;
use harness::command::RUNTIME;
use harness::environment::find_program;
use harness::process::{Daemon, free_port};
use harness::server::probe;
use harness::{Context as _, Journey, Need, Result, Suite, binaries, ensure};

use case::{CASES, Case};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "same_configuration",
        "what_distribution_makes_of_a_configuration_is_made_of_it_here",
        &[Need::Portolan, Need::DockerRegistry, Need::Openssl],
        verdicts,
    );
    suite.add(
        "same_configuration",
        "a_link_named_registry_or_htpasswd_is_what_it_is_called",
        &[Need::Portolan],
        links,
    );
}

/// What became of a configuration.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Refuses,
    /// Status and headers of some answers.
    Starts(Vec<String>),
}

impl Verdict {
    /// The lines in which they differ.
    fn beside(&self, other: &Self) -> String {
        let (Self::Starts(ours), Self::Starts(theirs)) = (self, other) else {
            return format!("ours {self:?}\ntheirs {other:?}");
        };
        let pairs = ours.iter().zip(theirs).filter(|(ours, theirs)| ours != theirs);
        let lines: Vec<_> = pairs
            .map(|(ours, theirs)| format!("\nours   {ours}\ntheirs {theirs}"))
            .collect();
        lines.concat()
    }
}

fn verdicts(journey: &Journey) -> Result<()> {
    ensure!(CASES.len() >= 80, "{} cases are too few", CASES.len());
    harness::peer::htpasswd(
        &journey.folder().join("accounts"),
        "alice",
        "correct horse of alice",
    )?;
    Certificate::authority(journey, journey.folder(), "issuer")?;
    let ours = binaries::path_of("registry-service")?;
    let theirs = find_program("docker-registry").context("docker-registry is missing")?;
    let (mut same, mut differ, mut wrong) = (0, Vec::new(), Vec::new());
    for (number, case) in CASES.iter().enumerate() {
        let judge = |who: &str, program: &Path| {
            let folder = journey.subfolder(&format!("{number}-{who}"))?;
            judge(&folder, program, case, journey.folder()).with_context(|| format!("{who}: {}", case.name))
        };
        let (mine, other) = (judge("ours", &ours)?, judge("theirs", &theirs)?);
        // What fails for another reason than its own would be alike for nothing.
        if case.starts == (other == Verdict::Refuses) {
            wrong.push(format!("{}: theirs {other:?}", case.name));
        }
        match (mine == other, case.differs) {
            (true, None) => same += 1,
            (false, Some(reason)) => differ.push(format!("{}: {reason}", case.name)),
            (false, None) => wrong.push(format!("{}: {}", case.name, mine.beside(&other))),
            (true, Some(reason)) => wrong.push(format!("{}: no difference any more ({reason})", case.name)),
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    journey.note(&format!("{same} configurations alike; not {}", differ.join("; ")));
    Ok(())
}

/// Starts `program` with the configuration and asks it some things.
fn judge(folder: &Path, program: &Path, case: &Case, files: &Path) -> Result<Verdict> {
    let port = free_port()?;
    let root = folder.join("store");
    std::fs::create_dir_all(&root)?;
    let text = case
        .file
        .replace("PORT", &port.to_string())
        .replace("ROOT", &root.display().to_string())
        .replace("ACCOUNTS", &files.join("accounts").display().to_string())
        .replace("BUNDLE", &files.join("issuer.crt").display().to_string());
    let config = folder.join("config.yml");
    std::fs::write(&config, text)?;
    let log = folder.join("log");
    File::create(&log)?;
    let mut command = Command::new(program);
    command
        .arg("serve")
        .arg(&config)
        .envs(case.variables.iter().copied());
    let mut daemon = Daemon::start("registry", command, &log)?;
    let ready = daemon.wait_until_ready(Duration::from_mins(1), || {
        probe(&format!("http://127.0.0.1:{port}/"))
    });
    if daemon.ended()?.is_some() {
        return Ok(Verdict::Refuses);
    }
    ready?;
    let api = Api::new(&format!("http://127.0.0.1:{port}"), None)?;
    let mut said = Vec::new();
    for (method, path) in QUESTIONS {
        let answer = RUNTIME.block_on(api.once(method, path, &[], bytes::Bytes::new()))?;
        let mut line = format!("{} {}", answer.request.replace(api.base(), ""), answer.status);
        // What leads nowhere is no answer of the registry.
        let is_nowhere = path == "/" || path.starts_with("/my/") != case.is_moved();
        for name in HEADERS.iter().filter(|_| !is_nowhere) {
            // Ours forbid sniffing whether or not a file says so.
            if *name != "X-Content-Type-Options" || case.file.contains(name) {
                let values: Vec<_> = answer.headers.get_all(*name).iter().collect();
                write!(line, ", {name}: {values:?}")?;
            }
        }
        if let Ok(location) = answer.header("location") {
            // Ours are relative unless something else is written; a client makes the same of both.
            let is_chosen = case.file.contains("relativeurls") || case.file.contains(", host:");
            let location = if is_chosen {
                location.to_owned()
            } else {
                api.url(location)
            };
            let (place, _) = location.rsplit_once('/').unwrap_or_default();
            write!(line, ", location: {place}")?;
        }
        // Distribution names actions in any order, and with `silly` each apart.
        for other in ["repository:a:pull repository:a:push", "repository:a:push,pull"] {
            line = line.replace(other, "repository:a:pull,push");
        }
        said.push(line.replace(&port.to_string(), "PORT"));
    }
    Ok(Verdict::Starts(said))
}

/// What is asked of a server that has started. `n` tells where the catalog's pages end.
const QUESTIONS: [(http::Method, &str); 10] = [
    (http::Method::GET, "/"),
    (http::Method::GET, "/v2/"),
    (http::Method::GET, "/v2/_catalog"),
    (http::Method::GET, "/v2/_catalog?n=8"),
    (http::Method::GET, "/v2/_catalog?n=9"),
    (http::Method::GET, "/v2/a/tags/list"),
    (http::Method::POST, "/v2/a/blobs/uploads/"),
    (
        http::Method::DELETE,
        "/v2/a/blobs/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    (http::Method::GET, "/my/registry/v2/"),
    (http::Method::POST, "/my/registry/v2/a/blobs/uploads/"),
];

/// What is compared of the answers, where it is there.
const HEADERS: [&str; 5] = [
    "WWW-Authenticate",
    "Docker-Distribution-API-Version",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-A",
];

fn links(journey: &Journey) -> Result<()> {
    let folder = journey.subfolder("bin")?;
    let program = binaries::path_of("registry-service")?;
    let link = |name: &str| -> Result<PathBuf> {
        let link = folder.join(name);
        std::os::unix::fs::symlink(&program, &link)?;
        Ok(link)
    };
    let line = journey
        .command(link("htpasswd")?)
        .args(["-Bbn", "alice", "correct horse of alice"])
        .succeeds()?;
    ensure!(line.text().starts_with("alice:$2y$05$"), "{}", line.text());
    let registry = link("registry")?;
    journey.command(&registry).arg("--version").succeeds()?;
    // A file as the first argument is served, as the official image does.
    let port = free_port()?;
    let config = folder.join("config.yml");
    std::fs::write(
        &config,
        format!("version: 0.1\nstorage: inmemory\nhttp: {{addr: 'localhost:{port}'}}\n"),
    )?;
    let mut command = Command::new(&registry);
    command.arg(&config);
    let mut daemon = Daemon::start("registry", command, &folder.join("log"))?;
    daemon.wait_until_ready(Duration::from_mins(1), || {
        probe(&format!("http://127.0.0.1:{port}/"))
    })?;
    // What is wrong is said, all at once, and where.
    std::fs::write(
        &config,
        "version: 0.1\nstorage: inmemory\nhttp:\n  net: x\n  draintimeout: soon\n",
    )?;
    let refused = journey
        .command(&registry)
        .arg("check-config")
        .arg(&config)
        .fails()?;
    refused.says("http.net")?.says("config.yml:5")?;
    Ok(())
}
