//! How much a namespace holds, and how much it may.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::domain::quota::Resource;
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::render;
use crate::http::web::settings::fields::Draft;
use crate::http::web::settings::place::{At, Place};
use crate::http::web::view::View;

#[derive(Template)]
#[template(path = "organisation/quota.html")]
struct Quota {
    view: View,
    place: Place,
    draft: Draft,
    shares: Vec<Share>,
    is_strict: bool,
    warn_percent: u8,
    is_unlimited: bool,
}

/// What is used of a resource.
struct Share {
    key: &'static str,
    used: u64,
    limit: Option<u64>,
    is_bytes: bool,
    /// `good`, `warn` or `bad`.
    kind: &'static str,
}

pub(super) async fn show(State(state): State<Parts>, at: At) -> Result<Response, PageError> {
    let found = state.app.show_quota(&at.caller, &at.namespace()).await?;
    let shares = Resource::EVERY.into_iter().map(|resource| Share {
        key: match resource {
            Resource::Bytes => "organisation-quota-bytes",
            Resource::StorageBytes => "organisation-quota-storage",
            Resource::Repositories => "organisation-quota-repositories",
            Resource::Tags => "organisation-quota-tags",
        },
        used: found.usage.of(resource),
        limit: found.quota.limits.of(resource),
        is_bytes: matches!(resource, Resource::Bytes | Resource::StorageBytes),
        kind: match found.quota.step(resource, &found.usage) {
            0 => "good",
            100 => "bad",
            _ => "warn",
        },
    });
    let page = Quota {
        shares: shares.collect(),
        is_strict: found.quota.is_strict,
        warn_percent: found.quota.warn_percent,
        is_unlimited: found.quota.is_unlimited(),
        view: at.view,
        place: at.place,
        draft: Draft::default(),
    };
    Ok(render(&page))
}
