//! `/v2/search/repositories` and `/api/search/v4`: repositories by their words.

use axum::extract::State as Shared;
use serde_json::{Value, json};

use super::caller::Anyone;
use super::error::HubError;
use super::page::Wish;
use crate::app::audit::rfc3339;
use crate::app::search::SearchWish;
use crate::domain::SearchFilter;
use crate::domain::search::is_official;
use crate::http::State;

/// Most results of a page of products.
const MOST: usize = 100;

pub(super) async fn repositories(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    wish: Wish,
) -> Result<axum::Json<Value>, HubError> {
    let (offset, limit) = wish.range();
    let found = state
        .app
        .search(
            &caller,
            &SearchWish {
                query: query(&wish),
                offset,
                limit,
                ..SearchWish::default()
            },
        )
        .await?;
    let results = found.hits.iter().map(|hit| {
        json!({
            "repo_name": hit.facts.name.as_str(),
            "short_description": hit.summary,
            "star_count": hit.star_count,
            "pull_count": hit.pull_count,
            "repo_owner": hit.facts.name.namespace(),
            "is_automated": false,
            "is_official": is_official(&hit.facts.name),
        })
    });
    let shown: Vec<Value> = results.collect();
    wish.answer(found.total, &shown)
}

/// The same in the words of newer clients: `from` and `size`, badges and architectures as filters.
pub(super) async fn products(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    wish: Wish,
) -> Result<axum::Json<Value>, HubError> {
    let number = |name: &str, or: usize| wish.word(name).parse::<usize>().unwrap_or(or);
    let filter = SearchFilter {
        is_official: wish.word("badges").split(',').any(|badge| badge == "official"),
        platform: Some(wish.word("architectures").to_owned()).filter(|text| !text.is_empty()),
        ..SearchFilter::default()
    };
    let found = state
        .app
        .search(
            &caller,
            &SearchWish {
                query: query(&wish),
                filter,
                offset: number("from", 0),
                limit: number("size", 25).clamp(1, MOST),
                ..SearchWish::default()
            },
        )
        .await?;
    let results: Vec<Value> = found
        .hits
        .iter()
        .map(|hit| {
            let name = hit.facts.name.as_str();
            let badge = match (is_official(&hit.facts.name), hit.is_verified) {
                (true, _) => "official",
                (false, true) => "verified_publisher",
                (false, false) => "none",
            };
            json!({
                "id": name,
                "name": name,
                "slug": name,
                "type": "image",
                "publisher": {"id": hit.facts.name.namespace(), "name": hit.facts.name.namespace()},
                "created_at": Value::Null,
                "updated_at": rfc3339(hit.updated_at),
                "short_description": hit.summary,
                "badge": badge,
                "star_count": hit.star_count,
                "pull_count": hit.pull_count.to_string(),
                "rate_plans": [],
                "categories": [],
                "operating_systems": [],
                "architectures": [],
                "archived": false,
            })
        })
        .collect();
    Ok(axum::Json(json!({ "total": found.total, "results": results })))
}

fn query(wish: &Wish) -> String {
    let word = wish.word("query");
    if word.is_empty() { wish.word("q") } else { word }.to_owned()
}
