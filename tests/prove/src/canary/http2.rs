//! `portolan up` with TLS at the level trace, spoken to in HTTP/2, whose implementation logs each frame.

use anyhow::{Context as _, Result};
use harness::Server;
use harness::server::Options;

use super::Findings;
use crate::Run;

pub(super) fn play(run: &mut Run<'_>, findings: &mut Findings) -> Result<()> {
    let options = Options {
        arguments: ["--log", "trace", "--tls-self-signed"]
            .map(str::to_owned)
            .to_vec(),
        address: Some("127.0.0.1".to_owned()),
        ..Options::default()
    };
    let server = Server::own(run.journey, options)?;
    let token = format!("{}/token", server.url());
    let query = format!("{token}?service={}", server.host().replace(':', "%3A"));
    let base = format!("{}/v2/", server.url());
    let mut secret = |place: &str| {
        let secret = format!("{place}-{:016x}", run.random.next());
        findings.plant(&format!("a secret in HTTP/2, {place}"), &secret);
        secret
    };
    let requests = [
        vec![
            query.clone(),
            "--user".into(),
            format!("admin:{}", secret("basic")),
        ],
        vec![
            base.clone(),
            "--header".into(),
            format!("authorization: Bearer {}", secret("bearer")),
        ],
        vec![
            base,
            "--header".into(),
            format!("cookie: session={}", secret("cookie")),
        ],
        vec![format!("{query}&password={}", secret("query"))],
        vec![
            token,
            "--data".into(),
            format!("grant_type=refresh_token&refresh_token={}", secret("form")),
        ],
    ];
    let mut witnesses = vec!["h2::codec".to_owned()];
    for words in requests {
        let curl = run
            .journey
            .command("curl")
            .args(["--silent", "--insecure", "--http2"]);
        let curl = curl.args(["--dump-header", "-", "--output", "/dev/null"]);
        let answer = curl.args(words).succeeds()?.stdout;
        let id = answer
            .lines()
            .find_map(|line| line.strip_prefix("x-request-id: "))
            .context("an answer without X-Request-Id")?;
        witnesses.push(format!("request_id={}", id.trim()));
    }
    server.stop()?;
    let log = std::fs::read(server.log()).context("read the log")?;
    findings.channel_with("the log of HTTP/2", String::from_utf8_lossy(&log), witnesses);
    Ok(())
}
