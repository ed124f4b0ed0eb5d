//! Layers of images as a stack: what lies below is what an image was built on.

use shared::oci::{Algorithm, Digest};

use super::content::{Part, Role, is_image_config};

/// The digests of the stack of layers up to each layer, from the first on. Two images with the same one have the same layers up
/// to there.
pub fn layer_chains<'a>(layers: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut chains: Vec<String> = Vec::new();
    for layer in layers {
        let chain = match chains.last() {
            None => layer.to_owned(),
            Some(below) => Digest::of(Algorithm::Sha256, format!("{below} {layer}").as_bytes()).to_string(),
        };
        chains.push(chain);
    }
    chains
}

/// The layers of an image; none of anything else.
pub fn image_layers(parts: &[Part]) -> Vec<&str> {
    let is_image = parts
        .iter()
        .any(|part| part.role == Role::Config && is_image_config(&part.media_type));
    parts
        .iter()
        .filter(|part| is_image && part.role == Role::Layer)
        .map(|part| part.digest.as_str())
        .collect()
}

/// The stack of all layers of an image; empty for anything else.
pub fn layer_chain(parts: &[Part]) -> String {
    layer_chains(image_layers(parts)).pop().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_the_same_up_to_where_layers_are() {
        let one = layer_chains(["sha256:a", "sha256:b", "sha256:c"]);
        let other = layer_chains(["sha256:a", "sha256:b", "sha256:d", "sha256:c"]);
        assert_eq!(one[..2], other[..2]);
        assert_ne!(one[2], other[2]);
        assert!(!other.contains(&one[2]));
        assert_eq!(
            layer_chains(["sha256:b", "sha256:a"])[1],
            layer_chains(["sha256:b", "sha256:a"])[1]
        );
        assert_ne!(
            layer_chains(["sha256:b", "sha256:a"])[1],
            one[1],
            "their order counts"
        );
        assert_eq!(layer_chains([]), Vec::<String>::new());
    }

    #[test]
    fn an_artifact_is_built_on_nothing() {
        let part = |role, media_type: &str| Part {
            role,
            digest: "sha256:a".to_owned(),
            media_type: media_type.to_owned(),
            size: 1,
            platform: None,
            command: None,
        };
        let layer = part(Role::Layer, "application/vnd.oci.image.layer.v1.tar+gzip");
        let artifact = [
            part(Role::Config, "application/vnd.oci.empty.v1+json"),
            layer.clone(),
        ];
        assert_eq!(layer_chain(&artifact), "");
        let image = [
            part(Role::Config, "application/vnd.oci.image.config.v1+json"),
            layer,
        ];
        assert_eq!(layer_chain(&image), "sha256:a");
    }
}
