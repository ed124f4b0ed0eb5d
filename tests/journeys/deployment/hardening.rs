//! What the containers of a deployment may do, as the engine and the kernel say it.

use std::collections::BTreeMap;

use harness::{Context as _, Result, ensure};
use serde_json::Value;

use super::project::Project;

/// The user of each service.
const USERS: [(&str, &str); 4] = [
    ("front", "101:101"),
    ("index", "10001:10001"),
    ("postgres", "999:999"),
    ("registry", "10001:10001"),
];

/// Holds every container to what compose.yaml promises.
pub(crate) fn look(project: &Project<'_>) -> Result<()> {
    let password = project.admin()?.password;
    let mut networks = BTreeMap::new();
    for (service, user) in USERS {
        let container = project.containers(service)?.concat();
        let text = project.docker.line(["inspect", &container]).succeeds()?.stdout;
        let all: Value = serde_json::from_str(&text).context("read what the engine says")?;
        let (host, config) = (&all[0]["HostConfig"], &all[0]["Config"]);
        ensure!(config["User"] == user, "{service} runs as {}", config["User"]);
        ensure!(host["ReadonlyRootfs"] == true, "{service} can write to its root");
        ensure!(host["Privileged"] == false, "{service} is privileged");
        ensure!(
            host["Memory"].as_u64() > Some(0),
            "{service} has no limit of memory"
        );
        ensure!(
            host["RestartPolicy"]["Name"] == "unless-stopped",
            "{service} is not restarted"
        );
        ensure!(
            host["LogConfig"]["Config"]["max-size"] == "10m",
            "the log of {service} has no limit"
        );
        let environment = config["Env"].to_string();
        ensure!(
            !environment.contains(&password) && !environment.contains("postgres://"),
            "a secret stands in the environment of {service}"
        );
        // What the kernel says of the main process.
        let process = project.inspect(&container, "{{.State.Pid}}")?;
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        for line in [
            "CapEff:\t0000000000000000",
            "CapBnd:\t0000000000000000",
            "NoNewPrivs:\t1",
            "Seccomp:\t2",
        ] {
            // The engine of this machine may have no seccomp at all.
            let is_known = line.split(':').next().is_some_and(|name| status.contains(name));
            let is_there = status.contains(line) || (line.starts_with("Seccomp") && no_seccomp(project)?);
            ensure!(is_known && is_there, "{service}: no {line:?} in\n{status}");
        }
        let own: Vec<String> = all[0]["NetworkSettings"]["Networks"]
            .as_object()
            .map(|map| map.keys().cloned().collect())
            .unwrap_or_default();
        networks.insert(service, own);
    }
    let meet = |one: &str, other: &str| {
        networks[one]
            .iter()
            .any(|network| networks[other].contains(network))
    };
    ensure!(
        !meet("front", "postgres") && !meet("registry", "postgres"),
        "{networks:?}"
    );
    ensure!(
        meet("index", "postgres") && meet("front", "registry") && meet("registry", "index"),
        "{networks:?}"
    );
    Ok(())
}

fn no_seccomp(project: &Project<'_>) -> Result<bool> {
    let said = project
        .docker
        .line(["info", "--format", "{{.SecurityOptions}}"])
        .succeeds()?
        .stdout;
    Ok(!said.contains("seccomp"))
}
