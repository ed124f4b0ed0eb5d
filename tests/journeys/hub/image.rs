//! What an image says of itself, and its tags as updaters read them.

use bytes::Bytes;
use harness::api::Api;
use harness::layout::{IMAGE_CONFIG, IMAGE_MANIFEST, LAYER_GZIP};
use harness::process::wait_for;
use harness::{Context as _, Journey, Result, Server, ensure};
use http::Method;
use serde_json::{Value, json};

use super::{Hub, PATIENCE};

/// Pushes an image for a platform that says something about itself.
fn push_with_labels(api: &Api, repository: &str, tag: &str, labels: &Value) -> Result<()> {
    let config = json!({"os": "linux", "architecture": "riscv64", "config": {"Labels": labels}});
    let config = config.to_string();
    let size = config.len();
    let config = api.push_blob(repository, config)?;
    let layer = api.push_blob(repository, tag.to_owned())?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": {"mediaType": IMAGE_CONFIG, "digest": config, "size": size},
        "layers": [{"mediaType": LAYER_GZIP, "digest": layer, "size": tag.len()}],
    });
    api.push_manifest(repository, tag, IMAGE_MANIFEST, manifest.to_string())
        .map(drop)
}

pub(super) fn showcase(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "speaker")?;
    let word: String = account.name.chars().filter(char::is_ascii_alphanumeric).collect();
    let repository = format!("{}/app", account.name);
    let api = server.api(&account)?;
    let labels = json!({
        "org.opencontainers.image.description": format!("Speaks {word}words"),
        "org.opencontainers.image.source": "https://git.example/app",
        "team": word,
    });
    push_with_labels(&api, &repository, "1.2.0", &labels)?;
    server.set_public(journey, &repository)?;
    let anonymous = server.anonymous()?;
    let found = wait_for("the image to be read", PATIENCE, || {
        let path = format!("/api/v1/search?q={word}words&platform=riscv64&label=team={word}&ordering=pulls");
        let found = anonymous.get(&path)?.expect(200)?.json()?;
        Ok((found["total"] == 1).then_some(found))
    })?;
    ensure!(
        found["items"][0]["summary"] == format!("Speaks {word}words")
            && found["items"][0]["name"] == repository.as_str(),
        "{found:#}"
    );
    for wrong in ["platform=arm64", "label=team=others", "label=other"] {
        let found = anonymous
            .get(&format!("/api/v1/search?q={word}words&{wrong}"))?
            .expect(200)?
            .json()?;
        ensure!(found["total"] == 0, "{wrong}: {found}");
    }
    // Pulls are shown and count.
    for _ in 0..3 {
        ensure!(api.manifest(&repository, "1.2.0")?.status == 200, "no manifest");
    }
    wait_for("pulls to be told", PATIENCE, || {
        let badge = anonymous
            .get(&format!("/badge/{repository}/pulls.svg"))?
            .expect(200)?;
        Ok(String::from_utf8_lossy(&badge.body)
            .contains(">3</text>")
            .then_some(()))
    })?;
    let found = anonymous
        .get(&format!("/api/v1/search?q={word}words"))?
        .expect(200)?
        .json()?;
    ensure!(found["items"][0]["pulls"] == 3, "{found}");
    let version = anonymous
        .get(&format!("/badge/{repository}/version.svg"))?
        .expect(200)?;
    ensure!(
        String::from_utf8_lossy(&version.body).contains(">1.2.0</text>"),
        "{version}"
    );

    let short = anonymous.get(&format!("/r/{repository}"))?.expect(200)?.json()?;
    let digest = short["tags"][0]["digest"]
        .as_str()
        .context("a digest")?
        .to_owned();
    ensure!(
        short["pull"] == format!("{}/{repository}", server.host())
            && short["tags"][0]["platforms"] == json!(["linux/riscv64"]),
        "{short:#}"
    );
    let beginning = &digest["sha256:".len()..][..8];
    let short = anonymous
        .get(&format!("/r/{repository}@{beginning}"))?
        .expect(200)?
        .json()?;
    ensure!(short["reference"]["digest"] == digest.as_str(), "{short:#}");
    let pulled = short["pull"].as_str().context("what to pull")?;
    ensure!(pulled.ends_with(&format!("{repository}@{digest}")), "{pulled}");

    // What a person writes takes its place, and what the next image says does not change that.
    let id = short["id"].as_str().context("an id")?.to_owned();
    let path = format!("/api/v1/repositories/{id}/description");
    let described = anonymous.get(&path)?.expect(200)?.json()?;
    ensure!(
        described["summary_from_image"] == true
            && described["description_html"]
                .to_string()
                .contains("https://git.example/app"),
        "{described:#}"
    );
    let hub = Hub::login(&server.url(), &account)?;
    hub.ask(
        Method::PATCH,
        &format!("/v2/repositories/{repository}/"),
        &json!({"description": "by hand"}),
    )?
    .expect(200)?;
    let described = anonymous.get(&path)?.expect(200)?.json()?;
    ensure!(
        described["summary"] == "by hand" && described["summary_from_image"] == false,
        "{described:#}"
    );
    // Nothing of it is anybody else's once it is private.
    hub.ask(
        Method::POST,
        &format!("/v2/repositories/{repository}/privacy"),
        &json!({"is_private": true}),
    )?
    .expect(200)?;
    for path in [
        format!("/badge/{repository}/pulls.svg"),
        format!("/r/{repository}"),
        format!("/r/{repository}@{beginning}"),
    ] {
        anonymous.get(&path)?.expect(404)?;
    }
    Ok(())
}

/// The registry's list by pages, as the `docker` datasource follows it, and the index's, which has times.
pub(super) fn renovate(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "renovate")?;
    let repository = format!("{}/app", account.name);
    let api = server.api(&account)?;
    for tag in ["1.0.0", "1.1.0", "latest"] {
        api.push_small_image(&repository, tag, if tag == "1.0.0" { "a" } else { "b" })?;
    }
    let mut tags = Vec::new();
    let mut path = format!("/v2/{repository}/tags/list?n=2");
    loop {
        let page = api.get(&path)?.expect(200)?;
        let listed = page.json()?;
        tags.extend(listed["tags"].as_array().context("tags")?.clone());
        let Ok(link) = page.header("link") else { break };
        let next = link.split(['<', '>']).nth(1).context("a link")?;
        next.clone_into(&mut path);
    }
    ensure!(json!(tags) == json!(["1.0.0", "1.1.0", "latest"]), "{tags:?}");
    let hub = Hub::login(&server.url(), &account)?;
    for tag in ["1.0.0", "1.1.0", "latest"] {
        hub.tag(&repository, tag, 1)?;
    }
    // As Renovate asks Docker Hub.
    let listed = hub.get(&format!(
        "/v2/repositories/{repository}/tags?page_size=1000&ordering=last_updated"
    ))?;
    let results = listed["results"].as_array().context("results")?;
    ensure!(
        results.len() == 3
            && results[0]["name"] == "latest"
            && results.iter().all(|tag| {
                tag["id"].is_i64() && tag["tag_last_pushed"].is_string() && tag["digest"].is_string()
            }),
        "{listed:#}"
    );
    let headers = [("authorization", account.basic())];
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let path = format!("/api/v1/renovate/{repository}");
    let anonymous = server.anonymous()?;
    let found = anonymous
        .send(Method::GET, &path, &headers, Bytes::new())?
        .expect(200)?
        .json()?;
    ensure!(
        found["tags"]["latest"] == "1.1.0"
            && found["releases"].as_array().is_some_and(|list| {
                list.len() == 3 && list.iter().all(|one| one["releaseTimestamp"].is_string())
            }),
        "{found:#}"
    );
    let hidden = server.anonymous()?.get(&path)?;
    ensure!(hidden.status == 404, "{hidden}");
    Ok(())
}
