//! What manifests may hold: each kind of content that the conformance suite pushes is stored byte for byte.

use base64::Engine as _;
use harness::{Result, Suite, ensure};
use http::Method;
use serde_json::{Value, json};

use super::target::{CONFIG, EMPTY, INDEX, LAYER, MANIFEST, Target, noise, refused};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "manifest_content",
        [open, open_sha512, tokens],
        an_image,
        an_image_without_layers,
        an_index,
        a_nested_index,
        an_empty_index,
        an_artifact,
        an_artifact_with_the_empty_blob_as_its_layer,
        an_index_that_is_an_artifact,
        fields_that_no_specification_knows_are_kept_byte_for_byte,
        descriptors_with_their_data,
        layers_that_may_not_be_distributed_need_not_be_pushed,
    );
    checks!(
        suite,
        "manifest_content",
        [open, tokens],
        a_manifest_of_3_9_megabytes,
        a_docker_image_and_a_docker_manifest_list,
        a_manifest_without_a_media_type,
        a_missing_layer_is_refused_and_named,
        a_missing_config_is_refused,
        a_missing_child_of_an_index_is_refused,
        data_that_is_not_the_content_is_refused,
        null_lists_as_go_writes_them_are_accepted,
    );
}

/// A descriptor of content that is in the repository.
pub(super) fn descriptor(target: &Target, media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": target.digest(bytes), "size": bytes.len() })
}

/// Pushes a config and layers of noise and gives the image manifest over them, not yet put.
pub(super) fn image(target: &Target, name: &str, layers: usize) -> Result<Vec<u8>> {
    image_with(target, name, layers, json!({}))
}

/// The same with further fields.
pub(super) fn image_with(target: &Target, name: &str, layers: usize, more: Value) -> Result<Vec<u8>> {
    let salt = target.digest(&noise(8));
    let config =
        json!({ "architecture": "amd64", "os": "linux", "created_by": salt, "rootfs": {} }).to_string();
    target.push(name, config.as_bytes())?;
    let mut descriptors = Vec::new();
    for _ in 0..layers {
        let bytes = noise(300);
        target.push(name, &bytes)?;
        descriptors.push(descriptor(target, LAYER, &bytes));
    }
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(target, CONFIG, config.as_bytes()),
        "layers": descriptors,
    });
    if let (Value::Object(manifest), Value::Object(more)) = (&mut manifest, more) {
        manifest.extend(more);
    }
    Ok(serde_json::to_vec(&manifest)?)
}

/// An artifact (image-spec, "Guidelines for Artifact Usage") with one layer.
pub(super) fn artifact(target: &Target, name: &str, artifact_type: &str, more: Value) -> Result<Vec<u8>> {
    let layer = noise(40);
    target.push(name, &layer)?;
    target.push(name, b"{}")?;
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact_type,
        "config": descriptor(target, EMPTY, b"{}"),
        "layers": [descriptor(target, "application/vnd.example.layer", &layer)],
    });
    if let (Value::Object(manifest), Value::Object(more)) = (&mut manifest, more) {
        manifest.extend(more);
    }
    Ok(serde_json::to_vec(&manifest)?)
}

/// An index over manifests, with further fields.
pub(super) fn index(target: &Target, manifests: &[(&str, &[u8])], more: Value) -> Result<Vec<u8>> {
    let children: Vec<Value> = manifests
        .iter()
        .map(|(kind, bytes)| descriptor(target, kind, bytes))
        .collect();
    let mut index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children });
    if let (Value::Object(index), Value::Object(more)) = (&mut index, more) {
        index.extend(more);
    }
    Ok(serde_json::to_vec(&index)?)
}

/// Puts it by digest (and, with sha256, by tag) and looks at it by every way.
fn kept(target: &Target, name: &str, media_type: &str, body: &[u8]) -> Result<()> {
    let digest = target.digest(body);
    let answer = target.put(name, &digest, media_type, body)?.expect(201)?;
    ensure!(
        answer.header("docker-content-digest")? == digest,
        "wrong digest: {answer}"
    );
    let location = answer.header("location")?;
    let got = target
        .send(Method::GET, location, &[("accept", media_type)], &[])?
        .expect(200)?;
    ensure!(got.body == body, "other bytes at the location: {got}");
    ensure!(
        got.header("content-type")? == media_type,
        "another type at the location: {got}"
    );
    target.shows(name, &digest, media_type, body)?;
    target.accepts(name, "kept", media_type, body)?;
    target.shows(name, "kept", media_type, body)
}

fn an_image(target: &Target) -> Result<()> {
    let name = target.repository();
    kept(target, &name, MANIFEST, &image(target, &name, 4)?)
}

fn an_image_without_layers(target: &Target) -> Result<()> {
    let name = target.repository();
    kept(target, &name, MANIFEST, &image(target, &name, 0)?)
}

/// Pushes an index of two images and gives its bytes; the index itself is put too.
fn pushed_index(target: &Target, name: &str) -> Result<Vec<u8>> {
    let images = [image(target, name, 1)?, image(target, name, 2)?];
    for image in &images {
        target.accepts(name, &target.digest(image), MANIFEST, image)?;
    }
    let body = index(
        target,
        &[(MANIFEST, &images[0]), (MANIFEST, &images[1])],
        json!({}),
    )?;
    target.accepts(name, &target.digest(&body), INDEX, &body)?;
    Ok(body)
}

fn an_index(target: &Target) -> Result<()> {
    let name = target.repository();
    kept(target, &name, INDEX, &pushed_index(target, &name)?)
}

fn a_nested_index(target: &Target) -> Result<()> {
    let name = target.repository();
    let (one, two) = (pushed_index(target, &name)?, pushed_index(target, &name)?);
    kept(
        target,
        &name,
        INDEX,
        &index(target, &[(INDEX, &one), (INDEX, &two)], json!({}))?,
    )
}

fn an_empty_index(target: &Target) -> Result<()> {
    let name = target.repository();
    let salt = target.digest(&noise(8));
    kept(
        target,
        &name,
        INDEX,
        &index(target, &[], json!({ "annotations": { "salt": salt } }))?,
    )
}

fn an_artifact(target: &Target) -> Result<()> {
    let name = target.repository();
    kept(
        target,
        &name,
        MANIFEST,
        &artifact(target, &name, "application/vnd.example.thing", json!({}))?,
    )
}

fn an_artifact_with_the_empty_blob_as_its_layer(target: &Target) -> Result<()> {
    let name = target.repository();
    let layers = json!({ "layers": [descriptor(target, EMPTY, b"{}")] });
    kept(
        target,
        &name,
        MANIFEST,
        &artifact(target, &name, "application/vnd.example.thing", layers)?,
    )
}

fn an_index_that_is_an_artifact(target: &Target) -> Result<()> {
    let name = target.repository();
    let child = artifact(target, &name, "application/vnd.example.thing", json!({}))?;
    target.accepts(&name, &target.digest(&child), MANIFEST, &child)?;
    let more = json!({ "artifactType": "application/vnd.example.things" });
    kept(target, &name, INDEX, &index(target, &[(MANIFEST, &child)], more)?)
}

fn fields_that_no_specification_knows_are_kept_byte_for_byte(target: &Target) -> Result<()> {
    let name = target.repository();
    let plain = image(target, &name, 1)?;
    // Order of keys, blanks, escapes, numbers beyond 2^53: nothing may be written anew.
    let text = String::from_utf8_lossy(&plain).into_owned();
    let odd = "{\n\t\"org.example.unknown\" : { \"\\u00fc\\/\" : [ 1.50e+3, 12345678901234567890123, null, true ] } ,  ";
    let body = format!("{odd}{}\r\n ", &text[1..]);
    kept(target, &name, MANIFEST, body.as_bytes())
}

fn descriptors_with_their_data(target: &Target) -> Result<()> {
    let name = target.repository();
    let config = noise(60);
    target.push(&name, &config)?;
    let mut described = descriptor(target, CONFIG, &config);
    described["data"] = base64::engine::general_purpose::STANDARD.encode(&config).into();
    let body = image_with(target, &name, 1, json!({ "config": described }))?;
    kept(target, &name, MANIFEST, &body)
}

fn data_that_is_not_the_content_is_refused(target: &Target) -> Result<()> {
    let name = target.repository();
    let config = noise(60);
    target.push(&name, &config)?;
    let wrong = noise(60);
    for data in [
        base64::engine::general_purpose::STANDARD.encode(&wrong),
        "%%%".to_owned(),
        "e30=".to_owned(),
    ] {
        let mut described = descriptor(target, CONFIG, &config);
        described["data"] = data.into();
        let body = image_with(target, &name, 1, json!({ "config": described }))?;
        refused(
            &target.put(&name, "data", MANIFEST, &body)?,
            400,
            "MANIFEST_INVALID",
        )?;
    }
    Ok(())
}

fn layers_that_may_not_be_distributed_need_not_be_pushed(target: &Target) -> Result<()> {
    let name = target.repository();
    let here = noise(100);
    target.push(&name, &here)?;
    let foreign = |kind: &str| {
        let digest = target.digest(&noise(256));
        let url = format!("https://store.example.com/blobs/{digest}");
        json!({ "mediaType": kind, "digest": digest, "size": 123_456, "urls": [url] })
    };
    let layers = json!([
        foreign("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"),
        foreign("application/vnd.oci.image.layer.nondistributable.v1.tar"),
        descriptor(target, LAYER, &here),
    ]);
    kept(
        target,
        &name,
        MANIFEST,
        &image_with(target, &name, 0, json!({ "layers": layers }))?,
    )
}

fn a_manifest_of_3_9_megabytes(target: &Target) -> Result<()> {
    let name = target.repository();
    let annotations: Value = (0..390)
        .map(|i| (format!("large-annotation-{i}"), "A".repeat(10_000).into()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let body = image_with(target, &name, 1, json!({ "annotations": annotations }))?;
    ensure!(body.len() > 3_900_000, "not large: {}", body.len());
    kept(target, &name, MANIFEST, &body)
}

fn a_docker_image_and_a_docker_manifest_list(target: &Target) -> Result<()> {
    const IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
    const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    let name = target.repository();
    let (config, layer) = (noise(50), noise(60));
    target.push(&name, &config)?;
    target.push(&name, &layer)?;
    let body = serde_json::to_vec_pretty(&json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": descriptor(target, "application/vnd.docker.container.image.v1+json", &config),
        "layers": [descriptor(target, "application/vnd.docker.image.rootfs.diff.tar.gzip", &layer)],
    }))?;
    docker_kept(target, &name, IMAGE, &body)?;
    let mut child = descriptor(target, IMAGE, &body);
    child["platform"] = json!({ "architecture": "amd64", "os": "linux" });
    let list = json!({ "schemaVersion": 2, "mediaType": LIST, "manifests": [child] });
    docker_kept(target, &name, LIST, &serde_json::to_vec_pretty(&list)?)
}

fn docker_kept(target: &Target, name: &str, media_type: &str, body: &[u8]) -> Result<()> {
    let tag = if media_type.contains("list") {
        "list"
    } else {
        "image"
    };
    target.accepts(name, tag, media_type, body)?;
    for method in [Method::GET, Method::HEAD] {
        let path = format!("/v2/{name}/manifests/{tag}");
        let answer = target
            .send(method.clone(), &path, &[("accept", media_type)], &[])?
            .expect(200)?;
        ensure!(
            answer.header("content-type")? == media_type,
            "another type: {answer}"
        );
        ensure!(
            answer.header("docker-content-digest")? == target.digest(body),
            "wrong digest: {answer}"
        );
        ensure!(
            method == Method::HEAD || answer.body == body,
            "other bytes: {answer}"
        );
    }
    Ok(())
}

fn a_manifest_without_a_media_type(target: &Target) -> Result<()> {
    let name = target.repository();
    let mut manifest: Value = serde_json::from_slice(&image(target, &name, 1)?)?;
    if let Some(fields) = manifest.as_object_mut() {
        fields.remove("mediaType");
    }
    kept(target, &name, MANIFEST, &serde_json::to_vec(&manifest)?)
}

fn null_lists_as_go_writes_them_are_accepted(target: &Target) -> Result<()> {
    let name = target.repository();
    kept(
        target,
        &name,
        MANIFEST,
        &image_with(target, &name, 0, json!({ "layers": null }))?,
    )
}

fn a_missing_layer_is_refused_and_named(target: &Target) -> Result<()> {
    let name = target.repository();
    let missing = noise(77);
    let body = image_with(
        target,
        &name,
        0,
        json!({ "layers": [descriptor(target, LAYER, &missing)] }),
    )?;
    let answer = target.put(&name, "incomplete", MANIFEST, &body)?;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    ensure!(
        text.contains(&target.digest(&missing)),
        "the missing digest is not named: {answer}"
    );
    refused(&answer, 400, "MANIFEST_BLOB_UNKNOWN")?;
    target.manifest(Method::HEAD, &name, "incomplete")?.expect(404)?;
    target
        .manifest(Method::HEAD, &name, &target.digest(&body))?
        .expect(404)
        .map(drop)
}

fn a_missing_config_is_refused(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image_with(
        target,
        &name,
        1,
        json!({ "config": descriptor(target, CONFIG, &noise(20)) }),
    )?;
    refused(
        &target.put(&name, "incomplete", MANIFEST, &body)?,
        400,
        "MANIFEST_BLOB_UNKNOWN",
    )
}

fn a_missing_child_of_an_index_is_refused(target: &Target) -> Result<()> {
    let name = target.repository();
    let (pushed, missing) = (image(target, &name, 1)?, image(target, &name, 1)?);
    target.accepts(&name, &target.digest(&pushed), MANIFEST, &pushed)?;
    let body = index(target, &[(MANIFEST, &pushed), (MANIFEST, &missing)], json!({}))?;
    refused(
        &target.put(&name, "incomplete", INDEX, &body)?,
        400,
        "MANIFEST_BLOB_UNKNOWN",
    )
}
