//! `/r/NAME` and `/_/NAME`: a repository by the name that people type. Programs get JSON; a browser gets a plain page until
//! there are richer ones.

use std::fmt::Write as _;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::super::hub::caller::Anyone;
use super::super::hub::error::HubError;
use super::super::json::Json;
use super::{Policy, escaped, host_of, page_headers};
use crate::app::audit::rfc3339;
use crate::app::caller::Caller;
use crate::app::short_name::ShortName;

pub(in crate::http) async fn named(
    state: State<super::super::State>,
    Anyone(caller): Anyone,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, HubError> {
    show(&state, &caller, &name, false, &headers).await
}

pub(in crate::http) async fn official(
    state: State<super::super::State>,
    Anyone(caller): Anyone,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, HubError> {
    show(&state, &caller, &name, true, &headers).await
}

async fn show(
    state: &super::super::State,
    caller: &Caller,
    name: &str,
    is_official: bool,
    headers: &HeaderMap,
) -> Result<Response, HubError> {
    let name = name.trim_end_matches('/');
    let found = state.app.resolve_short_name(caller, name, is_official).await?;
    let url = state.app.public_url();
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let mut response = if reads_pages(headers) {
        (page_headers(Policy::NoScript), page(&found, &host_of(state))).into_response()
    } else {
        Json(document(&found, host).to_string()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(VARY, HeaderValue::from_static("accept, authorization"));
    Ok(response)
}

/// Whether pages are asked for, as browsers do.
fn reads_pages(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|text| text.contains("text/html"))
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

fn page(found: &ShortName, host: &str) -> String {
    let name = escaped(found.repository.facts.name.as_str());
    let summary = escaped(&found.described.shown_summary().0);
    let pulled = escaped(&found.pulled_as());
    let (stars, pulls) = (
        found.repository.details.star_count,
        found.repository.details.pull_count,
    );
    let mut rows = String::new();
    for one in &found.tags {
        // Writing to a string cannot fail.
        let _ = write!(
            rows,
            "<li><code>{}</code> {} {}</li>",
            escaped(&one.tag.name),
            escaped(&one.tag.digest.chars().take(19).collect::<String>()),
            escaped(&rfc3339(one.tag.updated_at)),
        );
    }
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"stylesheet\" href=\"/static/portolan.css\">\
         </head><body><main><h1>{name}</h1><p>{summary}</p><pre><code>docker pull {host}/{pulled}</code></pre>\
         <p>{stars} stars, {pulls} pulls, {} tags</p><ul>{rows}</ul></main></body></html>\n",
        found.tag_count
    )
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
        assert!(page.body.contains("<h1>library/web</h1>"), "{}", page.body);
        assert!(
            page.header("content-security-policy")
                .contains("default-src 'none'")
        );
    }
}
