//! What manifests are taken: the same pushes under the same `validation` and `policy` to distribution and to ours.

use bytes::Bytes;
use harness::api::Api;
use harness::archive::digest;
use harness::layout::{IMAGE_CONFIG, IMAGE_INDEX, IMAGE_MANIFEST, LAYER_GZIP};
use harness::open_registry::{Choices, OpenRegistry};
use harness::peer::DockerRegistry;
use harness::{Journey, Need, Result, Suite, ensure};
use http::Method;
use serde_json::{Value, json};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "validation",
        "what_distribution_takes_under_a_policy_is_taken_here_and_what_it_refuses_is_refused",
        &[Need::Portolan, Need::DockerRegistry],
        verdicts,
    );
    suite.add(
        "validation",
        "listed_platforms_must_be_there_and_others_may_lack",
        &[Need::Portolan],
        platforms,
    );
}

const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_IMAGE: &str = "application/vnd.docker.container.image.v1+json";
const DOCKER_PLUGIN: &str = "application/vnd.docker.plugin.v1+json";
const DOCKER_FOREIGN: &str = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
const OCI_FOREIGN: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";

/// Sections of `config.yml`.
const POLICIES: [&str; 9] = [
    "",
    "validation: {disabled: true}\n",
    "validation: {disabled: true, enabled: true}\n",
    "validation: {manifests: {urls: {allow: ['^https://www\\.example\\.com/']}}}\n",
    "validation: {manifests: {urls: {deny: ['^https://www\\.example\\.com/']}}}\n",
    "validation: {manifests: {urls: {allow: ['^https?://([^/]+\\.)*example\\.com/', x], deny: ['^https?://www\\.']}}}\n",
    "policy: {repository: {classes: [image]}}\n",
    "policy: {repository: {classes: [plugin]}}\n",
    "policy: {repository: {classes: [chart]}}\n",
];

/// What is known to differ: the policy, the push, and why.
const DIFFERENCES: [(&str, &str, &str); 3] = [
    (
        POLICIES[1],
        "an index without its image",
        "3.0 takes it, 2.8 does not",
    ),
    (
        POLICIES[1],
        "a layer that is only there",
        "2.8 takes it, 3.0 does not",
    ),
    (
        POLICIES[3],
        "a layer that is only there",
        "2.8 takes it, 3.0 does not",
    ),
];

fn layer(media_type: &str, content: &str, urls: &[&str]) -> Value {
    let mut layer =
        json!({"mediaType": media_type, "digest": digest(content.as_bytes()), "size": content.len()});
    if !urls.is_empty() {
        layer["urls"] = json!(urls);
    }
    layer
}

fn image(media_type: &str, config: &str, layer: &Value) -> Value {
    json!({
        "schemaVersion": 2, "mediaType": media_type,
        "config": {"mediaType": config, "digest": digest(b"{}"), "size": 2},
        "layers": [layer],
    })
}

/// What is pushed: a name, a type and a body. `here` is the only layer that the repository holds.
fn pushes() -> Vec<(&'static str, &'static str, Value)> {
    let (www, other) = ("https://www.example.com/l", "https://x.example.com/l");
    let oci = |layer: Value| image(IMAGE_MANIFEST, IMAGE_CONFIG, &layer);
    let docker = |layer: Value| image(DOCKER, DOCKER_IMAGE, &layer);
    let here = || layer(LAYER_GZIP, "here", &[]);
    let index = json!({"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": [
        {"mediaType": IMAGE_MANIFEST, "digest": digest(b"nowhere"), "size": 7, "platform": {"os": "linux", "architecture": "amd64"}},
    ]});
    vec![
        ("an image", IMAGE_MANIFEST, oci(here())),
        (
            "an image of Docker's",
            DOCKER,
            docker(layer(
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "here",
                &[],
            )),
        ),
        (
            "a foreign layer",
            IMAGE_MANIFEST,
            oci(layer(OCI_FOREIGN, "there", &[www])),
        ),
        (
            "a foreign layer elsewhere",
            IMAGE_MANIFEST,
            oci(layer(OCI_FOREIGN, "there", &[other])),
        ),
        (
            "a foreign layer in two places",
            IMAGE_MANIFEST,
            oci(layer(OCI_FOREIGN, "there", &[other, www])),
        ),
        (
            "a foreign layer of Docker's",
            DOCKER,
            docker(layer(DOCKER_FOREIGN, "there", &[www])),
        ),
        (
            "a foreign layer by FTP",
            IMAGE_MANIFEST,
            oci(layer(OCI_FOREIGN, "there", &["ftp://www.example.com/l"])),
        ),
        (
            "a foreign layer's fragment",
            IMAGE_MANIFEST,
            oci(layer(OCI_FOREIGN, "there", &["https://www.example.com/#l"])),
        ),
        (
            "a layer that is here and there",
            IMAGE_MANIFEST,
            oci(layer(LAYER_GZIP, "here", &[www])),
        ),
        (
            "a layer that is only there",
            IMAGE_MANIFEST,
            oci(layer(LAYER_GZIP, "there", &[www])),
        ),
        (
            "a layer that is nowhere",
            IMAGE_MANIFEST,
            oci(layer(LAYER_GZIP, "there", &[])),
        ),
        ("an index without its image", IMAGE_INDEX, index),
        ("a plugin", DOCKER, image(DOCKER, DOCKER_PLUGIN, &here())),
        (
            "an artifact",
            IMAGE_MANIFEST,
            image(IMAGE_MANIFEST, "application/vnd.oci.empty.v1+json", &here()),
        ),
    ]
}

/// The names of the pushes that are taken.
fn taken(api: &Api, pushes: &[(&'static str, &'static str, Value)]) -> Result<Vec<&'static str>> {
    api.push_blob("a/b", Bytes::from_static(b"{}"))?;
    api.push_blob("a/b", Bytes::from_static(b"here"))?;
    let mut taken = Vec::new();
    for (number, (name, media_type, body)) in pushes.iter().enumerate() {
        let path = format!("/v2/a/b/manifests/push-{number}");
        let answer = api.send(
            Method::PUT,
            &path,
            &[("content-type", media_type)],
            serde_json::to_vec(body)?.into(),
        )?;
        if answer.status == 201 {
            taken.push(*name);
        }
    }
    Ok(taken)
}

fn start(journey: &Journey, name: &str, config: &str) -> Result<OpenRegistry> {
    let choices = Choices {
        config: config.to_owned(),
        ..Choices::default()
    };
    OpenRegistry::start(journey, &journey.subfolder(name)?, &choices)
}

fn verdicts(journey: &Journey) -> Result<()> {
    let pushes = pushes();
    let mut wrong = Vec::new();
    for (number, policy) in POLICIES.iter().enumerate() {
        let ours = start(journey, &format!("ours-{number}"), policy)?;
        let folder = journey.subfolder(&format!("theirs-{number}"))?;
        let theirs = DockerRegistry::configured(&folder, &folder.join("store"), policy)?;
        let mine = taken(&ours.api()?, &pushes)?;
        let other = taken(&Api::new(&theirs.url(), None)?, &pushes)?;
        for (name, _, _) in &pushes {
            let is_known = DIFFERENCES
                .iter()
                .any(|(at, push, _)| at == policy && push == name);
            if (mine.contains(name) != other.contains(name)) != is_known {
                wrong.push(format!(
                    "{policy:?}, {name}: ours takes {mine:?}, theirs {other:?}"
                ));
            }
        }
        ensure!(
            policy.contains("plugin]") || policy.contains("chart") || !mine.is_empty(),
            "nothing is taken"
        );
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    journey.note(&format!(
        "{} pushes under {} policies alike but for {}",
        pushes.len() * POLICIES.len(),
        POLICIES.len(),
        DIFFERENCES.len()
    ));
    Ok(())
}

fn platforms(journey: &Journey) -> Result<()> {
    let list = "validation: {manifests: {indexes: {platforms: list, platformlist: [{os: linux, architecture: amd64}]}}}\n";
    let registry = start(journey, "list", list)?;
    let api = registry.api()?;
    let here = api.push_small_image("a/b", "here", "a layer")?;
    let index = |amd64: &str, arm64: &str| {
        let child = |digest, architecture| json!({"mediaType": IMAGE_MANIFEST, "digest": digest, "size": 7, "platform": {"os": "linux", "architecture": architecture}});
        json!({"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": [child(amd64, "amd64"), child(arm64, "arm64")]})
    };
    let nowhere = digest(b"nowhere");
    let put = |body: &Value| {
        let headers = [("content-type", IMAGE_INDEX)];
        api.send(
            Method::PUT,
            "/v2/a/b/manifests/multi",
            &headers,
            serde_json::to_vec(body)?.into(),
        )
    };
    let refused = put(&index(&nowhere, &here))?.expect(400)?;
    ensure!(refused.error_code()? == "MANIFEST_BLOB_UNKNOWN", "{refused}");
    put(&index(&here, &nowhere))?.expect(201)?;
    // What was taken under another rule is still served.
    let strict = start(journey, "list", "")?;
    strict.api()?.manifest("a/b", "multi")?.expect(200).map(drop)
}
