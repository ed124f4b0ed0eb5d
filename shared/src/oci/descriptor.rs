//! Descriptors (OCI image-spec, "OCI Content Descriptors"), as far as a registry reads them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Digest;

/// What one document says of another piece of content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type of the content.
    pub media_type: String,
    /// The digest of the content.
    pub digest: Digest,
    /// Its size in bytes; never negative, at most 2^53 so that every JSON reader agrees on it.
    #[serde(deserialize_with = "size")]
    pub size: u64,
    /// Where else the content may be had. Stored as sent, never fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Free key-value pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// The content itself, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The type of an artifact when the descriptor points to a manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The platform of an image in an index, as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<serde_json::Value>,
}

fn size<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let size = u64::deserialize(deserializer)?;
    if size > 1 << 53 {
        return Err(serde::de::Error::custom("size is over 2^53 bytes"));
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_outside_the_range_of_json_integers_are_refused() {
        let descriptor = |size: &str| {
            format!(
                r#"{{"mediaType":"a/b","digest":"sha256:{}","size":{size}}}"#,
                "0".repeat(64)
            )
        };
        assert!(serde_json::from_str::<Descriptor>(&descriptor("9007199254740992")).is_ok());
        for size in ["-1", "9007199254740993", "1e300", "1.5", "\"1\"", "null"] {
            assert!(
                serde_json::from_str::<Descriptor>(&descriptor(size)).is_err(),
                "{size}"
            );
        }
    }
}
