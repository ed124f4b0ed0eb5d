//! What a request tells those who are notified.

use std::borrow::Cow;

use http::header::{HOST, USER_AGENT};
use http::uri::Authority;
use shared::oci::{Digest, Reference, RepositoryName};
use shared::runtime::serve::RequestId;

use super::dispatch::Asked;
use crate::endpoint::{Endpoint, Operation};
use crate::notification::{Asker, Pulled, RequestRecord};
use crate::registry::{Registry, StoredManifest};

impl Asked<'_> {
    /// The content; what the request changes through it is told of, if anybody is told.
    pub(super) fn registry(&self, name: &RepositoryName) -> Cow<'_, Registry> {
        let registry = &self.service.registry;
        match &self.service.notifications {
            Some(told) => Cow::Owned(told.announced(registry, self.asker(name))),
            None => Cow::Borrowed(registry),
        }
    }

    pub(super) fn manifest_pulled(
        &self,
        name: &RepositoryName,
        reference: &Reference,
        stored: &StoredManifest,
    ) {
        if let Some(told) = &self.service.notifications {
            let pulled = Pulled::Manifest {
                digest: &stored.digest,
                media_type: stored.media_type,
                bytes: &stored.bytes,
                tag: match reference {
                    Reference::Tag(tag) => Some(tag),
                    Reference::Digest(_) => None,
                },
            };
            told.pulled(pulled, || self.asker(name));
        }
    }

    pub(super) fn blob_pulled(&self, name: &RepositoryName, digest: &Digest, size: u64) {
        if let Some(told) = &self.service.notifications {
            told.pulled(Pulled::Blob { digest, size }, || self.asker(name));
        }
    }

    fn asker(&self, name: &RepositoryName) -> Asker {
        let (parts, options) = (&self.parts, &self.service.options);
        let text = |name| {
            let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let base_url = if options.base_url.is_empty() {
            options.requests.origin(parts).unwrap_or_default() + &options.prefix
        } else {
            options.base_url.clone()
        };
        let authority = parts.uri.authority().map(Authority::to_string);
        let id = parts.extensions.get::<RequestId>();
        Asker {
            repository: name.clone(),
            stored_as: self.authorized.stored_as(name).clone(),
            from: self.mounts_from().cloned(),
            base_url,
            request: RequestRecord {
                id: id.map(ToString::to_string).unwrap_or_default(),
                addr: options.requests.client(parts),
                host: authority.unwrap_or_else(|| text(HOST)),
                method: parts.method.to_string(),
                useragent: text(USER_AGENT),
            },
            actor: self.authorized.subject().to_owned(),
        }
    }

    fn mounts_from(&self) -> Option<&RepositoryName> {
        let Endpoint::Repository(_, Operation::StartUpload(mount)) = self.authorized.endpoint() else {
            return None;
        };
        mount.as_ref()?.from.as_ref()
    }
}
