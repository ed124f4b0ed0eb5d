//! Clients that work against each other on one repository: whoever comes too late is told so with a 4xx.

use std::sync::{Mutex, PoisonError};

use harness::archive::digest;
use harness::{Context as _, Journey, Need, Result, Suite, anyhow, ensure};
use serde_json::json;

use harness::bad_request::Ground;
use harness::bad_request::Random;
use harness::bad_request::{Reply, Request};

pub(super) fn add(suite: &mut Suite) {
    suite.add(
        "bad_input::race",
        "clients_that_push_and_delete_the_same_at_once_never_get_a_server_error",
        &[Need::Portolan],
        race,
    );
}

const CLIENTS: u64 = 6;
const STEPS: usize = 120;
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What all clients fight about.
struct Field {
    name: String,
    token: String,
    blobs: [String; 3],
    manifests: Vec<Vec<u8>>,
    /// Locations of sessions, which any client may use and end.
    sessions: Mutex<Vec<String>>,
}

fn race(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let name = format!("{}/contested", ground.account.name);
    let token = ground.token_for(&[&format!("repository:{name}:pull,push,delete")])?;
    let blobs = ["{}", "one", "two"].map(str::to_owned);
    let field = Field {
        manifests: manifests(&blobs),
        sessions: Mutex::default(),
        name,
        token,
        blobs,
    };
    let outcomes: Vec<Result<Vec<u16>>> = std::thread::scope(|scope| {
        let (ground, field) = (&ground, &field);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|seed| scope.spawn(move || client(ground, field, seed)))
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap_or_else(|_| Err(anyhow!("panicked"))))
            .collect()
    });
    let statuses = outcomes.into_iter().collect::<Result<Vec<_>>>()?.concat();
    for wanted in [200, 201, 202, 400, 404, 412] {
        let count = statuses.iter().filter(|status| **status == wanted).count();
        ensure!(count > 0, "nobody got {wanted}: this was no race");
    }
    settled(&ground, &field)?;
    ground.serves_well()
}

/// Images over the blobs, each of which refers to the one before it.
fn manifests(blobs: &[String; 3]) -> Vec<Vec<u8>> {
    let described =
        |kind: &str, bytes: &[u8]| json!({ "mediaType": kind, "digest": digest(bytes), "size": bytes.len() });
    let mut manifests: Vec<Vec<u8>> = Vec::new();
    for layer in &blobs[1..] {
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described("application/vnd.oci.empty.v1+json", blobs[0].as_bytes()),
            "layers": [described("application/vnd.example.layer", layer.as_bytes())],
        });
        if let Some(before) = manifests.last() {
            manifest["subject"] = described(MANIFEST, before);
        }
        manifests.push(manifest.to_string().into_bytes());
    }
    manifests
}

fn client(ground: &Ground, field: &Field, seed: u64) -> Result<Vec<u16>> {
    let mut random = Random::new(seed);
    let mut statuses = Vec::new();
    for step in 0..STEPS {
        let request = field.request(&mut random);
        let shown = format!(
            "client {seed}, step {step}: {} {}",
            request.method, request.target
        );
        let reply = request
            .bearer(&field.token)
            .send(ground.server.port())
            .with_context(|| shown.clone())?;
        ensure!(reply.status < 500, "{shown}: a server error: {reply}");
        statuses.push(reply.status);
        if reply.status == 202
            && let Some(location) = reply.header("location")
        {
            let mut sessions = field.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.push(location.to_owned());
            sessions.dedup();
        }
    }
    Ok(statuses)
}

impl Field {
    fn request(&self, random: &mut Random) -> Request {
        let of = |method: &str, rest: String| Request::new(method, format!("/v2/{}/{rest}", self.name));
        let blob = random.of(&self.blobs).clone();
        let manifest = random.of(&self.manifests).clone();
        let tag = *random.of(&["a", "b"]);
        let session = {
            let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            sessions
                .is_empty()
                .then(String::new)
                .unwrap_or_else(|| random.of(&sessions).clone())
        };
        let put = |reference: &str| {
            of("PUT", format!("manifests/{reference}"))
                .header("Content-Type", MANIFEST)
                .body(manifest.clone())
        };
        match random.below(18) {
            0..=2 => of(
                "POST",
                format!("blobs/uploads/?digest={}", digest(blob.as_bytes())),
            )
            .body(blob),
            3 | 4 => put(tag),
            5 => put(&format!("{}?tag=a&tag=b", digest(&manifest))),
            6 => put(tag).header("If-None-Match", "*"),
            7 => put(tag).header("If-Match", format!("\"{}\"", digest(&self.manifests[0]))),
            8 => of("DELETE", format!("manifests/{tag}")),
            9 => of("DELETE", format!("manifests/{}", digest(&manifest))),
            10 => of("DELETE", format!("blobs/{}", digest(blob.as_bytes()))),
            11 => of("GET", "tags/list".to_owned()),
            12 => of("GET", format!("referrers/{}", digest(&self.manifests[0]))),
            13 => of("GET", format!("manifests/{tag}")).header("Accept", "*/*"),
            14 => of("GET", format!("blobs/{}", digest(blob.as_bytes()))),
            15 => of("POST", "blobs/uploads/".to_owned()),
            16 if !session.is_empty() => Request::new("PATCH", session).body(blob),
            17 if !session.is_empty() => {
                let joined = if session.contains('?') { '&' } else { '?' };
                Request::new(
                    "PUT",
                    format!("{session}{joined}digest={}", digest(blob.as_bytes())),
                )
            }
            _ => of("HEAD", format!("manifests/{tag}")),
        }
    }
}

/// When all is quiet, what the repository says of itself is true: each tag has its manifest, each referrer is there.
fn settled(ground: &Ground, field: &Field) -> Result<()> {
    let get = |rest: &str| -> Result<Reply> {
        let request = Request::new("GET", format!("/v2/{}/{rest}", field.name)).header("Accept", "*/*");
        request.bearer(&field.token).send(ground.server.port())
    };
    let list = get("tags/list")?;
    if list.status == 200 {
        for tag in list.json()?["tags"].as_array().context("no tags")? {
            let found = get(&format!("manifests/{}", tag.as_str().unwrap_or_default()))?;
            ensure!(found.status == 200, "a tag without a manifest: {found}");
        }
    }
    for subject in &field.manifests {
        let index = get(&format!("referrers/{}", digest(subject)))?;
        for entry in index.json()?["manifests"].as_array().context("no referrers")? {
            let found = get(&format!(
                "manifests/{}",
                entry["digest"].as_str().unwrap_or_default()
            ))?;
            ensure!(found.status == 200, "a referrer that is not there: {found}");
        }
    }
    Ok(())
}
