//! What is attached to a manifest: signatures, attestations, bills of material.

use serde_json::Value;

/// What something that refers to a manifest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttachmentKind {
    /// Somebody vouches for it.
    Signature,
    /// Something is said about it, and signed: how it was built, what was found in it.
    Attestation,
    /// What it consists of.
    Sbom,
    /// Anything else.
    Other,
}

/// What artifacts call themselves, and what they are then.
const TYPES: [(&str, AttachmentKind); 11] = [
    (
        "application/vnd.dev.cosign.artifact.sig.v1+json",
        AttachmentKind::Signature,
    ),
    (
        "application/vnd.dev.cosign.simplesigning.v1+json",
        AttachmentKind::Signature,
    ),
    ("application/vnd.cncf.notary.signature", AttachmentKind::Signature),
    (
        "application/vnd.dev.cosign.artifact.att.v1+json",
        AttachmentKind::Attestation,
    ),
    ("application/vnd.in-toto+json", AttachmentKind::Attestation),
    (
        "application/vnd.dsse.envelope.v1+json",
        AttachmentKind::Attestation,
    ),
    (
        "application/vnd.dev.cosign.artifact.sbom.v1+json",
        AttachmentKind::Sbom,
    ),
    ("application/spdx+json", AttachmentKind::Sbom),
    ("text/spdx", AttachmentKind::Sbom),
    ("text/spdx+json", AttachmentKind::Sbom),
    ("application/vnd.syft+json", AttachmentKind::Sbom),
];
/// Sigstore's bundles, of whatever version: their annotations say what is in them.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
const CONTENT: &str = "dev.sigstore.bundle.content";
const PREDICATE: &str = "dev.sigstore.bundle.predicateType";
/// What cosign says about an image that it signs.
const SIGNED: &str = "https://sigstore.dev/cosign/sign/";

impl AttachmentKind {
    /// The word that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Attestation => "attestation",
            Self::Sbom => "sbom",
            Self::Other => "other",
        }
    }

    /// What something is by the end of the tag that is named after its subject, as cosign has it.
    pub fn of_tag(tag: &str) -> Self {
        match tag.rsplit_once('.') {
            Some((_, "sig")) => Self::Signature,
            Some((_, "att")) => Self::Attestation,
            Some((_, "sbom")) => Self::Sbom,
            _ => Self::Other,
        }
    }

    /// What something is by what it calls itself and by its annotations, which are JSON.
    pub fn of_artifact(artifact_type: &str, annotations: Option<&str>) -> Self {
        if artifact_type.starts_with(BUNDLE) {
            let annotations: Value = annotations
                .and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or_default();
            let said = |name: &str| annotations[name].as_str().unwrap_or_default();
            return match (said(CONTENT), said(PREDICATE)) {
                ("message-signature", _) => Self::Signature,
                (_, predicate) if predicate.starts_with(SIGNED) => Self::Signature,
                (_, predicate) if predicate.contains("spdx") || predicate.contains("cyclonedx") => Self::Sbom,
                ("dsse-envelope", _) => Self::Attestation,
                _ => Self::Signature,
            };
        }
        if artifact_type.starts_with("application/vnd.cyclonedx") {
            return Self::Sbom;
        }
        let known = TYPES.iter().find(|(name, _)| *name == artifact_type);
        known.map_or(Self::Other, |(_, kind)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosign_of_every_age_and_others_are_told_apart() {
        use AttachmentKind::{Attestation, Other, Sbom, Signature};
        for (tag, kind) in [
            ("sha256-ab.sig", Signature),
            ("x.att", Attestation),
            ("x.sbom", Sbom),
            ("sig", Other),
        ] {
            assert_eq!(AttachmentKind::of_tag(tag), kind, "{tag}");
        }
        let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
        for (artifact_type, annotations, kind) in [
            ("application/vnd.dev.cosign.artifact.sig.v1+json", "", Signature),
            ("application/vnd.cncf.notary.signature", "", Signature),
            ("application/vnd.in-toto+json", "", Attestation),
            ("application/spdx+json", "", Sbom),
            ("application/vnd.cyclonedx+json", "", Sbom),
            ("application/vnd.oci.image.config.v1+json", "", Other),
            ("", "", Other),
            (bundle, "", Signature),
            (bundle, "nonsense", Signature),
            (
                bundle,
                r#"{"dev.sigstore.bundle.content":"message-signature"}"#,
                Signature,
            ),
            (
                bundle,
                r#"{"dev.sigstore.bundle.content":"dsse-envelope"}"#,
                Attestation,
            ),
            (
                bundle,
                r#"{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://sigstore.dev/cosign/sign/v1"}"#,
                Signature,
            ),
            (
                bundle,
                r#"{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://spdx.dev/Document"}"#,
                Sbom,
            ),
        ] {
            assert_eq!(
                AttachmentKind::of_artifact(artifact_type, Some(annotations)),
                kind,
                "{artifact_type} {annotations}"
            );
        }
    }
}
