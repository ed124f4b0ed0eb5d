//! A registry in memory, and the index that knows of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use shared::oci::{Algorithm, Digest, RepositoryName};
use shared::secret::Secret;

use crate::app::caller::Caller;
use crate::app::content::{Carried, Differences};
use crate::app::fixture::Fixture;
use crate::domain::RepositoryId;
use crate::registry_client::{Question, RegistryClient, Reply};

pub(in crate::app) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(in crate::app) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What a registry holds under one name, and how often it was asked.
#[derive(Default)]
pub(in crate::app) struct Held {
    pub(in crate::app) tags: BTreeMap<String, String>,
    pub(in crate::app) manifests: BTreeMap<String, (String, Vec<u8>)>,
    pub(in crate::app) blobs: BTreeMap<String, Vec<u8>>,
    pub(in crate::app) is_away: bool,
}

pub(in crate::app) type Shared = Arc<Mutex<Held>>;

fn answer(held: &Held, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut headers = HeaderMap::new();
    if held.is_away {
        return (StatusCode::SERVICE_UNAVAILABLE, headers, Vec::new());
    }
    let path = path.split('?').next().unwrap();
    if path.ends_with("/tags/list") {
        let tags: Vec<&String> = held.tags.keys().collect();
        return (
            StatusCode::OK,
            headers,
            json!({"tags": tags}).to_string().into_bytes(),
        );
    }
    let (rest, last) = path.rsplit_once('/').unwrap();
    if rest.ends_with("/referrers") {
        let refers =
            |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["subject"]["digest"] == last;
        let listed = held.manifests.iter().filter(|(_, (_, bytes))| refers(bytes));
        let listed: Vec<Value> = listed.map(|(digest, _)| json!({"digest": digest})).collect();
        return (
            StatusCode::OK,
            headers,
            json!({"manifests": listed}).to_string().into_bytes(),
        );
    }
    if rest.ends_with("/blobs") {
        let blob = held.blobs.get(last).cloned();
        return blob.map_or((StatusCode::NOT_FOUND, HeaderMap::new(), Vec::new()), |b| {
            (StatusCode::OK, headers, b)
        });
    }
    let digest = held.tags.get(last).map_or(last, String::as_str);
    match held.manifests.get(digest) {
        Some((media_type, bytes)) => {
            headers.insert("content-type", media_type.parse().unwrap());
            headers.insert("docker-content-digest", digest.parse().unwrap());
            (StatusCode::OK, headers, bytes.clone())
        }
        None => (StatusCode::NOT_FOUND, headers, Vec::new()),
    }
}

/// Deletes and puts, as a registry does for a token that may delete no tag with a manifest.
fn change(held: &mut Held, question: &Question) -> StatusCode {
    if held.is_away {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let reference = question.path.rsplit_once('/').unwrap().1.to_owned();
    let current = held.tags.get(&reference).map(|digest| format!("\"{digest}\""));
    for (name, value) in &question.headers {
        let holds = match name.as_str() {
            "if-match" => current.as_ref().is_none_or(|current| current == value),
            "if-none-match" => current.is_none(),
            _ => true,
        };
        if !holds {
            return StatusCode::PRECONDITION_FAILED;
        }
    }
    if question.method == Method::PUT {
        let digest = digest_of(&question.body);
        let media_type = question.headers.iter().find(|(name, _)| name == "content-type");
        let manifest = (media_type.unwrap().1.clone(), question.body.clone());
        held.manifests.insert(digest.clone(), manifest);
        held.tags.insert(reference, digest);
        return StatusCode::CREATED;
    }
    if held.tags.values().any(|digest| *digest == reference) {
        return StatusCode::FORBIDDEN;
    }
    if held.tags.remove(&reference).is_some() || held.manifests.remove(&reference).is_some() {
        return StatusCode::ACCEPTED;
    }
    StatusCode::NOT_FOUND
}

/// The use cases with the repository `ada/app`, and the registry that holds it.
pub(in crate::app) struct World {
    pub(in crate::app) fixture: Fixture,
    pub(in crate::app) held: Shared,
    pub(in crate::app) id: RepositoryId,
    pub(in crate::app) ada: Caller,
    pub(in crate::app) events: u32,
}

pub(in crate::app) fn digest_of(bytes: &[u8]) -> String {
    Digest::of(Algorithm::Sha256, bytes).to_string()
}

impl World {
    pub(in crate::app) async fn new() -> Self {
        let fixture = Fixture::new().await;
        let held = Shared::default();
        let asked = Arc::clone(&held);
        fixture
            .app
            .read_with(RegistryClient::within(move |question: Question| {
                let mut held = asked.lock().unwrap();
                let (status, headers, body) = if matches!(question.method, Method::PUT | Method::DELETE) {
                    (change(&mut held, &question), HeaderMap::new(), Vec::new())
                } else {
                    answer(&held, &question.path)
                };
                drop(held);
                Box::pin(async move {
                    Ok(Reply {
                        status,
                        headers,
                        body: Some(body),
                    })
                })
            }));
        fixture
            .app
            .create_account("ada", Secret::new("correct horse battery".to_owned()))
            .await
            .unwrap();
        let name: RepositoryName = "ada/app".parse().unwrap();
        fixture.app.confirm_pushed(&name).await.unwrap();
        let ada = fixture.app.operator("ada").await.unwrap();
        let id = fixture
            .app
            .find_named(&ada, &name)
            .await
            .unwrap()
            .facts
            .repository_id;
        Self {
            fixture,
            held,
            id,
            ada,
            events: 0,
        }
    }

    /// Puts an image into the registry; its digest.
    pub(in crate::app) fn image(&self, layers: &[&str], architecture: &str) -> String {
        let mut held = self.held.lock().unwrap();
        let config = json!({"os": "linux", "architecture": architecture,
            "config": {"Labels": {"title": "app"}, "Env": ["SECRET=canary"]},
            "history": layers.iter().map(|layer| json!({"created_by": format!("ADD {layer}")})).collect::<Vec<_>>()});
        let config = config.to_string().into_bytes();
        let mut blob = |bytes: &[u8], media_type: &str| {
            held.blobs.insert(digest_of(bytes), bytes.to_vec());
            json!({"mediaType": media_type, "digest": digest_of(bytes), "size": bytes.len()})
        };
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": blob(&config, CONFIG),
            "layers": layers.iter().map(|layer| blob(layer.as_bytes(), LAYER)).collect::<Vec<_>>()});
        drop(held);
        self.manifest(MANIFEST, &manifest)
    }

    pub(in crate::app) fn manifest(&self, media_type: &str, document: &Value) -> String {
        let bytes = document.to_string().into_bytes();
        let digest = digest_of(&bytes);
        self.held
            .lock()
            .unwrap()
            .manifests
            .insert(digest.clone(), (media_type.to_owned(), bytes));
        digest
    }

    pub(in crate::app) fn descriptor(&self, digest: &str) -> Value {
        let held = self.held.lock().unwrap();
        let (media_type, bytes) = &held.manifests[digest];
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len(), "platform": {"os": "linux", "architecture": "x"}})
    }

    pub(in crate::app) fn event(&mut self, action: &str, target: Value) -> Value {
        self.events += 1;
        let mut target = target;
        target["repository"] = "ada/app".into();
        json!({"id": format!("{:08x}-0000-4000-8000-000000000000", self.events), "timestamp": "2027-01-15T07:59:00Z",
            "action": action, "target": target, "actor": {"name": "ada"},
            "request": {"addr": "192.0.2.1:5123", "method": "PUT", "useragent": "docker/27.0"}})
    }

    /// The event of a push, after which the registry's tag points there.
    pub(in crate::app) fn push(&mut self, digest: &str, tag: Option<&str>) -> Value {
        let mut target = self.descriptor(digest);
        if let Some(tag) = tag {
            target["tag"] = tag.into();
            self.held
                .lock()
                .unwrap()
                .tags
                .insert(tag.to_owned(), digest.to_owned());
        }
        self.event("push", target)
    }

    /// The index hears that tags are gone.
    pub(in crate::app) async fn told_of_deleted_tags(&self, tags: &[&str]) {
        let events: Vec<Value> = tags
            .iter()
            .map(|tag| told("delete", json!({ "tag": tag })))
            .collect();
        self.deliver(&events).await;
    }

    /// The index hears of every tag, as if all were pushed.
    pub(in crate::app) async fn told_of_pushed_tags(&self) {
        let tags = self.held.lock().unwrap().tags.clone();
        let events: Vec<Value> = tags
            .iter()
            .map(|(tag, digest)| {
                let mut target = self.descriptor(digest);
                target["tag"] = tag.as_str().into();
                told("push", target)
            })
            .collect();
        self.deliver(&events).await;
        self.read().await;
    }

    pub(in crate::app) async fn deliver(&self, events: &[Value]) -> Carried {
        let body = json!({ "events": events }).to_string();
        self.fixture.app.receive_events(body.as_bytes()).await.unwrap()
    }

    pub(in crate::app) async fn read(&self) {
        while self.fixture.app.read_due().await.unwrap() > 0 {}
    }

    pub(in crate::app) async fn check(&self) -> Differences {
        self.fixture.app.reindex(&self.ada, self.id, true).await.unwrap()
    }

    pub(in crate::app) async fn history(&self, tag: &str) -> Vec<(Option<String>, Option<String>)> {
        let found = self
            .fixture
            .app
            .tag_history(&self.ada, self.id, tag, i64::MAX, 50)
            .await
            .unwrap();
        found
            .into_iter()
            .map(|change| (change.digest_before, change.digest_after))
            .collect()
    }
}

/// An event that is no other's, of the index's own doing.
fn told(action: &str, mut target: Value) -> Value {
    static NEXT: AtomicU32 = AtomicU32::new(0x1000_0000);
    target["repository"] = "ada/app".into();
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    json!({"id": format!("{id:08x}-0000-4000-8000-000000000000"), "timestamp": "2027-01-15T07:59:30Z",
        "action": action, "target": target, "actor": {"name": "@index"}})
}
