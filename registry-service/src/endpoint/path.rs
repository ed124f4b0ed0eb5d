//! What a path names, read from its end, and what a method does with it.

use http::Method;
use shared::oci::Reference;
use shared::oci::reference::InvalidReference;

use super::{InvalidRequest, Mount, Operation, UploadText, query};

/// What the end of a path names.
pub(super) enum Target<'a> {
    Tags,
    Manifest(&'a str),
    Blob(&'a str),
    Uploads,
    Upload(&'a str),
    Referrers(&'a str),
    Content,
}

impl<'a> Target<'a> {
    /// The repository name and what follows it. `rest` is the path after `/v2/`.
    pub(super) fn split(rest: &'a str) -> Option<(&'a str, Self)> {
        let (head, last) = rest.rsplit_once('/')?;
        let (name, kind) = head.rsplit_once('/').unwrap_or(("", head));
        let target = match (kind, last) {
            ("tags", "list") => Self::Tags,
            ("manifests", reference) => Self::Manifest(reference),
            ("referrers", digest) => Self::Referrers(digest),
            ("_portolan", "content") => Self::Content,
            ("blobs", "uploads") => Self::Uploads,
            ("blobs", digest) => Self::Blob(digest),
            ("uploads", id) => {
                let name = if name == "blobs" {
                    ""
                } else {
                    name.strip_suffix("/blobs")?
                };
                let target = if id.is_empty() {
                    Self::Uploads
                } else {
                    Self::Upload(id)
                };
                return Some((name, target));
            }
            _ => return None,
        };
        Some((name, target))
    }

    pub(super) fn operation(self, method: &Method, query: Option<&str>) -> Result<Operation, InvalidRequest> {
        let is_read = method == Method::GET || method == Method::HEAD;
        match self {
            Self::Tags if is_read => Ok(Operation::ListTags),
            Self::Referrers(digest) if is_read => Ok(Operation::ListReferrers(digest.parse()?)),
            Self::Tags | Self::Referrers(_) => Err(InvalidRequest::Method("GET, HEAD")),
            Self::Manifest(text) => match *method {
                Method::GET | Method::HEAD => Ok(Operation::ReadManifest(held_reference(text)?)),
                Method::PUT => Ok(Operation::PutManifest(new_reference(text)?)),
                Method::DELETE => Ok(Operation::DeleteManifest(held_reference(text)?)),
                _ => Err(InvalidRequest::Method("GET, HEAD, PUT, DELETE")),
            },
            Self::Blob(digest) => match *method {
                Method::GET => Ok(Operation::ReadBlob(digest.parse()?)),
                Method::HEAD => Ok(Operation::StatBlob(digest.parse()?)),
                Method::DELETE => Ok(Operation::DeleteBlob(digest.parse()?)),
                _ => Err(InvalidRequest::Method("GET, HEAD, DELETE")),
            },
            Self::Content if method == Method::DELETE => Ok(Operation::Purge),
            Self::Content => Err(InvalidRequest::Method("DELETE")),
            Self::Uploads if method == Method::POST => Ok(Operation::StartUpload(mount(query)?)),
            Self::Uploads => Err(InvalidRequest::Method("POST")),
            Self::Upload(id) => {
                let id = UploadText::find(id).ok_or(InvalidRequest::UploadUnknown)?;
                match *method {
                    Method::GET | Method::HEAD => Ok(Operation::UploadStatus(id)),
                    Method::PATCH => Ok(Operation::AppendUpload(id)),
                    Method::PUT => Ok(Operation::FinishUpload(id)),
                    Method::DELETE => Ok(Operation::CancelUpload(id)),
                    _ => Err(InvalidRequest::Method("GET, HEAD, PATCH, PUT, DELETE")),
                }
            }
        }
    }
}

/// A reference that is to be written.
fn new_reference(text: &str) -> Result<Reference, InvalidRequest> {
    text.parse().map_err(|e| match e {
        InvalidReference::Digest(reason) => InvalidRequest::Digest(reason),
        InvalidReference::Tag(_) => InvalidRequest::Tag,
    })
}

/// A reference that must exist already: a malformed tag is one that does not (the conformance suite asks for
/// `.INVALID_MANIFEST_NAME` and wants 404).
fn held_reference(text: &str) -> Result<Reference, InvalidRequest> {
    new_reference(text).map_err(|e| match e {
        InvalidRequest::Tag => InvalidRequest::ManifestUnknown,
        other => other,
    })
}

fn mount(query: Option<&str>) -> Result<Option<Mount>, InvalidRequest> {
    let query = query.unwrap_or_default();
    let Some(digest) = query::find(query, "mount").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let from = query::find(query, "from").filter(|text| !text.is_empty());
    Ok(Some(Mount {
        digest: digest.parse()?,
        from: from.map(|name| name.parse()).transpose()?,
    }))
}
