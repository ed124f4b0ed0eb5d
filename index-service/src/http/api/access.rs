//! `/api/v1/access/explain`: why somebody may do something, or may not.

use crate::http::api::described::{ApiRouter, routes};
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Anyone;
use super::problem::Problem;
use super::repository::repository_name;
use crate::app::AppError;
use crate::app::explanation::{Inquiry, Reason};
use crate::domain::Right;
use crate::domain::right::InvalidRight;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new().routes(routes!(explain))
}

/// What is asked.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Question {
    /// `account:NAME`, `robot:NAMESPACE+NAME` or `anonymous`; absent for the caller with the credential at hand.
    subject: Option<String>,
    /// The repository, by its name.
    repository: String,
    /// `pull`, `push`, `delete`, `manage` or `administer`.
    action: String,
}

/// Why.
#[derive(Debug, Serialize, ToSchema)]
struct Explanation {
    /// About whom, such as `account:ada`.
    subject: String,
    /// The repository.
    repository: String,
    /// What is asked about.
    action: &'static str,
    /// Whether it is allowed.
    allowed: bool,
    /// Everything that gives it: ownership, roles, rules, visibility.
    because: Vec<String>,
    /// The credential, and how far it reaches.
    credential: String,
    /// What is missing, when it is not allowed.
    missing: Option<String>,
    /// All of it in one line.
    text: String,
}

/// Why somebody may do something, or may not
///
/// About themselves everybody who knows of the repository; about others, those who administer it.
#[utoipa::path(get, path = "/access/explain", tag = "rules", params(Question), responses(
    (status = 200, body = Explanation), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn explain(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Query(question): Query<Question>,
) -> Result<axum::Json<Explanation>, Problem> {
    let right = Right::find(&question.action).ok_or_else(|| AppError::Invalid(InvalidRight.to_string()))?;
    let inquiry = match question.subject.as_deref() {
        None => Inquiry::Caller,
        Some("anonymous") => Inquiry::Anonymous,
        Some(text) => match text.split_once(':') {
            Some(("account", name)) => Inquiry::Account(name.to_owned()),
            Some(("robot", name)) => Inquiry::Robot(name.to_owned()),
            _ => {
                return Err(AppError::Invalid(
                    "a subject is account:NAME, robot:NAMESPACE+NAME or anonymous".to_owned(),
                )
                .into());
            }
        },
    };
    let name = repository_name(&question.repository)?;
    let answer = state.app.explain_access(&caller, &inquiry, &name, right).await?;
    Ok(axum::Json(Explanation {
        subject: answer.subject,
        repository: question.repository,
        action: right.as_str(),
        allowed: answer.allowed,
        because: answer.because.iter().map(Reason::text).collect(),
        credential: answer.credential,
        missing: answer.missing,
        text: answer.text,
    }))
}

#[cfg(test)]
mod tests;
