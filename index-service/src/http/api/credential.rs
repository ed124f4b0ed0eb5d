//! What access tokens and robots have in common in the API: limits, ranges of addresses, secrets, uses.

use axum::Extension;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use shared::network::Network;
use shared::secret::Secret;
use shared::token::TagSet;
use utoipa::ToSchema;

use super::idempotency::ShowsSecret;
use super::problem::Problem;
use crate::app::AppError;
use crate::app::audit::rfc3339;
use crate::app::secret::DEFAULT_OVERLAP_HOURS;
use crate::domain::ceiling::{InvalidLimit, MAX_LIMITS};
use crate::domain::{
    AllowedNetworks, Ceiling, CredentialSecret, Ended, LastUse, Limit, RefusedUses, Rights, TokenLabel,
};

/// Rights on the repositories of a pattern.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitBody {
    /// The repositories: `*` (all), `team/*`, `team/app-*` or one whole name.
    #[schema(example = "team/app-*")]
    pattern: String,
    /// `pull`, `push`, `delete`, `manage`, `administer`, or `*` for all.
    #[schema(example = json!(["pull", "push"]))]
    rights: Vec<String>,
    /// Tags that may be pushed, as patterns such as `v*`; absent for every tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    push_tags: Option<Vec<String>>,
    /// Tags that may be deleted, as patterns such as `*-dev`; absent for every tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delete_tags: Option<Vec<String>>,
}

/// What a credential's owner asks for: 1 to 50 limits.
pub(super) fn ceiling(limits: &[LimitBody]) -> Result<Ceiling, Problem> {
    if limits.is_empty() || limits.len() > MAX_LIMITS {
        return Err(invalid(InvalidLimit::Count));
    }
    let limits: Result<Vec<Limit>, InvalidLimit> = limits.iter().map(limit).collect();
    Ok(Ceiling::Limited(limits.map_err(invalid)?.into()))
}

fn limit(body: &LimitBody) -> Result<Limit, InvalidLimit> {
    let tags = |patterns: &Option<Vec<String>>| match patterns {
        None => Ok(TagSet::Every),
        Some(patterns) => {
            let patterns = patterns
                .iter()
                .map(|text| text.parse())
                .collect::<Result<_, _>>()?;
            Ok::<_, InvalidLimit>(TagSet::only(patterns)?)
        }
    };
    Ok(Limit {
        push_tags: tags(&body.push_tags)?,
        delete_tags: tags(&body.delete_tags)?,
        ..Limit::new(body.rights.join(",").parse()?, body.pattern.parse()?)
    })
}

/// The limits of a ceiling; a full one is every right on everything.
pub(super) fn limits(ceiling: &Ceiling) -> Vec<LimitBody> {
    let every = [Limit::new(Rights::ALL, crate::domain::RepositoryPattern::every())];
    let limits = match ceiling {
        Ceiling::Full => &every,
        Ceiling::Limited(limits) => &**limits,
    };
    let tags = |set: &TagSet| {
        set.to_text()
            .map(|text| text.split_whitespace().map(str::to_owned).collect())
    };
    limits
        .iter()
        .map(|limit| LimitBody {
            pattern: limit.pattern.to_string(),
            rights: limit
                .rights
                .iter()
                .map(|right| right.as_str().to_owned())
                .collect(),
            push_tags: tags(&limit.push_tags),
            delete_tags: tags(&limit.delete_tags),
        })
        .collect()
}

/// Ranges of addresses as a client writes them.
pub(super) fn networks(texts: &[String]) -> Result<AllowedNetworks, Problem> {
    let networks: Result<Vec<Network>, _> = texts.iter().map(|text| text.parse()).collect();
    AllowedNetworks::new(networks.map_err(invalid)?).map_err(invalid)
}

/// A label as a client writes it.
pub(super) fn label(text: &str) -> Result<TokenLabel, Problem> {
    text.parse().map_err(invalid)
}

/// Something in the body is not as it must be.
#[expect(clippy::needless_pass_by_value, reason = "what map_err calls")]
pub(super) fn invalid(error: impl ToString) -> Problem {
    AppError::Invalid(error.to_string()).into()
}

/// A secret of a credential; itself it is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SecretView {
    /// Its id.
    id: String,
    /// Its last four characters.
    last_four: String,
    /// When it was made (RFC 3339).
    created_at: String,
    /// When it ends or ended (RFC 3339); absent when it lives as long as its credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
    /// Why: `replaced`, `revoked` or `leaked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_because: Option<&'static str>,
}

impl From<CredentialSecret> for SecretView {
    fn from(secret: CredentialSecret) -> Self {
        Self {
            id: secret.secret_id.to_string(),
            last_four: secret.last_four,
            created_at: rfc3339(secret.created_at),
            ends_at: secret.ends_at.map(rfc3339),
            ended_because: secret.ended_because.map(Ended::as_str),
        }
    }
}

/// The last use, to the minute.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LastUseView {
    /// When (RFC 3339).
    at: String,
    /// From which address.
    address: Option<String>,
    /// The client's program.
    client: String,
}

impl From<LastUse> for LastUseView {
    fn from(last: LastUse) -> Self {
        Self {
            at: rfc3339(last.at),
            address: last.address,
            client: last.client,
        }
    }
}

/// Uses that were refused since the credential or its secret ended, or from where it may not be used.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RefusedView {
    /// How many.
    count: i64,
    /// When the last was (RFC 3339).
    last_at: String,
    /// The network that the last came from.
    network: Option<String>,
}

impl From<RefusedUses> for RefusedView {
    fn from(refused: RefusedUses) -> Self {
        Self {
            count: refused.count,
            last_at: rfc3339(refused.last_at),
            network: refused.network,
        }
    }
}

/// How one secret takes the place of another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    /// Hours that the secret before lives on, 0 to 720. Default: 24. With 0 all others end at once.
    #[serde(default = "default_overlap")]
    #[schema(maximum = 720)]
    pub(super) overlap_hours: u16,
}

fn default_overlap() -> u16 {
    DEFAULT_OVERLAP_HOURS
}

/// A credential with a secret that is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WithSecret<T> {
    /// The secret: it is not shown again.
    secret: String,
    /// What it belongs to.
    #[serde(flatten)]
    credential: T,
}

/// 201 with a secret, which nothing on the way may keep.
pub(super) fn shown_once<T: Serialize>(credential: T, secret: &Secret<String>) -> Response {
    let body = WithSecret {
        secret: secret.expose().clone(),
        credential,
    };
    (
        StatusCode::CREATED,
        [(CACHE_CONTROL, HeaderValue::from_static("no-store"))],
        Extension(ShowsSecret),
        axum::Json(body),
    )
        .into_response()
}
