//! The tutorial of a registry behind nginx, as people follow it, with the files of `deploy/nginx`: in the clear on port 80,
//! with a certificate on port 443, with accounts that nginx checks; and what goes wrong where a line is missing.

use harness::engine::Docker;
use harness::machine::Machine;
use harness::{Account, Journey, Need, Result, Suite, ensure};

use crate::skopeo::credentials;
use crate::tls::Trust;

pub(crate) fn add(suite: &mut Suite) {
    let plain = &[
        Need::Portolan,
        Need::NetworkNamespace,
        Need::Docker,
        Need::Nginx,
        Need::Curl,
    ];
    suite.add(
        "tutorial_nginx",
        "docker_pushes_and_pulls_through_nginx_on_port_80",
        plain,
        in_the_clear,
    );
    let secured = &[
        Need::Portolan,
        Need::NetworkNamespace,
        Need::Docker,
        Need::Nginx,
        Need::Curl,
        Need::Openssl,
        Need::Htpasswd,
    ];
    suite.add(
        "tutorial_nginx",
        "docker_pushes_and_pulls_through_nginx_with_a_certificate",
        secured,
        with_a_certificate,
    );
    suite.add(
        "tutorial_nginx",
        "locations_are_absolute_through_nginx_where_that_is_wanted",
        secured,
        absolute_locations,
    );
    suite.add(
        "tutorial_nginx",
        "a_proxy_that_ends_tls_and_tells_nobody_breaks_no_push",
        secured,
        silent_proxy,
    );
    suite.add(
        "tutorial_nginx",
        "docker_pushes_and_pulls_with_accounts_that_nginx_checks",
        secured,
        with_accounts,
    );
}

/// More than nginx lets pass by itself.
const LARGE: u64 = 3 << 20;

/// Pushes a new image with a large layer, and the same under another name, forgets both, and pulls and runs them.
fn push_and_pull(docker: &Docker<'_>, host: &str) -> Result<()> {
    let (image, second) = (
        format!("{host}/distribution:2"),
        format!("{host}/second/name:two"),
    );
    docker.import_with(&image, "through nginx", LARGE)?;
    docker.line(["tag", &image, &second]).succeeds()?;
    for image in [&image, &second] {
        docker.line(["push", image]).succeeds()?;
    }
    docker.forget(&[&image, &second])?;
    for image in [&image, &second] {
        docker.line(["pull", image]).succeeds()?;
        let said = docker.run(image)?;
        ensure!(said == "through nginx\n", "the image says {said}");
    }
    docker.forget(&[&image, &second])
}

const CATALOG: &str = r#"{"repositories":["distribution","second/name"]}"#;

fn in_the_clear(journey: &Journey) -> Result<()> {
    let machine = Machine::make(journey)?;
    let _registry = machine.start_plain_registry(&[])?;
    let host = format!("{}:80", machine.address());
    let docker = Docker::new(journey)?;
    let _allowed = docker.allow_plain(&host)?;
    {
        // What nginx does by itself: the guide says which line helps.
        let forgetful = |text: String| text.replace("client_max_body_size 0;", "");
        let _nginx = machine.start_nginx("registry-http.conf", forgetful)?;
        let image = format!("{host}/too/large:1");
        docker.import_with(&image, "too large", LARGE)?;
        docker
            .line(["push", &image])
            .fails()?
            .says("413 Request Entity Too Large")?;
        docker.forget(&[&image])?;
    }
    let _nginx = machine.start_nginx("registry-http.conf", |text| text)?;
    push_and_pull(&docker, &host)?;
    let url = format!("http://{}/v2/_catalog", machine.address());
    let catalog = machine.curl(&url).succeeds()?.stdout;
    ensure!(catalog.trim_end() == CATALOG, "{catalog}");
    Ok(())
}

/// A machine with a certificate that the engine trusts, and its registry in the clear behind nginx.
fn secured(journey: &Journey) -> Result<(Machine<'_>, Trust)> {
    let machine = Machine::make(journey)?;
    machine.make_certificate()?;
    let trust = Trust::place_as(machine.address(), "ca.crt", &machine.certificate()?)?;
    Ok((machine, trust))
}

fn with_a_certificate(journey: &Journey) -> Result<()> {
    let (machine, _trust) = secured(journey)?;
    let _registry = machine.start_plain_registry(&[])?;
    let _nginx = machine.start_nginx("registry-https.conf", |text| text)?;
    push_and_pull(&Docker::new(journey)?, machine.address())?;
    let url = format!("https://{}/v2/", machine.address());
    let head = machine.curl(&url).arg("-I").succeeds()?.stdout.to_lowercase();
    for line in [
        "http/1.1 200",
        "content-length: 2",
        "docker-distribution-api-version: registry/2.0",
    ] {
        ensure!(head.contains(line), "{line} is missing: {head}");
    }
    Ok(())
}

/// What nginx tells with the shipped file is enough for whoever wants absolute locations, as the original has them.
fn absolute_locations(journey: &Journey) -> Result<()> {
    let (machine, _trust) = secured(journey)?;
    let _registry = machine.start_plain_registry(&[("REGISTRY_HTTP_RELATIVEURLS", "false".to_owned())])?;
    let _nginx = machine.start_nginx("registry-https.conf", |text| text)?;
    let (location, begin) = (
        location(&machine)?,
        format!("https://{}/v2/probe/", machine.address()),
    );
    ensure!(location.starts_with(&begin), "{location}");
    push_and_pull(&Docker::new(journey)?, machine.address())
}

/// Neither the scheme nor the host is told to the registry, and nothing that it answers is rewritten.
fn silent_proxy(journey: &Journey) -> Result<()> {
    let (machine, _trust) = secured(journey)?;
    let silent = |text: String| {
        let lines = text.lines().filter(|line| !line.contains("proxy_set_header"));
        let lines: Vec<&str> = lines.collect();
        lines
            .join("\n")
            .replace("proxy_http_version", "proxy_redirect off;\nproxy_http_version")
    };
    let _nginx;
    {
        // Absolute locations, as the original has them, lead nowhere then.
        let _registry =
            machine.start_plain_registry(&[("REGISTRY_HTTP_RELATIVEURLS", "false".to_owned())])?;
        _nginx = machine.start_nginx("registry-https.conf", silent)?;
        let location = location(&machine)?;
        ensure!(location.starts_with("http://"), "{location}");
    }
    let _registry = machine.start_plain_registry(&[])?;
    let location = location(&machine)?;
    ensure!(location.starts_with("/v2/probe/blobs/uploads/"), "{location}");
    push_and_pull(&Docker::new(journey)?, machine.address())
}

/// Where a client is sent to that begins an upload.
fn location(machine: &Machine<'_>) -> Result<String> {
    let url = format!("https://{}/v2/probe/blobs/uploads/", machine.address());
    let head = machine
        .curl(&url)
        .args(["-i", "-X", "POST", "-H", "Content-Length: 0"]);
    let head = head.succeeds()?.stdout;
    let found = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("location")
            .then(|| value.trim().to_owned())
    });
    found.ok_or_else(|| harness::anyhow!("no Location: {head}"))
}

fn with_accounts(journey: &Journey) -> Result<()> {
    let (machine, _trust) = secured(journey)?;
    machine.make_accounts("htpasswd")?;
    let _registry = machine.start_plain_registry(&[("REGISTRY_HTTP_ADDR", "127.0.0.1:5000".to_owned())])?;
    let _nginx = machine.start_nginx("registry-accounts.conf", |text| text)?;
    let (host, docker) = (machine.address(), Docker::new(journey)?);
    let image = format!("{host}/refused:1");
    docker.import(&image, "refused")?;
    docker
        .line(["push", &image])
        .fails()?
        .says("no basic auth credentials")?;
    docker.forget(&[&image])?;
    let wrong = Account {
        password: "wrong".to_owned(),
        ..machine.user.clone()
    };
    docker.login(host, &wrong).fails()?.says("401 Unauthorized")?;
    docker.login(host, &machine.user).succeeds()?;
    push_and_pull(&docker, host)?;

    let url = format!("https://{host}/v2/_catalog");
    let user = credentials(&machine.user);
    let catalog = machine.curl(&url).args(["-u", &user]).succeeds()?.stdout;
    ensure!(catalog.trim_end() == CATALOG, "{catalog}");
    // Once with the registry's answer and with nginx's own.
    for line in [machine.curl(&url), machine.curl(&url).args(["-u", &user])] {
        let head = line.arg("-i").succeeds()?.stdout.to_lowercase();
        let versions = head
            .matches("docker-distribution-api-version: registry/2.0")
            .count();
        ensure!(versions == 1, "{versions} versions: {head}");
    }
    Ok(())
}
