//! An image that is pushed once and pulled again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Result, anyhow};
use bytes::Bytes;
use harness::api::Api;
use harness::archive::digest;
use harness::layout::{IMAGE_CONFIG, IMAGE_MANIFEST, LAYER_GZIP};
use serde_json::json;

use crate::Random;

/// Between two pulls of a [`Puller`], so that it leaves room for others.
const PAUSE: Duration = Duration::from_millis(5);

/// An image with all its bytes.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) repository: String,
    pub(crate) tag: String,
    pub(crate) manifest: Bytes,
    pub(crate) blobs: Vec<Bytes>,
}

impl Image {
    /// Makes one with layers of these lengths in bytes and pushes it.
    pub(crate) fn push(
        api: &Api,
        repository: &str,
        tag: &str,
        random: &mut Random,
        lengths: &[usize],
    ) -> Result<Self> {
        let config = Bytes::from(random.bytes(100));
        let layers: Vec<_> = lengths
            .iter()
            .map(|length| Bytes::from(random.bytes(*length)))
            .collect();
        let descriptor = |media_type: &str, bytes: &Bytes| json!({ "mediaType": media_type, "digest": digest(bytes), "size": bytes.len() });
        let manifest = serde_json::to_vec(&json!({
            "schemaVersion": 2,
            "mediaType": IMAGE_MANIFEST,
            "config": descriptor(IMAGE_CONFIG, &config),
            "layers": layers.iter().map(|layer| descriptor(LAYER_GZIP, layer)).collect::<Vec<_>>(),
        }))?;
        let mut blobs = layers;
        blobs.push(config);
        for blob in &blobs {
            api.push_blob(repository, blob.clone())?;
        }
        api.push_manifest(repository, tag, IMAGE_MANIFEST, manifest.clone())?;
        Ok(Self {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            manifest: manifest.into(),
            blobs,
        })
    }

    /// The paths of its tag, its manifest and its blobs, with what they hold.
    pub(crate) fn paths(&self) -> Vec<(String, &Bytes)> {
        let manifests = [self.tag.clone(), digest(&self.manifest)];
        let manifests = manifests.map(|reference| (format!("manifests/{reference}"), &self.manifest));
        let blobs = self
            .blobs
            .iter()
            .map(|blob| (format!("blobs/{}", digest(blob)), blob));
        let below = |(path, bytes)| (format!("/v2/{}/{path}", self.repository), bytes);
        manifests.into_iter().chain(blobs).map(below).collect()
    }

    /// Reads all of it.
    pub(crate) fn pull(&self, api: &Api) -> Result<()> {
        for (path, expected) in self.paths() {
            let answer = api
                .send(
                    http::Method::GET,
                    &path,
                    &[("accept", IMAGE_MANIFEST)],
                    Bytes::new(),
                )?
                .expect(200)?;
            if answer.body != *expected {
                return Err(anyhow!("{path} answers other bytes"));
            }
        }
        Ok(())
    }
}

/// Somebody who pulls an image all the time.
#[derive(Debug)]
pub(crate) struct Puller {
    stop: Arc<AtomicBool>,
    pulls: Arc<AtomicU64>,
    thread: JoinHandle<Vec<String>>,
}

impl Puller {
    pub(crate) fn start(api: Api, image: Arc<Image>) -> Self {
        let (stop, pulls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&pulls));
        let thread = std::thread::spawn(move || {
            let mut faults = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                match image.pull(&api) {
                    Ok(()) => drop(counted.fetch_add(1, Ordering::Relaxed)),
                    Err(error) => faults.push(format!("a pull failed: {error:#}")),
                }
                std::thread::sleep(PAUSE);
            }
            faults
        });
        Self { stop, pulls, thread }
    }

    /// Stops; tells how many pulls went well and what was wrong with the others.
    pub(crate) fn end(self) -> Result<(u64, Vec<String>)> {
        self.stop.store(true, Ordering::Relaxed);
        let faults = self.thread.join().map_err(|_| anyhow!("the puller panicked"))?;
        Ok((self.pulls.load(Ordering::Relaxed), faults))
    }
}
