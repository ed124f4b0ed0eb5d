//! Error codes and the error body (OCI distribution-spec, "Error codes"; distribution's table for the rest).

use serde::{Deserialize, Serialize};

/// A code of the specification, or of distribution's superset of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// The blob is not in this repository.
    BlobUnknown,
    /// The upload session cannot go on.
    BlobUploadInvalid,
    /// No such upload session in this repository.
    BlobUploadUnknown,
    /// The text is no digest, or the content has another one.
    DigestInvalid,
    /// The manifest names a blob or manifest that the repository does not hold.
    ManifestBlobUnknown,
    /// The manifest's form or media type is wrong.
    ManifestInvalid,
    /// No such manifest or tag in this repository.
    ManifestUnknown,
    /// The text is no repository name.
    NameInvalid,
    /// No such repository.
    NameUnknown,
    /// The content is not as long as was said.
    SizeInvalid,
    /// No credential, or one that does not suffice: a better one may help.
    Unauthorized,
    /// Refused whatever credential is shown.
    Denied,
    /// The operation is not offered.
    Unsupported,
    /// Too many requests.
    #[serde(rename = "TOOMANYREQUESTS")]
    TooManyRequests,
    /// The range cannot be served, or a chunk does not follow the last one.
    RangeInvalid,
    /// The text is no tag.
    TagInvalid,
    /// `n` is no page size.
    PaginationNumberInvalid,
    /// A part that the service needs is away for now.
    Unavailable,
    /// Anything else; the cause is in the service's log.
    Unknown,
}

impl ErrorCode {
    /// The code as it stands in the body.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
            Self::BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::SizeInvalid => "SIZE_INVALID",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Denied => "DENIED",
            Self::Unsupported => "UNSUPPORTED",
            Self::TooManyRequests => "TOOMANYREQUESTS",
            Self::RangeInvalid => "RANGE_INVALID",
            Self::TagInvalid => "TAG_INVALID",
            Self::PaginationNumberInvalid => "PAGINATION_NUMBER_INVALID",
            Self::Unavailable => "UNAVAILABLE",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// One error of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEntry {
    /// What went wrong, for programs.
    pub code: ErrorCode,
    /// A sentence that helps, for people.
    pub message: String,
    /// Anything more, such as the digests that are missing.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub detail: serde_json::Value,
}

/// The body of every 4xx and 5xx answer: `{"errors":[{"code","message","detail"}]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// At least one.
    pub errors: Vec<ErrorEntry>,
}

impl ErrorBody {
    /// A body with one error and no detail.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::with_detail(code, message, serde_json::Value::Null)
    }

    /// A body with one error and a detail.
    pub fn with_detail(code: ErrorCode, message: impl Into<String>, detail: serde_json::Value) -> Self {
        Self {
            errors: vec![ErrorEntry {
                code,
                message: message.into(),
                detail,
            }],
        }
    }

    /// The body as JSON text.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings and JSON values always serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_written_in_the_body_as_it_names_itself() {
        for code in [
            ErrorCode::BlobUnknown,
            ErrorCode::BlobUploadInvalid,
            ErrorCode::BlobUploadUnknown,
            ErrorCode::DigestInvalid,
            ErrorCode::ManifestBlobUnknown,
            ErrorCode::ManifestInvalid,
            ErrorCode::ManifestUnknown,
            ErrorCode::NameInvalid,
            ErrorCode::NameUnknown,
            ErrorCode::SizeInvalid,
            ErrorCode::Unauthorized,
            ErrorCode::Denied,
            ErrorCode::Unsupported,
            ErrorCode::TooManyRequests,
            ErrorCode::RangeInvalid,
            ErrorCode::TagInvalid,
            ErrorCode::PaginationNumberInvalid,
            ErrorCode::Unavailable,
            ErrorCode::Unknown,
        ] {
            assert_eq!(
                serde_json::to_value(code).unwrap(),
                serde_json::json!(code.as_str())
            );
        }
    }

    #[test]
    fn the_body_has_the_shape_of_the_specification() {
        let body = ErrorBody::new(ErrorCode::NameInvalid, "the repository name is empty");
        let json: serde_json::Value = serde_json::from_slice(&body.to_json()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"errors": [{"code": "NAME_INVALID", "message": "the repository name is empty"}]})
        );
    }
}
