//! From an empty machine to the first push.

use std::time::Instant;

use harness::command::RUNTIME;
use harness::engine::Docker;
use harness::{Account, Journey, Result, Suite, binaries, ensure};

use super::NEEDS;
use super::hardening;
use super::project::{PATIENCE, Project};
use crate::tls::Trust;

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "deployment",
        "one_command_gives_a_registry_with_tls_that_engines_push_to_and_pull_from",
        &NEEDS,
        first_push,
    );
}

fn first_push(journey: &Journey) -> Result<()> {
    let project = Project::prepare(journey, "")?;
    unset_host(&project)?;
    let begun = Instant::now();
    project.up(&[])?;
    let admin = project.admin()?;
    let api = project.api(Some(admin.clone()))?;
    let digest = api.push_small_image("admin/first", "1", "the first push")?;
    journey.say(&format!(
        "{:.1} s from `up` to the first push",
        begun.elapsed().as_secs_f64()
    ));
    let idle = project.memory()?;
    let sum: f64 = idle.iter().map(|(_, size)| size).sum();
    journey.say(&format!("idle {sum:.0} MiB: {}", shown(&idle)));

    // What a person does, as the setup's log tells.
    let host = project.host();
    let said = project.compose(&["logs", "--no-color", "setup"]).succeeds()?;
    said.says(&format!("docker login {host} -u admin"))?
        .says(&format!("/etc/docker/certs.d/{host}/ca.crt"))?;
    let image = format!("{host}/admin/app:1");
    let docker = Docker::new(journey)?;
    docker.login(&host, &admin).fails()?.says("certificate")?;
    let authority = String::from_utf8(project.authority()?)?;
    let _trust = Trust::place(&host, &authority)?;
    docker.login(&host, &admin).succeeds()?;
    // Larger than what a proxy lets through by itself.
    docker.import_with(&image, "through the front door", 24 << 20)?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    docker.line(["pull", &image]).succeeds()?;
    ensure!(
        docker.run(&image)? == "through the front door\n",
        "another image came back"
    );
    docker.forget(&[&image])?;
    Docker::new(journey)?
        .line(["pull", &image])
        .fails()?
        .says("denied")?;
    doctor(&project, &admin)?;

    // In the clear there is nothing but the way to HTTPS.
    let clear = format!("http://{}/v2/?a=b", project.clear_host());
    let moved = RUNTIME.block_on(async { api.http().get(&clear).send().await })?;
    let location = moved
        .headers()
        .get("location")
        .and_then(|value| value.to_str().ok());
    ensure!(
        moved.status().as_u16() == 308 && location == Some(&format!("https://{host}/v2/?a=b")),
        "{moved:?}"
    );
    hardening::look(&project)?;
    another_certificate(&project)?;
    down_and_up(&project, &digest)
}

/// Without the one setting that must be made nothing starts, and it is said what to do.
fn unset_host(project: &Project<'_>) -> Result<()> {
    let line = project.compose(&["config"]).env("PORTOLAN_HOST", "");
    line.fails()?.says("copy .env.example to .env").map(drop)
}

/// A certificate that is replaced counts at the next handshake, without a restart.
fn another_certificate(project: &Project<'_>) -> Result<()> {
    let fingerprint = || -> Result<String> {
        let words = ["exec", "-T", "front", "sha256sum", "/etc/portolan/tls/tls.crt"];
        Ok(project.compose(&words).succeeds()?.stdout)
    };
    let (before, started) = (fingerprint()?, front_started(project)?);
    // Without its certificate the pair is made anew, by the same authority.
    let files = ["/setup/tls/tls.crt", "/setup/tls/tls.key"];
    let words = ["run", "--rm", "-T", "--no-deps", "--entrypoint", "rm", "setup"];
    let anonymous = project.api(None)?;
    project.compose(&[&words[..], &files[..]].concat()).succeeds()?;
    project
        .compose(&["run", "--rm", "-T", "--no-deps", "setup"])
        .succeeds()?;
    ensure!(fingerprint()? != before, "the certificate is the same");
    ensure!(front_started(project)? == started, "nginx was restarted");
    // Who connects anew, and who was connected: both trust the authority that they knew.
    project.api(None)?.get("/v2/")?.expect(200)?;
    anonymous.get("/v2/")?.expect(200).map(drop)
}

pub(crate) fn front_started(project: &Project<'_>) -> Result<String> {
    let front = project.containers("front")?.concat();
    project.inspect(&front, "{{.State.StartedAt}} {{.RestartCount}}")
}

/// The doctor finds nothing wrong.
fn doctor(project: &Project<'_>, admin: &Account) -> Result<()> {
    let authority = project.folder.join("ca.crt");
    std::fs::write(&authority, project.authority()?)?;
    let url = format!("https://{}", project.host());
    let line = project.journey.command(binaries::path_of("portolan")?);
    let line = line
        .args(["doctor", "--registry", &url, "--user", &admin.name, "--ca"])
        .arg(&authority);
    line.stdin(admin.password.clone()).succeeds().map(drop)
}

/// Containers go, what they kept stays.
fn down_and_up(project: &Project<'_>, digest: &str) -> Result<()> {
    let before = project.authority()?;
    project
        .compose(&["down", "--timeout", "10"])
        .limit(PATIENCE)
        .succeeds()?;
    project.up(&[])?;
    ensure!(
        project.authority()? == before,
        "clients would have to trust another authority"
    );
    let admin = project.admin()?;
    let answer = project
        .api(Some(admin))?
        .manifest("admin/first", "1")?
        .expect(200)?;
    ensure!(answer.header("docker-content-digest")? == digest, "{answer}");
    Ok(())
}

/// `service 12, other 3`, in MiB.
pub(crate) fn shown(memory: &[(String, f64)]) -> String {
    let parts: Vec<_> = memory
        .iter()
        .map(|(service, size)| format!("{service} {size:.0}"))
        .collect();
    parts.join(", ")
}
