//! Robots: machines that push and pull, with what they were given and no more.

use harness::command::Line;
use harness::engine::Docker;
use harness::{Account, Journey, Need, Result, Server, Suite, ensure};
use serde_json::json;

use crate::podman::podman;
use crate::skopeo::{credentials, inspect, two_architectures};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "robot",
        "a_robot_pushes_where_it_may_and_nowhere_else",
        &[Need::Portolan, Need::Docker, Need::Skopeo, Need::Podman],
        pushes,
    );
    suite.add(
        "robot",
        "a_robot_makes_robots_that_may_less_and_end_with_it",
        &[Need::Portolan, Need::Skopeo],
        makes,
    );
}

/// An organisation of somebody.
fn organisation(journey: &Journey, server: &Server, owner: &Account) -> Result<String> {
    let crew = format!("crew-{}", owner.name);
    server
        .command(journey, owner, &["org", "create", &crew])?
        .succeeds()?;
    Ok(crew)
}

/// A new robot, with the secret that the command line prints.
fn robot(journey: &Journey, server: &Server, by: &Account, name: &str, words: &[&str]) -> Result<Account> {
    let words = [&["robot", "create", name], words].concat();
    let made = server.command(journey, by, &words)?.succeeds()?.stdout;
    ensure!(made.lines().count() == 1, "more than the secret was printed");
    Ok(Account {
        name: name.to_owned(),
        password: made.trim_end().to_owned(),
    })
}

/// The id of a robot.
fn id(journey: &Journey, server: &Server, by: &Account, name: &str) -> Result<String> {
    let namespace = name.split('+').next().unwrap_or_default();
    let list = server.told(journey, by, &["robot", "list", namespace])?;
    let found = list
        .as_array()
        .into_iter()
        .flatten()
        .find(|robot| robot["username"] == name);
    let id = found.and_then(|robot| robot["id"].as_str());
    ensure!(id.is_some(), "{name} is not in {list}");
    Ok(id.unwrap_or_default().to_owned())
}

fn pushes(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let ada = server.account(journey, "ada")?;
    let crew = organisation(journey, &server, &ada)?;
    let pattern = format!("{crew}/app-*");
    let limits = ["--repositories", &pattern, "--actions", "pull,push"];
    let ci = robot(journey, &server, &ada, &format!("{crew}+ci"), &limits)?;
    let [mine, theirs, foreign] = [
        format!("{}/{crew}/app-web:1", server.host()),
        format!("{}/{crew}/secrets:1", server.host()),
        format!("{}/{}/app-web:1", server.host(), ada.name),
    ];
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &ci).succeeds()?;
    let config = std::fs::read_to_string(docker.config().join("config.json"))?;
    ensure!(
        !config.contains("identitytoken"),
        "a robot's secret was made into a saved login"
    );
    docker.import(&mine, "built by a robot")?;
    docker.line(["push", &mine]).succeeds()?;
    for image in [&theirs, &foreign] {
        docker.line(["tag", &mine, image]).succeeds()?;
        docker.line(["push", image]).fails()?.says("denied")?;
    }
    docker.forget(&[&mine, &theirs, &foreign])?;
    docker.line(["pull", &mine]).succeeds()?;

    let (layout, _) = two_architectures(journey, "layout")?;
    let source = format!("oci:{}:multi", layout.folder().display());
    let creds = credentials(&ci);
    let copy = |image: &str| {
        let words = ["copy", "--all", "--dest-tls-verify=false", "--dest-creds", &creds];
        let line = journey.command("skopeo").args(words);
        line.arg(&source).arg(format!("docker://{image}"))
    };
    copy(&format!("{}/{crew}/app-tool:1", server.host())).succeeds()?;
    copy(&theirs).fails()?.says("denied")?;
    // What is refused is not to be deleted either, and what the owner has pushed is not to be read.
    server
        .api(&ada)?
        .push_small_image(&format!("{crew}/secrets"), "1", "not for robots")?;
    inspect(journey, &theirs, &creds).fails()?;
    let delete = ["delete", "--tls-verify=false", "--creds", &creds];
    journey
        .command("skopeo")
        .args(delete)
        .arg(format!("docker://{mine}"))
        .fails()?
        .says("denied")?;

    let pull = |image: &str| -> Result<Line<'_>> {
        let words = ["pull", "--tls-verify=false", "--creds", &creds, image];
        Ok(podman(journey, "storage")?.args(words))
    };
    pull(&mine)?.succeeds()?;
    pull(&theirs)?.fails()?;

    let id = id(journey, &server, &ada, &ci.name)?;
    let as_ada = |words: &[&str]| server.command(journey, &ada, words)?.succeeds();
    as_ada(&["robot", "suspend", &id])?;
    inspect(journey, &mine, &creds).fails()?;
    as_ada(&["robot", "resume", &id])?;
    inspect(journey, &mine, &creds).succeeds()?;
    as_ada(&["robot", "delete", &id])?;
    inspect(journey, &mine, &creds).fails()?;
    pull(&mine)?.fails()?;
    docker.forget(&[&mine])?;
    docker.line(["pull", &mine]).fails()?.says("unauthorized")?;
    docker.login(&server.host(), &ci).fails()?.says("unauthorized")?;
    Ok(())
}

fn makes(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let ada = server.account(journey, "ada")?;
    let crew = organisation(journey, &server, &ada)?;
    let image = format!("{}/{crew}/app-web:1", server.host());
    let web = format!("{crew}/app-web");
    server.api(&ada)?.push_small_image(&web, "1", "for two robots")?;
    let pattern = format!("{crew}/app-*");
    let limits = ["--repositories", &pattern, "--actions", "pull,push,administer"];
    let maker = robot(journey, &server, &ada, &format!("{crew}+maker"), &limits)?;
    let made = format!("{crew}+made");
    let child = ["--repositories", &web, "--actions", "pull"];
    let child = robot(journey, &server, &maker, &made, &child)?;
    inspect(journey, &image, &credentials(&child)).succeeds()?;
    let (layout, _) = two_architectures(journey, "layout")?;
    let line = journey
        .command("skopeo")
        .args(["copy", "--all", "--dest-tls-verify=false"]);
    line.args(["--dest-creds", &credentials(&child)])
        .arg(format!("oci:{}:multi", layout.folder().display()))
        .arg(format!("docker://{image}"))
        .fails()?
        .says("denied")?;
    // No more than itself: neither rights, nor repositories, nor another namespace.
    for limits in [
        json!([{"pattern": web, "rights": ["pull", "delete"]}]),
        json!([{"pattern": format!("{crew}/*"), "rights": ["pull"]}]),
    ] {
        let body = json!({"namespace": crew, "name": "more", "limits": limits});
        server.ask(&maker, "POST", "/robots", &body)?.expect(403)?;
    }
    let body =
        json!({"namespace": ada.name, "name": "more", "limits": [{"pattern": "*", "rights": ["pull"]}]});
    let elsewhere = server.ask(&maker, "POST", "/robots", &body)?;
    ensure!(matches!(elsewhere.status, 403 | 404), "{elsewhere}");
    let body = json!({"namespace": crew, "name": "more", "limits": [{"pattern": web, "rights": ["pull"]}]});
    server.ask(&child, "POST", "/robots", &body)?.expect(403)?;

    let id = id(journey, &server, &ada, &maker.name)?;
    server
        .command(journey, &ada, &["robot", "delete", &id])?
        .succeeds()?;
    inspect(journey, &image, &credentials(&child)).fails()?;
    Ok(())
}
