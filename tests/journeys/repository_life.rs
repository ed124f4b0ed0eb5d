//! A repository under another name, in other hands, deleted, restored and gone for good, as its clients see it.

use std::path::PathBuf;

use harness::api::Api;
use harness::engine::Docker;
use harness::layout::{IMAGE_CONFIG, IMAGE_MANIFEST};
use harness::{Account, Journey, Need, Result, Server, Suite, ensure};
use serde_json::{Value, json};

use crate::skopeo::{credentials, inspect};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "repository_life",
        "a_renamed_repository_is_pulled_by_both_names_until_the_old_one_is_taken",
        &[Need::Portolan, Need::Docker],
        rename,
    );
    suite.add(
        "repository_life",
        "a_transferred_repository_is_reached_at_once_by_those_who_reach_the_new_namespace",
        &[Need::Portolan, Need::Docker, Need::Skopeo],
        transfer,
    );
    suite.add(
        "repository_life",
        "a_deleted_repository_is_refused_at_once_and_comes_back_or_goes_for_good",
        &[Need::Portolan, Need::Docker, Need::Skopeo],
        delete,
    );
}

/// The digest of a manifest.
fn digest(api: &Api, repository: &str, reference: &str) -> Result<String> {
    let answer = api.manifest(repository, reference)?.expect(200)?;
    Ok(answer.header("docker-content-digest")?.to_owned())
}

/// Pushes a manifest under no tag and gives its digest.
pub(crate) fn push_untagged(api: &Api, repository: &str) -> Result<String> {
    let config = api.push_blob(repository, "{}")?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": { "mediaType": IMAGE_CONFIG, "digest": config, "size": 2 },
        "layers": [],
        "annotations": { "tag": "none" },
    });
    let bytes = serde_json::to_vec(&manifest)?;
    let digest = harness::archive::digest(&bytes);
    api.push_manifest(repository, &digest, IMAGE_MANIFEST, bytes)
}

/// Where the storage keeps what a repository of this storage name holds.
fn stored(server: &Server, name: &str) -> PathBuf {
    server
        .storage()
        .join("docker/registry/v2/repositories")
        .join(name)
        .join("_manifests")
}

fn rename(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (ada, bob) = (server.account(journey, "ada")?, server.account(journey, "bob")?);
    let (old, new) = (format!("{}/app", ada.name), format!("{}/web", ada.name));
    let [old_1, new_1] = [&old, &new].map(|name| format!("{}/{name}:1", server.host()));
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &ada).succeeds()?;
    docker.import(&old_1, "first")?;
    docker.line(["push", &old_1]).succeeds()?;
    let api = server.api(&ada)?;
    let first = digest(&api, &old, "1")?;
    let to_bob = format!("account:{}", bob.name);
    server
        .command(journey, &ada, &["rule", "add", &to_bob, &old, "--role", "write"])?
        .succeeds()?;

    server
        .command(journey, &ada, &["repo", "rename", &old, &new])?
        .succeeds()?
        .says(&old)?;
    ensure!(
        stored(&server, &old).exists() && !stored(&server, &new).exists(),
        "a rename moves no content"
    );
    docker.forget(&[&old_1])?;
    let other = Docker::new(journey)?;
    other.login(&server.host(), &bob).succeeds()?;
    for client in [&docker, &other] {
        for image in [&new_1, &old_1] {
            client.line(["pull", image]).succeeds()?.says(&first)?;
        }
        ensure!(
            client.run(&new_1)? == "first\n",
            "the pulled image runs otherwise"
        );
    }
    // Under its former name it is for pulls alone. The rule went along.
    other
        .line(["push", &old_1])
        .fails()?
        .says("push is not allowed here, pull is")?;
    server
        .command(journey, &bob, &["access", "explain", "me", &old, "push"])?
        .succeeds()?
        .says(&format!("is called {new}"))?;
    other.line(["push", &new_1]).succeeds()?;
    taken(journey, (&server, &ada, &bob), (&old, &new), &first)
}

/// Who may make repositories in the namespace takes the old name with a push: for another repository.
fn taken(
    journey: &Journey,
    (server, ada, bob): (&Server, &Account, &Account),
    (old, new): (&str, &str),
    first: &str,
) -> Result<()> {
    let [old_1, new_1] = [old, new].map(|name| format!("{}/{name}:1", server.host()));
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), ada).succeeds()?;
    docker.forget(&[&old_1, &new_1])?;
    docker.import(&old_1, "second")?;
    docker.line(["push", &old_1]).succeeds()?;
    let api = server.api(ada)?;
    let second = digest(&api, old, "1")?;
    ensure!(second != first, "both are {first}");
    api.manifest(old, first)?.expect(404)?;
    ensure!(digest(&api, new, "1")? == first, "the renamed one has changed");
    let tags = api.get(&format!("/v2/{old}/tags/list"))?.expect(200)?.json()?;
    ensure!(tags["tags"] == json!(["1"]), "{tags}");
    docker.forget(&[&old_1])?;
    docker.line(["pull", &new_1]).succeeds()?.says(first)?;
    docker.line(["pull", &old_1]).succeeds()?.says(&second)?;
    ensure!(
        docker.run(&old_1)? == "second\n" && docker.run(&new_1)? == "first\n",
        "the two are mixed up"
    );
    let other = Docker::new(journey)?;
    other.login(&server.host(), bob).succeeds()?;
    other.line(["pull", &old_1]).fails()?.says("denied")?;
    docker.forget(&[&old_1, &new_1])
}

fn transfer(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let [ada, bob, cyd] = [
        server.account(journey, "ada")?,
        server.account(journey, "bob")?,
        server.account(journey, "cyd")?,
    ];
    let as_ada = |words: &[&str]| server.command(journey, &ada, words)?.succeeds();
    let crew = format!("crew-{}", ada.name);
    as_ada(&["org", "create", &crew])?;
    as_ada(&["member", "put", &crew, &bob.name])?;
    as_ada(&["rule", "add", "members", &format!("{crew}/*")])?;
    let (old, new) = (format!("{}/tool", ada.name), format!("{crew}/tool"));
    let [old_1, new_1] = [&old, &new].map(|name| format!("{}/{name}:1", server.host()));
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &ada).succeeds()?;
    docker.import(&old_1, "a tool")?;
    docker.line(["push", &old_1]).succeeds()?;
    let first = digest(&server.api(&ada)?, &old, "1")?;
    docker.forget(&[&old_1])?;
    as_ada(&["rule", "add", &format!("account:{}", cyd.name), &old])?;

    let (bob, cyd) = (credentials(&bob), credentials(&cyd));
    as_ada(&["repo", "rename", &old, &new, "--dry-run"])?;
    inspect(journey, &new_1, &bob).fails()?;
    inspect(journey, &old_1, &bob).fails()?;
    as_ada(&["repo", "rename", &old, &new])?;
    ensure!(
        stored(&server, &old).exists() && !stored(&server, &new).exists(),
        "a transfer moves no content"
    );
    // Who reaches the namespace that it is in now, and who was given this repository.
    for who in [&bob, &cyd] {
        for image in [&new_1, &old_1] {
            let read = inspect(journey, image, who).succeeds()?;
            ensure!(
                harness::archive::digest(read.stdout.as_bytes()) == first,
                "another manifest: {read}"
            );
        }
    }
    docker.line(["pull", &new_1]).succeeds()?.says(&first)?;
    ensure!(
        docker.run(&new_1)? == "a tool\n",
        "the pulled image runs otherwise"
    );
    docker.forget(&[&new_1])
}

fn delete(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let ada = server.account(journey, "ada")?;
    let as_ada = |words: &[&str]| server.command(journey, &ada, words)?.succeeds();
    let (name, renamed) = (format!("{}/app", ada.name), format!("{}/web", ada.name));
    let [image, image_renamed] = [&name, &renamed].map(|name| format!("{}/{name}:1", server.host()));
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &ada).succeeds()?;
    docker.import(&image, "for a while")?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    let first = digest(&server.api(&ada)?, &name, "1")?;
    let untagged = push_untagged(&server.api(&ada)?, &name)?;
    as_ada(&["repo", "rename", &name, &renamed])?;

    let end = || -> Result<String> {
        as_ada(&["repo", "delete", &renamed])?;
        for image in [&image, &image_renamed] {
            docker.line(["pull", image]).fails()?;
            inspect(journey, image, &credentials(&ada)).fails()?;
        }
        for reference in [&first, &untagged] {
            for name in [&name, &renamed] {
                let answer = server.api(&ada)?.manifest(name, reference)?;
                ensure!(matches!(answer.status, 401 | 404), "{answer}");
            }
        }
        let deleted = server.told(journey, &ada, &["repo", "deleted", &ada.name])?;
        let id = deleted[0]["id"].as_str().unwrap_or_default().to_owned();
        ensure!(deleted[0]["name"] == renamed.as_str(), "{deleted}");
        Ok(id)
    };
    let id = end()?;
    as_ada(&["repo", "restore", &id])?;
    for image in [&image_renamed, &image] {
        docker.line(["pull", image]).succeeds()?.says(&first)?;
    }
    ensure!(
        docker.run(&image)? == "for a while\n",
        "the pulled image runs otherwise"
    );
    docker.forget(&[&image, &image_renamed])?;
    ensure!(
        digest(&server.api(&ada)?, &renamed, &untagged)? == untagged,
        "the untagged manifest has not come back"
    );

    ensure!(end()? == id, "another repository");
    ensure!(stored(&server, &name).exists(), "the content went too early");
    server
        .command(journey, &ada, &["repo", "purge", &id])?
        .fails()?
        .says("say --yes")?;
    as_ada(&["repo", "purge", &id, "--yes"])?;
    ensure!(!stored(&server, &name).exists(), "the content has stayed");
    server
        .command(journey, &ada, &["repo", "restore", &id])?
        .fails()?
        .says("there is no such deleted repository")?;
    let list = server.told(journey, &ada, &["repo", "deleted", &ada.name])?;
    ensure!(list == Value::Array(Vec::new()), "{list}");

    // The name begins anew, and elsewhere.
    docker.import(&image, "anew")?;
    docker.line(["push", &image]).succeeds()?;
    ensure!(!stored(&server, &name).exists(), "a storage name was given twice");
    server.api(&ada)?.manifest(&name, &first)?.expect(404)?;
    server.api(&ada)?.manifest(&name, &untagged)?.expect(404)?;
    docker.forget(&[&image])
}
