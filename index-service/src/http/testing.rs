//! The routes over a database in memory, for tests.

use axum::Router;
use axum::body::{Body, to_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use shared::oci::RepositoryName;
use shared::runtime::serve::Readiness;
use shared::secret::Secret;
use shared::token::Actions;
use tower::ServiceExt as _;

use crate::app::access_token::AccessTokenWish;
use crate::app::fixture::Fixture;
use crate::domain::{AllowedNetworks, Ceiling, Rights, Visibility};
use crate::store::Store;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// The accounts `ada` and `eve`, and what there is to pull: `ada/private`, `ada/public` and `eve/private`.
pub(crate) struct Front {
    pub(crate) fixture: Fixture,
    pub(crate) readiness: Readiness,
    router: Router,
}

/// What a client sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.json()
    }

    /// Holds the status to this one; the body, or null without one.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// What was granted, as the answer says it.
    #[track_caller]
    pub(crate) fn scope(&self) -> String {
        self.ok()["scope"].as_str().unwrap().to_owned()
    }

    /// The claims of the token.
    #[track_caller]
    pub(crate) fn claims(&self) -> Value {
        claims(self.ok()["token"].as_str().unwrap())
    }
}

impl Answer {
    /// The value of the first field of this name on a page.
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> String {
        let field = self.body.split_once(&format!("name=\"{name}\" value=\""));
        let value = field.and_then(|(_, rest)| rest.split('"').next());
        value
            .unwrap_or_else(|| panic!("no field {name}: {}", self.body))
            .to_owned()
    }
}

/// What a browser does with pages: it shows the cookie of a session, and forms have what pages put into them.
pub(crate) struct Browser<'a> {
    pub(crate) front: &'a Front,
    /// The cookie of the session; empty without one.
    pub(crate) cookie: String,
    /// What forms of the session show.
    pub(crate) csrf: String,
}

impl Browser<'_> {
    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("accept", "text/html,application/xhtml+xml")
            .header("accept-language", "en");
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        request
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.front
            .send(self.request("GET", path).body(Body::empty()).unwrap())
            .await
    }

    /// Sends a form as a page of ours does.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        if !self.csrf.is_empty() {
            form.append_pair("csrf", &self.csrf);
        }
        let request = self
            .request("POST", path)
            .header("sec-fetch-site", "same-origin")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.finish()))
            .unwrap();
        self.front.send(request).await
    }
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// A Basic credential.
pub(crate) fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

pub(crate) fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

impl Front {
    pub(crate) async fn new() -> Self {
        Self::over(Fixture::over(Store::open("sqlite::memory:").await.unwrap())).await
    }

    pub(crate) async fn over(fixture: Fixture) -> Self {
        let readiness = Readiness::default();
        let router = super::router(fixture.app.clone(), readiness.clone());
        let front = Self {
            fixture,
            readiness,
            router,
        };
        let app = &front.fixture.app;
        for account in ["ada", "eve"] {
            app.create_account(account, Secret::new(PASSWORD.to_owned()))
                .await
                .unwrap();
        }
        for repository in ["ada/private", "ada/public", "eve/private"] {
            app.confirm_pushed(&name(repository)).await.unwrap();
        }
        app.set_visibility(&name("ada/public"), Visibility::Public)
            .await
            .unwrap();
        front
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str, authorization: Option<&str>) -> Answer {
        let mut request = Request::get(path);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, form: impl Into<String>) -> Answer {
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.into()))
            .unwrap();
        self.send(request).await
    }

    /// A browser in which an account with [`PASSWORD`] is signed in; with an empty name, one in which nobody is.
    pub(crate) async fn browser(&self, username: &str) -> Browser<'_> {
        let mut browser = Browser {
            front: self,
            cookie: String::new(),
            csrf: String::new(),
        };
        if !username.is_empty() {
            let answer = browser
                .post("/sign-in", &[("username", username), ("password", PASSWORD)])
                .await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
            let cookie = answer.header("set-cookie").split(';').next().unwrap();
            cookie.clone_into(&mut browser.cookie);
            let page = browser.get("/help").await;
            browser.csrf = page.field("csrf");
        }
        browser
    }

    /// Makes an account with [`PASSWORD`] that administers the site.
    pub(crate) async fn administrator(&self, username: &str) {
        let app = &self.fixture.app;
        let made = app
            .create_account(username, Secret::new(PASSWORD.to_owned()))
            .await
            .unwrap();
        let mut tx = self.fixture.store.write().await.unwrap();
        crate::store::profile::set_admin(&mut tx, made.account_id, true, crate::app::fixture::NOW_MS)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// A request of the API with a JSON body, or none (`Value::Null`), by an account with [`PASSWORD`].
    pub(crate) async fn api(&self, username: &str, method: &str, path: &str, body: Value) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if !username.is_empty() {
            request = request.header(AUTHORIZATION, basic(username, PASSWORD));
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header(CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        };
        self.send(request.body(body).unwrap()).await
    }

    /// A token request of ada with her password.
    pub(crate) async fn ada(&self, query: &str) -> Answer {
        self.get(&format!("/token?{query}"), Some(&basic("ada", PASSWORD)))
            .await
    }

    pub(crate) async fn anonymous(&self, query: &str) -> Answer {
        self.get(&format!("/token?{query}"), None).await
    }

    /// An access token of ada.
    pub(crate) async fn access_token(&self, actions: Actions, pattern: &str) -> String {
        let wish = AccessTokenWish {
            label: "ci".parse().unwrap(),
            ceiling: Ceiling::limited(Rights::of_actions(actions), pattern.parse().unwrap()),
            networks: AllowedNetworks::default(),
            life_days: 90,
        };
        let secret = self
            .fixture
            .app
            .create_access_token(&"ada".parse().unwrap(), &wish)
            .await
            .unwrap();
        secret.expose().clone()
    }
}
