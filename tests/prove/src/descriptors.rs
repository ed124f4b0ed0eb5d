//! F10: no file descriptor is left.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use harness::Need;
use harness::api::Api;
use harness::archive::digest;
use harness::command::RUNTIME;
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::{limit_open_files, open_files, processor_seconds, wait_for};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::image::Image;
use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "F10",
    promise: "without file descriptors new connections wait, nothing spins, what has begun ends well, and all goes on when there are some again",
    needs: &[Need::Portolan],
    control: "accepting goes on without a pause",
    run,
};

/// Longer than what the sockets between hold, so that a pull stands still in the middle.
const BLOB_LENGTH: usize = 24 << 20;
/// Connections that ask for nothing.
const IDLE: usize = 200;
/// Descriptors that are left when they become few.
const LEFT: u64 = 4;
/// The limit under which no more connections are taken than leave room for files.
const LOW_LIMIT: u64 = 320;
/// How long the processor time is measured.
const WINDOW: Duration = Duration::from_secs(2);
/// Share of one processor that a registry may use while it cannot accept. One that spins takes all that it gets.
const MOST_PROCESSOR: f64 = 0.05;
/// Longest wait for what must come.
const PATIENCE: Duration = Duration::from_mins(1);

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let rounds = if run.control { 1 } else { run.choose(1, 20) };
    for round in 0..rounds {
        run.progress(&format!("round {round} of {rounds}"));
        used_up(run, round, &mut verdict)?;
        if !run.control {
            kept_free(run, round, &mut verdict)?;
        }
    }
    Ok(verdict)
}

/// The limit falls below what is in use: as when files leak, or other parts of the process need them.
fn used_up(run: &mut Run<'_>, round: usize, verdict: &mut Verdict) -> Result<()> {
    let choices = Choices {
        sabotage: if run.control { "accept-without-pause" } else { "" }.into(),
        ..Choices::default()
    };
    let folder = run.folder().join(format!("storage{round}"));
    let registry = OpenRegistry::start(run.journey, &folder, &choices)?;
    let process = registry.pid().context("no process")?;
    let api = registry.api()?;
    let image = Image::push(&api, "a/image", "latest", &mut run.random, &[BLOB_LENGTH])?;
    let usual = open_files_limit(process)?;

    let mut pulls = Vec::new();
    for _ in 0..3 {
        pulls.push(begin_pull(
            &api,
            &format!("/v2/a/image/blobs/{}", digest(&image.blobs[0])),
        )?);
    }
    let upload = Upload::begin(&api, Bytes::from(run.random.bytes(300_000)))?;
    wait_for("the registry to open the upload's file", PATIENCE, || {
        Ok(has_open(process, "portolan/staging")?.then_some(()))
    })?;
    // A connection that is kept: what asks for nothing new is answered on it.
    let mut kept = Connection::open(&registry)?;
    kept.ask("/livez")?;
    limit_open_files(process, open_files(process)? + LEFT)?;

    let idle: Vec<_> = (0..IDLE)
        .map(|_| TcpStream::connect(("127.0.0.1", registry.port())))
        .collect::<std::io::Result<_>>()?;
    wait_for("the last descriptor", PATIENCE, || {
        let log = std::fs::read_to_string(registry.log())?;
        Ok(log.contains("cannot accept connections").then_some(()))
    })?;
    let (begun, before) = (Instant::now(), processor_seconds(process)?);
    let measured = wait_for("the end of the measurement", PATIENCE, || {
        Ok((begun.elapsed() >= WINDOW).then_some(()))
    });
    measured?;
    let share = (processor_seconds(process)? - before) / begun.elapsed().as_secs_f64();
    let most = verdict
        .figures
        .get("most_of_a_processor")
        .and_then(serde_json::Value::as_f64);
    verdict.figure("most_of_a_processor", most.unwrap_or_default().max(share));
    verdict.require(share <= MOST_PROCESSOR, || {
        format!("{share:.2} of a processor is used for nothing")
    });

    let live = kept.ask("/livez")?;
    verdict.require(live == 200, || format!("/livez on a kept connection: {live}"));
    for pull in pulls {
        let bytes = pull.finish();
        verdict.count("pulls_finished", 1);
        verdict.require(bytes.as_ref().is_ok_and(|bytes| *bytes == image.blobs[0]), || {
            format!("a pull that had begun: {:?}", bytes.map(|bytes| bytes.len()))
        });
    }
    let location = upload.go_on();
    verdict.count("chunks_finished", 1);
    verdict.require(location.is_ok(), || {
        format!(
            "an upload that had begun: {:?}",
            location.as_ref().err().map(ToString::to_string)
        )
    });

    // The limit stays; the idle connections go.
    drop(idle);
    let answered = wait_for("an answer on a new connection", PATIENCE, || {
        Ok(Connection::open(&registry)
            .and_then(|mut new| new.ask("/livez"))
            .ok())
    });
    verdict.require(answered.is_ok(), || "new connections are not taken again".into());
    limit_open_files(process, usual)?;
    let api = registry.api()?;
    if let Ok((location, bytes)) = location {
        let finished = api.finish_upload(&location, &digest(&bytes), Bytes::new())?;
        verdict.require(finished.status == 201, || {
            format!("the upload does not end: {finished}")
        });
    }
    image.pull(&api)?;
    verdict.count("rounds", 1);
    Ok(())
}

/// A low limit from the start: no more connections are held than leave descriptors for files, and idle ones make room.
fn kept_free(run: &mut Run<'_>, round: usize, verdict: &mut Verdict) -> Result<()> {
    let choices = Choices {
        launcher: vec!["prlimit".to_owned(), format!("--nofile={LOW_LIMIT}:{LOW_LIMIT}")],
        ..Choices::default()
    };
    let folder = run.folder().join(format!("low{round}"));
    let registry = OpenRegistry::start(run.journey, &folder, &choices)?;
    let process = registry.pid().context("no process")?;
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        let stream = TcpStream::connect(("127.0.0.1", registry.port()))?;
        (&stream).write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")?;
        idle.push(stream);
    }
    // More than there is room for are waiting; each of these gets its turn.
    for number in 0..3 {
        let api = registry.api()?;
        let pushed = Image::push(
            &api,
            "a/image",
            &format!("v{number}"),
            &mut run.random,
            &[200_000],
        );
        let pulled = pushed.and_then(|image| image.pull(&api));
        verdict.count("images_beside_idle_connections", 1);
        verdict.require(pulled.is_ok(), || {
            format!("a push and pull beside idle connections: {pulled:?}")
        });
    }
    let open = open_files(process)?;
    let log = std::fs::read_to_string(registry.log())?;
    verdict.require(!log.contains("cannot accept connections"), || {
        format!("the descriptors were used up, {open} are open")
    });
    drop(idle);
    Ok(())
}

fn open_files_limit(process: u32) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/limits"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    soft.context("no limit of open files")?
        .parse()
        .context("the limit of open files")
}

/// Whether the process has a file open whose path holds this.
fn has_open(process: u32, part: &str) -> Result<bool> {
    for entry in std::fs::read_dir(format!("/proc/{process}/fd"))? {
        // What was closed meanwhile is not open.
        if let Ok(path) = std::fs::read_link(entry?.path())
            && path.to_string_lossy().contains(part)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A pull of which only the beginning has been read.
struct Pull {
    first: Bytes,
    response: reqwest::Response,
}

fn begin_pull(api: &Api, path: &str) -> Result<Pull> {
    RUNTIME.block_on(async {
        let mut response = api.http().get(api.url(path)).send().await?.error_for_status()?;
        let first = response.chunk().await?.context("an empty body")?;
        Ok(Pull { first, response })
    })
}

impl Pull {
    fn finish(mut self) -> Result<Bytes> {
        RUNTIME.block_on(async {
            let mut body = self.first.to_vec();
            while let Some(piece) = self.response.chunk().await? {
                body.extend_from_slice(&piece);
            }
            Ok(body.into())
        })
    }
}

/// A chunk of which half has been sent.
struct Upload {
    bytes: Bytes,
    release: oneshot::Sender<()>,
    answer: JoinHandle<reqwest::Result<reqwest::Response>>,
}

impl Upload {
    fn begin(api: &Api, bytes: Bytes) -> Result<Self> {
        let location = api.begin_upload("a/image")?;
        let (release, released) = oneshot::channel::<()>();
        let (half, rest) = (bytes.slice(..bytes.len() / 2), bytes.slice(bytes.len() / 2..));
        let (sent, begun) = oneshot::channel::<()>();
        let pieces =
            futures_util::stream::unfold(Some((Some((half, sent)), rest, released)), |state| async move {
                let (half, rest, released) = state?;
                if let Some((half, sent)) = half {
                    // A receiver that is gone waits for nothing.
                    let _ = sent.send(());
                    return Some((Ok::<_, std::io::Error>(half), Some((None, rest, released))));
                }
                // A sender that is gone releases too.
                drop(released.await);
                Some((Ok(rest), None))
            });
        let request = api.http().patch(api.url(&location));
        let answer =
            RUNTIME.spawn(async move { request.body(reqwest::Body::wrap_stream(pieces)).send().await });
        RUNTIME.block_on(begun).context("the upload did not begin")?;
        Ok(Self {
            bytes,
            release,
            answer,
        })
    }

    /// Sends the rest of the chunk. Where the upload goes on, and what it holds.
    fn go_on(self) -> Result<(String, Bytes)> {
        // A receiver that is gone means that the request has failed, which is seen below.
        let _ = self.release.send(());
        let answer = RUNTIME.block_on(self.answer)??;
        ensure!(answer.status() == 202, "the chunk: {}", answer.status());
        let location = answer.headers().get("location").context("no location")?;
        Ok((location.to_str()?.to_owned(), self.bytes))
    }
}

/// A connection of its own.
struct Connection(TcpStream);

impl Connection {
    fn open(registry: &OpenRegistry) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", registry.port()))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self(stream))
    }

    /// The status of a short answer.
    fn ask(&mut self, path: &str) -> Result<u16> {
        self.0
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())?;
        let mut buffer = [0; 4096];
        let length = self.0.read(&mut buffer)?;
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let status = text.split_whitespace().nth(1).context("no answer")?;
        Ok(status.parse()?)
    }
}
