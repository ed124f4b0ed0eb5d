//! The description of the API (OpenAPI 3.1), made from its handlers.

use std::sync::OnceLock;

use super::described::{ApiRouter, Said, describe, routes};
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use super::problem::Problem;
use crate::http::json::Json;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Portolan",
        description = "Accounts, organisations, repositories and permission of a Portolan index. Every list is paged: `limit` \
            says how many, `after` takes the `next` of the page before. Errors are problem documents (RFC 9457). A POST with an \
            `Idempotency-Key` is carried out once.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Problem)),
    security((), ("password" = []), ("token" = []))
)]
pub(super) struct Description;

/// What describes all routes.
static DESCRIPTIONS: OnceLock<Vec<fn() -> Said>> = OnceLock::new();
/// The description, once somebody asked for it.
static TEXT: OnceLock<String> = OnceLock::new();

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new().routes(routes!(show))
}

/// This description
#[utoipa::path(get, path = "/openapi.json", tag = "description", security(()),
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
async fn show() -> Json {
    Json(text().unwrap_or_default().to_owned())
}

/// The description of all routes, once there are any.
pub(super) fn text() -> Option<&'static str> {
    let descriptions = DESCRIPTIONS.get()?;
    Some(TEXT.get_or_init(|| complete(descriptions)))
}

/// Keeps what describes all routes, for [`text`].
pub(super) fn keep(descriptions: Vec<fn() -> Said>) {
    DESCRIPTIONS.get_or_init(|| descriptions);
}

fn complete(descriptions: &[fn() -> Said]) -> String {
    let mut description = describe(Description::openapi(), super::ROOT, descriptions);
    let components = description.components.get_or_insert_default();
    for (name, scheme) in [
        ("password", HttpAuthScheme::Basic),
        ("token", HttpAuthScheme::Bearer),
    ] {
        components
            .security_schemes
            .insert(name.to_owned(), SecurityScheme::Http(Http::new(scheme)).into());
    }
    let mut value = serde_json::to_value(&description).unwrap_or_default();
    with_problems(&mut value);
    value.to_string()
}

/// Every operation may be refused with a problem document: said once, here, and with its own media type. Its id is made from
/// method and path, so that no two have the same.
fn with_problems(description: &mut Value) {
    let problem = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
    let Some(paths) = description["paths"].as_object_mut() else {
        return;
    };
    for (path, operations) in paths.iter_mut() {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            operation["operationId"] = operation_id(method, path).into();
            operation["responses"]["default"] =
                json!({"description": "why it was not carried out", "content": problem});
            for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
                if status.starts_with('4') || status.starts_with('5') {
                    response["content"] = problem.clone();
                }
            }
        }
    }
}

/// `GET /api/v1/rules/{id}` is `get_rules_id`.
fn operation_id(method: &str, path: &str) -> String {
    let words = path
        .trim_start_matches(super::ROOT)
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}
