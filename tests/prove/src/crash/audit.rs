//! Holds a registry to what its clients were promised.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash;

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use harness::archive::digest;
use http::Method;

use super::ledger::{Key, Ledger, State};
use super::service::Access;
use crate::Verdict;

/// Things looked at at the same time.
const PARALLEL: usize = 8;

/// Everything in doubt, and what was acknowledged last.
pub(crate) fn newest(ledger: &Ledger) -> Vec<Key> {
    const NEWEST: usize = 200;
    ledger.newest(NEWEST)
}

/// One look at a registry after a crash.
#[derive(Debug)]
pub(crate) struct Audit<'a> {
    pub(crate) access: &'a Access,
    pub(crate) ledger: &'a Ledger,
}

impl Audit<'_> {
    /// Looks at these things: each must be in a state that was promised, whole, and stays in it from now on.
    pub(crate) async fn check(&self, keys: Vec<Key>, verdict: &mut Verdict) {
        let mut looks = stream::iter(keys)
            .map(|key| async move {
                let seen = self.look(&key).await;
                (key, seen)
            })
            .buffer_unordered(PARALLEL);
        while let Some((key, seen)) = looks.next().await {
            verdict.count("looks", 1);
            match seen {
                Ok(state) => judge(self.ledger, &key, &state, verdict),
                Err(error) => {
                    verdict.count("broken", 1);
                    verdict.violation(format!("{key}: {error:#}"));
                }
            }
        }
    }

    async fn look(&self, key: &Key) -> Result<State> {
        match key {
            Key::Blob(repository, digest) => {
                let path = format!("/v2/{repository}/blobs/{digest}");
                let body = self.get(&path).await?;
                if let Some(body) = &body {
                    whole(body, digest)?;
                }
                Ok(body.map(|_| digest.clone()))
            }
            Key::Manifest(repository, digest) => {
                let body = self.get(&format!("/v2/{repository}/manifests/{digest}")).await?;
                if let Some(body) = &body {
                    whole(body, digest)?;
                    self.complete(repository, body).await?;
                    if let Some(subject) = subject_of(body)? {
                        let referrers = self.referrers(repository, &subject).await?;
                        ensure!(referrers.contains(digest), "it is no referrer of {subject}");
                    }
                }
                Ok(body.map(|_| digest.clone()))
            }
            Key::Tag(repository, tag) => {
                let body = self.get(&format!("/v2/{repository}/manifests/{tag}")).await?;
                let Some(body) = body else { return Ok(None) };
                self.complete(repository, &body).await?;
                Ok(Some(digest(&body)))
            }
        }
    }

    /// Whether the repository holds everything that a manifest names.
    async fn complete(&self, repository: &str, manifest: &Bytes) -> Result<()> {
        let json: serde_json::Value = serde_json::from_slice(manifest)?;
        let layers = json["layers"].as_array().into_iter().flatten();
        for named in layers.chain([&json["config"]]) {
            let digest = named["digest"].as_str().unwrap_or_default();
            let path = format!("/v2/{repository}/blobs/{digest}");
            let answer = self
                .access
                .send(0, Method::HEAD, &path, &[], Bytes::new())
                .await?;
            ensure!(answer.status == 200, "its {digest} is missing: {answer}");
            let length = answer.header("content-length")?;
            ensure!(
                Some(length) == named["size"].as_u64().map(|size| size.to_string()).as_deref(),
                "its {digest} has {length} bytes"
            );
        }
        Ok(())
    }

    async fn get(&self, path: &str) -> Result<Option<Bytes>> {
        let accept = [("accept", "*/*")];
        let answer = self
            .access
            .send(0, Method::GET, path, &accept, Bytes::new())
            .await?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            _ => bail!("{answer}"),
        }
    }

    /// The digests of the manifests that refer to this one, by byte order.
    async fn referrers(&self, repository: &str, subject: &str) -> Result<BTreeSet<String>> {
        let body = self.get(&format!("/v2/{repository}/referrers/{subject}")).await?;
        let index: serde_json::Value = serde_json::from_slice(&body.unwrap_or_default())?;
        let named = index["manifests"].as_array().into_iter().flatten();
        Ok(named
            .filter_map(|it| Some(it["digest"].as_str()?.to_owned()))
            .collect())
    }

    /// Whether exactly the manifests that are there are told of as referrers of their subjects.
    pub(crate) async fn check_referrers(&self, verdict: &mut Verdict) -> Result<()> {
        let mut expected: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        for key in self.ledger.all() {
            let Key::Manifest(repository, digest) = key else {
                continue;
            };
            // What is gone is no referrer, but may be the subject of some.
            expected.entry((repository.clone(), digest.clone())).or_default();
            let body = self.get(&format!("/v2/{repository}/manifests/{digest}")).await?;
            if let Some(subject) = body.as_ref().map(subject_of).transpose()?.flatten() {
                expected.entry((repository, subject)).or_default().insert(digest);
            }
        }
        for ((repository, subject), expected) in expected {
            verdict.count("referrer_lists", 1);
            let told = self.referrers(&repository, &subject).await?;
            verdict.require(told == expected, || {
                format!("referrers of {repository}@{subject} are {told:?} instead of {expected:?}")
            });
        }
        Ok(())
    }

    /// Whether each repository lists exactly the tags that are there.
    pub(crate) async fn check_lists(&self, repositories: &[String], verdict: &mut Verdict) -> Result<()> {
        for repository in repositories {
            let path = format!("/v2/{repository}/tags/list");
            let Some(body) = self.get(&path).await? else {
                continue;
            };
            let listed: serde_json::Value = serde_json::from_slice(&body)?;
            let listed = listed["tags"].as_array().into_iter().flatten();
            let listed: Vec<&str> = listed.filter_map(serde_json::Value::as_str).collect();
            let keys = self.ledger.all();
            let expected = keys.iter().filter_map(|key| match key {
                Key::Tag(in_repository, tag) if in_repository == repository => {
                    self.ledger.certain(key).flatten().map(|_| tag.as_str())
                }
                _ => None,
            });
            let expected: Vec<&str> = expected.collect();
            verdict.require(listed == expected, || {
                format!("{repository} lists {listed:?} instead of {expected:?}")
            });
        }
        Ok(())
    }
}

/// Whether a thing is in a state that was promised; from now on it is in the one that was seen.
pub(crate) fn judge<K: Clone + Eq + Hash + Ord + Debug>(
    ledger: &Ledger<K>,
    key: &K,
    seen: &State,
    verdict: &mut Verdict,
) {
    let possible = ledger.possible(key);
    if !possible.contains(seen) {
        let what = match (seen, possible.as_slice()) {
            (None, _) => "lost",
            (Some(_), [None]) => "returned",
            _ => "otherwise",
        };
        verdict.count(what, 1);
        verdict.violation(format!("{key:?} is {seen:?}, and may be {possible:?}"));
    }
    ledger.observe(key, seen);
}

fn subject_of(manifest: &Bytes) -> Result<Option<String>> {
    let manifest: serde_json::Value = serde_json::from_slice(manifest)?;
    Ok(manifest["subject"]["digest"].as_str().map(str::to_owned))
}

fn whole(body: &Bytes, expected: &str) -> Result<()> {
    let found = digest(body);
    ensure!(
        found == expected,
        "its {} bytes have the digest {found}",
        body.len()
    );
    Ok(())
}
