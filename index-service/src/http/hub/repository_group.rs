//! `/v2/repositories/{ns}/{repo}/groups`: what teams may do with a repository, which are rules here.

use axum::extract::{Path, State as Shared};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::oci::RepositoryName;
use shared::token::TagSet;

use super::body::Body;
use super::caller::SignedIn;
use super::error::HubError;
use super::group::teams;
use super::page::{Wish, whole};
use super::shown::repository_name;
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::app::rule::{RuleScope, RuleWish, SubjectName, TargetName};
use crate::domain::{Grant, ListedRule, Right, Rights, Subject};
use crate::http::State;

/// What a team shall be able to do.
#[derive(Debug, Deserialize)]
pub(super) struct New {
    group_id: i64,
    permission: String,
}

/// The same of one that can do something already.
#[derive(Debug, Deserialize)]
pub(super) struct Change {
    permission: String,
}

pub(super) async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((namespace, name)): Path<(String, String)>,
    wish: Wish,
) -> Result<axum::Json<Value>, HubError> {
    let found = rules(&state, &caller, &repository_name(&namespace, &name)?).await?;
    wish.answer_of(found, |rule| show_rule(&rule))
}

pub(super) async fn create(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((namespace, name)): Path<(String, String)>,
    Body(new): Body<New>,
) -> Result<(StatusCode, axum::Json<Value>), HubError> {
    let name = repository_name(&namespace, &name)?;
    let rights = rights(&new.permission)?;
    let team = teams(&state, &caller, name.namespace()).await?;
    let team = team
        .into_iter()
        .find(|team| team.team_id.as_i64() == new.group_id)
        .ok_or_else(no_group)?;
    let wish = RuleWish {
        subject: SubjectName::Team(team.name.to_string()),
        target: TargetName::Repository(name),
        grant: Grant {
            rights,
            push_tags: TagSet::Every,
            delete_tags: TagSet::Every,
            expires_at: None,
        },
    };
    let made = state.app.create_rule(&caller, &wish).await?;
    Ok((StatusCode::CREATED, axum::Json(show_rule(&made))))
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((namespace, name, group)): Path<(String, String, String)>,
) -> Result<axum::Json<Value>, HubError> {
    let name = repository_name(&namespace, &name)?;
    Ok(axum::Json(show_rule(
        &find(&state, &caller, &name, &group).await?,
    )))
}

pub(super) async fn change(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((namespace, name, group)): Path<(String, String, String)>,
    Body(change): Body<Change>,
) -> Result<axum::Json<Value>, HubError> {
    let name = repository_name(&namespace, &name)?;
    let rights = rights(&change.permission)?;
    let found = find(&state, &caller, &name, &group).await?;
    let changed = state
        .app
        .change_rule(&caller, found.rule.rule_id, |grant| {
            grant.rights = rights;
            grant.push_tags = TagSet::Every;
            grant.delete_tags = TagSet::Every;
        })
        .await?;
    Ok(axum::Json(show_rule(&changed)))
}

pub(super) async fn remove(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((namespace, name, group)): Path<(String, String, String)>,
) -> Result<StatusCode, HubError> {
    let name = repository_name(&namespace, &name)?;
    let found = find(&state, &caller, &name, &group).await?;
    state.app.remove_rule(&caller, found.rule.rule_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The rules about one repository that are about teams.
async fn rules(state: &State, caller: &Caller, name: &RepositoryName) -> Result<Vec<ListedRule>, AppError> {
    let scope = RuleScope::Repository(name.clone());
    let found = whole(
        i64::MIN,
        |after, limit| state.app.list_rules(caller, &scope, after, limit),
        |listed: &ListedRule| listed.rule.rule_id.as_i64(),
    )
    .await?;
    let is_of_team = |listed: &ListedRule| matches!(listed.rule.subject, Subject::Team(_));
    Ok(found.into_iter().filter(is_of_team).collect())
}

async fn find(
    state: &State,
    caller: &Caller,
    name: &RepositoryName,
    group: &str,
) -> Result<ListedRule, HubError> {
    let found = rules(state, caller, name).await?;
    found
        .into_iter()
        .find(|listed| group_of(listed).to_string() == group)
        .ok_or_else(|| no_group().into())
}

fn no_group() -> AppError {
    AppError::NotFound("there is no such team, or it has no rights here".to_owned())
}

fn group_of(listed: &ListedRule) -> i64 {
    match listed.rule.subject {
        Subject::Team(id) => id.as_i64(),
        _ => 0,
    }
}

fn rights(word: &str) -> Result<Rights, HubError> {
    match word {
        "read" => Ok(Rights::READ),
        "write" => Ok(Rights::WRITE),
        "admin" => Ok(Rights::ALL),
        _ => Err(HubError::invalid("a permission is read, write or admin")),
    }
}

fn show_rule(listed: &ListedRule) -> Value {
    let rights = listed.rule.rights;
    let permission = if rights.contains(Right::Administer) {
        "admin"
    } else if rights.contains(Right::Push) {
        "write"
    } else {
        "read"
    };
    json!({
        "group_id": group_of(listed),
        "group_name": listed.subject_name.clone().unwrap_or_default(),
        "permission": permission,
    })
}
