//! `/r/NAME` and `/_/NAME`: a repository by the name that people type. Programs get JSON, browsers a page.

use askama::Template;
use axum::extract::{FromRequestParts as _, Path, Request, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, VARY};
use http::request::Parts;
use serde_json::{Value, json};

use super::super::hub::caller::Anyone;
use super::super::hub::error::HubError;
use super::super::json::Json;
use super::fault::PageError;
use super::view::View;
use super::visitor::Visitor;
use super::{page, reads_pages};
use crate::app::audit::rfc3339;
use crate::app::short_name::ShortName;
use crate::http::{State, named};

pub(in crate::http) fn routes() -> axum::Router<State> {
    axum::Router::new()
        .route("/r/{*name}", named("short_name", get(any)))
        .route("/_/{*name}", named("short_name", get(official)))
}

async fn any(state: Shared<State>, Path(name): Path<String>, request: Request) -> Response {
    show(&state, &name, false, request.into_parts().0).await
}

async fn official(state: Shared<State>, Path(name): Path<String>, request: Request) -> Response {
    show(&state, &name, true, request.into_parts().0).await
}

async fn show(state: &State, name: &str, is_official: bool, mut parts: Parts) -> Response {
    let name = name.trim_end_matches('/');
    let mut response = if reads_pages(&parts.headers) {
        shown(state, name, is_official, &mut parts).await.into_response()
    } else {
        told(state, name, is_official, &mut parts).await.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept, authorization"));
    response
}

/// What programs are told.
async fn told(state: &State, name: &str, is_official: bool, parts: &mut Parts) -> Result<Response, HubError> {
    let Anyone(caller) = Anyone::from_request_parts(parts, state).await?;
    let found = state.app.resolve_short_name(&caller, name, is_official).await?;
    let url = state.app.public_url();
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let mut response = Json(document(&found, host).to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

#[derive(Template)]
#[template(path = "short_name.html")]
struct ShortNamePage {
    view: View,
    name: String,
    summary: String,
    pull: String,
    tags: Vec<String>,
}

/// What browsers show.
async fn shown(
    state: &State,
    name: &str,
    is_official: bool,
    parts: &mut Parts,
) -> Result<Response, PageError> {
    let Visitor { caller, view } = Visitor::from_request_parts(parts, state).await?;
    let found = state.app.resolve_short_name(&caller, name, is_official).await?;
    Ok(page::render(&ShortNamePage {
        name: found.repository.facts.name.to_string(),
        summary: found.described.shown_summary().0,
        pull: format!("docker pull {}/{}", view.host, found.pulled_as()),
        tags: found.tags.into_iter().map(|one| one.tag.name).collect(),
        view,
    }))
}

fn document(found: &ShortName, host: &str) -> Value {
    let (facts, details) = (&found.repository.facts, &found.repository.details);
    let id = facts.repository_id;
    let tags: Vec<Value> = found
        .tags
        .iter()
        .map(|one| {
            json!({
                "name": one.tag.name,
                "digest": one.tag.digest,
                "updated_at": rfc3339(one.tag.updated_at),
                "size": one.tag.content_size.or(one.tag.children_size),
                "platforms": one.images.iter().filter_map(|image| image.platform.as_deref()).collect::<Vec<_>>(),
            })
        })
        .collect();
    let reference = found.reference.as_ref();
    json!({
        "id": id.to_string(),
        "name": facts.name.as_str(),
        "visibility": facts.visibility.as_str(),
        "official": found.repository.is_official,
        "verified": found.described.is_verified,
        "summary": found.described.shown_summary().0,
        "pull": format!("{host}/{}", found.pulled_as()),
        "reference": reference.map(|one| json!({"tag": one.tag, "digest": one.digest})),
        "stars": details.star_count,
        "pulls": details.pull_count,
        "updated_at": rfc3339(details.last_updated()),
        "tag_count": found.tag_count,
        "tags": tags,
        "links": {
            "repository": format!("/api/v1/repositories/{id}"),
            "description": format!("/api/v1/repositories/{id}/description"),
            "tags": format!("/api/v1/repositories/{id}/tags"),
        },
    })
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use crate::http::testing::{Front, PASSWORD, basic, name};

    #[tokio::test]
    async fn a_repository_is_found_by_its_short_name_by_whoever_may_pull_it() {
        let front = Front::new().await;
        let found = front.get("/r/ada/public", None).await.ok();
        assert_eq!(found["name"], "ada/public");
        assert!(
            found["pull"].as_str().unwrap().ends_with("/ada/public"),
            "{found}"
        );
        for path in [
            "/r/ada/private",
            "/r/ada/nothing",
            "/r/ada/public:none",
            "/r/ada/public@abcdef",
            "/r/A%00b",
            "/_/ada/public",
            "/r/:",
            "/r/@",
        ] {
            let answer = front.get(path, None).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.body);
        }
        let own = front.get("/r/ada/private", Some(&basic("ada", PASSWORD))).await;
        assert_eq!(own.ok()["visibility"], "private");
    }

    #[tokio::test]
    async fn official_images_need_no_namespace_and_browsers_get_a_page() {
        let front = Front::new().await;
        let app = &front.fixture.app;
        app.confirm_pushed(&name("library/web")).await.unwrap();
        app.set_visibility(&name("library/web"), crate::domain::Visibility::Public)
            .await
            .unwrap();
        assert_eq!(front.get("/_/web", None).await.ok()["name"], "library/web");
        let request = http::Request::get("/_/web")
            .header("accept", "text/html,application/xhtml+xml")
            .body(axum::body::Body::empty())
            .unwrap();
        let page = front.send(request).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(page.body.contains(">library/web</h1>"), "{}", page.body);
        assert!(
            page.header("content-security-policy")
                .contains("default-src 'none'")
        );
    }
}
