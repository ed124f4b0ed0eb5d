//! What a push adds to its namespace, against what the token says that it may hold.

use axum::response::Response;
use http::header::WARNING;
use shared::oci::{Digest, Manifest, RepositoryName, Tag};
use shared::token::Quota;

use super::dispatch::Asked;
use super::error::Error;
use super::header;
use crate::permit::{Permit, Question};
use crate::quota::{Amount, Exceeded, Taken};
use crate::registry::RegistryError;

impl Asked<'_> {
    /// The quota of the repository's namespace, where it has one.
    pub(super) fn quota(&self, name: &RepositoryName) -> Option<Quota> {
        self.authorized.terms(name).quota().cloned()
    }

    /// Whether there is room for so many bytes, before any of them come.
    pub(super) fn check_room(&self, quota: Option<&Quota>, bytes: u64) -> Result<(), Error> {
        match quota {
            // One byte at least: a full namespace takes nothing.
            Some(quota) => Ok(self.service.quotas.check(quota, added(bytes.max(1)))?),
            None => Ok(()),
        }
    }

    /// How large a blob may be for which there is room.
    pub(super) fn room(&self, quota: Option<&Quota>) -> Option<u64> {
        quota.map(|quota| self.service.quotas.room(quota))
    }

    /// What to say of an upload that failed: that it has no room, where that is why.
    pub(super) fn upload_error(&self, quota: Option<&Quota>, error: RegistryError) -> Error {
        match (&error, quota) {
            (RegistryError::NoRoom { room }, Some(quota)) => {
                let wanted = added(room.saturating_add(1));
                match self.service.quotas.check(quota, wanted) {
                    Err(exceeded) => exceeded.into(),
                    Ok(()) => error.into(),
                }
            }
            _ => error.into(),
        }
    }

    /// Counts a blob of so many bytes that is about to be stored; one that the repository holds already adds nothing.
    pub(super) async fn take_blob(
        &self,
        quota: Option<&Quota>,
        name: &RepositoryName,
        digest: &Digest,
        bytes: u64,
    ) -> Result<Option<Taken<'_>>, Error> {
        let Some(quota) = quota else { return Ok(None) };
        let stored_as = self.authorized.stored_as(name);
        let amount = match self.service.registry.stat_blob(stored_as, digest).await {
            Ok(_) => Amount::default(),
            Err(RegistryError::BlobUnknown { .. }) => added(bytes),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(self.service.quotas.take(
            quota,
            amount,
            self.service.clock.now_ms(),
        )?))
    }

    /// A blob was stored that was counted, but for `more` bytes of which nobody said that they would come.
    pub(super) fn keep_blob(&self, quota: Option<&Quota>, taken: Option<Taken<'_>>, more: u64) {
        if let Some(taken) = taken {
            taken.keep();
        }
        if let Some(quota) = quota.filter(|_| more > 0) {
            // They were let in as far as there was room: what others took meanwhile is counted all the same.
            self.service
                .quotas
                .add(quota, added(more), self.service.clock.now_ms());
        }
    }

    /// Counts a blob that another repository holds: of storage that is new only where it is in another namespace.
    pub(super) async fn take_mount(
        &self,
        quota: Option<&Quota>,
        name: &RepositoryName,
        from: Option<&RepositoryName>,
        digest: &Digest,
    ) -> Result<Option<Taken<'_>>, Error> {
        let Some(quota) = quota else { return Ok(None) };
        let target = self.authorized.stored_as(name);
        let mut amount = Amount::default();
        for source in self.authorized.mount_sources() {
            match self.service.registry.stat_blob(source, digest).await {
                // The target itself is the last of the sources.
                Ok(_) if source == target => amount = Amount::default(),
                Ok(size) => {
                    amount = added(size);
                    if from.is_some_and(|from| from.namespace() == name.namespace()) {
                        amount.storage = 0;
                    }
                }
                Err(RegistryError::BlobUnknown { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(self.service.quotas.take(
            quota,
            amount,
            self.service.clock.now_ms(),
        )?))
    }

    /// Counts a manifest and the tags that do not exist yet; and what it names must be as large as it says, since the index
    /// counts by that.
    pub(super) async fn take_manifest(
        &self,
        quota: Option<&Quota>,
        name: &RepositoryName,
        (digest, length): (&Digest, usize),
        view: &Manifest,
        tags: &[Tag],
    ) -> Result<Option<Taken<'_>>, Error> {
        let Some(quota) = quota else { return Ok(None) };
        let registry = &self.service.registry;
        let stored_as = self.authorized.stored_as(name);
        for blob in view.required_blobs() {
            match registry.stat_blob(stored_as, &blob.digest).await {
                Ok(size) if size == blob.size => {}
                Ok(size) => {
                    return Err(Error::OtherSize {
                        digest: blob.digest.clone(),
                        said: blob.size,
                        size,
                    });
                }
                // That is told when it is stored.
                Err(RegistryError::BlobUnknown { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if quota.strict {
            self.ask_permit(name, (digest, length), view, tags).await?;
        }
        let mut amount = Amount::default();
        if !registry.has_manifest(stored_as, digest).await? {
            amount = added(u64::try_from(length).unwrap_or(u64::MAX));
        }
        for tag in tags {
            amount.tags += u64::from(!registry.has_tag(stored_as, tag).await?);
        }
        Ok(Some(self.service.quotas.take(
            quota,
            amount,
            self.service.clock.now_ms(),
        )?))
    }

    /// Asks the index whether all of this may be stored. Where it cannot be asked, nothing is.
    async fn ask_permit(
        &self,
        name: &RepositoryName,
        (digest, length): (&Digest, usize),
        view: &Manifest,
        tags: &[Tag],
    ) -> Result<(), Error> {
        let Some(permits) = &self.service.permits else {
            let why = "no endpoint of notifications is an index (notifications.endpoints[].index)";
            return Err(Error::NotAsked(why.into()));
        };
        let own = (digest.clone(), u64::try_from(length).unwrap_or(u64::MAX));
        let named = view.required_blobs().map(|blob| (blob.digest.clone(), blob.size));
        let question = Question {
            stored_as: self.authorized.stored_as(name).clone(),
            tags: tags.to_vec(),
            blobs: std::iter::once(own).chain(named).collect(),
        };
        match permits.ask(&question).await {
            Ok(Permit { refusal: None }) => Ok(()),
            Ok(Permit {
                refusal: Some(reason),
            }) => Err(Error::NotPermitted(reason)),
            Err(error) => Err(Error::NotAsked(error)),
        }
    }

    /// A warning about a limit that is near.
    pub(super) fn warn_of(&self, quota: Option<&Quota>, response: &mut Response) {
        if let Some(text) = quota.and_then(|quota| self.service.quotas.warning(quota)) {
            response.headers_mut().append(WARNING, header::warning(&text));
        }
    }
}

fn added(bytes: u64) -> Amount {
    Amount {
        bytes,
        storage: bytes,
        tags: 0,
    }
}

impl From<Exceeded> for Error {
    fn from(exceeded: Exceeded) -> Self {
        Self::QuotaExceeded(exceeded)
    }
}
