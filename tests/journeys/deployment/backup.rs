//! Backup of the whole deployment while it works, everything lost, and everything back.

use harness::{Journey, Result, Suite, ensure};

use super::NEEDS;
use super::project::{PATIENCE, Project};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "deployment",
        "a_backup_brings_a_lost_deployment_back_with_the_same_digests_and_credentials",
        &NEEDS,
        backup,
    );
}

fn backup(journey: &Journey) -> Result<()> {
    let project = Project::prepare(journey, "")?;
    project.up(&[])?;
    let (admin, authority) = (project.admin()?, project.authority()?);
    let api = project.api(Some(admin.clone()))?;
    let mut digests = Vec::new();
    for number in 0..3 {
        let repository = format!("admin/app{number}");
        digests.push((
            repository.clone(),
            api.push_small_image(&repository, "1", &repository)?,
        ));
    }
    project
        .line("deploy/backup.sh", &["saved"])
        .limit(PATIENCE)
        .succeeds()?;
    project.line("deploy/backup.sh", &["saved"]).fails()?;
    project
        .compose(&["down", "--volumes", "--timeout", "10"])
        .succeeds()?;
    project
        .line("deploy/restore.sh", &["saved"])
        .limit(PATIENCE)
        .succeeds()?;
    project.wait_until_it_answers()?;
    ensure!(
        project.authority()? == authority,
        "clients would have to trust another authority"
    );
    ensure!(
        project.admin()?.password == admin.password,
        "the first password is another one"
    );
    let api = project.api(Some(admin))?;
    for (repository, digest) in digests {
        let answer = api.manifest(&repository, "1")?.expect(200)?;
        ensure!(answer.header("docker-content-digest")? == digest, "{answer}");
    }
    api.push_small_image("admin/app0", "2", "afterwards").map(drop)
}
