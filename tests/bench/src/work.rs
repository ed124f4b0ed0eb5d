//! Operations: what one client does again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use tokio::sync::Semaphore;

use crate::client::{Answer, Body, Client, Endpoint};
use crate::payload::{Payload, Series, digest};

/// What an image's manifest is called.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The operation of a case.
pub(crate) enum Work {
    /// Prepared requests in rotation; each is answered with 200.
    Read(Vec<Vec<u8>>),
    /// POST, and PUT with the blob.
    PushWhole(Pushing),
    /// POST, PATCH with the blob in chunks, PUT.
    PushStreamed(Pushing),
    /// Config, three layers, manifest: four HEAD, four POST with PUT, one PUT.
    PushImage(Pushing),
    /// A bit of everything, in rotation: what many clients at once do. So many of them push at the same time.
    Mixed(Vec<Work>, Semaphore),
}

/// What pushes need.
pub(crate) struct Pushing {
    pub(crate) repository: String,
    pub(crate) series: Series,
    /// Number of the next blob: each is pushed for the first time.
    pub(crate) next: Arc<AtomicU64>,
}

/// Layers of an image.
const LAYERS: usize = 3;
/// Bytes of an image's config.
const CONFIG: u64 = 1 << 10;

impl Work {
    /// One operation; tells how many bytes of content it moved.
    pub(crate) async fn perform(&self, client: &mut Client, ticket: u64) -> Result<u64> {
        match self {
            Self::Read(requests) => {
                let which = usize::try_from(ticket)? % requests.len();
                let answer = client.send(&requests[which], Body::None).await?;
                Ok(expect(answer, 200)?.length)
            }
            Self::PushWhole(push) => {
                let payload = push.payload();
                push_whole(client, &push.repository, &payload).await?;
                Ok(payload.size())
            }
            Self::PushStreamed(push) => {
                let payload = push.payload();
                push_streamed(client, &push.repository, &payload).await?;
                Ok(payload.size())
            }
            Self::PushImage(push) => push.image(client).await,
            Self::Mixed(works, pushes) => {
                let which = usize::try_from(ticket)? % works.len();
                let ticket = ticket / works.len() as u64;
                let (work, _place) = match (&works[which], pushes.try_acquire()) {
                    (read @ Self::Read(_), _) => (read, None),
                    (push, Ok(place)) => (push, Some(place)),
                    // The first one reads.
                    (_, Err(_)) => (&works[0], None),
                };
                Box::pin(work.perform(client, ticket)).await
            }
        }
    }
}

impl Pushing {
    fn payload(&self) -> Payload {
        self.series.get(self.next.fetch_add(1, Ordering::Relaxed))
    }

    async fn image(&self, client: &mut Client) -> Result<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut blobs = vec![self.series.of_size(CONFIG).get(number)];
        blobs.extend((0..LAYERS).map(|_| self.payload()));
        for blob in &blobs {
            let path = format!("/v2/{}/blobs/{}", self.repository, blob.digest);
            let head = client.endpoint.prepare("HEAD", &path, "");
            expect(client.send(&head, Body::None).await?, 404)?;
            push_whole(client, &self.repository, blob).await?;
        }
        let layers: Vec<(&str, u64)> = blobs[1..]
            .iter()
            .map(|blob| (blob.digest.as_str(), blob.size()))
            .collect();
        let manifest = manifest((&blobs[0].digest, blobs[0].size()), &layers);
        push_manifest(client, &self.repository, &format!("tag-{number}"), &manifest).await?;
        Ok(blobs.iter().map(Payload::size).sum())
    }
}

/// A blob in two requests.
pub(crate) async fn push_whole(client: &mut Client, repository: &str, payload: &Payload) -> Result<()> {
    let location = begin(client, repository).await?;
    let headers = format!(
        "Content-Type: application/octet-stream\r\nContent-Length: {}\r\n",
        payload.size()
    );
    let head = finish(&client.endpoint, &location, payload, &headers);
    expect(client.send(&head, Body::Whole(payload)).await?, 201).map(drop)
}

async fn push_streamed(client: &mut Client, repository: &str, payload: &Payload) -> Result<()> {
    let location = begin(client, repository).await?;
    let headers = "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n";
    let head = client.endpoint.prepare("PATCH", &location, headers);
    let patched = expect(client.send(&head, Body::Chunked(payload)).await?, 202)?;
    let location = relative(patched)?;
    let head = finish(&client.endpoint, &location, payload, "Content-Length: 0\r\n");
    expect(client.send(&head, Body::None).await?, 201).map(drop)
}

/// Stores a manifest and tells its digest.
pub(crate) async fn push_manifest(
    client: &mut Client,
    repository: &str,
    reference: &str,
    manifest: &[u8],
) -> Result<String> {
    let path = format!("/v2/{repository}/manifests/{reference}");
    let headers = format!(
        "Content-Type: {MANIFEST}\r\nContent-Length: {}\r\n",
        manifest.len()
    );
    let head = client.endpoint.prepare("PUT", &path, &headers);
    expect(client.send(&head, Body::Bytes(manifest)).await?, 201)?;
    Ok(digest(manifest))
}

/// An image's manifest.
pub(crate) fn manifest(config: (&str, u64), layers: &[(&str, u64)]) -> Vec<u8> {
    let layers: Vec<serde_json::Value> = layers
        .iter()
        .map(|(digest, size)| {
            serde_json::json!({
                "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest, "size": size
            })
        })
        .collect();
    serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config.0, "size": config.1
        },
        "layers": layers,
    })
    .to_string()
    .into_bytes()
}

async fn begin(client: &mut Client, repository: &str) -> Result<String> {
    let path = format!("/v2/{repository}/blobs/uploads/");
    let head = client.endpoint.prepare("POST", &path, "Content-Length: 0\r\n");
    relative(expect(client.send(&head, Body::None).await?, 202)?)
}

fn finish(endpoint: &Endpoint, location: &str, payload: &Payload, headers: &str) -> Vec<u8> {
    let join = if location.contains('?') { '&' } else { '?' };
    let path = format!("{location}{join}digest={}", payload.digest);
    endpoint.prepare("PUT", &path, headers)
}

/// The path of a `Location`, which may be a whole URL.
fn relative(answer: Answer) -> Result<String> {
    let location = answer.location.context("no Location")?;
    let Some((_, rest)) = location.split_once("://") else {
        return Ok(location);
    };
    let slash = rest.find('/').context("a Location without a path")?;
    Ok(rest[slash..].to_owned())
}

fn expect(answer: Answer, status: u16) -> Result<Answer> {
    let said = String::from_utf8_lossy(&answer.body);
    ensure!(
        answer.status == status,
        "answered {} instead of {status}: {said}",
        answer.status
    );
    Ok(answer)
}
