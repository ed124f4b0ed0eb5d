//! `portolan doctor`: well where everything is, and the right line where one thing is wrong.

mod front_door;
mod registry;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::command::Finished;
use harness::process::{Daemon, free_port};
use harness::server::{Options, Server, answers, probe};
use harness::{Account, Context as _, Journey, Need, Result, Suite, binaries, ensure, nginx};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "doctor",
        "a_probe_goes_through_portolan_up_and_back",
        &[Need::Portolan],
        well,
    );
    suite.add(
        "doctor",
        "each_wrong_line_of_the_registry_is_named",
        &[Need::Portolan],
        wrong_lines,
    );
    suite.add(
        "doctor",
        "a_registry_whose_clock_is_wrong_is_found_with_what_to_do",
        &[Need::Portolan, Need::Faketime],
        clocks,
    );
    suite.add(
        "doctor",
        "a_proxy_that_limits_bodies_or_says_another_scheme_is_named",
        &[Need::Portolan, Need::Nginx],
        proxy,
    );
    front_door::add(suite);
    registry::add(suite);
}

fn examine(journey: &Journey, registry: &str, account: Option<&Account>, more: &[&str]) -> Result<Finished> {
    let line = journey
        .command(binaries::path_of("portolan")?)
        .args(["doctor", "--registry", registry, "--size", "4"])
        .args(more);
    match account {
        Some(account) => line
            .args(["--user", &account.name])
            .stdin(account.password.as_str())
            .run(),
        None => line.run(),
    }
}

fn well(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "doc")?;
    let found = examine(journey, &server.url(), Some(&account), &[])?;
    ensure!((found.code == Some(0)), "{}", found.text());
    for check in [
        "reach",
        "realm",
        "token",
        "clock",
        "accepted",
        "body limit",
        "push",
        "pull",
        "strangers",
        "clean up",
    ] {
        ensure!(
            found.text().contains(&format!("ok    {check}")),
            "{check}: {}",
            found.text()
        );
    }
    let json = examine(journey, &server.url(), Some(&account), &["--json"])?;
    let findings: serde_json::Value = serde_json::from_str(&json.stdout).context("read the findings")?;
    ensure!(
        findings
            .as_array()
            .is_some_and(|list| list.iter().all(|one| one["outcome"] == "ok"))
    );

    let wrong = Account {
        password: "not the password".to_owned(),
        ..account
    };
    examine(journey, &server.url(), Some(&wrong), &[])?.says("the user name, or the password")?;
    examine(journey, &server.url(), None, &[])?.says("give --user")?;
    let nobody = format!("http://127.0.0.1:{}", free_port()?);
    examine(journey, &nobody, None, &[])?.says("nothing listens there")?;
    Ok(())
}

/// An index with an account, and registries that believe it more or less.
struct Ward<'a> {
    journey: &'a Journey,
    index: Server,
    account: Account,
}

/// What else a registry is started with.
#[derive(Debug, Default)]
struct Lines<'a> {
    /// Below `http`, indented by two spaces, and then whole sections.
    config: &'a str,
    /// How far its clock is away from the machine's, such as `+10m`.
    time: &'a str,
    /// A command line before its own.
    launcher: &'a [&'a str],
    variables: &'a [(&'a str, &'a str)],
}

impl<'a> Ward<'a> {
    fn open(journey: &'a Journey) -> Result<Self> {
        let index = Server::own(journey, Options::default())?;
        let account = index.account(journey, "doc")?;
        Ok(Self {
            journey,
            index,
            account,
        })
    }

    /// A registry with these lines under `auth.token`, listening on a port of its own.
    fn registry(
        &self,
        name: &str,
        realm: &str,
        service: &str,
        issuer: &str,
        keys: &str,
    ) -> Result<(Daemon, u16)> {
        self.registry_of(name, [realm, service, issuer, keys], &Lines::default())
    }

    /// The same with more lines, or another clock or launcher.
    fn registry_of(
        &self,
        name: &str,
        [realm, service, issuer, keys]: [&str; 4],
        lines: &Lines<'_>,
    ) -> Result<(Daemon, u16)> {
        let port = free_port()?;
        let folder = self.journey.subfolder(name)?;
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: true\nauth:\n  token:\n    \
             realm: {realm}\n    service: {service}\n    issuer: {issuer}\n    jwksurl: {keys}\nhttp:\n  addr: 127.0.0.1:{port}\n{}",
            folder.join("registry").display(),
            lines.config,
        );
        let path = folder.join("config.yml");
        std::fs::write(&path, config)?;
        let log = folder.join("log");
        let program = binaries::path_of("registry-service")?.display().to_string();
        let words: Vec<&str> = lines.launcher.iter().copied().chain([program.as_str()]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg("serve").arg(&path);
        command.envs(lines.variables.iter().copied());
        let time = lines.time;
        if !time.is_empty() {
            // The loader knows what stands for `$LIB`; timers go by the true clock.
            command.env("LD_PRELOAD", "/usr/$LIB/faketime/libfaketime.so.1");
            command.envs([("FAKETIME", time), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]);
        }
        let mut daemon = Daemon::start(name, command, &log)?;
        self.journey.watch_log(&log);
        daemon.wait_until_ready(Duration::from_mins(1), || {
            answers(port) && probe(&format!("http://127.0.0.1:{port}/v2/"))
        })?;
        Ok((daemon, port))
    }

    /// Realm, service, issuer and keys as they must be.
    fn right(&self) -> [String; 4] {
        let url = self.index.url();
        [
            format!("{url}/token"),
            self.index.host(),
            "portolan".to_owned(),
            format!("{url}/.well-known/jwks.json"),
        ]
    }

    fn examine(&self, port: u16) -> Result<Finished> {
        examine(
            self.journey,
            &format!("http://127.0.0.1:{port}"),
            Some(&self.account),
            &[],
        )
    }
}

fn wrong_lines(journey: &Journey) -> Result<()> {
    let ward = Ward::open(journey)?;
    let other = Server::own(journey, Options::default())?;
    let (url, host) = (ward.index.url(), ward.index.host());
    let realm = format!("{url}/token");
    let keys = format!("{url}/.well-known/jwks.json");
    let foreign_keys = format!("{}/.well-known/jwks.json", other.url());
    let lost = format!("{url}/nowhere");
    for (name, realm, service, issuer, keys, expected) in [
        (
            "right",
            realm.as_str(),
            host.as_str(),
            "portolan",
            keys.as_str(),
            "",
        ),
        (
            "issuer",
            &realm,
            &host,
            "somebody",
            &keys,
            "auth.token.issuer: portolan",
        ),
        (
            "audience",
            &realm,
            "another.example",
            "portolan",
            &keys,
            "auth.token.service",
        ),
        ("key", &realm, &host, "portolan", &foreign_keys, "auth.token.jwks"),
        (
            "realm",
            &lost,
            &host,
            "portolan",
            &keys,
            "send /token to index-service",
        ),
    ] {
        let (mut registry, port) = ward.registry(name, realm, service, issuer, keys)?;
        let found = ward.examine(port)?;
        ensure!(
            (found.code == Some(0)) == expected.is_empty(),
            "{name}: {}",
            found.text()
        );
        ensure!(found.text().contains(expected), "{name}: {}", found.text());
        registry.stop(Duration::from_mins(1))?;
    }
    Ok(())
}

fn clocks(journey: &Journey) -> Result<()> {
    let ward = Ward::open(journey)?;
    let (url, host) = (ward.index.url(), ward.index.host());
    let (realm, keys) = (format!("{url}/token"), format!("{url}/.well-known/jwks.json"));
    for (name, time, is_well) in [
        ("right", "+0s", true),
        ("ahead", "+10m", false),
        ("behind", "-10m", false),
    ] {
        let lines = Lines {
            time,
            ..Lines::default()
        };
        let (mut registry, port) = ward.registry_of(name, [&realm, &host, "portolan", &keys], &lines)?;
        let found = ward.examine(port)?;
        ensure!((found.code == Some(0)) == is_well, "{name}: {}", found.text());
        if !is_well {
            // A second may pass between the two answers.
            let apart = ["599", "600", "601"]
                .map(|apart| format!("clocks of index and registry are {apart} s apart"));
            let says_it = apart.iter().any(|text| found.text().contains(text));
            ensure!(says_it, "{name}: {}", found.text());
            let found = found.says("NTP on both machines")?;
            ensure!(found.text().contains("FAIL  clock"), "{name}: {}", found.text());
        }
        registry.stop(Duration::from_mins(1))?;
    }
    Ok(())
}

fn proxy(journey: &Journey) -> Result<()> {
    let ward = Ward::open(journey)?;
    let realm = format!("{}/token", ward.index.url());
    let keys = format!("{}/.well-known/jwks.json", ward.index.url());
    let (_registry, behind) = ward.registry("behind", &realm, &ward.index.host(), "portolan", &keys)?;
    for (name, line, expected) in [
        ("open", "client_max_body_size 0;", ""),
        ("narrow", "client_max_body_size 1m;", "client_max_body_size 0;"),
        (
            "wrong",
            "client_max_body_size 0; return 404;",
            "send /v2/ to registry-service",
        ),
        (
            "alone",
            "client_max_body_size 0; return 502;",
            "registry-service does not run",
        ),
    ] {
        let folder = journey.subfolder(name)?;
        let port = free_port()?;
        let server = format!(
            "server {{ listen 127.0.0.1:{port}; {line} location / {{ proxy_pass http://127.0.0.1:{behind}; \
             proxy_set_header Host $http_host; }} }}\n"
        );
        let mut daemon = start(journey, &folder, &server, port)?;
        let found = ward.examine(port)?;
        ensure!(
            (found.code == Some(0)) == expected.is_empty(),
            "{name}: {}",
            found.text()
        );
        ensure!(found.text().contains(expected), "{name}: {}", found.text());
        daemon.stop(Duration::from_mins(1))?;
    }
    Ok(())
}

fn start(journey: &Journey, folder: &Path, server: &str, port: u16) -> Result<Daemon> {
    nginx::place(folder, "front.conf", server)?;
    nginx::start(journey, folder, &[], || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
}
