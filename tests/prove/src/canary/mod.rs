//! S9: planted secrets, looked for wherever something is written.

mod apart;
mod http2;
mod scene;

use anyhow::{Result, ensure};
use harness::canary::Planted;

use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "S9",
    promise: "no secret reaches a log, an error body, or what a command says, in whatever coding",
    needs: &[
        harness::Need::Portolan,
        harness::Need::Openssl,
        harness::Need::Curl,
    ],
    control: "the token endpoint logs the credentials that it is given",
    run,
};

/// Fewest secrets that must have been planted.
const PLANTED: usize = 40;
/// The witness of most channels.
const WITNESS: &str = "witness-to-all-this";

/// Something that is written and read by others.
struct Channel {
    name: String,
    text: String,
    /// No secrets, and planted all the same: where they are not found, nobody has looked.
    witnesses: Vec<String>,
}

/// What a scene has planted and what was written meanwhile.
#[derive(Default)]
struct Findings {
    planted: Vec<Planted>,
    channels: Vec<Channel>,
}

impl Findings {
    fn plant(&mut self, name: &str, secret: impl AsRef<[u8]>) {
        self.planted.push(Planted::new(name, secret));
    }

    fn channel_with(&mut self, name: &str, text: impl Into<String>, witnesses: Vec<String>) {
        let (name, text) = (name.to_owned(), text.into());
        self.channels.push(Channel {
            name,
            text,
            witnesses,
        });
    }

    fn channel(&mut self, name: &str, text: impl Into<String>) {
        self.channel_with(name, text, vec![WITNESS.to_owned()]);
    }
}

/// Both sizes are the same: what is written does not depend on how often.
fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let mut findings = Findings::default();
    scene::play(run, &mut findings)?;
    http2::play(run, &mut findings)?;
    apart::play(run, &mut findings)?;
    if run.control {
        run.journey.let_logs_hold_secrets();
    }
    let mut verdict = Verdict::default();
    for planted in &findings.planted {
        ensure!(planted.can_be_found(), "nothing to look for: {}", planted.name);
    }
    for channel in &findings.channels {
        verdict.count("bytes_read", channel.text.len() as u64);
        for witness in &channel.witnesses {
            ensure!(
                channel.text.contains(witness),
                "{} does not hold {witness}, so it proves nothing:
{}",
                channel.name,
                channel.text.chars().take(2_000).collect::<String>()
            );
        }
        for planted in &findings.planted {
            if let Some(found) = planted.find(&channel.text) {
                let line = channel
                    .text
                    .lines()
                    .find(|line| line.contains(found))
                    .unwrap_or_default();
                let line: String = line.chars().take(400).collect();
                verdict.violation(format!("{} stands in {}: {line}", planted.name, channel.name));
            }
        }
    }
    let names: Vec<&str> = findings
        .channels
        .iter()
        .map(|channel| channel.name.as_str())
        .collect();
    verdict.figure("channels", names);
    verdict.figure("secrets", findings.planted.len());
    ensure!(
        findings.planted.len() >= PLANTED,
        "only {} secrets were planted",
        findings.planted.len()
    );
    Ok(verdict)
}
