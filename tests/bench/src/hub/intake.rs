//! Deliveries of events, as a registry sends them: envelopes with its secret, over connections that are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::task::JoinSet;

use crate::client::{Body, Client, Endpoint};
use crate::work::MANIFEST;

/// What is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Told {
    /// Pushes of new manifests that move a tag.
    Pushes,
    /// Pulls by tags.
    Pulls,
}

/// One way of telling.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intake {
    pub(super) id: &'static str,
    pub(super) told: Told,
    /// Events of a delivery.
    pub(super) events: u64,
    /// Repositories that they are of.
    pub(super) repositories: u64,
    /// Registries at once; each has repositories of its own.
    pub(super) registries: u64,
}

/// What was taken.
pub(super) struct Taken {
    pub(super) events: u64,
    pub(super) seconds: f64,
    /// How long each delivery took, µs, sorted.
    pub(super) latencies: Vec<u32>,
}

/// Images that are pulled.
const PULLED: u64 = 1_000;

/// No two events have the same number, in no round.
static NEXT: AtomicU64 = AtomicU64::new(1);

impl Intake {
    fn envelope(self, registry: u64) -> String {
        let events: Vec<_> = (0..self.events)
            .map(|_| {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let of = registry * self.repositories + number % self.repositories;
                let repository = format!("library/r{of}");
                // Everything that is pushed is new; of what is pulled there is so much.
                let (action, method, image) = match self.told {
                    Told::Pushes => ("push", "PUT", number),
                    Told::Pulls => ("pull", "GET", number % PULLED),
                };
                json!({
                    "id": format!("{number:08x}-0000-4000-8000-{number:012x}"),
                    "timestamp": "2024-01-01T00:00:00.000000000Z",
                    "action": action,
                    "target": {
                        "mediaType": MANIFEST, "size": 1234, "length": 1234,
                        "digest": format!("sha256:{image:064x}"),
                        "repository": repository, "storedAs": repository, "tag": format!("v{}", image % 10),
                        "url": format!("https://registry.example/v2/{repository}/manifests/sha256:{image:064x}"),
                    },
                    "request": {
                        "id": format!("{number:032x}"), "addr": "192.0.2.1:51234", "host": "registry.example",
                        "method": method, "useragent": "docker/27.3.1 go/go1.22.7 os/linux arch/amd64",
                    },
                    "actor": {"name": "admin"},
                    "source": {"addr": "registry-0:5000", "instanceID": "6e3d1d0e-8f0b-4a43-9d0f-2f6b1f6d1c11"},
                })
            })
            .collect();
        json!({ "events": events }).to_string()
    }

    /// Delivers for so long. Each registry has its next delivery ready before the answer to the last.
    pub(super) async fn drive(self, port: u16, secret: &str, seconds: f64) -> Result<Taken> {
        let endpoint = Arc::new(Endpoint {
            port,
            authorization: format!("Authorization: Bearer {secret}\r\n"),
            tls: None,
            fresh: false,
        });
        let begin = Instant::now();
        let end = begin + Duration::from_secs_f64(seconds);
        let mut running = JoinSet::new();
        for registry in 0..self.registries {
            let endpoint = Arc::clone(&endpoint);
            running.spawn(async move {
                let mut client = Client::new(Arc::clone(&endpoint));
                client.connect().await?;
                let mut latencies = Vec::new();
                while Instant::now() < end {
                    let body = self.envelope(registry);
                    let headers = format!(
                        "Content-Type: application/vnd.docker.distribution.events.v2+json\r\nContent-Length: {}\r\n",
                        body.len()
                    );
                    let request = endpoint.prepare("POST", "/events/registry", &headers);
                    let begun = Instant::now();
                    let answer = client.fetch(&request, Body::Bytes(body.as_bytes())).await?;
                    latencies.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
                    self.check(&answer.body)?;
                }
                Ok::<_, anyhow::Error>(latencies)
            });
        }
        let mut latencies = Vec::new();
        while let Some(done) = running.join_next().await {
            latencies.extend(done??);
        }
        latencies.sort_unstable();
        Ok(Taken {
            events: latencies.len() as u64 * self.events,
            seconds: begin.elapsed().as_secs_f64(),
            latencies,
        })
    }

    /// Every event was taken, and as what it was.
    fn check(self, answer: &[u8]) -> Result<()> {
        let answer: serde_json::Value =
            serde_json::from_slice(answer).context("read what became of a delivery")?;
        let taken = match self.told {
            Told::Pushes => &answer["done"],
            Told::Pulls => &answer["pulls"],
        };
        ensure!(taken.as_u64() == Some(self.events), "{}: {answer}", self.id);
        Ok(())
    }
}
