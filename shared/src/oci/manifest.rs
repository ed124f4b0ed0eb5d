//! Manifests as a registry reads them: enough to know their type and what they point to (OCI image-spec,
//! "Image Manifest" and "Image Index"; Docker image manifest version 2, schema 2).

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::Deserialize;

use super::{Algorithm, Descriptor, Digest, MediaType, Object, strict_json};

/// Why a body is not a manifest that can be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidManifest {
    /// Not JSON, duplicate keys, too deep, or a field of the wrong shape.
    #[error("the manifest is not valid: {0}")]
    Json(String),
    /// `schemaVersion` is not 2.
    #[error(
        "schemaVersion must be 2; images of schema version 1 are not accepted, push them with a current client"
    )]
    SchemaVersion,
    /// The type is none that a registry of images keeps as a manifest.
    #[error("the media type {0:?} is not that of an image manifest or index")]
    MediaType(String),
    /// `mediaType` in the body and Content-Type disagree.
    #[error("Content-Type says {header:?} but the manifest's mediaType says {body:?}; they must be equal")]
    MediaTypeMismatch {
        /// The `Content-Type` of the request.
        header: String,
        /// The `mediaType` of the body.
        body: String,
    },
    /// The body could be read as a manifest and as an index.
    #[error("the manifest holds fields of an image and of an index; it must be one of both")]
    Ambiguous,
    /// A field that its type needs is missing.
    #[error("the manifest has no {0:?}")]
    Missing(&'static str),
    /// The `data` of a descriptor is not the content that it describes.
    #[error("the data of the descriptor {0} has not that digest and size")]
    Data(Digest),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: serde_json::Value,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Object<Descriptor>>,
    layers: Option<Vec<Object<Descriptor>>>,
    manifests: Option<Vec<Object<Descriptor>>>,
    subject: Option<Object<Descriptor>>,
    annotations: Option<BTreeMap<String, String>>,
}

/// What a manifest says, as far as a registry needs to know. The bytes it was read from stay authoritative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    media_type: MediaType,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    layers: Vec<Descriptor>,
    manifests: Vec<Descriptor>,
    subject: Option<Descriptor>,
    annotations: Option<BTreeMap<String, String>>,
}

impl Manifest {
    /// Reads a body. `content_type` is the request's `Content-Type`, when one was sent.
    pub fn parse(body: &[u8], content_type: Option<&str>) -> Result<Self, InvalidManifest> {
        strict_json::check(body).map_err(|e| InvalidManifest::Json(e.to_string()))?;
        let Object(document): Object<Document> =
            serde_json::from_slice(body).map_err(|e| InvalidManifest::Json(e.to_string()))?;
        let media_type = media_type(&document, content_type)?;
        if document.schema_version != serde_json::json!(2) {
            return Err(InvalidManifest::SchemaVersion);
        }
        let has_image = document.config.is_some() || document.layers.is_some();
        if has_image && document.manifests.is_some() {
            return Err(InvalidManifest::Ambiguous);
        }
        // Go writes an empty list as `null`, so a missing list means an empty one; a missing config means nothing.
        if media_type.is_index() && has_image || !media_type.is_index() && document.manifests.is_some() {
            return Err(InvalidManifest::Ambiguous);
        }
        if !media_type.is_index() && document.config.is_none() {
            return Err(InvalidManifest::Missing("config"));
        }
        let manifest = Self {
            media_type,
            artifact_type: document.artifact_type.filter(|t| !t.is_empty()),
            config: document.config.map(|Object(config)| config),
            layers: bare(document.layers),
            manifests: bare(document.manifests),
            subject: document.subject.map(|Object(subject)| subject),
            annotations: document.annotations,
        };
        manifest.check_data()?;
        Ok(manifest)
    }

    /// The manifest's own media type: from its body, else from what it holds.
    pub fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// `config` of an image manifest.
    pub fn config(&self) -> Option<&Descriptor> {
        self.config.as_ref()
    }

    /// `layers` of an image manifest; empty for an index.
    pub fn layers(&self) -> &[Descriptor] {
        &self.layers
    }

    /// `manifests` of an index; empty for an image manifest.
    pub fn manifests(&self) -> &[Descriptor] {
        &self.manifests
    }

    /// The manifest that this one refers to.
    pub fn subject(&self) -> Option<&Descriptor> {
        self.subject.as_ref()
    }

    /// `annotations` of the manifest itself.
    pub fn annotations(&self) -> Option<&BTreeMap<String, String>> {
        self.annotations.as_ref()
    }

    /// What a referrers list calls its type: `artifactType`, else the media type of the config
    /// (distribution-spec, "Listing Referrers").
    pub fn artifact_type(&self) -> Option<&str> {
        self.artifact_type
            .as_deref()
            .or_else(|| self.config.as_ref().map(|c| c.media_type.as_str()))
    }

    /// The blobs that a repository must hold before it accepts the manifest: config and layers, without layers
    /// that may lie elsewhere.
    pub fn required_blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let layers = self
            .layers
            .iter()
            .filter(|layer| !MediaType::is_nondistributable_layer(&layer.media_type));
        self.config.iter().chain(layers)
    }

    fn check_data(&self) -> Result<(), InvalidManifest> {
        let descriptors = self
            .config
            .iter()
            .chain(&self.layers)
            .chain(&self.manifests)
            .chain(&self.subject);
        for descriptor in descriptors {
            let Some(data) = &descriptor.data else { continue };
            let content = base64::engine::general_purpose::STANDARD
                .decode(data)
                .map_err(|_| InvalidManifest::Data(descriptor.digest.clone()))?;
            let size_matches = u64::try_from(content.len()).is_ok_and(|len| len == descriptor.size);
            if !size_matches || Digest::of(descriptor.digest.algorithm(), &content) != descriptor.digest {
                return Err(InvalidManifest::Data(descriptor.digest.clone()));
            }
        }
        Ok(())
    }
}

fn bare(list: Option<Vec<Object<Descriptor>>>) -> Vec<Descriptor> {
    list.unwrap_or_default()
        .into_iter()
        .map(|Object(item)| item)
        .collect()
}

/// The one meaning of a body: its own `mediaType`, which Content-Type must repeat, else what its fields say.
fn media_type(document: &Document, content_type: Option<&str>) -> Result<MediaType, InvalidManifest> {
    let header = content_type.map(|text| {
        text.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    });
    // `application/json` and the like say nothing about the kind of document.
    let header = header.filter(|text| !text.is_empty() && text != "application/json");
    if let (Some(header), Some(body)) = (&header, &document.media_type)
        && !header.eq_ignore_ascii_case(body)
    {
        return Err(InvalidManifest::MediaTypeMismatch {
            header: header.clone(),
            body: body.clone(),
        });
    }
    let implied = if document.manifests.is_some() {
        MediaType::OciIndex
    } else {
        MediaType::OciManifest
    };
    if let Some(text) = &document.media_type {
        return MediaType::named(text).ok_or_else(|| InvalidManifest::MediaType(text.clone()));
    }
    match header {
        None => Ok(implied),
        Some(text) => {
            let named = MediaType::find(&text).ok_or_else(|| InvalidManifest::MediaType(text.clone()))?;
            // The type is not stored beside the bytes, so a body that is silent about it can only be what it implies.
            if named == implied {
                Ok(named)
            } else {
                Err(InvalidManifest::MediaTypeMismatch {
                    header: text,
                    body: implied.as_str().to_owned(),
                })
            }
        }
    }
}

/// A manifest as it was received: bytes, digest and parsed view together. The bytes are stored as received.
#[derive(Debug, Clone)]
pub struct ReceivedManifest<B> {
    bytes: B,
    digest: Digest,
    view: Manifest,
}

impl<B: AsRef<[u8]>> ReceivedManifest<B> {
    /// Reads a body and computes its digest by `algorithm`.
    pub fn parse(
        bytes: B,
        content_type: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Self, InvalidManifest> {
        let view = Manifest::parse(bytes.as_ref(), content_type)?;
        let digest = Digest::of(algorithm, bytes.as_ref());
        Ok(Self { bytes, digest, view })
    }

    /// The bytes as received.
    pub fn bytes(&self) -> &B {
        &self.bytes
    }

    /// Their digest.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What they say.
    pub fn view(&self) -> &Manifest {
        &self.view
    }

    /// All three parts.
    pub fn into_parts(self) -> (B, Digest, Manifest) {
        (self.bytes, self.digest, self.view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

    fn descriptor(media_type: &str) -> String {
        let digest = Digest::of(Algorithm::Sha256, b"{}");
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":2}}"#)
    }

    fn image(media_type: Option<&str>) -> String {
        let own = media_type
            .map(|t| format!(r#""mediaType":"{t}","#))
            .unwrap_or_default();
        format!(
            r#"{{"schemaVersion":2,{own}"config":{},"layers":[{}]}}"#,
            descriptor("a/config"),
            descriptor("a/layer")
        )
    }

    fn parse(body: &str, content_type: Option<&str>) -> Result<MediaType, InvalidManifest> {
        Manifest::parse(body.as_bytes(), content_type).map(|m| m.media_type())
    }

    #[test]
    fn the_media_type_is_that_of_the_body_and_content_type_repeats_it() {
        assert_eq!(
            parse(&image(Some(DOCKER)), Some(DOCKER)),
            Ok(MediaType::DockerManifest)
        );
        assert_eq!(parse(&image(Some(DOCKER)), None), Ok(MediaType::DockerManifest));
        assert_eq!(
            parse(&image(Some(DOCKER)), Some("application/json")),
            Ok(MediaType::DockerManifest)
        );
        assert_eq!(parse(&image(None), None), Ok(MediaType::OciManifest));
        assert_eq!(parse(&image(None), Some(OCI)), Ok(MediaType::OciManifest));
        assert!(matches!(
            parse(&image(Some(DOCKER)), Some(OCI)),
            Err(InvalidManifest::MediaTypeMismatch { .. })
        ));
        assert!(matches!(
            parse(&image(None), Some(DOCKER)),
            Err(InvalidManifest::MediaTypeMismatch { .. })
        ));
        assert!(matches!(
            parse(&image(None), Some(INDEX)),
            Err(InvalidManifest::MediaTypeMismatch { .. })
        ));
        assert!(matches!(
            parse(&image(None), Some("text/plain")),
            Err(InvalidManifest::MediaType(_))
        ));
    }

    #[test]
    fn a_body_with_two_meanings_is_refused() {
        let both = format!(
            r#"{{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}}"#,
            descriptor("a/b")
        );
        assert_eq!(parse(&both, None), Err(InvalidManifest::Ambiguous));
        let index_with_layers =
            format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","layers":[],"manifests":[]}}"#);
        assert_eq!(parse(&index_with_layers, None), Err(InvalidManifest::Ambiguous));
        let image_with_manifests = format!(r#"{{"schemaVersion":2,"mediaType":"{OCI}","manifests":[]}}"#);
        assert_eq!(
            parse(&image_with_manifests, None),
            Err(InvalidManifest::Ambiguous)
        );
        let twice = r#"{"schemaVersion":2,"schemaVersion":2,"manifests":[]}"#;
        assert!(matches!(parse(twice, None), Err(InvalidManifest::Json(_))));
    }

    #[test]
    fn what_a_type_needs_must_be_there() {
        let cases = [
            (
                r#"{"schemaVersion":2}"#.to_owned(),
                InvalidManifest::Missing("config"),
            ),
            (
                r#"{"schemaVersion":2,"layers":[]}"#.to_owned(),
                InvalidManifest::Missing("config"),
            ),
            (image(None).replace(":2,", ":1,"), InvalidManifest::SchemaVersion),
        ];
        for (body, reason) in cases {
            assert_eq!(parse(&body, None), Err(reason), "{body}");
        }
        let empty_lists = format!(
            r#"{{"schemaVersion":2,"config":{},"layers":null}}"#,
            descriptor("a/b")
        );
        assert_eq!(parse(&empty_lists, None), Ok(MediaType::OciManifest));
        for body in [
            "",
            "{",
            "[]",
            "null",
            "7",
            r#"{"manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":{}}"#,
        ] {
            assert!(
                matches!(parse(body, None), Err(InvalidManifest::Json(_))),
                "{body}"
            );
        }
    }

    #[test]
    fn lists_of_the_fields_in_their_order_are_no_manifests_and_no_descriptors() {
        let (digest, config) = (Digest::of(Algorithm::Sha256, b"x"), descriptor("a/b"));
        let list = format!(r#"["a/b","{digest}",1,[],null,null,null,null]"#);
        for body in [
            format!("[2,null,null,{config},[],null,null,null]"),
            format!(r#"{{"schemaVersion":2,"config":{list},"layers":[]}}"#),
            format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{list}]}}"#),
            format!(r#"{{"schemaVersion":2,"manifests":[{list}]}}"#),
            format!(r#"{{"schemaVersion":2,"manifests":[],"subject":{list}}}"#),
        ] {
            assert!(
                matches!(parse(&body, None), Err(InvalidManifest::Json(_))),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_accepted_is_accepted_under_the_type_that_it_is_served_with() {
        for media_type in [OCI.to_owned(), OCI.to_uppercase()] {
            let body = image(Some(&media_type));
            assert_eq!(parse(&body, None), Ok(MediaType::OciManifest));
            assert_eq!(parse(&body, Some(OCI)), Ok(MediaType::OciManifest));
        }
        // A parameter belongs to Content-Type: a body that has one could not be copied.
        for media_type in [
            format!("{OCI}; charset=utf-8"),
            format!(" {OCI}"),
            format!("{OCI};"),
        ] {
            assert_eq!(
                parse(&image(Some(&media_type)), None),
                Err(InvalidManifest::MediaType(media_type))
            );
        }
    }

    #[test]
    fn embedded_data_must_be_the_content_it_describes() {
        let good = descriptor("a/b").replace(r#""size":2"#, r#""size":2,"data":"e30=""#);
        let body = |d: &str| format!(r#"{{"schemaVersion":2,"config":{d},"layers":[]}}"#);
        assert_eq!(parse(&body(&good), None), Ok(MediaType::OciManifest));
        for bad in ["e31=", "!!", "e30"] {
            assert!(
                matches!(
                    parse(&body(&good.replace("e30=", bad)), None),
                    Err(InvalidManifest::Data(_))
                ),
                "{bad}"
            );
        }
    }

    #[test]
    fn layers_that_may_lie_elsewhere_are_not_required() {
        let foreign = descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar");
        let body = format!(
            r#"{{"schemaVersion":2,"config":{},"layers":[{foreign},{}]}}"#,
            descriptor("a/config"),
            // To have it elsewhere too is no reason not to have it here.
            descriptor("a/layer").replace(r#""size""#, r#""urls":["https://a/"],"size""#)
        );
        let manifest = Manifest::parse(body.as_bytes(), None).unwrap();
        let types: Vec<_> = manifest.required_blobs().map(|d| d.media_type.as_str()).collect();
        assert_eq!(types, ["a/config", "a/layer"]);
    }

    #[test]
    fn the_artifact_type_falls_back_to_the_config() {
        let manifest = Manifest::parse(image(None).as_bytes(), None).unwrap();
        assert_eq!(manifest.artifact_type(), Some("a/config"));
        let typed = image(None).replace(
            r#""schemaVersion":2"#,
            r#""schemaVersion":2,"artifactType":"x/y""#,
        );
        assert_eq!(
            Manifest::parse(typed.as_bytes(), None).unwrap().artifact_type(),
            Some("x/y")
        );
    }
}
