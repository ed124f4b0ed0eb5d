//! `/r/NAME` and `/_/NAME` for programs: a repository by the name that people type. Browsers get pages ([`super::repository`]).

use axum::extract::FromRequestParts as _;
use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, VARY};
use http::request::Parts;
use serde_json::{Value, json};

use crate::app::audit::rfc3339;
use crate::app::short_name::ShortName;
use crate::http::State;
use crate::http::hub::caller::Anyone;
use crate::http::hub::error::HubError;
use crate::http::json::Json;

/// What programs are told of a name, of an official repository without its namespace.
pub(super) async fn answer(state: &State, name: &str, is_official: bool, mut parts: Parts) -> Response {
    let mut response = told(state, name, is_official, &mut parts).await.into_response();
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept, authorization"));
    response
}

async fn told(state: &State, name: &str, is_official: bool, parts: &mut Parts) -> Result<Response, HubError> {
    let Anyone(caller) = Anyone::from_request_parts(parts, state).await?;
    let name = name.trim_end_matches('/');
    let found = state.app.resolve_short_name(&caller, name, is_official).await?;
    let url = state.app.public_url();
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let mut response = Json(document(&found, host).to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
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
        let title = "<h1 class=\"repo-name\"><a href=\"/n/library\">library</a>";
        assert!(page.body.contains(title), "{}", page.body);
        assert!(
            page.header("content-security-policy")
                .contains("default-src 'none'")
        );
    }
}
