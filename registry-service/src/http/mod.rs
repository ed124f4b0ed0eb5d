//! The registry over HTTP: one fallback route, since repository names hold slashes. Order of every request:
//! `Endpoint::parse` → policy → verifier → authorize → dispatch.

mod admission;
mod answer;
mod base;
mod blob;
mod catalog;
mod content;
pub mod debug;
mod dispatch;
mod error;
mod external;
#[doc(hidden)]
pub mod fuzzing;
mod header;
pub mod health;
mod manifest;
mod notice;
mod observer;
mod page;
mod purge;
mod quota;
mod range;
mod rate;
mod referrer;
mod tag;
mod token;
mod told;
mod upload;
mod upload_state;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use http::{HeaderName, HeaderValue};
use shared::oci::{Digest, RepositoryName, Tag};
use shared::runtime::clock::Clock;

use admission::Admission;

use crate::auth::Authenticator;
use crate::endpoint::Policy;
use crate::notification::Notifications;
use crate::permit::Permits;
use crate::quota::Ledger;
use crate::rate::Counts;
use crate::redirect::Redirects;
use crate::registry::Registry;

pub use external::{InvalidNetwork, Network, OfRequest};
pub use header::warning;
pub use health::WithHealth;
pub use observer::observer;
pub use upload_state::UploadStates;

/// A manifest that was stored, told before the client is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestPushed {
    /// The repository by its public name.
    pub repository: RepositoryName,
    /// The name under which it is stored.
    pub stored_as: RepositoryName,
    /// The manifest.
    pub digest: Digest,
    /// The tags that point to it now.
    pub tags: Vec<Tag>,
    /// Who pushed it; empty for anonymous.
    pub subject: String,
}

/// Called with each manifest that was stored; the client is answered when it is done. When it fails, the push has failed,
/// and the client has to repeat it.
pub type OnManifestPushed =
    Arc<dyn Fn(ManifestPushed) -> Pin<Box<dyn Future<Output = Result<(), NotTold>> + Send>> + Send + Sync>;

/// Why somebody could not be told of a manifest.
pub type NotTold = Box<dyn std::error::Error + Send + Sync>;

/// How answers look, whatever is asked.
#[derive(Debug, Clone)]
pub struct Options {
    /// The external URL (`http.host`) without a slash at its end; empty for relative `Location`s.
    pub base_url: String,
    /// The path before `/v2/` (`http.prefix`) without a slash at its end, such as `/registry`; empty for none.
    pub prefix: String,
    /// With an empty `base_url`: absolute `Location`s by what a request says. Default: relative ones.
    pub of_request: Option<OfRequest>,
    /// How requests are understood that events tell of.
    pub requests: OfRequest,
    /// Longest page of the catalog.
    pub max_catalog: usize,
    /// Longest page of tags.
    pub max_tags: usize,
    /// Headers that every answer carries (`http.headers`).
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// A notice that every answer carries as `Warning` (RFC 7234, section 5.5; distribution-spec, "Warnings"). One about
    /// storage that has failed to write is added when that has happened.
    pub warning: Option<HeaderValue>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            prefix: String::new(),
            of_request: None,
            requests: OfRequest::default(),
            max_catalog: page::MAX_PAGE,
            max_tags: page::MAX_PAGE,
            headers: Vec::new(),
            warning: None,
        }
    }
}

/// All that requests are served with.
pub struct Service {
    /// The content.
    pub registry: Registry,
    /// Who is let in.
    pub authenticator: Authenticator,
    /// What is switched on.
    pub policy: Policy,
    /// The time.
    pub clock: Clock,
    /// Signs upload locations.
    pub upload_states: UploadStates,
    /// How answers look.
    pub options: Options,
    /// Where clients are sent for blobs.
    pub redirects: Option<Redirects>,
    /// Who is told of manifests.
    pub on_manifest_pushed: Option<OnManifestPushed>,
    /// Who is told of changes and reads.
    pub notifications: Option<Notifications>,
    /// What was pushed into namespaces that have a quota.
    pub quotas: Ledger,
    /// Who is asked before a manifest is stored under a strict quota.
    pub permits: Option<Permits>,
    /// How often holders of tokens have asked.
    pub rates: Counts,
}

/// The registry as a router without any path of its own: it answers whatever it is given.
pub fn router(service: Service) -> Router {
    let state = dispatch::State {
        service: Arc::new(service),
        admission: Arc::new(Admission::new()),
    };
    Router::new().fallback(dispatch::handle).with_state(state)
}
