//! `/api/v1/repositories/{id}/immutable-tags`, `/api/v1/namespaces/{name}/immutable-tags`.

use crate::http::api::described::{ApiRouter, routes};
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use shared::token::{ImmutableTags, TagPattern};
use utoipa::ToSchema;

use super::caller::{Anyone, SignedIn};
use super::namespace::namespace_name;
use super::problem::Problem;
use super::repository::repository_id;
use crate::app::AppError;
use crate::app::immutability::Immutability;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(show, put))
        .routes(routes!(show_of_namespace, put_of_namespace))
}

/// Tags that stay what they are: no push moves one, and none is deleted.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ImmutableTagRule {
    /// Patterns such as `v*`, at most 20; none for no rule.
    #[schema(max_items = 20)]
    tags: Vec<String>,
    /// Patterns of tags that may move all the same, at most 20.
    #[serde(default)]
    #[schema(max_items = 20)]
    except: Vec<String>,
}

/// Tags of a repository that stay what they are, by its own rule and by that of its namespace.
#[derive(Debug, Serialize, ToSchema)]
struct RepositoryImmutability {
    /// Patterns of the repository's own rule.
    tags: Vec<String>,
    /// Its exceptions.
    except: Vec<String>,
    /// The rule of the namespace, which holds besides.
    namespace: ImmutableTagRule,
}

/// Immutable tags of a repository
///
/// For whoever may pull it.
#[utoipa::path(get, path = "/repositories/{id}/immutable-tags", tag = "limits",
    params(("id" = String, Path, description = "The repository's id")), responses(
    (status = 200, body = RepositoryImmutability), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn show(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path(id): Path<String>,
) -> Result<axum::Json<RepositoryImmutability>, Problem> {
    let found = state
        .app
        .show_immutable_tags(&caller, repository_id(&id)?)
        .await?;
    Ok(axum::Json(show_immutability(&found)))
}

/// Make tags of a repository immutable
///
/// By whoever administers it. What the tags point to stays, until the rule is ended with an empty list. It holds from the
/// next token on, which is five minutes at most.
#[utoipa::path(put, path = "/repositories/{id}/immutable-tags", tag = "limits", request_body = ImmutableTagRule,
    params(("id" = String, Path, description = "The repository's id")), responses(
    (status = 200, body = RepositoryImmutability), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn put(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    axum::Json(rule): axum::Json<ImmutableTagRule>,
) -> Result<axum::Json<RepositoryImmutability>, Problem> {
    let (id, tags) = (repository_id(&id)?, rule.parse()?);
    let found = state.app.set_immutable_tags(&caller, id, tags).await?;
    Ok(axum::Json(show_immutability(&found)))
}

/// Immutable tags of a namespace
///
/// For whoever administers it.
#[utoipa::path(get, path = "/namespaces/{name}/immutable-tags", tag = "limits",
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 200, body = ImmutableTagRule), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn show_of_namespace(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(name): Path<String>,
) -> Result<axum::Json<ImmutableTagRule>, Problem> {
    let name = namespace_name(&name)?;
    let tags = state.app.show_immutable_tags_of(&caller, &name).await?;
    Ok(axum::Json(show_rule(&tags)))
}

/// Make tags of a namespace immutable
///
/// In every repository of it, those to come too. By whoever administers it.
#[utoipa::path(put, path = "/namespaces/{name}/immutable-tags", tag = "limits", request_body = ImmutableTagRule,
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 200, body = ImmutableTagRule), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn put_of_namespace(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(name): Path<String>,
    axum::Json(rule): axum::Json<ImmutableTagRule>,
) -> Result<axum::Json<ImmutableTagRule>, Problem> {
    let (name, tags) = (namespace_name(&name)?, rule.parse()?);
    let tags = state.app.set_immutable_tags_of(&caller, &name, tags).await?;
    Ok(axum::Json(show_rule(&tags)))
}

impl ImmutableTagRule {
    fn parse(self) -> Result<ImmutableTags, AppError> {
        let read = |texts: Vec<String>| {
            let patterns = texts.iter().map(|text| text.parse::<TagPattern>());
            patterns.collect::<Result<Vec<_>, _>>()
        };
        let parsed = (|| ImmutableTags::new(read(self.tags)?, read(self.except)?))();
        let tags = parsed.map_err(|error| AppError::Invalid(error.to_string()))?;
        if tags.is_empty() && !tags.exceptions().is_empty() {
            return Err(AppError::Invalid(
                "there is nothing to except from: say which tags are immutable, such as *".to_owned(),
            ));
        }
        Ok(tags)
    }
}

fn texts(patterns: &[TagPattern]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}

fn show_rule(tags: &ImmutableTags) -> ImmutableTagRule {
    ImmutableTagRule {
        tags: texts(tags.patterns()),
        except: texts(tags.exceptions()),
    }
}

fn show_immutability(found: &Immutability) -> RepositoryImmutability {
    RepositoryImmutability {
        tags: texts(found.own.patterns()),
        except: texts(found.own.exceptions()),
        namespace: show_rule(&found.namespace),
    }
}

#[cfg(test)]
mod tests;
