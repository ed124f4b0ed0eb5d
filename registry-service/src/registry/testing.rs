//! A registry for one test, on each kind of storage.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use shared::oci::{Algorithm, Digest, ReceivedManifest, Reference, RepositoryName, Tag};
use shared::runtime::clock::{Clock, ClockHandle};
use shared::secret::Secret;

use super::{Chunk, DEFAULT_MAX_BLOB_SIZE, Options, Registry, RegistryError, TagCondition, UploadId};
use crate::storage::{self, Filesystem, Key, Memory, Step, Storage};

pub(super) const OWNER: &str = "alice";
/// Later than any file: every stamp is settled.
const SETTLED_MS: i64 = 4_000_000_000_000;

/// A registry and what lies below it.
pub(super) struct Ground {
    pub(super) registry: Registry,
    pub(super) storage: Storage,
    pub(super) clock: Clock,
    pub(super) hands: ClockHandle,
    pub(super) folder: Option<tempfile::TempDir>,
}

impl Ground {
    pub(super) fn memory() -> Self {
        Self::on(|clock| Storage::Memory(Memory::new(move || clock.now_ms())), None)
    }

    pub(super) fn filesystem() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open =
            |_| Storage::Filesystem(Filesystem::open(folder.path(), storage::Options::default()).unwrap());
        let storage = open(Clock::system());
        Self::on(|_| storage, Some(folder))
    }

    fn on(storage: impl FnOnce(Clock) -> Storage, folder: Option<tempfile::TempDir>) -> Self {
        let (clock, hands) = Clock::fixed(SETTLED_MS);
        let storage = storage(clock.clone());
        Self {
            registry: Registry::new(storage.clone(), clock.clone(), options()),
            storage,
            clock,
            hands,
            folder,
        }
    }

    /// Another replica, or the same one after a restart: the same content, nothing in memory.
    pub(super) fn replica(&self) -> Registry {
        self.replica_with(options())
    }

    pub(super) fn replica_with(&self, options: Options) -> Registry {
        let storage = match &self.folder {
            Some(folder) => {
                Storage::Filesystem(Filesystem::open(folder.path(), storage::Options::default()).unwrap())
            }
            None => self.storage.clone(),
        };
        Registry::new(storage, self.clock.clone(), options)
    }

    /// From now on nothing that changed counts as settled.
    pub(super) fn unsettle(&self) {
        self.hands.set(0);
    }

    /// Writes an object as somebody else would.
    pub(super) async fn write(&self, key: &Key, content: impl Into<Bytes>) {
        let write = Step::Write {
            key: key.clone(),
            content: content.into(),
        };
        self.storage.commit(Vec::new(), vec![write]).await.unwrap();
    }

    pub(super) async fn remove(&self, key: &Key) {
        self.storage
            .commit(Vec::new(), vec![Step::Remove { key: key.clone() }])
            .await
            .unwrap();
    }

    pub(super) async fn exists(&self, key: &Key) -> bool {
        self.storage.stat(key).await.is_ok()
    }

    /// The path of a key, where there are paths.
    pub(super) fn path(&self, key: &Key) -> Option<PathBuf> {
        self.folder
            .as_ref()
            .map(|folder| folder.path().join(key.as_str()))
    }

    /// Makes the folder of a prefix look as if it had last changed long ago, so that the next change shows in
    /// its stamp however quickly it follows.
    pub(super) fn age(&self, prefix: &Key) {
        if let Some(path) = self.path(prefix) {
            let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
            std::fs::File::open(path).unwrap().set_modified(long_ago).unwrap();
        }
    }

    pub(super) async fn put_blob(&self, repository: &RepositoryName, content: &[u8]) -> Digest {
        let digest = Digest::of(Algorithm::Sha256, content);
        self.registry
            .put_blob(repository, &digest, None, whole(content))
            .await
            .unwrap();
        digest
    }

    /// Pushes an image of one config and one layer, all of it named after `seed`.
    pub(super) async fn push(&self, repository: &RepositoryName, seed: &str, tags: &[&str]) -> Digest {
        let config = self
            .put_blob(repository, format!("{{\"config\":\"{seed}\"}}").as_bytes())
            .await;
        let layer = self.put_blob(repository, seed.as_bytes()).await;
        self.put(repository, &image(&config, &layer, ""), tags)
            .await
            .unwrap()
    }

    pub(super) async fn put(
        &self,
        repository: &RepositoryName,
        body: &str,
        tags: &[&str],
    ) -> Result<Digest, RegistryError> {
        let received = received(body);
        let digest = received.digest().clone();
        let tags: Vec<Tag> = tags.iter().map(|text| tag(text)).collect();
        self.registry
            .put_manifest(repository, received, &tags, &TagCondition::Any)
            .await?;
        Ok(digest)
    }

    /// The digest that a tag points to.
    pub(super) async fn resolve(&self, repository: &RepositoryName, text: &str) -> Option<Digest> {
        let reference = Reference::Tag(tag(text));
        match self.registry.get_manifest(repository, &reference).await {
            Ok(stored) => Some(stored.digest),
            Err(RegistryError::ManifestUnknown { .. }) => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    pub(super) async fn content(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Vec<u8>, RegistryError> {
        use futures_util::TryStreamExt as _;
        let reader = self.registry.open_blob(repository, digest, None).await?;
        let pieces: Vec<Bytes> = reader.into_stream().try_collect().await?;
        Ok(pieces.concat())
    }

    pub(super) async fn start(&self, repository: &RepositoryName) -> UploadId {
        self.registry
            .start_upload(repository, OWNER, Algorithm::Sha256)
            .await
            .unwrap()
    }
}

pub(super) fn options() -> Options {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Options {
        max_blob_size: DEFAULT_MAX_BLOB_SIZE,
        rules: crate::registry::Rules::default(),
        descriptors: None,
        upload_secret: Secret::new(b"the same for all replicas".to_vec()),
        random: Arc::new(|| u128::from(NEXT.fetch_add(1, Ordering::Relaxed)).to_be_bytes()),
    }
}

pub(super) fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

pub(super) fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

/// A body that comes whole.
pub(super) fn whole(content: &[u8]) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + use<> {
    stream::iter([Ok(Bytes::copy_from_slice(content))])
}

pub(super) fn chunk(
    content: &[u8],
) -> Chunk<impl Stream<Item = Result<Bytes, std::io::Error>> + Send + use<>> {
    Chunk {
        room: None,
        offset: None,
        length: None,
        body: whole(content),
    }
}

/// Content that differs from piece to piece.
pub(super) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut content = Vec::with_capacity(length + 8);
    while content.len() < length {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        content.extend_from_slice(&(state >> 16).to_be_bytes());
    }
    content.truncate(length);
    content
}

pub(super) fn image(config: &Digest, layer: &Digest, more: &str) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{layer}","size":2}}]{more}}}"#
    )
}

pub(super) fn index(children: &[&Digest], more: &str) -> String {
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let children = children.iter();
    let children: Vec<_> = children
        .map(|digest| format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":2}}"#))
        .collect();
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{}]{more}}}"#,
        children.join(",")
    )
}

pub(super) fn received(body: &str) -> ReceivedManifest<Bytes> {
    received_as(body, Algorithm::Sha256)
}

pub(super) fn received_as(body: &str, algorithm: Algorithm) -> ReceivedManifest<Bytes> {
    ReceivedManifest::parse(Bytes::copy_from_slice(body.as_bytes()), None, algorithm).unwrap()
}

/// Declares each rule as a test per kind of storage.
macro_rules! on_each_storage {
    ($($(#[$attribute:meta])* async fn $name:ident($ground:ident: &Ground) $body:block)+) => {
        $($(#[$attribute])* async fn $name($ground: &Ground) $body)+
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(&super::Ground::memory()).await })+
        }
        mod filesystem {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(&super::Ground::filesystem()).await })+
        }
    };
}
pub(super) use on_each_storage;
