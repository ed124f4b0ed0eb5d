//! Scopes and names as no honest client sends them.

use std::fmt::Write as _;

use http::StatusCode;

use crate::http::testing::{Front, PASSWORD, basic};

#[tokio::test]
async fn ten_thousand_scopes_are_refused_by_their_size_or_cut_to_those_named_first() {
    let front = Front::new().await;
    let scopes = |count: usize| {
        let names: Vec<String> = (0..count).map(|i| format!("repository:ada/r{i}:pull")).collect();
        format!("&scope={}", names.join("&scope="))
    };
    let form = format!(
        "grant_type=password&username=ada&password={}&service=localhost:5000&client_id=x{}",
        PASSWORD.replace(' ', "+"),
        scopes(10_000)
    );
    assert_eq!(
        front.post("/token", form).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    // As many as a request line takes.
    let query = format!("/token?service=localhost:5000{}", scopes(1_500));
    let answer = front.get(&query, Some(&basic("ada", PASSWORD))).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.scope().split(' ').count() <= 50, "{}", answer.scope());
    let long = format!(
        "/token?service=localhost:5000&scope=repository:{}:pull",
        "a/".repeat(30_000)
    );
    let answer = front.get(&long, Some(&basic("ada", PASSWORD))).await;
    assert_eq!((answer.status, answer.scope().as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn no_trick_with_characters_reaches_somebody_elses_repository() {
    let front = Front::new().await;
    for scope in [
        "repository:ADA/private:pull",
        "repository:Ada/private:pull",
        "repository:ada/PRIVATE:pull",
        "repository:ada%2Fprivate:pull",
        "repository:ada//private:pull",
        "repository:ada/./private:pull",
        "repository:eve/../ada/private:pull",
        "repository:ada/private%00:pull",
        "repository:ada/private%0a:pull",
        "repository:%0aada/private:pull",
        "repository:ada/private%20:pull",
        "repository:аda/private:pull",
        "repository:ada/privat\u{435}:pull",
        "repository:ada\u{2215}private:pull",
        "repository:\u{ff41}da/private:pull",
        "repository:ada/*:pull",
        "repository:*:pull",
        "repository:*:*",
        "repository:ada/priv*:pull",
        "repository:ada/private:pull:x",
        "repository:x:ada/private:pull",
        "repository(plugin):ada/private:pull",
        "repository::ada/private:pull",
        ":ada/private:pull",
        "repository:ada/private",
        "repository:ada/private:",
        "registry:ada/private:pull",
        "::::",
        "%2a",
    ] {
        let query = format!("/token?service=localhost:5000&scope={scope}");
        let mut uri = String::new();
        for byte in query.bytes() {
            if byte.is_ascii_graphic() {
                uri.push(char::from(byte));
            } else {
                write!(uri, "%{byte:02X}").unwrap();
            }
        }
        let answer = front.get(&uri, Some(&basic("eve", PASSWORD))).await;
        assert_eq!(
            (answer.status, answer.scope().as_str()),
            (StatusCode::OK, ""),
            "{scope}"
        );
    }
}

#[tokio::test]
async fn names_that_differ_in_case_are_one_name_for_accounts_and_organisations() {
    let front = Front::new().await;
    let create = |name: &str| {
        let request = http::Request::post("/api/v1/organisations")
            .header("authorization", basic("ada", PASSWORD))
            .header("content-type", "application/json")
            .body(axum::body::Body::from(format!(r#"{{"name":"{name}"}}"#)))
            .unwrap();
        front.send(request)
    };
    assert_eq!(create("Crew").await.status, StatusCode::CREATED);
    for taken in ["crew", "CREW", "cReW", "Ada", "EVE", "eve"] {
        assert_eq!(create(taken).await.status, StatusCode::CONFLICT, "{taken}");
    }
    for reserved in ["Library", "TOKEN", "api", "v2"] {
        let status = create(reserved).await.status;
        assert!(
            status == StatusCode::BAD_REQUEST || status == StatusCode::CONFLICT,
            "{reserved} {status}"
        );
    }
    for wrong in [
        "",
        "a b",
        "a/b",
        "\\u0430da",
        "ad\\u200ba",
        "a\\n",
        "..",
        "%61da",
        "ada%20",
    ] {
        assert_eq!(create(wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}
