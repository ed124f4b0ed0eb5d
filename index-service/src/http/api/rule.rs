//! `/api/v1/rules`: who may do what on which repositories, beside what ownership and visibility give.

use crate::http::api::described::{ApiRouter, routes};
use axum::extract::{Path, Query, State};
use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};
use shared::token::TagSet;
use utoipa::{IntoParams, ToSchema};

use super::caller::SignedIn;
use super::instant::Instant;
use super::page::{Page, Wish};
use super::problem::Problem;
use super::repository::repository_name;
use crate::app::AppError;
use crate::app::rule::{RuleScope, RuleWish, SubjectName, TargetName};
use crate::domain::right::InvalidRight;
use crate::domain::rule::ListedRule;
use crate::domain::{Grant, Right, Rights, RuleId, Target};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, remove))
}

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Rule {
    /// The id.
    id: String,
    /// The namespace that it is in.
    namespace: String,
    /// Whom it is about.
    subject: Subject,
    /// The repository that it reaches, when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    /// The repositories that it reaches, when it is about those of a pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    /// The role with exactly these rights, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// What it gives.
    rights: Vec<&'static str>,
    /// Patterns of the tags that may be pushed; absent for every tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    push_tags: Option<Vec<String>>,
    /// Patterns of the tags that may be deleted; absent for every tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_tags: Option<Vec<String>>,
    /// From when on it counts no more (RFC 3339); absent for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Instant>,
}

/// Whom a rule is about.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Subject {
    /// `account`, `team`, `robot`, `members` (of the organisation), `signed_in` or `anyone`.
    kind: String,
    /// The name of the account, of the team in the namespace's organisation, or of the robot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// A rule to be made: about `repository` or about `pattern`, with a `role` or with `rights`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRule {
    /// Whom it shall be about.
    subject: Subject,
    /// The one repository that it shall reach.
    repository: Option<String>,
    /// The repositories that it shall reach, such as `team/*` or `team/app-*`.
    pattern: Option<String>,
    /// `read`, `write`, `maintain` or `admin`.
    role: Option<String>,
    /// Of `pull`, `push`, `delete`, `manage`, `administer`.
    rights: Option<Vec<String>>,
    /// Patterns of the tags that may be pushed, such as `v*`; absent for every tag.
    push_tags: Option<Vec<String>>,
    /// Patterns of the tags that may be deleted; absent for every tag.
    delete_tags: Option<Vec<String>>,
    /// From when on it shall count no more (RFC 3339).
    expires_at: Option<Instant>,
}

/// What of a rule shall be otherwise; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RuleChange {
    /// `read`, `write`, `maintain` or `admin`.
    role: Option<String>,
    /// Of `pull`, `push`, `delete`, `manage`, `administer`.
    rights: Option<Vec<String>>,
    /// Patterns of the tags that may be pushed; `null` for every tag.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    push_tags: Edit<Vec<String>>,
    /// Patterns of the tags that may be deleted; `null` for every tag.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    delete_tags: Edit<Vec<String>>,
    /// From when on it shall count no more (RFC 3339); `null` for never.
    #[serde(default)]
    #[schema(value_type = Option<Instant>)]
    expires_at: Edit<Instant>,
}

/// What a field that may be absent or `null` asks for.
#[derive(Debug, Default)]
pub(super) enum Edit<T> {
    /// It is absent.
    #[default]
    Keep,
    /// It is `null`.
    Clear,
    /// It has a value.
    Set(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Edit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

impl<T> Edit<T> {
    /// What is to be put in the place of the old value, when that does not stay.
    fn change<U>(self, clear: U, set: impl FnOnce(T) -> Result<U, AppError>) -> Result<Option<U>, AppError> {
        match self {
            Self::Keep => Ok(None),
            Self::Clear => Ok(Some(clear)),
            Self::Set(value) => set(value).map(Some),
        }
    }
}

/// Which rules are listed: those about one repository, those of a namespace, or without either those about the caller.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Scope {
    /// Those about this repository.
    repository: Option<String>,
    /// Those of this namespace, about single repositories and about patterns.
    namespace: Option<String>,
}

/// Rules
///
/// Whoever administers the repository or the namespace sees all of them, others those about themselves.
#[utoipa::path(get, path = "/rules", tag = "rules", params(Scope, Wish), responses(
    (status = 200, body = Page<Rule>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 404, body = Problem)))]
async fn list(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Query(scope): Query<Scope>,
    Query(wish): Query<Wish>,
) -> Result<axum::Json<Page<Rule>>, Problem> {
    let scope = match (scope.repository, scope.namespace) {
        (None, None) => RuleScope::Own,
        (Some(name), None) => RuleScope::Repository(repository_name(&name)?),
        (None, Some(name)) => RuleScope::Namespace(name.parse().map_err(|error| invalid(&error))?),
        (Some(_), Some(_)) => {
            return Err(AppError::Invalid("ask for a repository or for a namespace".to_owned()).into());
        }
    };
    let rules = state
        .app
        .list_rules(&caller, &scope, wish.after_id(), wish.limit() + 1)
        .await?;
    Ok(axum::Json(Page::new(
        &wish,
        rules,
        |listed| listed.rule.rule_id.to_string(),
        show_rule,
    )))
}

/// Make a rule
///
/// By whoever administers the repository, or for a pattern the namespace; nobody gives more than they hold.
#[utoipa::path(post, path = "/rules", tag = "rules", request_body = NewRule, responses(
    (status = 201, body = Rule), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn create(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    axum::Json(new): axum::Json<NewRule>,
) -> Result<(StatusCode, axum::Json<Rule>), Problem> {
    let made = state.app.create_rule(&caller, &new.parse()?).await?;
    Ok((StatusCode::CREATED, axum::Json(show_rule(made))))
}

/// A rule
#[utoipa::path(get, path = "/rules/{id}", tag = "rules", params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = Rule), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn show(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
) -> Result<axum::Json<Rule>, Problem> {
    Ok(axum::Json(show_rule(
        state.app.find_rule(&caller, rule_id(&id)?).await?,
    )))
}

/// Change a rule
#[utoipa::path(patch, path = "/rules/{id}", tag = "rules", request_body = RuleChange,
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = Rule), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn change(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    axum::Json(change): axum::Json<RuleChange>,
) -> Result<axum::Json<Rule>, Problem> {
    let edit = change.parse()?;
    let changed = state.app.change_rule(&caller, rule_id(&id)?, edit).await?;
    Ok(axum::Json(show_rule(changed)))
}

/// Remove a rule
#[utoipa::path(delete, path = "/rules/{id}", tag = "rules", params(("id" = String, Path, description = "Its id")), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn remove(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.app.remove_rule(&caller, rule_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl NewRule {
    fn parse(self) -> Result<RuleWish, AppError> {
        let target = match (self.repository, self.pattern) {
            (Some(name), None) => TargetName::Repository(repository_name(&name)?),
            (None, Some(pattern)) => TargetName::Pattern(pattern.parse().map_err(|error| invalid(&error))?),
            _ => {
                return Err(AppError::Invalid(
                    "a rule is about a repository or about a pattern".to_owned(),
                ));
            }
        };
        let rights = rights(self.role, self.rights)?
            .ok_or_else(|| AppError::Invalid("a rule gives a role or a list of rights".to_owned()))?;
        Ok(RuleWish {
            subject: self.subject.parse()?,
            target,
            grant: Grant {
                rights,
                push_tags: tags(self.push_tags)?,
                delete_tags: tags(self.delete_tags)?,
                expires_at: self.expires_at.map(|end| end.0),
            },
        })
    }
}

impl RuleChange {
    fn parse(self) -> Result<impl FnOnce(&mut Grant), AppError> {
        let rights = rights(self.role, self.rights)?;
        let push_tags = self.push_tags.change(TagSet::Every, |list| tags(Some(list)))?;
        let delete_tags = self.delete_tags.change(TagSet::Every, |list| tags(Some(list)))?;
        let expires_at = self.expires_at.change(None, |end| Ok(Some(end.0)))?;
        Ok(move |grant: &mut Grant| {
            grant.rights = rights.unwrap_or(grant.rights);
            if let Some(tags) = push_tags {
                grant.push_tags = tags;
            }
            if let Some(tags) = delete_tags {
                grant.delete_tags = tags;
            }
            if let Some(end) = expires_at {
                grant.expires_at = end;
            }
        })
    }
}

impl Subject {
    fn parse(self) -> Result<SubjectName, AppError> {
        let nameless = |subject, name: Option<String>| match name {
            None => Ok(subject),
            Some(_) => Err(AppError::Invalid(format!(
                "a subject of the kind {} has no name",
                self.kind
            ))),
        };
        let named = |make: fn(String) -> SubjectName, name: Option<String>| match name {
            Some(name) if name.len() <= 300 => Ok(make(name)),
            _ => Err(AppError::Invalid(format!(
                "a subject of the kind {} has a name",
                self.kind
            ))),
        };
        match self.kind.as_str() {
            "account" => named(SubjectName::Account, self.name),
            "team" => named(SubjectName::Team, self.name),
            "robot" => named(SubjectName::Robot, self.name),
            "members" => nameless(SubjectName::Members, self.name),
            "signed_in" => nameless(SubjectName::SignedIn, self.name),
            "anyone" => nameless(SubjectName::Anyone, self.name),
            _ => Err(AppError::Invalid(
                "a rule is about account, team, robot, members, signed_in or anyone".to_owned(),
            )),
        }
    }
}

fn rights(role: Option<String>, rights: Option<Vec<String>>) -> Result<Option<Rights>, AppError> {
    match (role, rights) {
        (None, None) => Ok(None),
        (Some(role), None) => Rights::find_role(&role)
            .map(Some)
            .ok_or_else(|| AppError::Invalid("a role is one of read, write, maintain, admin".to_owned())),
        (None, Some(words)) => words
            .iter()
            .map(|word| Right::find(word).ok_or_else(|| invalid(&InvalidRight)))
            .collect::<Result<Rights, _>>()
            .map(Some),
        (Some(_), Some(_)) => Err(AppError::Invalid(
            "a rule has a role or a list of rights".to_owned(),
        )),
    }
}

fn tags(patterns: Option<Vec<String>>) -> Result<TagSet, AppError> {
    let Some(patterns) = patterns else {
        return Ok(TagSet::Every);
    };
    let patterns = patterns
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, _>>()
        .map_err(|error| invalid(&error))?;
    TagSet::only(patterns).map_err(|error| invalid(&error))
}

fn invalid(error: &dyn std::fmt::Display) -> AppError {
    AppError::Invalid(error.to_string())
}

fn rule_id(text: &str) -> Result<RuleId, AppError> {
    text.parse()
        .map(RuleId::from_i64)
        .map_err(|_| AppError::NotFound("there is no such rule".to_owned()))
}

pub(super) fn show_rule(listed: ListedRule) -> Rule {
    let rule = listed.rule;
    let (kind, id) = rule.subject.to_parts();
    let patterns = |tags: &TagSet| match tags {
        TagSet::Every => None,
        TagSet::Only(patterns) => Some(patterns.iter().map(ToString::to_string).collect()),
    };
    Rule {
        id: rule.rule_id.to_string(),
        namespace: listed.namespace.to_string(),
        subject: Subject {
            kind: kind.to_owned(),
            // Who has no name any more is shown by the id.
            name: listed.subject_name.or_else(|| (id != 0).then(|| id.to_string())),
        },
        repository: listed.repository.map(|name| name.to_string()),
        pattern: match &rule.target {
            Target::Pattern(pattern) => Some(pattern.to_string()),
            Target::Repository(_) => None,
        },
        role: rule.rights.role(),
        rights: rule.rights.iter().map(Right::as_str).collect(),
        push_tags: patterns(&rule.push_tags),
        delete_tags: patterns(&rule.delete_tags),
        expires_at: rule.expires_at.map(Instant),
    }
}

#[cfg(test)]
mod tests;
