//! What a request turned out to be, left with its answer for whoever counts and logs requests.

use shared::oci::error::ErrorEntry;
use shared::oci::{ErrorCode, RepositoryName};

use crate::endpoint::{Endpoint, Operation};
use crate::metrics::{Handler, InFlight};

/// What is known of a request; in the extensions of its answer.
#[derive(Debug)]
pub(super) struct Told {
    /// The endpoint's name.
    pub(super) route: &'static str,
    /// Who asks; empty for nobody in particular.
    pub(super) user: String,
    pub(super) repository: Option<RepositoryName>,
    /// A tag or digest of a manifest, a blob's digest, or an upload's id, with the name that distribution's log gives it.
    pub(super) variable: Option<(&'static str, String)>,
    /// Counted as long as this is kept.
    pub(super) in_flight: InFlight,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            route: "unknown",
            user: String::new(),
            repository: None,
            variable: None,
            in_flight: InFlight::begin(Handler::Other),
        }
    }
}

impl Told {
    pub(super) fn asked_for(&mut self, endpoint: &Endpoint) {
        self.route = endpoint.name();
        self.in_flight = InFlight::begin(handler(endpoint));
        if let Endpoint::Repository(name, operation) = endpoint {
            self.repository = Some(name.clone());
            self.variable = variable(operation);
        }
    }
}

fn handler(endpoint: &Endpoint) -> Handler {
    match endpoint {
        Endpoint::Probe | Endpoint::Token => Handler::Other,
        Endpoint::Base => Handler::Base,
        Endpoint::Catalog => Handler::Catalog,
        Endpoint::Repository(_, operation) => match operation {
            Operation::ListTags => Handler::Tags,
            Operation::ReadManifest(_) | Operation::PutManifest(_) | Operation::DeleteManifest(_) => {
                Handler::Manifest
            }
            Operation::StatBlob(_) | Operation::ReadBlob(_) | Operation::DeleteBlob(_) => Handler::Blob,
            Operation::StartUpload(_) => Handler::BlobUpload,
            Operation::UploadStatus(_)
            | Operation::AppendUpload(_)
            | Operation::FinishUpload(_)
            | Operation::CancelUpload(_) => Handler::BlobUploadChunk,
            Operation::ListReferrers(_) => Handler::Referrers,
            Operation::Purge => Handler::Other,
        },
    }
}

fn variable(operation: &Operation) -> Option<(&'static str, String)> {
    match operation {
        Operation::ListTags | Operation::StartUpload(_) | Operation::Purge => None,
        Operation::ReadManifest(reference)
        | Operation::PutManifest(reference)
        | Operation::DeleteManifest(reference) => Some(("vars.reference", reference.to_string())),
        Operation::StatBlob(digest)
        | Operation::ReadBlob(digest)
        | Operation::DeleteBlob(digest)
        | Operation::ListReferrers(digest) => Some(("vars.digest", digest.to_string())),
        Operation::UploadStatus(id)
        | Operation::AppendUpload(id)
        | Operation::FinishUpload(id)
        | Operation::CancelUpload(id) => Some(("vars.uuid", id.as_str().to_owned())),
    }
}

/// Why a request was not done; in the extensions of its answer.
#[derive(Debug, Clone)]
pub(super) struct ToldError {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

impl ToldError {
    pub(super) fn of(entry: &ErrorEntry) -> Self {
        Self {
            code: entry.code,
            message: entry.message.clone(),
        }
    }
}
