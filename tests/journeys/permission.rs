//! Who may do what: private and public repositories, other people's namespaces, what may not be known.

use bytes::Bytes;
use harness::engine::Docker;
use harness::{Journey, Need, Result, Server, Suite, bail, ensure};
use http::Method;

pub(crate) fn add(suite: &mut Suite) {
    let docker = &[Need::Portolan, Need::Docker];
    suite.add(
        "permission",
        "a_second_account_can_not_pull_a_private_repository",
        docker,
        second_account,
    );
    suite.add(
        "permission",
        "a_second_account_can_not_push_into_a_foreign_namespace",
        docker,
        foreign_push,
    );
    suite.add(
        "permission",
        "a_public_repository_is_pulled_without_login_and_private_again",
        docker,
        public,
    );
    let portolan = &[Need::Portolan];
    suite.add(
        "permission",
        "a_private_repository_looks_as_if_it_did_not_exist",
        portolan,
        hidden,
    );
    suite.add(
        "permission",
        "a_private_blob_can_not_be_mounted_by_others",
        portolan,
        foreign_mount,
    );
    suite.add(
        "permission",
        "the_catalog_shows_what_the_caller_may_see",
        portolan,
        catalog,
    );
    suite.add(
        "permission",
        "a_personal_access_token_serves_as_password",
        docker,
        access_token,
    );
}

fn second_account(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (alice, bob) = (server.account(journey, "alice")?, server.account(journey, "bob")?);
    let image = format!("{}/{}/secret:1", server.host(), alice.name);
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &alice).succeeds()?;
    docker.import(&image, "for alice alone")?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    let other = Docker::new(journey)?;
    other.line(["pull", &image]).fails()?.says("pull access denied")?;
    other.login(&server.host(), &bob).succeeds()?;
    let refused = other.line(["pull", &image]).fails()?.says("pull access denied")?;
    let absent = format!("{}/{}/nothing:1", server.host(), alice.name);
    let missing = other.line(["pull", &absent]).fails()?;
    ensure!(
        refused.stderr.replace("/secret", "/nothing") == missing.stderr,
        "the two refusals can be told apart:\n{refused}\n{missing}"
    );
    docker.line(["pull", &image]).succeeds()?;
    docker.forget(&[&image])
}

fn foreign_push(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (alice, bob) = (server.account(journey, "alice")?, server.account(journey, "bob")?);
    let image = format!("{}/{}/planted:1", server.host(), alice.name);
    let docker = Docker::new(journey)?;
    docker.import(&image, "planted")?;
    docker.line(["push", &image]).fails()?.says("denied")?;
    docker.login(&server.host(), &bob).succeeds()?;
    docker.line(["push", &image]).fails()?.says("denied")?;
    let stored = server
        .storage()
        .join("docker/registry/v2/repositories")
        .join(&alice.name);
    ensure!(!stored.exists(), "a refused push left {}", stored.display());
    docker.forget(&[&image])
}

fn public(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let alice = server.account(journey, "alice")?;
    let repository = format!("{}/open", alice.name);
    let image = format!("{}/{repository}:1", server.host());
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &alice).succeeds()?;
    docker.import(&image, "for everybody")?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    let anonymous = Docker::new(journey)?;
    anonymous.line(["pull", &image]).fails()?.says("denied")?;
    server.set_public(journey, &repository)?;
    anonymous.line(["pull", &image]).succeeds()?;
    ensure!(
        anonymous.run(&image)? == "for everybody\n",
        "the pulled image runs otherwise"
    );
    anonymous.line(["push", &image]).fails()?.says("denied")?;
    docker.forget(&[&image])?;
    server.administer(journey, &["repo", "set-private", &repository], "")?;
    anonymous.line(["pull", &image]).fails()?.says("denied").map(drop)
}

fn hidden(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (alice, bob) = (server.account(journey, "alice")?, server.account(journey, "bob")?);
    let (secret, nothing) = (
        format!("{}/secret", alice.name),
        format!("{}/nothing", alice.name),
    );
    let digest = server
        .api(&alice)?
        .push_small_image(&secret, "1", "for alice alone")?;
    for caller in [server.api(&bob)?, server.anonymous()?] {
        for path in [
            "manifests/1",
            &format!("manifests/{digest}"),
            &format!("blobs/{digest}"),
            "tags/list",
        ] {
            let there = caller.get(&format!("/v2/{secret}/{path}"))?;
            let absent = caller.get(&format!("/v2/{nothing}/{path}"))?;
            ensure!(matches!(there.status, 401 | 404), "{there}");
            ensure!(
                there.status == absent.status,
                "can be told apart: {there}\n{absent}"
            );
            ensure!(
                there.error_code()? == absent.error_code()?,
                "can be told apart: {there}\n{absent}"
            );
            ensure!(
                there.body.len() == absent.body.len() - 1,
                "can be told apart: {there}\n{absent}"
            );
        }
    }
    Ok(())
}

fn foreign_mount(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (alice, bob) = (server.account(journey, "alice")?, server.account(journey, "bob")?);
    let secret = format!("{}/secret", alice.name);
    let digest = server.api(&alice)?.push_blob(&secret, "a blob for alice alone")?;
    let target = format!("{}/mine", bob.name);
    for from in [format!("&from={secret}"), String::new()] {
        let path = format!("/v2/{target}/blobs/uploads/?mount={digest}{from}");
        let answer = server.api(&bob)?.send(Method::POST, &path, &[], Bytes::new())?;
        if answer.status == 201 {
            bail!("bob mounted alice's private blob: {answer}");
        }
        answer.expect(202)?;
    }
    server
        .api(&bob)?
        .get(&format!("/v2/{target}/blobs/{digest}"))?
        .expect(404)
        .map(drop)
}

fn catalog(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (alice, bob) = (server.account(journey, "alice")?, server.account(journey, "bob")?);
    let (secret, open) = (format!("{}/secret", alice.name), format!("{}/open", alice.name));
    for repository in [&secret, &open] {
        server
            .api(&alice)?
            .push_small_image(repository, "1", repository)?;
    }
    server.set_public(journey, &open)?;
    let seen = |answer: &str, name: &str| answer.contains(&format!("\"{name}\""));
    let hers = String::from_utf8_lossy(&server.api(&alice)?.get("/v2/_catalog?n=1000")?.expect(200)?.body)
        .into_owned();
    ensure!(
        seen(&hers, &secret) && seen(&hers, &open),
        "alice does not see her own: {hers}"
    );
    let his = String::from_utf8_lossy(&server.api(&bob)?.get("/v2/_catalog?n=1000")?.expect(200)?.body)
        .into_owned();
    ensure!(!seen(&his, &secret), "bob sees alice's private repository: {his}");
    ensure!(seen(&his, &open), "bob does not see a public repository: {his}");
    Ok(())
}

fn access_token(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let mut alice = server.account(journey, "alice")?;
    let secret = server.administer(journey, &["token", "create", &alice.name, "--name", "laptop"], "")?;
    ensure!(
        secret.lines().count() == 1,
        "more than the secret was printed: {secret}"
    );
    secret.trim_end().clone_into(&mut alice.password);
    let image = format!("{}/{}/token:1", server.host(), alice.name);
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &alice).succeeds()?;
    docker.import(&image, "pushed with a token")?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])
}
