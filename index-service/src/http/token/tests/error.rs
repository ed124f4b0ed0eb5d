//! What clients are told when it goes wrong.

use http::StatusCode;
use proptest::prelude::*;

use crate::http::testing::{Answer, Front, PASSWORD, basic};

fn assert_shape(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let body = answer.json();
    let text = body["details"].as_str().unwrap();
    assert!(!text.is_empty());
    assert_eq!(body["errors"][0]["code"], code);
    assert_eq!(body["errors"][0]["message"], text);
    assert_eq!(body["error_description"], text);
    assert!(body["error"].is_string());
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn every_error_is_told_in_the_three_forms_that_clients_read() {
    let front = Front::new().await;
    let wrong = front.get("/token", Some(&basic("ada", "not her password"))).await;
    assert_shape(&wrong, StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    assert!(wrong.header("www-authenticate").starts_with("Basic realm="));
    let bad = front.ada("service=elsewhere").await;
    assert_shape(&bad, StatusCode::BAD_REQUEST, "UNSUPPORTED");
    assert!(!bad.headers.contains_key("www-authenticate"));
    let form = "grant_type=password&username=ada&password=x&client_id=c";
    assert_shape(
        &front.post("/token", form).await,
        StatusCode::UNAUTHORIZED,
        "UNAUTHORIZED",
    );
}

#[tokio::test]
async fn while_the_database_is_away_the_answer_is_503_and_says_when_to_come_back() {
    let front = Front::new().await;
    front.fixture.store.close().await;
    let answer = front.ada("").await;
    assert_shape(&answer, StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), "2");
    assert!(!answer.body.to_lowercase().contains("pool"), "{}", answer.body);
    let ready = front.get("/readyz", None).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(front.get("/livez", None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_realm_and_the_answers_never_follow_the_host_header() {
    let front = Front::new().await;
    let request = http::Request::get("/v2/_catalog")
        .header("host", "evil.example.com")
        .header("x-forwarded-host", "evil.example.com")
        .header("forwarded", "host=evil.example.com")
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = front.send(request).await;
    assert!(!format!("{answer:?}").contains("evil"));
    assert!(
        answer
            .header("www-authenticate")
            .starts_with("Bearer realm=\"http://localhost:5000/token\",service=\"localhost:5000\"")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_request_ends_in_a_fault_of_ours(
        query in "([a-z_]{0,12}=[ -~é中]{0,40}&?){0,5}",
        scope in "[a-z:/,*()A-Z0-9 .%-]{0,60}",
        header in proptest::option::of("(Basic |Bearer |)[A-Za-z0-9+/=]{0,60}"),
        grant in "password|refresh_token|[a-z:-]{0,20}",
        password in "\\PC{0,40}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let front = Front::new().await;
            let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let query = format!("{}&scope={}", encode(&query).replace("%3D", "=").replace("%26", "&"), encode(&scope));
            let answer = front.get(&format!("/token?{query}"), header.as_deref()).await;
            assert!(answer.status.as_u16() < 500, "{query} {}", answer.body);
            let form = format!(
                "grant_type={}&username={}&password={}&refresh_token={}&client_id=c&{query}",
                encode(&grant), encode(&password), encode(&password), encode(&password)
            );
            let answer = front.post("/token", form).await;
            assert!(answer.status.as_u16() < 500, "{}", answer.body);
            let answer = front.get(&format!("/v2/_catalog?{query}"), header.as_deref()).await;
            assert!(answer.status.as_u16() < 500, "{}", answer.body);
        });
    }
}

#[tokio::test]
async fn an_access_is_not_refused_for_a_long_but_legal_request() {
    let front = Front::new().await;
    let query = format!("scope=repository:ada/{}:pull,push", "a".repeat(251));
    assert_eq!(front.ada(&query).await.status, StatusCode::OK);
    let query = format!("scope=repository:ada/{}:pull,push", "a".repeat(252));
    assert_eq!(front.ada(&query).await.scope(), "");
    let form = format!(
        "grant_type=password&username=ada&password={PASSWORD}&client_id={}",
        "c".repeat(9000)
    );
    assert_eq!(front.post("/token", form).await.status, StatusCode::OK);
}
