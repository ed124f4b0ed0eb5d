//! The registry on a file system that an operator mounts read-only, and writable again.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use harness::api::{Answer, Api};
use harness::archive::digest;
use harness::layout::IMAGE_MANIFEST;
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::wait_for;
use harness::volume::Volume;
use http::Method;

use super::refused;
use crate::image::{Image, Puller};
use crate::{Run, Verdict};

/// Longest wait until nobody holds a file open for writing; nobody should.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same for the control, which is known to hold one.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn run(run: &mut Run<'_>, volume: &Volume, name: &str, verdict: &mut Verdict) -> Result<()> {
    let choices = Choices {
        sabotage: if run.control { "hold-files-for-writing" } else { "" }.into(),
        ..Choices::default()
    };
    let folder = volume.path().join("registry");
    let registry = OpenRegistry::start(run.journey, &folder, &choices)?;
    let api = registry.api()?;
    let kept = Arc::new(Image::push(
        &api,
        "kept/image",
        "latest",
        &mut run.random,
        &[1 << 20, 40_000],
    )?);
    let puller = Puller::start(registry.api()?, Arc::clone(&kept));
    let cycles = if run.control { 1 } else { run.choose(4, 100) };
    for cycle in 0..cycles {
        run.progress(&format!(
            "{name}, cycle {cycle} of {cycles}, {} violations",
            verdict.violations
        ));
        once(run, volume, &api, &kept, cycle, verdict)?;
        verdict.count("remounts", 1);
    }
    let (pulls, faults) = puller.end()?;
    verdict.count("pulls_beside", pulls);
    for fault in faults {
        verdict.violation(fault);
    }
    Ok(())
}

fn once(
    run: &mut Run<'_>,
    volume: &Volume,
    api: &Api,
    kept: &Image,
    cycle: usize,
    verdict: &mut Verdict,
) -> Result<()> {
    let victim = Image::push(
        api,
        "written/image",
        &format!("v{cycle}"),
        &mut run.random,
        &[5_000],
    )?;
    let blob = Bytes::from(run.random.bytes(400_000));
    let begun = api.begin_upload("written/image")?;
    let half = blob.len() / 2;
    let patched = api
        .send(Method::PATCH, &begun, &[], blob.slice(..half))?
        .expect(202)?;
    let location = patched.header("location")?.to_owned();

    let patience = if run.control { SHORT_PATIENCE } else { PATIENCE };
    let remounted = wait_for("a read-only mount", patience, || {
        Ok(volume.set_read_only(true).ok())
    });
    if remounted.is_err() {
        verdict.violation("the file system cannot be mounted read-only while the registry runs");
        return Ok(());
    }
    health(api, "read-only", verdict)?;
    let reads = victim.pull(api);
    verdict.require(reads.is_ok(), || format!("a pull: {reads:?}"));
    for answer in write(api, kept, &victim, &blob, &location)? {
        refused(&answer, verdict);
    }
    health(api, "read-only", verdict)?;

    volume.set_read_only(false)?;
    health(api, "ok", verdict)?;
    let finished = api.finish_upload(&location, &digest(&blob), blob.slice(half..))?;
    verdict.require(finished.status == 201, || {
        format!("the upload that had begun does not go on: {finished}")
    });
    let back = api.get(&format!("/v2/written/image/blobs/{}", digest(&blob)))?;
    verdict.require(back.status == 200 && back.body == blob, || {
        format!("the upload that went on is not there: {}", back.status)
    });
    for (path, _) in victim.paths() {
        let deleted = api.delete(&path)?;
        verdict.require(deleted.status == 202, || {
            format!("a delete once writing works again: {deleted}")
        });
    }
    Ok(())
}

/// Everything that writes.
fn write(api: &Api, kept: &Image, victim: &Image, blob: &Bytes, location: &str) -> Result<Vec<Answer>> {
    let uploads = "/v2/written/image/blobs/uploads/";
    let half = blob.len() / 2;
    let join = if location.contains('?') { '&' } else { '?' };
    let content = Bytes::from_static(b"new content");
    let requests = [
        (Method::POST, uploads.to_owned(), Bytes::new()),
        (
            Method::POST,
            format!("{uploads}?digest={}", digest(&content)),
            content,
        ),
        (
            Method::POST,
            format!("{uploads}?mount={}&from=kept/image", digest(&kept.blobs[0])),
            Bytes::new(),
        ),
        (Method::PATCH, location.to_owned(), blob.slice(half..)),
        (
            Method::PUT,
            format!("{location}{join}digest={}", digest(blob)),
            blob.slice(half..),
        ),
        (Method::DELETE, location.to_owned(), Bytes::new()),
    ];
    let mut answers = Vec::new();
    for (method, path, body) in requests {
        answers.push(api.send(method, &path, &[], body)?);
    }
    let path = "/v2/written/image/manifests/other";
    let headers = [("content-type", IMAGE_MANIFEST)];
    answers.push(api.send(Method::PUT, path, &headers, victim.manifest.clone())?);
    for (path, _) in victim.paths() {
        answers.push(api.delete(&path)?);
    }
    Ok(answers)
}

/// The process lives, should get requests, and says what it cannot do.
fn health(api: &Api, expected: &str, verdict: &mut Verdict) -> Result<()> {
    let live = api.get("/livez")?.status;
    verdict.require(live == 200, || format!("/livez says {live}"));
    let ready = api.get("/readyz")?;
    let said = String::from_utf8_lossy(&ready.body).trim().to_owned();
    verdict.require(ready.status == 200 && said == expected, || {
        format!("/readyz says {} {said:?} instead of {expected:?}", ready.status)
    });
    Ok(())
}
