//! F31: the same blob, uploaded many times at once.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use harness::api::Api;
use harness::archive::digest;
use harness::command::RUNTIME;
use harness::open_registry::{Choices, OpenRegistry};
use http::Method;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{Duration, timeout};

use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "F31",
    promise: "the same blob, uploaded 200 times at once, is stored once, and no upload waits for another",
    needs: &[harness::Need::Portolan],
    control: "uploads wait for each other",
    run,
};

/// Uploads at once.
const CLIENTS: usize = 200;
/// Longest wait for uploads that nothing holds up; only a broken promise comes near it.
const PATIENCE: Duration = Duration::from_mins(1);
/// The same for the control, which is known to wait for ever.
const SHORT_PATIENCE: Duration = Duration::from_secs(5);

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let folder = run.folder().join("storage");
    let choices = Choices {
        sabotage: if run.control { "serialise-uploads" } else { "" }.into(),
        ..Choices::default()
    };
    let registry = OpenRegistry::start(run.journey, &folder, &choices)?;
    let mut verdict = Verdict::default();
    let rounds = run.choose(1, 20);
    let length = run.choose(256 << 10, 1 << 20);
    let patience = if run.control { SHORT_PATIENCE } else { PATIENCE };
    for round in 0..rounds {
        run.progress(&format!("round {round} of {rounds}"));
        let blob = Bytes::from(run.random.bytes(length));
        let api = Arc::new(registry.api()?);
        let all_came_through = RUNTIME.block_on(at_once(&api, &blob, patience, &mut verdict))?;
        if !all_came_through {
            verdict.violation("uploads wait for one that is slow");
            return Ok(verdict);
        }
        let back = api.get(&format!("/v2/same/blob/blobs/{}", digest(&blob)))?;
        verdict.require(back.status == 200 && back.body == blob, || {
            format!("the blob came back otherwise: {}", back.status)
        });
        verdict.count("uploads", CLIENTS as u64 + 1);
    }
    let copies = files(&folder.join("docker/registry/v2/blobs"))?;
    verdict.figure("stored_copies", copies);
    verdict.require(copies == rounds, || format!("{copies} copies of {rounds} blobs"));
    for left in ["portolan/staging", "portolan/uploads"] {
        let count = files(&folder.join(left))?;
        verdict.require(count == 0, || format!("{count} files were left in {left}"));
    }
    Ok(verdict)
}

/// One upload that stops half way, [`CLIENTS`] others that must not care, then the rest of the first. False: they did
/// not come through.
async fn at_once(api: &Arc<Api>, blob: &Bytes, patience: Duration, verdict: &mut Verdict) -> Result<bool> {
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let half = blob.slice(..blob.len() / 2);
    let rest = blob.slice(blob.len() / 2..);
    let pieces = futures_util::stream::unfold(Some((Some(half), rest, released)), |state| async move {
        let (half, rest, released) = state?;
        if let Some(half) = half {
            return Some((Ok::<_, std::io::Error>(half), Some((None, rest, released))));
        }
        // A sender that is gone releases too.
        drop(released.await);
        Some((Ok(rest), None))
    });
    let slow_location = begin(api).await?;
    let slow = tokio::spawn({
        let request = api.http().patch(api.url(&slow_location));
        let request = request.header("content-type", "application/octet-stream");
        request.body(reqwest::Body::wrap_stream(pieces)).send()
    });
    let name = digest(blob);
    let ready = Arc::new(Barrier::new(CLIENTS));
    let mut uploads = JoinSet::new();
    for _ in 0..CLIENTS {
        let (api, blob, name, ready) = (Arc::clone(api), blob.clone(), name.clone(), Arc::clone(&ready));
        uploads.spawn(async move {
            let location = begin(&api).await?;
            let first = blob.slice(..blob.len() / 3);
            let answer = api
                .exchange(Method::PATCH, &location, &[], first)
                .await?
                .expect(202)?;
            let location = answer.header("location")?.to_owned();
            ready.wait().await;
            finish(&api, &location, &name, blob.slice(blob.len() / 3..)).await
        });
    }
    let all = async {
        let mut statuses = Vec::new();
        while let Some(done) = uploads.join_next().await {
            statuses.push(done.context("an upload")??);
        }
        Ok::<_, anyhow::Error>(statuses)
    };
    let came_through = timeout(patience, all).await;
    // A receiver that is gone means that the slow request has failed, which is seen below.
    let _ = release.send(());
    let Ok(statuses) = came_through else {
        return Ok(false);
    };
    for status in statuses? {
        verdict.require(status == 201, || format!("an upload was answered with {status}"));
    }
    let patched = slow
        .await
        .context("the slow upload")?
        .context("the slow upload")?;
    ensure!(patched.status() == 202, "the slow upload: {}", patched.status());
    let location = patched
        .headers()
        .get("location")
        .context("no location")?
        .to_str()?
        .to_owned();
    let status = finish(api, &location, &name, Bytes::new()).await?;
    verdict.require(status == 201, || {
        format!("the slow upload was answered with {status}")
    });
    Ok(true)
}

async fn begin(api: &Api) -> Result<String> {
    let answer = api.exchange(Method::POST, "/v2/same/blob/blobs/uploads/", &[], Bytes::new());
    Ok(answer.await?.expect(202)?.header("location")?.to_owned())
}

async fn finish(api: &Api, location: &str, digest: &str, rest: Bytes) -> Result<u16> {
    let join = if location.contains('?') { '&' } else { '?' };
    let path = format!("{location}{join}digest={digest}");
    Ok(api.exchange(Method::PUT, &path, &[], rest).await?.status)
}

/// How many files lie in the folder and below it.
fn files(folder: &Path) -> Result<usize> {
    let mut count = 0;
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(0);
    };
    for entry in entries {
        let entry = entry?;
        count += if entry.file_type()?.is_dir() {
            files(&entry.path())?
        } else {
            1
        };
    }
    Ok(count)
}
