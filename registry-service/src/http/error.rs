//! What went wrong → status, code and public text: the one place (distribution-spec, "Error Codes"; distribution's table).

use axum::response::{IntoResponse as _, Response};
use http::header::{ALLOW, CONTENT_RANGE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use shared::oci::error::ErrorEntry;
use shared::oci::{Digest, ErrorBody, ErrorCode, InvalidManifest, Tag};
use shared::token::Kept;

use super::rate::Limited;
use super::told::ToldError;
use super::{NotTold, answer, header};
use crate::auth::{AllowedTags, Denial, Refusal};
use crate::endpoint::InvalidRequest;
use crate::permit::NotAsked;
use crate::quota::Exceeded;
use crate::registry::{RegistryError, StorageError};

/// Seconds after which a client may try again what failed for a reason that may pass.
const RETRY_SOON: u32 = 5;
const RETRY_LATER: u32 = 30;

/// Any reason not to do what was asked.
#[derive(Debug)]
pub(super) enum Error {
    /// It asks for nothing that exists.
    Request(InvalidRequest),
    /// Nobody may, or not with this token.
    Refused(Box<Refusal>),
    /// The content does not allow it.
    Registry(RegistryError),
    /// A parameter or header is malformed or missing.
    Parameter(ErrorCode, &'static str),
    /// A chunk's `Content-Range` is malformed.
    ChunkRange,
    /// A digest in the query is malformed or missing.
    Digest(String),
    /// A manifest has another digest than the path says.
    OtherDigest {
        /// In the path.
        expected: Digest,
        /// Of the body.
        computed: Digest,
    },
    /// A body is over its limit.
    BodyTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// A body broke off.
    BodyInterrupted,
    /// A range of a blob that cannot be served.
    RangeNotSatisfiable {
        /// The blob's size.
        size: u64,
    },
    /// A manifest is stored, and who has to know of it could not be told.
    NotTold(NotTold),
    /// A part of the work panicked.
    Panicked,
    /// More is going on than is allowed at once.
    Busy,
    /// They are known, and may not.
    Forbidden,
    /// The token is for another class of content.
    OtherClass(&'static str),
    /// A tag may not be pushed or deleted with this token.
    TagNotAllowed {
        /// `pushed` or `deleted`.
        doing: &'static str,
        /// Which.
        tag: Tag,
        /// Those that may.
        allowed: AllowedTags,
    },
    /// Somebody asked too often.
    RateLimited(Box<Limited>),
    /// The namespace may not hold so much.
    QuotaExceeded(Exceeded),
    /// The index does not allow more, in its words.
    NotPermitted(String),
    /// The index has to be asked, and cannot be.
    NotAsked(NotAsked),
    /// A manifest says another size of a blob than it has.
    OtherSize {
        /// The blob.
        digest: Digest,
        /// In the manifest.
        said: u64,
        /// In the storage.
        size: u64,
    },
    /// A tag stays what it is, and something else was pushed under it.
    TagImmutable {
        /// Which.
        tag: Tag,
        /// What it points to.
        digest: Digest,
        /// Why.
        rule: Kept,
    },
    /// A tag that stays what it is leads to what shall be deleted.
    TagStays {
        /// Which.
        tag: Tag,
        /// Why.
        rule: Kept,
    },
    /// What has no tag may not be deleted with a token whose tags are bound.
    BoundToTags(AllowedTags),
    /// More passwords wait to be verified than may wait.
    TooManyLogins,
}

impl From<InvalidRequest> for Error {
    fn from(error: InvalidRequest) -> Self {
        Self::Request(error)
    }
}

impl From<RegistryError> for Error {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

impl From<InvalidManifest> for Error {
    fn from(error: InvalidManifest) -> Self {
        Self::Registry(RegistryError::ManifestInvalid(error))
    }
}

impl From<Denial> for Error {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Refused(refusal) => Self::Refused(refusal),
            Denial::Forbidden => Self::Forbidden,
            Denial::TooManyLogins => Self::TooManyLogins,
        }
    }
}

impl Error {
    /// The answer. What only the operator can mend is logged here, once, with its causes.
    pub(super) fn into_response(self) -> Response {
        match self {
            Self::Request(error) => of_request(&error),
            Self::Refused(refusal) => of_refusal(&refusal),
            Self::Registry(error) => of_registry(error),
            Self::Parameter(code, message) => with_text(StatusCode::BAD_REQUEST, code, message),
            Self::ChunkRange => with_text(
                StatusCode::RANGE_NOT_SATISFIABLE,
                ErrorCode::RangeInvalid,
                "Content-Range is written <first byte>-<last byte>",
            ),
            Self::Digest(message) => with_text(StatusCode::BAD_REQUEST, ErrorCode::DigestInvalid, message),
            Self::OtherDigest { expected, computed } => of_digest(&expected, &computed),
            Self::BodyTooLarge { limit } => too_large(limit),
            Self::BodyInterrupted => interrupted(),
            Self::RangeNotSatisfiable { size } => with_header(
                with_text(
                    StatusCode::RANGE_NOT_SATISFIABLE,
                    ErrorCode::RangeInvalid,
                    "the range lies outside of the blob",
                ),
                CONTENT_RANGE,
                header::value(format!("bytes */{size}")),
            ),
            Self::NotTold(error) => not_told(error.as_ref()),
            Self::Panicked => internal(),
            Self::Forbidden => with_text(
                StatusCode::FORBIDDEN,
                ErrorCode::Denied,
                "this account may not do that here",
            ),
            Self::OtherClass(class) => with_text(
                StatusCode::FORBIDDEN,
                ErrorCode::Denied,
                format!("the token allows content of another class than {class} in this repository"),
            ),
            Self::TagNotAllowed { doing, tag, allowed } => with_text(
                StatusCode::FORBIDDEN,
                ErrorCode::Denied,
                format!("the tag {tag} may not be {doing} with this token, which is for {allowed}"),
            ),
            Self::RateLimited(limited) => {
                let response = with_text(
                    StatusCode::TOO_MANY_REQUESTS,
                    ErrorCode::TooManyRequests,
                    limited.text(),
                );
                let mut response = retry_after(response, limited.standing.resets_s);
                limited.tell(response.headers_mut());
                response
            }
            Self::QuotaExceeded(exceeded) => with_text(
                StatusCode::FORBIDDEN,
                ErrorCode::Denied,
                format!("{exceeded}: delete something, or ask an administrator of the registry for more"),
            ),
            Self::NotPermitted(reason) => with_text(
                StatusCode::FORBIDDEN,
                ErrorCode::Denied,
                format!("{reason}: delete something, or ask an administrator of the registry for more"),
            ),
            Self::NotAsked(error) => not_asked(error.as_ref()),
            Self::OtherSize { digest, said, size } => with_text(
                StatusCode::BAD_REQUEST,
                ErrorCode::ManifestInvalid,
                format!("the manifest says that {digest} has {said} bytes; it has {size}"),
            ),
            Self::TagImmutable { tag, digest, rule } => with_body(
                StatusCode::FORBIDDEN,
                &ErrorBody::with_detail(
                    ErrorCode::Denied,
                    format!(
                        "the tag {tag} is immutable by {rule} and stays at {digest}: push under another tag"
                    ),
                    json!({"tag": tag.as_str(), "digest": digest, "rule": rule.to_string()}),
                ),
            ),
            Self::TagStays { tag, rule } => with_body(
                StatusCode::FORBIDDEN,
                &ErrorBody::with_detail(
                    ErrorCode::Denied,
                    format!(
                        "the tag {tag} is immutable by {rule}: what it needs is not deleted while there is that rule"
                    ),
                    json!({"tag": tag.as_str(), "rule": rule.to_string()}),
                ),
            ),
            Self::BoundToTags(allowed) => with_text(
                StatusCode::FORBIDDEN,
                ErrorCode::Denied,
                format!("only tags may be deleted with this token, which is for {allowed}"),
            ),
            Self::TooManyLogins => retry_after(
                with_text(
                    StatusCode::TOO_MANY_REQUESTS,
                    ErrorCode::TooManyRequests,
                    "too many logins at once; try again soon",
                ),
                RETRY_SOON,
            ),
            Self::Busy => retry_after(
                with_text(
                    StatusCode::TOO_MANY_REQUESTS,
                    ErrorCode::TooManyRequests,
                    "too many uploads at once; try again soon",
                ),
                RETRY_SOON,
            ),
        }
    }
}

fn of_request(error: &InvalidRequest) -> Response {
    let (status, code) = match error {
        InvalidRequest::Path => (StatusCode::NOT_FOUND, ErrorCode::Unsupported),
        InvalidRequest::Escape | InvalidRequest::Name(_) => (StatusCode::BAD_REQUEST, ErrorCode::NameInvalid),
        InvalidRequest::Digest(_) => (StatusCode::BAD_REQUEST, ErrorCode::DigestInvalid),
        InvalidRequest::Tag => (StatusCode::BAD_REQUEST, ErrorCode::TagInvalid),
        InvalidRequest::ManifestUnknown => (StatusCode::NOT_FOUND, ErrorCode::ManifestUnknown),
        InvalidRequest::UploadUnknown => (StatusCode::NOT_FOUND, ErrorCode::BlobUploadUnknown),
        InvalidRequest::Method(_) | InvalidRequest::SwitchedOff(_) => {
            (StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported)
        }
    };
    let response = with_text(status, code, error.to_string());
    match error {
        InvalidRequest::Method(allowed) => with_header(response, ALLOW, HeaderValue::from_static(allowed)),
        InvalidRequest::SwitchedOff(_) => with_header(response, ALLOW, HeaderValue::from_static("GET, HEAD")),
        _ => response,
    }
}

fn of_refusal(refusal: &Refusal) -> Response {
    let message = match (refusal.token, &refusal.note) {
        (Some(reason), _) => reason.to_string(),
        (None, Some(note)) => note.clone(),
        (None, None) if refusal.insufficient => "the token does not allow this".to_owned(),
        (None, None) => "authentication required".to_owned(),
    };
    let wanted: Vec<_> = refusal
        .scopes
        .iter()
        .flat_map(|scope| scope.actions.iter().map(move |action| (scope, action)))
        .map(|(scope, action)| {
            json!({
                "Type": scope.resource.resource_type().as_str(),
                "Class": "",
                "Name": scope.resource.name(),
                "Action": action.as_str(),
            })
        })
        .collect();
    let detail = if wanted.is_empty() {
        serde_json::Value::Null
    } else {
        wanted.into()
    };
    let body = ErrorBody::with_detail(ErrorCode::Unauthorized, message, detail);
    with_header(
        with_body(StatusCode::UNAUTHORIZED, &body),
        WWW_AUTHENTICATE,
        header::value(refusal.challenge.clone()),
    )
}

fn of_registry(error: RegistryError) -> Response {
    let text = error.to_string();
    match error {
        RegistryError::NameUnknown => with_text(StatusCode::NOT_FOUND, ErrorCode::NameUnknown, text),
        RegistryError::BlobUnknown { digest } => with_body(
            StatusCode::NOT_FOUND,
            &ErrorBody::with_detail(ErrorCode::BlobUnknown, text, json!({"digest": digest})),
        ),
        RegistryError::BlobUploadUnknown => {
            with_text(StatusCode::NOT_FOUND, ErrorCode::BlobUploadUnknown, text)
        }
        RegistryError::BlobUploadInvalid => {
            with_text(StatusCode::CONFLICT, ErrorCode::BlobUploadInvalid, text)
        }
        RegistryError::DigestInvalid { expected, computed } => of_digest(&expected, &computed),
        RegistryError::SizeInvalid { .. } => with_text(StatusCode::BAD_REQUEST, ErrorCode::SizeInvalid, text),
        RegistryError::BlobTooLarge { limit } => too_large(limit),
        RegistryError::RangeInvalid { .. } => {
            with_text(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::RangeInvalid, text)
        }
        RegistryError::ManifestUnknown { reference } => with_body(
            StatusCode::NOT_FOUND,
            &ErrorBody::with_detail(
                ErrorCode::ManifestUnknown,
                text,
                json!({"reference": reference.to_string()}),
            ),
        ),
        RegistryError::ManifestInvalid(_)
        | RegistryError::UrlNotAllowed { .. }
        | RegistryError::TooManyReferences { .. } => {
            with_text(StatusCode::BAD_REQUEST, ErrorCode::ManifestInvalid, text)
        }
        RegistryError::NoRoom { .. }
        | RegistryError::ClassNotAllowed { .. }
        | RegistryError::TagMustStay { .. }
        | RegistryError::TagImmutable { .. } => with_text(StatusCode::FORBIDDEN, ErrorCode::Denied, text),
        RegistryError::ManifestBlobUnknown { missing } => of_missing(missing),
        RegistryError::TagConflict => with_text(StatusCode::PRECONDITION_FAILED, ErrorCode::TagInvalid, text),
        RegistryError::BodyInterrupted(_) => interrupted(),
        RegistryError::Storage(error) => of_storage(&error),
    }
}

fn of_missing(missing: Vec<Digest>) -> Response {
    let entry = |digest: Digest| ErrorEntry {
        code: ErrorCode::ManifestBlobUnknown,
        message: "the manifest names content that the repository does not hold; push it first".to_owned(),
        detail: json!({"digest": digest}),
    };
    let errors: Vec<_> = missing.into_iter().map(entry).collect();
    with_body(StatusCode::BAD_REQUEST, &ErrorBody { errors })
}

fn of_digest(expected: &Digest, computed: &Digest) -> Response {
    let text = format!("the content has the digest {computed}, not {expected}");
    let detail = json!({"expected": expected, "computed": computed});
    with_body(
        StatusCode::BAD_REQUEST,
        &ErrorBody::with_detail(ErrorCode::DigestInvalid, text, detail),
    )
}

fn of_storage(error: &StorageError) -> Response {
    let cause: &dyn std::error::Error = error;
    tracing::error!(error = cause, "the storage failed");
    let unavailable =
        |text: &'static str| with_text(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, text);
    match error {
        StorageError::Full { .. } => with_text(
            StatusCode::INSUFFICIENT_STORAGE,
            ErrorCode::Unavailable,
            "the disk of this registry is full; pulling and deleting go on, and its operator must make room before anything can be pushed",
        ),
        StorageError::ReadOnly { .. } => {
            retry_after(unavailable("the registry can be read only for now"), RETRY_LATER)
        }
        StorageError::Unavailable { .. } => {
            retry_after(unavailable("the registry cannot reach its storage"), RETRY_LATER)
        }
        StorageError::Locked { .. } => retry_after(
            unavailable("another request is working on the same content"),
            RETRY_SOON,
        ),
        // What the registry should have dealt with, and what only an operator can.
        StorageError::NotFound { .. } | StorageError::Conflict { .. } | StorageError::Corrupt { .. } => {
            with_text(
                StatusCode::INTERNAL_SERVER_ERROR,
                ErrorCode::Unknown,
                "internal error; the log names this request by the X-Request-Id of this answer",
            )
        }
    }
}

fn not_told(error: &(dyn std::error::Error + 'static)) -> Response {
    tracing::error!(error, "a manifest is stored, but its push cannot be completed");
    let text = "the push could not be completed; push the manifest again";
    let response = with_text(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, text);
    retry_after(response, RETRY_SOON)
}

fn not_asked(error: &(dyn std::error::Error + 'static)) -> Response {
    tracing::error!(
        error,
        "the index cannot be asked about a strict quota, so a manifest was not stored"
    );
    let text = "the quota of the namespace cannot be looked up at the moment; push the manifest again";
    let response = with_text(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, text);
    retry_after(response, RETRY_SOON)
}

fn internal() -> Response {
    with_text(
        StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::Unknown,
        "internal error; the log names this request by the X-Request-Id of this answer",
    )
}

fn too_large(limit: u64) -> Response {
    let text = format!("the content is larger than the {limit} bytes that are allowed");
    with_text(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid, text)
}

fn interrupted() -> Response {
    with_text(
        StatusCode::BAD_REQUEST,
        ErrorCode::SizeInvalid,
        "the body of the request broke off",
    )
}

fn with_text(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Response {
    with_body(status, &ErrorBody::new(code, message))
}

pub(super) fn with_body(status: StatusCode, body: &ErrorBody) -> Response {
    let mut response = answer::full(status, "application/json", body.to_json()).into_response();
    if let Some(entry) = body.errors.first() {
        response.extensions_mut().insert(ToldError::of(entry));
    }
    response
}

fn with_header(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

fn retry_after(response: Response, seconds: u32) -> Response {
    with_header(response, RETRY_AFTER, HeaderValue::from(seconds))
}

#[cfg(test)]
mod tests;
