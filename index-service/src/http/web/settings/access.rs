//! Who may do what: rules about a repository, or about the repositories of a namespace, and why somebody has access.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use shared::oci::RepositoryName;
use shared::token::TagSet;

use super::fields::{Draft, Fields, as_day};
use super::place::{At, Place, Subject, nothing};
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::app::explanation::Inquiry;
use crate::app::rule::{RuleScope, RuleWish, SubjectName, TargetName};
use crate::domain::{Grant, ListedRule, NamespaceName, Right, Rights, RuleId, Target, rule};
use crate::http::State as Parts;
use crate::http::web::explain::{in_words, lack_in_words};
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// Rules on a page.
const PAGE: u32 = 50;
/// Most rules of a namespace that are looked through for those that reach a repository.
const MOST: u32 = 1_000;

#[derive(Template)]
#[template(path = "settings/access.html")]
struct Access {
    view: View,
    place: Place,
    draft: Draft,
    /// The namespace that the place is, or is in.
    namespace: String,
    has_organisation: bool,
    rules: Vec<Row>,
    next: Option<String>,
    /// Rules of patterns that reach the repository.
    patterns: Vec<Row>,
    asked: Option<Asked>,
}

/// A rule.
struct Row {
    id: String,
    /// What kind of subject it is about.
    subject_key: &'static str,
    subject: String,
    /// What it reaches.
    target: String,
    /// The role, where it is one.
    role: Option<&'static str>,
    rights: String,
    push_tags: String,
    delete_tags: String,
    expires_at: Option<i64>,
    /// The same as a form takes it.
    until: String,
}

/// Why somebody may do something.
struct Asked {
    who: String,
    answers: Vec<Answered>,
}

/// One right.
struct Answered {
    right: &'static str,
    is_allowed: bool,
    because: Vec<String>,
    missing: Option<String>,
}

pub(in crate::http::web) async fn show(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    let mut draft = Draft::asked(query);
    let asked = match explain(&state, &at, &draft.fields).await {
        Ok(asked) => asked,
        Err(error) => {
            draft = Draft::refused("why", draft.fields, error, &at.view)?;
            None
        }
    };
    page(&state, at, draft, asked).await
}

pub(in crate::http::web) async fn act(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    match change(&state, &at, &fields).await {
        Ok(note) => Ok(done(&at.view, &at.place.here(), note)),
        Err(error) => {
            let form = if fields.get("do") == "create" {
                "create"
            } else {
                "change"
            };
            let draft = Draft::refused(form, fields, error, &at.view)?;
            page(&state, at, draft, None).await
        }
    }
}

async fn change(state: &Parts, at: &At, fields: &Fields) -> Result<&'static str, AppError> {
    let id = || fields.id("rule").map(RuleId::from_i64).ok_or_else(nothing);
    match fields.get("do") {
        "create" => {
            state.app.create_rule(&at.caller, &wish(at, fields)?).await?;
            Ok("settings-done-rule-created")
        }
        "change" => {
            // Rights that are no role stay as they are.
            let (rights, expires_at) = (
                fields.some("role").map(role).transpose()?,
                fields.end_of_day("until")?,
            );
            let edit = |grant: &mut Grant| {
                grant.rights = rights.unwrap_or(grant.rights);
                grant.expires_at = expires_at;
            };
            state.app.change_rule(&at.caller, id()?, edit).await?;
            Ok("settings-done-saved")
        }
        "remove" => {
            state.app.remove_rule(&at.caller, id()?).await?;
            Ok("settings-done-rule-removed")
        }
        _ => Err(nothing()),
    }
}

/// The rule that a form asks for.
fn wish(at: &At, fields: &Fields) -> Result<RuleWish, AppError> {
    let name = || {
        let name = fields.some("who").filter(|name| name.len() <= 300);
        name.map(str::to_owned)
            .ok_or_else(|| AppError::Invalid("say whom the rule is about".to_owned()))
    };
    let namespace = at.namespace();
    let subject = match fields.get("kind") {
        "account" => SubjectName::Account(name()?),
        "team" => SubjectName::Team(name()?),
        "robot" => {
            let name = name()?;
            // Those of the namespace itself go by their short names, too.
            let is_whole = name.contains('+');
            SubjectName::Robot(if is_whole {
                name
            } else {
                format!("{namespace}+{name}")
            })
        }
        "members" => SubjectName::Members,
        "signed_in" => SubjectName::SignedIn,
        "anyone" => SubjectName::Anyone,
        _ => return Err(AppError::Invalid("say whom the rule is about".to_owned())),
    };
    let target = match &at.place.subject {
        Subject::Repository(shown) => TargetName::Repository(shown.facts.name.clone()),
        Subject::Namespace(_) => {
            let whole = format!("{namespace}/*");
            let pattern = fields.some("pattern").unwrap_or(&whole);
            let pattern = pattern
                .parse()
                .map_err(|error: crate::domain::pattern::InvalidPattern| {
                    AppError::Invalid(error.to_string())
                })?;
            TargetName::Pattern(pattern)
        }
    };
    Ok(RuleWish {
        subject,
        target,
        grant: Grant {
            rights: role(fields.get("role"))?,
            push_tags: tags(fields, "push_tags")?,
            delete_tags: tags(fields, "delete_tags")?,
            expires_at: fields.end_of_day("until")?,
        },
    })
}

fn role(word: &str) -> Result<Rights, AppError> {
    Rights::find_role(word)
        .ok_or_else(|| AppError::Invalid("a role is read, write, maintain or admin".to_owned()))
}

/// Patterns of tags; none is every tag.
pub(in crate::http::web) fn tags(fields: &Fields, name: &str) -> Result<TagSet, AppError> {
    let words = fields.words(name);
    if words.is_empty() {
        return Ok(TagSet::Every);
    }
    let patterns: Result<Vec<_>, _> = words.iter().map(|word| word.parse()).collect();
    patterns
        .and_then(TagSet::only)
        .map_err(|error| AppError::Invalid(error.to_string()))
}

/// Why whoever is asked about may do what they may.
async fn explain(state: &Parts, at: &At, query: &Fields) -> Result<Option<Asked>, AppError> {
    let (Some(who), Subject::Repository(shown)) = (query.some("why"), &at.place.subject) else {
        return Ok(None);
    };
    let inquiry = match who.split_once('+') {
        Some(_) => Inquiry::Robot(who.to_owned()),
        None => Inquiry::Account(who.to_owned()),
    };
    let mut answers = Vec::new();
    for right in [
        Right::Pull,
        Right::Push,
        Right::Delete,
        Right::Manage,
        Right::Administer,
    ] {
        let answer = state
            .app
            .explain_access(&at.caller, &inquiry, &shown.facts.name, right)
            .await?;
        answers.push(Answered {
            right: right.as_str(),
            is_allowed: answer.allowed,
            because: answer.because.iter().map(|one| in_words(&at.view, one)).collect(),
            missing: Some(lack_in_words(&at.view, &answer)).filter(|text| !text.is_empty()),
        });
    }
    Ok(Some(Asked {
        who: who.to_owned(),
        answers,
    }))
}

async fn page(state: &Parts, at: At, draft: Draft, asked: Option<Asked>) -> Result<Response, PageError> {
    let namespace = at.namespace();
    let At { caller, view, place } = at;
    let scope = match &place.subject {
        Subject::Repository(shown) => RuleScope::Repository(shown.facts.name.clone()),
        Subject::Namespace(namespace) => RuleScope::Namespace(namespace.name.clone()),
    };
    let after = draft.fields.after_id();
    let mut listed = state.app.list_rules(&caller, &scope, after, PAGE + 1).await?;
    let more = listed.len() > PAGE as usize;
    listed.truncate(PAGE as usize);
    let next = listed.last().filter(|_| more);
    let next = next.map(|last| format!("{}?after={}", place.here(), last.rule.rule_id));
    let patterns = match &place.subject {
        Subject::Repository(shown) => reaching(state, &caller, &namespace, &shown.facts.name).await?,
        Subject::Namespace(_) => Vec::new(),
    };
    let has_organisation = match state.app.organisation(&caller, namespace.as_str()).await {
        Ok(_) => true,
        Err(AppError::NotFound(_)) => false,
        Err(error) => return Err(error.into()),
    };
    let status = draft.status();
    let page = Access {
        view,
        place,
        draft,
        namespace: namespace.to_string(),
        has_organisation,
        rules: listed.into_iter().map(row).collect(),
        next,
        patterns,
        asked,
    };
    Ok(render_with(status, &page))
}

/// Rules of patterns that reach a repository, as far as the reader may see them.
async fn reaching(
    state: &Parts,
    caller: &Caller,
    namespace: &NamespaceName,
    name: &RepositoryName,
) -> Result<Vec<Row>, AppError> {
    let scope = RuleScope::Namespace(namespace.clone());
    let mut listed = state.app.list_rules(caller, &scope, i64::MIN, MOST).await?;
    listed.retain(|one| matches!(&one.rule.target, Target::Pattern(_)) && one.rule.reaches(None, name));
    Ok(listed.into_iter().map(row).collect())
}

fn row(listed: ListedRule) -> Row {
    let ListedRule {
        rule,
        subject_name,
        repository,
        ..
    } = listed;
    let target = match (&rule.target, repository) {
        (Target::Pattern(pattern), _) => pattern.to_string(),
        (Target::Repository(_), Some(name)) => name.to_string(),
        (Target::Repository(_), None) => String::new(),
    };
    let rights: Vec<&str> = rule.rights.iter().map(Right::as_str).collect();
    Row {
        id: rule.rule_id.to_string(),
        subject_key: subject_key(rule.subject),
        subject: subject_name.unwrap_or_default(),
        target,
        role: rule.rights.role(),
        rights: rights.join(", "),
        push_tags: rule.push_tags.to_text().unwrap_or_default(),
        delete_tags: rule.delete_tags.to_text().unwrap_or_default(),
        until: rule.expires_at.map(as_day).unwrap_or_default(),
        expires_at: rule.expires_at,
    }
}

fn subject_key(subject: rule::Subject) -> &'static str {
    match subject {
        rule::Subject::Account(_) => "settings-subject-account",
        rule::Subject::Team(_) => "settings-subject-team",
        rule::Subject::Robot(_) => "settings-subject-robot",
        rule::Subject::Members => "settings-subject-members",
        rule::Subject::SignedIn => "settings-subject-signed-in",
        rule::Subject::Anyone => "settings-subject-anyone",
    }
}
