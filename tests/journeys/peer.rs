//! Beside CNCF distribution (Debian's `docker-registry`, unmodified): it takes our tokens, and our storage tree.

use std::collections::BTreeMap;

use base64::Engine as _;
use harness::api::Api;
use harness::archive::digest;
use harness::engine::Docker;
use harness::layout::{IMAGE_INDEX, IMAGE_MANIFEST};
use harness::peer::{Auth, DockerRegistry};
use harness::process::free_port;
use harness::server::{Options, wait_for_file};
use harness::{Account, Context, Journey, Need, Result, Server, Suite, ensure};
use serde_json::{Value, json};

pub(crate) fn add(suite: &mut Suite) {
    let token = &[Need::Portolan, Need::DockerRegistry, Need::Docker];
    suite.add(
        "peer",
        "distribution_that_trusts_our_certificate_takes_our_tokens",
        token,
        tokens,
    );
    let tree = &[Need::Portolan, Need::DockerRegistry];
    suite.add(
        "peer",
        "distribution_started_on_our_storage_tree_serves_the_same_content",
        tree,
        same_content,
    );
    suite.add(
        "peer",
        "what_distribution_wrote_meanwhile_is_served_by_us",
        tree,
        written_meanwhile,
    );
}

fn tokens(journey: &Journey) -> Result<()> {
    let port = free_port()?;
    let service = format!("localhost:{port}");
    let arguments = vec!["--foreign-service".to_owned(), service.clone()];
    let server = Server::own(
        journey,
        Options {
            arguments,
            ..Options::default()
        },
    )?;
    let (alice, bob) = (server.account(journey, "alice")?, server.account(journey, "bob")?);
    let realm = format!("{}/token", server.url());
    let bundle = server.data().join("keys/ca.pem");
    wait_for_file(&bundle)?;

    let scope = format!("repository:{}/stock:pull", alice.name);
    let token = server
        .api(&alice)?
        .token(&realm, &service, &[&scope])?
        .expect(200)?
        .json()?;
    let claims = payload(token["token"].as_str().context("no token")?)?;
    ensure!(
        claims["aud"].as_str() == Some(&service),
        "the audience must be a plain string: {claims}"
    );
    let issuer = claims["iss"].as_str().context("no issuer")?.to_owned();

    let folder = journey.subfolder("peer")?;
    let auth = Auth::Token {
        realm,
        service: service.clone(),
        issuer,
        bundle,
    };
    let peer = DockerRegistry::start_on(port, &folder, &folder.join("root"), &auth, &[])?;
    journey.watch_log(peer.log());
    let image = format!("{service}/{}/stock:1", alice.name);
    let docker = Docker::new(journey)?;
    let wrong = Account {
        password: "a guess".to_owned(),
        ..alice.clone()
    };
    docker.login(&service, &wrong).fails()?.says("unauthorized")?;
    docker.login(&service, &alice).succeeds()?;
    docker.import(&image, "kept by a stock registry")?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    docker.line(["pull", &image]).succeeds()?;
    ensure!(
        docker.run(&image)? == "kept by a stock registry\n",
        "the pulled image runs otherwise"
    );
    docker.forget(&[&image])?;
    let other = Docker::new(journey)?;
    other.login(&service, &bob).succeeds()?;
    other.line(["pull", &image]).fails()?.says("denied").map(drop)
}

/// The claims of a token, unchecked.
fn payload(token: &str) -> Result<Value> {
    let payload = token.split('.').nth(1).context("a token has three parts")?;
    Ok(serde_json::from_slice(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload)?,
    )?)
}

fn same_content(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    let names = fill(journey, &server)?;
    let mut ours = BTreeMap::new();
    for (repository, account) in &names {
        crawl(&server.api(account)?, repository, &mut ours)?;
    }
    ensure!(server.stop()?.success(), "SIGTERM did not end the server well");

    let peer = DockerRegistry::start(&journey.subfolder("peer")?, &server.storage(), &Auth::None)?;
    journey.watch_log(peer.log());
    let api = Api::new(&peer.url(), None)?;
    let catalog = api.get("/v2/_catalog?n=1000")?.expect(200)?.json()?;
    let mut expected: Vec<&str> = names.iter().map(|(repository, _)| repository.as_str()).collect();
    expected.sort_unstable();
    ensure!(
        catalog["repositories"] == json!(expected),
        "the catalogs differ: {catalog}, {expected:?}"
    );
    let mut theirs = BTreeMap::new();
    for repository in expected {
        crawl(&api, repository, &mut theirs)?;
    }
    ensure!(ours.len() > 30, "too little was crawled: {ours:#?}");
    ensure!(
        ours == theirs,
        "the contents differ:\nours: {ours:#?}\ntheirs: {theirs:#?}"
    );
    journey.note(&format!("{} tags, manifests and blobs are equal", ours.len()));
    Ok(())
}

/// Fills a server with images, tags, an index, deep names and a one-segment name.
fn fill(journey: &Journey, server: &Server) -> Result<Vec<(String, Account)>> {
    let (alice, admin) = (server.account(journey, "alice")?, server.admin()?);
    let mut names = Vec::new();
    for (name, account) in [
        (format!("{}/app", alice.name), &alice),
        (format!("{}/team/deep/er-than_usual/x.y", alice.name), &alice),
        ("one-segment".to_owned(), &admin),
    ] {
        let api = server.api(account)?;
        let mut children = Vec::new();
        for tag in ["1", "2", "latest"] {
            let digest = api.push_small_image(&name, tag, &format!("{name} {tag}"))?;
            let size = api.manifest(&name, &digest)?.expect(200)?.body.len();
            children.push(json!({ "mediaType": IMAGE_MANIFEST, "digest": digest, "size": size }));
        }
        // A tag that moves leaves its first manifest untagged; both must be found.
        api.push_small_image(&name, "latest", &format!("{name} moved"))?;
        let index = json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": children });
        api.push_manifest(&name, "index", IMAGE_INDEX, serde_json::to_vec(&index)?)?;
        names.push((name, account.clone()));
    }
    Ok(names)
}

/// Reads every tag of a repository and all that it reaches; each blob is held to its digest.
fn crawl(api: &Api, repository: &str, found: &mut BTreeMap<String, String>) -> Result<()> {
    let tags = api
        .get(&format!("/v2/{repository}/tags/list"))?
        .expect(200)?
        .json()?;
    let tags = tags["tags"].as_array().context("no tags")?.clone();
    let mut queue: Vec<String> = Vec::new();
    for tag in tags.iter().filter_map(Value::as_str) {
        let answer = api.manifest(repository, tag)?.expect(200)?;
        let named = answer.header("docker-content-digest")?.to_owned();
        found.insert(format!("{repository} tag {tag}"), named.clone());
        queue.push(named);
    }
    while let Some(reference) = queue.pop() {
        let answer = api.manifest(repository, &reference)?.expect(200)?;
        ensure!(digest(&answer.body) == reference, "other bytes: {answer}");
        let media_type = answer.header("content-type")?.to_owned();
        found.insert(format!("{repository} manifest {reference}"), media_type);
        let manifest = answer.json()?;
        let list = |key: &str| manifest[key].as_array().cloned().unwrap_or_default();
        queue.extend(
            list("manifests")
                .iter()
                .filter_map(|child| child["digest"].as_str().map(str::to_owned)),
        );
        for blob in list("layers").iter().chain([&manifest["config"]]) {
            let Some(name) = blob["digest"].as_str() else {
                continue;
            };
            let answer = api.get(&format!("/v2/{repository}/blobs/{name}"))?.expect(200)?;
            ensure!(digest(&answer.body) == name, "other bytes: {answer}");
            found.insert(format!("{repository} blob {name}"), answer.body.len().to_string());
        }
    }
    Ok(())
}

fn written_meanwhile(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    let alice = server.account(journey, "alice")?;
    let repository = format!("{}/app", alice.name);
    let api = server.api(&alice)?;
    api.push_small_image(&repository, "1", "by us")?;
    let before = api
        .get(&format!("/v2/{repository}/tags/list"))?
        .expect(200)?
        .json()?;
    ensure!(before["tags"] == json!(["1"]), "{before}");
    ensure!(server.stop()?.success(), "SIGTERM did not end the server well");

    let peer = DockerRegistry::start(&journey.subfolder("peer")?, &server.storage(), &Auth::None)?;
    journey.watch_log(peer.log());
    let theirs = Api::new(&peer.url(), None)?;
    let second = theirs.push_small_image(&repository, "2", "by distribution")?;
    let moved = theirs.push_small_image(&repository, "1", "moved by distribution")?;
    drop(peer);

    server.start_again()?;
    let after = api
        .get(&format!("/v2/{repository}/tags/list"))?
        .expect(200)?
        .json()?;
    ensure!(after["tags"] == json!(["1", "2"]), "{after}");
    for (tag, expected) in [("1", moved), ("2", second)] {
        let answer = api.manifest(&repository, tag)?.expect(200)?;
        ensure!(
            answer.header("docker-content-digest")? == expected,
            "{tag}: {answer}"
        );
    }
    crawl(&api, &repository, &mut BTreeMap::new())
}
