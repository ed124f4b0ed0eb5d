//! Referrers: end-12 of the distribution-spec. An unknown repository or subject has none, which is no error.

use axum::response::Response;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use shared::oci::{Descriptor, Digest, MediaType, RepositoryName};

use super::dispatch::Asked;
use super::error::Error;
use super::page::{self, MAX_PAGE};
use super::{answer, header};
use crate::endpoint::query;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: &'static str,
    manifests: &'a [Descriptor],
}

/// `GET referrers/<digest>`, in the order of their digests.
pub(super) async fn list(
    asked: &Asked<'_>,
    name: &RepositoryName,
    subject: &Digest,
) -> Result<Response, Error> {
    let limit = page::limit(asked.query(), MAX_PAGE, MAX_PAGE)?;
    let artifact_type = query::find(asked.query(), "artifactType").filter(|text| !text.is_empty());
    let last = query::find(asked.query(), "last").and_then(|last| last.parse().ok());
    let stored_as = asked.authorized.stored_as(name);
    let page = asked
        .service
        .registry
        .list_referrers(stored_as, subject, artifact_type.as_deref(), last.as_ref(), limit)
        .await?;
    let body = answer::json(&Index {
        schema_version: 2,
        media_type: MediaType::OciIndex.as_str(),
        manifests: &page.items,
    });
    let mut response = answer::full(StatusCode::OK, MediaType::OciIndex.as_str(), body);
    let filter = artifact_type.as_deref().map(|text| ("artifactType", text));
    if filter.is_some() {
        let applied = HeaderValue::from_static("artifactType");
        response
            .headers_mut()
            .insert(header::OCI_FILTERS_APPLIED, applied);
    }
    if let Some(last) = page.items.last().filter(|_| page.more) {
        let path = format!("{}/v2/{name}/referrers/{subject}", asked.base_url());
        page::link_next(
            &mut response,
            &path,
            &last.digest.to_string(),
            limit,
            filter.as_slice(),
        );
    }
    Ok(response)
}
