//! `/api/v1/renovate/{namespace}/{repository}`: what Renovate asks as a custom datasource.

use std::collections::BTreeMap;

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::Serialize;
use utoipa::ToSchema;

use super::State;
use super::caller::Anyone;
use super::instant::Instant;
use super::problem::Problem;
use super::repository::repository_name;
use crate::domain::version::highest;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new().routes(routes!(releases))
}

/// What there is to update to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RenovateReleases {
    /// Tags, those that moved last first, at most 5,000.
    releases: Vec<RenovateRelease>,
    /// The version that `latest` is, where it is one.
    tags: BTreeMap<String, String>,
    /// Where the image says that its source is.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_url: Option<String>,
    /// Where the image says that more is told of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    homepage: Option<String>,
}

/// A tag.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RenovateRelease {
    /// The tag.
    version: String,
    /// Since when it points to what it points to.
    release_timestamp: Instant,
    /// What that is.
    digest: String,
}

/// Releases of an image
///
/// The tags of a repository with their times and digests, as Renovate reads a custom datasource. For whoever may pull it. Of a
/// name with more than two segments those behind the first are one, with `%2F` between them.
#[utoipa::path(get, path = "/renovate/{namespace}/{repository}", tag = "content",
    params(("namespace" = String, Path, description = "The first segment of the name"),
        ("repository" = String, Path, description = "The others")),
    responses((status = 200, body = RenovateReleases), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn releases(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path((namespace, repository)): Path<(String, String)>,
) -> Result<Json<RenovateReleases>, Problem> {
    let name = repository_name(&format!("{namespace}/{repository}"))?;
    let found = state.app.list_releases(&caller, &name).await?;
    let said = |what: &str| {
        let sayings = found.showcase.as_ref().map(|showcase| &showcase.sayings);
        let text = sayings
            .and_then(|sayings| sayings.get(what))
            .and_then(|text| text.as_str());
        text.filter(|url| url.starts_with("https://") || url.starts_with("http://"))
            .map(str::to_owned)
    };
    let latest = found.tags.iter().find(|tag| tag.name == "latest");
    let version = latest.and_then(|latest| {
        let same = found.tags.iter().filter(|tag| tag.digest == latest.digest);
        highest(same.map(|tag| tag.name.as_str())).map(str::to_owned)
    });
    Ok(Json(RenovateReleases {
        tags: version
            .map(|version| ("latest".to_owned(), version))
            .into_iter()
            .collect(),
        source_url: said("source"),
        homepage: said("url"),
        releases: found
            .tags
            .into_iter()
            .map(|tag| RenovateRelease {
                version: tag.name,
                release_timestamp: Instant(tag.updated_at),
                digest: tag.digest,
            })
            .collect(),
    }))
}
