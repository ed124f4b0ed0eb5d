//! Pages of one's own account, through the router.

mod notice;

use http::StatusCode;
use serde_json::Value;

use crate::http::testing::{Answer, Browser, Front, PASSWORD, basic};

const PAGES: &[&str] = &[
    "/account",
    "/account/password",
    "/account/devices",
    "/account/tokens",
    "/account/notifications",
    "/account/organisations",
    "/account/lists",
    "/account/appearance",
    "/account/end",
    "/welcome",
];

/// Every form, with fields that it would take.
const FORMS: &[(&str, &[(&str, &str)])] = &[
    ("/account", &[("full_name", "Ada")]),
    (
        "/account/password",
        &[("current", PASSWORD), ("password", "x"), ("again", "x")],
    ),
    ("/account/devices/end", &[("id", "1")]),
    ("/account/devices/end-all", &[]),
    (
        "/account/tokens",
        &[("label", "a"), ("pattern_1", "*"), ("rights_1", "*")],
    ),
    ("/account/tokens/1", &[("label", "a")]),
    ("/account/tokens/1/rotate", &[]),
    ("/account/tokens/1/revoke", &[]),
    ("/account/tokens/1/secrets/1/end", &[]),
    ("/account/lists/remove", &[("id", "1")]),
    ("/account/notifications/open", &[("id", "1")]),
    ("/account/notifications/read", &[("id", "1")]),
    ("/account/notifications/read-all", &[("newest", "1")]),
    ("/account/notifications/remove", &[("id", "1")]),
    ("/account/notifications/remove-all", &[("newest", "1")]),
    ("/account/notifications/choose", &[("on", "member")]),
    ("/account/end", &[("typed", "ada")]),
];

/// The secret of an access token that a page shows.
fn secret(page: &Answer) -> String {
    let rest = page.body.split_once("data-copy=\"ptl_pat_");
    let (_, rest) = rest.unwrap_or_else(|| panic!("{}", page.body));
    format!("ptl_pat_{}", rest.split('"').next().unwrap())
}

async fn make_token(browser: &Browser<'_>, pattern: &str) -> Answer {
    let fields = [
        ("label", "laptop"),
        ("pattern_1", pattern),
        ("rights_1", "pull,push"),
        ("days", "30"),
    ];
    browser.post("/account/tokens", &fields).await
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_sent_to_sign_in_and_comes_back() {
    let front = Front::new().await;
    let (nobody, ada) = (front.browser("").await, front.browser("ada").await);
    for page in PAGES {
        let answer = nobody.get(page).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{page}");
        let next: String = form_urlencoded::byte_serialize(page.as_bytes()).collect();
        assert_eq!(answer.header("location"), format!("/sign-in?next={next}"));
        let shown = ada.get(page).await;
        assert_eq!(shown.status, StatusCode::OK, "{page}: {}", shown.body);
        assert_eq!(shown.header("cache-control"), "no-store", "{page}");
    }
}

#[tokio::test]
async fn forms_are_taken_from_pages_of_the_session_alone() {
    let front = Front::new().await;
    let mut ada = front.browser("ada").await;
    ada.csrf = "0".repeat(32);
    for (path, fields) in FORMS {
        assert_eq!(
            ada.post(path, fields).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    assert_eq!(
        ada.get("/account").await.status,
        StatusCode::OK,
        "still signed in"
    );
    let tokens = front.api("ada", "GET", "/access-tokens", Value::Null).await.ok();
    assert_eq!(tokens["items"], serde_json::json!([]));
}

#[tokio::test]
async fn the_secret_of_a_token_is_shown_once_and_opens_what_it_was_made_for() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    let made = make_token(&ada, "ada/*").await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert_eq!(made.header("cache-control"), "no-store");
    let secret = secret(&made);
    assert!(made.body.contains("docker login -u ada localhost:5000"));
    let known = front.get("/api/v1/account", Some(&basic("ada", &secret))).await;
    assert_eq!(known.ok()["name"], "ada");
    let tokens = front.api("ada", "GET", "/access-tokens", Value::Null).await.ok();
    let id = tokens["items"][0]["id"].as_str().unwrap();
    assert_eq!(tokens["items"][0]["limits"][0]["pattern"], "ada/*");
    for page in ["/account/tokens".to_owned(), format!("/account/tokens/{id}")] {
        let shown = ada.get(&page).await;
        assert!(shown.body.contains("laptop"), "{page}");
        assert!(!shown.body.contains(&secret), "{page} shows the secret again");
    }
    let rotated = ada
        .post(&format!("/account/tokens/{id}/rotate"), &[("overlap", "0")])
        .await;
    let other = self::secret(&rotated);
    assert_ne!(secret, other);
    let old = front.get("/api/v1/account", Some(&basic("ada", &secret))).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
    ada.post(&format!("/account/tokens/{id}/revoke"), &[]).await;
    let gone = front.get("/api/v1/account", Some(&basic("ada", &other))).await;
    assert_eq!(gone.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_that_is_no_wish_is_refused_beside_the_form() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    for pattern in ["", "a b", "../x"] {
        let refused = make_token(&ada, pattern).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{pattern}");
        assert!(refused.body.contains("role=\"alert\""));
        assert!(refused.body.contains("value=\"laptop\""), "what was typed stays");
    }
    for path in ["/account/tokens/x", "/account/tokens/5"] {
        assert_eq!(ada.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn nobody_reaches_the_tokens_and_devices_of_others() {
    let front = Front::new().await;
    let (ada, eve) = (front.browser("ada").await, front.browser("eve").await);
    make_token(&ada, "ada/*").await;
    let tokens = front.api("ada", "GET", "/access-tokens", Value::Null).await.ok();
    let token = format!("/account/tokens/{}", tokens["items"][0]["id"].as_str().unwrap());
    assert_eq!(eve.get(&token).await.status, StatusCode::NOT_FOUND);
    for action in ["", "/rotate", "/revoke"] {
        let answer = eve.post(&format!("{token}{action}"), &[("label", "x")]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{action}");
    }
    let devices = front.api("ada", "GET", "/devices", Value::Null).await.ok();
    let device = devices["items"][0]["id"].as_str().unwrap();
    let answer = eve.post("/account/devices/end", &[("id", device)]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(ada.get("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_profile_is_changed_and_what_is_wrong_about_it_is_said() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    let saved = ada
        .post(
            "/account",
            &[
                ("full_name", "Ada <b>"),
                ("email", "ada@example.com"),
                ("website", ""),
            ],
        )
        .await;
    assert_eq!(saved.header("location"), "/account?done=account-done-saved");
    let page = ada.get("/account").await;
    assert!(page.body.contains("ada@example.com"), "{}", page.body);
    assert!(!page.body.contains("Ada <b>"), "what people write is text");
    let refused = ada.post("/account", &[("website", "javascript:alert(1)")]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("role=\"alert\""));
}

#[tokio::test]
async fn a_new_password_ends_other_sessions_and_begins_this_one_anew() {
    const NEW: &str = "the sea is wide and blue";
    let front = Front::new().await;
    let (ada, other) = (front.browser("ada").await, front.browser("ada").await);
    let typed = |current: &'static str, again: &'static str| {
        [("current", current), ("password", NEW), ("again", again)]
    };
    for fields in [typed("wrong wrong wrong", NEW), typed(PASSWORD, "another one")] {
        let refused = ada.post("/account/password", &fields).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(!refused.body.contains(NEW), "a password stands in no page");
    }
    let changed = ada.post("/account/password", &typed(PASSWORD, NEW)).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.body);
    let cookie = changed.header("set-cookie").split(';').next().unwrap().to_owned();
    for old in [&ada, &other] {
        assert_eq!(old.get("/account").await.status, StatusCode::SEE_OTHER);
    }
    let anew = Browser {
        front: &front,
        cookie,
        csrf: String::new(),
    };
    assert_eq!(anew.get("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session() {
    let front = Front::new().await;
    let (ada, other) = (front.browser("ada").await, front.browser("ada").await);
    ada.post("/account/devices/end-all", &[]).await;
    for browser in [&ada, &other] {
        assert_eq!(browser.get("/account").await.status, StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn an_account_ends_only_when_its_name_is_typed_and_nothing_stands_in_the_way() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    let page = ada.get("/account/end").await;
    assert!(
        page.body.contains("ada/private"),
        "what stands in the way is named"
    );
    let refused = ada.post("/account/end", &[("typed", "ada")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    front
        .fixture
        .app
        .create_account("dora", shared::secret::Secret::new(PASSWORD.to_owned()))
        .await
        .unwrap();
    let dora = front.browser("dora").await;
    let mistyped = dora.post("/account/end", &[("typed", "dorothy")]).await;
    assert_eq!(mistyped.status, StatusCode::BAD_REQUEST);
    let ended = dora.post("/account/end", &[("typed", "dora")]).await;
    assert_eq!(ended.header("location"), "/?done=account-done-deleted");
    let gone = front.get("/api/v1/account", Some(&basic("dora", PASSWORD))).await;
    assert_eq!(gone.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_first_steps_notice_a_login_and_a_push() {
    let front = Front::new().await;
    front
        .fixture
        .app
        .create_account("dora", shared::secret::Secret::new(PASSWORD.to_owned()))
        .await
        .unwrap();
    let dora = front.browser("dora").await;
    let new = dora.get("/welcome").await;
    assert!(new.body.contains("data-state=\"new\""), "{}", new.body);
    let path = "/token?service=localhost:5000&client_id=docker&offline_token=true";
    front.get(path, Some(&basic("dora", PASSWORD))).await.ok();
    let in_now = dora.get("/welcome").await;
    assert!(in_now.body.contains("data-state=\"in\""), "{}", in_now.body);
    front
        .fixture
        .app
        .confirm_pushed(&crate::http::testing::name("dora/app"))
        .await
        .unwrap();
    let done = dora.get("/welcome").await;
    assert!(done.body.contains("data-state=\"done\"") && done.body.contains("/r/dora/app"));
}

#[tokio::test]
async fn why_is_said_in_words_and_strangers_are_told_nothing() {
    let front = Front::new().await;
    let (ada, eve) = (front.browser("ada").await, front.browser("eve").await);
    let own = ada
        .get("/explain?who=me&repository=ada/private&action=push")
        .await;
    assert_eq!(own.status, StatusCode::OK);
    assert!(
        own.body.contains("The account owns the namespace ada."),
        "{}",
        own.body
    );
    let others = ada
        .get("/explain?who=account&name=eve&repository=ada/private&action=pull")
        .await;
    assert!(
        others.body.contains("No role, rule or visibility setting"),
        "{}",
        others.body
    );
    let stranger = eve
        .get("/explain?who=me&repository=ada/private&action=pull")
        .await;
    let nothing = eve
        .get("/explain?who=me&repository=ada/nothing&action=pull")
        .await;
    assert_eq!(
        (stranger.status, nothing.status),
        (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND)
    );
    assert_eq!(stranger.body.replace("private", "nothing"), nothing.body);
    let about_others = eve
        .get("/explain?who=account&name=ada&repository=ada/public&action=push")
        .await;
    assert_eq!(about_others.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_language_of_an_account_is_there_on_a_fresh_browser() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    let saved = ada
        .post("/account", &[("full_name", "Ada"), ("language", "zh-CN")])
        .await;
    assert_eq!(saved.header("location"), "/account?done=account-done-saved");
    assert!(
        saved.header("set-cookie").starts_with("language=zh-CN;"),
        "this browser shows it at once"
    );
    let page = ada.get("/account").await;
    assert!(page.body.contains("<html lang=\"zh-CN\""), "{}", page.body);
    assert!(
        page.body
            .contains("<option value=\"zh-CN\" lang=\"zh-CN\" selected>")
    );
    let fresh = front.browser("ada").await;
    assert!(fresh.get("/").await.body.contains("<html lang=\"zh-CN\""));
    let eve = front.browser("eve").await;
    assert!(eve.get("/").await.body.contains("<html lang=\"en\""));
    // What this browser chose comes first, and so does a link.
    let english = Browser {
        front: &front,
        cookie: format!("{}; language=en; theme=light", fresh.cookie),
        csrf: fresh.csrf.clone(),
    };
    assert!(english.get("/").await.body.contains("<html lang=\"en\""));
    assert!(fresh.get("/?lang=en").await.body.contains("<html lang=\"en\""));
    let left = ada.post("/account", &[("language", "")]).await;
    assert!(left.header("set-cookie").starts_with("language=;"));
    assert!(ada.get("/").await.body.contains("<html lang=\"en\""));
    let wrong = ada.post("/account", &[("language", "de")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_switch_in_the_foot_is_kept_with_the_account_of_whoever_is_signed_in() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    let fields = [("theme", "dark"), ("language", "zh-CN"), ("next", "/help")];
    let chosen = ada.post("/preferences", &fields).await;
    assert_eq!(chosen.header("location"), "/help");
    let fresh = front.browser("ada").await;
    let page = fresh.get("/").await.body;
    assert!(
        page.contains("<html lang=\"zh-CN\" data-theme=\"dark\">"),
        "{page}"
    );
    // What is not said stays, and the system's colours are no choice.
    ada.post("/preferences", &[("theme", "system")]).await;
    let page = fresh.get("/").await.body;
    assert!(
        page.contains("<html lang=\"zh-CN\" data-theme=\"system\">"),
        "{page}"
    );
    let nobody = front.browser("").await;
    let answer = nobody.post("/preferences", &[("theme", "dark")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn new_tokens_and_the_end_of_an_account_want_a_fresh_password_and_what_ends_access_does_not() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    make_token(&ada, "ada/*").await;
    let tokens = front.api("ada", "GET", "/access-tokens", Value::Null).await.ok();
    let token = format!("/account/tokens/{}", tokens["items"][0]["id"].as_str().unwrap());
    front.fixture.clock.advance(std::time::Duration::from_mins(16));
    for page in ["/account/tokens", token.as_str(), "/account/end"] {
        let answer = ada.get(page).await;
        let next: String = form_urlencoded::byte_serialize(page.as_bytes()).collect();
        assert_eq!(answer.header("location"), format!("/confirm?next={next}"));
    }
    let late = make_token(&ada, "ada/*").await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    assert!(late.body.contains("Nothing was changed."), "{}", late.body);
    assert!(late.body.contains("href=\"/confirm?next=%2Faccount\""));
    let rotated = ada.post(&format!("{token}/rotate"), &[]).await;
    let ended = ada.post("/account/end", &[("typed", "ada")]).await;
    assert_eq!(
        (rotated.status, ended.status),
        (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN)
    );
    let tokens = front.api("ada", "GET", "/access-tokens", Value::Null).await.ok();
    assert_eq!(tokens["items"].as_array().unwrap().len(), 1);
    // Whoever finds that something is wrong ends it at once.
    for path in [format!("{token}/revoke"), "/account/devices/end-all".to_owned()] {
        let answer = ada.post(&path, &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert!(!answer.header("location").starts_with("/confirm"), "{path}");
    }
}
