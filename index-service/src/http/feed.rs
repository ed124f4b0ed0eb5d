//! `/feed/r/NAME.atom` and `/feed/n/NAMESPACE.atom`: what was pushed, moved and deleted, for readers of feeds (RFC 4287).

use std::fmt::Write as _;

use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use shared::oci::digest::Algorithm;
use shared::oci::{Digest, RepositoryName};
use shared::token::tag_pattern::InvalidTagPattern;
use shared::token::{TagPattern, TagSet};

use super::client::client;
use super::conditional::{date, entity_tag, is_unchanged};
use super::hub::caller::Anyone;
use super::hub::error::HubError;
use super::web::cookie;
use super::xml::escaped;
use crate::app::AppError;
use crate::app::audit::rfc3339;
use crate::app::caller::Caller;
use crate::app::feed::{ChangeFeed, FeedChange, no_namespace};
use crate::domain::NamespaceName;

/// How long a feed may be shown again without asking, in seconds.
const FRESH_S: u32 = 60;
/// How old a feed's last change must be before its time alone tells two answers apart, in milliseconds.
const SETTLED_MS: i64 = 2_000;
/// Digits of a digest in a title.
const SHORT: usize = 12;

/// Whoever follows: by a credential, or where a browser shows the feed by the session of its cookie. Nothing is changed by
/// looking, so that no other site gains anything by having a browser look.
pub(super) struct Follower {
    caller: Caller,
    /// Whether it is a session.
    is_session: bool,
}

impl FromRequestParts<super::State> for Follower {
    type Rejection = HubError;

    async fn from_request_parts(parts: &mut Parts, state: &super::State) -> Result<Self, HubError> {
        let secret = cookie::session(&parts.headers, state.app.public_url());
        if let Some(secret) = secret.filter(|_| !parts.headers.contains_key(AUTHORIZATION)) {
            let from = client(parts, state.app.trusted_proxies());
            if let Some(caller) = state.app.recognise_web_session(secret, from).await? {
                return Ok(Self {
                    caller,
                    is_session: true,
                });
            }
        }
        let Anyone(caller) = Anyone::from_request_parts(parts, state).await?;
        Ok(Self {
            caller,
            is_session: false,
        })
    }
}

pub(super) async fn show(
    State(state): State<super::State>,
    Follower { caller, is_session }: Follower,
    Path(rest): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let tags = match wished_tags(query.as_deref().unwrap_or_default()) {
        Ok(tags) => tags,
        Err(error) => return error.into_response(),
    };
    let asked = rest.strip_suffix(".atom").and_then(|path| path.split_once('/'));
    let (about, found) = match asked {
        Some(("r", name)) => match name.parse::<RepositoryName>() {
            Ok(name) => (
                About::Repository,
                state.app.repository_feed(&caller, &name, &tags).await,
            ),
            Err(_) => return super::error::no_such_path().await.into_response(),
        },
        Some(("n", name)) => match name.parse::<NamespaceName>() {
            Ok(name) => (
                About::Namespace,
                state.app.namespace_feed(&caller, &name, &tags).await,
            ),
            Err(_) => return no_namespace(&name).into_response(),
        },
        _ => return super::error::no_such_path().await.into_response(),
    };
    let feed = match found {
        Ok(feed) => feed,
        Err(error) => return error.into_response(),
    };
    let text = document(&feed, about, &tags, state.app.public_url());
    let newest = feed.changes.first().map(|entry| entry.change.changed_at);
    // A second change within the same second has the same time.
    let changed_at = newest.filter(|at| at.saturating_add(SETTLED_MS) < state.app.now_ms());
    let tag = entity_tag(text.as_bytes());
    let mut response = if is_unchanged(&headers, &tag, changed_at) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = HeaderValue::from_static("application/atom+xml; charset=utf-8");
        ([(CONTENT_TYPE, kind)], text).into_response()
    };
    // What everybody may read, nobody was asked for.
    let kept = if is_session {
        "private, no-store".to_owned()
    } else if caller.is_anonymous() {
        format!("public, max-age={FRESH_S}")
    } else {
        format!("private, max-age={FRESH_S}")
    };
    let said = [
        (CACHE_CONTROL, Some(kept)),
        (ETAG, Some(tag)),
        (LAST_MODIFIED, changed_at.and_then(date)),
        (VARY, Some("authorization, cookie".to_owned())),
        (X_CONTENT_TYPE_OPTIONS, Some("nosniff".to_owned())),
        (
            HeaderName::from_static("content-security-policy"),
            Some("default-src 'none'; sandbox".to_owned()),
        ),
    ];
    for (name, value) in said {
        if let Some(value) = value.and_then(|text| HeaderValue::try_from(text).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Tags by the patterns `tag=`, any of these; every tag without one.
fn wished_tags(query: &str) -> Result<TagSet, AppError> {
    let invalid = |error: InvalidTagPattern| AppError::Invalid(error.to_string());
    let patterns = form_urlencoded::parse(query.as_bytes())
        .filter(|(key, _)| key == "tag")
        .map(|(_, text)| text.parse::<TagPattern>().map_err(invalid))
        .collect::<Result<Vec<_>, _>>()?;
    if patterns.is_empty() {
        return Ok(TagSet::Every);
    }
    TagSet::only(patterns).map_err(invalid)
}

/// What a feed is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Repository,
    Namespace,
}

fn document(feed: &ChangeFeed, about: About, tags: &TagSet, url: &str) -> String {
    let name = &feed.name;
    let patterns = tags.to_text();
    let query: Vec<String> = patterns
        .iter()
        .flat_map(|text| text.split(' '))
        .map(|pattern| format!("tag={pattern}"))
        .collect();
    let query = if query.is_empty() {
        String::new()
    } else {
        format!("?{}", query.join("&"))
    };
    let (letter, word) = match about {
        About::Repository => ("r", "repository"),
        About::Namespace => ("n", "namespace"),
    };
    let id = urn(&[
        word,
        &feed.id.to_string(),
        patterns.as_deref().unwrap_or_default(),
    ]);
    let title = patterns.map_or_else(|| name.clone(), |patterns| format!("{name}: {patterns}"));
    let updated = feed.changes.iter().map(|entry| entry.change.changed_at).max();
    let mut out = String::with_capacity(1_024 * (feed.changes.len() + 1));
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">\n\
         <id>{id}</id>\n<title>{}</title>\n<updated>{}</updated>\n<author><name>{}</name></author>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{}\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n<generator>Portolan</generator>\n",
        escaped(&title),
        rfc3339(updated.unwrap_or_default()),
        escaped(feed.namespace.as_str()),
        escaped(&format!("{url}/feed/{letter}/{name}.atom{query}")),
        escaped(&format!("{url}/{letter}/{name}")),
    );
    for entry in &feed.changes {
        write_entry(&mut out, entry, url);
    }
    out.push_str("</feed>\n");
    out
}

fn write_entry(out: &mut String, entry: &FeedChange, url: &str) {
    let change = &entry.change;
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let image = format!("{}:{}", entry.name, change.tag);
    let (kind, title) = match (&change.digest_before, &change.digest_after) {
        (Some(_), Some(after)) => ("moved", format!("{image} moved to {}", short(after))),
        (None, Some(after)) => ("pushed", format!("{image} was pushed: {}", short(after))),
        (_, None) => ("deleted", format!("{image} was deleted")),
    };
    let mut text = String::new();
    let mut line = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name}: {value}");
        }
    };
    line("Digest", change.digest_after.as_deref());
    line("Before", change.digest_before.as_deref());
    line("By", change.changed_by.as_deref());
    line("With", change.client.as_deref());
    if let Some(digest) = &change.digest_after {
        let _ = writeln!(text, "\ndocker pull {host}/{}@{digest}", entry.name);
    }
    let author = change
        .changed_by
        .as_ref()
        .map(|name| format!("<author><name>{}</name></author>\n", escaped(name)));
    let at = rfc3339(change.changed_at);
    let id = urn(&[
        "change",
        &entry.repository_id.to_string(),
        &change.sequence.to_string(),
    ]);
    let page = if change.digest_after.is_some() {
        format!("{url}/r/{}/-/tags/{}", entry.name, change.tag)
    } else {
        format!("{url}/r/{}", entry.name)
    };
    let _ = write!(
        out,
        "<entry>\n<id>{id}</id>\n<title>{}</title>\n<updated>{at}</updated>\n<published>{at}</published>\n{}\
         <category term=\"{kind}\"/>\n<link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n\
         <content type=\"text\">{}</content>\n</entry>\n",
        escaped(&title),
        author.unwrap_or_default(),
        escaped(&page),
        escaped(&text),
    );
}

/// The first digits of a digest.
fn short(digest: &str) -> String {
    let digits = digest.split_once(':').map_or(digest, |(_, digits)| digits);
    digits.chars().take(SHORT).collect()
}

/// A name that stays whatever becomes of names and hosts: a UUID of our own kind (RFC 9562, version 8) from what it stands for.
fn urn(parts: &[&str]) -> String {
    let digest = Digest::of(
        Algorithm::Sha256,
        format!("portolan feed\n{}", parts.join("\n")).as_bytes(),
    );
    let hex = digest.hex();
    format!(
        "urn:uuid:{}-{}-8{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}

#[cfg(test)]
mod tests;
