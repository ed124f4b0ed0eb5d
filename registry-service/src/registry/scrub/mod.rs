//! Verifying what is stored: every content against its digest, every link against what it names. Nothing is changed,
//! unless content that does not have its digest shall go to quarantine: then a client that asks for it hears that it is
//! not there, and the next push brings it back.
//!
//! May run while the registry is served. Memory grows with the number of contents, by about 50 bytes for each.

mod content;
mod finding;
mod links;

use std::collections::HashSet;

use shared::oci::{Digest, RepositoryName};

pub use finding::{Finding, Gravity};

use super::catalog::Walk;
use super::packed::Packed;
use super::{Registry, RegistryError, layout};
use crate::storage::StorageError;

/// What was looked at, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Contents that were read.
    pub contents: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Repositories whose links were followed.
    pub repositories: u64,
    /// Links that were read.
    pub links: u64,
    /// What cannot be pulled as it was pushed; see [`Gravity::Damage`].
    pub damages: u64,
    /// What a crash left and harms nobody; see [`Gravity::Scar`].
    pub scars: u64,
    /// Contents that were moved to quarantine.
    pub quarantined: u64,
}

/// Takes what is told.
type Tell<'a> = &'a mut (dyn FnMut(Finding<'_>) + Send);

/// One run over everything.
struct Scrub<'a> {
    registry: &'a Registry,
    tell: Tell<'a>,
    report: Report,
    sound: HashSet<Packed>,
    bad: HashSet<Packed>,
}

impl Registry {
    /// Reads everything that is stored, tells what is wrong, and moves content that does not have its digest to quarantine
    /// if `quarantine` says so.
    pub async fn scrub(&self, quarantine: bool, tell: Tell<'_>) -> Result<Report, RegistryError> {
        let mut scrub = Scrub {
            registry: self,
            tell,
            report: Report::default(),
            sound: HashSet::new(),
            bad: HashSet::new(),
        };
        scrub.contents(quarantine).await?;
        let mut walk = Walk::new(None);
        while let Some(name) = walk.next(&self.storage).await? {
            if let Ok(repository) = name.parse::<RepositoryName>() {
                scrub.repository(&repository).await?;
            }
        }
        Ok(scrub.report)
    }
}

impl Scrub<'_> {
    fn found(&mut self, finding: Finding<'_>) {
        match finding.gravity() {
            Gravity::Note => {}
            Gravity::Scar => self.report.scars += 1,
            Gravity::Damage => self.report.damages += 1,
        }
        (self.tell)(finding);
    }

    /// Whether the content is stored and has its digest. What was not there when contents were read has been verified by
    /// whoever pushed it meanwhile.
    async fn is_sound(&self, digest: &Digest) -> Result<bool, RegistryError> {
        let Some(packed) = Packed::of(digest) else {
            return Ok(false);
        };
        if self.sound.contains(&packed) {
            return Ok(true);
        }
        if self.bad.contains(&packed) {
            return Ok(false);
        }
        match self.registry.storage.stat(&layout::content(digest)).await {
            Ok(_) => Ok(true),
            Err(StorageError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests;
