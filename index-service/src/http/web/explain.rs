//! "Why can't I?": an answer in the reader's words.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;
use shared::oci::RepositoryName;

use super::fault::PageError;
use super::frame::problem;
use super::page::render_with;
use super::view::View;
use super::visitor::Visitor;
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::app::explanation::{Answer, Inquiry, Missing, Reason};
use crate::domain::Right;
use crate::http::{State, named};

pub(in crate::http) fn routes() -> Router<State> {
    Router::new().route("/explain", named("web.explain", get(show)))
}

/// What is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    /// `me`, `account`, `robot` or `anonymous`.
    who: String,
    /// The name of an account or a robot.
    name: String,
    repository: String,
    action: String,
}

#[derive(Template)]
#[template(path = "explain/explain.html")]
struct ExplainPage {
    view: View,
    typed: Typed,
    problem: String,
    answer: Option<Answer>,
    rights: [Right; 5],
}

impl ExplainPage {
    /// What gives the right, in words.
    fn reason(&self, reason: &Reason) -> String {
        in_words(&self.view, reason)
    }

    /// What is missing, in words.
    fn lack(&self, answer: &Answer) -> String {
        lack_in_words(&self.view, answer)
    }
}

/// What to do about it.
fn advice(answer: &Answer) -> &'static str {
    match answer.lack {
        None => "explain-advice-allowed",
        Some(Missing::Active) => "explain-advice-active",
        Some(Missing::PresentName) => "explain-advice-name",
        Some(Missing::Source) => "explain-advice-source",
        Some(Missing::Credential) => "explain-advice-credential",
    }
}

/// Why somebody may do something, in words.
pub(in crate::http::web) fn in_words(view: &View, reason: &Reason) -> String {
    match reason {
        Reason::Owner(namespace) => view.ta("explain-owner", &[("namespace", namespace)]),
        Reason::Administrator => view.t("explain-administrator"),
        Reason::Role(role, namespace) => {
            let role = view.t(&format!("explain-role-{role}"));
            view.ta("explain-role", &[("role", &role), ("namespace", namespace)])
        }
        Reason::Home(namespace) => view.ta("explain-home", &[("namespace", namespace)]),
        Reason::Internal => view.t("explain-internal"),
        Reason::Public => view.t("explain-public"),
        Reason::Rule {
            id,
            rights,
            kind,
            name,
            push_tags,
            delete_tags,
        } => {
            let rights: Vec<String> = rights
                .split(',')
                .map(|right| view.t(&format!("explain-right-{right}")))
                .collect();
            let rights = rights.join(&view.t("explain-comma"));
            let kind = view.t(&format!("explain-subject-{}", kind.replace(' ', "-")));
            let whom = name.as_ref().map_or(String::new(), |name| format!(" {name}"));
            let mut text = view.ta(
                "explain-rule",
                &[
                    ("id", id.as_str()),
                    ("rights", &rights),
                    ("kind", &kind),
                    ("whom", &whom),
                ],
            );
            for (key, tags) in [
                ("explain-rule-push", push_tags),
                ("explain-rule-delete", delete_tags),
            ] {
                if let Some(tags) = tags {
                    text.push_str(&view.ta(key, &[("tags", tags)]));
                }
            }
            text
        }
    }
}

/// What somebody lacks, in words; nothing where they may.
pub(in crate::http::web) fn lack_in_words(view: &View, answer: &Answer) -> String {
    match answer.lack {
        None => String::new(),
        Some(Missing::Active) => view.t("explain-lack-active"),
        Some(Missing::PresentName) => view.ta("explain-lack-name", &[("present", &answer.present)]),
        Some(Missing::Source) => view.t("explain-lack-source"),
        Some(Missing::Credential) => {
            view.ta("explain-lack-credential", &[("credential", &answer.credential)])
        }
    }
}

async fn show(
    Shared(state): Shared<State>,
    Visitor { caller, view }: Visitor,
    Query(mut typed): Query<Typed>,
) -> Result<Response, PageError> {
    let asked = if typed.repository.trim().is_empty() {
        None
    } else {
        Some(ask(&state, &caller, &typed).await)
    };
    if typed.action.is_empty() {
        Right::Pull.as_str().clone_into(&mut typed.action);
    }
    let (status, problem, answer) = match asked {
        None => (StatusCode::OK, String::new(), None),
        Some(Ok(answer)) => (StatusCode::OK, String::new(), Some(answer)),
        // About others are told those alone who administer the repository: said beside the question.
        Some(Err(error @ AppError::Forbidden(_))) => {
            let error = PageError::from(error);
            (error.status, error.text(&view), None)
        }
        Some(Err(error)) => {
            let (status, text) = problem(error, &view)?;
            (status, text, None)
        }
    };
    let page = ExplainPage {
        view,
        typed,
        problem,
        answer,
        rights: Right::EVERY,
    };
    Ok(render_with(status, &page))
}

async fn ask(state: &State, caller: &Caller, typed: &Typed) -> Result<Answer, AppError> {
    let text = typed.repository.trim();
    let name: RepositoryName = text
        .parse()
        .map_err(|_| AppError::NotFound(format!("there is no repository {text}")))?;
    let right = Right::find(&typed.action).unwrap_or(Right::Pull);
    let who = typed.name.trim();
    let inquiry = match typed.who.as_str() {
        "account" if !who.is_empty() => Inquiry::Account(who.to_owned()),
        "robot" if !who.is_empty() => Inquiry::Robot(who.to_owned()),
        "anonymous" => Inquiry::Anonymous,
        _ => Inquiry::Caller,
    };
    state.app.explain_access(caller, &inquiry, &name, right).await
}
