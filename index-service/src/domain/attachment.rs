//! What is attached to an image: signatures, bills of material, attestations. Told by what they call themselves, and by the
//! tags that cosign gives them; nothing in it is verified.

/// What something that refers to an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttachmentKind {
    /// A signature.
    Signature,
    /// A bill of material.
    Sbom,
    /// A statement about how it was made or tested.
    Attestation,
    /// Anything else.
    Other,
}

/// Endings of the tags under which cosign keeps what belongs to a manifest.
pub const TAG_ENDINGS: [(&str, AttachmentKind); 3] = [
    ("sig", AttachmentKind::Signature),
    ("sbom", AttachmentKind::Sbom),
    ("att", AttachmentKind::Attestation),
];

/// Words in types of artifacts, and what they mean. The first that fits counts.
const WORDS: [(&str, AttachmentKind); 13] = [
    ("in-toto", AttachmentKind::Attestation),
    ("attestation", AttachmentKind::Attestation),
    ("provenance", AttachmentKind::Attestation),
    ("slsa", AttachmentKind::Attestation),
    ("vuln", AttachmentKind::Attestation),
    ("spdx", AttachmentKind::Sbom),
    ("cyclonedx", AttachmentKind::Sbom),
    ("sbom", AttachmentKind::Sbom),
    ("syft", AttachmentKind::Sbom),
    ("signature", AttachmentKind::Signature),
    ("artifact.sig", AttachmentKind::Signature),
    ("simplesigning", AttachmentKind::Signature),
    ("sigstore", AttachmentKind::Signature),
];

impl AttachmentKind {
    /// The word that names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Sbom => "sbom",
            Self::Attestation => "attestation",
            Self::Other => "other",
        }
    }

    /// By the types that an artifact and its parts have.
    pub fn of_types<'a>(types: impl IntoIterator<Item = &'a str>) -> Self {
        for text in types {
            let text = text.to_ascii_lowercase();
            if let Some((_, kind)) = WORDS.iter().find(|(word, _)| text.contains(word)) {
                return *kind;
            }
        }
        Self::Other
    }
}

/// The tag under which cosign keeps something that belongs to a manifest.
pub fn tag_of(digest: &str, ending: &str) -> String {
    format!("{}.{ending}", digest.replacen(':', "-", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachments_are_told_apart_by_their_types() {
        use AttachmentKind::{Attestation, Other, Sbom, Signature};
        for (types, kind) in [
            (&["application/vnd.cncf.notary.signature"][..], Signature),
            (&["application/vnd.dev.cosign.artifact.sig.v1+json"], Signature),
            (&["application/vnd.dev.cosign.simplesigning.v1+json"], Signature),
            (&["application/vnd.dev.sigstore.bundle.v0.3+json"], Signature),
            (&["application/spdx+json"], Sbom),
            (&["application/vnd.cyclonedx+json"], Sbom),
            (&["text/SBOM"], Sbom),
            (&["application/vnd.in-toto+json"], Attestation),
            (
                &["application/octet-stream", "application/vnd.in-toto+json"],
                Attestation,
            ),
            (&["application/vnd.example"], Other),
            (&[], Other),
        ] {
            assert_eq!(AttachmentKind::of_types(types.iter().copied()), kind, "{types:?}");
        }
    }

    #[test]
    fn cosigns_tags_are_named_after_the_manifest() {
        assert_eq!(tag_of("sha256:ab", "sig"), "sha256-ab.sig");
    }
}
