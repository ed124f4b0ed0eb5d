//! Manifests: a Content-Type (an empty line for none), then the body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use shared::oci::manifest::{InvalidManifest, Manifest, ReceivedManifest};
use shared::oci::{Algorithm, Descriptor, Digest, MediaType};

use crate::input;

/// Deepest nesting that is accepted.
const MAX_DEPTH: usize = 32;

pub(crate) fn run(data: &[u8]) {
    let [content_type, body] = input::byte_lines(data);
    let content_type = input::text(content_type);
    let content_type = Some(&*content_type).filter(|text| !text.is_empty());
    media_type(content_type.unwrap_or_default());
    let parsed = Manifest::parse(body, content_type);
    assert_eq!(parsed, Manifest::parse(body, content_type));
    let Ok(manifest) = parsed else {
        reason(data.len(), &parsed);
        return;
    };
    let text = std::str::from_utf8(body).expect("JSON is UTF-8");
    let value: Value = serde_json::from_str(text).expect("JSON");
    let object = value.as_object().expect("a manifest is an object");
    // A reader that takes the first of two equal keys and one that takes the last must agree.
    assert_eq!(input::keys_of(text), input::keys_in(&value), "a key stands twice");
    assert!(input::depth_of(text) <= MAX_DEPTH);
    assert_eq!(object.get("schemaVersion"), Some(&Value::from(2)));
    let field = |name: &str| object.get(name).filter(|value| !value.is_null());
    let (image, index) = (
        field("config").is_some() || field("layers").is_some(),
        field("manifests").is_some(),
    );
    assert!(!(image && index), "an image and an index");
    assert_eq!(manifest.media_type().is_index(), !image);
    if let Some(said) = field("mediaType") {
        let said = said.as_str().expect("a text");
        assert!(
            said.eq_ignore_ascii_case(manifest.media_type().as_str()),
            "{said:?}"
        );
    }
    lists(&manifest, object);
    // It is served under its type, so it must be accepted under it, as when it is copied.
    let copied = Manifest::parse(body, Some(manifest.media_type().as_str()));
    assert_eq!(copied.as_ref(), Ok(&manifest), "cannot be copied");
    received(body, content_type, &manifest);
}

fn lists(manifest: &Manifest, object: &serde_json::Map<String, Value>) {
    let length = |name: &str| object.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    assert_eq!(manifest.layers().len(), length("layers"));
    assert_eq!(manifest.manifests().len(), length("manifests"));
    let all: Vec<&Descriptor> = manifest
        .config()
        .into_iter()
        .chain(manifest.layers())
        .chain(manifest.manifests())
        .chain(manifest.subject())
        .collect();
    for descriptor in &all {
        assert!(descriptor.size <= 1 << 53);
        assert!(crate::grammar::is_digest(&descriptor.digest.to_string()));
        if let Some(data) = &descriptor.data {
            let content = STANDARD.decode(data).expect("base64");
            assert_eq!(content.len() as u64, descriptor.size);
            assert_eq!(
                other_digest(descriptor.digest.algorithm(), &content),
                descriptor.digest
            );
        }
        let json = serde_json::to_string(descriptor).expect("a descriptor is JSON");
        assert_eq!(
            serde_json::from_str::<Descriptor>(&json).expect("its own JSON"),
            **descriptor
        );
    }
    let objects = ["config", "subject"].iter().filter_map(|name| object.get(*name));
    let listed = ["layers", "manifests"]
        .iter()
        .filter_map(|name| object.get(*name).and_then(Value::as_array));
    let mut descriptors = objects.chain(listed.flatten()).filter(|value| !value.is_null());
    assert!(
        descriptors.all(Value::is_object),
        "a descriptor that is no object"
    );
    let required: Vec<_> = manifest.required_blobs().collect();
    assert!(required.iter().all(|blob| all.contains(blob)));
    assert!(manifest.config().is_none_or(|config| required.contains(&config)));
    assert!(
        manifest
            .artifact_type()
            .is_none_or(|text| !text.is_empty() || manifest.config().is_some())
    );
}

fn received(body: &[u8], content_type: Option<&str>, manifest: &Manifest) {
    for algorithm in Algorithm::ALL {
        let received = ReceivedManifest::parse(body, content_type, algorithm).expect("accepted before");
        assert_eq!(received.digest(), &other_digest(algorithm, body));
        assert_eq!(received.view(), manifest);
        assert_eq!(*received.bytes(), body);
    }
}

fn other_digest(algorithm: Algorithm, content: &[u8]) -> Digest {
    let other = match algorithm {
        Algorithm::Sha256 => &aws_lc_rs::digest::SHA256,
        Algorithm::Sha512 => &aws_lc_rs::digest::SHA512,
    };
    Digest::from_bytes(algorithm, aws_lc_rs::digest::digest(other, content).as_ref()).expect("its length")
}

/// The reason goes to the client: it is short whatever was sent.
fn reason(sent: usize, parsed: &Result<Manifest, InvalidManifest>) {
    if let Err(reason) = parsed {
        assert!(reason.to_string().len() <= 1_024 + 8 * sent);
    }
}

fn media_type(text: &str) {
    let essence = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let expected = MediaType::ALL.into_iter().find(|known| known.as_str() == essence);
    assert_eq!(MediaType::find(text), expected, "{text:?}");
}
