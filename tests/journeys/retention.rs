//! Retention with real clients: what a policy removes and keeps, and what comes back.

use std::time::Duration;

use bytes::Bytes;
use harness::api::Api;
use harness::engine::Docker;
use harness::process::wait_for;
use harness::{Account, Context as _, Journey, Need, Result, Server, Suite, ensure};
use http::Method;
use serde_json::{Value, json};

use crate::skopeo::{credentials, inspect, two_architectures};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "retention",
        "a_policy_removes_what_it_should_keeps_what_it_must_and_what_went_comes_back",
        &[Need::Portolan, Need::Skopeo],
        policy,
    );
    suite.add(
        "retention",
        "a_newer_base_image_is_noticed",
        &[Need::Portolan, Need::Docker],
        base,
    );
}

const PATIENCE: Duration = Duration::from_mins(2);

/// The API of the index as one account uses it.
struct Index {
    api: Api,
    authorization: String,
}

impl Index {
    fn new(server: &Server, account: &Account) -> Result<Self> {
        Ok(Self {
            api: Api::new(&server.url(), None)?,
            authorization: account.basic(),
        })
    }

    fn ask(&self, method: Method, path: &str, body: &Value) -> Result<harness::api::Answer> {
        let headers = [
            ("authorization", self.authorization.as_str()),
            ("content-type", "application/json"),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.api
            .send(method, &format!("/api/v1{path}"), &headers, Bytes::from(body))
    }

    fn get(&self, path: &str) -> Result<Value> {
        self.ask(Method::GET, path, &Value::Null)?.expect(200)?.json()
    }

    fn id(&self, name: &str) -> Result<String> {
        let found = wait_for(&format!("{name} to be known"), PATIENCE, || {
            let found = self.get(&format!("/repositories?name={name}"))?;
            Ok(found["items"][0]["id"].as_str().map(str::to_owned))
        })?;
        Ok(format!("/repositories/{found}"))
    }

    /// Waits until the index knows exactly what the registry holds.
    fn settled(&self, repository: &str) -> Result<()> {
        wait_for("index and registry to agree", PATIENCE, || {
            let path = format!("{repository}/reindex?dry_run=true");
            let answer = self.ask(Method::POST, &path, &Value::Null)?;
            Ok((answer.status == 200 && answer.json()?["differences"] == 0).then_some(()))
        })
    }
}

fn policy(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let ada = server.account(journey, "keeper")?;
    let index = Index::new(&server, &ada)?;
    let api = server.api(&ada)?;
    let name = format!("{}/app", ada.name);
    let login = credentials(&ada);
    let (layout, multi) = two_architectures(journey, "layout")?;
    let source = format!("oci:{}:multi", layout.folder().display());
    for tag in ["dev-1", "v1"] {
        let to = format!("docker://{}/{name}:{tag}", server.host());
        let words = [
            "copy",
            "--all",
            "--dest-tls-verify=false",
            "--dest-creds",
            &login,
            &source,
            &to,
        ];
        journey.command("skopeo").args(words).succeeds()?;
    }
    let (old, newest) = (
        api.push_small_image(&name, "dev-2", "old")?,
        api.push_small_image(&name, "dev-3", "newest")?,
    );
    let id = index.id(&name)?;
    index.settled(&id)?;
    let wish = json!({"rules": [
        {"action": "delete", "tags": ["dev-*"]}, {"action": "keep", "tags": ["dev-*"], "newest": 1}]});
    let rehearsed = index
        .ask(Method::POST, &format!("{id}/retention/simulation"), &wish)?
        .expect(200)?
        .json()?;
    let rehearsed = &rehearsed["repositories"][0];
    let tags: Vec<&str> = rehearsed["tags"]
        .as_array()
        .context("tags")?
        .iter()
        .filter_map(|tag| tag["name"].as_str())
        .collect();
    ensure!(
        tags == ["dev-1", "dev-2"] && rehearsed["kept_count"] == 2,
        "{rehearsed:#}"
    );
    let freed = rehearsed["bytes"].as_i64().context("bytes")?;
    ensure!(
        (1..10_000).contains(&freed),
        "the index is v1's too: {rehearsed:#}"
    );
    let file = journey.folder().join("policy.json");
    std::fs::write(&file, wish.to_string())?;
    let file = file.display().to_string();
    let by_command = |words: &[&str]| server.command(journey, &ada, words)?.succeeds();
    by_command(&["retention", "set", &name, &file, "--dry-run"])?.says("dev-2")?;
    by_command(&["retention", "set", &name, &file])?;
    by_command(&["retention", "run", &name])?.says(&ada.name)?;
    let run = wait_for("the policy to be carried out", PATIENCE, || {
        let runs = index.get(&format!("{id}/retention/runs"))?;
        let run = runs["items"][0].clone();
        ensure!(run["state"] != "failed", "{run:#}");
        Ok((run["state"] == "done").then_some(run))
    })?;
    ensure!(run["tags"] == 2 && run["refused"] == 0, "{run:#}");
    let image = |tag: &str| format!("{}/{name}:{tag}", server.host());
    for gone in ["dev-1", "dev-2"] {
        inspect(journey, &image(gone), &login)
            .fails()?
            .says("manifest unknown")?;
    }
    for kept in ["v1", "dev-3"] {
        inspect(journey, &image(kept), &login).succeeds()?;
    }
    let stands = api.manifest(&name, "dev-3")?.expect(200)?;
    ensure!(stands.header("docker-content-digest")? == newest, "{stands}");
    // Every platform of what stays is there.
    let whole = format!("oci:{}:multi", journey.folder().join("back").display());
    let from = format!("docker://{}", image("v1"));
    let words = [
        "copy",
        "--all",
        "--src-tls-verify=false",
        "--src-creds",
        &login,
        &from,
        &whole,
    ];
    journey.command("skopeo").args(words).succeeds()?;
    by_command(&["retention", "log", run["id"].as_str().context("an id")?])?
        .says("dev-1")?
        .says(&old)?;
    by_command(&["retention", "deleted", &name])?.says("dev-2")?;
    by_command(&["retention", "restore", &name, "dev-2"])?.says(&old)?;
    let restored = api.manifest(&name, "dev-2")?.expect(200)?;
    ensure!(restored.header("docker-content-digest")? == old, "{restored}");
    index.settled(&id)?;
    // Deleted by hand, and restored.
    let impact = index.get(&format!("{id}/tags/v1/impact"))?;
    ensure!(
        impact["bytes"].as_i64() > Some(100_000),
        "dev-1 can be restored, and is no tag: {impact:#}"
    );
    index
        .ask(
            Method::DELETE,
            &format!("{id}/tags/v1?digest={}", multi.digest),
            &Value::Null,
        )?
        .expect(200)?;
    inspect(journey, &image("v1"), &login)
        .fails()?
        .says("manifest unknown")?;
    index
        .ask(Method::POST, &format!("{id}/tags/v1/restore"), &json!({}))?
        .expect(200)?;
    inspect(journey, &image("v1"), &login).succeeds()?;
    let there = json!(multi.digest);
    wait_for("the history to tell of all of it", PATIENCE, || {
        let history = index.get(&format!("{id}/tags/v1/history"))?;
        let items = history["items"].as_array().context("items")?;
        let moves: Vec<&Value> = items.iter().map(|change| &change["digest_after"]).collect();
        Ok((moves == [&there, &Value::Null, &there]).then_some(()))
    })?;
    index.settled(&id)
}

fn base(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let ada = server.account(journey, "builder")?;
    let index = Index::new(&server, &ada)?;
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &ada).succeeds()?;
    let image = |name: &str| format!("{}/{}/{name}", server.host(), ada.name);
    let (base, app) = (image("base:12"), image("app:1"));
    docker.import(&base, "the base")?;
    docker.line(["push", &base]).succeeds()?;
    let file = journey.folder().join("program");
    std::fs::write(&file, "a program")?;
    docker.extend(&app, &base, &file)?;
    docker.line(["push", &app]).succeeds()?;
    let id = index.id(&format!("{}/app", ada.name))?;
    let path = format!("{id}/tags/1/base");
    let told = wait_for("the base to be known", PATIENCE, || {
        let answer = index.ask(Method::GET, &path, &Value::Null)?;
        if answer.status != 200 {
            return Ok(None);
        }
        let told = answer.json()?;
        Ok((told["images"][0]["bases"][0]["tags"] == json!(["12"])).then_some(told))
    })?;
    ensure!(told["is_newer_available"] == false, "{told:#}");
    docker.forget(&[&base])?;
    docker.import(&base, "a better base")?;
    docker.line(["push", &base]).succeeds()?;
    wait_for("a newer base to be known", PATIENCE, || {
        let told = index.get(&path)?;
        Ok((told["is_newer_available"] == true).then_some(()))
    })?;
    docker.forget(&[&base, &app])
}
