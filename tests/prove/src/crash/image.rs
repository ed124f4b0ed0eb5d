//! Manifests of images that differ from all others.

use harness::layout::{IMAGE_CONFIG, IMAGE_MANIFEST, LAYER_GZIP};

use super::session::Content;

/// A manifest that was pushed.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub(super) repository: String,
    pub(super) digest: String,
    pub(super) size: usize,
}

/// A manifest over a config and layers; `name` makes it one of its kind, and it may refer to another one.
pub(super) fn manifest(name: &str, config: &Content, layers: &[Content], subject: Option<&Image>) -> Vec<u8> {
    let descriptor = |media_type: &str, digest: &str, size: usize| serde_json::json!({ "mediaType": media_type, "digest": digest, "size": size });
    let layers: Vec<_> = layers
        .iter()
        .map(|layer| descriptor(LAYER_GZIP, &layer.digest, layer.length))
        .collect();
    let mut manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": descriptor(IMAGE_CONFIG, &config.digest, config.length),
        "layers": layers,
        "annotations": { "name": name },
    });
    if let Some(subject) = subject {
        manifest["subject"] = descriptor(IMAGE_MANIFEST, &subject.digest, subject.size);
    }
    manifest.to_string().into_bytes()
}
