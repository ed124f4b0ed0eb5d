//! What a page is told while it is open: server-sent events, a few lines of JSON each. Whoever has no script loads the page
//! again instead, and sees the same.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use http::header::CACHE_CONTROL;
use http::{HeaderName, HeaderValue, StatusCode};
use shared::runtime::serve::ReadyState;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::fault::PageError;
use crate::app::caller::Caller;
use crate::domain::AccountId;
use crate::http::State;

/// Pages that are told something at once, of everybody.
const MOST: usize = 64;
/// Those of one account, so that nobody takes all.
const MOST_OF_ONE: usize = 4;
/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(2);
/// How often one connection is told; then the browser connects anew.
const ROUNDS: u32 = 150;
/// How long the browser waits before it connects anew.
const RETRY: Duration = Duration::from_secs(5);

/// Places of pages that are told something while they are open.
#[derive(Debug, Clone)]
pub(in crate::http) struct Places {
    site: Arc<Semaphore>,
    /// How many pages of each account there are; only those that have one.
    accounts: Arc<Mutex<HashMap<AccountId, usize>>>,
}

/// The place of one page, which is free again when this is dropped.
#[derive(Debug)]
struct Place {
    _site: OwnedSemaphorePermit,
    accounts: Arc<Mutex<HashMap<AccountId, usize>>>,
    account: AccountId,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            site: Arc::new(Semaphore::new(MOST)),
            accounts: Arc::default(),
        }
    }
}

impl Places {
    /// A place for a page of an account; else the status that says whose places are taken.
    fn take(&self, account: AccountId) -> Result<Place, StatusCode> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.get(&account).is_some_and(|taken| *taken >= MOST_OF_ONE) {
            return Err(StatusCode::TOO_MANY_REQUESTS);
        }
        let site = Arc::clone(&self.site).try_acquire_owned();
        let site = site.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        *accounts.entry(account).or_default() += 1;
        Ok(Place {
            _site: site,
            accounts: Arc::clone(&self.accounts),
            account,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = accounts.get_mut(&self.account) {
            *taken -= 1;
            if *taken == 0 {
                accounts.remove(&self.account);
            }
        }
    }
}

/// Tells `caller` what `ask` says, whenever it says something new, until it says nothing, the reader leaves or the process ends.
pub(in crate::http) fn tell<A, F>(state: State, caller: &Caller, ask: A) -> Response
where
    A: Fn() -> F + Send + 'static,
    F: Future<Output = Option<String>> + Send,
{
    let place = match caller.account() {
        Ok(account) => state.places.take(account.account_id),
        Err(error) => return PageError::from(error).into_response(),
    };
    let place = match place {
        Ok(place) => place,
        Err(status) => return PageError::of_status(status).into_response(),
    };
    let teller = Teller {
        state,
        ask,
        said: String::new(),
        rounds: 0,
        _place: place,
    };
    let stream = unfold(teller, |mut teller| async move {
        let text = teller.next().await?;
        let event = Event::default().retry(RETRY).data(&text);
        Some((Ok::<_, Infallible>(event), teller))
    });
    let mut response = Sse::new(stream).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would keep it back until there is much of it.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

struct Teller<A> {
    state: State,
    ask: A,
    said: String,
    rounds: u32,
    _place: Place,
}

impl<A, F> Teller<A>
where
    A: Fn() -> F,
    F: Future<Output = Option<String>>,
{
    async fn next(&mut self) -> Option<String> {
        while self.rounds < ROUNDS {
            if self.rounds > 0 {
                tokio::time::sleep(INTERVAL).await;
            }
            self.rounds += 1;
            // A process that ends is not kept from it by an open page.
            if matches!(self.state.readiness.state(), ReadyState::Unready(_)) {
                return None;
            }
            let text = (self.ask)().await?;
            // Something is sent now and then even when nothing is new, so that who has left is noticed.
            if text != self.said || self.rounds.is_multiple_of(10) {
                self.said.clone_from(&text);
                return Some(text);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_takes_four_places_and_leaves_the_others_to_others() {
        let places = Places::default();
        let (ada, eve) = (AccountId::from_i64(1), AccountId::from_i64(2));
        let mut taken: Vec<Place> = (0..MOST_OF_ONE).map(|_| places.take(ada).unwrap()).collect();
        assert_eq!(places.take(ada).unwrap_err(), StatusCode::TOO_MANY_REQUESTS);
        assert!(places.take(eve).is_ok(), "and it is free again at once");
        taken.pop();
        taken.push(places.take(ada).unwrap());
        assert!(places.take(ada).is_err());
        taken.clear();
        assert!(
            places.accounts.lock().unwrap().is_empty(),
            "nobody is remembered who has left"
        );
        assert_eq!(places.site.available_permits(), MOST);
    }

    #[test]
    fn the_places_of_the_site_are_bounded_whoever_takes_them() {
        let places = Places::default();
        let taken: Vec<Place> = (0..MOST)
            .map(|number| AccountId::from_i64(i64::try_from(number / MOST_OF_ONE).unwrap()))
            .map(|account| places.take(account).unwrap())
            .collect();
        let late = AccountId::from_i64(1_000);
        assert_eq!(places.take(late).unwrap_err(), StatusCode::SERVICE_UNAVAILABLE);
        drop(taken);
        assert!(places.take(late).is_ok());
    }
}
