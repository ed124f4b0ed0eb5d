//! Rules that are bound to tags, as clients meet them.

use harness::engine::Docker;
use harness::{Journey, Need, Result, Server, Suite};

use crate::skopeo::{credentials, inspect};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "tag_rule",
        "who_may_push_and_delete_some_tags_is_refused_others_with_the_rule",
        &[Need::Portolan, Need::Docker, Need::Skopeo],
        bounded,
    );
}

fn bounded(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (ada, bob) = (server.account(journey, "ada")?, server.account(journey, "bob")?);
    let as_ada = |words: &[&str]| server.command(journey, &ada, words)?.succeeds();
    let crew = format!("crew-{}", ada.name);
    let repository = format!("{crew}/app");
    let image = |tag: &str| format!("{}/{repository}:{tag}", server.host());
    as_ada(&["org", "create", &crew])?;
    as_ada(&["member", "put", &crew, &bob.name])?;
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &ada).succeeds()?;
    for tag in ["latest", "v1"] {
        docker.import(&image(tag), tag)?;
    }
    docker.line(["push", &image("latest")]).succeeds()?;
    let to_bob = format!("account:{}", bob.name);
    let tags = ["--push-tags", "v*", "--delete-tags", "v*"];
    as_ada(
        &[
            &["rule", "add", &to_bob, &repository, "--role", "maintain"],
            &tags[..],
        ]
        .concat(),
    )?
    .says("v*")?;

    let other = Docker::new(journey)?;
    other.login(&server.host(), &bob).succeeds()?;
    other.line(["push", &image("v1")]).succeeds()?;
    other.line(["tag", &image("v1"), &image("main")]).succeeds()?;
    for tag in ["latest", "main"] {
        let refused = other.line(["push", &image(tag)]).fails()?;
        refused.says("denied")?.says(tag)?.says("v*")?;
    }
    server
        .command(journey, &bob, &["access", "explain", "me", &repository, "push"])?
        .succeeds()?
        .says("v*")?;

    let creds = credentials(&bob);
    let delete = |tag: &str| {
        let words = ["delete", "--tls-verify=false", "--creds", &creds];
        let image = format!("docker://{}", image(tag));
        journey.command("skopeo").args(words).arg(image)
    };
    delete("latest").fails()?.says("latest")?;
    // An image that one more tag points to, which is not theirs, stays with both.
    docker.line(["push", &image("main")]).succeeds()?;
    delete("v1").fails()?.says("main")?;
    for tag in ["latest", "main", "v1"] {
        inspect(journey, &image(tag), &creds).succeeds()?;
    }
    docker
        .line(["tag", &image("latest"), &image("main")])
        .succeeds()?;
    docker.line(["push", &image("main")]).succeeds()?;
    delete("v1").succeeds()?;
    inspect(journey, &image("v1"), &creds)
        .fails()?
        .says("manifest unknown")?;
    inspect(journey, &image("latest"), &creds).succeeds()?;
    docker.forget(&[&image("latest"), &image("v1"), &image("main")])
}
