//! Manifests of images that differ from all others.

use harness::layout::{IMAGE_CONFIG, IMAGE_MANIFEST, LAYER_GZIP};

use super::session::Content;

/// A manifest over a config and layers; `name` makes it one of its kind.
pub(super) fn manifest(name: &str, config: &Content, layers: &[Content]) -> Vec<u8> {
    let descriptor = |media_type: &str, content: &Content| serde_json::json!({ "mediaType": media_type, "digest": content.digest, "size": content.length });
    let layers: Vec<_> = layers.iter().map(|layer| descriptor(LAYER_GZIP, layer)).collect();
    serde_json::json!({
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": descriptor(IMAGE_CONFIG, config),
        "layers": layers,
        "annotations": { "name": name },
    })
    .to_string()
    .into_bytes()
}
