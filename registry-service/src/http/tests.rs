//! The router in process, on the memory storage.

mod authentication;
mod blob;
mod bounded_tags;
mod external;
mod list;
mod malformed;
mod manifest;
mod policy;
mod terms;
mod upload;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use shared::oci::{Algorithm, Digest};
use shared::runtime::clock::Clock;
use shared::secret::Secret;
use tower::ServiceExt as _;

use crate::Builder;
use crate::storage::{Memory, Storage};

pub(super) const NOW_S: i64 = 1_800_000_000;
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry under test.
#[derive(Clone)]
pub(super) struct Rig {
    router: Router,
}

/// An answer, with its body read.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Rig {
    /// An open registry with deletes.
    pub(super) fn open() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Builder)) -> Self {
        let (clock, _) = Clock::fixed(NOW_S * 1_000);
        let number = AtomicU64::new(1);
        let random = move || {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&number.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            bytes
        };
        let storage = Storage::Memory(Memory::new(|| NOW_S * 1_000));
        let mut builder = Builder::new(storage, clock, Arc::new(random), Secret::new(vec![7; 32]));
        builder.policy.delete_enabled = true;
        change(&mut builder);
        Self {
            router: builder.build().router,
        }
    }

    /// Sends a request; `headers` are lines `Name: value`. Every answer must be of the shape of the specification.
    pub(super) async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[&str],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(target);
        for line in headers {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let request = request.body(body.into()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        };
        answer.check_shape(method, target);
        answer
    }

    pub(super) async fn get(&self, target: &str) -> Answer {
        self.send("GET", target, &[], Body::empty()).await
    }

    pub(super) async fn head(&self, target: &str) -> Answer {
        self.send("HEAD", target, &[], Body::empty()).await
    }

    pub(super) async fn post(&self, target: &str) -> Answer {
        self.send("POST", target, &[], Body::empty()).await
    }

    pub(super) async fn delete(&self, target: &str) -> Answer {
        self.send("DELETE", target, &[], Body::empty()).await
    }

    /// A blob in one request.
    pub(super) async fn push_blob(&self, name: &str, algorithm: Algorithm, content: &[u8]) -> Digest {
        let digest = Digest::of(algorithm, content);
        let target = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        let answer = self.send("POST", &target, &[], content.to_vec()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        digest
    }

    pub(super) async fn put_manifest(
        &self,
        name: &str,
        reference: &str,
        media_type: &str,
        body: &[u8],
    ) -> Answer {
        let target = format!("/v2/{name}/manifests/{reference}");
        let content_type = format!("Content-Type: {media_type}");
        self.send("PUT", &target, &[&content_type], body.to_vec()).await
    }

    /// An image with an empty config and one layer, tagged.
    pub(super) async fn push_image(&self, name: &str, tag: &str, seed: &str) -> Digest {
        let config = self.push_blob(name, Algorithm::Sha256, b"{}").await;
        let layer = self.push_blob(name, Algorithm::Sha256, seed.as_bytes()).await;
        let body = image(&config, 2, &[(&layer, seed.len())], &json!({}));
        let answer = self.put_manifest(name, tag, OCI_MANIFEST, &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        Digest::of(Algorithm::Sha256, &body)
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The code of the first error.
    pub(super) fn code(&self) -> String {
        self.json()["errors"][0]["code"].as_str().unwrap().to_owned()
    }

    fn check_shape(&self, method: &str, target: &str) {
        assert_eq!(self.header("docker-distribution-api-version"), "registry/2.0");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        let is_error = self.status.is_client_error() || self.status.is_server_error();
        if method == "HEAD" || self.status == 304 {
            assert!(self.body.is_empty(), "{method} {target}");
            return;
        }
        let length: usize = self.header("content-length").parse().unwrap();
        assert_eq!(length, self.body.len(), "{method} {target}");
        if is_error {
            assert_eq!(self.header("content-type"), "application/json");
            let errors = self.json()["errors"].as_array().unwrap().clone();
            assert!(!errors.is_empty());
            for error in errors {
                assert!(error["code"].is_string() && error["message"].is_string());
            }
        }
    }
}

/// An image manifest.
pub(super) fn image(
    config: &Digest,
    config_size: usize,
    layers: &[(&Digest, usize)],
    more: &Value,
) -> Vec<u8> {
    let layer = |(digest, size): &(&Digest, usize)| json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size});
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": config_size},
        "layers": layers.iter().map(layer).collect::<Vec<_>>(),
    });
    let fields = manifest.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    serde_json::to_vec(&manifest).unwrap()
}
