//! `/api/v1/namespaces`.

use crate::http::api::described::{ApiRouter, routes};
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::SignedIn;
use super::problem::Problem;
use super::repository::visibility;
use crate::app::AppError;
use crate::domain::{NamespaceFacts, NamespaceName, NamespaceOwner};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new().routes(routes!(show, change))
}

/// A namespace: the first part of repository names.
#[derive(Debug, Serialize, ToSchema)]
struct Namespace {
    /// The id.
    id: String,
    /// The name.
    name: String,
    /// Whose it is: `account`, `organisation` or `administrators` (of the site).
    owner: &'static str,
    /// What repositories that a push makes are: `public`, `internal` or `private`.
    default_visibility: &'static str,
}

/// What shall be otherwise.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NamespaceChange {
    /// `public`, `internal` or `private`.
    default_visibility: String,
}

/// A namespace
///
/// For those who administer it.
#[utoipa::path(get, path = "/namespaces/{name}", tag = "repositories",
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 200, body = Namespace), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn show(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(name): Path<String>,
) -> Result<axum::Json<Namespace>, Problem> {
    let facts = state.app.show_namespace(&caller, &namespace_name(&name)?).await?;
    Ok(axum::Json(show_namespace(&facts)))
}

/// Change a namespace
#[utoipa::path(patch, path = "/namespaces/{name}", tag = "repositories", request_body = NamespaceChange,
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 200, body = Namespace), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn change(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(name): Path<String>,
    axum::Json(change): axum::Json<NamespaceChange>,
) -> Result<axum::Json<Namespace>, Problem> {
    let (name, to) = (namespace_name(&name)?, visibility(&change.default_visibility)?);
    let facts = state.app.change_default_visibility(&caller, &name, to).await?;
    Ok(axum::Json(show_namespace(&facts)))
}

/// What can be no name is nobody's namespace.
pub(super) fn namespace_name(text: &str) -> Result<NamespaceName, AppError> {
    text.parse()
        .map_err(|_| AppError::Forbidden("this is for those who administer the namespace"))
}

fn show_namespace(facts: &NamespaceFacts) -> Namespace {
    Namespace {
        id: facts.namespace_id.to_string(),
        name: facts.name.to_string(),
        owner: match facts.owner {
            NamespaceOwner::Account(_) => "account",
            NamespaceOwner::Organisation(_) => "organisation",
            NamespaceOwner::Administrators => "administrators",
        },
        default_visibility: facts.default_visibility.as_str(),
    }
}
