//! Rules about content, as clients meet them: immutable tags, quotas, rate limits.

use std::time::Duration;

use harness::engine::Docker;
use harness::process::wait_for;
use harness::server::{Options, Server};
use harness::{Journey, Need, Result, Suite};

use crate::skopeo::{credentials, inspect};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "rules",
        "an_immutable_tag_stays_what_it_is_and_the_refusal_names_the_rule",
        &[Need::Portolan, Need::Docker, Need::Skopeo],
        immutable,
    );
    suite.add(
        "rules",
        "a_namespace_takes_as_much_as_it_may_and_the_refusal_has_the_figures",
        &[Need::Portolan, Need::Docker],
        quota,
    );
    suite.add(
        "rules",
        "a_strict_quota_is_asked_of_the_index_before_each_manifest",
        &[Need::Portolan, Need::Docker],
        strict,
    );
    suite.add(
        "rules",
        "whoever_pulls_too_often_is_told_when_to_come_again",
        &[Need::Portolan, Need::Docker],
        rate,
    );
}

const PATIENCE: Duration = Duration::from_mins(1);

fn immutable(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let ada = server.account(journey, "ada")?;
    let repository = format!("{}/app", ada.name);
    let image = |tag: &str| format!("{}/{repository}:{tag}", server.host());
    let as_ada = |words: &[&str]| server.command(journey, &ada, words)?.succeeds();
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &ada).succeeds()?;
    for tag in ["v1", "v0.1", "latest"] {
        docker.import(&image(tag), tag)?;
    }
    docker.line(["push", &image("latest")]).succeeds()?;
    as_ada(&["immutable", "set", &repository, "v*", "--except", "v0*"])?.says("v*")?;
    as_ada(&["immutable", "set", &ada.name, "*-final"])?.says("*-final")?;
    as_ada(&["immutable", "show", &repository])?.says("*-final")?;
    docker.line(["push", &image("v1")]).succeeds()?;
    docker.line(["push", &image("v1")]).succeeds()?;
    docker.line(["tag", &image("latest"), &image("v1")]).succeeds()?;
    let refused = docker.line(["push", &image("v1")]).fails()?;
    refused
        .says("denied")?
        .says("immutable")?
        .says("the rule v* of the repository")?;
    for tag in ["v0.1", "latest"] {
        docker.line(["push", &image(tag)]).succeeds()?;
        docker.line(["tag", &image("v1"), &image(tag)]).succeeds()?;
        docker.line(["push", &image(tag)]).succeeds()?;
    }
    docker
        .line(["tag", &image("latest"), &image("x-final")])
        .succeeds()?;
    docker.line(["push", &image("x-final")]).succeeds()?;
    let creds = credentials(&ada);
    let delete = |tag: &str| {
        let words = ["delete", "--tls-verify=false", "--creds", &creds];
        let image = format!("docker://{}", image(tag));
        journey.command("skopeo").args(words).arg(image)
    };
    for tag in ["v1", "x-final"] {
        delete(tag).fails()?.says("immutable")?;
        inspect(journey, &image(tag), &creds).succeeds()?;
    }
    // Nor by the index, for whoever may delete: it asks the registry, and is refused.
    let listed = as_ada(&["repo", "list", &ada.name, "--json"])?;
    let listed: serde_json::Value = serde_json::from_str(listed.text().trim())?;
    let id = listed[0]["id"].as_str().unwrap_or_default();
    let through_the_index = journey
        .command("curl")
        .args(["-s", "-X", "DELETE", "-u", &creds])
        .arg(format!("{}/api/v1/repositories/{id}/tags/v1", server.url()))
        .succeeds()?;
    through_the_index.says("a rule protects the tag")?;
    inspect(journey, &image("v1"), &creds).succeeds()?;
    as_ada(&["immutable", "clear", &repository])?;
    as_ada(&["immutable", "clear", &ada.name])?;
    docker.line(["push", &image("v1")]).succeeds()?;
    delete("x-final").succeeds()?;
    docker.forget(&[&image("latest"), &image("v1"), &image("v0.1"), &image("x-final")])
}

fn quota(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let ada = server.account(journey, "ada")?;
    let image = |name: &str| format!("{}/{}/{name}", server.host(), ada.name);
    let set = |words: &[&str]| {
        let words = [&["quota", "set", &ada.name], words].concat();
        server.administer(journey, &words, "")
    };
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &ada).succeeds()?;
    docker.import_with(&image("app:small"), "small", 1 << 20)?;
    docker.import_with(&image("app:large"), "large", 40 << 20)?;
    set(&["--bytes", "20MB", "--repositories", "1", "--tags", "2"])?;
    docker.line(["push", &image("app:small")]).succeeds()?;
    let refused = docker.line(["push", &image("app:large")]).fails()?;
    refused.says("denied")?.says("of its quota of 20.0 MB")?;
    docker
        .line(["tag", &image("app:small"), &image("web:one")])
        .succeeds()?;
    docker
        .line(["push", &image("web:one")])
        .fails()?
        .says("1 of its 1 repositories")?;
    // What is there already is no more.
    docker.line(["push", &image("app:small")]).succeeds()?;
    // What the index has not been told yet does not count.
    let holds = |tags: u64| {
        wait_for("the usage", PATIENCE, || {
            let shown = server.command(journey, &ada, &["quota", "show", &ada.name, "--json"])?;
            let shown: serde_json::Value = serde_json::from_str(shown.succeeds()?.text().trim())?;
            let has_bytes = shown["bytes"]["used"].as_u64() > Some(1 << 20);
            Ok((shown["tags"]["used"] == tags && has_bytes).then_some(()))
        })
    };
    holds(1)?;
    for tag in ["two", "three"] {
        docker
            .line(["tag", &image("app:small"), &image(&format!("app:{tag}"))])
            .succeeds()?;
    }
    docker.line(["push", &image("app:two")]).succeeds()?;
    holds(2)?;
    let refused = docker.line(["push", &image("app:three")]).fails()?;
    refused.says("denied")?.says("2 tags of its quota of 2")?;
    set(&[
        "--bytes",
        "none",
        "--repositories",
        "default",
        "--tags",
        "default",
    ])?;
    for name in ["app:large", "app:three", "web:one"] {
        docker.line(["push", &image(name)]).succeeds()?;
    }
    let images: Vec<_> = ["app:small", "app:large", "app:two", "app:three", "web:one"]
        .iter()
        .map(|name| image(name))
        .collect();
    docker.forget(&images.iter().map(String::as_str).collect::<Vec<_>>())
}

fn strict(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let ada = server.account(journey, "ada")?;
    let image = |name: &str| format!("{}/{}/{name}", server.host(), ada.name);
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &ada).succeeds()?;
    docker.import(&image("app:one"), "one")?;
    let words = ["quota", "set", &ada.name, "--tags", "1", "--strict", "yes"];
    server.administer(journey, &words, "")?;
    docker.line(["push", &image("app:one")]).succeeds()?;
    docker
        .line(["tag", &image("app:one"), &image("app:two")])
        .succeeds()?;
    let refused = docker.line(["push", &image("app:two")]).fails()?;
    refused.says("denied")?.says("1 tags of its quota of 1")?;
    docker.line(["push", &image("app:one")]).succeeds()?;
    docker.forget(&[&image("app:one"), &image("app:two")])
}

fn rate(journey: &Journey) -> Result<()> {
    let arguments = ["--rate-limits-pulls-anonymous", "2/1h"].map(str::to_owned);
    let options = Options {
        arguments: arguments.to_vec(),
        ..Options::default()
    };
    let server = Server::own(journey, options)?;
    let ada = server.account(journey, "ada")?;
    let repository = format!("{}/app", ada.name);
    let images = ["one", "two", "three"].map(|tag| format!("{}/{repository}:{tag}", server.host()));
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &ada).succeeds()?;
    for image in &images {
        docker.import(image, image)?;
        docker.line(["push", image]).succeeds()?;
    }
    server.set_public(journey, &repository)?;
    let nobody = Docker::new(journey)?;
    // An engine keeps manifests, and asks with HEAD alone for what it has already: so each is another one.
    docker.forget(&images.iter().map(String::as_str).collect::<Vec<_>>())?;
    for image in &images[..2] {
        nobody.line(["pull", image]).succeeds()?;
    }
    let refused = nobody.line(["pull", &images[2]]).fails()?;
    refused
        .says("toomanyrequests")?
        .says("2 pulls in 1h")?
        .says("whoever signs in")?;
    // Whoever is signed in is counted apart; here not at all.
    docker.line(["pull", &images[2]]).succeeds()?;
    docker.forget(&images.iter().map(String::as_str).collect::<Vec<_>>())
}
