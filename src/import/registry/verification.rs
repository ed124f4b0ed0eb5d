//! The pass at the end: what the target says of itself is held against what the source says now.

use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};
use shared::oci::Digest;

use super::content::Fetched;
use super::copy::{Copier, Scopes, Work, is_list_of_referrers, subject_of};
use super::fault::{Fault, Kind, found};
use super::listing;
use super::name_map::Pair;
use super::outcome::Outcome;

impl Copier {
    /// Whether every tag of a repository leads to the same digest here, and all that it needs is here.
    pub(super) async fn verify(&self, pair: &Pair, outcome: &Outcome) {
        let before = outcome.tally.verified.get();
        let scopes = Scopes::of(pair, "pull");
        let work = Work::new(self, pair, &scopes, outcome);
        if let Err(fault) = work.verify_tags().await {
            outcome.failed("verification", &fault);
        }
        self.all.verified.add(outcome.tally.verified.get() - before);
    }
}

impl Work<'_> {
    async fn verify_tags(&self) -> Result<(), Fault> {
        let mut page = None;
        loop {
            let (tags, next) = listing::tags(self.source, page).await?;
            stream::iter(&tags)
                .for_each_concurrent(8, |tag| async move {
                    if let Err(fault) = self.verify_tag(tag).await {
                        self.outcome.failed(&format!("verification of tag {tag}"), &fault);
                    }
                })
                .await;
            match next {
                Some(next) => page = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn verify_tag(&self, tag: &str) -> Result<(), Fault> {
        let permit = self.permit().await;
        let Some(expected) = self.source.digest_of(tag).await? else {
            // The tag went meanwhile.
            return Ok(());
        };
        let here = found(self.target.manifest(tag).await)?;
        drop(permit);
        let Some(here) = here else {
            return self.verify_referrers_tag(tag).await;
        };
        if here.digest != expected {
            return Err(Fault::lasting(format!(
                "it leads to {expected} there and to {} here: it was changed meanwhile, or before; say the command again",
                here.digest
            )));
        }
        self.verify_graph(&here).await
    }

    /// A tag that only lists referrers has become what it lists.
    async fn verify_referrers_tag(&self, tag: &str) -> Result<(), Fault> {
        let missing = || Fault::lasting("it is not here");
        let subject = subject_of(tag).ok_or_else(missing)?;
        let list = self.source.manifest(tag).await?;
        if !is_list_of_referrers(self.source, &list, &subject).await? {
            return Err(missing());
        }
        let known = self.target.referrers(&subject).await?.unwrap_or_default();
        for child in list.view.manifests() {
            if found(self.source.manifest(&child.digest.to_string()).await)?.is_none() {
                continue;
            }
            if !known.contains(&child.digest) {
                return Err(not_here("what refers to it", &child.digest));
            }
            self.verify_manifest(&child.digest).await?;
        }
        Ok(())
    }

    fn verify_manifest<'b>(&'b self, digest: &'b Digest) -> BoxFuture<'b, Result<(), Fault>> {
        Box::pin(async move {
            if self.is_done(digest) {
                return Ok(());
            }
            let fetched = {
                let _permit = self.permit().await;
                found(self.target.manifest(&digest.to_string()).await)?
            };
            match fetched {
                Some(fetched) => self.verify_graph(&fetched).await,
                None => Err(not_here("the manifest", digest)),
            }
        })
    }

    async fn verify_graph(&self, manifest: &Fetched) -> Result<(), Fault> {
        if !self.remember(&manifest.digest) {
            return Ok(());
        }
        self.outcome.tally.verified.one();
        for child in manifest.view.manifests() {
            let is_there = !self.is_done(&child.digest) && {
                let _permit = self.permit().await;
                self.source.digest_of(&child.digest.to_string()).await?.is_some()
            };
            if is_there {
                self.verify_manifest(&child.digest).await?;
            }
        }
        for blob in manifest.view.required_blobs() {
            if self.is_done(&blob.digest) {
                continue;
            }
            let _permit = self.permit().await;
            match self.target.blob_size(&blob.digest).await? {
                Some(size) if size == blob.size => {}
                Some(size) => {
                    let why = format!("{} has {size} bytes here instead of {}", blob.digest, blob.size);
                    return Err(Fault::new(Kind::Lasting, why));
                }
                None => return Err(not_here("the blob", &blob.digest)),
            }
            if self.remember(&blob.digest) {
                self.outcome.tally.verified.one();
            }
        }
        let referrers = {
            let _permit = self.permit().await;
            self.source.referrers(&manifest.digest).await?.unwrap_or_default()
        };
        if referrers.is_empty() {
            return Ok(());
        }
        let known = self.target.referrers(&manifest.digest).await?.unwrap_or_default();
        for referrer in referrers {
            if !known.contains(&referrer) {
                return Err(not_here("what refers to it", &referrer));
            }
            self.verify_manifest(&referrer).await?;
        }
        Ok(())
    }
}

fn not_here(what: &str, digest: &Digest) -> Fault {
    Fault::lasting(format!("{what}, {digest}, is not here"))
}
