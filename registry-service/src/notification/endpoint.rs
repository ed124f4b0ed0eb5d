//! An endpoint as it is configured.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use reqwest::{Url, redirect};
use serde_json::{Value, json};

use super::event::{Action, Event};

/// The media type of the envelope: the fields are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// As distribution 2 names it.
    V1,
    /// As distribution 3 names it.
    #[default]
    V2,
}

impl Version {
    /// `Content-Type` of the requests.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::V1 => "application/vnd.docker.distribution.events.v1+json",
            Self::V2 => "application/vnd.docker.distribution.events.v2+json",
        }
    }
}

/// Where an index takes events; it takes other things beside.
const EVENTS: &str = "/events/registry";

/// One of `notifications.endpoints`.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What its queue and its metrics are named by; no two endpoints share it.
    pub name: String,
    /// Where events are sent; may hold a password.
    pub url: Url,
    /// Headers of the requests; may hold secrets.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// After so many failures in a row it waits before it tries again.
    pub threshold: u32,
    /// How long it waits at first.
    pub backoff: Duration,
    /// Events about these media types are not sent.
    pub ignored_media_types: Vec<String>,
    /// Events of these actions are not sent.
    pub ignored_actions: Vec<String>,
    /// The media type of the envelope.
    pub version: Version,
    /// Most events of one envelope.
    pub batch: usize,
    /// Most events that wait in its queue.
    pub max_events: usize,
    /// Events wait no longer than this.
    pub max_age: Duration,
    /// Most events that are kept as dead letters.
    pub max_dead_letters: usize,
    /// Most pulls that wait in memory.
    pub max_pulls: usize,
    /// Whether it is an index of ours, which at a bound is told to read a repository again.
    pub is_index: bool,
}

impl Endpoint {
    /// Whether it is told of such events.
    pub(super) fn wants(&self, action: Action, media_type: &str) -> bool {
        let ignores = |list: &[String], word: &str| list.iter().any(|ignored| ignored == word);
        !ignores(&self.ignored_actions, action.as_str()) && !ignores(&self.ignored_media_types, media_type)
    }

    /// The event as this endpoint is told of it: an index knows repositories by the names under which they are kept, which
    /// are nobody else's concern.
    pub(super) fn told<'a>(&self, event: &'a Event, stored_as: &str) -> Cow<'a, Event> {
        if !self.is_index {
            return Cow::Borrowed(event);
        }
        let mut told = event.clone();
        stored_as.clone_into(&mut told.target.stored_as);
        Cow::Owned(told)
    }

    pub(super) fn wants_event(&self, event: &Event) -> bool {
        self.wants(event.action, &event.target.media_type)
    }

    /// Where the same index takes something else than events, such as `/events/quota`.
    pub fn beside(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let own = url.path().trim_end_matches('/');
        let path = format!("{}{path}", own.strip_suffix(EVENTS).unwrap_or_default());
        url.set_path(&path);
        url
    }

    /// A client for requests to it that waits so long for an answer.
    pub fn client(&self, timeout: Duration) -> reqwest::Result<reqwest::Client> {
        let mut client = reqwest::Client::builder()
            // The receiver is the operator's choice; where it would send events on is not.
            .redirect(redirect::Policy::none())
            .timeout(timeout);
        if self.url.scheme() == "http" {
            // No certificate is looked at, so a machine without any authority will do.
            client = client.tls_certs_only([]);
        }
        client.build()
    }

    /// Where events are sent, to be shown: without account and password.
    pub fn shown_url(&self) -> String {
        let mut url = self.url.clone();
        if !url.username().is_empty() || url.password().is_some() {
            // A URL with a host, which this has, takes both.
            let _ = url.set_username("hidden");
            let _ = url.set_password(None);
        }
        if url.query().is_some() {
            url.set_query(Some("hidden"));
        }
        url.into()
    }

    /// As distribution's `/debug/vars` shows it, without secrets.
    pub(super) fn shown(&self) -> Value {
        let headers: serde_json::Map<_, _> = self
            .headers
            .iter()
            .map(|(name, _)| (name.to_string(), json!(["(hidden)"])))
            .collect();
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        json!({
            "name": self.name,
            "url": self.shown_url(),
            "Headers": headers,
            "Timeout": nanos(self.timeout),
            "Threshold": self.threshold,
            "Backoff": nanos(self.backoff),
            "IgnoredMediaTypes": self.ignored_media_types,
            "Ignore": {"MediaTypes": self.ignored_media_types, "Actions": self.ignored_actions},
        })
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("name", &self.name)
            .field("url", &self.shown_url())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::endpoint;

    #[test]
    fn an_index_takes_other_things_beside_its_events() {
        for (url, quota) in [
            (
                "http://index:5001/events/registry",
                "http://index:5001/events/quota",
            ),
            (
                "https://hub.example/index/events/registry/",
                "https://hub.example/index/events/quota",
            ),
            ("https://hub.example/else", "https://hub.example/events/quota"),
        ] {
            assert_eq!(endpoint("a", url).beside("/events/quota").as_str(), quota);
        }
    }

    #[test]
    fn what_is_shown_of_an_endpoint_holds_no_secret() {
        let mut endpoint = endpoint("a", "http://alice:canary@receiver.example/hook?key=canary");
        endpoint.headers.push((
            http::header::AUTHORIZATION,
            http::HeaderValue::from_static("Bearer canary"),
        ));
        for shown in [endpoint.shown().to_string(), format!("{endpoint:?}")] {
            assert!(
                !shown.contains("canary") && shown.contains("receiver.example/hook"),
                "{shown}"
            );
        }
        assert!(endpoint.shown().to_string().contains("authorization"));
    }
}
