//! Webhooks: a real push arrives at a real receiver, signed, also when the server was killed in between.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::engine::Docker;
use harness::process::{free_port, wait_for};
use harness::receiver::{Receiver, Request};
use harness::server::Options;
use harness::{Context as _, Journey, Need, Result, Server, Suite, ensure};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "webhook",
        "what_docker_pushes_arrives_signed_and_once_although_the_server_is_killed_in_between",
        &[Need::Portolan, Need::Docker],
        push,
    );
    suite.add(
        "webhook",
        "the_command_line_makes_tests_rotates_and_removes_and_private_addresses_are_refused",
        &[Need::Portolan],
        command_line,
    );
}

/// Longer than a busy machine needs; what failed once is tried again within seconds.
const PATIENCE: Duration = Duration::from_mins(3);

fn allowing() -> Options {
    Options {
        arguments: ["--webhooks-allow", "127.0.0.0/8"].map(str::to_owned).to_vec(),
        ..Options::default()
    }
}

/// HMAC-SHA256 (RFC 2104), of another making than that which is tested.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x36))
        .chain_update(text)
        .finalize();
    let outer = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x5c))
        .chain_update(inner);
    outer.finalize().to_vec()
}

/// Whether a request is signed with this secret, as Standard Webhooks says it.
fn is_signed(request: &Request, secret: &str) -> Result<bool> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").context("the secret")?)?;
    let head = format!(
        "{}.{}.",
        request.header("webhook-id"),
        request.header("webhook-timestamp")
    );
    let text = [head.as_bytes(), request.body.as_slice()].concat();
    let expected = format!("v1,{}", STANDARD.encode(hmac(&key, &text)));
    Ok(request
        .header("webhook-signature")
        .split(' ')
        .any(|one| one == expected))
}

fn tags(events: &[Value]) -> Vec<&str> {
    let pushes = events.iter().filter(|event| event["event"] == "push");
    pushes
        .filter_map(|event| event["push_data"]["tag"].as_str())
        .collect()
}

fn push(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, allowing())?;
    let account = server.account(journey, "hooks")?;
    let port = free_port()?;
    let webhooks = format!("/namespaces/{}/webhooks", account.name);
    let new = json!({"url": format!("http://127.0.0.1:{port}/hook"), "events": ["push", "tag.moved", "tag.deleted"]});
    let made = server
        .ask(&account, "POST", &webhooks, &new)?
        .expect(201)?
        .json()?;
    let secret = made["secret"].as_str().context("the secret")?.to_owned();
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &account).succeeds()?;
    let image = |tag: &str| format!("{}/{}/app:{tag}", server.host(), account.name);
    docker.import(&image("one"), "one")?;
    // Nobody listens yet, and the server is gone before it could have told anybody.
    docker.line(["push", &image("one")]).succeeds()?;
    server.kill();
    let receiver = Receiver::start_on(port)?;
    server.start_again()?;
    let events = wait_for("the push from before the kill", PATIENCE, || {
        let events = receiver.events();
        Ok((!events.is_empty()).then_some(events))
    })?;
    ensure!(tags(&events) == ["one"], "{events:#?}");
    let event = &events[0];
    ensure!(
        event["push_data"]["pusher"] == account.name.as_str()
            && event["repository"]["repo_name"] == format!("{}/app", account.name)
            && event["repository"]["image"] == image("one"),
        "{event:#}"
    );
    // The manifest was read before it was told.
    let platform = &event["push_data"]["platforms"][0]["platform"];
    ensure!(
        platform
            .as_str()
            .is_some_and(|platform| platform.starts_with("linux/")),
        "{event:#}"
    );
    docker.import(&image("two"), "two")?;
    docker.line(["push", &image("two")]).succeeds()?;
    docker.import(&image("one"), "another")?;
    docker.line(["push", &image("one")]).succeeds()?;
    let events = wait_for("everything to arrive", PATIENCE, || {
        let events = receiver.events();
        Ok((events.len() >= 4).then_some(events))
    })?;
    let kinds: Vec<&str> = events
        .iter()
        .filter_map(|event| event["event"].as_str())
        .collect();
    ensure!(
        kinds == ["push", "push", "push", "tag.moved"],
        "{kinds:?} {events:#?}"
    );
    ensure!(tags(&events) == ["one", "two", "one"], "{events:#?}");
    let requests = receiver.accepted();
    ensure!(requests.len() == 4, "{} requests", requests.len());
    for request in &requests {
        ensure!(is_signed(request, &secret)?, "the signature: {request:?}");
        let mut changed = request.clone();
        changed.body.push(b' ');
        ensure!(!is_signed(&changed, &secret)?, "a changed body passes");
    }
    let id = made["id"].as_str().context("the id")?;
    let log = server
        .ask(
            &account,
            "GET",
            &format!("{webhooks}/{id}/deliveries"),
            &Value::Null,
        )?
        .expect(200)?
        .json()?;
    let states: Vec<&Value> = log["items"]
        .as_array()
        .context("items")?
        .iter()
        .map(|one| &one["state"])
        .collect();
    ensure!(states == ["delivered"; 4], "{log:#}");
    docker.forget(&[&image("one"), &image("two")])?;
    Ok(())
}

fn command_line(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, allowing())?;
    let account = server.account(journey, "hooks")?;
    let receiver = Receiver::start()?;
    let url = receiver.url();
    let place = account.name.as_str();
    let made = server.told(
        journey,
        &account,
        &[
            "webhook",
            "create",
            place,
            "--url",
            &url,
            "--name",
            "ci",
            "--format",
            "cloudevents",
        ],
    )?;
    let id = made["id"].as_str().context("the id")?;
    let refused = server.command(
        journey,
        &account,
        &["webhook", "create", place, "--url", "http://10.1.2.3/"],
    )?;
    refused.fails()?.says("webhooks.allow")?;
    let rotated = server.told(
        journey,
        &account,
        &["webhook", "rotate", place, id, "--overlap", "1"],
    )?;
    server.told(journey, &account, &["webhook", "ping", place, id])?;
    let request = wait_for("the test", PATIENCE, || {
        Ok(receiver.accepted().into_iter().next())
    })?;
    for answer in [&made, &rotated] {
        let secret = answer["secret"].as_str().context("the secret")?;
        ensure!(is_signed(&request, secret)?, "both secrets sign");
    }
    let event: Value = serde_json::from_slice(&request.body)?;
    ensure!(
        event["specversion"] == "1.0" && event["type"] == "portolan.ping",
        "{event:#}"
    );
    let deliveries = wait_for("the log", PATIENCE, || {
        let log = server.told(journey, &account, &["webhook", "deliveries", place, id])?;
        Ok((log[0]["state"] == "delivered").then_some(log))
    })?;
    let delivery = deliveries[0]["id"].as_str().context("the delivery")?;
    server.told(journey, &account, &["webhook", "redeliver", place, id, delivery])?;
    wait_for("the test again", PATIENCE, || {
        Ok((receiver.accepted().len() == 2).then_some(()))
    })?;
    let off = server.told(journey, &account, &["webhook", "disable", place, id])?;
    ensure!(off["disabled_because"] == "asked", "{off:#}");
    server.told(
        journey,
        &account,
        &[
            "webhook",
            "change",
            place,
            id,
            "--events",
            "push,star",
            "--tags",
            "v*",
        ],
    )?;
    server.told(journey, &account, &["webhook", "enable", place, id])?;
    let listed = server.told(journey, &account, &["webhook", "list", place])?;
    ensure!(
        listed[0]["events"] == json!(["push", "star"]) && listed[0]["enabled"] == true,
        "{listed:#}"
    );
    server
        .command(journey, &account, &["webhook", "remove", place, id])?
        .succeeds()?;
    Ok(())
}
