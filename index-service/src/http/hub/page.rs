//! Pages by number, as Docker Hub has them: `page` from 1 on and `page_size`, with addresses of the pages before and behind.

use std::convert::Infallible;
use std::future::Future;

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json};

use super::error::HubError;
use crate::app::AppError;
use crate::http::State;

/// Items on a page when the client does not say.
const DEFAULT: usize = 10;
/// Most items on a page; a larger wish gets this many, since clients ask for 1,000.
const MAX: usize = 100;
/// Most items of a list that has no page of its own in the index.
const MOST: usize = 2_000;
/// Such items that are read at once.
const BATCH: u32 = 200;
/// Longest word in a query.
const LONGEST: usize = 300;

/// The query of a list.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    url: String,
    query: Vec<(String, String)>,
    page: usize,
    size: usize,
}

impl FromRequestParts<State> for Wish {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        let uri = &parts.uri;
        Ok(Self::new(
            format!("{}{}", state.app.public_url(), uri.path()),
            uri.query().unwrap_or_default(),
        ))
    }
}

impl Wish {
    fn new(url: String, query: &str) -> Self {
        let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .filter(|(_, value)| value.len() <= LONGEST && !value.contains('\0'))
            .collect();
        let number = |name: &str| {
            let found = query.iter().find(|(key, _)| key == name);
            found.and_then(|(_, value)| value.parse::<usize>().ok())
        };
        let (page, size) = (number("page"), number("page_size").or_else(|| number("limit")));
        Self {
            page: page.unwrap_or(1).clamp(1, 1_000_000),
            size: size.unwrap_or(DEFAULT).clamp(1, MAX),
            url,
            query,
        }
    }

    /// How many are left out, and how many are wished for.
    pub(super) fn range(&self) -> (usize, usize) {
        ((self.page - 1) * self.size, self.size)
    }

    /// A word of the query; an empty one where there is none.
    pub(super) fn word(&self, name: &str) -> &str {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// The word that an order is asked for by, and whether it is the other way round.
    pub(super) fn ordering(&self) -> (&str, bool) {
        let word = self.word("ordering");
        match word.strip_prefix('-') {
            Some(word) => (word, true),
            None => (word, false),
        }
    }

    fn address(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (key, value) in &self.query {
            if !matches!(key.as_str(), "page" | "page_size" | "limit") {
                query.append_pair(key, value);
            }
        }
        query.append_pair("page", &page.to_string());
        query.append_pair("page_size", &self.size.to_string());
        format!("{}?{}", self.url, query.finish())
    }

    /// The answer, when there are `count` items of which these are wished for.
    pub(super) fn answer(&self, count: usize, results: &[Value]) -> Result<axum::Json<Value>, HubError> {
        let (offset, size) = self.range();
        // The first page may be empty.
        if self.page > 1 && offset >= count {
            return Err(HubError::new(StatusCode::NOT_FOUND, "there is no such page"));
        }
        let next = (offset.saturating_add(size) < count).then(|| self.address(self.page + 1));
        let previous = (self.page > 1).then(|| self.address(self.page - 1));
        Ok(axum::Json(json!({
            "count": count,
            "next": next,
            "previous": previous,
            "results": results,
        })))
    }

    /// The answer out of a whole list.
    pub(super) fn answer_of<T>(
        &self,
        all: Vec<T>,
        show: impl FnMut(T) -> Value,
    ) -> Result<axum::Json<Value>, HubError> {
        let (offset, size) = self.range();
        let count = all.len();
        let shown: Vec<Value> = all.into_iter().skip(offset).take(size).map(show).collect();
        self.answer(count, &shown)
    }
}

/// A list that is read behind a key, to its end: at most 2,000 items.
pub(super) async fn whole<T, K, F>(
    first: K,
    mut read: impl FnMut(K, u32) -> F,
    key: impl Fn(&T) -> K,
) -> Result<Vec<T>, AppError>
where
    F: Future<Output = Result<Vec<T>, AppError>>,
{
    let (mut all, mut after) = (Vec::new(), first);
    while all.len() < MOST {
        let batch = read(after, BATCH).await?;
        let is_last = batch.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
        match batch.last() {
            Some(last) => after = key(last),
            None => break,
        }
        all.extend(batch);
        if is_last {
            break;
        }
    }
    all.truncate(MOST);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(query: &str) -> Wish {
        Wish::new("https://hub.example/v2/repositories/team/".to_owned(), query)
    }

    #[test]
    fn a_page_has_ten_items_and_never_more_than_a_hundred() {
        assert_eq!(wish("").range(), (0, 10));
        assert_eq!(wish("page=3&page_size=25").range(), (50, 25));
        assert_eq!(wish("page_size=1000").range(), (0, 100));
        assert_eq!(wish("page_size=0&page=0").range(), (0, 1));
        assert_eq!(wish("page=-1&page_size=x").range(), (0, 10));
        assert_eq!(wish("limit=7").range(), (0, 7));
    }

    #[test]
    fn the_pages_before_and_behind_are_whole_addresses_that_keep_the_rest_of_the_query() {
        let wish = wish("page=2&page_size=10&name=a%26b&ordering=-last_updated");
        let answer = wish.answer(21, &[]).unwrap().0;
        let base = "https://hub.example/v2/repositories/team/?name=a%26b&ordering=-last_updated";
        assert_eq!(answer["next"], format!("{base}&page=3&page_size=10"));
        assert_eq!(answer["previous"], format!("{base}&page=1&page_size=10"));
        assert_eq!(wish.ordering(), ("last_updated", true));
        let last = wish.answer(20, &[]).unwrap().0;
        assert!(last["next"].is_null(), "{last}");
    }

    #[test]
    fn behind_the_last_page_there_is_none() {
        assert!(wish("page=1").answer(0, &[]).is_ok());
        assert!(wish("page=2").answer(10, &[]).is_err());
        assert!(wish("page=2").answer(11, &[]).is_ok());
    }
}
