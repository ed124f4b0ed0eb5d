//! The page of settings, through the router.

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Value, json};

use crate::app::fixture::Fixture;
use crate::domain::SettingKey;
use crate::http::testing::{Browser, Front};
use crate::store::Store;

const PATH: &str = "/admin/settings";

async fn front() -> Front {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let front = Front::over(Fixture::build(store, None, |settings| {
        settings.restore_delay_ms = 3 * 86_400_000;
        settings.fixed = vec![SettingKey::RestoreDelay];
    }))
    .await;
    front.administrator("root").await;
    front
}

/// What the form holds as it is shown, but for these fields.
async fn form(browser: &Browser<'_>, typed: &[(&str, &str)]) -> Vec<(String, String)> {
    let page = browser.get(PATH).await;
    let mut fields = Vec::new();
    for key in SettingKey::EVERY {
        let was = format!("name=\"was:{key}\" value=\"");
        let Some((_, rest)) = page.body.split_once(&was) else {
            continue;
        };
        let known = rest.split('"').next().unwrap().to_owned();
        let mut now = typed.iter().filter(|(name, _)| *name == key.as_str());
        let now = now
            .next()
            .map_or_else(|| known.clone(), |(_, text)| (*text).to_owned());
        fields.push((key.to_string(), now));
        fields.push((format!("was:{key}"), known));
    }
    fields
}

async fn save(browser: &Browser<'_>, typed: &[(&str, &str)]) -> crate::http::testing::Answer {
    let fields = form(browser, typed).await;
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    browser.post(PATH, &fields).await
}

async fn decided(front: &Front) -> Vec<String> {
    let settings = front.api("root", "GET", "/site/settings", Value::Null).await.ok();
    let items = settings["items"].as_array().unwrap().clone();
    items
        .iter()
        .filter(|item| item["changed"] == true)
        .map(|item| {
            format!(
                "{}={}",
                item["key"].as_str().unwrap(),
                item["value"].as_str().unwrap()
            )
        })
        .collect()
}

#[tokio::test]
async fn settings_are_changed_in_the_browser_and_go_back_to_their_defaults() {
    let front = front().await;
    let root = front.browser("root").await;
    let unchanged = save(&root, &[]).await;
    assert_eq!(unchanged.status, StatusCode::SEE_OTHER);
    assert_eq!(
        decided(&front).await,
        [""; 0],
        "a form as it was shown changes nothing"
    );
    let typed = [
        ("sign_up", "invitation"),
        ("quotas.bytes", "500 GB"),
        ("quotas.tags", "2000"),
        ("comments", "true"),
    ];
    let saved = save(&root, &typed).await;
    assert_eq!(
        saved.header("location"),
        "/admin/settings?done=admin-done-settings"
    );
    let now = [
        "sign_up=invitation",
        "comments=true",
        "quotas.bytes=500000000000",
        "quotas.tags=2000",
    ];
    assert_eq!(decided(&front).await, now);
    let page = root.get("/admin/settings?done=admin-done-settings").await;
    assert!(page.body.contains("role=\"status\""), "{}", page.body);
    assert!(page.body.contains("value=\"500 GB\""), "{}", page.body);
    assert!(
        page.body
            .contains("form=\"defaults\" name=\"key\" value=\"quotas.tags\"")
    );
    assert!(
        !page
            .body
            .contains("form=\"defaults\" name=\"key\" value=\"quotas.strict\"")
    );
    let reset = root
        .post("/admin/settings/reset", &[("key", "quotas.tags")])
        .await;
    assert_eq!(
        reset.header("location"),
        "/admin/settings?done=admin-done-setting-reset"
    );
    save(&root, &[("quotas.bytes", "")]).await;
    assert_eq!(decided(&front).await, ["sign_up=invitation", "comments=true"]);
    let nothing = root.post("/admin/settings/reset", &[("key", "public_url")]).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_refused_value_shows_itself_again_and_nothing_else_is_changed() {
    let front = front().await;
    let root = front.browser("root").await;
    let refused = save(&root, &[("quotas.bytes", "\"><b>much"), ("sign_up", "open")]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("role=\"alert\""), "{}", refused.body);
    assert!(refused.body.contains("&#62;&#60;b&#62;much") && !refused.body.contains("<b>much"));
    assert!(
        refused.body.contains("<option value=\"open\" selected>"),
        "what else was typed stays too"
    );
    assert_eq!(decided(&front).await, [""; 0]);
    let chinese = root.get("/admin/settings?lang=zh").await;
    assert!(chinese.body.contains("站点名称"), "{}", chinese.body);
}

#[tokio::test]
async fn what_the_configuration_says_is_shown_with_its_key_and_cannot_be_typed_over() {
    let front = front().await;
    let root = front.browser("root").await;
    let page = root.get(PATH).await;
    assert!(page.body.contains("<code>repositories.restore_delay</code>"));
    assert!(page.body.contains("3 days"), "{}", page.body);
    assert!(!page.body.contains("name=\"repositories.restore_delay\""));
    let forced = root.post(PATH, &[("repositories.restore_delay", "1h")]).await;
    assert_eq!(forced.status, StatusCode::CONFLICT, "{}", forced.body);
}

#[tokio::test]
async fn a_form_that_stood_open_does_not_undo_what_somebody_else_decided() {
    let front = front().await;
    let root = front.browser("root").await;
    let stale = form(&root, &[("quotas.tags", "5")]).await;
    front
        .api("root", "PATCH", "/site/settings", json!({"sign_up": "open"}))
        .await
        .ok();
    let fields: Vec<(&str, &str)> = stale
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    root.post(PATH, &fields).await;
    assert_eq!(decided(&front).await, ["sign_up=open", "quotas.tags=5"]);
}

#[tokio::test]
async fn name_and_greeting_are_on_the_pages_as_text() {
    let front = front().await;
    let (root, nobody) = (front.browser("root").await, front.browser("").await);
    let plain = nobody.get("/").await.body;
    assert!(
        plain.contains(" · Portolan</title>") && plain.contains("Find your way"),
        "{plain}"
    );
    let typed = [
        ("site.name", "Harbour <b>"),
        ("site.greeting", "Ahoy & welcome.\r\n<script>alert(1)</script>"),
    ];
    save(&root, &typed).await;
    let home = nobody.get("/").await.body;
    assert!(home.contains(" · Harbour &#60;b&#62;</title>"), "{home}");
    assert!(home.contains("<h1>Harbour &#60;b&#62;</h1>"), "{home}");
    assert!(home.contains("Ahoy &#38; welcome.\n&#60;script&#62;"), "{home}");
    for path in ["/help", "/sign-in", "/nothing/here"] {
        let page = nobody.get(path).await.body;
        assert!(page.contains(" · Harbour &#60;b&#62;</title>"), "{path}: {page}");
        assert!(!page.contains("Ahoy"), "{path}");
    }
}

#[tokio::test]
async fn every_field_has_a_label_and_every_id_is_there_once() {
    let front = front().await;
    let root = front.browser("root").await;
    save(&root, &[("quotas.tags", "5")]).await;
    for language in ["en", "zh-CN"] {
        let body = root.get(&format!("{PATH}?lang={language}")).await.body;
        let attributes = |start: &str| -> Vec<String> {
            let found = body
                .split(start)
                .skip(1)
                .filter_map(|rest| rest.split('"').next());
            found.map(str::to_owned).collect()
        };
        let ids = attributes(" id=\"");
        let distinct: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(ids.len(), distinct.len(), "{ids:?}");
        for target in attributes(" for=\"")
            .iter()
            .chain(&attributes("aria-describedby=\""))
        {
            assert!(ids.contains(target), "{target}");
        }
        for key in SettingKey::EVERY
            .iter()
            .filter(|key| **key != SettingKey::RestoreDelay)
        {
            let id = format!("setting-{}", key.as_str().replace(['.', '_'], "-"));
            assert!(attributes("<label for=\"").contains(&id), "{id}");
        }
        assert!(
            !body.contains(">admin-") && !body.contains(" admin-settings-"),
            "{body}"
        );
    }
}
