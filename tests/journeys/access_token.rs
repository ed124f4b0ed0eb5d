//! Access tokens in the place of the password: what they are limited to, how they end, and who used them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use harness::engine::Docker;
use harness::process::wait_for;
use harness::server::Options;
use harness::{Account, Context as _, Journey, Need, Result, Server, Suite, ensure};
use serde_json::Value;

use crate::skopeo::{credentials, inspect};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "access_token",
        "a_token_for_pulls_of_one_repository_does_nothing_else",
        &[Need::Portolan, Need::Docker],
        limited,
    );
    suite.add(
        "access_token",
        "no_pull_fails_while_a_secret_is_replaced",
        &[Need::Portolan, Need::Skopeo],
        rotation,
    );
    suite.add(
        "access_token",
        "a_token_ends_with_its_time_and_works_from_its_networks_alone",
        &[Need::Portolan, Need::Docker, Need::Skopeo, Need::Sqlite],
        bounds,
    );
    suite.add(
        "access_token",
        "its_last_use_is_told_with_the_client_and_its_address",
        &[Need::Portolan, Need::Skopeo],
        last_use,
    );
}

/// A new token of somebody, as the command line prints it: an account that signs in with it.
fn token(journey: &Journey, server: &Server, who: &Account, words: &[&str]) -> Result<Account> {
    let words = [&["token", "create", "--name", "laptop"], words].concat();
    let made = server.command(journey, who, &words)?.succeeds()?.stdout;
    ensure!(made.lines().count() == 1, "more than the secret was printed");
    Ok(Account {
        password: made.trim_end().to_owned(),
        ..who.clone()
    })
}

/// The only token of somebody, as it is listed.
fn listed(journey: &Journey, server: &Server, who: &Account) -> Result<Value> {
    let list = server.told(journey, who, &["token", "list"])?;
    ensure!(list.as_array().is_some_and(|list| list.len() == 1), "{list}");
    Ok(list[0].clone())
}

fn limited(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let ada = server.account(journey, "ada")?;
    let [app, other] = ["app", "other"].map(|name| format!("{}/{name}", ada.name));
    let [image, other] = [&app, &other].map(|name| format!("{}/{name}:1", server.host()));
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &ada).succeeds()?;
    for image in [&image, &other] {
        docker.import(image, "pulled with a token")?;
        docker.line(["push", image]).succeeds()?;
    }
    let limits = ["--repositories", &app, "--actions", "pull"];
    let limited = token(journey, &server, &ada, &limits)?;
    let client = Docker::new(journey)?;
    client.login(&server.host(), &limited).succeeds()?;
    let config = std::fs::read_to_string(client.config().join("config.json"))?;
    ensure!(
        !config.contains("identitytoken"),
        "an access token was made into a saved login"
    );
    client
        .line(["push", &image])
        .fails()?
        .says("access token 'laptop', which is for pull here, not push")?;
    docker.forget(&[&image, &other])?;
    client.line(["pull", &other]).fails()?.says("denied")?;
    client.line(["pull", &image]).succeeds()?;
    // Nor does it administer anything.
    let one = format!(
        "/access-tokens/{}",
        listed(journey, &server, &ada)?["id"].as_str().unwrap_or_default()
    );
    server.ask(&limited, "DELETE", &one, &Value::Null)?.expect(403)?;
    docker.forget(&[&image])?;
    server.ask(&ada, "DELETE", &one, &Value::Null)?.expect(204)?;
    client.line(["pull", &image]).fails()?.says("unauthorized")?;
    client
        .login(&server.host(), &limited)
        .fails()?
        .says("unauthorized")
        .map(drop)
}

/// Pulls with one secret until it is told to end.
struct Puller {
    is_over: AtomicBool,
    pulls: AtomicUsize,
}

impl Puller {
    /// Every pull must succeed.
    fn pull(&self, journey: &Journey, image: &str, who: &Account) -> Result<()> {
        while !self.is_over.load(Ordering::Relaxed) {
            inspect(journey, image, &credentials(who)).succeeds()?;
            self.pulls.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Waits for a few pulls more.
    fn go_on(&self) -> Result<()> {
        let enough = self.pulls.load(Ordering::Relaxed) + 4;
        wait_for("more pulls", Duration::from_mins(2), || {
            let is_over = self.is_over.load(Ordering::Relaxed);
            Ok((is_over || self.pulls.load(Ordering::Relaxed) >= enough).then_some(()))
        })
    }
}

fn rotation(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let ada = server.account(journey, "ada")?;
    let app = format!("{}/app", ada.name);
    let image = format!("{}/{app}:1", server.host());
    server
        .api(&ada)?
        .push_small_image(&app, "1", "pulled all the time")?;
    let old = token(
        journey,
        &server,
        &ada,
        &["--repositories", &app, "--actions", "pull"],
    )?;
    let id = listed(journey, &server, &ada)?["id"].clone();
    let id = id.as_str().unwrap_or_default();
    let puller = Puller {
        is_over: AtomicBool::new(false),
        pulls: AtomicUsize::new(0),
    };
    let replace = || -> Result<Account> {
        puller.go_on()?;
        let made = server
            .command(journey, &ada, &["token", "rotate", id])?
            .succeeds()?
            .stdout;
        let new = Account {
            password: made.trim_end().to_owned(),
            ..ada.clone()
        };
        inspect(journey, &image, &credentials(&new)).succeeds()?;
        puller.go_on()?;
        Ok(new)
    };
    let (pulled, replaced) = std::thread::scope(|scope| {
        let pulls = scope.spawn(|| {
            let pulled = puller.pull(journey, &image, &old);
            puller.is_over.store(true, Ordering::Relaxed);
            pulled
        });
        let replaced = replace();
        puller.is_over.store(true, Ordering::Relaxed);
        (pulls.join(), replaced)
    });
    let new = replaced?;
    pulled.ok().context("the thread that pulls panicked")??;

    let both = listed(journey, &server, &ada)?["secrets"].clone();
    ensure!(both.as_array().is_some_and(|list| list.len() == 2), "{both}");
    ensure!(
        both[0]["ends_at"].is_null() && both[1]["ends_at"].is_string(),
        "the newest has no end, the older one has: {both}"
    );
    let oldest = both[1]["id"].as_str().unwrap_or_default();
    let oldest = format!("/access-tokens/{id}/secrets/{oldest}");
    server.ask(&ada, "DELETE", &oldest, &Value::Null)?.expect(204)?;
    inspect(journey, &image, &credentials(&old)).fails()?;
    inspect(journey, &image, &credentials(&new)).succeeds()?;
    Ok(())
}

fn bounds(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    let ada = server.account(journey, "ada")?;
    let app = format!("{}/app", ada.name);
    let image = format!("{}/{app}:1", server.host());
    server.api(&ada)?.push_small_image(&app, "1", "behind bounds")?;
    let elsewhere = token(journey, &server, &ada, &["--from", "10.0.0.0/8"])?;
    let here = token(
        journey,
        &server,
        &ada,
        &["--from", "127.0.0.0/8", "--from", "::1/128", "--expires", "1"],
    )?;
    let docker = Docker::new(journey)?;
    docker
        .login(&server.host(), &elsewhere)
        .fails()?
        .says("may not be used from this address")?;
    inspect(journey, &image, &credentials(&elsewhere)).fails()?;
    docker.login(&server.host(), &here).succeeds()?;
    inspect(journey, &image, &credentials(&here)).succeeds()?;

    // A day later, as far as the database knows.
    let list = server.told(journey, &ada, &["token", "list"])?;
    let id = list[1]["id"].as_str().unwrap_or_default();
    let later = format!(
        "update access_token set expires_at = expires_at - 86400000 where token_id = {id} returning token_id"
    );
    let database = server.data().join("index.db");
    journey
        .command("sqlite3")
        .arg(database)
        .arg(later)
        .succeeds()?
        .says(id)?;
    docker
        .login(&server.host(), &here)
        .fails()?
        .says("unauthorized")?;
    inspect(journey, &image, &credentials(&here)).fails()?;
    inspect(journey, &image, &credentials(&ada)).succeeds()?;
    // Each is shown with what it was refused, so that its owner finds out where it is still used.
    server.stop()?;
    server.start_again()?;
    let list = server.told(journey, &ada, &["token", "list"])?;
    for refused in [&list[0]["refused_since"], &list[1]["refused_since"]] {
        ensure!(refused["count"].as_i64() >= Some(2), "{list}");
        ensure!(refused["network"] == "127.0.0.0/24", "{list}");
    }
    Ok(())
}

fn last_use(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    let ada = server.account(journey, "ada")?;
    let app = format!("{}/app", ada.name);
    server.api(&ada)?.push_small_image(&app, "1", "used")?;
    let laptop = token(journey, &server, &ada, &[])?;
    ensure!(
        listed(journey, &server, &ada)?["last_use"].is_null(),
        "used before it was"
    );
    let image = format!("{}/{app}:1", server.host());
    inspect(journey, &image, &credentials(&laptop)).succeeds()?;
    // Written once a minute, and at the end.
    server.stop()?;
    server.start_again()?;
    let last = listed(journey, &server, &ada)?["last_use"].clone();
    ensure!(last["address"] == "127.0.0.1", "{last}");
    ensure!(
        last["client"]
            .as_str()
            .is_some_and(|client| client.contains("skopeo")),
        "{last}"
    );
    ensure!(last["at"].is_string(), "{last}");
    Ok(())
}
