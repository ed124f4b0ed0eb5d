//! Notifications: telling endpoints of pushes, pulls, mounts and deletes, in the envelopes of CNCF distribution.
//!
//! What a write tells becomes durable in the write's own commit, in one queue per endpoint and repository whose numbers are
//! given by that commit; so nothing that was acknowledged is lost, and the order of a repository's events is the order
//! in which its changes became visible, whichever process made them. Pulls are told from memory. See
//! `docs/notifications.md`.

pub mod administration;
mod announcer;
mod backlog;
mod backoff;
mod bounds;
mod delivery;
mod endpoint;
mod event;
mod layout;
mod missed;
mod pulls;
mod sender;
mod spool;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};
use shared::oci::{Digest, MediaType, RepositoryName, Tag};
use shared::runtime::clock::Clock;
use time::format_description::well_known::Rfc3339;
use tokio::sync::{Notify, mpsc};

use crate::metrics::{self, EndpointNumbers};
use crate::registry::Registry;
use crate::storage::Storage;

pub use endpoint::{Endpoint, Version};
pub use event::{Action, Event, RequestRecord, SourceRecord, Target};
pub use sender::Receive;

use announcer::OfRequest;
use delivery::Deliverer;
use event::{ActorRecord, BLOB, references, uuid};
use layout::Folder;
use pulls::{PullDeliverer, Pulls};
use sender::Sender;
use spool::Spool;

/// Where random bytes come from.
pub type Random = Arc<dyn Fn() -> [u8; 16] + Send + Sync>;

/// Who is told, and of what.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The endpoints that are not disabled; none for no notifications.
    pub endpoints: Vec<Endpoint>,
    /// Whether events name what a manifest refers to (`events.includereferences`).
    pub include_references: bool,
    /// `host:port` of this process, for the events.
    pub addr: String,
    /// An endpoint whose receiver is in this process.
    pub within: Option<(Endpoint, Receive)>,
}

/// The endpoints at work. Clones share everything.
#[derive(Clone)]
pub struct Notifications(Arc<Shared>);

struct Shared {
    stations: Vec<Station>,
    storage: Storage,
    missed: missed::Missed,
    include_references: bool,
    source: SourceRecord,
    clock: Clock,
    random: Random,
}

/// An endpoint with its queues.
struct Station {
    endpoint: Arc<Endpoint>,
    spool: Spool,
    wake: Arc<Notify>,
    pulls: Pulls,
    numbers: Arc<EndpointNumbers>,
}

/// The request that changes or reads something.
#[derive(Debug, Clone)]
pub struct Asker {
    /// The repository by its public name.
    pub repository: RepositoryName,
    /// The name under which it is kept.
    pub stored_as: RepositoryName,
    /// The public name of the repository that a blob is mounted from, if it was named.
    pub from: Option<RepositoryName>,
    /// The URL before `/v2/`.
    pub base_url: String,
    /// The request.
    pub request: RequestRecord,
    /// Who asks, verified; empty for nobody in particular.
    pub actor: String,
}

/// What was read.
#[derive(Debug, Clone, Copy)]
pub enum Pulled<'a> {
    /// A manifest.
    Manifest {
        /// Its digest.
        digest: &'a Digest,
        /// What it is.
        media_type: MediaType,
        /// Its bytes.
        bytes: &'a [u8],
        /// The tag that it was asked for by.
        tag: Option<&'a Tag>,
    },
    /// A blob.
    Blob {
        /// Its digest.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
    },
}

/// An endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the endpoint {endpoint} cannot be asked")]
pub struct UnusableEndpoint {
    endpoint: String,
    source: reqwest::Error,
}

impl Notifications {
    /// Begins to deliver what waits in `storage`. Must be called inside a runtime; none without an endpoint.
    pub fn start(
        storage: &Storage,
        clock: &Clock,
        random: &Random,
        options: Options,
    ) -> Result<Option<Self>, UnusableEndpoint> {
        let mut stations = Vec::new();
        let elsewhere = options.endpoints.into_iter().map(|endpoint| (endpoint, None));
        let within = options
            .within
            .map(|(endpoint, receive)| (endpoint, Some(receive)));
        for (endpoint, receive) in elsewhere.chain(within) {
            stations.push(station(endpoint, receive, storage, clock, random)?);
        }
        if stations.is_empty() {
            return Ok(None);
        }
        let is_for_indexes = stations.iter().all(|station| station.endpoint.is_index);
        let hub = Self(Arc::new(Shared {
            stations,
            storage: storage.clone(),
            missed: missed::Missed::default(),
            include_references: options.include_references,
            source: SourceRecord {
                addr: options.addr,
                instance_id: uuid(random()),
            },
            clock: clock.clone(),
            random: Arc::clone(random),
        }));
        if is_for_indexes {
            tokio::spawn(missed::prepare(hub.clone()));
        }
        Ok(Some(hub))
    }

    /// The same content; what this request changes through it is told of.
    #[must_use]
    pub fn announced(&self, registry: &Registry, asker: Asker) -> Registry {
        registry.announced_by(Arc::new(OfRequest::new(self.clone(), asker)))
    }

    /// Tells of a read, if anybody wants to know.
    pub fn pulled(&self, pulled: Pulled<'_>, asker: impl FnOnce() -> Asker) {
        let media_type = match pulled {
            Pulled::Manifest { media_type, .. } => media_type.as_str(),
            Pulled::Blob { .. } => BLOB,
        };
        let wanting = |station: &&Station| station.endpoint.wants(Action::Pull, media_type);
        if !self.0.stations.iter().any(|station| wanting(&station)) {
            return;
        }
        let asker = asker();
        let target = match pulled {
            Pulled::Manifest {
                digest,
                media_type,
                bytes,
                tag,
            } => self.manifest(&asker, digest, media_type, bytes, tag),
            Pulled::Blob { digest, size } => blob(&asker, digest, size),
        };
        let event = self.event(&asker, Action::Pull, target);
        for station in self.0.stations.iter().filter(wanting) {
            let told = station.endpoint.told(&event, asker.stored_as.as_str());
            station.pulls.tell(told.into_owned());
        }
    }

    /// What `/debug/vars` shows, without secrets.
    pub fn shown(&self) -> Value {
        let endpoints = self.0.stations.iter().map(|station| {
            let mut shown = station.endpoint.shown();
            shown["Metrics"] = station.numbers.shown();
            shown
        });
        json!({ "endpoints": endpoints.collect::<Vec<_>>() })
    }

    fn event(&self, asker: &Asker, action: Action, target: Target) -> Event {
        Event {
            id: uuid((self.0.random)()),
            timestamp: self.0.clock.now().format(&Rfc3339).unwrap_or_default(),
            action,
            target,
            request: asker.request.clone(),
            actor: ActorRecord {
                name: asker.actor.clone(),
            },
            source: self.0.source.clone(),
        }
    }

    fn manifest(
        &self,
        asker: &Asker,
        digest: &Digest,
        media_type: MediaType,
        bytes: &[u8],
        tag: Option<&Tag>,
    ) -> Target {
        let size = bytes.len() as u64;
        Target {
            media_type: media_type.as_str().to_owned(),
            size,
            length: size,
            digest: digest.to_string(),
            repository: asker.repository.to_string(),
            url: format!("{}/v2/{}/manifests/{digest}", asker.base_url, asker.repository),
            tag: tag.map(ToString::to_string).unwrap_or_default(),
            references: if self.0.include_references {
                references(bytes, media_type)
            } else {
                Vec::new()
            },
            ..Target::default()
        }
    }
}

fn blob(asker: &Asker, digest: &Digest, size: u64) -> Target {
    Target {
        media_type: BLOB.to_owned(),
        size,
        length: size,
        digest: digest.to_string(),
        repository: asker.repository.to_string(),
        url: format!("{}/v2/{}/blobs/{digest}", asker.base_url, asker.repository),
        ..Target::default()
    }
}

fn station(
    endpoint: Endpoint,
    receive: Option<Receive>,
    storage: &Storage,
    clock: &Clock,
    random: &Random,
) -> Result<Station, UnusableEndpoint> {
    let endpoint = Arc::new(endpoint);
    let numbers = metrics::endpoint(&endpoint.name);
    let sender = Sender::new(Arc::clone(&endpoint), receive, Arc::clone(&numbers));
    let sender = sender.map_err(|source| UnusableEndpoint {
        endpoint: endpoint.name.clone(),
        source,
    })?;
    let spool = Spool::new(storage.clone(), Folder::of(&endpoint.name));
    let wake = Arc::new(Notify::new());
    tokio::spawn(
        Deliverer {
            spool: spool.clone(),
            endpoint: Arc::clone(&endpoint),
            sender: sender.clone(),
            numbers: Arc::clone(&numbers),
            wake: Arc::clone(&wake),
            clock: clock.clone(),
            random: Arc::clone(random),
        }
        .run(),
    );
    let (queue, waiting) = mpsc::channel(endpoint.max_pulls.max(1));
    tokio::spawn(
        PullDeliverer {
            queue: waiting,
            endpoint: Arc::clone(&endpoint),
            sender,
            numbers: Arc::clone(&numbers),
            random: Arc::clone(random),
        }
        .run(),
    );
    Ok(Station {
        pulls: Pulls::new(queue, Arc::clone(&numbers)),
        endpoint,
        spool,
        wake,
        numbers,
    })
}

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints = self.0.stations.iter().map(|station| &station.endpoint);
        f.debug_list().entries(endpoints).finish()
    }
}
