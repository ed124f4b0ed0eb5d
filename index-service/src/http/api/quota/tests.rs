use serde_json::{Value, json};

use crate::http::testing::{Answer, Front, PASSWORD, basic};

const NONE: Value = Value::Null;
const PUSH: &str = "service=localhost:5000&scope=repository:ada/private:pull,push";
const SECRET: &str = "the registry's secret";

/// With `root`, who administers the site.
async fn front() -> Front {
    let front = Front::new().await;
    front.administrator("root").await;
    front
}

async fn set(front: &Front, change: Value) -> Answer {
    front.api("root", "PATCH", "/namespaces/ada/quota", change).await
}

#[tokio::test]
async fn limits_are_set_by_administrators_and_travel_in_tokens_that_push() {
    let front = front().await;
    let before = front
        .api("ada", "GET", "/namespaces/ada/quota", NONE)
        .await
        .is(200);
    assert_eq!(before["bytes"], json!({"used": 0, "is_default": true}));
    assert_eq!(before["repositories"], json!({"used": 2, "is_default": true}));
    assert!(front.ada(PUSH).await.claims()["access"][0].get("terms").is_none());
    let set = set(&front, json!({"bytes": 1000, "tags": 5, "strict": true}))
        .await
        .is(200);
    assert_eq!(
        set["bytes"],
        json!({"used": 0, "limit": 1000, "is_default": false})
    );
    let terms = front.ada(PUSH).await.claims()["access"][0]["terms"].clone();
    assert_eq!(
        (&terms["v"], &terms["quota"]["bytes"], &terms["quota"]["tags"]),
        (&json!(1), &json!([0, 1000]), &json!([0, 5]))
    );
    assert_eq!(
        (&terms["quota"]["strict"], &terms["quota"]["warn"]),
        (&json!(true), &json!(80))
    );
    assert!(terms["quota"].get("storage").is_none(), "{terms}");
    for scope in ["pull", "delete"] {
        let query = format!("service=localhost:5000&scope=repository:ada/private:{scope}");
        assert!(
            front.ada(&query).await.claims()["access"][0]
                .get("terms")
                .is_none(),
            "{scope}"
        );
    }
    let listed = front.api("root", "GET", "/quotas", NONE).await.is(200);
    assert_eq!(
        listed["items"],
        json!([{"namespace": "ada", "bytes": 1000, "tags": 5, "strict": true}])
    );
    let reset = json!({"bytes": null, "tags": null, "strict": null});
    front
        .api("root", "PATCH", "/namespaces/ada/quota", reset)
        .await
        .is(200);
    assert_eq!(
        front.api("root", "GET", "/quotas", NONE).await.is(200)["items"],
        json!([])
    );
}

#[tokio::test]
async fn limits_are_seen_by_those_who_administer_the_namespace_and_set_by_nobody_else() {
    let front = front().await;
    let change = json!({"bytes": 1});
    for (who, method, path, status) in [
        ("ada", "GET", "/namespaces/ada/quota", 200),
        ("root", "GET", "/namespaces/ada/quota", 200),
        ("eve", "GET", "/namespaces/ada/quota", 403),
        ("eve", "GET", "/namespaces/nobody/quota", 403),
        ("", "GET", "/namespaces/ada/quota", 401),
        ("ada", "PATCH", "/namespaces/ada/quota", 403),
        ("eve", "PATCH", "/namespaces/ada/quota", 403),
        ("", "PATCH", "/namespaces/ada/quota", 401),
        ("root", "PATCH", "/namespaces/nobody/quota", 404),
        ("ada", "GET", "/quotas", 403),
        ("", "GET", "/quotas", 401),
    ] {
        let body = if method == "PATCH" { change.clone() } else { NONE };
        let answer = front.api(who, method, path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{who} {method} {path}");
    }
    for wrong in [
        json!({"bytes": -2}),
        json!({"bytes": "5GB"}),
        json!({"bytes": 9_223_372_036_854_775_807_i64}),
        json!({"pulls": 5}),
    ] {
        let refused = set(&front, wrong.clone()).await;
        assert!(refused.status.is_client_error(), "{wrong} {refused:?}");
    }
}

#[tokio::test]
async fn a_namespace_that_is_full_gets_no_more_repositories() {
    let front = front().await;
    set(&front, json!({"repositories": 3})).await.is(200);
    let create = |repository: &'static str| {
        let front = &front;
        async move {
            front
                .api("ada", "POST", "/repositories", json!({"name": repository}))
                .await
        }
    };
    create("ada/third").await.is(201);
    let refused = create("ada/fourth").await.is(409);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("3 of its 3 repositories"),
        "{refused}"
    );
    let query = "service=localhost:5000&scope=repository:ada/fourth:pull,push";
    let token = front.ada(query).await.claims();
    assert_eq!(token["access"][0]["actions"], json!(["pull"]), "{token}");
    let note = token["why"][0]["text"].as_str().unwrap();
    assert!(note.contains("3 of its 3 repositories"), "{token}");
    // One that is there is pushed to.
    assert_eq!(front.ada(PUSH).await.scope(), "repository:ada/private:pull,push");
    set(&front, json!({"repositories": -1})).await.is(200);
    create("ada/fourth").await.is(201);
}

#[tokio::test]
async fn the_audit_log_tells_each_step_once() {
    let front = front().await;
    let reached = || async {
        let events = front
            .api("root", "GET", "/audit?action=quota.reached", NONE)
            .await
            .is(200);
        let steps = events["items"].as_array().unwrap().iter();
        steps
            .map(|event| event["after"]["percent"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    let app = &front.fixture.app;
    set(&front, json!({"repositories": 10})).await.is(200);
    assert_eq!(app.tell_quotas().await.unwrap(), 0);
    let hook = json!({"name": "ci", "url": "https://ci.example.com/", "events": ["quota"]});
    let hook = front
        .api("ada", "POST", "/namespaces/ada/webhooks", hook)
        .await
        .is(201);
    // Two of two.
    set(&front, json!({"repositories": 2})).await.is(200);
    assert_eq!(app.tell_quotas().await.unwrap(), 1);
    set(&front, json!({"repositories": 2})).await.is(200);
    assert_eq!(app.tell_quotas().await.unwrap(), 0);
    assert_eq!(reached().await, [100]);
    let deliveries = format!(
        "/namespaces/ada/webhooks/{}/deliveries",
        hook["id"].as_str().unwrap()
    );
    let told = front.api("ada", "GET", &deliveries, NONE).await.is(200);
    assert_eq!(
        (&told["items"][0]["event"], &told["items"][1]),
        (&json!("quota"), &NONE),
        "{told}"
    );
    set(&front, json!({"repositories": 10})).await.is(200);
    app.tell_quotas().await.unwrap();
    set(&front, json!({"repositories": 2})).await.is(200);
    app.tell_quotas().await.unwrap();
    assert_eq!(reached().await, [100, 100]);
}

async fn ask(front: &Front, secret: &str, body: &Value) -> Answer {
    let request = http::Request::post("/events/quota")
        .header("authorization", format!("Bearer {secret}"))
        .body(axum::body::Body::from(body.to_string()))
        .unwrap();
    front.send(request).await
}

fn manifest(repository: &str, tag: &str, blobs: &[(u8, u64)]) -> Value {
    let digest = |n: u8| format!("sha256:{}", format!("{n:02x}").repeat(32));
    let blobs: Vec<_> = blobs.iter().map(|(n, size)| json!([digest(*n), size])).collect();
    json!({"stored_as": repository, "tags": [tag], "blobs": blobs})
}

fn refusal(answer: &Answer) -> Value {
    answer.ok()["refusal"].clone()
}

#[tokio::test]
async fn a_registry_asks_under_a_strict_quota_and_what_it_may_store_is_held() {
    let front = front().await;
    set(
        &front,
        json!({"bytes": 100, "storage_bytes": 70, "tags": 2, "strict": true}),
    )
    .await
    .is(200);
    let first = manifest("ada/private", "one", &[(1, 10), (2, 50)]);
    for _ in 0..2 {
        let granted = ask(&front, SECRET, &first).await;
        assert_eq!(refusal(&granted), NONE, "the same again adds nothing");
    }
    let much = ask(&front, SECRET, &manifest("ada/private", "one", &[(3, 41)])).await;
    let text = "60 bytes of its quota of 100 bytes";
    assert!(refusal(&much).as_str().unwrap().contains(text), "{much:?}");
    let storage = ask(&front, SECRET, &manifest("ada/private", "one", &[(3, 11)])).await;
    assert!(
        refusal(&storage).as_str().unwrap().contains("of storage"),
        "{storage:?}"
    );
    // What another repository of the namespace has is new for this one, and no more storage.
    let shared = manifest("ada/public", "one", &[(2, 40)]);
    assert_eq!(refusal(&ask(&front, SECRET, &shared).await), NONE);
    let tags = ask(&front, SECRET, &manifest("ada/public", "two", &[])).await;
    let text = "2 tags of its quota of 2 tags";
    assert!(refusal(&tags).as_str().unwrap().contains(text), "{tags:?}");
    // Nobody but the registry asks, and only of what there is.
    assert_eq!(ask(&front, "another secret", &first).await.status, 401);
    let unknown = manifest("ada/none", "one", &[]);
    assert_eq!(ask(&front, SECRET, &unknown).await.status, 404);
    let nothing = json!({"stored_as": "ada/private"});
    assert_eq!(ask(&front, SECRET, &nothing).await.status, 400);
}

#[tokio::test]
async fn of_registries_that_ask_at_once_none_passes_the_limit() {
    let front = front().await;
    set(&front, json!({"bytes": 100, "strict": true})).await.is(200);
    let asked: Vec<_> = (0..5).map(|n| manifest("ada/private", "t", &[(n, 30)])).collect();
    let one = |n: usize| ask(&front, SECRET, &asked[n]);
    let answers: [Answer; 5] = tokio::join!(one(0), one(1), one(2), one(3), one(4)).into();
    let granted = answers.iter().filter(|answer| refusal(answer).is_null()).count();
    assert_eq!(granted, 3);
}

#[tokio::test]
async fn rates_travel_in_tokens_by_who_asks() {
    use crate::app::fixture::Fixture;
    use crate::app::rate::{ByHolder, RateLimit, RateLimits};
    use crate::store::Store;

    let limit = |count| RateLimit::new(count, 60).ok();
    let store = Store::open("sqlite::memory:").await.unwrap();
    let fixture = Fixture::build(store, None, |settings| {
        settings.rates = RateLimits {
            pulls: ByHolder {
                anonymous: limit(1),
                account: limit(2),
                token: limit(3),
            },
            requests: ByHolder {
                anonymous: limit(4),
                ..ByHolder::default()
            },
        };
    });
    let front = Front::over(fixture).await;
    let query = "service=localhost:5000&scope=repository:ada/public:pull";
    let nobody = front.anonymous(query).await.claims();
    assert_eq!(
        nobody["portolan_rates"],
        json!({"v": 1, "source": "here", "of": [["n:here", "pulls", 1, 60], ["n:here", "requests", 4, 60]]})
    );
    let ada = front.ada(query).await.claims()["portolan_rates"].clone();
    assert_eq!(
        (&ada["source"], &ada["of"][0][1], &ada["of"][0][2]),
        (&json!("ada"), &json!("pulls"), &json!(2))
    );
    let token = front.access_token(shared::token::Actions::PULL, "*").await;
    let path = format!("/token?{query}");
    let with = front.get(&path, Some(&basic("ada", &token))).await.claims()["portolan_rates"].clone();
    assert_eq!(with["of"].as_array().unwrap().len(), 2, "{with}");
    assert_eq!(
        with["of"][0], ada["of"][0],
        "one account counts as one, whatever it signs in with"
    );
    assert!(with["of"][1][0].as_str().unwrap().starts_with("t:"), "{with}");
    let free = Front::new().await;
    let claims = free.get(&path, Some(&basic("ada", PASSWORD))).await.claims();
    assert!(claims.get("portolan_rates").is_none());
}
