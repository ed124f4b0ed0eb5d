//! Everybody may pull and accounts may push: a policy, with real engines.

use harness::engine::Docker;
use harness::open_registry::{Choices, OpenRegistry};
use harness::peer::htpasswd;
use harness::{Account, Journey, Need, Result, Suite, ensure};

use crate::skopeo::{credentials, two_architectures};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "auth_policy",
        "docker_pulls_without_an_account_and_pushes_with_one",
        &[Need::Portolan, Need::Docker, Need::Htpasswd],
        docker,
    );
    suite.add(
        "auth_policy",
        "skopeo_and_curl_see_what_the_policy_gives",
        &[Need::Portolan, Need::Skopeo, Need::Curl, Need::Htpasswd],
        others,
    );
}

fn account(name: &str) -> Account {
    Account {
        name: name.to_owned(),
        password: format!("correct horse of {name}"),
    }
}

/// Everybody may pull `public/…`, accounts may push there, and alice alone may what is hers.
fn start(journey: &Journey) -> Result<OpenRegistry> {
    let file = journey.folder().join("accounts");
    for name in ["alice", "bob"] {
        let account = account(name);
        htpasswd(&file, &account.name, &account.password)?;
    }
    let config = format!(
        "auth:\n  htpasswd:\n    realm: test\n    path: {}\n  policy:\n    - users: [anonymous]\n      repositories: \
         [public/*]\n      actions: [pull]\n    - users: ['*']\n      repositories: [public/*]\n      actions: [pull, \
         push]\n    - users: [alice]\n      repositories: [alice/**]\n      actions: ['*']\n",
        file.display()
    );
    let choices = Choices {
        config,
        ..Choices::default()
    };
    OpenRegistry::start(journey, &journey.subfolder("store")?, &choices)
}

fn docker(journey: &Journey) -> Result<()> {
    let registry = start(journey)?;
    let docker = Docker::new(journey)?;
    let host = format!("localhost:{}", registry.port());
    let (public, private) = (
        format!("{host}/public/hello:1"),
        format!("{host}/alice/a/hello:1"),
    );
    docker.import(&public, "hello everybody")?;
    docker.line(["tag", &public, &private]).succeeds()?;
    // Nobody may push.
    docker.line(["push", &public]).fails()?;
    let wrong = Account {
        password: "a guess".to_owned(),
        ..account("bob")
    };
    docker.login(&host, &wrong).fails()?.says("unauthorized")?;
    docker
        .login(&host, &account("bob"))
        .succeeds()?
        .says("Login Succeeded")?;
    docker.line(["push", &public]).succeeds()?;
    docker.line(["push", &private]).fails()?.says("denied")?;
    docker.line(["logout", &host]).succeeds()?;
    docker.login(&host, &account("alice")).succeeds()?;
    docker.line(["push", &private]).succeeds()?;
    docker.line(["logout", &host]).succeeds()?;
    docker.forget(&[&public, &private])?;
    // Nobody may pull what is public, and nothing else.
    docker.line(["pull", &public]).succeeds()?;
    let said = docker.run(&public)?;
    ensure!(said == "hello everybody\n", "{said}");
    docker.line(["pull", &private]).fails()?;
    docker.login(&host, &account("alice")).succeeds()?;
    docker.line(["pull", &private]).succeeds()?;
    docker.forget(&[&public, &private])?;
    Ok(())
}

fn others(journey: &Journey) -> Result<()> {
    let registry = start(journey)?;
    let (layout, _) = two_architectures(journey, "layout")?;
    let source = format!("oci:{}:multi", layout.folder().display());
    let at = |name: &str| format!("docker://localhost:{}/{name}:1", registry.port());
    let copy = |name: &str, from: Option<&str>| {
        let line = journey
            .command("skopeo")
            .args(["copy", "--all", "--dest-tls-verify=false"]);
        let line = match from {
            Some(from) => line.args(["--dest-creds", &credentials(&account(from))]),
            None => line,
        };
        line.arg(&source).arg(at(name))
    };
    copy("public/x", None).fails()?;
    copy("public/x", Some("bob")).succeeds()?;
    copy("alice/x", Some("bob")).fails()?.says("403 (Forbidden)")?;
    copy("alice/x", Some("alice")).succeeds()?;
    let inspect = |name: &str| {
        let line = journey
            .command("skopeo")
            .args(["inspect", "--raw", "--tls-verify=false"]);
        line.arg("--no-creds").arg(at(name))
    };
    inspect("public/x").succeeds()?;
    inspect("alice/x").fails()?;
    let curl = |path: &str, from: Option<&str>| -> Result<String> {
        let line = journey.command("curl").args(["-sS", "-w", " %{http_code}"]);
        let line = match from {
            Some(from) => line.args(["-u", &credentials(&account(from))]),
            None => line,
        };
        let url = format!("http://localhost:{}{path}", registry.port());
        Ok(line.arg(url).succeeds()?.stdout)
    };
    for (path, from, expected) in [
        (
            "/v2/public/x/tags/list",
            None,
            r#"{"name":"public/x","tags":["1"]} 200"#,
        ),
        ("/v2/_catalog", None, r#"{"repositories":["public/x"]} 200"#),
        (
            "/v2/_catalog",
            Some("bob"),
            r#"{"repositories":["public/x"]} 200"#,
        ),
        (
            "/v2/_catalog",
            Some("alice"),
            r#"{"repositories":["alice/x","public/x"]} 200"#,
        ),
        (
            "/v2/_catalog?n=1",
            Some("alice"),
            r#"{"repositories":["alice/x"]} 200"#,
        ),
        ("/v2/", Some("bob"), "{} 200"),
    ] {
        let said = curl(path, from)?;
        ensure!(said == expected, "{path} as {from:?}: {said}");
    }
    for (path, from, status) in [
        ("/v2/", None, "401"),
        ("/v2/alice/x/tags/list", None, "401"),
        ("/v2/alice/x/tags/list", Some("bob"), "403"),
        ("/v2/_portolan/token", None, "200"),
    ] {
        let said = curl(path, from)?;
        ensure!(said.ends_with(status), "{path} as {from:?}: {said}");
    }
    Ok(())
}
