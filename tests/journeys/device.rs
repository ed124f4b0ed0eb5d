//! Devices: each `docker login` with the password is one, which its owner sees and signs out.
//!
//! Docker's client asks for a refresh token and keeps it in the place of the password (`identitytoken` in its
//! `config.json`). skopeo, podman and buildah keep the password and are no devices.

use harness::engine::Docker;
use harness::{Account, Journey, Need, Result, Server, Suite, ensure};
use serde_json::{Value, json};

use crate::skopeo::{credentials, inspect};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "device",
        "each_docker_login_with_the_password_is_a_device_that_can_be_signed_out",
        &[Need::Portolan, Need::Docker, Need::Skopeo],
        sign_out,
    );
    suite.add(
        "device",
        "a_new_password_signs_every_device_out_and_leaves_access_tokens",
        &[Need::Portolan, Need::Docker, Need::Skopeo],
        new_password,
    );
}

fn devices(journey: &Journey, server: &Server, who: &Account) -> Result<Vec<Value>> {
    let list = server.told(journey, who, &["device", "list"])?;
    Ok(list.as_array().cloned().unwrap_or_default())
}

/// What Docker's client has kept of its login.
fn kept(docker: &Docker<'_>, server: &Server) -> Result<Value> {
    let text = std::fs::read_to_string(docker.config().join("config.json"))?;
    let config: Value = serde_json::from_str(&text)?;
    Ok(config["auths"][server.host()].clone())
}

/// An account with an image that only it can pull.
fn owner(journey: &Journey, server: &Server) -> Result<(Account, String)> {
    let ada = server.account(journey, "ada")?;
    let image = format!("{}/{}/app:1", server.host(), ada.name);
    let docker = Docker::new(journey)?;
    docker.import(&image, "for the owner's devices")?;
    let token = server.administer(journey, &["token", "create", &ada.name, "--name", "push"], "")?;
    let pusher = Account {
        password: token.trim_end().to_owned(),
        ..ada.clone()
    };
    docker.login(&server.host(), &pusher).succeeds()?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    Ok((ada, image))
}

fn pulls(docker: &Docker<'_>, image: &str) -> Result<()> {
    docker.line(["pull", image]).succeeds()?;
    docker.forget(&[image])
}

fn sign_out(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (ada, image) = owner(journey, &server)?;
    ensure!(
        devices(journey, &server, &ada)?.is_empty(),
        "an access token made a device"
    );
    let [laptop, desktop] = [Docker::new(journey)?, Docker::new(journey)?];
    for docker in [&laptop, &desktop] {
        docker.login(&server.host(), &ada).succeeds()?;
        let kept = kept(docker, &server)?;
        let token = kept["identitytoken"].as_str().unwrap_or_default();
        ensure!(token.starts_with("ptl_dev_"), "no refresh token was kept");
        let text = std::fs::read_to_string(docker.config().join("config.json"))?;
        let basic = ada.basic();
        let password = basic.trim_start_matches("Basic ");
        ensure!(
            !text.contains(password) && !text.contains(&ada.password),
            "the client keeps the password"
        );
        pulls(docker, &image)?;
    }
    // skopeo shows the password with each request.
    inspect(journey, &image, &credentials(&ada)).succeeds()?;
    let list = devices(journey, &server, &ada)?;
    ensure!(list.len() == 2, "{list:?}");
    for device in &list {
        ensure!(device["client_id"] == "docker", "{device}");
        ensure!(
            device["client"]
                .as_str()
                .is_some_and(|client| client.contains("ocker")),
            "{device}"
        );
        ensure!(device["created_address"] == "127.0.0.1", "{device}");
        ensure!(
            device["created_at"].is_string() && device["last_used_at"].is_string(),
            "{device}"
        );
    }

    // The oldest stands first.
    let first = list[0]["id"].as_str().unwrap_or_default();
    server
        .command(journey, &ada, &["device", "end", first])?
        .succeeds()?;
    laptop.line(["pull", &image]).fails()?;
    pulls(&desktop, &image)?;
    ensure!(devices(journey, &server, &ada)?.len() == 1, "it is listed still");
    // Its owner logs in again.
    laptop.login(&server.host(), &ada).succeeds()?;
    pulls(&laptop, &image)?;
    server
        .command(journey, &ada, &["device", "end", "--all"])?
        .succeeds()?;
    for docker in [&laptop, &desktop] {
        docker.line(["pull", &image]).fails()?;
    }
    ensure!(
        devices(journey, &server, &ada)?.is_empty(),
        "somebody is signed in still"
    );
    Ok(())
}

fn new_password(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (ada, image) = owner(journey, &server)?;
    let [laptop, desktop, machine] = [
        Docker::new(journey)?,
        Docker::new(journey)?,
        Docker::new(journey)?,
    ];
    for docker in [&laptop, &desktop] {
        docker.login(&server.host(), &ada).succeeds()?;
    }
    let token = server.command(journey, &ada, &["token", "create", "--name", "machine"])?;
    let token = Account {
        password: token.succeeds()?.stdout.trim_end().to_owned(),
        ..ada.clone()
    };
    machine.login(&server.host(), &token).succeeds()?;
    for docker in [&laptop, &desktop, &machine] {
        pulls(docker, &image)?;
    }
    let renewed = Account {
        password: format!("{}, changed", ada.password),
        ..ada.clone()
    };
    let body = json!({"current": ada.password, "new": renewed.password});
    server.ask(&ada, "PUT", "/account/password", &body)?.expect(204)?;
    for docker in [&laptop, &desktop] {
        docker.line(["pull", &image]).fails()?;
    }
    pulls(&machine, &image)?;
    ensure!(
        devices(journey, &server, &renewed)?.is_empty(),
        "a device has stayed"
    );
    laptop.login(&server.host(), &ada).fails()?.says("unauthorized")?;
    laptop.login(&server.host(), &renewed).succeeds()?;
    pulls(&laptop, &image)
}
