//! What is known of a repository's manifests: which of them refer to which subject.
//!
//! A manifest's subject never changes, so what is known stays true; what can be out of date is only whether every
//! manifest of the repository is known. That is told by the stamps of the revisions' prefixes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::ops::Bound;

use bytes::Bytes;
use shared::oci::{Algorithm, Digest, Manifest};

use super::packed::Packed;
use crate::storage::Stamp;

const FORMAT: &str = "portolan referrers 1";
/// Longer artifact types are looked up in the manifest.
const LONGEST_TYPE: usize = 255;

/// The artifact type of a referrer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ArtifactType {
    None,
    Known(Box<str>),
    /// Too long to be kept here.
    Long,
}

/// The index of one repository.
#[derive(Default)]
pub(super) struct ReferrerIndex {
    /// The stamp under which all manifests of the algorithm were known, in the order of [`Algorithm::ALL`].
    stamps: [Option<Stamp>; Algorithm::ALL.len()],
    /// Manifests without a subject.
    plain: HashSet<Packed>,
    /// (subject, referrer), so that the referrers of one subject lie together and in order.
    referrers: BTreeMap<(Digest, Digest), ArtifactType>,
    /// The referrers again, to find out whether one is known.
    referring: HashSet<Packed>,
    /// Listed in the tree while their content was not stored; looked at each time.
    absent: BTreeSet<Digest>,
    /// Manifests that became known since the index was last stored.
    unstored: usize,
}

impl ReferrerIndex {
    pub(super) fn stamp(&self, algorithm: Algorithm) -> Option<&Stamp> {
        self.stamps[algorithm as usize].as_ref()
    }

    pub(super) fn set_stamp(&mut self, algorithm: Algorithm, stamp: Option<Stamp>) {
        self.stamps[algorithm as usize] = stamp;
    }

    pub(super) fn knows(&self, digest: &Digest) -> bool {
        let Some(packed) = Packed::of(digest) else {
            return false;
        };
        self.plain.contains(&packed) || self.referring.contains(&packed) || self.absent.contains(digest)
    }

    /// Takes up a manifest's content; `None`: it is not stored.
    pub(super) fn learn(&mut self, digest: Digest, content: Option<&[u8]>) {
        let Some(content) = content else {
            self.absent.insert(digest);
            return;
        };
        self.absent.remove(&digest);
        let Some(packed) = Packed::of(&digest) else { return };
        self.unstored += 1;
        // What cannot be read refers to nothing; that will not change either.
        let manifest = Manifest::parse(content, None).ok();
        match manifest.as_ref().and_then(Manifest::subject) {
            None => {
                self.plain.insert(packed);
            }
            Some(subject) => {
                let artifact_type = match manifest.as_ref().and_then(Manifest::artifact_type) {
                    None => ArtifactType::None,
                    Some(text) if text.len() > LONGEST_TYPE => ArtifactType::Long,
                    Some(text) => ArtifactType::Known(text.into()),
                };
                self.referring.insert(packed);
                self.referrers
                    .insert((subject.digest.clone(), digest), artifact_type);
            }
        }
    }

    /// Those listed manifests whose content was not stored when they were last looked at.
    pub(super) fn absent(&self) -> impl Iterator<Item = &Digest> {
        self.absent.iter()
    }

    /// Forgets manifests of `algorithm` that are not among `listed`.
    pub(super) fn retain(&mut self, algorithm: Algorithm, listed: &[Digest]) {
        let listed: HashSet<Packed> = listed.iter().filter_map(Packed::of).collect();
        let stays = |packed: &Packed| packed.algorithm() != algorithm || listed.contains(packed);
        let stays_digest = |digest: &Digest| Packed::of(digest).is_some_and(|packed| stays(&packed));
        self.plain.retain(stays);
        self.referring.retain(stays);
        self.referrers.retain(|(_, digest), _| stays_digest(digest));
        self.absent.retain(stays_digest);
    }

    /// How many manifests are known.
    pub(super) fn len(&self) -> usize {
        self.plain.len() + self.referring.len() + self.absent.len()
    }

    /// At most `limit` referrers of `subject` after `after`, in order; those of another type left out as far as
    /// types are kept here.
    pub(super) fn find(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&Digest>,
        limit: usize,
    ) -> Vec<Digest> {
        let start = match after {
            Some(after) => Bound::Excluded((subject.clone(), after.clone())),
            // The least digest there is.
            None => match Digest::from_bytes(Algorithm::Sha256, &[0; 32]) {
                Ok(least) => Bound::Included((subject.clone(), least)),
                Err(_) => Bound::Unbounded,
            },
        };
        let from = self.referrers.range((start, Bound::Unbounded));
        let of_subject = from.take_while(|((found, _), _)| found == subject);
        let of_type = of_subject.filter(|(_, found)| match (artifact_type, found) {
            (None, _) | (Some(_), ArtifactType::Long) => true,
            (Some(wanted), ArtifactType::Known(found)) => wanted == &**found,
            (Some(_), ArtifactType::None) => false,
        });
        of_type
            .map(|((_, digest), _)| digest.clone())
            .take(limit)
            .collect()
    }

    /// Rough size in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        400 + self.plain.len() * 64 + self.referring.len() * 600 + self.absent.len() * 150
    }

    /// Whether so much became known that storing it saves more than it costs.
    pub(super) fn is_worth_storing(&self) -> bool {
        self.unstored >= 32 + self.len() / 16
    }

    /// The index as it is stored, with a checksum at its end: it is not synced, so a power cut may tear it.
    pub(super) fn store(&mut self) -> Bytes {
        let mut text = format!("{FORMAT}\n");
        for algorithm in Algorithm::ALL {
            if let Some(stamp) = self.stamp(algorithm) {
                let _ = writeln!(text, "stamp {algorithm} {stamp}");
            }
        }
        for digest in self.plain.iter().filter_map(Packed::unpack) {
            let _ = writeln!(text, "plain {digest}");
        }
        for ((subject, digest), artifact_type) in &self.referrers {
            let _ = match artifact_type {
                ArtifactType::None => writeln!(text, "referrer {digest} {subject} none"),
                ArtifactType::Long => writeln!(text, "referrer {digest} {subject} long"),
                // Quoted as a JSON string, so that no type holds a line's end.
                ArtifactType::Known(found) => {
                    writeln!(
                        text,
                        "referrer {digest} {subject} {}",
                        serde_json::Value::from(&**found)
                    )
                }
            };
        }
        for digest in &self.absent {
            let _ = writeln!(text, "absent {digest}");
        }
        let checksum = Digest::of(Algorithm::Sha256, text.as_bytes());
        let _ = writeln!(text, "{checksum}");
        self.unstored = 0;
        text.into()
    }

    /// Reads a stored index; `None` if it is torn or of another format.
    pub(super) fn parse(stored: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(stored).ok()?.strip_suffix('\n')?;
        let (content, checksum) = text.split_at_checked(text.rfind('\n')? + 1)?;
        if checksum != Digest::of(Algorithm::Sha256, content.as_bytes()).to_string() {
            return None;
        }
        let mut index = Self::default();
        let mut lines = content.lines();
        if lines.next() != Some(FORMAT) {
            return None;
        }
        for line in lines {
            let (kind, rest) = line.split_once(' ')?;
            match kind {
                "stamp" => {
                    let (algorithm, stamp) = rest.split_once(' ')?;
                    index.set_stamp(algorithm.parse().ok()?, Some(stamp.parse().ok()?));
                }
                "plain" => {
                    index.plain.insert(Packed::of(&rest.parse().ok()?)?);
                }
                "referrer" => {
                    let mut fields = rest.splitn(3, ' ');
                    let digest: Digest = fields.next()?.parse().ok()?;
                    let subject: Digest = fields.next()?.parse().ok()?;
                    let artifact_type = match fields.next()? {
                        "none" => ArtifactType::None,
                        "long" => ArtifactType::Long,
                        quoted => ArtifactType::Known(serde_json::from_str::<String>(quoted).ok()?.into()),
                    };
                    index.referring.insert(Packed::of(&digest)?);
                    index.referrers.insert((subject, digest), artifact_type);
                }
                "absent" => {
                    index.absent.insert(rest.parse().ok()?);
                }
                _ => return None,
            }
        }
        Some(index)
    }
}

#[cfg(test)]
mod tests;
