//! What a request asks for: (method, raw path) → [`Endpoint`] → the access it needs. Pure, and a table.
//!
//! Repository names hold slashes, so the path is read from its end (OCI distribution-spec, "Endpoints"). The path is taken
//! as sent: the only escape that is read is `%3A` for a colon, which some clients send in digests.

mod path;
pub mod query;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use http::Method;
use shared::oci::digest::InvalidDigest;
use shared::oci::name::InvalidName;
use shared::oci::{Digest, Reference, RepositoryName};
use shared::token::{Action, Actions, Scope};

use path::Target;

/// Longest upload id in bytes.
const MAX_UPLOAD_ID: usize = 128;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `/`: a load balancer asks whether anybody is there.
    Probe,
    /// `/v2/`: is this a registry, and is the token good?
    Base,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/_portolan/token`: tokens of the registry's own, where there are such (distribution-spec, "Extensions").
    Token,
    /// Anything about one repository.
    Repository(RepositoryName, Operation),
}

/// What is asked of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `GET tags/list`
    ListTags,
    /// `GET`, `HEAD manifests/<reference>`
    ReadManifest(Reference),
    /// `PUT manifests/<reference>`
    PutManifest(Reference),
    /// `DELETE manifests/<reference>`
    DeleteManifest(Reference),
    /// `HEAD blobs/<digest>`
    StatBlob(Digest),
    /// `GET blobs/<digest>`
    ReadBlob(Digest),
    /// `DELETE blobs/<digest>`
    DeleteBlob(Digest),
    /// `POST blobs/uploads/`
    StartUpload(Option<Mount>),
    /// `GET`, `HEAD blobs/uploads/<id>`
    UploadStatus(UploadText),
    /// `PATCH blobs/uploads/<id>`
    AppendUpload(UploadText),
    /// `PUT blobs/uploads/<id>`
    FinishUpload(UploadText),
    /// `DELETE blobs/uploads/<id>`
    CancelUpload(UploadText),
    /// `GET referrers/<digest>`
    ListReferrers(Digest),
    /// `DELETE _portolan/content`: everything that the repository holds (distribution-spec, "Extensions").
    Purge,
}

/// A blob that is to be taken over from another repository (distribution-spec, "Mounting a blob from another
/// repository").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Which blob.
    pub digest: Digest,
    /// From where; absent when the registry shall look for it.
    pub from: Option<RepositoryName>,
}

/// The text of an upload id as it stands in a path: 1 to 128 letters, digits, `-`, `_`, `.` or `=`. Whether it is one
/// of ours the registry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadText(Box<str>);

impl UploadText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn find(text: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.=".contains(&b);
        let fits = !text.is_empty() && text.len() <= MAX_UPLOAD_ID && text.bytes().all(allowed);
        fits.then(|| Self(text.into()))
    }
}

/// Why a request asks for nothing that exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// No endpoint has this path.
    #[error("no endpoint of the registry has this path")]
    Path,
    /// The path holds an escape other than `%3A`.
    #[error("the path must be sent without percent-encoding")]
    Escape,
    /// The repository name breaks the grammar.
    #[error("the repository name is not valid: {0}")]
    Name(#[from] InvalidName),
    /// The digest breaks the grammar.
    #[error("the digest is not valid: {0}")]
    Digest(#[from] InvalidDigest),
    /// A manifest is pushed under a tag that breaks the grammar.
    #[error("a tag is 1 to 128 letters, digits, '_', '.' or '-', and does not begin with '.' or '-'")]
    Tag,
    /// A manifest is asked for by a tag that breaks the grammar, which no repository can hold.
    #[error("no manifest can have this tag: it is not a valid one")]
    ManifestUnknown,
    /// The upload id breaks the grammar, so no upload can have it.
    #[error("there is no upload of this id")]
    UploadUnknown,
    /// The path exists, but not for this method. The methods it has.
    #[error("this path answers to {0} alone")]
    Method(&'static str),
    /// The endpoint is switched off by configuration.
    #[error("{0} by the configuration of this registry")]
    SwitchedOff(&'static str),
}

/// Which operations the configuration allows at all, whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether manifests, tags and blobs can be deleted (`storage.delete.enabled`).
    pub delete_enabled: bool,
    /// Whether nothing may be written (`storage.maintenance.readonly.enabled`).
    pub read_only: bool,
}

/// The access that an endpoint needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredAccess<'a> {
    /// None: the endpoint tells nothing.
    Nothing,
    /// Any valid token, whatever it allows.
    AnyToken,
    /// Any valid token; it decides what is listed.
    Catalog,
    /// Actions on a repository.
    Repository {
        /// The repository, by its public name.
        name: &'a RepositoryName,
        /// All of these.
        actions: Actions,
        /// Pull of this one makes the request succeed sooner, but is not needed: the source of a mount.
        source: Option<&'a RepositoryName>,
    },
}

impl RequiredAccess<'_> {
    /// The scopes that a challenge asks for.
    pub fn scopes(&self) -> Vec<Scope> {
        match *self {
            Self::Nothing | Self::AnyToken => Vec::new(),
            Self::Catalog => vec![Scope::catalog()],
            Self::Repository {
                name,
                actions,
                source,
            } => {
                let target = Scope::repository(name.clone(), actions);
                let source = source.map(|name| Scope::repository(name.clone(), Actions::PULL));
                std::iter::once(target).chain(source).collect()
            }
        }
    }
}

impl Endpoint {
    /// The endpoint of a request line. `path` is the raw path, `query` what follows its question mark.
    pub fn parse(method: &Method, path: &str, query: Option<&str>) -> Result<Self, InvalidRequest> {
        let path = without_escapes(path)?;
        if path == "/" {
            return only(method, &[&Method::GET, &Method::HEAD], "GET, HEAD", Self::Probe);
        }
        let rest = match path.strip_prefix("/v2") {
            Some("" | "/") => return only(method, &[&Method::GET, &Method::HEAD], "GET, HEAD", Self::Base),
            Some(rest) => rest.strip_prefix('/').ok_or(InvalidRequest::Path)?,
            None => return Err(InvalidRequest::Path),
        };
        if rest == "_catalog" {
            return only(method, &[&Method::GET, &Method::HEAD], "GET, HEAD", Self::Catalog);
        }
        if rest == "_portolan/token" {
            return only(method, &[&Method::GET, &Method::HEAD], "GET, HEAD", Self::Token);
        }
        let (name, target) = Target::split(rest).ok_or(InvalidRequest::Path)?;
        let name = name.parse()?;
        Ok(Self::Repository(name, target.operation(method, query)?))
    }

    /// The access that must be held before the request is served.
    pub fn required_access(&self) -> RequiredAccess<'_> {
        match self {
            Self::Probe | Self::Token => RequiredAccess::Nothing,
            Self::Base => RequiredAccess::AnyToken,
            Self::Catalog => RequiredAccess::Catalog,
            Self::Repository(name, operation) => RequiredAccess::Repository {
                name,
                actions: operation.required_actions(),
                source: operation.mount_source().filter(|source| *source != name),
            },
        }
    }

    /// Whether the configuration allows it at all.
    pub fn check_policy(&self, policy: Policy) -> Result<(), InvalidRequest> {
        let Self::Repository(_, operation) = self else {
            return Ok(());
        };
        if policy.read_only && operation.writes() {
            return Err(InvalidRequest::SwitchedOff("writing is switched off"));
        }
        if !policy.delete_enabled && operation.deletes() {
            return Err(InvalidRequest::SwitchedOff("deleting is switched off"));
        }
        Ok(())
    }

    /// The endpoint's name for logs and metrics: one of a closed set.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Base => "base",
            Self::Catalog => "catalog",
            Self::Token => "token",
            Self::Repository(_, operation) => operation.name(),
        }
    }
}

impl Operation {
    /// The actions on the repository that the operation needs.
    pub fn required_actions(&self) -> Actions {
        match self {
            Self::ListTags
            | Self::ReadManifest(_)
            | Self::StatBlob(_)
            | Self::ReadBlob(_)
            | Self::ListReferrers(_) => Actions::PULL,
            Self::PutManifest(_) | Self::StartUpload(_) | Self::AppendUpload(_) | Self::FinishUpload(_) => {
                Actions::PULL_PUSH
            }
            // The id is a capability that only its owner can use, so nothing more is asked than to push.
            Self::UploadStatus(_) | Self::CancelUpload(_) => Actions::NONE.with(Action::Push),
            Self::DeleteManifest(_) | Self::DeleteBlob(_) => Actions::NONE.with(Action::Delete),
            // No grant of the index to anybody else holds it.
            Self::Purge => Actions::NONE.with(Action::All),
        }
    }

    fn mount_source(&self) -> Option<&RepositoryName> {
        match self {
            Self::StartUpload(Some(mount)) => mount.from.as_ref(),
            _ => None,
        }
    }

    fn deletes(&self) -> bool {
        matches!(self, Self::DeleteManifest(_) | Self::DeleteBlob(_) | Self::Purge)
    }

    fn writes(&self) -> bool {
        match self {
            Self::ListTags
            | Self::ReadManifest(_)
            | Self::StatBlob(_)
            | Self::ReadBlob(_)
            | Self::UploadStatus(_)
            | Self::ListReferrers(_) => false,
            Self::PutManifest(_)
            | Self::DeleteManifest(_)
            | Self::DeleteBlob(_)
            | Self::StartUpload(_)
            | Self::AppendUpload(_)
            | Self::FinishUpload(_)
            | Self::CancelUpload(_)
            | Self::Purge => true,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::ListTags => "tags",
            Self::ReadManifest(_) => "manifest_read",
            Self::PutManifest(_) => "manifest_put",
            Self::DeleteManifest(_) => "manifest_delete",
            Self::StatBlob(_) => "blob_stat",
            Self::ReadBlob(_) => "blob_read",
            Self::DeleteBlob(_) => "blob_delete",
            Self::StartUpload(_) => "upload_start",
            Self::UploadStatus(_) => "upload_status",
            Self::AppendUpload(_) => "upload_append",
            Self::FinishUpload(_) => "upload_finish",
            Self::CancelUpload(_) => "upload_cancel",
            Self::ListReferrers(_) => "referrers",
            Self::Purge => "purge",
        }
    }
}

fn only(
    method: &Method,
    methods: &[&Method],
    listed: &'static str,
    endpoint: Endpoint,
) -> Result<Endpoint, InvalidRequest> {
    if methods.contains(&method) {
        Ok(endpoint)
    } else {
        Err(InvalidRequest::Method(listed))
    }
}

fn without_escapes(path: &str) -> Result<Cow<'_, str>, InvalidRequest> {
    if !path.contains('%') {
        return Ok(Cow::Borrowed(path));
    }
    let path = path.replace("%3A", ":").replace("%3a", ":");
    if path.contains('%') {
        return Err(InvalidRequest::Escape);
    }
    Ok(Cow::Owned(path))
}
