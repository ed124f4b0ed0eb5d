//! Who uses the API: `Authorization: Basic` with a user name and a password or access token, or `Bearer` with an access
//! token alone.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::StatusCode;
use http::request::Parts;
use shared::secret::Secret;

use super::problem::Problem;
use crate::app::caller::Caller;
use crate::app::token::Credential;
use crate::http::State;
use crate::http::client::client;
use crate::http::token::{authorization, basic};

/// In the extensions of a request that the machine's own administrator makes, inside the process: on behalf of which account.
/// Nothing that comes over a connection can set it.
#[derive(Debug, Clone)]
pub struct Operator(pub String);

/// Whoever showed a credential, which was right. A request without one is refused.
pub(super) struct SignedIn(pub(super) Caller);

/// Whoever asks; without a credential, nobody known. A wrong credential is refused.
pub(super) struct Anyone(pub(super) Caller);

impl FromRequestParts<State> for Anyone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        if let Some(Operator(name)) = parts.extensions.get() {
            return Ok(Self(state.app.operator(name).await?));
        }
        let credential = credential(parts)?;
        let caller = state
            .app
            .recognise(&credential, client(parts, state.app.trusted_proxies()))
            .await?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<State> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let Anyone(caller) = Anyone::from_request_parts(parts, state).await?;
        if caller.is_anonymous() {
            return Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "sign in: with a user name and a password or an access token (Basic), or with an access token alone (Bearer)",
            ));
        }
        Ok(Self(caller))
    }
}

impl OptionalFromRequestParts<State> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Option<Self>, Problem> {
        let Anyone(caller) = Anyone::from_request_parts(parts, state).await?;
        Ok((!caller.is_anonymous()).then_some(Self(caller)))
    }
}

fn credential(parts: &Parts) -> Result<Credential, Problem> {
    let header = authorization(&parts.headers).map_err(crate::http::error::Failure::from)?;
    let Some(header) = header else {
        return Ok(Credential::Anonymous);
    };
    let bearer = header
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match bearer {
        Some((_, token)) => Ok(Credential::Token(Secret::new(token.trim().to_owned()))),
        None => Ok(basic(header).map_err(crate::http::error::Failure::from)?),
    }
}
