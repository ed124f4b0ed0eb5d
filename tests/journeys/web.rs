//! The pages, in a real browser: each story is a script of `tests/browser` that is played against a server of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::binaries::{path_of, workspace_root};
use harness::engine::Docker;
use harness::environment::variable;
use harness::need::playwright;
use harness::receiver::Receiver;
use harness::server::{Options, Server};
use harness::{Context as _, Error, Journey, Need, Result, Suite, ensure};
use serde_json::{Value, json};

mod activity;
mod confirmation;
mod notice;
mod setting;
mod work;

/// What every story needs.
const BROWSER: [Need; 3] = [Need::Portolan, Need::Chromium, Need::Playwright];

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "web",
        "somebody_signs_up_pushes_shares_compares_restores_and_deletes",
        &[&BROWSER[..], &[Need::Docker]].concat(),
        life,
    );
    for (name, story) in [
        (
            "a_forgotten_password_is_set_anew_by_an_administrators_link",
            "password",
        ),
        ("a_keyboard_is_enough", "keyboard"),
        ("pages_work_without_script", "no-script"),
        ("chinese_readers_find_what_they_look_for", "chinese"),
        ("every_page_is_accessible_light_still_and_fits_a_phone", "pages"),
        ("every_link_leads_to_a_page_that_is_looked_at", "links"),
    ] {
        suite.add("web", name, &BROWSER, move |journey| play(journey, story, None));
    }
    activity::add(suite);
    confirmation::add(suite);
    notice::add(suite);
    setting::add(suite);
    work::add(suite);
    suite.add(
        "web",
        "every_page_is_pictured",
        &[&BROWSER[..], &[Need::Pictures]].concat(),
        |journey| {
            let folder = variable("PORTOLAN_SCREENSHOTS").context("PORTOLAN_SCREENSHOTS")?;
            // Cargo runs tests in the folder of their package, people name what is below the root.
            let folder = workspace_root().join(folder);
            std::fs::create_dir_all(&folder).context("make the folder of the pictures")?;
            play(journey, "pictures", Some(&folder))
        },
    );
}

/// Longer than the longest story takes on a busy machine.
const LIMIT: Duration = Duration::from_mins(8);

/// Plays a story that needs no engine.
fn play(journey: &Journey, story: &str, pictures: Option<&Path>) -> Result<()> {
    let (server, receiver) = stage(journey)?;
    told(
        journey,
        &server,
        &receiver,
        story,
        &[("pictures", pictures.map(Path::to_owned))],
    )
}

/// Clients push and pull what the browser shows.
fn life(journey: &Journey) -> Result<()> {
    let (server, receiver) = stage(journey)?;
    let docker = Docker::new(journey)?;
    let images = ["one", "two"].map(|tag| format!("{}/mary/app:{tag}", server.host()));
    for image in &images {
        docker.import(image, image)?;
    }
    let engine = PathBuf::from(docker.engine_address());
    told(journey, &server, &receiver, "life", &[("engine", Some(engine))])?;
    let told: Vec<_> = receiver.events();
    ensure!(
        told.iter()
            .any(|event| event["push_data"]["pusher"] == "mary" && event["push_data"]["tag"] == "two"),
        "the push was not told: {told:#?}"
    );
    docker.line(["image", "rm", "--force"]).args(&images).run()?;
    Ok(())
}

/// A server on which anybody may sign up, and who it tells of pushes.
fn stage(journey: &Journey) -> Result<(Server, Receiver)> {
    let arguments = ["--sign-up", "open", "--webhooks-allow", "127.0.0.0/8"];
    let options = Options {
        arguments: arguments.map(str::to_owned).to_vec(),
        ..Options::default()
    };
    Ok((Server::own(journey, options)?, Receiver::start()?))
}

fn told(
    journey: &Journey,
    server: &Server,
    receiver: &Receiver,
    story: &str,
    further: &[(&str, Option<PathBuf>)],
) -> Result<()> {
    let mut stage = stage_on(journey, server)?;
    stage["portolan"] = json!(path_of("portolan")?);
    stage["data"] = json!(server.data());
    stage["receiver"] = json!(receiver.url());
    for (name, value) in further {
        stage[*name] = json!(value);
    }
    tell(journey, story, &stage)
}

/// What every story is told of its server.
fn stage_on(journey: &Journey, server: &Server) -> Result<Value> {
    let admin = server.admin()?;
    Ok(json!({
        "url": server.url(),
        "folder": journey.subfolder("story")?,
        "admin": { "name": admin.name, "password": admin.password },
    }))
}

/// Tells a story of the folder `stories` on this stage.
fn tell(journey: &Journey, story: &str, stage: &Value) -> Result<()> {
    let file = journey.folder().join("stage.json");
    std::fs::write(&file, stage.to_string()).context("write the stage")?;
    let packages = playwright().map_err(Error::msg)?;
    let line = journey
        .command("node")
        .arg(workspace_root().join("tests/browser/run.mjs"));
    let line = line.arg(story).arg(&file).env("PORTOLAN_TEST_BROWSER", packages);
    let played = line.limit(LIMIT).succeeds()?;
    for figure in played
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("measured: "))
    {
        journey.say(figure);
    }
    Ok(())
}
