//! What stored bytes refer to, read leniently: what is not understood must not cost anybody their layers.

use serde::{Deserialize, Deserializer};
use shared::oci::Digest;

/// The content that a manifest needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct References {
    /// Config, layers, and what else is no manifest.
    pub(super) blobs: Vec<Digest>,
    /// The children of an index.
    pub(super) manifests: Vec<Digest>,
    /// The manifest that this one refers to.
    pub(super) subject: Option<Digest>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    config: Named,
    layers: Option<Vec<Named>>,
    blobs: Option<Vec<Named>>,
    /// Schema version 1, which distribution 2 still kept.
    fs_layers: Option<Vec<Named>>,
    manifests: Option<Vec<Named>>,
    subject: Named,
}

/// The digest of a descriptor; none of what is no descriptor.
#[derive(Default)]
struct Named(Option<Digest>);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let text = value.get("digest").or_else(|| value.get("blobSum"));
        Ok(Self(text.and_then(|text| text.as_str()?.parse().ok())))
    }
}

impl References {
    /// `None`: the bytes are no JSON object with lists where lists must be, so nobody knows what they need.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        // A list would be taken for the fields in their order.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return None;
        }
        let document: Document = serde_json::from_slice(bytes).ok()?;
        let lists = [document.layers, document.blobs, document.fs_layers];
        let blobs = lists.into_iter().flatten().flatten();
        Some(Self {
            blobs: blobs.chain([document.config]).filter_map(|it| it.0).collect(),
            manifests: document
                .manifests
                .into_iter()
                .flatten()
                .filter_map(|it| it.0)
                .collect(),
            subject: document.subject.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use shared::oci::Algorithm;

    use super::*;

    fn digest(seed: &str) -> Digest {
        Digest::of(Algorithm::Sha256, seed.as_bytes())
    }

    #[test]
    fn manifests_of_every_age_are_understood() {
        let (a, b, c) = (digest("a"), digest("b"), digest("c"));
        let image = format!(
            r#"{{"config":{{"digest":"{a}"}},"layers":[{{"digest":"{b}","size":1}}],"subject":{{"digest":"{c}"}}}}"#
        );
        let found = References::read(image.as_bytes()).unwrap();
        assert_eq!(
            (found.blobs, found.subject),
            (vec![b.clone(), a.clone()], Some(c.clone()))
        );
        let index = format!(r#"{{"manifests":[{{"digest":"{a}"}},{{"digest":"{b}"}}]}}"#);
        assert_eq!(
            References::read(index.as_bytes()).unwrap().manifests,
            [a.clone(), b.clone()]
        );
        let schema1 = format!(r#"{{"schemaVersion":1,"fsLayers":[{{"blobSum":"{a}"}}],"signatures":[]}}"#);
        assert_eq!(
            References::read(schema1.as_bytes()).unwrap().blobs,
            std::slice::from_ref(&a)
        );
        let artifact = format!(r#"{{"blobs":[{{"digest":"{c}"}}],"layers":null,"config":null}}"#);
        assert_eq!(References::read(artifact.as_bytes()).unwrap().blobs, [c]);
    }

    #[test]
    fn what_names_no_content_is_passed_over_and_what_is_no_manifest_is_told() {
        let odd = br#"{"layers":[{"digest":7},{"digest":"md5:00"},"x",null],"config":"none","more":{}}"#;
        assert_eq!(References::read(odd), Some(References::default()));
        for bytes in [&b""[..], b"{", b"[1]", br#"{"layers":{}}"#, b"\x1f\x8b"] {
            assert_eq!(References::read(bytes), None);
        }
    }
}
