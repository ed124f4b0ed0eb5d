//! `kill -9` in the middle of a push: nothing half-done is visible, and the push is resumed or repeated.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use harness::archive::{Noise, digest};
use harness::command::RUNTIME;
use harness::engine::Docker;
use harness::process::{Daemon, wait_for};
use harness::server::Options;
use harness::{Context, Journey, Need, Result, Server, Suite, ensure};
use http::Method;

pub(crate) fn add(suite: &mut Suite) {
    let docker = &[Need::Docker];
    suite.add(
        "crash",
        "a_docker_push_cut_off_by_kill_9_is_repeated_after_the_restart",
        docker,
        docker_push,
    );
    suite.add(
        "crash",
        "an_upload_session_cut_off_by_kill_9_is_resumed_where_it_was",
        &[Need::Portolan],
        resumed_session,
    );
    suite.add(
        "crash",
        "what_was_acknowledged_is_there_after_kill_9",
        &[],
        acknowledged,
    );
    suite.add(
        "crash",
        "sigterm_lets_a_running_transfer_end",
        &[Need::Portolan],
        drain,
    );
}

/// The bytes of all files in a storage folder, staged ones included.
fn stored(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, metadata)| {
            if metadata.is_dir() {
                stored(&path)
            } else {
                metadata.len()
            }
        })
        .sum()
}

fn docker_push(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    let account = server.account(journey, "crash")?;
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &account).succeeds()?;
    let base = format!("{}/{}/base:1", server.host(), account.name);
    let image = format!("{}/{}/cut:1", server.host(), account.name);
    docker.import(&base, "survived")?;
    let content = journey.folder().join("content");
    let mut noise = Noise::new(31);
    let blocks: Vec<Vec<u8>> = (0..192).map(|_| noise.next_block().to_vec()).collect();
    std::fs::write(&content, blocks.concat())?;
    docker.extend(&image, &base, &content)?;

    let log = journey.folder().join("push.log");
    journey.watch_log(&log);
    let mut push = Daemon::start("docker push", docker.command(&["push", &image]), &log)?;
    wait_for("the layer to be under way", Duration::from_mins(1), || {
        ensure!(push.ended()?.is_none(), "the push ended before it was cut off");
        Ok((stored(&server.storage()) > 8 << 20).then_some(()))
    })?;
    server.kill();
    push.kill();
    server.start_again()?;

    let api = server.api(&account)?;
    let repository = format!("{}/cut", account.name);
    let tag = api.manifest(&repository, "1")?;
    ensure!(
        tag.status == 404,
        "a tag is visible though its push was cut off: {tag}"
    );
    docker
        .line(["push", &image])
        .succeeds()?
        .says("digest: sha256:")?;
    docker.forget(&[&image, &base])?;
    docker.line(["pull", &image]).succeeds()?;
    ensure!(
        docker.run(&image)? == "survived\n",
        "the pulled image runs otherwise"
    );
    docker.forget(&[&image])
}

fn resumed_session(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    let account = server.account(journey, "resume")?;
    let repository = format!("{}/resumed", account.name);
    let api = server.api(&account)?;
    let mut noise = Noise::new(32);
    let content: Bytes = (0..48).flat_map(|_| noise.next_block().to_vec()).collect();
    let digest = digest(&content);
    let first = content.slice(..4 << 20);
    let location = api.begin_upload(&repository)?;
    let octets = ("content-type", "application/octet-stream");
    let range = format!("0-{}", first.len() - 1);
    let patched = api.send(
        Method::PATCH,
        &location,
        &[octets, ("content-range", &range)],
        first.clone(),
    )?;
    let location = patched.expect(202)?.header("location")?.to_owned();

    // The second chunk stalls in the middle of its body; then the server dies.
    let scope = format!("repository:{repository}:pull,push");
    let authorization = api.authorization_for(&scope)?;
    let body = futures_util::stream::iter([Ok::<_, std::io::Error>(content.slice(4 << 20..30 << 20))])
        .chain(futures_util::stream::pending());
    let request = api
        .http()
        .patch(api.url(&location))
        .header("authorization", authorization);
    let request = request
        .header(octets.0, octets.1)
        .body(reqwest::Body::wrap_stream(body));
    let stalled = RUNTIME.spawn(async move { request.send().await });
    wait_for("the second chunk to arrive", Duration::from_secs(30), || {
        Ok((stored(&server.storage()) > 12 << 20).then_some(()))
    })?;
    server.kill();
    drop(RUNTIME.block_on(stalled)?);
    server.start_again()?;

    let unfinished = api.head(&format!("/v2/{repository}/blobs/{digest}"))?;
    ensure!(unfinished.status == 404, "half a blob is visible: {unfinished}");
    let status = api.get(&location)?.expect(204)?;
    let range = status.header("range")?.to_owned();
    let last: usize = range.strip_prefix("0-").context("read the range")?.parse()?;
    ensure!(
        last + 1 >= first.len(),
        "an acknowledged chunk was lost: Range {range}"
    );
    ensure!(last < 30 << 20, "more than was sent: Range {range}");
    journey.note(&format!("resumed after {range}"));
    let range = format!("{}-{}", last + 1, content.len() - 1);
    let location = status.header("location")?.to_owned();
    let rest = content.slice(last + 1..);
    let patched = api.send(
        Method::PATCH,
        &location,
        &[octets, ("content-range", &range)],
        rest,
    )?;
    let location = patched.expect(202)?.header("location")?.to_owned();
    api.finish_upload(&location, &digest, Bytes::new())?.expect(201)?;
    let back = api
        .get(&format!("/v2/{repository}/blobs/{digest}"))?
        .expect(200)?;
    ensure!(back.body == content, "the blob came back changed");
    Ok(())
}

fn acknowledged(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    let account = server.account(journey, "acked")?;
    let api = server.api(&account)?;
    for round in 0..5 {
        let repository = format!("{}/acked{round}", account.name);
        let digest = api.push_small_image(&repository, "1", &format!("round {round}"))?;
        server.kill();
        server.start_again()?;
        let answer = api.manifest(&repository, "1")?.expect(200)?;
        ensure!(
            answer.header("docker-content-digest")? == digest,
            "another digest: {answer}"
        );
        for layer in answer.json()?["layers"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
        {
            let blob = layer["digest"].as_str().unwrap_or_default();
            api.get(&format!("/v2/{repository}/blobs/{blob}"))?.expect(200)?;
        }
    }
    Ok(())
}

fn drain(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    let account = server.account(journey, "drain")?;
    let repository = format!("{}/drained", account.name);
    let api = server.api(&account)?;
    let mut noise = Noise::new(33);
    let content: Bytes = (0..32).flat_map(|_| noise.next_block().to_vec()).collect();
    let digest = api.push_blob(&repository, content.clone())?;
    let authorization = api.authorization_for(&format!("repository:{repository}:pull"))?;
    let url = api.url(&format!("/v2/{repository}/blobs/{digest}"));
    let pid = server.pid()?.to_string();
    let received = RUNTIME.block_on(async {
        let mut response = api
            .http()
            .get(url)
            .header("authorization", authorization)
            .send()
            .await?;
        let mut length = response.chunk().await?.map_or(0, |chunk| chunk.len());
        // Asked to stop while the answer is under way.
        Command::new("kill").args(["-TERM", &pid]).status()?;
        while let Some(chunk) = response.chunk().await.context("the transfer was cut off")? {
            length += chunk.len();
        }
        Ok::<_, harness::Error>(length)
    })?;
    ensure!(
        received == content.len(),
        "{received} of {} bytes arrived",
        content.len()
    );
    let status = wait_for("the server to end", Duration::from_secs(30), || server.ended())?;
    ensure!(status.success(), "SIGTERM ended it with {status}");
    Ok(())
}
