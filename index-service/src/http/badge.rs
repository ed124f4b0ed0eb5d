//! `/badge/NAME/KIND.svg`: a figure about a repository as a picture, for pages elsewhere. It is made here, with fonts that the
//! reader has, and asks nobody for anything.

use std::fmt::Write as _;

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, VARY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use shared::oci::RepositoryName;

use super::conditional::{entity_tag, is_known};
use super::hub::caller::Anyone;
use super::xml::escaped;
use crate::app::AppError;
use crate::app::badge::BadgeKind;
use crate::domain::Visibility;

/// Longest text of one side, in characters.
const LONGEST: usize = 60;
/// How long a badge may be shown again without asking, in seconds.
const FRESH_S: u32 = 300;
/// Colours by name, as badges elsewhere have them.
const COLOURS: [(&str, &str); 9] = [
    ("blue", "#007ec6"),
    ("brightgreen", "#4c1"),
    ("green", "#97ca00"),
    ("grey", "#555"),
    ("lightgrey", "#9f9f9f"),
    ("orange", "#fe7d37"),
    ("red", "#e05d44"),
    ("yellow", "#dfb317"),
    ("purple", "#8a4bbf"),
];

pub(super) async fn show(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path(rest): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let wish = Wish::parse(&query.unwrap_or_default());
    let asked = rest.rsplit_once('/').and_then(|(name, file)| {
        let kind = BadgeKind::find(file.strip_suffix(".svg")?)?;
        Some((name.parse::<RepositoryName>().ok()?, kind))
    });
    let Some((name, kind)) = asked else {
        return missing("badge");
    };
    let found = state.app.badge(&caller, &name, kind, wish.tag.as_deref()).await;
    let (repository, text) = match found {
        Ok(found) => found,
        // One that is private is as one that there is not.
        Err(AppError::NotFound(_)) => return missing("repository"),
        Err(error) => return error.into_response(),
    };
    let label = wish.label.as_deref().unwrap_or(kind.label());
    let picture = picture(label, &text, wish.colour.as_deref().unwrap_or("#007ec6"));
    let tag = entity_tag(picture.as_bytes());
    let mut response = if is_known(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        svg(StatusCode::OK, picture)
    };
    let who = if repository.facts.visibility == Visibility::Public {
        "public"
    } else {
        "private"
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, format!("{who}, max-age={FRESH_S}")),
        (ETAG, tag),
        (VARY, "authorization".to_owned()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

/// What pages show in the place of a badge that there is not.
fn missing(what: &str) -> Response {
    let mut response = svg(StatusCode::NOT_FOUND, picture(what, "not found", "#9f9f9f"));
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn svg(status: StatusCode, picture: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "image/svg+xml; charset=utf-8"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("content-security-policy"),
            "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        ),
        // Pages elsewhere show it: that is what it is for.
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
    ];
    (status, headers, picture).into_response()
}

/// How a badge shall look.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wish {
    label: Option<String>,
    colour: Option<String>,
    tag: Option<String>,
}

impl Wish {
    /// What makes no sense is as if it were not said.
    fn parse(query: &str) -> Self {
        let mut wish = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "label" => wish.label = Some(value.chars().take(LONGEST).collect()),
                "color" | "colour" => wish.colour = colour(&value),
                "tag" if value.len() <= 128 && !value.contains('\0') => wish.tag = Some(value.into_owned()),
                _ => {}
            }
        }
        wish
    }
}

fn colour(word: &str) -> Option<String> {
    if let Some((_, colour)) = COLOURS.iter().find(|(name, _)| *name == word) {
        return Some((*colour).to_owned());
    }
    let digits = word.strip_prefix('#').unwrap_or(word);
    let is_colour = matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_colour.then(|| format!("#{digits}"))
}

/// Two fields side by side, 20 pixels high.
fn picture(label: &str, text: &str, colour: &str) -> String {
    let (label, text): (String, String) = (cut(label), cut(text));
    let (left, right) = (width(&label) + 10, width(&text) + 10);
    let whole = left + right;
    let (label, text) = (escaped(&label), escaped(&text));
    let mut out = String::with_capacity(1024);
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"20\" role=\"img\" aria-label=\"{label}: {text}\">\
         <title>{label}: {text}</title>\
         <clipPath id=\"r\"><rect width=\"{whole}\" height=\"20\" rx=\"3\"/></clipPath>\
         <g clip-path=\"url(#r)\"><rect width=\"{left}\" height=\"20\" fill=\"#555\"/>\
         <rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{colour}\"/></g>\
         <g fill=\"#fff\" text-anchor=\"middle\" font-family=\"Verdana,DejaVu Sans,Noto Sans CJK SC,sans-serif\" \
         font-size=\"11\">"
    );
    for (middle, length, words) in [
        (left / 2, left - 10, &label),
        (left + right / 2, right - 10, &text),
    ] {
        let _ = write!(
            out,
            "<text x=\"{middle}\" y=\"14\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\">{words}</text>"
        );
    }
    out.push_str("</g></svg>\n");
    out
}

/// Not too much of it, and nothing that cannot be seen.
fn cut(text: &str) -> String {
    let seen = text.chars().filter(|c| !c.is_control());
    seen.take(LONGEST).collect()
}

/// About how wide a text is, in pixels; the picture is told to fit it in.
fn width(text: &str) -> usize {
    let tenths: usize = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '|' | '!' | '\'' => 32,
            ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' => 44,
            'm' | 'w' | 'M' | 'W' | '%' | '@' => 100,
            c if c.is_ascii_uppercase() => 78,
            c if c.is_ascii() => 68,
            _ => 110,
        })
        .sum();
    tenths / 10 + 1
}

#[cfg(test)]
#[path = "badge/tests.rs"]
mod tests;
