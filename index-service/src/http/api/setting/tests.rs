use serde_json::{Value, json};

use crate::app::fixture::Fixture;
use crate::domain::SettingKey;
use crate::http::testing::Front;
use crate::store::Store;

const PATH: &str = "/site/settings";
const NONE: Value = Value::Null;

async fn front() -> Front {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let front = Front::over(Fixture::build(store, None, |settings| {
        settings.fixed = vec![SettingKey::QuotaStrict];
    }))
    .await;
    front.administrator("root").await;
    front
}

fn of(settings: &Value, key: &str) -> Value {
    let items = settings["items"].as_array().unwrap();
    items.iter().find(|item| item["key"] == key).unwrap().clone()
}

#[tokio::test]
async fn settings_are_for_administrators_alone() {
    let front = front().await;
    let wanted = json!({"sign_up": "open"});
    for (who, status) in [("", 401), ("ada", 403)] {
        front.api(who, "GET", PATH, NONE).await.is(status);
        front.api(who, "PATCH", PATH, wanted.clone()).await.is(status);
    }
    let settings = front.api("root", "GET", PATH, NONE).await.ok();
    let keys: Vec<&str> = settings["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["key"].as_str().unwrap())
        .collect();
    let every: Vec<&str> = SettingKey::EVERY.iter().map(|key| key.as_str()).collect();
    assert_eq!(keys, every);
    assert_eq!(
        of(&settings, "sign_up"),
        json!({"key": "sign_up", "value": "closed", "default": "closed", "fixed": false, "changed": false})
    );
    assert_eq!(of(&settings, "quotas.strict")["fixed"], true);
}

#[tokio::test]
async fn what_is_decided_holds_at_once_and_null_takes_it_back() {
    let front = front().await;
    let dora = json!({"name": "dora", "password": "correct horse battery of dora"});
    front.api("", "POST", "/accounts", dora.clone()).await.is(403);
    let wanted = json!({"sign_up": "open", "quotas.bytes": "5 GB", "quotas.tags": 7, "comments": true, "site.name": "Harbour"});
    let settings = front.api("root", "PATCH", PATH, wanted).await.ok();
    for (key, value) in [
        ("sign_up", "open"),
        ("quotas.bytes", "5000000000"),
        ("quotas.tags", "7"),
        ("comments", "true"),
        ("site.name", "Harbour"),
    ] {
        let setting = of(&settings, key);
        assert_eq!(
            (&setting["value"], &setting["changed"]),
            (&json!(value), &json!(true))
        );
    }
    assert_eq!(front.api("root", "GET", PATH, NONE).await.ok(), settings);
    front.api("", "POST", "/accounts", dora).await.is(201);
    let quota = front.api("ada", "GET", "/namespaces/ada/quota", NONE).await.ok();
    assert_eq!(
        (&quota["bytes"]["limit"], &quota["tags"]["limit"]),
        (&json!(5_000_000_000_u64), &json!(7))
    );
    let comments = front.api("", "GET", "/site/comments", NONE).await.ok();
    assert_eq!(comments["allowed"], true);
    let back =
        json!({"sign_up": null, "quotas.bytes": -1, "quotas.tags": null, "comments": false, "site.name": ""});
    let settings = front.api("root", "PATCH", PATH, back).await.ok();
    for key in SettingKey::EVERY {
        assert_eq!(of(&settings, key.as_str())["changed"], false, "{key}");
    }
    let eva = json!({"name": "eva", "password": "correct horse battery of eva"});
    front.api("", "POST", "/accounts", eva).await.is(403);
    let events = front
        .api("root", "GET", "/audit?action=setting.change", NONE)
        .await
        .ok();
    assert_eq!(events["items"].as_array().unwrap().len(), 8, "{events}");
}

#[tokio::test]
async fn a_wrong_wish_is_refused_with_a_sentence_and_nothing_of_it_is_done() {
    let front = front().await;
    for (wanted, status, said) in [
        (json!({"sign_up": "perhaps"}), 400, "open, invitation or closed"),
        (json!({"sign_up": 1}), 400, "open, invitation or closed"),
        (
            json!({"organisations.create": "nobody"}),
            400,
            "everyone or by admins",
        ),
        (json!({"repositories.restore_delay": "91d"}), 400, "90d"),
        (json!({"quotas.bytes": "much"}), 400, "500 GB"),
        (json!({"quotas.tags": -2}), 400, "unlimited"),
        (json!({"comments": "yes"}), 400, "true or false"),
        (json!({"site.name": "x".repeat(41)}), 400, "40 characters"),
        (json!({"site.greeting": "a\u{0}b"}), 400, "500 characters"),
        (
            json!({"site.name": "Harbour", "quotas.strict": true}),
            409,
            "configuration",
        ),
        (json!({"quotas.strict": null}), 409, "configuration"),
        (json!({"public_url": "https://evil.example"}), 422, "public_url"),
        (json!({"quotas.bytes": 1.5}), 422, ""),
    ] {
        let refused = front.api("root", "PATCH", PATH, wanted.clone()).await;
        let problem = refused.is(status);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{wanted}: {detail}");
    }
    let settings = front.api("root", "GET", PATH, NONE).await.ok();
    for key in SettingKey::EVERY {
        assert_eq!(of(&settings, key.as_str())["changed"], false, "{key}");
    }
}
