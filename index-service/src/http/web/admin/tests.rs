//! Pages of administrators, through the router.

mod confirmation;
mod work;

use http::StatusCode;
use serde_json::{Value, json};

use crate::http::testing::{Front, PASSWORD, basic};

const PAGES: &[&str] = &[
    "/admin",
    "/admin/accounts",
    "/admin/accounts/ada",
    "/admin/organisations",
    "/admin/storage",
    "/admin/storage?namespace=ada",
    "/admin/keys",
    "/admin/events",
    "/admin/upkeep",
    "/admin/settings",
    "/admin/categories",
    "/admin/announcements",
    "/admin/audit",
];

/// Every form, with fields that it would take.
const FORMS: &[(&str, &[(&str, &str)])] = &[
    ("/admin/accounts", &[("name", "dora")]),
    ("/admin/accounts/ada/suspend", &[]),
    ("/admin/accounts/eve/appoint", &[]),
    ("/admin/accounts/ada/reset", &[]),
    ("/admin/accounts/ada/delete", &[("typed", "ada")]),
    ("/admin/storage", &[("namespace", "ada"), ("tags", "1")]),
    ("/admin/keys/rotate", &[]),
    ("/admin/keys/revoke", &[("typed", "revoke")]),
    ("/admin/events/redeliver", &[("delivery", "1")]),
    ("/admin/upkeep/reindex", &[]),
    ("/admin/upkeep/verify", &[("repository", "ada/private")]),
    ("/admin/settings", &[("site.name", "Harbour")]),
    ("/admin/settings/reset", &[("key", "site.name")]),
    (
        "/admin/categories",
        &[("slug", "databases"), ("name", "Databases")],
    ),
    (
        "/admin/categories/verify",
        &[("namespace", "ada"), ("verified", "1")],
    ),
    ("/admin/announcements", &[("text", "hello")]),
];

#[tokio::test]
async fn nobody_but_administrators_sees_or_does_anything_here() {
    let front = Front::new().await;
    front.administrator("root").await;
    let (nobody, ada, root) = (
        front.browser("").await,
        front.browser("ada").await,
        front.browser("root").await,
    );
    for page in PAGES {
        assert_eq!(nobody.get(page).await.status, StatusCode::SEE_OTHER, "{page}");
        assert_eq!(ada.get(page).await.status, StatusCode::FORBIDDEN, "{page}");
        let shown = root.get(page).await;
        assert_eq!(shown.status, StatusCode::OK, "{page}: {}", shown.body);
        assert_eq!(shown.header("cache-control"), "no-store", "{page}");
    }
    assert_eq!(
        ada.get("/admin/upkeep/progress").await.status,
        StatusCode::FORBIDDEN
    );
    let events = || front.api("root", "GET", "/audit?limit=200", Value::Null);
    let count = |page: Value| {
        let items = page["items"].as_array().unwrap().clone();
        items
            .iter()
            .filter(|event| event["actor"]["name"] != "root")
            .count()
    };
    let before = count(events().await.ok());
    for (path, fields) in FORMS {
        assert_eq!(
            nobody.post(path, fields).await.status,
            StatusCode::SEE_OTHER,
            "{path}"
        );
        assert_eq!(
            ada.post(path, fields).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    assert_eq!(count(events().await.ok()), before, "nothing was changed");
}

#[tokio::test]
async fn forms_of_administrators_are_taken_from_their_own_pages_alone() {
    let front = Front::new().await;
    front.administrator("root").await;
    let mut root = front.browser("root").await;
    root.csrf = "0".repeat(32);
    for (path, fields) in FORMS {
        assert_eq!(
            root.post(path, fields).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_new_account_and_a_reset_link_are_shown_once() {
    let front = Front::new().await;
    front.administrator("root").await;
    let root = front.browser("root").await;
    let made = root.post("/admin/accounts", &[("name", "dora")]).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert_eq!(made.header("cache-control"), "no-store");
    let shown = |body: &str| {
        let (_, rest) = body.split_once("data-copy=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let password = shown(&made.body);
    let known = front
        .get("/api/v1/account", Some(&basic("dora", &password)))
        .await;
    assert_eq!(known.ok()["name"], "dora");
    let reset = root.post("/admin/accounts/dora/reset", &[]).await;
    let link = shown(&reset.body);
    assert!(
        link.starts_with("http://localhost:5000/reset-password#ptl_"),
        "{link}"
    );
    let page = root.get("/admin/accounts/dora").await;
    assert!(!page.body.contains(&password) && !page.body.contains(&link));
    let again = root.post("/admin/accounts", &[("name", "dora")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_suspended_account_is_out_until_it_is_resumed() {
    let front = Front::new().await;
    front.administrator("root").await;
    let (root, ada) = (front.browser("root").await, front.browser("ada").await);
    let suspended = root.post("/admin/accounts/ada/suspend", &[]).await;
    assert_eq!(
        suspended.header("location"),
        "/admin/accounts/ada?done=admin-done-suspended"
    );
    assert_eq!(ada.get("/account").await.status, StatusCode::SEE_OTHER);
    root.post("/admin/accounts/ada/resume", &[]).await;
    let known = front.get("/api/v1/account", Some(&basic("ada", PASSWORD))).await;
    assert_eq!(known.ok()["name"], "ada");
    let own = root.post("/admin/accounts/root/dismiss", &[]).await;
    assert_eq!(own.status, StatusCode::CONFLICT, "the last administrator stays");
    assert_eq!(
        root.post("/admin/accounts/ada/dance", &[]).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        root.post("/admin/accounts/none/suspend", &[]).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn limits_are_decided_in_words_and_shown() {
    let front = Front::new().await;
    front.administrator("root").await;
    let root = front.browser("root").await;
    let decided = root
        .post(
            "/admin/storage",
            &[("namespace", "ada"), ("bytes", "500 GB"), ("tags", "unlimited")],
        )
        .await;
    assert_eq!(decided.status, StatusCode::SEE_OTHER, "{}", decided.body);
    let quota = front
        .api("root", "GET", "/namespaces/ada/quota", Value::Null)
        .await
        .ok();
    assert_eq!(quota["bytes"]["limit"], 500_000_000_000_u64);
    let page = root.get("/admin/storage").await;
    assert!(page.body.contains("500 GB"), "{}", page.body);
    let nonsense = root
        .post("/admin/storage", &[("namespace", "ada"), ("bytes", "much")])
        .await;
    assert_eq!(nonsense.status, StatusCode::BAD_REQUEST);
    assert!(nonsense.body.contains("value=\"much\""), "what was typed stays");
    assert_eq!(
        root.get("/admin/storage?namespace=none").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn an_announcement_is_on_every_page_in_the_readers_language() {
    let front = Front::new().await;
    front.administrator("root").await;
    let root = front.browser("root").await;
    let fields = [
        ("text", "Maintenance <tonight>"),
        ("text_zh", "今晚维护"),
        ("hours", "4"),
        ("warning", "1"),
    ];
    root.post("/admin/announcements", &fields).await;
    let nobody = front.browser("").await;
    for page in ["/", "/help", "/sign-in"] {
        let shown = nobody.get(page).await;
        assert!(
            shown.body.contains("Maintenance &#60;tonight&#62;"),
            "{page}: {}",
            shown.body
        );
        let chinese = nobody.get(&format!("{page}?lang=zh")).await;
        assert!(chinese.body.contains("今晚维护"), "{page}");
    }
    let listed = front.api("", "GET", "/announcements", Value::Null).await.ok();
    let id = listed["items"][0]["id"].as_str().unwrap();
    root.post("/admin/announcements/remove", &[("id", id)]).await;
    assert!(!nobody.get("/").await.body.contains("Maintenance"));
}

#[tokio::test]
async fn the_log_is_filtered_paged_and_tells_what_is_no_filter() {
    let front = Front::new().await;
    front.administrator("root").await;
    let root = front.browser("root").await;
    let filtered = root
        .get("/admin/audit?action=repository.visibility&target=ada/public")
        .await;
    assert!(
        filtered.body.contains("<code>repository.visibility</code>"),
        "{}",
        filtered.body
    );
    assert!(!filtered.body.contains("<code>account.create</code>"));
    for number in 0..40 {
        let slug = format!("c{number}");
        root.post(
            "/admin/categories",
            &[("slug", slug.as_str()), ("name", slug.as_str())],
        )
        .await;
    }
    let first = root.get("/admin/audit?action=category.put").await;
    assert_eq!(first.body.matches("<code>category.put</code>").count(), 30);
    let next = first.body.split("rel=\"next\" href=\"").nth(1).unwrap();
    let next = next
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    let second = root.get(&next).await;
    assert_eq!(
        second.body.matches("<code>category.put</code>").count(),
        10,
        "{next}"
    );
    for (query, status) in [
        ("action=dance", StatusCode::BAD_REQUEST),
        ("from=yesterday", StatusCode::BAD_REQUEST),
        ("organisation=none", StatusCode::NOT_FOUND),
        ("actor=%00&target=%00", StatusCode::OK),
    ] {
        assert_eq!(
            root.get(&format!("/admin/audit?{query}")).await.status,
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn keys_are_replaced_only_when_the_word_is_typed() {
    let front = Front::new().await;
    front.administrator("root").await;
    let root = front.browser("root").await;
    let mistyped = root.post("/admin/keys/revoke", &[("typed", "yes")]).await;
    assert_eq!(mistyped.status, StatusCode::BAD_REQUEST);
    assert!(mistyped.body.contains("role=\"alert\""));
}

#[tokio::test]
async fn reading_everything_again_is_followed_and_survives_a_reload() {
    let front = Front::new().await;
    front.administrator("root").await;
    let root = front.browser("root").await;
    assert!(
        root.get("/admin/upkeep")
            .await
            .body
            .contains("data-state=\"none\"")
    );
    root.post("/admin/upkeep/reindex", &[]).await;
    for _ in 0..2 {
        let page = root.get("/admin/upkeep").await;
        assert!(page.body.contains("data-state=\"running "), "{}", page.body);
        assert!(page.body.contains("max=\"3\" value=\"0\""), "{}", page.body);
    }
    front.readiness.set(false);
    let told = root.get("/admin/upkeep/progress").await;
    assert_eq!(told.header("content-type"), "text/event-stream");
    assert_eq!(told.body, "", "a process that ends keeps nobody");
}

#[tokio::test]
async fn a_delivery_that_was_given_up_is_sent_again_by_administrators_and_written_down() {
    let front = Front::new().await;
    front.administrator("root").await;
    let (root, ada) = (front.browser("root").await, front.browser("ada").await);
    let found = front
        .api("ada", "GET", "/repositories?name=ada/private", Value::Null)
        .await
        .ok();
    let id = found["items"][0]["id"].as_str().unwrap().to_owned();
    let hooks = format!("/repositories/{id}/webhooks");
    let hook = json!({"url": "https://receiver.example/hook", "events": ["push"]});
    let made = front.api("ada", "POST", &hooks, hook).await.is(201);
    let hook = format!("{hooks}/{}", made["id"].as_str().unwrap());
    let ping = front
        .api("ada", "POST", &format!("{hook}/ping"), Value::Null)
        .await;
    assert!(ping.status.is_success(), "{}", ping.body);
    let delivery = ping.json()["id"].as_str().unwrap().to_owned();
    let fields = [("delivery", delivery.as_str())];
    let early = root.post("/admin/events/redeliver", &fields).await;
    assert_eq!(early.status, StatusCode::NOT_FOUND, "it waits still");
    // What waits for a webhook that is switched off is given up.
    let off = front.api("ada", "PATCH", &hook, json!({"enabled": false})).await;
    assert!(off.status.is_success(), "{}", off.body);
    let page = root.get("/admin/events").await.body;
    assert!(
        page.contains(&format!("name=\"delivery\" value=\"{delivery}\"")),
        "{page}"
    );
    assert_eq!(
        ada.post("/admin/events/redeliver", &fields).await.status,
        StatusCode::FORBIDDEN
    );
    let again = root.post("/admin/events/redeliver", &fields).await;
    assert_eq!(
        again.header("location"),
        "/admin/events?done=admin-done-redelivered"
    );
    let log = front
        .api("ada", "GET", &format!("{hook}/deliveries"), Value::Null)
        .await
        .ok();
    assert_eq!(log["items"].as_array().map(Vec::len), Some(2), "{log}");
    let written = front
        .api("root", "GET", "/audit?action=webhook.redeliver", Value::Null)
        .await
        .ok();
    assert_eq!(written["items"][0]["actor"]["name"], "root", "{written}");
    assert_eq!(written["items"][0]["target"]["name"], "ada/private", "{written}");
    for wrong in ["1", "x", "", "9223372036854775807"] {
        let refused = root.post("/admin/events/redeliver", &[("delivery", wrong)]).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}
