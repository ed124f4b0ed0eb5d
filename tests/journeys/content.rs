//! What the index knows of content: pushed, retagged, deleted and pulled by real clients, and after interruptions.

use std::time::Duration;

use bytes::Bytes;
use harness::api::Api;
use harness::engine::Docker;
use harness::environment::variable;
use harness::layout::{IMAGE_CONFIG, IMAGE_MANIFEST};
use harness::process::wait_for;
use harness::{Account, Context as _, Journey, Need, Result, Server, Suite, ensure};
use http::Method;
use serde_json::{Value, json};

use crate::apart::Apart;
use crate::skopeo::{credentials, two_architectures};
use crate::upgrade;

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "content",
        "what_skopeo_pushes_is_shown_with_platforms_layers_history_and_size",
        &[Need::Portolan, Need::Skopeo],
        skopeo,
    );
    suite.add(
        "content",
        "what_docker_pulls_is_counted",
        &[Need::Portolan, Need::Docker],
        docker,
    );
    suite.add(
        "content",
        "pushes_while_the_index_is_away_are_neither_missing_nor_double",
        &[Need::Portolan, Need::Nginx],
        index_away,
    );
    suite.add(
        "content",
        "a_server_that_is_killed_knows_everything_again",
        &[Need::Portolan],
        killed,
    );
    suite.add(
        "content",
        "signatures_are_shown_whichever_way_they_are_attached",
        &[Need::Portolan],
        signatures,
    );
    suite.add(
        "content",
        "what_an_earlier_version_left_is_read_by_itself",
        &[Need::Portolan],
        upgraded,
    );
}

/// A version that knew nothing of content left it.
fn upgraded(journey: &Journey) -> Result<()> {
    let data = journey.subfolder("data")?;
    upgrade::unpack(journey, 14, &data)?;
    let server = Server::own(
        journey,
        harness::server::Options {
            data: Some(data),
            ..harness::server::Options::default()
        },
    )?;
    let index = Index::new(&server.url(), &upgrade::ada())?;
    let id = index.id("ada/app")?;
    index.settled(&id)?;
    let detail = index.tag(&id, "1", upgrade::APP)?;
    let referrers = detail["manifest"]["referrers"].as_array().context("referrers")?;
    ensure!(referrers.len() == 1, "{detail:#}");
    ensure!(
        detail["tag"]["last_pushed_at"].is_null(),
        "nobody knows when: {detail:#}"
    );
    Ok(())
}

/// How long the index may take to hear and read.
const PATIENCE: Duration = Duration::from_mins(2);

/// The API of an index as one account sees it.
struct Index {
    api: Api,
    authorization: String,
}

impl Index {
    fn new(base: &str, account: &Account) -> Result<Self> {
        Ok(Self {
            api: Api::new(base, None)?,
            authorization: account.basic(),
        })
    }

    fn ask(&self, method: Method, path: &str) -> Result<harness::api::Answer> {
        let headers = [("authorization", self.authorization.as_str())];
        self.api
            .send(method, &format!("/api/v1{path}"), &headers, Bytes::new())
    }

    fn get(&self, path: &str) -> Result<Value> {
        self.ask(Method::GET, path)?.expect(200)?.json()
    }

    fn id(&self, name: &str) -> Result<String> {
        let found = wait_for(&format!("{name} to be known"), PATIENCE, || {
            let found = self.get(&format!("/repositories?name={name}"))?;
            Ok(found["items"][0]["id"].as_str().map(str::to_owned))
        })?;
        Ok(format!("/repositories/{found}"))
    }

    /// Waits until a tag is known with its manifest and what that leads to.
    fn tag(&self, repository: &str, tag: &str, digest: &str) -> Result<Value> {
        wait_for(&format!("{tag} to be known as {digest}"), PATIENCE, || {
            let answer = self.ask(Method::GET, &format!("{repository}/tags/{tag}"))?;
            if answer.status != 200 {
                return Ok(None);
            }
            let detail = answer.json()?;
            let children = detail["manifest"]["manifests"].as_array();
            let is_read = detail["manifest"]["is_read"] == true
                && children.is_some_and(|list| list.iter().all(|child| child["is_read"] == true));
            Ok((is_read && detail["tag"]["digest"] == digest).then_some(detail))
        })
    }

    /// Waits until the index knows exactly what the registry holds.
    fn settled(&self, repository: &str) -> Result<Value> {
        wait_for("index and registry to agree", PATIENCE, || {
            let answer = self.ask(Method::POST, &format!("{repository}/reindex?dry_run=true"))?;
            if answer.status != 200 {
                return Ok(None);
            }
            let found = answer.json()?;
            Ok((found["differences"] == 0).then_some(found))
        })
    }
}

fn skopeo(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "content")?;
    let index = Index::new(&server.url(), &account)?;
    let (layout, multi) = two_architectures(journey, "layout")?;
    let name = format!("{}/app", account.name);
    let (credentials, source) = (
        credentials(&account),
        format!("oci:{}:multi", layout.folder().display()),
    );
    let remote = |tag: &str| format!("docker://{}/{name}:{tag}", server.host());
    let copy = |from: &str, to: &str| {
        let tls = ["--src-tls-verify=false", "--dest-tls-verify=false"];
        let login = ["--src-creds", &credentials, "--dest-creds", &credentials];
        let line = journey.command("skopeo").args(["copy", "--all"]).args(tls);
        let line = if from.starts_with("oci:") {
            line.args(&login[2..])
        } else {
            line.args(login)
        };
        line.args([from, to]).succeeds().map(drop)
    };
    copy(&source, &remote("1"))?;
    let id = index.id(&name)?;
    let detail = index.tag(&id, "1", &multi.digest)?;
    let platforms: Vec<&Value> = detail["manifest"]["manifests"]
        .as_array()
        .context("manifests")?
        .iter()
        .map(|manifest| &manifest["platform"])
        .collect();
    ensure!(platforms == ["linux/amd64", "linux/arm64"], "{detail:#}");
    ensure!(
        detail["manifest"]["manifests"][0]["layers"]
            .as_array()
            .is_some_and(|list| list.len() == 2),
        "{detail:#}"
    );
    ensure!(
        detail["tag"]["last_pushed_by"] == account.name.as_str(),
        "{detail:#}"
    );
    let size = index.get(&format!("{id}/size"))?;
    ensure!(
        size["blobs"] == 9,
        "two images of two layers and an index are nine: {size}"
    );
    ensure!(
        detail["tag"]["size"]
            .as_i64()
            .is_some_and(|bytes| bytes > 100_000),
        "{detail:#}"
    );

    // Another tag for the same, then another image for the first tag, then it goes.
    copy(&remote("1"), &remote("2"))?;
    let api = server.api(&account)?;
    let other = api.push_small_image(&name, "1", "another image")?;
    index.tag(&id, "1", &other)?;
    let freed = index.get(&format!("{id}/tags/1/deletion"))?;
    ensure!(
        freed["bytes"]
            .as_i64()
            .is_some_and(|bytes| bytes > 0 && bytes < 10_000),
        "{freed}"
    );
    api.delete(&format!("/v2/{name}/manifests/1"))?.expect(202)?;
    wait_for("the tag to go", PATIENCE, || {
        let answer = index.ask(Method::GET, &format!("{id}/tags/1"))?;
        Ok((answer.status == 404).then_some(()))
    })?;
    let history = index.get(&format!("{id}/tags/1/history"))?;
    let moves: Vec<(&Value, &Value)> = history["items"]
        .as_array()
        .context("items")?
        .iter()
        .map(|change| (&change["digest_before"], &change["digest_after"]))
        .collect();
    let (first, second) = (json!(multi.digest), json!(other));
    ensure!(
        moves == [(&second, &Value::Null), (&first, &second), (&Value::Null, &first)],
        "{history:#}"
    );
    index.settled(&id).map(drop)
}

fn docker(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "pulls")?;
    let index = Index::new(&server.url(), &account)?;
    let docker = Docker::new(journey)?;
    let image = format!("{}/{}/app:1", server.host(), account.name);
    docker.login(&server.host(), &account).succeeds()?;
    docker.import(&image, "counted")?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    let id = index.id(&format!("{}/app", account.name))?;
    docker.line(["pull", &image]).succeeds()?;
    docker.forget(&[&image])?;
    let activity = wait_for("the pull to be counted", PATIENCE, || {
        let activity = index.get(&format!("{id}/activity?by=client"))?;
        Ok((activity["pull_count"] == 1).then_some(activity))
    })?;
    let day = &activity["days"][0];
    ensure!(
        day["value"] == "docker" && day["pull_count"] == 1 && day["push_count"] == 1,
        "{activity:#}"
    );
    let tag = index.get(&format!("{id}/tags"))?;
    let tag = &tag["items"][0];
    ensure!(
        tag["pull_count"] == 1 && tag["last_pulled_at"].is_string(),
        "{tag:#}"
    );
    Ok(())
}

/// A manifest without layers that differs from all others.
fn manifest(config: &str, text: &str) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": {"mediaType": IMAGE_CONFIG, "digest": config, "size": 2},
        "layers": [],
        "annotations": {"text": text},
    }))?)
}

/// Tags that are moved.
const TAGS: usize = 25;

/// How often each tag is moved: twice, or as often as makes `PORTOLAN_TEST_PUSHES` pushes.
fn rounds() -> Result<usize> {
    let wanted = variable("PORTOLAN_TEST_PUSHES");
    let pushes = wanted.map(|text| text.parse::<usize>()).transpose();
    let pushes = pushes.context("PORTOLAN_TEST_PUSHES is a number")?;
    Ok(pushes.map_or(2, |pushes| pushes.div_ceil(TAGS)).clamp(2, 40))
}

/// Moves 25 tags so often; says what they point to at the end.
fn many_pushes(api: &Api, config: &str, rounds: usize) -> Result<Vec<(String, String)>> {
    let mut tags = Vec::new();
    for round in 0..rounds {
        tags.clear();
        for n in 0..TAGS {
            let tag = format!("v{n}");
            let digest = api.push_manifest(
                "ada/app",
                &tag,
                IMAGE_MANIFEST,
                manifest(config, &format!("{round}-{n}"))?,
            )?;
            tags.push((tag, digest));
        }
    }
    Ok(tags)
}

fn index_away(journey: &Journey) -> Result<()> {
    let mut apart = Apart::prepare(journey)?;
    apart.start_index()?;
    let section = apart.events();
    apart.start_registry_with(&section)?;
    apart.start_nginx()?;
    let ada = apart.account("ada")?;
    let base = format!("http://{}", apart.host());
    let (api, index) = (Api::new(&base, Some(ada.clone()))?, Index::new(&base, &ada)?);
    let first = api.push_small_image("ada/app", "first", "before")?;
    let id = index.id("ada/app")?;
    index.tag(&id, "first", &first)?;
    // The token from before lasts for minutes, and asks nobody.
    let config = api.push_blob("ada/app", Bytes::from_static(b"{}"))?;
    apart.running.remove(0).stop(Duration::from_mins(1))?;
    let rounds = rounds()?;
    let tags = many_pushes(&api, &config, rounds)?;
    // Events wait on the volume, not in the process.
    apart.running.remove(0).stop(Duration::from_mins(1))?;
    apart.start_registry_with(&section)?;
    apart.start_index()?;
    check_pushes(&index, &id, &tags, rounds)
}

fn check_pushes(index: &Index, id: &str, tags: &[(String, String)], rounds: usize) -> Result<()> {
    // With the first one.
    let pushes = u64::try_from(rounds * TAGS + 1)?;
    wait_for("every push to be carried out", PATIENCE, || {
        let activity = index.get(&format!("{id}/activity"))?;
        let count = activity["push_count"].as_u64().unwrap_or_default();
        ensure!(count <= pushes, "pushes were counted twice: {activity}");
        Ok((count == pushes).then_some(()))
    })?;
    index.settled(id)?;
    let listed = index.get(&format!("{id}/tags?limit=200"))?;
    let listed = listed["items"].as_array().context("items")?;
    ensure!(listed.len() == 26, "{listed:#?}");
    for (tag, digest) in tags {
        let found = listed.iter().find(|item| item["name"] == tag.as_str());
        ensure!(
            found.is_some_and(|item| item["digest"] == digest.as_str()),
            "{tag}: {found:?}"
        );
        let history = index.get(&format!("{id}/tags/{tag}/history?limit=100"))?;
        let history = history["items"].as_array().context("items")?;
        ensure!(
            history.len() == rounds && history[0]["digest_after"] == digest.as_str(),
            "{tag}: {history:#?}"
        );
    }
    Ok(())
}

fn killed(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, harness::server::Options::default())?;
    let ada = Account {
        name: "ada".to_owned(),
        password: "correct horse of ada".to_owned(),
    };
    server.administer(
        journey,
        &["user", "add", "ada", "--password-stdin"],
        &ada.password,
    )?;
    let (api, index) = (server.api(&ada)?, Index::new(&server.url(), &ada)?);
    api.push_small_image("ada/app", "first", "before")?;
    let config = api.push_blob("ada/app", Bytes::from_static(b"{}"))?;
    let rounds = rounds()?;
    let tags = many_pushes(&api, &config, rounds)?;
    server.kill();
    server.start_again()?;
    let id = index.id("ada/app")?;
    check_pushes(&index, &id, &tags, rounds)?;
    // What is read again by command is the same.
    server
        .command(journey, &ada, &["reindex", "ada/app", "--dry-run"])?
        .succeeds()?;
    server.administer(journey, &["reindex", "ada/app", "--as", "ada"], "")?;
    index.settled(&id).map(drop)
}

/// What cosign pushes: by a tag that is named after the manifest, and since version 3 as a bundle that refers to it.
fn signatures(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "signer")?;
    let (api, index) = (server.api(&account)?, Index::new(&server.url(), &account)?);
    let name = format!("{}/app", account.name);
    let image = api.push_small_image(&name, "1", "to be signed")?;
    let payload = json!({"critical": {"identity": {"docker-reference": name},
        "image": {"docker-manifest-digest": image}, "type": "cosign container image signature"}, "optional": null});
    let payload = payload.to_string();
    let size = payload.len();
    let layer = api.push_blob(&name, payload)?;
    let config = api.push_blob(&name, "{}")?;
    let by_tag = json!({
        "schemaVersion": 2, "mediaType": IMAGE_MANIFEST,
        "config": {"mediaType": IMAGE_CONFIG, "digest": config, "size": 2},
        "layers": [{"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "digest": layer, "size": size,
            "annotations": {"dev.cosignproject.cosign/signature": "MEUCIQ=="}}],
    });
    let follower = format!("{}.sig", image.replace(':', "-"));
    let by_tag = api.push_manifest(&name, &follower, IMAGE_MANIFEST, by_tag.to_string())?;
    let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let referrer = json!({
        "schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "artifactType": bundle,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2},
        "layers": [{"mediaType": bundle, "digest": layer, "size": size}],
        "subject": {"mediaType": IMAGE_MANIFEST, "digest": image, "size": 300},
        "annotations": {"dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1"},
    });
    let referrer = referrer.to_string();
    let reference = harness::archive::digest(referrer.as_bytes());
    let referrer = api.push_manifest(&name, &reference, IMAGE_MANIFEST, referrer)?;
    let id = index.id(&name)?;
    let expected = json!([[referrer, "signature", null], [by_tag, "signature", follower]]);
    wait_for("both signatures to be shown", PATIENCE, || {
        let answer = index.ask(Method::GET, &format!("{id}/tags/1"))?;
        if answer.status != 200 {
            return Ok(None);
        }
        let detail = answer.json()?;
        let Some(referrers) = detail["manifest"]["referrers"].as_array() else {
            return Ok(None);
        };
        let shown: Vec<Value> = referrers
            .iter()
            .map(|one| json!([one["digest"], one["kind"], one["tag"]]))
            .collect();
        Ok((json!(shown) == expected).then_some(()))
    })?;
    index.settled(&id).map(drop)
}
