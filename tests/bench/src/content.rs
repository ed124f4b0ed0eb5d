//! What the registries hold: made from a seed, pushed over HTTP.

use std::sync::Arc;

use anyhow::Result;
use tokio::task::JoinSet;

use crate::client::{Client, Endpoint};
use crate::payload::Series;
use crate::work::{manifest, push_manifest, push_whole};

/// Where images are read.
pub(crate) const IMAGES: &str = "bench/app";
/// Where there are many tags.
pub(crate) const TAGGED: &str = "bench/tags";

/// How much there is of everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amounts {
    /// Size of the large blob; 0 when none is needed.
    pub(crate) large: u64,
    pub(crate) tags: u64,
    /// Repositories besides the two of this module.
    pub(crate) repositories: u64,
}

/// Digests of what was pushed.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// 64 blobs of 1 KiB.
    pub(crate) small: Vec<String>,
    /// 16 blobs of 1 MiB.
    pub(crate) middle: Vec<String>,
    pub(crate) large: Vec<String>,
    /// 64 manifests; each has its number as a tag.
    pub(crate) manifests: Vec<String>,
}

const SMALL: u64 = 1 << 10;
const MIDDLE: u64 = 1 << 20;
const MANIFESTS: usize = 64;
const LAYERS: usize = 6;

/// Pushes all of it.
pub(crate) async fn push(endpoint: Arc<Endpoint>, seed: u64, amounts: Amounts) -> Result<Content> {
    let mut content = Content::default();
    let mut client = Client::new(Arc::clone(&endpoint));
    for (series, count, kept) in [
        (Series::new(seed, SMALL), 64, &mut content.small),
        (Series::new(seed ^ 1, MIDDLE), 16, &mut content.middle),
        (
            Series::new(seed ^ 2, amounts.large.max(64)),
            u64::from(amounts.large > 0),
            &mut content.large,
        ),
    ] {
        for number in 0..count {
            let payload = series.get(number);
            push_whole(&mut client, IMAGES, &payload).await?;
            kept.push(payload.digest);
        }
    }
    for number in 0..MANIFESTS {
        let blob = |at: usize| (content.small[(number + at) % content.small.len()].as_str(), SMALL);
        let layers: Vec<(&str, u64)> = (1..=LAYERS).map(blob).collect();
        let bytes = manifest(blob(0), &layers);
        content
            .manifests
            .push(push_manifest(&mut client, IMAGES, &tag(number), &bytes).await?);
    }
    push_many(&endpoint, amounts.tags, push_tag).await?;
    push_many(&endpoint, amounts.repositories, push_repository).await?;
    Ok(content)
}

/// The tag of the manifest of this number.
pub(crate) fn tag(number: usize) -> String {
    format!("v{number}")
}

/// Clients that push many small things.
const CLIENTS: u64 = 8;

async fn push_many<F, Done>(endpoint: &Arc<Endpoint>, count: u64, push: F) -> Result<()>
where
    F: Fn(Client, std::ops::Range<u64>) -> Done,
    Done: Future<Output = Result<()>> + Send + 'static,
{
    let share = count.div_ceil(CLIENTS);
    let mut running = JoinSet::new();
    for number in 0..CLIENTS {
        let from = (number * share).min(count);
        let part = from..(from + share).min(count);
        running.spawn(push(Client::new(Arc::clone(endpoint)), part));
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(())
}

async fn push_tag(mut client: Client, numbers: std::ops::Range<u64>) -> Result<()> {
    let bytes = tiny(&mut client, TAGGED).await?;
    for number in numbers {
        push_manifest(&mut client, TAGGED, &format!("tag-{number:05}"), &bytes).await?;
    }
    Ok(())
}

async fn push_repository(mut client: Client, numbers: std::ops::Range<u64>) -> Result<()> {
    for number in numbers {
        let repository = format!("bench/repository-{number:04}");
        let bytes = tiny(&mut client, &repository).await?;
        push_manifest(&mut client, &repository, "latest", &bytes).await?;
    }
    Ok(())
}

/// The manifest of an image of one small blob, which is pushed.
async fn tiny(client: &mut Client, repository: &str) -> Result<Vec<u8>> {
    let payload = Series::new(9, 64).get(0);
    push_whole(client, repository, &payload).await?;
    let blob = (payload.digest.as_str(), payload.size());
    Ok(manifest(blob, &[blob]))
}
