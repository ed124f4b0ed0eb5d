//! `/api/v1/namespaces/{name}/quota`, `/api/v1/quotas`.

use crate::http::api::described::{ApiRouter, routes};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::SignedIn;
use super::namespace::namespace_name;
use super::page::{Page, Wish};
use super::problem::Problem;
use super::rule::Edit;
use crate::app::AppError;
use crate::app::quota::ListedQuota;
use crate::app::quota::NamespaceUsage;
use crate::domain::quota::{Decided, NamespaceQuota, Resource};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(show, change))
        .routes(routes!(list))
}

/// What a namespace holds of something, and may hold.
#[derive(Debug, Serialize, ToSchema)]
struct QuotaShare {
    /// What it holds.
    used: u64,
    /// What it may hold at most; absent for no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    /// Whether that is what the site's configuration says.
    is_default: bool,
}

/// What a namespace holds and may hold.
#[derive(Debug, Serialize, ToSchema)]
struct NamespaceQuotaUsage {
    /// Bytes of its repositories together: what they share counts for each.
    bytes: QuotaShare,
    /// Bytes, what its repositories share counted once.
    storage_bytes: QuotaShare,
    /// Repositories.
    repositories: QuotaShare,
    /// Tags of all its repositories.
    tags: QuotaShare,
    /// Whether the registry asks before each manifest, so that no limit is passed at all.
    strict: bool,
    /// From how many percent on clients are warned.
    warn_percent: u8,
}

/// What shall be decided; what is absent stays. `-1` is no limit, `null` what the site's configuration says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NamespaceQuotaChange {
    /// Bytes of its repositories together.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = -1, maximum = 4_611_686_018_427_387_904_i64)]
    bytes: Edit<i64>,
    /// Bytes, what its repositories share counted once.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = -1, maximum = 4_611_686_018_427_387_904_i64)]
    storage_bytes: Edit<i64>,
    /// Repositories.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = -1, maximum = 4_611_686_018_427_387_904_i64)]
    repositories: Edit<i64>,
    /// Tags of all its repositories.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = -1, maximum = 4_611_686_018_427_387_904_i64)]
    tags: Edit<i64>,
    /// Whether the registry asks before each manifest.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    strict: Edit<bool>,
}

/// What was decided about a namespace; `-1` is no limit, absent what the site's configuration says.
#[derive(Debug, Serialize, ToSchema)]
struct DecidedQuota {
    /// The namespace.
    namespace: String,
    /// Bytes of its repositories together.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<i64>,
    /// Bytes, what its repositories share counted once.
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_bytes: Option<i64>,
    /// Repositories.
    #[serde(skip_serializing_if = "Option::is_none")]
    repositories: Option<i64>,
    /// Tags of all its repositories.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<i64>,
    /// Whether the registry asks before each manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// Usage and limits of a namespace
///
/// For those who administer it, and administrators of the site.
#[utoipa::path(get, path = "/namespaces/{name}/quota", tag = "limits",
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 200, body = NamespaceQuotaUsage), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn show(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(name): Path<String>,
) -> Result<axum::Json<NamespaceQuotaUsage>, Problem> {
    let usage = state.app.show_quota(&caller, &namespace_name(&name)?).await?;
    Ok(axum::Json(show_usage(&usage)))
}

/// Change the limits of a namespace
///
/// By administrators of the site. It holds from the next token on.
#[utoipa::path(patch, path = "/namespaces/{name}/quota", tag = "limits", request_body = NamespaceQuotaChange,
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 200, body = NamespaceQuotaUsage), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn change(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(name): Path<String>,
    axum::Json(change): axum::Json<NamespaceQuotaChange>,
) -> Result<axum::Json<NamespaceQuotaUsage>, Problem> {
    let (name, edit) = (namespace_name(&name)?, change.parse()?);
    let usage = state.app.set_quota(&caller, &name, edit).await?;
    Ok(axum::Json(show_usage(&usage)))
}

/// Namespaces with limits of their own
///
/// For administrators of the site.
#[utoipa::path(get, path = "/quotas", tag = "limits", params(Wish), responses(
    (status = 200, body = Page<DecidedQuota>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Query(wish): Query<Wish>,
) -> Result<axum::Json<Page<DecidedQuota>>, Problem> {
    let found = state
        .app
        .list_quotas(&caller, wish.after_id(), wish.limit() + 1)
        .await?;
    Ok(axum::Json(Page::new(
        &wish,
        found,
        |listed| listed.namespace_id.to_string(),
        show_decided,
    )))
}

impl NamespaceQuotaChange {
    fn parse(self) -> Result<impl FnOnce(&mut NamespaceQuota), AppError> {
        let decided = |said: Edit<i64>| match said {
            Edit::Keep => Ok(None),
            Edit::Clear => Ok(Some(Decided::Default)),
            Edit::Set(-1) => Ok(Some(Decided::Unlimited)),
            Edit::Set(limit) => u64::try_from(limit)
                .ok()
                .filter(|limit| *limit <= Decided::MOST)
                .map(|limit| Some(Decided::AtMost(limit)))
                .ok_or_else(|| {
                    AppError::Invalid("a limit is a number from 0 on, -1 for none, or null".to_owned())
                }),
        };
        let (bytes, storage_bytes) = (decided(self.bytes)?, decided(self.storage_bytes)?);
        let (repositories, tags) = (decided(self.repositories)?, decided(self.tags)?);
        Ok(move |quota: &mut NamespaceQuota| {
            let of = &mut quota.decided;
            for (place, said) in [
                (&mut of.bytes, bytes),
                (&mut of.storage_bytes, storage_bytes),
                (&mut of.repositories, repositories),
                (&mut of.tags, tags),
            ] {
                *place = said.unwrap_or(*place);
            }
            match self.strict {
                Edit::Keep => {}
                Edit::Clear => quota.is_strict = None,
                Edit::Set(flag) => quota.is_strict = Some(flag),
            }
        })
    }
}

fn show_usage(found: &NamespaceUsage) -> NamespaceQuotaUsage {
    let share = |resource: Resource| QuotaShare {
        used: found.usage.of(resource),
        limit: found.quota.limits.of(resource),
        is_default: found.decided.decided.of(resource) == Decided::Default,
    };
    NamespaceQuotaUsage {
        bytes: share(Resource::Bytes),
        storage_bytes: share(Resource::StorageBytes),
        repositories: share(Resource::Repositories),
        tags: share(Resource::Tags),
        strict: found.quota.is_strict,
        warn_percent: found.quota.warn_percent,
    }
}

fn show_decided(listed: ListedQuota) -> DecidedQuota {
    let ListedQuota { name, quota, .. } = listed;
    let stored = quota.decided.map(|_, decided| decided.to_stored());
    DecidedQuota {
        namespace: name.to_string(),
        bytes: stored.bytes,
        storage_bytes: stored.storage_bytes,
        repositories: stored.repositories,
        tags: stored.tags,
        strict: quota.is_strict,
    }
}

#[cfg(test)]
mod tests;
