//! Manifests, and questions about blobs, at one registry (OCI distribution-spec).

use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::Value;
use shared::oci::{Algorithm, Digest, Manifest, MediaType};

use super::endpoint::{Ask, Endpoint};
use super::fault::{Fault, Kind, found};
use super::listing;

/// Longest manifest that is taken, in bytes, as the registry has it.
const MOST_OF_A_MANIFEST: usize = 4 << 20;
/// Longest page of referrers, in bytes.
const MOST_OF_A_PAGE: usize = 32 << 20;

/// A manifest as it is stored, with its digest verified.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) bytes: Bytes,
    pub(super) digest: Digest,
    pub(super) view: Manifest,
}

/// One repository of one registry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) name: &'a str,
    /// What is asked for in tokens.
    pub(super) scope: &'a str,
}

impl Place<'_> {
    /// The manifest of a tag or digest.
    pub(super) async fn manifest(&self, reference: &str) -> Result<Fetched, Fault> {
        let mut ask = self.ask_manifest(Method::GET, reference)?;
        ask.most = MOST_OF_A_MANIFEST;
        let answer = self.endpoint.exchange(&ask).await?;
        let named = answer
            .headers
            .get("docker-content-digest")
            .and_then(|value| value.to_str().ok());
        let expected: Option<Digest> = reference.parse().ok().or_else(|| named?.parse().ok());
        let algorithm = expected.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
        let digest = Digest::of(algorithm, &answer.body);
        if let Some(expected) = expected.filter(|expected| *expected != digest) {
            let host = self.endpoint.host();
            return Err(Fault::lasting(format!(
                "{host} sends a manifest whose digest is {digest} instead of {expected}"
            )));
        }
        let content_type = answer
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let view = Manifest::parse(
            &answer.body,
            content_type.filter(|text| MediaType::find(text).is_some()),
        )
        .or_else(|_| Manifest::parse(&answer.body, None))
        .map_err(|error| Fault::lasting(error.to_string()))?;
        Ok(Fetched {
            bytes: answer.body,
            digest,
            view,
        })
    }

    /// The digest of a tag's manifest, or that the manifest of a digest is there.
    pub(super) async fn digest_of(&self, reference: &str) -> Result<Option<Digest>, Fault> {
        let ask = self.ask_manifest(Method::HEAD, reference)?;
        let Some(answer) = found(self.endpoint.exchange(&ask).await)? else {
            return Ok(None);
        };
        let named = answer
            .headers
            .get("docker-content-digest")
            .and_then(|value| value.to_str().ok());
        match named.and_then(|named| named.parse().ok()) {
            Some(digest) => Ok(Some(digest)),
            None => Ok(Some(self.manifest(reference).await?.digest)),
        }
    }

    /// Stores a manifest under a tag or its digest.
    pub(super) async fn put_manifest(&self, reference: &str, manifest: &Fetched) -> Result<(), Fault> {
        let mut ask = self.ask_manifest(Method::PUT, reference)?;
        ask = ask.header(CONTENT_TYPE, manifest.view.media_type().as_str())?;
        ask.body = manifest.bytes.clone();
        self.endpoint.exchange(&ask).await.map(drop)
    }

    /// The size of a blob that is there.
    pub(super) async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, Fault> {
        let url = self.endpoint.url(&format!("/v2/{}/blobs/{digest}", self.name))?;
        let ask = Ask::new(Method::HEAD, url, self.scope);
        let Some(answer) = found(self.endpoint.exchange(&ask).await)? else {
            return Ok(None);
        };
        let size = answer
            .headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        size.map(Some).ok_or_else(|| {
            Fault::lasting(format!(
                "{} does not say the size of {digest}",
                self.endpoint.host()
            ))
        })
    }

    /// What refers to a manifest; `None` when this registry has no such list.
    pub(super) async fn referrers(&self, digest: &Digest) -> Result<Option<Vec<Digest>>, Fault> {
        let mut referrers = Vec::new();
        let mut next = Some(
            self.endpoint
                .url(&format!("/v2/{}/referrers/{digest}", self.name))?,
        );
        while let Some(url) = next {
            let mut ask = Ask::new(Method::GET, url, self.scope);
            ask.most = MOST_OF_A_PAGE;
            let answer = match self.endpoint.exchange(&ask).await {
                Ok(answer) => answer,
                // Older registries know no such path; some say so with another code than 404.
                Err(fault) if fault.is_absent() || fault.kind == Kind::Lasting => return Ok(None),
                Err(fault) => return Err(fault),
            };
            let index: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let Some(list) = index["manifests"].as_array() else {
                return Ok(None);
            };
            referrers.extend(list.iter().filter_map(|one| one["digest"].as_str()?.parse().ok()));
            next = listing::next(self.endpoint, &ask.url, &answer.headers)?;
        }
        Ok(Some(referrers))
    }

    fn ask_manifest(&self, method: Method, reference: &str) -> Result<Ask<'_>, Fault> {
        let url = self
            .endpoint
            .url(&format!("/v2/{}/manifests/{reference}", self.name))?;
        let accepted = MediaType::ALL.map(MediaType::as_str).join(", ");
        Ask::new(method, url, self.scope).header(ACCEPT, &accepted)
    }
}
