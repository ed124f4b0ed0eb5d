//! Lists that come page by page: the catalog, tags.

use http::header::LINK;
use http::{HeaderMap, Method};
use reqwest::Url;
use serde_json::Value;

use super::content::Place;
use super::endpoint::{Ask, Endpoint};
use super::fault::{Fault, found};

/// What is asked for at once.
const PAGE: u32 = 1000;
/// The page of a catalog: distribution refuses more than its `catalog.maxentries`, which is often left at this.
const PAGE_OF_A_CATALOG: u32 = 100;
/// Longest page, in bytes: distribution 2 gives all tags at once.
const MOST_OF_A_PAGE: usize = 64 << 20;

/// Every repository that the account may see.
pub(super) async fn catalog(endpoint: &Endpoint) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    let mut next = Some(endpoint.url(&format!("/v2/_catalog?n={PAGE_OF_A_CATALOG}"))?);
    while let Some(url) = next {
        let mut ask = Ask::new(Method::GET, url, "registry:catalog:*");
        ask.most = MOST_OF_A_PAGE;
        let answer = endpoint.exchange(&ask).await?;
        let before = names.len();
        names.extend(texts(&answer.body, "repositories"));
        next = following(endpoint, &ask.url, &answer.headers, names.len() > before)?;
    }
    Ok(names)
}

/// A page of tags, and where the next one is. A repository that is not there, or has none, has no tags.
pub(super) async fn tags(place: Place<'_>, page: Option<Url>) -> Result<(Vec<String>, Option<Url>), Fault> {
    let url = match page {
        Some(url) => url,
        None => place
            .endpoint
            .url(&format!("/v2/{}/tags/list?n={PAGE}", place.name))?,
    };
    let mut ask = Ask::new(Method::GET, url, place.scope);
    ask.most = MOST_OF_A_PAGE;
    let Some(answer) = found(place.endpoint.exchange(&ask).await)? else {
        return Ok((Vec::new(), None));
    };
    let tags = texts(&answer.body, "tags");
    let next = following(place.endpoint, &ask.url, &answer.headers, !tags.is_empty())?;
    Ok((tags, next))
}

fn texts(body: &[u8], field: &str) -> Vec<String> {
    let page: Value = serde_json::from_slice(body).unwrap_or_default();
    let list = page[field].as_array();
    list.into_iter()
        .flatten()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

/// The next page; after an empty one there is none, or a list would never end.
fn following(
    endpoint: &Endpoint,
    from: &Url,
    headers: &HeaderMap,
    has_more: bool,
) -> Result<Option<Url>, Fault> {
    let next = next(endpoint, from, headers)?;
    Ok(next.filter(|next| has_more && next != from))
}

/// Where `Link` says that the next page is (RFC 8288).
pub(super) fn next(endpoint: &Endpoint, from: &Url, headers: &HeaderMap) -> Result<Option<Url>, Fault> {
    let links = headers
        .get_all(LINK)
        .iter()
        .filter_map(|value| value.to_str().ok());
    for link in links.flat_map(|value| value.split(',')) {
        let Some((target, parameters)) = link.split_once('>') else {
            continue;
        };
        let is_next = parameters
            .replace('"', "")
            .split(';')
            .any(|one| one.trim().eq_ignore_ascii_case("rel=next"));
        if is_next {
            let target = target.trim().trim_start_matches('<');
            return endpoint.follow_up(from, target).map(Some);
        }
    }
    Ok(None)
}
