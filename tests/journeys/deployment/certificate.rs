//! Certificates and signing keys take turns while clients work.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::api::Api;
use harness::certificate::Certificate;
use harness::process::{free_port, wait_for};
use harness::{Context as _, Journey, Need, Result, Suite, ensure};

use super::NEEDS;
use super::first_push::front_started;
use super::load::Load;
use super::project::{PATIENCE, Project};
use crate::acme::authority::{Authority, Proofs};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "deployment",
        "an_operators_certificate_is_replaced_without_a_restart",
        &[&NEEDS[..], &[Need::Openssl]].concat(),
        own,
    );
    suite.add(
        "deployment",
        "certbot_gets_a_certificate_through_the_front_door_and_nginx_serves_it_without_a_restart",
        &[&NEEDS[..], &[Need::Openssl, Need::Pebble, Need::Certbot]].concat(),
        acme,
    );
    suite.add(
        "deployment",
        "signing_keys_take_turns_and_no_client_notices",
        &NEEDS,
        keys,
    );
}

/// An authority of the operator's and a certificate of it for the server.
fn pair(project: &Project<'_>, name: &str) -> Result<(Certificate, Certificate)> {
    let folder = project.journey.subfolder(name)?;
    let issuer = Certificate::authority(project.journey, &folder, name)?;
    let extensions = format!(
        "basicConstraints=CA:false\nsubjectAltName=IP:{},DNS:localhost\n",
        project.address()
    );
    let own = issuer.issue(project.journey, &folder, "server", &extensions)?;
    Ok((issuer, own))
}

/// Has the shipped script put a pair into the folder.
fn place(project: &Project<'_>, folder: &Path, pair: &Certificate) -> Result<()> {
    let words = [folder, &pair.certificate, &pair.key].map(|path| path.display().to_string());
    let words = words.each_ref().map(String::as_str);
    project.line("deploy/certificate.sh", &words).succeeds().map(drop)
}

fn folder(project: &Project<'_>) -> Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = project.folder.join("tls");
    std::fs::create_dir(&folder)?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))?;
    project.set("PORTOLAN_TLS", folder.display().to_string());
    Ok(folder)
}

fn own(journey: &Journey) -> Result<()> {
    let project = Project::prepare(journey, "")?;
    let folder = folder(&project)?;
    let (first_issuer, first) = pair(&project, "first")?;
    let (second_issuer, second) = pair(&project, "second")?;
    place(&project, &folder, &first)?;
    project.trust(&first_issuer.certificate)?;
    project.up(&[])?;
    let admin = project.admin()?;
    let api = project.api(Some(admin.clone()))?;
    api.push_small_image("admin/app", "1", "before")?;
    let started = front_started(&project)?;

    place(&project, &folder, &second)?;
    let former = project.api(Some(admin.clone()))?;
    let refused = former.get("/v2/");
    ensure!(refused.is_err(), "the former certificate is served: {refused:?}");
    project.trust(&second_issuer.certificate)?;
    let api = project.api(Some(admin))?;
    api.manifest("admin/app", "1")?.expect(200)?;
    api.push_small_image("admin/app", "2", "afterwards")?;
    ensure!(front_started(&project)? == started, "nginx was restarted");

    // The next start takes what the operator brought, and refuses what does not fit before clients see it.
    project
        .compose(&["run", "--rm", "-T", "--no-deps", "setup"])
        .succeeds()?;
    std::fs::copy(&first.key, folder.join("tls.key"))?;
    project
        .compose(&["run", "--rm", "-T", "--no-deps", "setup"])
        .fails()?
        .says("does not fit the certificate")
        .map(drop)
}

const NAME: &str = "hub.test";

fn acme(journey: &Journey) -> Result<()> {
    let project = Project::prepare(journey, "")?;
    let folder = folder(&project)?;
    project.set("PORTOLAN_HOST", NAME);
    // The deployment has a certificate of its own until the authority's comes.
    project.up(&[])?;
    let admin = project.admin()?;
    let started = front_started(&project)?;
    let proofs = Proofs {
        address: project.address().parse()?,
        http: project.clear_port(),
        tls: free_port()?,
        // certbot tries once more and gives up then.
        refused_nonces: 0,
    };
    let authority = Authority::start_for(journey, &proofs, Duration::from_hours(24 * 30))?;

    let volume = project.volume("acme");
    let line = project
        .docker
        .line(["volume", "inspect", "--format", "{{.Mountpoint}}", &volume]);
    let webroot = line.succeeds()?.stdout.trim().to_owned();
    let hook = format!("deploy/certificate.sh {}", folder.display());
    let state = journey.subfolder("certbot")?;
    let certbot = |words: &[&str]| {
        let mut line = project
            .line("certbot", words)
            .env("REQUESTS_CA_BUNDLE", authority.trusted())
            .args(["--non-interactive", "--server", &authority.directory()]);
        for name in ["config", "work", "logs"] {
            line = line.arg(format!("--{name}-dir")).arg(state.join(name));
        }
        line.limit(PATIENCE)
    };
    certbot(&["certonly", "--agree-tos", "--email", "operator@hub.test"])
        .args(["--webroot", "--webroot-path", &webroot, "--domain", NAME])
        .args(["--deploy-hook", &hook])
        .succeeds()?;
    ensure!(authority.orders()? == 1, "nothing was ordered");
    let root = authority.root(journey)?;
    project.trust(&root)?;
    let digest =
        project
            .api(Some(admin.clone()))?
            .push_small_image("admin/app", "1", "with a certificate by ACME")?;
    let first = std::fs::read(folder.join("tls.crt"))?;

    // As certbot's timer does it, when the time has come.
    certbot(&["renew", "--force-renewal", "--no-random-sleep-on-renew"]).succeeds()?;
    ensure!(
        std::fs::read(folder.join("tls.crt"))? != first,
        "nothing was renewed"
    );
    let answer = project
        .api(Some(admin))?
        .manifest("admin/app", "1")?
        .expect(200)?;
    ensure!(answer.header("docker-content-digest")? == digest, "{answer}");
    ensure!(front_started(&project)? == started, "nginx was restarted");
    // The next start of the setup takes it for the operator's, and keeps it.
    let now = std::fs::read(folder.join("tls.crt"))?;
    project
        .compose(&["run", "--rm", "-T", "--no-deps", "setup"])
        .succeeds()?;
    ensure!(
        std::fs::read(folder.join("tls.crt"))? == now,
        "the setup made another one"
    );
    Ok(())
}

/// Keys that are published soon, so that the next one can take its turn within the test.
const SOON: &str = "services:
  index: {environment: {INDEX_TOKEN_KEY_NOTICE: 30s}}
  portolan: {environment: {INDEX_TOKEN_KEY_NOTICE: 30s}}
";

fn keys(journey: &Journey) -> Result<()> {
    let project = Project::prepare(journey, SOON)?;
    project.up(&["--scale", "index=2"])?;
    let admin = project.admin()?;
    let api = project.api(Some(admin.clone()))?;
    let before = key_of(&api)?;
    let load = Load::default();
    std::thread::scope(|scope| {
        load.start(scope, &project, &admin, 2)?;
        let done = (|| {
            load.wait_for_rounds(5)?;
            let words = ["run", "--rm", "-T", "--no-deps", "portolan", "keys", "rotate"];
            let config = ["--config", "/etc/portolan/index/index.yml"];
            project
                .compose(&[&words[..], &config].concat())
                .succeeds()?
                .says("the next key signs from")?;
            wait_for("tokens of the next key", PATIENCE, || {
                Ok((key_of(&api)? != before).then_some(()))
            })?;
            load.wait_for_rounds(20).map(drop)
        })();
        load.end();
        done
    })?;
    let (failures, last) = load.failures();
    ensure!(failures == 0, "{failures} attempts failed: {last}");
    load.verify(&api).map(drop)
}

/// The id of the key that a new token is signed with.
fn key_of(api: &Api) -> Result<String> {
    let realm = api.url("/token");
    let service = api.base().trim_start_matches("https://").to_owned();
    let answer = api.token(&realm, &service, &[])?.expect(200)?.json()?;
    let token = answer["token"].as_str().context("no token")?;
    let header = token.split('.').next().unwrap_or_default();
    let header: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header)?)?;
    Ok(header["kid"].as_str().context("no kid")?.to_owned())
}
