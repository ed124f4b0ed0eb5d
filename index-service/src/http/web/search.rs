//! The search page: what is found, narrowed by what people ask for most.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::fault::PageError;
use super::page;
use super::view::View;
use super::visitor::Visitor;
use crate::app::AppError;
use crate::app::search::{Found, Hit, SearchWish};
use crate::domain::search::is_official;
use crate::domain::topic::InvalidTopic;
use crate::domain::{SearchFilter, SearchOrder};
use crate::http::{State, named};

/// Repositories on a page.
const PAGE: usize = 20;
/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

pub(in crate::http) fn routes() -> axum::Router<State> {
    axum::Router::new().route("/search", named("web.search", get(search)))
}

/// A repository as lists show it.
#[derive(Debug)]
pub(in crate::http) struct Card {
    pub(in crate::http) name: String,
    pub(in crate::http) summary: String,
    pub(in crate::http) topics: Vec<String>,
    pub(in crate::http) star_count: i64,
    pub(in crate::http) pull_count: i64,
    pub(in crate::http) is_official: bool,
    pub(in crate::http) is_verified: bool,
    pub(in crate::http) visibility: &'static str,
    pub(in crate::http) updated_at: i64,
}

impl From<Hit> for Card {
    fn from(hit: Hit) -> Self {
        Self {
            is_official: is_official(&hit.facts.name),
            name: hit.facts.name.to_string(),
            summary: hit.summary,
            topics: hit.topics,
            star_count: hit.star_count,
            pull_count: hit.pull_count,
            is_verified: hit.is_verified,
            visibility: hit.facts.visibility.as_str(),
            updated_at: hit.updated_at,
        }
    }
}

/// What is looked for. Everything is text, so that what a person typed into an address is answered with a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Question {
    q: String,
    official: String,
    stars: String,
    topic: String,
    platform: String,
    updated: String,
    order: String,
    page: String,
}

impl Question {
    fn page(&self) -> usize {
        self.page.parse().unwrap_or(1).clamp(1, 50)
    }

    fn wish(&self, now_ms: i64) -> Result<SearchWish, AppError> {
        let topic = match self.topic.trim() {
            "" => None,
            text => Some(
                text.parse()
                    .map_err(|error: InvalidTopic| AppError::Invalid(error.to_string()))?,
            ),
        };
        let days: Option<i64> = match self.updated.as_str() {
            "week" => Some(7),
            "month" => Some(30),
            "year" => Some(365),
            _ => None,
        };
        Ok(SearchWish {
            query: self.q.clone(),
            filter: SearchFilter {
                is_official: !self.official.is_empty(),
                min_stars: self.stars.parse().unwrap_or(0),
                topic,
                category: None,
                platform: Some(self.platform.trim().to_owned()).filter(|text| !text.is_empty()),
                label: None,
                updated_since: days.map(|days| now_ms - days * DAY_MS),
            },
            order: match self.order.as_str() {
                "stars" => SearchOrder::Stars,
                "pulls" => SearchOrder::Pulls,
                "updated" => SearchOrder::Updated,
                "name" => SearchOrder::Name,
                _ => SearchOrder::Best,
            },
            offset: (self.page() - 1) * PAGE,
            limit: PAGE,
        })
    }

    /// The same question, for another page.
    fn address(&self, page: usize) -> String {
        let mut address = form_urlencoded::Serializer::new("/search?".to_owned());
        for (name, value) in [
            ("q", &self.q),
            ("official", &self.official),
            ("stars", &self.stars),
            ("topic", &self.topic),
            ("platform", &self.platform),
            ("updated", &self.updated),
            ("order", &self.order),
        ] {
            if !value.is_empty() {
                address.append_pair(name, value);
            }
        }
        if page > 1 {
            address.append_pair("page", &page.to_string());
        }
        address.finish()
    }

    fn is_narrowed(&self) -> bool {
        [
            &self.official,
            &self.stars,
            &self.topic,
            &self.platform,
            &self.updated,
        ]
        .into_iter()
        .any(|text| !text.is_empty())
    }
}

/// What one chooses from.
struct Choice {
    value: &'static str,
    label: &'static str,
    is_chosen: bool,
}

fn choices(of: &[(&'static str, &'static str)], chosen: &str) -> Vec<Choice> {
    of.iter()
        .map(|(value, label)| Choice {
            value,
            label,
            is_chosen: *value == chosen,
        })
        .collect()
}

#[derive(Template)]
#[template(path = "search/search.html")]
struct SearchPage {
    view: View,
    question: Question,
    refusal: String,
    cards: Vec<Card>,
    total: usize,
    is_more: bool,
    is_narrowed: bool,
    previous: String,
    next: String,
    orders: Vec<Choice>,
    times: Vec<Choice>,
    stars: Vec<Choice>,
}

async fn search(
    Shared(state): Shared<State>,
    Visitor { caller, mut view }: Visitor,
    Query(question): Query<Question>,
) -> Result<Response, PageError> {
    view.sought.clone_from(&question.q);
    let found = match question.wish(view.now_ms) {
        Ok(wish) => state.app.search(&caller, &wish).await,
        Err(error) => Err(error),
    };
    let (found, refusal) = match found {
        Ok(found) => (found, String::new()),
        Err(error) => {
            let error = PageError::from(error);
            if !error.is_refusal() {
                return Err(error);
            }
            (Found::default(), error.text(&view))
        }
    };
    let page = question.page();
    Ok(page::render(&SearchPage {
        previous: if page > 1 {
            question.address(page - 1)
        } else {
            String::new()
        },
        next: if found.total > page * PAGE {
            question.address(page + 1)
        } else {
            String::new()
        },
        cards: found.hits.into_iter().map(Card::from).collect(),
        total: found.total,
        is_more: found.is_more,
        is_narrowed: question.is_narrowed(),
        orders: choices(
            &[
                ("", "search-order-best"),
                ("stars", "search-order-stars"),
                ("pulls", "search-order-pulls"),
                ("updated", "search-order-updated"),
                ("name", "search-order-name"),
            ],
            &question.order,
        ),
        times: choices(
            &[
                ("", "search-time-any"),
                ("week", "search-time-week"),
                ("month", "search-time-month"),
                ("year", "search-time-year"),
            ],
            &question.updated,
        ),
        stars: choices(
            &[
                ("", "search-stars-any"),
                ("1", "search-stars-one"),
                ("10", "search-stars-ten"),
                ("100", "search-stars-hundred"),
            ],
            &question.stars,
        ),
        refusal,
        question,
        view,
    }))
}
