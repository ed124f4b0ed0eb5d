//! F33: what is deleted while it is pulled.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use harness::api::Api;
use harness::archive::digest;
use harness::command::RUNTIME;
use harness::layout::{IMAGE_CONFIG, IMAGE_MANIFEST, LAYER_GZIP};
use harness::open_registry::{Choices, OpenRegistry};
use serde_json::json;

use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "F33",
    promise: "a pull that has begun ends well though its image is deleted; one that begins later finds nothing",
    needs: &[harness::Need::Portolan],
    control: "deletes are acknowledged before they happen",
    run,
};

/// Larger than what the sockets between hold, so that the pull stands still in the middle.
const BLOB_LENGTH: usize = 24 << 20;
/// A manifest may be as large as 4 MiB.
const FILLER_LENGTH: usize = 3 << 20;

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let folder = run.folder().join("storage");
    let choices = Choices {
        sabotage: if run.control {
            "acknowledge-before-delete"
        } else {
            ""
        }
        .into(),
        ..Choices::default()
    };
    let replicas = [
        OpenRegistry::start(run.journey, &folder, &choices)?,
        OpenRegistry::start(run.journey, &folder, &choices)?,
    ];
    let mut verdict = Verdict::default();
    let rounds = run.choose(4, 60);
    let mut seen = [replicas[0].api()?, replicas[1].api()?];
    for round in 0..rounds {
        run.progress(&format!("round {round} of {rounds}"));
        delete_in_the_middle(run, &seen, &mut verdict)?;
        // What one replica was told, the other must know.
        seen.reverse();
    }
    Ok(verdict)
}

fn delete_in_the_middle(run: &mut Run<'_>, [one, other]: &[Api; 2], verdict: &mut Verdict) -> Result<()> {
    let layer = Bytes::from(run.random.bytes(BLOB_LENGTH));
    let config = one.push_blob("pulled/image", Bytes::from_static(b"{}"))?;
    let blob = one.push_blob("pulled/image", layer.clone())?;
    let filler = "portolan".repeat(FILLER_LENGTH / 8);
    let manifest = serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": { "mediaType": IMAGE_CONFIG, "digest": config, "size": 2 },
        "layers": [{ "mediaType": LAYER_GZIP, "digest": blob, "size": layer.len() }],
        "annotations": { "filler": filler },
    }))?;
    one.push_manifest("pulled/image", "latest", IMAGE_MANIFEST, manifest.clone())?;
    let manifest_path = format!("/v2/pulled/image/manifests/{}", digest(&manifest));
    let blob_path = format!("/v2/pulled/image/blobs/{blob}");
    let tag_path = "/v2/pulled/image/manifests/latest";

    let mut pulls = Vec::new();
    for path in [&manifest_path, &blob_path, &blob_path] {
        pulls.push((path, begin(other, path)?));
    }
    for (path, gone) in [
        (&manifest_path, vec![tag_path, &manifest_path]),
        (&blob_path, vec![blob_path.as_str()]),
    ] {
        one.delete(path)?.expect(202)?;
        for api in [one, other] {
            for path in &gone {
                let (get, head) = (api.get(path)?.status, api.head(path)?.status);
                verdict.count("looked_at_after_delete", 2);
                verdict.require(get == 404 && head == 404, || {
                    format!("{path} was deleted, then GET {get} and HEAD {head}")
                });
            }
        }
    }
    let tags = other.get("/v2/pulled/image/tags/list")?;
    verdict.require(!String::from_utf8_lossy(&tags.body).contains("latest"), || {
        "the deleted manifest's tag is still listed".into()
    });
    for (path, (first, mut response)) in pulls {
        let body = RUNTIME.block_on(async {
            let mut body = first.to_vec();
            while let Some(piece) = response.chunk().await? {
                body.extend_from_slice(&piece);
            }
            Ok::<_, reqwest::Error>(body)
        });
        verdict.count("pulls_finished", 1);
        let wanted: &[u8] = if path == &manifest_path { &manifest } else { &layer };
        match body {
            Ok(body) => verdict.require(body == wanted, || {
                format!(
                    "the pull of {path} ended with {} bytes of {}",
                    body.len(),
                    wanted.len()
                )
            }),
            Err(error) => verdict.violation(format!("the pull of {path} was cut: {error}")),
        }
    }
    Ok(())
}

/// Begins a pull and reads its first piece only.
fn begin(api: &Api, path: &str) -> Result<(Bytes, reqwest::Response)> {
    RUNTIME.block_on(async {
        let mut response = api.http().get(api.url(path)).send().await?.error_for_status()?;
        let first = response.chunk().await?.context("an empty body")?;
        Ok((first, response))
    })
}
