//! A private registry with accounts in a file, as people run `registry:2`.

use harness::api::Api;
use harness::engine::Docker;
use harness::open_registry::{Choices, OpenRegistry};
use harness::peer::{Auth, DockerRegistry, htpasswd};
use harness::{Account, Journey, Need, Result, Suite, ensure};
use http::Method;

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "htpasswd",
        "docker_logs_in_pushes_and_pulls_with_an_account_from_a_file",
        &[Need::Portolan, Need::Docker, Need::Htpasswd],
        docker,
    );
    suite.add(
        "htpasswd",
        "challenges_and_verdicts_are_those_of_distribution",
        &[Need::Portolan, Need::DockerRegistry, Need::Htpasswd],
        beside_distribution,
    );
}

fn alice() -> Account {
    Account {
        name: "alice".to_owned(),
        password: "correct horse of alice".to_owned(),
    }
}

fn start(journey: &Journey) -> Result<OpenRegistry> {
    let (account, file) = (alice(), journey.folder().join("accounts"));
    htpasswd(&file, &account.name, &account.password)?;
    let auth = format!(
        "auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
        file.display()
    );
    let choices = Choices {
        config: auth,
        ..Choices::default()
    };
    OpenRegistry::start(journey, &journey.subfolder("store")?, &choices)
}

fn docker(journey: &Journey) -> Result<()> {
    let registry = start(journey)?;
    let docker = Docker::new(journey)?;
    let host = format!("localhost:{}", registry.port());
    let image = format!("{host}/private/hello:1");
    docker.import(&image, "hello from a private registry")?;
    docker
        .line(["push", &image])
        .fails()?
        .says("no basic auth credentials")?;
    let wrong = Account {
        password: "a guess".to_owned(),
        ..alice()
    };
    docker.login(&host, &wrong).fails()?.says("unauthorized")?;
    docker
        .login(&host, &alice())
        .succeeds()?
        .says("Login Succeeded")?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    docker.line(["pull", &image]).succeeds()?;
    let said = docker.run(&image)?;
    ensure!(said.contains("hello from a private registry"), "{said}");
    docker.line(["logout", &host]).succeeds()?;
    docker.forget(&[&image])?;
    docker
        .line(["pull", &image])
        .fails()?
        .says("no basic auth credentials")?;
    Ok(())
}

/// The same questions to both.
fn beside_distribution(journey: &Journey) -> Result<()> {
    let ours = start(journey)?;
    let file = journey.folder().join("accounts");
    let folder = journey.subfolder("peer")?;
    let peer = DockerRegistry::start(&folder, &journey.subfolder("peer-store")?, &Auth::Htpasswd(file))?;
    let right = alice().basic();
    let of = |name: &str, password: &str| {
        Account {
            name: name.to_owned(),
            password: password.to_owned(),
        }
        .basic()
    };
    let wrong = [
        of("alice", "guess"),
        of("nobody", &alice().password),
        "Bearer x".to_owned(),
        "Basic ?".to_owned(),
    ];
    let (ours, theirs) = (ours.api()?, Api::new(&peer.url(), None)?);
    for path in ["/v2/", "/v2/_catalog", "/v2/a/tags/list", "/v2/a/manifests/1"] {
        for authorization in wrong.iter().map(Some).chain([None, Some(&right)]) {
            let headers: Vec<_> = authorization
                .iter()
                .map(|value| ("authorization", value.as_str()))
                .collect();
            let ask = |api: &Api| api.send(Method::GET, path, &headers, bytes::Bytes::new());
            let (mine, other) = (ask(&ours)?, ask(&theirs)?);
            ensure!(
                mine.status == other.status,
                "{path} {authorization:?}: {mine} and {other}"
            );
            for header in ["www-authenticate", "docker-distribution-api-version"] {
                let value = |answer: &harness::api::Answer| answer.headers.get(header).cloned();
                ensure!(
                    value(&mine) == value(&other),
                    "{path} {authorization:?}: {mine} and {other}"
                );
            }
            if mine.status == 401 {
                ensure!(mine.error_code()? == other.error_code()?, "{mine} and {other}");
            }
        }
    }
    Ok(())
}
