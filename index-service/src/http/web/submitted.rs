//! Forms that pages send: none that another site made is taken.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::body::{Body, Bytes};
use axum::extract::{Form, FromRequest, Request};
use axum::response::IntoResponse as _;
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::cookie;
use super::fault::PageError;
use super::visitor::csrf;
use crate::app::AppError;
use crate::http::State;

/// Said of a form that did not come from a page of ours, or from one of a session that is over.
const FOREIGN: AppError =
    AppError::Forbidden("this form was not sent from a page of this site; open the page and send it again");

/// The fields of a form. A field that may stand several times is had with `Submitted<Vec<(String, String)>>`.
///
/// A browser says where a form comes from (`Sec-Fetch-Site`, or `Origin` where that is not sent): from another site it is
/// refused. From a session it also shows the value that only pages of that session hold.
pub(in crate::http) struct Submitted<T>(pub(in crate::http) T);

impl<T: DeserializeOwned> FromRequest<State> for Submitted<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &State) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        let url = state.app.public_url();
        let origin = origin(&parts.headers, url);
        if origin == Origin::Foreign {
            return Err(FOREIGN.into());
        }
        let session = cookie::session(&parts.headers, url).map(str::to_owned);
        // Who comes without a session can be made to do nothing in anybody's name; but who says nothing at all of where the form
        // comes from is no browser.
        if session.is_none() && origin == Origin::Unsaid {
            return Err(FOREIGN.into());
        }
        let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), state)
            .await
            .map_err(|refusal| PageError::of_status(refusal.into_response().status()))?;
        if let Some(secret) = session {
            let expected = csrf(&secret);
            let mut fields = form_urlencoded::parse(&bytes);
            let shown = fields.find(|(name, _)| name == "csrf").map(|(_, value)| value);
            let shown = shown.as_deref().unwrap_or_default();
            if verify_slices_are_equal(shown.as_bytes(), expected.as_bytes()).is_err() {
                return Err(FOREIGN.into());
            }
        }
        let request = Request::from_parts(parts, Body::from(bytes));
        let Form(fields) = Form::from_request(request, state).await.map_err(|refusal| {
            let text = refusal.to_string();
            match refusal.into_response().status() {
                StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => AppError::Invalid(text).into(),
                status => PageError::of_status(status),
            }
        })?;
        Ok(Self(fields))
    }
}

/// Where a form comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Own,
    Foreign,
    Unsaid,
}

fn origin(headers: &HeaderMap, public_url: &str) -> Origin {
    if let Some(site) = headers.get("sec-fetch-site") {
        return match site.as_bytes() {
            b"same-origin" | b"none" => Origin::Own,
            _ => Origin::Foreign,
        };
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return Origin::Unsaid;
    };
    let said = origin.to_str().ok().and_then(|text| text.split_once("://"));
    let authority = said.map(|(_, authority)| authority);
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    let own = public_url.split_once("://").map(|(_, authority)| authority);
    // A page reached under another name than the configured one, such as an address, sends its forms to that name.
    match authority {
        // Whoever stands between can make pages of this name without TLS.
        Some(authority) if Some(authority) == own && cookie::is_https(public_url) => {
            if said.is_some_and(|(scheme, _)| scheme == "https") {
                Origin::Own
            } else {
                Origin::Foreign
            }
        }
        Some(authority) if Some(authority) == own || Some(authority) == host => Origin::Own,
        _ => Origin::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_of_ours_is_an_origin_of_ours() {
        let url = "https://hub.example";
        for (pairs, expected) in [
            (vec![], Origin::Unsaid),
            (vec![("sec-fetch-site", "same-origin")], Origin::Own),
            (vec![("sec-fetch-site", "none")], Origin::Own),
            (vec![("sec-fetch-site", "same-site")], Origin::Foreign),
            (vec![("sec-fetch-site", "cross-site")], Origin::Foreign),
            (
                vec![
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://hub.example"),
                ],
                Origin::Foreign,
            ),
            (vec![("origin", "https://hub.example")], Origin::Own),
            (vec![("origin", "https://hub.example.evil")], Origin::Foreign),
            (
                vec![("origin", "http://hub.example"), ("host", "hub.example")],
                Origin::Foreign,
            ),
            (vec![("origin", "null")], Origin::Foreign),
            (
                vec![("origin", "http://10.0.0.1:5000"), ("host", "10.0.0.1:5000")],
                Origin::Own,
            ),
            (
                vec![("origin", "http://evil"), ("host", "10.0.0.1:5000")],
                Origin::Foreign,
            ),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in &pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(origin(&headers, url), expected, "{pairs:?}");
        }
    }
}
