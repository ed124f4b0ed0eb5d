//! Copying repositories: children before what holds them, blobs before manifests, tags last.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};
use shared::oci::{Descriptor, Digest, RepositoryName, Tag};
use tokio::sync::Semaphore;

use super::blob::{self, How};
use super::content::{Fetched, Place};
use super::endpoint::Endpoint;
use super::fault::{Fault, found};
use super::listing;
use super::name_map::Pair;
use super::outcome::Outcome;
use super::tally::Tally;
use crate::import::count::Count;

/// How deep indexes and referrers may hang on each other.
const DEEPEST: u32 = 16;
/// Most digests that are remembered, of a repository and of all; beyond them the registries are asked again.
const MOST_REMEMBERED: usize = 200_000;
/// Blobs take turns by this many places, so that one that two repositories share is moved once.
const TURNS: usize = 1024;

/// Copies from one registry into another.
pub(super) struct Copier {
    pub(super) source: Endpoint,
    pub(super) target: Endpoint,
    /// Nothing is written; it is only counted what would be.
    pub(super) is_rehearsal: bool,
    /// How many transfers and requests run at a time.
    pub(super) parallel: usize,
    pub(super) permits: Semaphore,
    /// What passes by, in bytes.
    pub(super) traffic: Arc<Count>,
    pub(super) all: Tally,
    held: Mutex<HashMap<Digest, RepositoryName>>,
    turns: Vec<tokio::sync::Mutex<()>>,
}

/// One repository on its way.
pub(super) struct Work<'a> {
    copier: &'a Copier,
    pub(super) source: Place<'a>,
    pub(super) target: Place<'a>,
    pair: &'a Pair,
    pub(super) outcome: &'a Outcome,
    done: Mutex<HashSet<Digest>>,
}

impl Copier {
    pub(super) fn new(source: Endpoint, target: Endpoint, parallel: usize, is_rehearsal: bool) -> Self {
        Self {
            source,
            target,
            is_rehearsal,
            parallel,
            permits: Semaphore::new(parallel),
            traffic: Arc::default(),
            all: Tally::default(),
            held: Mutex::default(),
            turns: std::iter::repeat_with(tokio::sync::Mutex::default)
                .take(TURNS)
                .collect(),
        }
    }

    /// Copies a repository, or says what would be copied.
    pub(super) async fn copy(&self, pair: &Pair, outcome: &Outcome) {
        let scopes = Scopes::of(pair, if self.is_rehearsal { "pull" } else { "pull,push" });
        let work = Work::new(self, pair, &scopes, outcome);
        if let Err(fault) = work.tags().await {
            outcome.failed("tags", &fault);
        }
        self.all.add(&outcome.tally);
    }

    /// Where a blob is that this run has seen in the target.
    fn holder(&self, digest: &Digest) -> Option<RepositoryName> {
        self.held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(digest)
            .cloned()
    }

    fn holds(&self, digest: &Digest, repository: &RepositoryName) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() < MOST_REMEMBERED {
            held.entry(digest.clone()).or_insert_with(|| repository.clone());
        }
    }

    fn turn(&self, digest: &Digest) -> &tokio::sync::Mutex<()> {
        let place = digest
            .hex()
            .bytes()
            .take(4)
            .fold(0, |sum, byte| sum * 31 + usize::from(byte));
        &self.turns[place % TURNS]
    }
}

/// What is asked for in tokens.
pub(super) struct Scopes {
    source: String,
    target: String,
}

impl Scopes {
    pub(super) fn of(pair: &Pair, actions: &str) -> Self {
        Self {
            source: format!("repository:{}:pull", pair.source),
            target: format!("repository:{}:{actions}", pair.target),
        }
    }
}

impl<'a> Work<'a> {
    pub(super) fn new(copier: &'a Copier, pair: &'a Pair, scopes: &'a Scopes, outcome: &'a Outcome) -> Self {
        Self {
            copier,
            source: Place {
                endpoint: &copier.source,
                name: &pair.source,
                scope: &scopes.source,
            },
            target: Place {
                endpoint: &copier.target,
                name: pair.target.as_str(),
                scope: &scopes.target,
            },
            pair,
            outcome,
            done: Mutex::default(),
        }
    }

    /// Every tag, page by page.
    async fn tags(&self) -> Result<(), Fault> {
        let mut page = None;
        loop {
            let (tags, next) = listing::tags(self.source, page).await?;
            self.outcome.tally.tags.add(tags.len() as u64);
            stream::iter(&tags)
                .for_each_concurrent(self.copier.parallel, |tag| async move {
                    // Who may not write the first may not write the others.
                    if self.outcome.is_denied() {
                        return;
                    }
                    if let Err(fault) = self.tag(tag).await {
                        self.outcome.failed(&format!("tag {tag}"), &fault);
                    }
                })
                .await;
            match next {
                Some(next) if !self.outcome.is_denied() => page = Some(next),
                _ => return Ok(()),
            }
        }
    }

    async fn tag(&self, tag: &str) -> Result<(), Fault> {
        let parsed: Result<Tag, _> = tag.parse();
        parsed.map_err(|error| Fault::lasting(error.to_string()))?;
        let fetched = {
            let _permit = self.permit().await;
            self.source.manifest(tag).await?
        };
        if let Some(subject) = subject_of(tag)
            && is_list_of_referrers(self.source, &fetched, &subject).await?
        {
            // What older registries keep under such a tag is found by its subject here.
            self.children(&fetched, 0).await?;
            return Ok(());
        }
        self.graph(&fetched, 0).await?;
        let _permit = self.permit().await;
        if self.target_digest(tag).await?.as_ref() == Some(&fetched.digest) {
            return Ok(());
        }
        if !self.copier.is_rehearsal {
            // A tag of a manifest whose digest is not of the customary kind keeps that digest.
            let reference = match fetched.digest.algorithm() {
                shared::oci::Algorithm::Sha256 => tag.to_owned(),
                shared::oci::Algorithm::Sha512 => format!("{}?tag={tag}", fetched.digest),
            };
            self.target.put_manifest(&reference, &fetched).await?;
        }
        self.outcome.tally.tags_written.one();
        Ok(())
    }

    /// A manifest with all that it holds and all that refers to it.
    fn graph<'b>(&'b self, manifest: &'b Fetched, depth: u32) -> BoxFuture<'b, Result<(), Fault>> {
        Box::pin(async move {
            if depth > DEEPEST {
                return Err(Fault::lasting(format!(
                    "manifests hang on each other more than {DEEPEST} deep"
                )));
            }
            if self.is_done(&manifest.digest) {
                return Ok(());
            }
            let is_there = {
                let _permit = self.permit().await;
                self.target_digest(&manifest.digest.to_string()).await?.is_some()
            };
            self.children(manifest, depth).await?;
            if !is_there {
                self.blobs(manifest).await?;
                if !self.copier.is_rehearsal {
                    let _permit = self.permit().await;
                    self.target
                        .put_manifest(&manifest.digest.to_string(), manifest)
                        .await?;
                }
            }
            // Two tags may lead to it at once.
            if !self.remember(&manifest.digest) {
                return Ok(());
            }
            let tally = &self.outcome.tally;
            if is_there {
                &tally.manifests_there
            } else {
                &tally.manifests
            }
            .one();
            if manifest.view.subject().is_some() {
                tally.referrers.one();
            }
            let referrers = {
                let _permit = self.permit().await;
                self.source.referrers(&manifest.digest).await?
            };
            self.manifests(&referrers.unwrap_or_default(), depth).await
        })
    }

    /// What an index holds.
    async fn children(&self, manifest: &Fetched, depth: u32) -> Result<(), Fault> {
        let children: Vec<Digest> = manifest
            .view
            .manifests()
            .iter()
            .map(|child| child.digest.clone())
            .collect();
        self.manifests(&children, depth).await
    }

    async fn manifests(&self, digests: &[Digest], depth: u32) -> Result<(), Fault> {
        let faults: Vec<Fault> = stream::iter(digests.to_vec())
            .map(|digest| async move {
                if self.is_done(&digest) {
                    return Ok(());
                }
                let fetched = {
                    let _permit = self.permit().await;
                    found(self.source.manifest(&digest.to_string()).await)?
                };
                match fetched {
                    Some(fetched) => self.graph(&fetched, depth + 1).await,
                    // An index may name what its registry does not have; whether it is taken so is the target's matter.
                    None => Ok(()),
                }
            })
            .buffer_unordered(self.copier.parallel)
            .filter_map(|done: Result<(), Fault>| async { done.err() })
            .collect()
            .await;
        faults.into_iter().next().map_or(Ok(()), Err)
    }

    async fn blobs(&self, manifest: &Fetched) -> Result<(), Fault> {
        let mut blobs: Vec<Descriptor> = manifest.view.required_blobs().cloned().collect();
        blobs.sort_by(|a, b| a.digest.cmp(&b.digest));
        blobs.dedup_by(|a, b| a.digest == b.digest);
        let faults: Vec<Fault> = stream::iter(blobs)
            .map(|blob| async move { self.blob(&blob).await })
            .buffer_unordered(self.copier.parallel)
            .filter_map(|done| async { done.err() })
            .collect()
            .await;
        faults.into_iter().next().map_or(Ok(()), Err)
    }

    async fn blob(&self, blob: &Descriptor) -> Result<(), Fault> {
        let _turn = self.copier.turn(&blob.digest).lock().await;
        if self.is_done(&blob.digest) {
            return Ok(());
        }
        let _permit = self.permit().await;
        let tally = &self.outcome.tally;
        let there = match self.target.blob_size(&blob.digest).await {
            // Whether there is such a repository is told by what is written to it.
            Err(fault) if fault.is_denied() && self.copier.is_rehearsal => None,
            size => size?,
        };
        if there.is_some() {
            tally.blobs_there.one();
        } else {
            let other = self.copier.holder(&blob.digest);
            let how = match (self.copier.is_rehearsal, &other) {
                (true, Some(_)) => How::Mounted,
                (true, None) => How::Copied,
                (false, other) => {
                    let traffic = &self.copier.traffic;
                    blob::copy(self.source, self.target, blob, other.as_ref(), traffic).await?
                }
            };
            match how {
                How::Mounted => tally.blobs_mounted.one(),
                How::Copied => {
                    tally.blobs.one();
                    tally.bytes.add(blob.size);
                }
            }
        }
        self.copier.holds(&blob.digest, &self.pair.target);
        self.remember(&blob.digest);
        Ok(())
    }

    async fn target_digest(&self, reference: &str) -> Result<Option<Digest>, Fault> {
        match self.target.digest_of(reference).await {
            Err(fault) if fault.is_denied() && self.copier.is_rehearsal => Ok(None),
            found => found,
        }
    }

    pub(super) fn is_done(&self, digest: &Digest) -> bool {
        self.done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(digest)
    }

    /// What was done need not be done again; `false` when it was done before.
    pub(super) fn remember(&self, digest: &Digest) -> bool {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if done.len() < MOST_REMEMBERED {
            return done.insert(digest.clone());
        }
        !done.contains(digest)
    }

    pub(super) async fn permit(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        // It is never closed.
        self.copier.permits.acquire().await.ok()
    }
}

/// The manifest that a tag of the referrers tag schema is about (OCI distribution-spec, "Referrers Tag Schema").
pub(super) fn subject_of(tag: &str) -> Option<Digest> {
    let (algorithm, hex) = tag.split_once('-')?;
    format!("{algorithm}:{hex}").parse().ok()
}

/// Whether all that an index holds refers to this subject, as it does under a tag of the referrers tag schema.
pub(super) async fn is_list_of_referrers(
    place: Place<'_>,
    index: &Fetched,
    subject: &Digest,
) -> Result<bool, Fault> {
    if !index.view.media_type().is_index() {
        return Ok(false);
    }
    for child in index.view.manifests() {
        let Some(child) = found(place.manifest(&child.digest.to_string()).await)? else {
            continue;
        };
        if child.view.subject().is_none_or(|found| found.digest != *subject) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_of_the_referrers_tag_schema_names_its_subject() {
        let hex = "a".repeat(64);
        let subject = subject_of(&format!("sha256-{hex}")).map(|digest| digest.to_string());
        assert_eq!(subject, Some(format!("sha256:{hex}")));
        for tag in [
            "sha256-abc".to_owned(),
            format!("sha256-{hex}.sig"),
            "latest".to_owned(),
            format!("md5-{hex}"),
        ] {
            assert_eq!(subject_of(&tag), None, "{tag}");
        }
    }
}
