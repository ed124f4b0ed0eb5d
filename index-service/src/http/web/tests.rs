//! Pages through the router: who is known, what is taken, what is said.

use axum::body::Body;
use http::{Request, StatusCode};

use crate::http::testing::{Answer, Front, PASSWORD, basic};

/// Every route of this area that takes a form, with fields that it would take.
const FORMS: &[(&str, &str)] = &[
    ("/preferences", "theme=dark&next=/"),
    ("/sign-in", "username=ada&password=correct+horse+battery"),
    ("/sign-out", ""),
    ("/confirm", "password=correct+horse+battery"),
    ("/sign-up", "name=dora&password=correct+horse+battery+of+dora"),
    (
        "/reset-password",
        "secret=x&password=correct+horse+battery+of+dora",
    ),
    ("/invitation/look", "link=x"),
    ("/invitation/accept", "link=x"),
    (
        "/invitation/join",
        "link=x&name=ada&password=correct+horse+battery",
    ),
    (
        "/invitation/sign-up",
        "link=x&name=dora&password=correct+horse+battery+of+dora",
    ),
];

fn form(path: &str, fields: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::post(path)
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(fields.to_owned())).unwrap()
}

fn cookies(answer: &Answer) -> Vec<&str> {
    let values = answer.headers.get_all("set-cookie");
    values.iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn no_form_of_another_site_is_taken() {
    let front = Front::new().await;
    let browser = front.browser("ada").await;
    let cookie = ("cookie", browser.cookie.as_str());
    for (path, fields) in FORMS {
        let with_token = format!("{fields}&csrf={}", browser.csrf);
        let with_wrong = format!("{fields}&csrf={}", "0".repeat(32));
        for (what, fields, headers) in [
            (
                "cross-site",
                &with_token,
                vec![cookie, ("sec-fetch-site", "cross-site")],
            ),
            (
                "same-site",
                &with_token,
                vec![cookie, ("sec-fetch-site", "same-site")],
            ),
            (
                "foreign origin",
                &with_token,
                vec![cookie, ("origin", "https://evil.example")],
            ),
            ("origin null", &with_token, vec![cookie, ("origin", "null")]),
            (
                "no token",
                &(*fields).to_owned(),
                vec![cookie, ("sec-fetch-site", "same-origin")],
            ),
            (
                "wrong token",
                &with_wrong,
                vec![cookie, ("sec-fetch-site", "same-origin")],
            ),
            ("no token, nothing said", &(*fields).to_owned(), vec![cookie]),
            ("nobody, nothing said", &(*fields).to_owned(), vec![]),
            (
                "nobody, cross-site",
                &(*fields).to_owned(),
                vec![("sec-fetch-site", "cross-site")],
            ),
        ] {
            let answer = front.send(form(path, fields, &headers)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}, {what}");
            assert!(cookies(&answer).is_empty(), "{path}, {what}");
        }
        // Nothing is changed by looking.
        let looked = browser.get(&format!("{path}?{with_token}")).await;
        assert!(cookies(&looked).is_empty(), "{path}");
    }
    assert!(
        browser.get("/").await.body.contains("action=\"/sign-out\""),
        "ada is signed in still"
    );
}

#[tokio::test]
async fn a_form_with_the_sessions_own_value_is_taken_even_where_the_browser_says_nothing() {
    let front = Front::new().await;
    let browser = front.browser("ada").await;
    let fields = format!("theme=dark&next=/help&csrf={}", browser.csrf);
    let answer = front
        .send(form("/preferences", &fields, &[("cookie", &browser.cookie)]))
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/help")
    );
    let origin = [("origin", "http://localhost:5000")];
    let answer = front
        .send(form("/preferences", "language=zh-CN&next=/", &origin))
        .await;
    assert!(cookies(&answer)[0].starts_with("language=zh-CN; Path=/; SameSite=Lax"));
}

#[tokio::test]
async fn a_session_is_a_device_that_ends_by_signing_out() {
    let front = Front::new().await;
    let browser = front.browser("ada").await;
    assert!(browser.cookie.starts_with("session=ptl_web_"));
    let page = browser.get("/help").await;
    assert!(
        page.body.contains("docker login -u ada localhost:5000"),
        "{}",
        page.body
    );
    assert_eq!(page.header("cache-control"), "no-store");
    let devices = front
        .api("ada", "GET", "/devices", serde_json::Value::Null)
        .await
        .ok();
    assert_eq!(devices["items"][0]["client_id"], "portolan-web", "{devices}");
    // What is told while a page is open asks for the session again.
    let app = &front.fixture.app;
    let secret = browser.cookie.strip_prefix("session=").unwrap();
    let known = app.recognise_web_session(secret, crate::app::caller::Client::default());
    let known = known.await.unwrap().unwrap();
    assert!(app.recognise_again(&known).await.unwrap().is_some());
    let left = browser.post("/sign-out", &[]).await;
    assert_eq!(left.header("location"), "/?done=entry-done-signed-out");
    assert!(cookies(&left)[0].contains("Max-Age=0"));
    assert!(
        !browser.get("/").await.body.contains("action=\"/sign-out\""),
        "the cookie is worth nothing"
    );
    assert!(app.recognise_again(&known).await.unwrap().is_none());
    let devices = front
        .api("ada", "GET", "/devices", serde_json::Value::Null)
        .await
        .ok();
    assert_eq!(devices["items"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn the_secret_of_a_session_is_worth_nothing_elsewhere() {
    let front = Front::new().await;
    let browser = front.browser("ada").await;
    let secret = browser.cookie.strip_prefix("session=").unwrap();
    for credential in [
        basic("ada", secret),
        basic("<token>", secret),
        format!("Bearer {secret}"),
    ] {
        for path in ["/token", "/api/v1/account", "/v2/_catalog", "/r/ada/private"] {
            let answer = front.get(path, Some(&credential)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}: {}", answer.body);
        }
    }
    let form = format!("grant_type=refresh_token&service=localhost:5000&client_id=x&refresh_token={secret}");
    assert_ne!(front.post("/token", form).await.status, StatusCode::OK);
    // Nor is docker's refresh token one for pages.
    let refresh = front.ada("offline_token=true").await.ok()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let request = Request::get("/").header("cookie", format!("session={refresh}"));
    let answer = front.send(request.body(Body::empty()).unwrap()).await;
    assert!(!answer.body.contains("action=\"/sign-out\""));
}

#[tokio::test]
async fn a_session_ends_when_it_is_left_alone_when_it_is_old_and_with_the_password() {
    const HOUR: std::time::Duration = std::time::Duration::from_hours(1);
    let front = Front::new().await;
    let signed_in = async |cookie: &str| {
        let request = Request::get("/").header("cookie", cookie).body(Body::empty());
        let answer = front.send(request.unwrap()).await;
        answer.body.contains("action=\"/sign-out\"")
    };
    let browser = front.browser("ada").await;
    let fields = [("username", "ada"), ("password", PASSWORD), ("keep", "1")];
    let kept = front.browser("").await.post("/sign-in", &fields).await;
    assert!(cookies(&kept)[0].ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600"));
    let kept = cookies(&kept)[0].split(';').next().unwrap().to_owned();
    front.fixture.clock.advance(7 * HOUR);
    assert!(signed_in(&browser.cookie).await && signed_in(&kept).await);
    front.fixture.clock.advance(9 * HOUR);
    assert!(!signed_in(&browser.cookie).await, "left alone");
    assert!(signed_in(&kept).await);
    let other = front.browser("ada").await;
    let new = shared::secret::Secret::new("another horse battery".to_owned());
    front.fixture.app.reset_password("ada", new).await.unwrap();
    assert!(
        !signed_in(&kept).await && !signed_in(&other.cookie).await,
        "the password is another"
    );
}

#[tokio::test]
async fn who_signs_in_goes_on_where_the_page_was_and_nowhere_else() {
    let front = Front::new().await;
    let nobody = front.browser("").await;
    for (next, place) in [
        ("/search?q=web", "/search?q=web"),
        ("", "/"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ] {
        let fields = [("username", "ada"), ("password", PASSWORD), ("next", next)];
        let answer = nobody.post("/sign-in", &fields).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, place)
        );
    }
}

#[tokio::test]
async fn a_wrong_password_shows_the_form_again_without_it() {
    let front = Front::new().await;
    let nobody = front.browser("").await;
    for username in ["ada", "nobody-at-all"] {
        let fields = [
            ("username", username),
            ("password", "not the password"),
            ("next", "/help"),
        ];
        let answer = nobody.post("/sign-in", &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(
            answer.body.contains("The username or the password is wrong."),
            "{}",
            answer.body
        );
        assert!(answer.body.contains(&format!("value=\"{username}\"")));
        assert!(answer.body.contains("name=\"next\" value=\"/help\""));
        assert!(!answer.body.contains("not the password") && cookies(&answer).is_empty());
    }
    // A token in the place of the password opens no session.
    let token = front.access_token(shared::token::Actions::PULL, "*").await;
    let fields = [("username", "ada"), ("password", token.as_str())];
    assert_eq!(
        nobody.post("/sign-in", &fields).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn errors_are_pages_for_people_and_json_for_programs() {
    let front = Front::new().await;
    let nobody = front.browser("").await;
    let hidden = nobody.get("/r/ada/private").await;
    let absent = nobody.get("/r/ada/nothing").await;
    for (answer, status) in [
        (&hidden, StatusCode::NOT_FOUND),
        (&absent, StatusCode::NOT_FOUND),
        (&nobody.get("/no/such/page").await, StatusCode::NOT_FOUND),
        (&nobody.post("/search", &[]).await, StatusCode::METHOD_NOT_ALLOWED),
        (&nobody.get("/search?page=%ff&topic=a+b").await, StatusCode::OK),
    ] {
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.body.matches("<h1").count(), 1, "{}", answer.body);
        assert!(answer.headers.contains_key("content-security-policy"));
    }
    // What one may not see is as if it were not there, but for the address that one asked for.
    let (hidden, absent) = (hidden.body, absent.body);
    assert_eq!(
        hidden.replace("private", "nothing"),
        absent.replace("private", "nothing")
    );
    assert_eq!(
        front.get("/no/such/page", None).await.json()["errors"][0]["code"],
        "UNSUPPORTED"
    );
}

#[tokio::test]
async fn a_page_is_in_the_language_of_the_link_the_cookie_or_the_browser() {
    let front = Front::new().await;
    let get = async |path: &str, cookie: &str, accepted: &str| {
        let request = Request::get(path)
            .header("cookie", cookie)
            .header("accept-language", accepted);
        front.send(request.body(Body::empty()).unwrap()).await
    };
    for (path, cookie, accepted, language) in [
        ("/", "", "", "en"),
        ("/", "", "zh-TW", "zh-CN"),
        ("/", "language=en", "zh-CN", "en"),
        ("/", "language=zh-CN", "en", "zh-CN"),
        ("/?lang=zh", "language=en", "en", "zh-CN"),
        ("/?lang=xx", "", "en", "en"),
    ] {
        let answer = get(path, cookie, accepted).await;
        assert!(
            answer.body.contains(&format!("<html lang=\"{language}\"")),
            "{path} {cookie} {accepted}"
        );
    }
    let linked = get("/?lang=zh", "", "en").await;
    assert!(
        cookies(&linked)[0].starts_with("language=zh-CN;"),
        "a link's language stays"
    );
    let dark = get("/", "theme=dark", "en").await;
    assert!(dark.body.contains("data-theme=\"dark\""));
    let odd = get("/", "theme=\"><script>", "en").await;
    assert!(odd.body.contains("data-theme=\"system\""));
}

#[tokio::test]
async fn pages_of_nobody_are_asked_for_again_and_styles_are_kept() {
    let front = Front::new().await;
    let first = front.get("/help", None).await;
    assert_eq!(first.header("cache-control"), "private, no-cache");
    let request = Request::get("/help").header("if-none-match", first.header("etag"));
    let again = front.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let style = first.body.split("href=\"/static/portolan.css").nth(1).unwrap();
    let style = format!("/static/portolan.css{}", style.split('"').next().unwrap());
    let style = front.get(&style, None).await;
    assert_eq!(
        style.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    let whole = first.body.len() + super::asset::weight();
    assert!(whole < 60 * 1024, "a page weighs {whole} bytes");
}

#[tokio::test]
async fn browsers_take_everything_for_what_it_says_it_is_and_come_back_over_tls_where_pages_have_it() {
    let nosniff = "x-content-type-options";
    let only_tls = "strict-transport-security";
    let plain = Front::new().await;
    let store = crate::store::Store::open("sqlite::memory:").await.unwrap();
    let tls = Front::over(crate::app::fixture::Fixture::build(store, None, |settings| {
        settings.public_url = "https://hub.example".to_owned();
    }))
    .await;
    for (front, kept) in [(&plain, ""), (&tls, "max-age=31536000")] {
        let browser = front.browser("").await;
        for path in [
            "/",
            "/help",
            "/sign-in",
            "/r/ada/public",
            "/r/ada/nothing",
            "/none",
            "/account",
        ] {
            let answer = browser.get(path).await;
            assert_eq!(answer.header(nosniff), "nosniff", "{path}");
            assert_eq!(answer.header(only_tls), kept, "{path}");
        }
        for path in [
            "/static/portolan.css",
            "/static/portolan.js",
            "/static/icon.svg",
            "/favicon.ico",
            "/robots.txt",
            "/feed/r/ada/public.atom",
            "/badge/ada/public/pulls.svg",
        ] {
            assert_eq!(front.get(path, None).await.header(nosniff), "nosniff", "{path}");
        }
        // Programs are told by their own settings.
        for path in ["/token", "/api/v1/search", "/v1/search?q=web"] {
            assert_eq!(front.get(path, None).await.header(only_tls), "", "{path}");
        }
    }
}

#[tokio::test]
async fn what_an_address_says_was_done_is_one_of_our_own_sentences() {
    let front = Front::new().await;
    let nobody = front.browser("").await;
    let said = nobody.get("/?done=entry-done-signed-out").await.body;
    assert!(said.contains("You have signed out."));
    for key in [
        "base-sign-in",
        "entry-done-nothing",
        "%3Cb%3E-done",
        "refusal-internal-text",
    ] {
        let page = nobody.get(&format!("/?done={key}")).await.body;
        assert!(!page.contains("class=\"notice"), "{key}");
    }
}

#[tokio::test]
async fn people_sign_up_where_the_site_lets_them() {
    let fields = [("name", "dora"), ("password", "correct horse battery of dora")];
    let closed = Front::new().await;
    let nobody = closed.browser("").await;
    assert!(
        nobody
            .get("/sign-up")
            .await
            .body
            .contains("created by administrators")
    );
    assert_eq!(
        nobody.post("/sign-up", &fields).await.status,
        StatusCode::FORBIDDEN
    );
    let store = crate::store::Store::open("sqlite::memory:").await.unwrap();
    let open = Front::over(crate::app::fixture::Fixture::build(store, None, |settings| {
        settings.sign_up = crate::app::sign_up::SignUp::Open;
    }))
    .await;
    let nobody = open.browser("").await;
    let taken = nobody.post("/sign-up", &[("name", "ada"), fields[1]]).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert!(taken.body.contains("value=\"ada\"") && !taken.body.contains("of dora"));
    let made = nobody.post("/sign-up", &fields).await;
    assert_eq!(made.header("location"), "/welcome?done=entry-done-signed-up");
    assert!(
        cookies(&made)[0].starts_with("session=ptl_web_"),
        "she is signed in"
    );
}

#[tokio::test]
async fn every_page_of_nobody_has_one_heading_labels_and_no_inline_code() {
    let front = Front::new().await;
    let (nobody, ada) = (front.browser("").await, front.browser("ada").await);
    for path in [
        "/",
        "/search",
        "/search?q=web&official=1&order=name",
        "/help",
        "/sign-in",
        "/sign-up",
        "/reset-password",
        "/invitation",
        "/r/ada/public",
    ] {
        for browser in [&nobody, &ada] {
            let answer = browser.get(path).await;
            if answer.status == StatusCode::SEE_OTHER {
                continue;
            }
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
            let body = &answer.body;
            assert_eq!(body.matches("<h1").count(), 1, "{path}");
            assert!(!body.contains("style=\"") && !body.contains("<style") && !body.contains(" onclick"));
            assert_eq!(body.matches("<script").count(), 1, "{path}");
            let ids: Vec<&str> = body
                .split(" id=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .collect();
            let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
            assert_eq!(ids.len(), distinct.len(), "{path} has an id twice: {ids:?}");
            for label in body.split("<label").skip(1) {
                let target = label
                    .split("for=\"")
                    .nth(1)
                    .and_then(|rest| rest.split('"').next());
                assert!(ids.contains(&target.unwrap()), "{path}: a label of nothing");
            }
        }
    }
}
