use http::header::RETRY_AFTER;
use shared::oci::{Algorithm, Reference};

use super::*;

fn told(error: impl Into<Error>) -> (u16, String, bool) {
    let response = error.into().into_response();
    let retry = response.headers().contains_key(RETRY_AFTER);
    let status = response.status().as_u16();
    let body = futures_util::FutureExt::now_or_never(axum::body::to_bytes(response.into_body(), 1 << 20));
    let body: ErrorBody = serde_json::from_slice(&body.unwrap().unwrap()).unwrap();
    let text = String::from_utf8(body.to_json()).unwrap();
    assert!(!text.contains("CANARY"), "what only the log may say: {text}");
    (status, body.errors[0].code.as_str().to_owned(), retry)
}

#[test]
fn every_failure_of_content_has_its_status_and_code() {
    let digest = Digest::of(Algorithm::Sha256, b"x");
    let source = || Some(std::io::Error::other("CANARY"));
    let doing = || "CANARY".to_owned();
    let reference = Reference::Digest(digest.clone());
    for (error, status, code, retry) in [
        (RegistryError::NameUnknown, 404, "NAME_UNKNOWN", false),
        (
            RegistryError::BlobUnknown {
                digest: digest.clone(),
            },
            404,
            "BLOB_UNKNOWN",
            false,
        ),
        (
            RegistryError::BlobUploadUnknown,
            404,
            "BLOB_UPLOAD_UNKNOWN",
            false,
        ),
        (
            RegistryError::BlobUploadInvalid,
            409,
            "BLOB_UPLOAD_INVALID",
            false,
        ),
        (
            RegistryError::DigestInvalid {
                expected: digest.clone(),
                computed: digest.clone(),
            },
            400,
            "DIGEST_INVALID",
            false,
        ),
        (
            RegistryError::SizeInvalid {
                expected: 1,
                received: 2,
            },
            400,
            "SIZE_INVALID",
            false,
        ),
        (
            RegistryError::BlobTooLarge { limit: 1 },
            413,
            "SIZE_INVALID",
            false,
        ),
        (
            RegistryError::RangeInvalid { offset: 1 },
            416,
            "RANGE_INVALID",
            false,
        ),
        (
            RegistryError::ManifestUnknown { reference },
            404,
            "MANIFEST_UNKNOWN",
            false,
        ),
        (
            RegistryError::ManifestInvalid(InvalidManifest::SchemaVersion),
            400,
            "MANIFEST_INVALID",
            false,
        ),
        (
            RegistryError::ManifestBlobUnknown {
                missing: vec![digest],
            },
            400,
            "MANIFEST_BLOB_UNKNOWN",
            false,
        ),
        (RegistryError::TagConflict, 412, "TAG_INVALID", false),
        (
            RegistryError::BodyInterrupted("CANARY".into()),
            400,
            "SIZE_INVALID",
            false,
        ),
        (
            StorageError::Full {
                doing: doing(),
                source: source(),
            }
            .into(),
            507,
            "UNAVAILABLE",
            false,
        ),
        (
            StorageError::ReadOnly {
                doing: doing(),
                source: source(),
            }
            .into(),
            503,
            "UNAVAILABLE",
            true,
        ),
        (
            StorageError::Unavailable {
                doing: doing(),
                source: source(),
            }
            .into(),
            503,
            "UNAVAILABLE",
            true,
        ),
        (
            StorageError::Locked { doing: doing() }.into(),
            503,
            "UNAVAILABLE",
            true,
        ),
        (
            StorageError::Corrupt {
                doing: doing(),
                source: source(),
            }
            .into(),
            500,
            "UNKNOWN",
            false,
        ),
        (
            StorageError::NotFound { doing: doing() }.into(),
            500,
            "UNKNOWN",
            false,
        ),
        (
            StorageError::Conflict { doing: doing() }.into(),
            500,
            "UNKNOWN",
            false,
        ),
    ] {
        let text = format!("{error:?}");
        assert_eq!(told(error), (status, code.to_owned(), retry), "{text}");
    }
    assert_eq!(told(Error::Busy), (429, "TOOMANYREQUESTS".to_owned(), true));
    assert_eq!(told(Error::Panicked), (500, "UNKNOWN".to_owned(), false));
}
