//! Media types of manifests (OCI image-spec, "Media Types"; Docker image manifest version 2, schema 2).

/// A media type that this registry accepts for a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `application/vnd.oci.image.manifest.v1+json`
    OciManifest,
    /// `application/vnd.oci.image.index.v1+json`
    OciIndex,
    /// `application/vnd.docker.distribution.manifest.v2+json`
    DockerManifest,
    /// `application/vnd.docker.distribution.manifest.list.v2+json`
    DockerList,
}

impl MediaType {
    /// Every accepted type.
    pub const ALL: [Self; 4] = [
        Self::OciManifest,
        Self::OciIndex,
        Self::DockerManifest,
        Self::DockerList,
    ];

    /// The type's text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OciManifest => "application/vnd.oci.image.manifest.v1+json",
            Self::OciIndex => "application/vnd.oci.image.index.v1+json",
            Self::DockerManifest => "application/vnd.docker.distribution.manifest.v2+json",
            Self::DockerList => "application/vnd.docker.distribution.manifest.list.v2+json",
        }
    }

    /// The type of a `Content-Type` value; parameters after `;` are ignored.
    pub fn find(text: &str) -> Option<Self> {
        Self::named(text.split(';').next().unwrap_or_default().trim())
    }

    /// The type of a text that is one and nothing else.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|media_type| media_type.as_str().eq_ignore_ascii_case(text))
    }

    /// Whether it lists manifests rather than layers.
    pub fn is_index(self) -> bool {
        matches!(self, Self::OciIndex | Self::DockerList)
    }

    /// Whether `text` is the media type of a layer that clients may fetch from elsewhere, so that a registry
    /// need not hold it (image-spec, "Non-Distributable Layers").
    pub fn is_nondistributable_layer(text: &str) -> bool {
        text.starts_with("application/vnd.oci.image.layer.nondistributable.")
            || text == "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    }
}

impl std::fmt::Display for MediaType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_found_by_its_text_whatever_its_parameters() {
        for media_type in MediaType::ALL {
            assert_eq!(MediaType::find(media_type.as_str()), Some(media_type));
            assert_eq!(
                MediaType::find(&format!("{media_type}; charset=utf-8")),
                Some(media_type)
            );
        }
        assert_eq!(MediaType::find("application/json"), None);
    }
}
