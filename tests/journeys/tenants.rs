//! Organisations: what a team and a guest's time give, and that it is gone with the next token once they are over.

use std::time::Duration;

use bytes::Bytes;
use harness::engine::Docker;
use harness::process::wait_for;
use harness::{Account, Journey, Need, Result, Server, Suite, ensure};
use http::Method;
use serde_json::{Value, json};

use crate::skopeo::{credentials, inspect};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "tenants",
        "a_member_reaches_through_the_team_what_is_lost_with_the_next_token_after_removal",
        &[Need::Portolan, Need::Docker, Need::Skopeo],
        team,
    );
    suite.add(
        "tenants",
        "a_guest_reaches_nothing_from_the_end_of_its_time_on",
        &[Need::Portolan, Need::Skopeo],
        guest,
    );
    suite.add(
        "tenants",
        "an_account_made_with_a_link_is_in_the_organisation",
        &[Need::Portolan],
        link,
    );
}

/// An organisation of `owner` with a repository and a team; its name.
fn organisation(server: &Server, owner: &Account, role: &str) -> Result<String> {
    let name = format!("crew-{}", owner.name);
    server
        .ask(owner, "POST", "/organisations", &json!({ "name": name }))?
        .expect(201)?;
    let teams = format!("/organisations/{name}/teams");
    server
        .ask(owner, "POST", &teams, &json!({"name": "builders"}))?
        .expect(201)?;
    let rule = json!({"subject": {"kind": "team", "name": "builders"}, "pattern": format!("{name}/*"), "role": role});
    server.ask(owner, "POST", "/rules", &rule)?.expect(201)?;
    server
        .api(owner)?
        .push_small_image(&format!("{name}/app"), "1", "for the crew")?;
    Ok(name)
}

fn join(server: &Server, owner: &Account, name: &str, who: &Account, body: &Value) -> Result<()> {
    let member = format!("/organisations/{name}/members/{}", who.name);
    server.ask(owner, "PUT", &member, body)?.expect(200).map(drop)
}

fn join_team(server: &Server, owner: &Account, name: &str, who: &Account) -> Result<()> {
    let place = format!("/organisations/{name}/teams/builders/members/{}", who.name);
    server
        .ask(owner, "PUT", &place, &Value::Null)?
        .expect(204)
        .map(drop)
}

/// Whether skopeo can read an image with these credentials.
fn reads(journey: &Journey, image: &str, credentials: &str) -> Result<bool> {
    Ok(inspect(journey, image, credentials).run()?.code == Some(0))
}

fn team(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (alice, bob) = (server.account(journey, "alice")?, server.account(journey, "bob")?);
    let name = organisation(&server, &alice, "write")?;
    let image = format!("{}/{name}/tool:1", server.host());
    let app = format!("{}/{name}/app:1", server.host());
    let token = server.administer(journey, &["token", "create", &bob.name, "--name", "laptop"], "")?;
    let token = format!("{}:{}", bob.name, token.trim());

    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &bob).succeeds()?;
    docker.import(&image, "built by the team")?;
    docker.line(["push", &image]).fails()?.says("denied")?;
    join(&server, &alice, &name, &bob, &json!({"role": "member"}))?;
    docker.line(["push", &image]).fails()?.says("denied")?;
    join_team(&server, &alice, &name, &bob)?;
    docker.line(["push", &image]).succeeds()?;
    ensure!(
        reads(journey, &app, &token)?,
        "a token reaches what its owner does"
    );

    let member = format!("/organisations/{name}/members/{}", bob.name);
    let told = server
        .ask(&bob, "GET", &format!("{member}/departure"), &Value::Null)?
        .expect(200)?
        .json()?;
    ensure!(told["teams"] == json!(["builders"]), "{told}");
    server.ask(&alice, "DELETE", &member, &Value::Null)?.expect(204)?;
    docker.forget(&[&image])?;
    docker.line(["pull", &image]).fails()?.says("denied")?;
    ensure!(!reads(journey, &app, &token)?, "a token outlives the membership");
    let refused = server
        .ask(&alice, "DELETE", &format!("/organisations/{name}"), &Value::Null)?
        .expect(409)?;
    ensure!(
        refused.json()?["detail"].to_string().contains("/app"),
        "{refused}"
    );
    Ok(())
}

fn guest(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (alice, carol) = (
        server.account(journey, "alice")?,
        server.account(journey, "carol")?,
    );
    let name = organisation(&server, &alice, "read")?;
    let app = format!("{}/{name}/app:1", server.host());
    let until = |seconds: u64| {
        let end = time::OffsetDateTime::now_utc() + Duration::from_secs(seconds);
        let end = end.format(&time::format_description::well_known::Rfc3339);
        end.map(|end| json!({"role": "guest", "expires_at": end}))
    };
    join(&server, &alice, &name, &carol, &until(86_400)?)?;
    join_team(&server, &alice, &name, &carol)?;
    ensure!(
        reads(journey, &app, &credentials(&carol))?,
        "a guest reaches what its team does"
    );
    join(&server, &alice, &name, &carol, &until(5)?)?;
    wait_for("the end of the guest's time", Duration::from_mins(2), || {
        let reads = reads(journey, &app, &credentials(&carol))?;
        Ok((!reads).then_some(()))
    })?;
    let members = format!("/organisations/{name}/members");
    server
        .ask(&carol, "GET", &members, &Value::Null)?
        .expect(404)
        .map(drop)
}

fn link(journey: &Journey) -> Result<()> {
    let options = harness::server::Options {
        arguments: vec!["--sign-up".to_owned(), "invitation".to_owned()],
        ..harness::server::Options::default()
    };
    let server = Server::own(journey, options)?;
    let admin = server.admin()?;
    let name = organisation(&server, &admin, "read")?;
    let invitations = format!("/organisations/{name}/invitations");
    let made = server
        .ask(
            &admin,
            "POST",
            &invitations,
            &json!({"role": "member", "team": "builders"}),
        )?
        .expect(201)?
        .json()?;
    let dora = Account {
        name: "dora".to_owned(),
        password: "correct horse battery of dora".to_owned(),
    };
    let account = json!({"name": dora.name, "password": dora.password, "invitation": made["link"]});
    let anonymous = server.anonymous()?;
    let sign_up = |body: &Value| {
        let headers = [("content-type", "application/json")];
        let body = Bytes::from(body.to_string());
        anonymous.send(Method::POST, "/api/v1/accounts", &headers, body)
    };
    let without = json!({"name": dora.name, "password": dora.password});
    sign_up(&without)?.expect(403)?;
    sign_up(&account)?.expect(201)?;
    let again = json!({"name": "eve", "password": dora.password, "invitation": made["link"]});
    sign_up(&again)?.expect(404)?;
    server
        .api(&dora)?
        .manifest(&format!("{name}/app"), "1")?
        .expect(200)
        .map(drop)
}
