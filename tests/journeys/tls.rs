//! HTTPS on an address of the test's own: `--tls-self-signed`, trusted through `certs.d` and nowhere else.

use std::path::PathBuf;

use harness::api::Api;
use harness::engine::Docker;
use harness::netns::NetworkNamespace;
use harness::server::Options;
use harness::{Context, Journey, Need, Result, Server, Suite, ensure};

use crate::skopeo::credentials;

pub(crate) fn add(suite: &mut Suite) {
    let needs = &[
        Need::Portolan,
        Need::NetworkNamespace,
        Need::Docker,
        Need::Skopeo,
        Need::Openssl,
    ];
    suite.add(
        "tls",
        "docker_and_skopeo_trust_a_self_signed_server_through_certs_d",
        needs,
        self_signed,
    );
    suite.add(
        "tls",
        "an_address_that_is_not_loopback_needs_a_public_url",
        &[Need::Portolan],
        refusal,
    );
}

/// A folder of `/etc/docker/certs.d`, the one place where an engine looks; removed when dropped.
pub(crate) struct Trust(PathBuf);

impl Trust {
    /// Engines of this machine believe the certificate of this host, until it is dropped.
    pub(crate) fn place(host: &str, pem: &str) -> Result<Self> {
        Self::place_as(host, "ca.crt", pem)
    }

    /// The same under another name.
    pub(crate) fn place_as(host: &str, name: &str, pem: &str) -> Result<Self> {
        let folder = PathBuf::from("/etc/docker/certs.d").join(host);
        std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        let trust = Self(folder);
        std::fs::write(trust.0.join(name), pem).context("place the certificate")?;
        Ok(trust)
    }
}

impl Drop for Trust {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The last line of a certificate (RFC 7468).
const END: &str = "-----END CERTIFICATE-----";

fn self_signed(journey: &Journey) -> Result<()> {
    let space = NetworkNamespace::make()?;
    let address = space.inside().to_owned();
    let options = Options {
        arguments: vec!["--tls-self-signed".to_owned()],
        launcher: space.launcher(),
        address: Some(address),
        ..Options::default()
    };
    let server = Server::own(journey, options)?;
    let account = server.account(journey, "tls")?;
    let shown = journey
        .command("openssl")
        .args(["s_client", "-showcerts", "-connect", &server.host()]);
    let shown = shown.stdin("").succeeds()?.stdout;
    let begin = shown
        .find("-----BEGIN CERTIFICATE-----")
        .context("no certificate was shown")?;
    let end = shown.rfind(END).context("no certificate was shown")? + END.len();
    let pem = &shown[begin..end];

    let api = Api::trusting(&server.url(), Some(account.clone()), pem.as_bytes())?;
    api.get("/v2/")?.expect(200)?;
    let image = format!("{}/{}/secure:1", server.host(), account.name);
    let docker = Docker::new(journey)?;
    docker.import(&image, "over TLS")?;
    docker
        .login(&server.host(), &account)
        .fails()?
        .says("certificate signed by unknown authority")?;
    {
        let _trust = Trust::place(&server.host(), pem)?;
        docker.login(&server.host(), &account).succeeds()?;
        docker.line(["push", &image]).succeeds()?;
        docker.forget(&[&image])?;
        docker.line(["pull", &image]).succeeds()?;
        ensure!(
            docker.run(&image)? == "over TLS\n",
            "the pulled image runs otherwise"
        );
        docker.forget(&[&image])?;
    }
    let folder = journey.subfolder("certificates")?;
    std::fs::write(folder.join("ca.crt"), pem)?;
    let inspect = ["inspect", "--raw", "--creds", &credentials(&account)];
    let remote = format!("docker://{image}");
    journey
        .command("skopeo")
        .args(inspect)
        .arg(&remote)
        .fails()?
        .says("certificate")?;
    journey
        .command("skopeo")
        .args(inspect)
        .arg("--cert-dir")
        .arg(&folder)
        .arg(&remote)
        .succeeds()?;
    Ok(())
}

fn refusal(journey: &Journey) -> Result<()> {
    let program = harness::binaries::path_of("portolan")?;
    let line = journey
        .command(program)
        .args(["up", "--listen", "0.0.0.0:0", "--data"]);
    let refused = line
        .arg(journey.folder().join("data"))
        .fails()?
        .says("--public-url")?;
    ensure!(
        !journey.folder().join("data").exists(),
        "a refused start made the data folder: {refused}"
    );
    Ok(())
}
