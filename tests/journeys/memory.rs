//! Memory does not grow with what is transferred: many large transfers at once in a small cgroup.

use std::sync::Arc;

use bytes::Bytes;
use harness::api::Api;
use harness::archive::{Hashing, Noise};
use harness::cgroup::{MemoryCgroup, peak_resident};
use harness::command::RUNTIME;
use harness::server::Options;
use harness::{Context, Error, Journey, Need, Result, Server, Suite, ensure};
use http::Method;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const TRANSFERS: u64 = 128;
const MEBIBYTES: usize = 64;
const LIMIT: u64 = 256 << 20;

pub(crate) fn add(suite: &mut Suite) {
    let name = "transfers_of_64_mib_128_up_and_128_down_at_once_fit_into_256_mib";
    suite.add("memory", name, &[Need::MemoryCgroup], many_at_once);
}

/// What the transfers share.
struct Work {
    api: Api,
    repository: String,
    authorization: String,
    /// All transfers have begun before any goes on past its first bytes.
    begun: Barrier,
}

fn many_at_once(journey: &Journey) -> Result<()> {
    let group = MemoryCgroup::with_limit(LIMIT)?;
    let server = Server::own(
        journey,
        Options {
            launcher: group.launcher(),
            ..Options::default()
        },
    )?;
    let account = server.account(journey, "memory")?;
    let repository = format!("{}/large", account.name);
    let api = server.api(&account)?;
    let authorization = api.authorization_for(&format!("repository:{repository}:pull,push"))?;
    let begun = Barrier::new(usize::try_from(2 * TRANSFERS)?);
    let work = Arc::new(Work {
        api,
        repository,
        authorization,
        begun,
    });

    let moved = RUNTIME.block_on(async {
        let down = upload(Arc::clone(&work), 0, false).await?;
        let mut transfers = JoinSet::new();
        for seed in 1..=TRANSFERS {
            transfers.spawn(upload(Arc::clone(&work), seed, true));
            transfers.spawn(download(Arc::clone(&work), down.clone()));
        }
        let mut digests = std::collections::BTreeSet::new();
        while let Some(done) = transfers.join_next().await {
            digests.insert(done??);
        }
        Ok::<_, Error>(digests.len())
    });
    let peak = peak_resident(server.pid()?);
    ensure!(
        group.kills()? == 0,
        "the kernel killed the server for want of memory"
    );
    let moved = moved?;
    let peak = peak?;
    journey.say(&format!(
        "{TRANSFERS} uploads and {TRANSFERS} downloads of {MEBIBYTES} MiB: peak resident set {} MiB of {} MiB",
        peak >> 20,
        LIMIT >> 20
    ));
    ensure!(server.ended()?.is_none(), "the server ended");
    ensure!(
        u64::try_from(moved)? == TRANSFERS + 1,
        "{moved} different blobs were moved"
    );
    ensure!(peak < LIMIT, "the resident set grew to {peak} bytes");
    Ok(())
}

async fn upload(work: Arc<Work>, seed: u64, wait: bool) -> Result<String> {
    let path = format!("/v2/{}/blobs/uploads/", work.repository);
    let headers = [("authorization", work.authorization.as_str())];
    let begun = work
        .api
        .once(Method::POST, &path, &headers, Bytes::new())
        .await?
        .expect(202)?;
    let (blocks, mut receive) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(1);
    let body = futures_util::stream::poll_fn(move |context| receive.poll_recv(context));
    let request = work.api.http().patch(work.api.url(begun.header("location")?));
    let request = request
        .header("authorization", &work.authorization)
        .body(reqwest::Body::wrap_stream(body));
    let produce = async {
        let mut noise = Noise::new(seed);
        let mut hashing = Hashing::new(std::io::sink());
        for number in 0..MEBIBYTES {
            let block = Bytes::copy_from_slice(noise.next_block());
            std::io::Write::write_all(&mut hashing, &block)?;
            blocks.send(Ok(block)).await.context("the upload ended early")?;
            if number == 0 && wait {
                work.begun.wait().await;
            }
        }
        drop(blocks);
        Ok::<_, Error>(hashing.finish().1)
    };
    let (digest, response) = tokio::join!(produce, request.send());
    let response = response.context("upload")?;
    ensure!(
        response.status() == 202,
        "PATCH was answered with {}",
        response.status()
    );
    let digest = digest?;
    let location = response
        .headers()
        .get("location")
        .context("no Location")?
        .to_str()?;
    let join = if location.contains('?') { '&' } else { '?' };
    let path = format!("{location}{join}digest={digest}");
    work.api
        .once(Method::PUT, &path, &headers, Bytes::new())
        .await?
        .expect(201)?;
    Ok(digest)
}

async fn download(work: Arc<Work>, digest: String) -> Result<String> {
    let url = work.api.url(&format!("/v2/{}/blobs/{digest}", work.repository));
    let request = work
        .api
        .http()
        .get(url)
        .header("authorization", &work.authorization);
    let mut response = request.send().await.context("download")?;
    ensure!(
        response.status() == 200,
        "GET was answered with {}",
        response.status()
    );
    let mut hashing = Hashing::new(std::io::sink());
    let mut first = true;
    while let Some(chunk) = response.chunk().await.context("download")? {
        std::io::Write::write_all(&mut hashing, &chunk)?;
        if std::mem::take(&mut first) {
            work.begun.wait().await;
        }
    }
    let found = hashing.finish().1;
    ensure!(found == digest, "the blob came back as {found}");
    Ok(found)
}
