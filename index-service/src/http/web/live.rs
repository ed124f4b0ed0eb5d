//! What a page is told while it is open: server-sent events, a few lines of JSON each. Whoever has no script loads the page
//! again instead, and sees the same.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use http::header::CACHE_CONTROL;
use http::{HeaderName, HeaderValue, StatusCode};
use shared::runtime::serve::ReadyState;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::fault::PageError;
use crate::http::State;

/// Pages that are told something at once; others ask again later.
const MOST: usize = 64;
/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(2);
/// How often one connection is told; then the browser connects anew.
const ROUNDS: u32 = 150;
/// How long the browser waits before it connects anew.
const RETRY: Duration = Duration::from_secs(5);

static OPEN: Semaphore = Semaphore::const_new(MOST);

/// Tells what `ask` says, whenever it says something new, until it says nothing, the reader leaves or the process ends.
pub(in crate::http) fn tell<A, F>(state: State, ask: A) -> Response
where
    A: Fn() -> F + Send + 'static,
    F: Future<Output = Option<String>> + Send,
{
    let Ok(permit) = OPEN.try_acquire() else {
        return PageError::of_status(StatusCode::SERVICE_UNAVAILABLE).into_response();
    };
    let teller = Teller {
        state,
        ask,
        said: String::new(),
        rounds: 0,
        _permit: permit,
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
    _permit: SemaphorePermit<'static>,
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
