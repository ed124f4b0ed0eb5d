//! The tutorial of a private registry, as people follow it: a certificate of their own by openssl, accounts by htpasswd, and
//! an engine on another machine; set up by variables, and by a file.

use std::path::Path;

use harness::engine::Docker;
use harness::layout::busybox_folder;
use harness::machine::Machine;
use harness::process::Daemon;
use harness::server::probe;
use harness::{Account, Journey, Need, Result, Suite, ensure};

use crate::podman::tool;
use crate::skopeo::credentials;
use crate::tls::Trust;

pub(crate) fn add(suite: &mut Suite) {
    let needs = &[
        Need::Portolan,
        Need::NetworkNamespace,
        Need::Docker,
        Need::Openssl,
        Need::Curl,
        Need::Htpasswd,
    ];
    suite.add(
        "tutorial_private",
        "a_registry_with_a_certificate_and_accounts_is_set_up_by_variables",
        needs,
        by_variables,
    );
    suite.add(
        "tutorial_private",
        "a_registry_with_a_certificate_and_accounts_is_set_up_by_a_file",
        needs,
        by_file,
    );
    let two_platforms_need = &[
        Need::Portolan,
        Need::NetworkNamespace,
        Need::Docker,
        Need::Openssl,
        Need::Buildah,
    ];
    suite.add(
        "tutorial_private",
        "an_image_for_two_platforms_is_pushed_by_buildah_and_pulled_by_platform",
        two_platforms_need,
        two_platforms,
    );
}

/// The configuration of the tutorial without what variables say.
const CONFIG: &str = "version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
";

/// The variables that name the certificate.
fn certificate(machine: &Machine<'_>) -> Vec<(&'static str, String)> {
    let path = |name: &str| machine.path(name).display().to_string();
    vec![
        ("REGISTRY_HTTP_TLS_CERTIFICATE", path("certs/server-crt.pem")),
        ("REGISTRY_HTTP_TLS_KEY", path("certs/server-key.pem")),
    ]
}

/// `ADDRESS:PORT`, as clients name the registry.
fn host(machine: &Machine<'_>) -> String {
    format!("{}:5000", machine.address())
}

fn start(machine: &Machine<'_>, config: &Path, variables: &[(&str, String)]) -> Result<Daemon> {
    let url = format!("https://{}/v2/", host(machine));
    machine.start_registry(config, variables, || probe(&url))
}

fn by_variables(journey: &Journey) -> Result<()> {
    let machine = Machine::make(journey)?;
    machine.make_certificate()?;
    machine.make_accounts("htpasswd")?;
    let config = machine.path("config.yml");
    std::fs::write(&config, CONFIG)?;
    let mut variables = certificate(&machine);
    let accounts = machine.path("auth/htpasswd").display().to_string();
    variables.extend([
        ("REGISTRY_AUTH", "htpasswd".to_owned()),
        ("REGISTRY_AUTH_HTPASSWD_REALM", "Registry Realm".to_owned()),
        ("REGISTRY_AUTH_HTPASSWD_PATH", accounts),
    ]);
    let _registry = start(&machine, &config, &variables)?;
    follow(journey, &machine, "Registry Realm")
}

/// The file holds the accounts too, and our own program made them.
fn by_file(journey: &Journey) -> Result<()> {
    let machine = Machine::make(journey)?;
    machine.make_certificate()?;
    machine.make_accounts(machine.link("htpasswd")?)?;
    let _registry = start(&machine, &file(&machine)?, &certificate(&machine))?;
    follow(journey, &machine, "basic-realm")
}

/// The whole file of the tutorial.
fn file(machine: &Machine<'_>) -> Result<std::path::PathBuf> {
    let config = machine.path("config.yml");
    let accounts = machine.path("auth/htpasswd");
    let auth = format!(
        "auth:\n  htpasswd:\n    realm: basic-realm\n    path: {}\n",
        accounts.display()
    );
    std::fs::write(&config, format!("{CONFIG}{auth}"))?;
    Ok(config)
}

/// All that the tutorial does with the registry.
fn follow(journey: &Journey, machine: &Machine<'_>, realm: &str) -> Result<()> {
    let (host, docker) = (host(machine), Docker::new(journey)?);
    let image = format!("{host}/testuser/hello:1");
    docker.import(&image, "hello from a private registry")?;
    let pem = machine.certificate()?;
    {
        // The engine takes authorities from files that end in `.crt` alone.
        let _trust = Trust::place_as(&host, "server-crt.pem", &pem)?;
        docker
            .login(&host, &machine.user)
            .fails()?
            .says("certificate signed by unknown authority")?;
    }
    let _trust = Trust::place_as(&host, "server-crt.crt", &pem)?;
    docker
        .line(["push", &image])
        .fails()?
        .says("no basic auth credentials")?;
    let wrong = Account {
        password: "wrong".to_owned(),
        ..machine.user.clone()
    };
    docker.login(&host, &wrong).fails()?.says("401 Unauthorized")?;
    docker
        .login(&host, &machine.user)
        .succeeds()?
        .says("Login Succeeded")?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    docker.line(["pull", &image]).succeeds()?;
    let said = docker.run(&image)?;
    ensure!(said == "hello from a private registry\n", "the image says {said}");
    docker.forget(&[&image])?;
    docker.line(["logout", &host]).succeeds()?;
    docker
        .line(["pull", &image])
        .fails()?
        .says("no basic auth credentials")?;
    ask(machine, realm)
}

/// What curl sees with the account, with a wrong password and without any.
fn ask(machine: &Machine<'_>, realm: &str) -> Result<()> {
    let user = credentials(&machine.user);
    let wrong = format!("{}:wrong", machine.user.name);
    let challenge = format!("www-authenticate: basic realm=\"{}\"", realm.to_lowercase());
    for (path, expected) in [
        ("/v2/", "{}"),
        ("/v2/_catalog", r#"{"repositories":["testuser/hello"]}"#),
        (
            "/v2/testuser/hello/tags/list",
            r#"{"name":"testuser/hello","tags":["1"]}"#,
        ),
    ] {
        let url = format!("https://{}{path}", host(machine));
        let said = machine.curl(&url).args(["-u", &user]).succeeds()?.stdout;
        ensure!(said.trim_end() == expected, "{path}: {said}");
        for refused in [
            machine.curl(&url).arg("-i"),
            machine.curl(&url).args(["-i", "-u", &wrong]),
        ] {
            let head = refused.succeeds()?.stdout.to_lowercase();
            for words in [" 401", &challenge, "unauthorized"] {
                ensure!(head.contains(words), "{path}, refused: {head}");
            }
        }
    }
    // By the name too.
    let name = format!("registry.test:5000:{}", machine.address());
    let line = machine.curl("https://registry.test:5000/v2/");
    let said = line.args(["-u", &user, "--resolve", &name]).succeeds()?.stdout;
    ensure!(said == "{}", "by name: {said}");
    Ok(())
}

const PLATFORMS: [&str; 2] = ["amd64", "arm64"];

fn two_platforms(journey: &Journey) -> Result<()> {
    let machine = Machine::make(journey)?;
    machine.make_certificate()?;
    machine.make_accounts(machine.link("htpasswd")?)?;
    let _registry = start(&machine, &file(&machine)?, &certificate(&machine))?;
    let (host, docker) = (host(&machine), Docker::new(journey)?);
    let _trust = Trust::place_as(&host, "ca.crt", &machine.certificate()?)?;
    let image = format!("{host}/testuser/multi:1");

    let context = journey.subfolder("context")?;
    busybox_folder(&context.join("root"))?;
    let file = "FROM scratch\nARG TARGETARCH\nCOPY root /\nCOPY says-$TARGETARCH /says\nCMD [\"/bin/cat\", \"/says\"]\n";
    std::fs::write(context.join("Containerfile"), file)?;
    for platform in PLATFORMS {
        std::fs::write(
            context.join(format!("says-{platform}")),
            format!("for {platform}\n"),
        )?;
        tool(journey, "buildah", "storage")?
            .args(["build", "--isolation", "chroot", "--layers=false", "--platform"])
            .args([&format!("linux/{platform}"), "--manifest", &image])
            .arg(&context)
            .succeeds()?;
    }
    let (trusted, creds) = (journey.subfolder("trusted")?, credentials(&machine.user));
    std::fs::write(trusted.join("ca.crt"), machine.certificate()?)?;
    let push = || -> Result<_> {
        let line = tool(journey, "buildah", "storage")?.args(["manifest", "push", "--all", "--cert-dir"]);
        Ok(line.arg(&trusted))
    };
    let remote = format!("docker://{image}");
    push()?.args([&image, &remote]).fails()?;
    push()?.args(["--creds", &creds, &image, &remote]).succeeds()?;

    docker.login(&host, &machine.user).succeeds()?;
    for platform in PLATFORMS {
        let wanted = format!("linux/{platform}");
        docker.line(["pull", "--platform", &wanted, &image]).succeeds()?;
        let inspect = [
            "image",
            "inspect",
            "--format",
            "{{.Os}}/{{.Architecture}}",
            &image,
        ];
        let is = docker.line(inspect).succeeds()?.stdout;
        ensure!(is.trim_end() == wanted, "{wanted} was asked for and is {is}");
        docker
            .line([
                "create",
                "--network",
                "none",
                "--name",
                &container(platform),
                &image,
            ])
            .succeeds()?;
        let says = docker
            .line(["cp", &format!("{}:/says", container(platform)), "-"])
            .succeeds()?
            .stdout;
        ensure!(says.contains(&format!("for {platform}")), "{platform}: {says}");
        docker.line(["rm", &container(platform)]).succeeds()?;
        docker.forget(&[&image])?;
    }
    Ok(())
}

fn container(platform: &str) -> String {
    format!("of-{platform}-{}", std::process::id())
}
