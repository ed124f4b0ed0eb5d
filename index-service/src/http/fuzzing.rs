//! What the fuzz targets (`tests/fuzz`) call, and nobody else: functions that are private otherwise.

use http::HeaderValue;

use super::token::{abridged, from_form, from_query};
use crate::app::caller::Client;
use crate::app::token::TokenRequest;

/// A token request as GET sends it; `None` when it cannot be understood.
pub fn token_query(
    query: &str,
    authorization: Option<&HeaderValue>,
    user_agent: &str,
) -> Option<TokenRequest> {
    from_query(query, authorization, client(user_agent)).ok()
}

/// A token request as POST sends it; `None` when it cannot be understood.
pub fn token_form(body: &[u8], user_agent: &str) -> Option<TokenRequest> {
    from_form(body, client(user_agent)).ok()
}

fn client(user_agent: &str) -> Client {
    Client {
        address: None,
        program: abridged(user_agent),
        request_id: None,
    }
}
