//! Who asks: `Authorization: Bearer` or `JWT` with the token of a session, or with an access token; `Basic` as well.

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;

use super::error::HubError;
use crate::app::caller::Caller;
use crate::app::token::Credential;
use crate::http::State;
use crate::http::client::client;
use crate::http::error::Failure;
use crate::http::token::{authorization, basic};

/// Whoever asks; without a credential, nobody known. A wrong credential is refused.
pub(in crate::http) struct Anyone(pub(in crate::http) Caller);

/// Whoever showed a credential, which was right.
pub(super) struct SignedIn(pub(super) Caller);

impl FromRequestParts<State> for Anyone {
    type Rejection = HubError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, HubError> {
        let header = authorization(&parts.headers).map_err(Failure::from)?;
        let from = client(parts, state.app.trusted_proxies());
        let Some(header) = header else {
            return Ok(Self(state.app.recognise(&Credential::Anonymous, from).await?));
        };
        let token = header
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| {
                ["bearer", "jwt"]
                    .iter()
                    .any(|known| scheme.eq_ignore_ascii_case(known))
            });
        let caller = if let Some((_, token)) = token {
            state.app.recognise_bearer(token.trim(), from).await?
        } else {
            let credential = basic(header).map_err(Failure::from)?;
            state.app.recognise(&credential, from).await?
        };
        Ok(Self(caller))
    }
}

impl FromRequestParts<State> for SignedIn {
    type Rejection = HubError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, HubError> {
        let Anyone(caller) = Anyone::from_request_parts(parts, state).await?;
        if caller.is_anonymous() {
            return Err(HubError::new(
                StatusCode::UNAUTHORIZED,
                "Authentication credentials were not provided.",
            ));
        }
        Ok(Self(caller))
    }
}
