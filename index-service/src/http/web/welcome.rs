//! The first steps: a login and a push, each of which the page notices.

use askama::Template;
use axum::Router;
use axum::extract::State as Shared;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use super::fault::PageError;
use super::live;
use super::page::render;
use super::view::View;
use super::visitor::SignedIn;
use crate::app::first_steps::FirstSteps;
use crate::http::{State, named};

pub(in crate::http) fn routes() -> Router<State> {
    Router::new()
        .route("/welcome", named("web.welcome", get(show)))
        .route("/welcome/progress", named("web.welcome", get(progress)))
}

#[derive(Template)]
#[template(path = "welcome/welcome.html")]
struct WelcomePage {
    view: View,
    steps: FirstSteps,
    name: String,
    /// Whether Docker needs to be told that this host speaks plain HTTP.
    is_insecure: bool,
}

impl WelcomePage {
    fn state(&self) -> &'static str {
        state_of(&self.steps)
    }

    /// What Docker's configuration says of a host that speaks plain HTTP.
    fn daemon(&self) -> String {
        format!("{{ \"insecure-registries\": [\"{}\"] }}", self.view.host)
    }
}

/// How far somebody is, in a word: when it changes, the page is another one.
fn state_of(steps: &FirstSteps) -> &'static str {
    match (&steps.login, &steps.repository) {
        (None, None) => "new",
        (Some(_), None) => "in",
        (None, Some(_)) => "pushed",
        (Some(_), Some(_)) => "done",
    }
}

/// Whether Docker refuses plain HTTP to this host unless it is told not to.
fn is_insecure(public_url: &str) -> bool {
    let Some(host) = public_url.strip_prefix("http://") else {
        return false;
    };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    !(name == "localhost" || name == "::1" || name.starts_with("127."))
}

async fn show(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
) -> Result<Response, PageError> {
    Ok(render(&WelcomePage {
        steps: state.app.first_steps(&caller).await?,
        name: caller.name(),
        is_insecure: is_insecure(state.app.public_url()),
        view,
    }))
}

/// How far somebody is, for as long as the page is open.
async fn progress(Shared(state): Shared<State>, SignedIn { caller, .. }: SignedIn) -> Response {
    let (asked, caller) = (state.clone(), std::sync::Arc::new(caller));
    let reader = caller.clone();
    live::tell(state, &reader, move || {
        let (state, caller) = (asked.clone(), caller.clone());
        async move {
            let caller = state.app.recognise_again(&caller).await.ok()??;
            let steps = state.app.first_steps(&caller).await.ok()?;
            Some(json!({ "state": state_of(&steps) }).to_string())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::is_insecure;

    #[test]
    fn docker_takes_plain_http_from_this_machine_alone() {
        for (url, insecure) in [
            ("https://hub.example", false),
            ("http://localhost:5000", false),
            ("http://127.0.0.1:5000", false),
            ("http://[::1]:5000", false),
            ("http://hub.example", true),
            ("http://192.168.1.5:5000", true),
        ] {
            assert_eq!(is_insecure(url), insecure, "{url}");
        }
    }
}
