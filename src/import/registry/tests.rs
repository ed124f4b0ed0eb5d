//! Against registries in this process, one of which fails on purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::{HeaderMap, Method, StatusCode, header};
use registry_service::Builder;
use registry_service::storage::{Memory, Storage};
use shared::oci::{Algorithm, Digest};
use shared::runtime::clock::Clock;
use shared::secret::Secret;

use super::content::Place;
use super::copy::Copier;
use super::endpoint::{Ask, Endpoint};
use super::name_map::{NameMap, Pair};
use super::outcome::Outcome;

/// What has happened to requests so far.
#[derive(Default)]
struct Faults {
    refused: AtomicU32,
    broken: AtomicU32,
    /// Requests for a part of a blob.
    resumed: AtomicU32,
}

/// An open registry in memory.
fn registry() -> Router {
    let (clock, _) = Clock::fixed(1_700_000_000_000);
    let now = clock.clone();
    let next = AtomicU32::new(1);
    let random = Arc::new(move || {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&next.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        bytes
    });
    let storage = Storage::Memory(Memory::new(move || now.now_ms()));
    Builder::new(storage, clock, random, Secret::new(vec![7; 32]))
        .build()
        .router
}

/// Serves it on a port of this machine.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// The first question for a manifest is refused for a second, and the first two large blobs break off half-way.
async fn faulty(State(faults): State<Arc<Faults>>, request: Request, next: Next) -> Response {
    let is_get = request.method() == Method::GET;
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    let is_manifest = is_get && path.contains("/manifests/");
    if is_manifest && faults.refused.fetch_add(1, Ordering::Relaxed) == 0 {
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")]).into_response();
    }
    let response = next.run(request).await;
    if !is_get || !path.contains("/blobs/sha256:") {
        return response;
    }
    cut(&faults, &headers, response)
}

fn cut(faults: &Faults, headers: &HeaderMap, response: Response) -> Response {
    if headers.contains_key(header::RANGE) {
        faults.resumed.fetch_add(1, Ordering::Relaxed);
    }
    let length = response
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let length: usize = length.unwrap_or_default();
    if length < 1 << 20 || faults.broken.fetch_add(1, Ordering::Relaxed) >= 2 {
        return response;
    }
    let (parts, body) = response.into_parts();
    let mut left = length / 2;
    let half = body.into_data_stream().map(move |piece| {
        let piece = piece.map_err(std::io::Error::other)?;
        let piece = piece.slice(..piece.len().min(left));
        left -= piece.len();
        if piece.is_empty() {
            Err(std::io::Error::other("cut"))
        } else {
            Ok(piece)
        }
    });
    let end = stream::iter([Err(std::io::Error::other("cut"))]);
    Response::from_parts(parts, Body::from_stream(half.chain(end)))
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint::new(url, None, Vec::new(), None, Clock::system()).unwrap()
}

async fn push_blob(place: Place<'_>, bytes: &[u8]) -> Digest {
    let digest = Digest::of(Algorithm::Sha256, bytes);
    let url = place
        .endpoint
        .url(&format!("/v2/{}/blobs/uploads/?digest={digest}", place.name))
        .unwrap();
    let mut ask = Ask::new(Method::POST, url, "");
    ask.body = Bytes::copy_from_slice(bytes);
    let answer = place.endpoint.exchange(&ask).await.unwrap();
    assert_eq!(answer.status, StatusCode::CREATED);
    digest
}

/// An image of two layers, of which one is large; its manifest's digest.
async fn push_image(place: Place<'_>, tag: &str) -> Digest {
    let large: Vec<u8> = (0..6_000_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let config = push_blob(place, b"{}").await;
    let (large, size) = (push_blob(place, &large).await, large.len());
    let small = push_blob(place, tag.as_bytes()).await;
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
        "layers": [
            {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": large, "size": size},
            {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": small, "size": tag.len()},
        ],
    });
    let url = place
        .endpoint
        .url(&format!("/v2/{}/manifests/{tag}", place.name))
        .unwrap();
    let mut ask = Ask::new(Method::PUT, url, "")
        .header(header::CONTENT_TYPE, "application/vnd.oci.image.manifest.v1+json")
        .unwrap();
    ask.body = Bytes::from(manifest.to_string());
    place.endpoint.exchange(&ask).await.unwrap();
    Digest::of(Algorithm::Sha256, manifest.to_string().as_bytes())
}

fn place(endpoint: &Endpoint) -> Place<'_> {
    Place {
        endpoint,
        name: "team/app",
        scope: "",
    }
}

fn pair(name: &str) -> Pair {
    NameMap::default().pairs(vec![name.to_owned()]).0.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_is_gone_on_with_and_what_is_refused_for_a_while_is_asked_again() {
    let faults = Arc::new(Faults::default());
    let original = registry();
    let quiet = endpoint(&serve(original.clone()).await);
    let digest = push_image(place(&quiet), "v1").await;
    let failing = original.layer(middleware::from_fn_with_state(Arc::clone(&faults), faulty));
    let source = endpoint(&serve(failing).await);
    let target = endpoint(&serve(registry()).await);
    let copier = Copier::new(source, target, 1, false);
    let (outcome, pair) = (Outcome::default(), pair("team/app"));
    copier.copy(&pair, &outcome).await;
    assert!(outcome.is_whole(), "{}", outcome.json(&pair));
    assert_eq!(outcome.tally.blobs.get(), 3);
    assert!(
        faults.broken.load(Ordering::Relaxed) >= 2,
        "nothing was broken off"
    );
    assert!(
        faults.resumed.load(Ordering::Relaxed) >= 1,
        "a large blob began anew"
    );
    // Half, then a quarter, then the rest: no byte twice.
    assert!(
        copier.traffic.get() < 6_100_000,
        "{} bytes moved",
        copier.traffic.get()
    );
    assert_eq!(place(&copier.target).digest_of("v1").await.unwrap(), Some(digest));
    copier.verify(&pair, &outcome).await;
    assert!(outcome.is_whole(), "{}", outcome.json(&pair));
    assert_eq!(outcome.tally.verified.get(), 4);

    // Another repository with the same blobs: none of them moves again.
    let (again, other) = (
        Outcome::default(),
        Pair {
            target: "team/other".parse().unwrap(),
            ..pair.clone()
        },
    );
    copier.copy(&other, &again).await;
    assert!(again.is_whole(), "{}", again.json(&other));
    assert_eq!((again.tally.blobs.get(), again.tally.blobs_mounted.get()), (0, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_finds_what_is_not_the_same() {
    let (source, target) = (
        endpoint(&serve(registry()).await),
        endpoint(&serve(registry()).await),
    );
    for (endpoint, tags) in [(&source, ["v1", "v2"].as_slice()), (&target, &["v1"])] {
        for tag in tags {
            push_image(place(endpoint), tag).await;
        }
    }
    let copier = Copier::new(source, target, 2, false);
    let (outcome, pair) = (Outcome::default(), pair("team/app"));
    copier.verify(&pair, &outcome).await;
    let told = outcome.failure_rows(&pair);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["what"], "verification of tag v2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_counts_and_writes_nothing() {
    let (source, target) = (
        endpoint(&serve(registry()).await),
        endpoint(&serve(registry()).await),
    );
    push_image(place(&source), "v1").await;
    let copier = Copier::new(source, target, 2, true);
    let (outcome, pair) = (Outcome::default(), pair("team/app"));
    copier.copy(&pair, &outcome).await;
    let tally = &outcome.tally;
    assert_eq!(
        (tally.tags_written.get(), tally.manifests.get(), tally.blobs.get()),
        (1, 1, 3)
    );
    assert_eq!(tally.bytes.get(), 6_000_004);
    assert_eq!(place(&copier.target).digest_of("v1").await.unwrap(), None);
    assert_eq!(copier.traffic.get(), 0);
}
