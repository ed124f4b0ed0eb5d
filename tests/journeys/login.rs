//! `docker login` and `logout`.

use harness::engine::Docker;
use harness::{Account, Journey, Need, Result, Server, Suite, ensure};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "login",
        "docker_login_with_the_right_password_succeeds",
        &[Need::Docker],
        right_password,
    );
    suite.add(
        "login",
        "docker_login_with_a_wrong_password_is_refused",
        &[Need::Docker],
        wrong_password,
    );
    suite.add(
        "login",
        "after_docker_logout_a_push_is_denied",
        &[Need::Docker],
        logout,
    );
}

fn right_password(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "login")?;
    let docker = Docker::new(journey)?;
    docker
        .login(&server.host(), &account)
        .succeeds()?
        .says("Login Succeeded")?;
    let config = std::fs::read_to_string(docker.config().join("config.json"))?;
    ensure!(
        config.contains(&server.host()),
        "the client kept no login: {config}"
    );
    Ok(())
}

fn wrong_password(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "login")?;
    let docker = Docker::new(journey)?;
    let wrong = Account {
        password: "a guess".to_owned(),
        ..account
    };
    docker
        .login(&server.host(), &wrong)
        .fails()?
        .says("unauthorized")?;
    let nobody = Account {
        name: "nobody-has-this-name".to_owned(),
        ..wrong
    };
    docker
        .login(&server.host(), &nobody)
        .fails()?
        .says("unauthorized")?;
    Ok(())
}

fn logout(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "logout")?;
    let docker = Docker::new(journey)?;
    let image = format!("{}/{}/logout:1", server.host(), account.name);
    docker.import(&image, "never pushed")?;
    docker.login(&server.host(), &account).succeeds()?;
    docker
        .line(["logout", &server.host()])
        .succeeds()?
        .says("Removing login credentials")?;
    let pushed = docker.line(["push", &image]).fails()?;
    let denied = ["denied", "no basic auth credentials"]
        .iter()
        .any(|text| pushed.text().contains(text));
    ensure!(denied, "should have been denied: {pushed}");
    docker.forget(&[&image])
}
