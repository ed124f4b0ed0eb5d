//! `/api/v1/repositories`.

use crate::http::api::described::{ApiRouter, routes};
use axum::extract::{Path, Query, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::oci::RepositoryName;
use utoipa::{IntoParams, ToSchema};

use super::caller::{Anyone, SignedIn};
use super::page::{Page, Wish};
use super::problem::Problem;
use super::rule::{Rule, show_rule};
use crate::app::AppError;
use crate::app::repository::Shown;
use crate::app::transfer::Transfer;
use crate::domain::{RepositoryFacts, RepositoryId, RepositoryState, Right, Visibility};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, remove))
        .routes(routes!(transfer))
}

/// A repository.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Repository {
    /// The id, which stays when the repository is renamed.
    id: String,
    /// The name.
    name: String,
    /// The namespace of the name.
    namespace: String,
    /// Who may pull: `public`, `internal` (every account) or `private`.
    visibility: &'static str,
    /// `active`, or `pending` until the first manifest of a push.
    state: &'static str,
    /// What the caller may do; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<Vec<&'static str>>,
}

/// A repository to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRepository {
    /// The name, such as `team/app`.
    name: String,
    /// `public`, `internal` or `private`; absent for what the namespace says.
    visibility: Option<String>,
}

/// What shall be otherwise.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RepositoryChange {
    /// `public`, `internal` or `private`.
    visibility: Option<String>,
}

/// Another name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewName {
    /// In the same namespace or in another.
    name: String,
}

/// What another name means.
#[derive(Debug, Serialize, ToSchema)]
struct Transferred {
    /// The repository, under its new name unless only asked about it.
    repository: Repository,
    /// Its name from before: for pulls until another repository takes it.
    former_name: String,
    /// Rules that end, since their teams, members and robots are of the namespace that it leaves.
    dropped_rules: Vec<Rule>,
    /// Rules of patterns that reach it no more.
    left_patterns: Vec<Rule>,
}

/// Which repositories.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Search {
    /// The one of this name, present or former.
    name: Option<String>,
    /// Those of this namespace.
    namespace: Option<String>,
}

/// How a transfer is done.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Rehearsal {
    /// Only say what it would mean.
    #[serde(default)]
    dry_run: bool,
}

/// Repositories
///
/// Those that the caller may pull, in the order of their names.
#[utoipa::path(get, path = "/repositories", tag = "repositories", params(Search, Wish), responses(
    (status = 200, body = Page<Repository>), (status = 400, body = Problem), (status = 401, body = Problem)))]
async fn list(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Query(search): Query<Search>,
    Query(wish): Query<Wish>,
) -> Result<axum::Json<Page<Repository>>, Problem> {
    let (after, limit) = (wish.after(), wish.limit() + 1);
    let found = match (search.name, search.namespace) {
        (Some(name), None) => match named(&state, &caller, &name).await {
            Ok(shown) => {
                let items = vec![show_repository(&shown)];
                return Ok(axum::Json(Page { items, next: None }));
            }
            Err(AppError::NotFound(_)) => Vec::new(),
            Err(error) => return Err(error.into()),
        },
        (None, Some(namespace)) => match namespace.parse() {
            Ok(namespace) => {
                state
                    .app
                    .list_visible_in(&caller.principal(), &namespace, after, limit)
                    .await?
            }
            // What can be no name has no repositories.
            Err(_) => Vec::new(),
        },
        (None, None) => state.app.list_visible(&caller.principal(), after, limit).await?,
        (Some(_), Some(_)) => {
            return Err(AppError::Invalid("ask for a name or for a namespace".to_owned()).into());
        }
    };
    Ok(axum::Json(Page::new(
        &wish,
        found,
        |facts| facts.name.to_string(),
        |facts| listed(&facts),
    )))
}

async fn named(
    state: &super::State,
    caller: &crate::app::caller::Caller,
    name: &str,
) -> Result<Shown, AppError> {
    state.app.find_named(caller, &repository_name(name)?).await
}

/// Make a repository
///
/// It is empty until something is pushed to it. A push makes one too.
#[utoipa::path(post, path = "/repositories", tag = "repositories", request_body = NewRepository, responses(
    (status = 201, body = Repository), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn create(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    axum::Json(new): axum::Json<NewRepository>,
) -> Result<(StatusCode, axum::Json<Repository>), Problem> {
    let name: RepositoryName = new
        .name
        .parse()
        .map_err(|error: shared::oci::name::InvalidName| AppError::Invalid(error.to_string()))?;
    let visibility = new.visibility.as_deref().map(visibility).transpose()?;
    let made = state.app.create_repository(&caller, &name, visibility).await?;
    Ok((StatusCode::CREATED, axum::Json(show_repository(&made))))
}

/// A repository
#[utoipa::path(get, path = "/repositories/{id}", tag = "repositories",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = Repository), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn show(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path(id): Path<String>,
) -> Result<axum::Json<Repository>, Problem> {
    let shown = state.app.show_repository(&caller, repository_id(&id)?).await?;
    Ok(axum::Json(show_repository(&shown)))
}

/// Change a repository
///
/// Its visibility, by those who administer it.
#[utoipa::path(patch, path = "/repositories/{id}", tag = "repositories", request_body = RepositoryChange,
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = Repository), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn change(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    axum::Json(change): axum::Json<RepositoryChange>,
) -> Result<axum::Json<Repository>, Problem> {
    let id = repository_id(&id)?;
    let shown = match change.visibility {
        Some(word) => {
            state
                .app
                .change_visibility(&caller, id, visibility(&word)?)
                .await?
        }
        None => state.app.show_repository(&caller, id).await?,
    };
    Ok(axum::Json(show_repository(&shown)))
}

/// Delete a repository
///
/// It is refused to everybody at once, and its name is free. Until its content is removed it can be restored.
#[utoipa::path(delete, path = "/repositories/{id}", tag = "repositories",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn remove(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.app.delete_repository(&caller, repository_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Rename or transfer a repository
///
/// Content, id and the rules about it stay. The former name goes on for pulls until another repository takes it.
#[utoipa::path(post, path = "/repositories/{id}/transfer", tag = "repositories", request_body = NewName,
    params(("id" = String, Path, description = "Its id"), Rehearsal), responses(
    (status = 200, body = Transferred), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn transfer(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    Query(rehearsal): Query<Rehearsal>,
    axum::Json(new): axum::Json<NewName>,
) -> Result<axum::Json<Transferred>, Problem> {
    let name: RepositoryName = new
        .name
        .parse()
        .map_err(|error: shared::oci::name::InvalidName| AppError::Invalid(error.to_string()))?;
    let Transfer {
        repository,
        former_name,
        dropped_rules,
        left_patterns,
    } = state
        .app
        .transfer_repository(&caller, repository_id(&id)?, &name, rehearsal.dry_run)
        .await?;
    Ok(axum::Json(Transferred {
        repository: listed(&repository),
        former_name: former_name.to_string(),
        dropped_rules: dropped_rules.into_iter().map(show_rule).collect(),
        left_patterns: left_patterns.into_iter().map(show_rule).collect(),
    }))
}

/// A name that can be none is one that no repository has.
pub(super) fn repository_name(text: &str) -> Result<RepositoryName, AppError> {
    text.parse()
        .map_err(|_| AppError::NotFound(format!("there is no repository {text}")))
}

pub(super) fn repository_id(text: &str) -> Result<RepositoryId, AppError> {
    text.parse()
        .map(RepositoryId::from_i64)
        .map_err(|_| AppError::NotFound("there is no such repository".to_owned()))
}

pub(super) fn visibility(word: &str) -> Result<Visibility, AppError> {
    word.parse()
        .map_err(|error: crate::domain::repository::InvalidVisibility| AppError::Invalid(error.to_string()))
}

fn show_repository(shown: &Shown) -> Repository {
    Repository {
        rights: Some(shown.rights.iter().map(Right::as_str).collect()),
        ..listed(&shown.facts)
    }
}

pub(super) fn listed(facts: &RepositoryFacts) -> Repository {
    Repository {
        id: facts.repository_id.to_string(),
        name: facts.name.to_string(),
        namespace: facts.name.namespace().to_owned(),
        visibility: facts.visibility.as_str(),
        state: match facts.state {
            RepositoryState::Active => "active",
            RepositoryState::Pending { .. } => "pending",
        },
        rights: None,
    }
}

#[cfg(test)]
mod tests;
