//! Libraries that programs use: the `docker` package from PyPI and the `oci-client` crate.

use harness::command::RUNTIME;
use harness::engine::Docker;
use harness::{Context, Journey, Need, Result, Server, Suite, bail, ensure};
use oci_client::client::{Client, ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::manifest::IMAGE_LAYER_GZIP_MEDIA_TYPE;
use oci_client::secrets::RegistryAuth;

pub(crate) fn add(suite: &mut Suite) {
    let python = &[Need::Docker, Need::PythonDocker];
    suite.add(
        "sdk",
        "the_docker_package_of_python_logs_in_pushes_and_pulls",
        python,
        python_docker,
    );
    suite.add(
        "sdk",
        "the_oci_client_crate_pushes_and_pulls",
        &[],
        oci_client_crate,
    );
    suite.add(
        "sdk",
        "the_oci_client_crate_is_refused_a_foreign_repository",
        &[Need::Portolan],
        oci_client_refused,
    );
}

fn python_docker(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "python")?;
    let docker = Docker::new(journey)?;
    let repository = format!("{}/{}/sdk", server.host(), account.name);
    docker.import(&format!("{repository}:1"), "pushed by python")?;
    let script = journey.folder().join("docker_sdk.py");
    std::fs::write(&script, include_str!("docker_sdk.py"))?;
    let python = harness::need::python().map_err(harness::Error::msg)?;
    let line = journey
        .command(python)
        .arg(&script)
        .args([&server.host(), &account.name, &repository]);
    // The package reads the same folder as the command-line client; it must not find somebody else's login.
    let line = line
        .env("DOCKER_HOST", docker.engine_address())
        .env("DOCKER_CONFIG", docker.config());
    line.env("PASSWORD", &account.password)
        .succeeds()?
        .says("all well")
        .map(drop)
}

fn client() -> Client {
    Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    })
}

fn oci_client_crate(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "crate")?;
    let reference: oci_client::Reference = format!("{}/{}/artifact:1", server.host(), account.name)
        .parse()
        .context("parse the reference")?;
    let auth = RegistryAuth::Basic(account.name.clone(), account.password.clone());
    let layers = vec![ImageLayer::oci_v1_gzip(vec![7_u8; 3_000_000], None)];
    let config = Config::oci_v1(b"{}".to_vec(), None);
    let image = RUNTIME.block_on(async {
        client()
            .push(&reference, &layers, config, &auth, None)
            .await
            .context("push")?;
        // Another client: nothing remembered from the push.
        client()
            .pull(&reference, &auth, vec![IMAGE_LAYER_GZIP_MEDIA_TYPE])
            .await
            .context("pull")
    })?;
    ensure!(image.layers.len() == 1, "{} layers came back", image.layers.len());
    ensure!(
        image.layers[0].data == layers[0].data,
        "the layer came back changed"
    );
    Ok(())
}

fn oci_client_refused(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (alice, bob) = (server.account(journey, "alice")?, server.account(journey, "bob")?);
    let repository = format!("{}/artifact", alice.name);
    server
        .api(&alice)?
        .push_small_image(&repository, "1", "for alice alone")?;
    let reference: oci_client::Reference = format!("{}/{repository}:1", server.host()).parse()?;
    let auth = RegistryAuth::Basic(bob.name, bob.password);
    let pulled = RUNTIME.block_on(async {
        client()
            .pull(&reference, &auth, vec![IMAGE_LAYER_GZIP_MEDIA_TYPE])
            .await
    });
    match pulled {
        Ok(_) => bail!("bob pulled alice's private repository"),
        Err(error) => {
            journey.note(&format!("refused: {error}"));
            Ok(())
        }
    }
}
