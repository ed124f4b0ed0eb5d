//! The page of a namespace: `/n/NAMESPACE`.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State as Shared};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::fault::PageError;
use super::page::render;
use super::spark::Spark;
use super::view::View;
use super::visitor::Visitor;
use crate::app::content::shown::{Day, Measure};
use crate::app::hub::{HubRepository, RepositoryOrder};
use crate::app::namespace_page::{NamespacePage, Owner};
use crate::app::repository_page::DAYS;
use crate::domain::Visibility;
use crate::http::{State, named};

/// Repositories on a page.
const PAGE: usize = 30;

/// Pages of namespaces.
pub(in crate::http) fn routes() -> Router<State> {
    Router::new().route("/n/{namespace}", named("web.namespace", get(show)))
}

/// What the address may say behind its question mark.
#[derive(Debug, Default, Deserialize)]
struct Wish {
    page: Option<usize>,
    q: Option<String>,
    order: Option<String>,
}

/// A repository in a list.
struct Row {
    name: String,
    rest: String,
    summary: String,
    visibility: &'static str,
    is_public: bool,
    stars: i64,
    pulls: i64,
    updated_at: i64,
    /// Pulls of the last days.
    spark: Spark,
}

impl Row {
    fn new(one: &HubRepository, days: &[Day], today: i64) -> Self {
        let name = one.facts.name.as_str();
        Self {
            name: name.to_owned(),
            rest: name.split_once('/').map_or(name, |(_, rest)| rest).to_owned(),
            summary: one.details.summary.clone(),
            visibility: match one.facts.visibility {
                Visibility::Public => "repository-public",
                Visibility::Internal => "repository-internal",
                Visibility::Private => "repository-private",
            },
            is_public: one.facts.visibility == Visibility::Public,
            stars: one.details.star_count,
            pulls: one.details.pull_count,
            updated_at: one.details.last_updated(),
            spark: Spark::new(days, today, DAYS),
        }
    }
}

/// Whose it is, in words.
#[derive(Default)]
struct OwnerShown {
    /// The key of what it is.
    kind: &'static str,
    title: String,
    text: String,
    location: String,
    website: String,
    created_at: Option<i64>,
    /// The page where it is administered.
    settings: Option<String>,
}

#[derive(Template)]
#[template(path = "namespace/show.html")]
struct Page {
    view: View,
    name: String,
    owner: OwnerShown,
    is_verified: bool,
    is_own: bool,
    part: String,
    order: &'static str,
    count: usize,
    rows: Vec<Row>,
    size: Option<Measure>,
    may_push: bool,
    /// What makes a repository here.
    push: String,
    previous: String,
    next: String,
}

async fn show(
    Shared(state): Shared<State>,
    Path(name): Path<String>,
    Visitor { caller, view }: Visitor,
    wish: Result<Query<Wish>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, PageError> {
    let wish = wish.map(|Query(wish)| wish).unwrap_or_default();
    let name = name.parse().map_err(|_| PageError::not_found())?;
    let (order, word) = match wish.order.as_deref() {
        Some("name") => (RepositoryOrder::Name, "name"),
        Some("pulls") => (RepositoryOrder::Pulls, "pulls"),
        _ => (RepositoryOrder::Updated, "updated"),
    };
    let page = wish.page.unwrap_or(1).clamp(1, 100_000) - 1;
    let part = wish.q.unwrap_or_default().trim().to_ascii_lowercase();
    let part = if part.len() > 128 { String::new() } else { part };
    let found = state
        .app
        .namespace_page(&caller, &name, &part, order, (page * PAGE, PAGE))
        .await?;
    Ok(render(&Page::new(view, &found, (part, word, page))))
}

impl Page {
    fn new(view: View, found: &NamespacePage, (part, order, page): (String, &'static str, usize)) -> Self {
        let name = found.name.to_string();
        let address = |page: usize| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            if !part.is_empty() {
                query.append_pair("q", &part);
            }
            query.append_pair("order", order);
            query.append_pair("page", &(page + 1).to_string());
            format!("/n/{name}?{}", query.finish())
        };
        let row = |one: &HubRepository| {
            let days = found.days.get(&one.facts.repository_id);
            Row::new(one, days.map(Vec::as_slice).unwrap_or_default(), found.today)
        };
        let is_own =
            matches!(&found.owner, Owner::Account(profile) if profile.username.as_str() == view.username());
        Self {
            owner: owner(&found.owner, &name, (is_own, found.is_administered)),
            previous: if page > 0 {
                address(page - 1)
            } else {
                String::new()
            },
            next: if (page + 1) * PAGE < found.count {
                address(page + 1)
            } else {
                String::new()
            },
            is_verified: found.is_verified,
            is_own,
            order,
            count: found.count,
            rows: found.repositories.iter().map(row).collect(),
            size: found.size,
            may_push: found.may_push,
            push: format!("docker push {}/{name}/IMAGE:latest", view.host),
            part,
            name,
            view,
        }
    }
}

fn owner(owner: &Owner, name: &str, (is_own, is_administered): (bool, bool)) -> OwnerShown {
    match owner {
        Owner::Site => OwnerShown {
            kind: "namespace-site",
            title: name.to_owned(),
            ..OwnerShown::default()
        },
        Owner::Organisation(organisation) => OwnerShown {
            kind: "namespace-organisation",
            title: organisation.display_name.clone(),
            text: organisation.description.clone(),
            created_at: Some(organisation.created_at),
            settings: is_administered.then(|| format!("/o/{name}")),
            ..OwnerShown::default()
        },
        Owner::Account(profile) => OwnerShown {
            kind: "namespace-account",
            title: profile.full_name.clone(),
            text: profile.biography.clone(),
            location: profile.location.clone(),
            website: profile.website.clone(),
            created_at: Some(profile.created_at),
            settings: is_own.then(|| "/account".to_owned()),
        },
    }
}
