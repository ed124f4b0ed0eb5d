//! What namespaces hold, and what was decided that they may hold.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::Administrator;
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::app::quota::NamespaceUsage;
use crate::domain::NamespaceName;
use crate::domain::quota::{Amount, Decided, InvalidAmount, NamespaceQuota, Resource};
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, Paged, Place, problem, query};
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// Namespaces on a page: each is measured.
const MEASURED: u32 = 10;

/// What a namespace holds of one resource, and may.
struct Share {
    resource: &'static str,
    is_bytes: bool,
    used: u64,
    limit: Option<u64>,
    is_default: bool,
}

/// A namespace with what it holds.
struct Row {
    id: String,
    name: String,
    shares: Vec<Share>,
    is_strict: bool,
}

impl Row {
    fn new(id: String, name: String, usage: &NamespaceUsage) -> Self {
        let share = |resource: Resource| Share {
            resource: resource.as_str(),
            is_bytes: matches!(resource, Resource::Bytes | Resource::StorageBytes),
            used: usage.usage.of(resource),
            limit: usage.quota.limits.of(resource),
            is_default: usage.decided.decided.of(resource) == Decided::Default,
        };
        Self {
            id,
            name,
            shares: Resource::EVERY.map(share).into(),
            is_strict: usage.quota.is_strict,
        }
    }
}

#[derive(Template)]
#[template(path = "admin/storage.html")]
struct StoragePage {
    view: View,
    frame: Frame,
    /// The namespace that is looked at.
    one: Option<Row>,
    typed: Typed,
    listed: Paged<Row>,
}

/// Which namespace is looked at.
#[derive(Debug, Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    namespace: String,
}

/// What was decided. Empty is what the site's configuration says, `unlimited` no limit.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    namespace: String,
    bytes: String,
    storage_bytes: String,
    repositories: String,
    tags: String,
    strict: String,
}

impl Typed {
    fn of(namespace: &str, quota: &NamespaceQuota) -> Self {
        let text = |decided: Decided| match decided {
            Decided::Default => String::new(),
            Decided::Unlimited => "unlimited".to_owned(),
            Decided::AtMost(limit) => limit.to_string(),
        };
        Self {
            namespace: namespace.to_owned(),
            bytes: text(quota.decided.bytes),
            storage_bytes: text(quota.decided.storage_bytes),
            repositories: text(quota.decided.repositories),
            tags: text(quota.decided.tags),
            strict: quota.is_strict.map_or(String::new(), |is_strict| {
                if is_strict { "yes" } else { "no" }.to_owned()
            }),
        }
    }

    fn quota(&self) -> Result<NamespaceQuota, AppError> {
        let mut quota = NamespaceQuota::default();
        quota.decided.bytes = decided(&self.bytes)?;
        quota.decided.storage_bytes = decided(&self.storage_bytes)?;
        quota.decided.repositories = decided(&self.repositories)?;
        quota.decided.tags = decided(&self.tags)?;
        quota.is_strict = match self.strict.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        Ok(quota)
    }
}

/// A limit as people write it: `500 GB`, `1000`, `unlimited`.
fn decided(text: &str) -> Result<Decided, AppError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Decided::Default);
    }
    if text.eq_ignore_ascii_case("unlimited") || text == "-1" {
        return Ok(Decided::Unlimited);
    }
    match text.parse() {
        Ok(Amount(limit)) => Ok(Decided::AtMost(limit)),
        Err(InvalidAmount) => Err(AppError::Invalid(
            "a limit is a number such as 1000 or 500 GB, unlimited, or nothing for the site's own".to_owned(),
        )),
    }
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Query(search): Query<Search>,
    Query(place): Query<Place>,
) -> Result<Response, PageError> {
    let name = search.namespace.trim();
    let (one, typed, said) = if name.is_empty() {
        (None, Typed::default(), (StatusCode::OK, String::new()))
    } else {
        match usage(&state, &caller, name).await {
            Ok((name, usage)) => {
                let typed = Typed::of(name.as_str(), &usage.decided);
                let row = Row::new(String::new(), name.to_string(), &usage);
                (Some(row), typed, (StatusCode::OK, String::new()))
            }
            Err(error) => {
                let (status, text) = problem(error, &view)?;
                let typed = Typed {
                    namespace: name.to_owned(),
                    ..Typed::default()
                };
                (None, typed, (status, text))
            }
        }
    };
    page(&state, &caller, view, one, typed, (place, said)).await
}

pub(super) async fn decide(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(typed): Submitted<Typed>,
) -> Result<Response, PageError> {
    let ended = match (namespace(&typed.namespace), typed.quota()) {
        (Ok(name), Ok(quota)) => state
            .app
            .set_quota(&caller, &name, |decided| *decided = quota)
            .await
            .map(|_| name),
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    match ended {
        Ok(name) => {
            let path = format!("/admin/storage{}", query(&[("namespace", name.as_str())]));
            Ok(done(&view, &path, "admin-done-quota"))
        }
        Err(error) => {
            let (status, text) = problem(error, &view)?;
            let said = (Place::default(), (status, text));
            let one = match usage(&state, &caller, &typed.namespace).await {
                Ok((name, usage)) => Some(Row::new(String::new(), name.to_string(), &usage)),
                Err(_) => None,
            };
            page(&state, &caller, view, one, typed, said).await
        }
    }
}

fn namespace(text: &str) -> Result<NamespaceName, AppError> {
    let text = text.trim().to_ascii_lowercase();
    text.parse()
        .map_err(|_| AppError::NotFound(format!("there is no namespace {text}")))
}

async fn usage(
    state: &State,
    caller: &Caller,
    name: &str,
) -> Result<(NamespaceName, NamespaceUsage), AppError> {
    let name = namespace(name)?;
    let usage = state.app.show_quota(caller, &name).await?;
    Ok((name, usage))
}

async fn page(
    state: &State,
    caller: &Caller,
    view: View,
    one: Option<Row>,
    typed: Typed,
    (place, (status, problem)): (Place, (StatusCode, String)),
) -> Result<Response, PageError> {
    let mut rows = Vec::new();
    for listed in state
        .app
        .list_quotas(caller, place.after_id(), MEASURED + 1)
        .await?
    {
        let usage = state.app.show_quota(caller, &listed.name).await?;
        rows.push(Row::new(
            listed.namespace_id.to_string(),
            listed.name.to_string(),
            &usage,
        ));
    }
    let page = StoragePage {
        listed: Paged::new(&place, "/admin/storage", rows, MEASURED, |row: &Row| {
            row.id.clone()
        }),
        frame: Frame {
            problem,
            ..Frame::of("storage")
        },
        one,
        typed,
        view,
    };
    Ok(render_with(status, &page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_with_or_without_a_unit_or_a_word() {
        for (text, expected) in [
            ("", Decided::Default),
            (" unlimited ", Decided::Unlimited),
            ("-1", Decided::Unlimited),
            ("1000", Decided::AtMost(1000)),
            ("0", Decided::AtMost(0)),
        ] {
            assert_eq!(decided(text).unwrap(), expected, "{text}");
        }
        for text in ["many", "-2", "99999999999999999999", "1.2.3"] {
            assert!(decided(text).is_err(), "{text}");
        }
    }
}
