//! The two services with secrets in their configuration: what they log, and what they say when it is wrong.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use harness::binaries;
use harness::process::{Daemon, free_port};
use harness::server::probe;

use super::{Findings, WITNESS};
use crate::Run;

pub(super) fn play(run: &mut Run<'_>, findings: &mut Findings) -> Result<()> {
    registry(run, findings)?;
    index(run, findings)
}

fn registry(run: &mut Run<'_>, findings: &mut Findings) -> Result<()> {
    let folder = run.journey.subfolder("apart")?;
    let (certificate, key) = (folder.join("tls.pem"), folder.join("tls.key"));
    run.journey
        .command("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .succeeds()?;
    findings.plant(
        "the key of TLS",
        std::fs::read_to_string(&key)?.lines().nth(1).unwrap_or_default(),
    );
    let port = free_port()?;
    let (in_file, in_variable) = (secret(run, "http-secret"), secret(run, "http-secret-variable"));
    findings.plant("http.secret", &in_file);
    findings.plant("REGISTRY_HTTP_SECRET", &in_variable);
    let config = folder.join("registry.yml");
    let text = format!(
        "version: 0.1\n{WITNESS}: 1\nlog:\n  level: debug\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n  \
         secret: {in_file}\n  tls:\n    certificate: {}\n    key: {}\n",
        folder.join(format!("storage-{WITNESS}")).display(),
        certificate.display(),
        key.display(),
    );
    std::fs::write(&config, &text)?;
    let log = folder.join("registry.log");
    let mut command = Command::new(binaries::path_of("registry-service")?);
    command
        .arg("serve")
        .arg(&config)
        .env("REGISTRY_HTTP_SECRET", &in_variable);
    let mut daemon = Daemon::start("registry-service", command, &log)?;
    daemon.wait_until_ready(Duration::from_mins(1), || {
        probe(&format!("https://127.0.0.1:{port}/v2/"))
    })?;
    daemon.stop(Duration::from_mins(1))?;
    findings.channel("the log of registry-service", std::fs::read_to_string(&log)?);

    // Wrong in each way, with secrets beside it.
    let mut said = String::new();
    let upstream = secret(run, "upstream-password");
    findings.plant("the password of an upstream", &upstream);
    for broken in [
        text.replace("  level: debug", &format!("  level: {WITNESS}")),
        text.replace("addr: 127.0.0.1", &format!("addr: {WITNESS}")),
        text.replace("  secret: ", "  secret:\n    - "),
        text.replace(&in_file, &format!("[{in_file}, \"{in_file}")),
        format!("{text}proxy:\n  remoteurl: https://user:{upstream}@example.org\n  password: {upstream}\n"),
        format!(
            "{text}auth:\n  token:\n    realm: https://user:{upstream}@example.org/token\n    service: x\n    issuer: x\n"
        ),
        format!("{text}redis:\n  password: {upstream}\n"),
    ] {
        std::fs::write(&config, broken)?;
        let program = binaries::path_of("registry-service")?;
        let line = run.journey.command(program).arg("check-config").arg(&config);
        said += &line.env("REGISTRY_HTTP_SECRET", &in_variable).run()?.text();
    }
    findings.channel("registry-service check-config", said);
    Ok(())
}

fn index(run: &mut Run<'_>, findings: &mut Findings) -> Result<()> {
    let folder = run.journey.subfolder("apart-index")?;
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let (password, other) = (
        secret(run, "database-password"),
        secret(run, "database-password-variable"),
    );
    findings.plant("the password of the database", &password);
    findings.plant("INDEX_DATABASE", &other);
    let config = folder.join("index.yml");
    let at = folder.display();
    // Nothing listens there: the service says that it cannot reach its database.
    let closed = free_port()?;
    let text = format!(
        "listen: 127.0.0.1:{}\npublic_url: http://localhost:5000\ndatabase: postgres://index:{password}@127.0.0.1:{closed}/{WITNESS}\n\
         keys_dir: {at}/keys\ninitial_password_file: {at}/first\nregistry:\n  url: http://127.0.0.1:{closed}\nlog:\n  level: trace\n",
        free_port()?,
    );
    let program = binaries::path_of("index-service")?;
    let mut said = String::new();
    let attempts = [
        (text.clone(), "serve", None),
        (
            text.clone(),
            "serve",
            Some(format!("postgres://index:{other}@127.0.0.1:{closed}/x")),
        ),
        (
            text.clone(),
            "serve",
            Some(format!("postgres://index:{other}@[/{WITNESS}")),
        ),
        (
            text.clone(),
            "check-config",
            Some(format!("mysql://index:{other}@localhost/x")),
        ),
        (format!("{text}{WITNESS}: 1\n"), "check-config", None),
        (text.replace("postgres://", "postgres//"), "check-config", None),
        (text.replace("database: ", "database: ["), "check-config", None),
    ];
    for (config_text, word, variable) in attempts {
        std::fs::write(&config, config_text)?;
        let mut line = run.journey.command(&program).arg(word).arg(&config);
        if let Some(url) = variable {
            line = line.env("INDEX_DATABASE", url);
        }
        said += &line.run()?.text();
    }
    ensure!(said.contains("database"), "the index did not complain: {said}");
    findings.channel("index-service, its complaints", said);
    Ok(())
}

/// Text that stands nowhere else and needs no quoting in YAML or an URL.
fn secret(run: &mut Run<'_>, hint: &str) -> String {
    format!("{hint}-{:016x}{:016x}", run.random.next(), run.random.next())
}
