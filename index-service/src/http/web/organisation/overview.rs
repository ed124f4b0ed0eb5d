//! What an organisation is, and what it holds; and the organisations that the reader is in.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;

use crate::domain::RepositoryFacts;
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::render;
use crate::http::web::settings::fields::{Draft, Fields};
use crate::http::web::settings::place::{Namespace, Place, Subject};
use crate::http::web::settings::section::Section;
use crate::http::web::view::View;
use crate::http::web::visitor::{SignedIn, Visitor};

/// Repositories, or organisations, on a page.
const PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "organisation/overview.html")]
struct Overview {
    view: View,
    place: Place,
    draft: Draft,
    description: String,
    role_key: Option<&'static str>,
    role_ends: Option<i64>,
    may_create: bool,
    repositories: Vec<Repository>,
    next: Option<String>,
}

/// A repository in a list.
struct Repository {
    name: String,
    visibility_key: &'static str,
}

#[derive(Template)]
#[template(path = "organisation/list.html")]
struct List {
    view: View,
    organisations: Vec<Mine>,
    next: Option<String>,
}

/// An organisation that the reader is in.
struct Mine {
    name: String,
    title: String,
    description: String,
    role_key: &'static str,
    role_ends: Option<i64>,
}

pub(super) async fn show(
    State(state): State<Parts>,
    Visitor { caller, view }: Visitor,
    Path(organisation): Path<String>,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    let namespace = Namespace::find(&state, &caller, &organisation).await?;
    let principal = caller.principal();
    let mut found = state
        .app
        .list_visible_in(&principal, &namespace.name, query.after(), PAGE + 1)
        .await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| format!("/o/{}?after={}", namespace.name, last.name));
    let view_of = namespace.organisation.as_ref();
    let membership = view_of.and_then(|view| view.membership);
    let page = Overview {
        description: view_of
            .map(|view| view.organisation.description.clone())
            .unwrap_or_default(),
        role_key: membership.map(|one| super::members::role_key(one.role)),
        role_ends: membership.and_then(|one| one.expires_at),
        may_create: namespace.is_administered,
        repositories: found.iter().map(listed).collect(),
        next,
        place: Place {
            subject: Subject::Namespace(Box::new(namespace)),
            section: Section::Overview,
        },
        draft: Draft::default(),
        view,
    };
    Ok(render(&page))
}

pub(super) async fn list(
    State(state): State<Parts>,
    SignedIn { caller, view }: SignedIn,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    let mut found = state
        .app
        .list_organisations(&caller, query.after_id(), PAGE + 1)
        .await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| more);
    let page = List {
        next: next.map(|(last, _)| format!("/o?after={}", last.organisation_id)),
        organisations: found
            .into_iter()
            .map(|(organisation, membership)| Mine {
                name: organisation.name.to_string(),
                title: organisation.display_name,
                description: organisation.description,
                role_key: super::members::role_key(membership.role),
                role_ends: membership.expires_at,
            })
            .collect(),
        view,
    };
    Ok(render(&page))
}

impl Overview {
    /// What is typed to push the first image.
    fn push_command(&self) -> String {
        format!("docker push {}/{}/app:v1", self.view.host, self.place.name())
    }
}

fn listed(facts: &RepositoryFacts) -> Repository {
    Repository {
        name: facts.name.to_string(),
        visibility_key: visibility_key(facts.visibility),
    }
}

/// What a visibility is called.
pub(super) fn visibility_key(visibility: crate::domain::Visibility) -> &'static str {
    use crate::domain::Visibility;
    match visibility {
        Visibility::Public => "settings-public",
        Visibility::Internal => "settings-internal",
        Visibility::Private => "settings-private",
    }
}
