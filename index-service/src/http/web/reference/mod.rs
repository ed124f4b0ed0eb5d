//! The reference of the API: its description (OpenAPI) as pages, one for each group of operations.

mod description;

use std::sync::OnceLock;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use axum::routing::get;

use self::description::{Group, Operation, Reference, Shape};
use super::fault::PageError;
use super::page::render;
use super::view::View;
use super::visitor::Visitor;
use crate::http::{State, api, named};

pub(in crate::http) fn routes() -> Router<State> {
    Router::new()
        .route("/help/api", named("web.reference", get(index)))
        .route("/help/api/{group}", named("web.reference", get(group)))
        .route("/help/api/{group}/shapes", named("web.reference", get(shapes)))
}

/// Made once: the description does not change while the process lives.
static REFERENCE: OnceLock<Reference> = OnceLock::new();

fn reference() -> Option<&'static Reference> {
    if let Some(known) = REFERENCE.get() {
        return Some(known);
    }
    let read = Reference::read(api::description()?)?;
    Some(REFERENCE.get_or_init(|| read))
}

#[derive(Template)]
#[template(path = "reference/index.html")]
struct IndexPage {
    view: View,
    groups: &'static [Group],
    public_url: String,
}

impl IndexPage {
    /// The address of this site.
    fn base(&self) -> &str {
        &self.public_url
    }
}

#[derive(Template)]
#[template(path = "reference/group.html")]
struct GroupPage {
    view: View,
    groups: &'static [Group],
    name: &'static str,
    slug: &'static str,
    operations: &'static [Operation],
    /// Where the types that it names are explained.
    shapes: String,
}

#[derive(Template)]
#[template(path = "reference/shapes.html")]
struct ShapesPage {
    view: View,
    groups: &'static [Group],
    name: &'static str,
    slug: &'static str,
    shapes: Vec<&'static Shape>,
}

async fn index(Shared(state): Shared<State>, Visitor { view, .. }: Visitor) -> Result<Response, PageError> {
    let reference = reference().ok_or_else(PageError::not_found)?;
    Ok(render(&IndexPage {
        public_url: state.app.public_url().to_owned(),
        view,
        groups: &reference.groups,
    }))
}

async fn group(Visitor { view, .. }: Visitor, Path(slug): Path<String>) -> Result<Response, PageError> {
    let (reference, group) = find(&slug)?;
    Ok(render(&GroupPage {
        view,
        groups: &reference.groups,
        name: &group.name,
        slug: &group.slug,
        operations: &group.operations,
        shapes: format!("/help/api/{slug}/shapes"),
    }))
}

/// What the operations of a group take and give.
async fn shapes(Visitor { view, .. }: Visitor, Path(slug): Path<String>) -> Result<Response, PageError> {
    let (reference, group) = find(&slug)?;
    Ok(render(&ShapesPage {
        view,
        groups: &reference.groups,
        name: &group.name,
        slug: &group.slug,
        shapes: reference.shapes_of(group),
    }))
}

fn find(slug: &str) -> Result<(&'static Reference, &'static Group), PageError> {
    let reference = reference().ok_or_else(PageError::not_found)?;
    let group = reference.groups.iter().find(|group| group.slug == slug);
    Ok((reference, group.ok_or_else(PageError::not_found)?))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use crate::http::testing::Front;

    #[tokio::test]
    async fn every_operation_is_on_the_page_of_its_group_and_the_beginning_leads_there() {
        let front = Front::new().await;
        let description = front.get("/api/v1/openapi.json", None).await.json();
        let index = front.get("/help/api", None).await;
        assert_eq!(index.status, StatusCode::OK);
        let mut seen = 0;
        for (path, operations) in description["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let tag = operation["tags"][0].as_str().unwrap().replace(' ', "-");
                let id = operation["operationId"].as_str().unwrap();
                assert!(
                    index.body.contains(&format!("href=\"/help/api/{tag}#{id}\"")),
                    "{method} {path}"
                );
                let page = front.get(&format!("/help/api/{tag}"), None).await;
                assert!(page.body.contains(&format!("id=\"{id}\"")), "{method} {path}");
                let shapes = front.get(&format!("/help/api/{tag}/shapes"), None).await;
                for named in page.body.split("/shapes#").skip(1) {
                    let anchor = named.split('"').next().unwrap();
                    assert!(
                        shapes.body.contains(&format!("id=\"{anchor}\"")),
                        "{tag}: {anchor}"
                    );
                }
                seen += 1;
            }
        }
        assert!(seen > 100, "{seen}");
        let none = front.get("/help/api/nothing", None).await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
    }
}
