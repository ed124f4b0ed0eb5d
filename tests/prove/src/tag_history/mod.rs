//! F32: one tag, moved by many clients at once, at two replicas; every tag must behave as one register.

mod judge;

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use harness::api::Api;
use harness::archive::digest;
use harness::command::RUNTIME;
use harness::layout::{IMAGE_CONFIG, IMAGE_MANIFEST};
use harness::open_registry::{Choices, OpenRegistry};
use http::Method;
use tokio::task::JoinSet;

use crate::{Proof, Random, Run, Verdict};
use judge::{Effect, Operation, unexplained};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "F32",
    promise: "moves, reads and deletes of one tag by many clients at two replicas are linearizable",
    needs: &[harness::Need::Portolan],
    control: "a replica serves a tag from memory for a moment without looking",
    run,
};

const TAGS: u64 = 16;
const WRITERS: usize = 8;
const READERS: usize = 4;
const REPOSITORY: &str = "many/moves";

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let folder = run.folder().join("storage");
    let choices = Choices {
        sabotage: if run.control { "stale-tag-cache" } else { "" }.into(),
        ..Choices::default()
    };
    let replicas = [
        OpenRegistry::start(run.journey, &folder, &choices)?,
        OpenRegistry::start(run.journey, &folder, &choices)?,
    ];
    let config = replicas[0]
        .api()?
        .push_blob(REPOSITORY, Bytes::from_static(b"{}"))?;
    let each = run.choose(400, 25_000) / run.choose(1, if cfg!(debug_assertions) { 2 } else { 1 });
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for number in 0..WRITERS + READERS {
        let client = Client {
            apis: [replicas[0].api()?, replicas[1].api()?],
            random: run.random.fork(),
            config: config.clone(),
            number: u32::try_from(number)?,
            writes: 0,
            began,
        };
        clients.spawn_on(client.work(number < WRITERS, each), RUNTIME.handle());
    }
    let mut histories: Vec<Vec<Operation>> = vec![Vec::new(); usize::try_from(TAGS)?];
    let mut finished = 0;
    while let Some(done) = RUNTIME.block_on(clients.join_next()) {
        for (tag, operation) in done.context("a client")?? {
            histories[tag].push(operation);
        }
        finished += 1;
        run.progress(&format!("{finished} of {} clients are done", WRITERS + READERS));
    }
    let mut verdict = Verdict::default();
    for (tag, history) in histories.iter().enumerate() {
        verdict.count("operations", history.len() as u64);
        if let Some(number) = unexplained(history) {
            verdict.violation(told(tag, history, number));
        }
    }
    verdict.figure("tags", TAGS);
    verdict.figure("clients", (WRITERS + READERS) as u64);
    Ok(verdict)
}

/// The operation that nothing explains, with what went on around it.
fn told(tag: usize, history: &[Operation], number: usize) -> String {
    let culprit = &history[number];
    let around = |other: &&Operation| {
        other.returned + 20_000_000 >= culprit.called && other.called <= culprit.returned
    };
    let mut others: Vec<&Operation> = history.iter().filter(around).collect();
    others.sort_by_key(|other| other.called);
    let lines: Vec<String> = others.iter().map(|it| format!("    {it:?}")).collect();
    format!(
        "tag t{tag}: nothing explains {culprit:?} among\n{}",
        lines.join("\n")
    )
}

struct Client {
    apis: [Api; 2],
    random: Random,
    config: String,
    number: u32,
    writes: u32,
    began: Instant,
}

impl Client {
    async fn work(mut self, is_writer: bool, count: usize) -> Result<Vec<(usize, Operation)>> {
        let mut last_read = Vec::new();
        last_read.resize(usize::try_from(TAGS)?, None);
        let mut done = Vec::with_capacity(count);
        for _ in 0..count {
            // Half of all goes to one tag, so that it is fought for.
            let tag = if self.random.below(2) == 0 {
                0
            } else {
                self.random.below(TAGS)
            };
            let place = usize::try_from(tag)?;
            let path = format!("/v2/{REPOSITORY}/manifests/t{tag}");
            let replica = usize::from(self.random.below(2) == 1);
            let called = self.now();
            let effect = match self.random.below(if is_writer { 10 } else { 1 }) {
                0..=2 => self.read(replica, &path).await?,
                3 => self.remove(replica, &path).await?,
                4 => self.put(replica, &path, Some(None)).await?,
                5 => self.put(replica, &path, Some(last_read[place])).await?,
                _ => self.put(replica, &path, None).await?,
            };
            if let Effect::Read(read) = effect {
                last_read[place] = read;
            }
            let returned = self.now();
            done.push((
                place,
                Operation {
                    called,
                    returned,
                    effect,
                },
            ));
        }
        Ok(done)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    async fn read(&mut self, replica: usize, path: &str) -> Result<Effect> {
        let answer = self.apis[replica]
            .exchange(Method::GET, path, &[], Bytes::new())
            .await?;
        if answer.status == 404 {
            return Ok(Effect::Read(None));
        }
        let body = answer.expect(200)?.json()?;
        let value = body["annotations"]["value"]
            .as_str()
            .context("not one of the manifests")?;
        Ok(Effect::Read(Some(value.parse()?)))
    }

    async fn remove(&mut self, replica: usize, path: &str) -> Result<Effect> {
        let answer = self.apis[replica]
            .exchange(Method::DELETE, path, &[], Bytes::new())
            .await?;
        match answer.status {
            202 => Ok(Effect::Remove),
            404 => Ok(Effect::RemoveRefused),
            _ => bail!("{answer}"),
        }
    }

    /// Writes a value that no other write has; with a condition: only if that is there, `Some(None)`: nothing.
    #[expect(
        clippy::option_option,
        reason = "no condition, nothing there, that value there"
    )]
    async fn put(&mut self, replica: usize, path: &str, condition: Option<Option<u32>>) -> Result<Effect> {
        self.writes += 1;
        let value = self.number << 24 | self.writes;
        let mut headers = vec![("content-type", IMAGE_MANIFEST.to_owned())];
        match condition {
            None => {}
            Some(None) => headers.push(("if-none-match", "*".to_owned())),
            Some(Some(old)) => headers.push(("if-match", format!("\"{}\"", digest(&self.manifest(old))))),
        }
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let body = Bytes::from(self.manifest(value));
        let answer = self.apis[replica]
            .exchange(Method::PUT, path, &headers, body)
            .await?;
        match (answer.status, condition) {
            (201, None) => Ok(Effect::Write(value)),
            (201, Some(None)) => Ok(Effect::Create(value)),
            (412, Some(None)) => Ok(Effect::CreateRefused),
            (201, Some(Some(old))) => Ok(Effect::Replace(old, value)),
            (412, Some(Some(old))) => Ok(Effect::ReplaceRefused(old)),
            _ => bail!("{answer}"),
        }
    }

    fn manifest(&self, value: u32) -> Vec<u8> {
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","config":{{"mediaType":"{IMAGE_CONFIG}","digest":"{}","size":2}},"layers":[],"annotations":{{"value":"{value}"}}}}"#,
            self.config
        )
        .into_bytes()
    }
}
