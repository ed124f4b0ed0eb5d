//! `/api/v1/leaks`: secrets of ours that somebody found where they should not be.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use shared::secret::Secret;
use utoipa::ToSchema;

use super::caller::Anyone;
use super::problem::Problem;
use crate::app::leak::ReportSignature;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new().routes(routes!(report))
}

/// What was found: in a form of ours, or in that of GitHub's secret scanning partners.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Report {
    /// Ours.
    Secrets {
        /// At most 100 secrets.
        #[schema(value_type = Vec<String>)]
        secrets: Vec<Secret<String>>,
    },
    /// GitHub's; of each finding the token alone counts.
    Findings(Vec<Finding>),
}

/// A finding in GitHub's form.
#[derive(Deserialize, ToSchema)]
struct Finding {
    /// The secret.
    #[schema(value_type = String)]
    token: Secret<String>,
}

/// What became of a report.
#[derive(Debug, Serialize, ToSchema)]
struct Outcome {
    /// How many have the form of our secrets. Those that were live are no longer.
    recognised: usize,
}

/// Report secrets that were found where they should not be
///
/// Without signing in. Each that is one of ours ends at once, and its owner sees `leaked`. Where GitHub's public keys are kept,
/// reports in its form need its signature (`Github-Public-Key-Identifier`, `Github-Public-Key-Signature`).
#[utoipa::path(post, path = "/leaks", tag = "leaks", request_body = Report, responses(
    (status = 200, body = Outcome), (status = 400, body = Problem), (status = 403, body = Problem), (status = 429, body = Problem)))]
async fn report(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, crate::http::MAX_BODY_BYTES).await else {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too long",
        ));
    };
    let headers = parts.headers.clone();
    let parsed = Request::from_parts(parts, Body::from(body.clone()));
    let report = match Json::<Report>::from_request(parsed, &()).await {
        Ok(Json(report)) => report,
        Err(refused) => return Ok(refused.into_response()),
    };
    let (secrets, signed) = match report {
        Report::Secrets { secrets } => (secrets, None),
        Report::Findings(findings) => (
            findings.into_iter().map(|finding| finding.token).collect(),
            state.app.check_report(signature(&headers), &body).await?,
        ),
    };
    let recognised = state.app.report_leaks(&caller, secrets, signed.as_ref()).await?;
    Ok(Json(Outcome { recognised }).into_response())
}

fn signature(headers: &HeaderMap) -> Option<ReportSignature<'_>> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Some(ReportSignature {
        key_id: text("github-public-key-identifier")?,
        signature: text("github-public-key-signature")?,
    })
}
