//! What the measured pages show: an organisation with repositories, tags, layers and their commands.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::api::Api;
use harness::archive::digest;
use harness::command::RUNTIME;
use harness::layout::{IMAGE_CONFIG, IMAGE_MANIFEST, LAYER_GZIP};
use harness::process::wait_for;
use harness::{Account, Server};
use serde_json::{Value, json};

/// Names of what is looked at.
pub(super) struct Site {
    pub(super) organisation: String,
    pub(super) namespace: String,
    pub(super) repository: String,
    pub(super) tag: String,
}

/// Repositories at full scale, and tags of the one that is looked at.
const REPOSITORIES: f64 = 100.0;
const TAGS: f64 = 100.0;
const LAYERS: usize = 8;

const DESCRIPTION: &str = "# Bench\n\nWhat the *benchmark* looks at.\n\n| Variable | Meaning |\n|---|---|\n| `PORT` | where it listens |\n\n\
                           ```sh\ndocker run --publish 8080:8080 bench/app\n```\n";

/// Makes everything and waits until the index has read it.
pub(super) fn fill(server: &Server, scale: f64) -> Result<Site> {
    let admin = server.admin()?;
    let ask = |method: &str, path: &str, body: &Value| -> Result<Value> {
        let answer = server.ask(&admin, method, path, body)?;
        ensure!(answer.status < 300, "{answer}");
        Ok(if answer.body.is_empty() {
            Value::Null
        } else {
            answer.json()?
        })
    };
    ask(
        "POST",
        "/organisations",
        &json!({"name": "bench", "display_name": "Benchmark Ltd."}),
    )?;
    ask(
        "PATCH",
        "/namespaces/bench",
        &json!({"default_visibility": "public"}),
    )?;
    let api = server.api(&admin)?;
    let of = |most: f64| (1..=10_000).take_while(move |n| f64::from(*n) <= (most * scale).max(2.0));
    for number in of(REPOSITORIES) {
        push(&api, &format!("bench/app-{number}"), "1", number)?;
    }
    let repository = "bench/app-1".to_owned();
    for number in of(TAGS) {
        push(&api, &repository, &format!("v{number}"), number)?;
    }
    let tag = "v1".to_owned();
    let id = wait_for("the repository to be known", Duration::from_mins(5), || {
        let found = ask("GET", &format!("/repositories?name={repository}"), &Value::Null)?;
        Ok(found["items"][0]["id"].as_str().map(str::to_owned))
    })?;
    wait_for("the tag to be read", Duration::from_mins(5), || {
        let answer = server.ask(
            &admin,
            "GET",
            &format!("/repositories/{id}/tags/{tag}"),
            &Value::Null,
        )?;
        Ok((answer.status == 200 && answer.json()?["manifest"]["is_read"] == true).then_some(()))
    })?;
    let description = json!({"summary": "What the benchmark looks at", "description": DESCRIPTION, "topics": ["bench", "web"]});
    ask("PATCH", &format!("/repositories/{id}/description"), &description)?;
    Ok(Site {
        organisation: "bench".to_owned(),
        namespace: "bench".to_owned(),
        repository,
        tag,
    })
}

/// An image whose layers all have a command.
fn push(api: &Api, repository: &str, tag: &str, number: i32) -> Result<()> {
    let layers: Vec<String> = (0..LAYERS)
        .map(|layer| {
            // The first ones are those of every image, as with a common base.
            let own = if layer < 4 { 0 } else { number };
            format!("layer {layer} of {own}")
        })
        .collect();
    let history: Vec<Value> = (0..LAYERS)
        .map(|layer| json!({"created": "2026-01-01T00:00:00Z", "created_by": format!("RUN make stage-{layer}")}))
        .collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z", "history": history,
        "config": {"Env": ["PATH=/bin", "PORT=8080"], "Entrypoint": ["/bin/app"], "Labels": {"org.opencontainers.image.version": tag}},
        "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|layer| digest(layer.as_bytes())).collect::<Vec<_>>()},
    })
    .to_string();
    let described = |media: &str, bytes: &str| -> Result<Value> {
        let digest = api.push_blob(repository, bytes.to_owned())?;
        Ok(json!({"mediaType": media, "digest": digest, "size": bytes.len()}))
    };
    let layers: Vec<Value> = layers
        .iter()
        .map(|layer| described(LAYER_GZIP, layer))
        .collect::<Result<_>>()?;
    let manifest = json!({
        "schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "config": described(IMAGE_CONFIG, &config)?, "layers": layers,
    });
    api.push_manifest(repository, tag, IMAGE_MANIFEST, serde_json::to_vec(&manifest)?)
        .map(drop)
}

/// The cookie of somebody who has signed in by the form.
pub(super) fn sign_in(server: &Server, account: &Account) -> Result<String> {
    let api = server.anonymous()?;
    let form = |text: &str| -> String {
        let coded = text.bytes().map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        });
        coded.collect()
    };
    let body = format!(
        "username={}&password={}",
        form(&account.name),
        form(&account.password)
    );
    let request = api
        .http()
        .post(api.url("/sign-in"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", server.url())
        .header("sec-fetch-site", "same-origin")
        .body(body);
    let answer = RUNTIME
        .block_on(async { request.send().await })
        .context("sign in")?;
    ensure!(
        answer.status() == 303,
        "the form is answered with {}",
        answer.status()
    );
    let cookie = answer
        .headers()
        .get("set-cookie")
        .context("no cookie")?
        .to_str()?;
    cookie.split(';').next().map(str::to_owned).context("a cookie")
}
