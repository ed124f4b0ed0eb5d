//! From one program on one machine to the deployment, by one command.

use harness::server::{Options, Server};
use harness::{Journey, Result, Suite, ensure};

use super::NEEDS;
use super::project::{PATIENCE, Project};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "deployment",
        "what_portolan_up_kept_moves_in_with_its_accounts_and_digests",
        &NEEDS,
        moving_in,
    );
}

fn moving_in(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    let admin = server.admin()?;
    let digest = server
        .api(&admin)?
        .push_small_image("admin/app", "1", "from the one machine")?;
    let data = server.data().display().to_string();
    server.stop()?;

    let project = Project::prepare(journey, "")?;
    let move_in = |folder: &str| {
        project
            .line("deploy/move-in.sh", &[folder])
            .env("PORTOLAN_MASTER_KEY_FILE", "")
            .limit(PATIENCE)
    };
    move_in(&format!("{data}/registry"))
        .fails()?
        .says("no data folder")?;
    move_in(&data).succeeds()?;
    project.wait_until_it_answers()?;
    let api = project.api(Some(admin))?;
    let answer = api.manifest("admin/app", "1")?.expect(200)?;
    ensure!(answer.header("docker-content-digest")? == digest, "{answer}");
    api.push_small_image("admin/app", "2", "in the deployment")?;
    let keys = project
        .compose(&[
            "run",
            "--rm",
            "-T",
            "portolan",
            "keys",
            "list",
            "--json",
            "--config",
            "/etc/portolan/index/index.yml",
        ])
        .succeeds()?;
    let keys: Vec<serde_json::Value> = serde_json::from_str(keys.stdout.trim())?;
    ensure!(
        keys.iter().all(|key| key["encrypted_with"].is_string()),
        "signing keys lie in the clear: {keys:?}"
    );
    // What is there already is not overwritten.
    move_in(&data).fails().map(drop)
}
