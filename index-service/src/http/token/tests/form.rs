//! POST.

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};

use crate::http::testing::{Front, PASSWORD};

fn password_form(more: &str) -> String {
    format!("grant_type=password&username=ada&password={PASSWORD}&service=localhost:5000&client_id=c{more}")
}

#[tokio::test]
async fn a_password_is_exchanged_for_a_token() {
    let front = Front::new().await;
    let answer = front
        .post("/token", password_form("&scope=repository:ada/private:pull,push"))
        .await;
    assert_eq!(answer.claims()["sub"], "ada");
    assert_eq!(answer.scope(), "repository:ada/private:pull,push");
    assert_eq!(answer.ok()["token_type"], "Bearer");
    assert!(answer.ok().get("refresh_token").is_none());
}

#[tokio::test]
async fn scopes_are_one_field_or_several() {
    let front = Front::new().await;
    let granted = "repository:ada/private:pull repository:ada/public:pull";
    for form in [
        "&scope=repository:ada/private:pull+repository:ada/public:pull",
        "&scope=repository:ada/private:pull&scope=repository:ada/public:pull",
    ] {
        assert_eq!(front.post("/token", password_form(form)).await.scope(), granted);
    }
}

#[tokio::test]
async fn the_service_may_be_left_out_while_there_is_one() {
    let front = Front::new().await;
    let form = format!("grant_type=password&username=ada&password={PASSWORD}&client_id=c");
    assert_eq!(front.post("/token", form).await.claims()["aud"], "localhost:5000");
}

#[tokio::test]
async fn what_is_missing_or_not_offered_is_a_bad_request_and_never_anonymous() {
    let front = Front::new().await;
    for (form, error) in [
        (String::new(), "invalid_request"),
        ("grant_type=password&client_id=c".to_owned(), "invalid_request"),
        (
            "grant_type=refresh_token&client_id=c".to_owned(),
            "invalid_request",
        ),
        ("refresh_token=x&client_id=c".to_owned(), "invalid_request"),
        (password_form("").replace("client_id=c", ""), "invalid_request"),
        (password_form("&access_type=sometimes"), "invalid_request"),
        (password_form("&service=other"), "invalid_request"),
        (
            "grant_type=authorization_code&code=x&client_id=c".to_owned(),
            "unsupported_grant_type",
        ),
        (
            "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=c".to_owned(),
            "unsupported_grant_type",
        ),
    ] {
        let answer = front.post("/token", form.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{form}");
        assert_eq!(answer.json()["error"], error, "{form}");
    }
}

#[tokio::test]
async fn the_media_type_may_have_parameters_or_be_missing() {
    let front = Front::new().await;
    for (media_type, status) in [
        (
            Some("application/x-www-form-urlencoded; charset=utf-8"),
            StatusCode::OK,
        ),
        (Some("Application/X-WWW-Form-Urlencoded"), StatusCode::OK),
        (None, StatusCode::OK),
        (Some("application/json"), StatusCode::BAD_REQUEST),
        (Some("multipart/form-data; boundary=x"), StatusCode::BAD_REQUEST),
    ] {
        let mut request = Request::post("/token");
        if let Some(media_type) = media_type {
            request = request.header(CONTENT_TYPE, media_type);
        }
        let answer = front
            .send(request.body(Body::from(password_form(""))).unwrap())
            .await;
        assert_eq!(answer.status, status, "{media_type:?}");
    }
}

#[tokio::test]
async fn a_body_over_16_kib_is_refused() {
    let front = Front::new().await;
    let form = |length: usize| {
        let form = password_form("&pad=");
        let pad = "x".repeat(length - form.len());
        form + &pad
    };
    assert_eq!(front.post("/token", form(16 * 1024)).await.status, StatusCode::OK);
    assert_eq!(
        front.post("/token", form(16 * 1024 + 1)).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn other_methods_are_answered_with_405() {
    let front = Front::new().await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let request = Request::builder().method(method.clone()).uri("/token");
        let answer = front.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert!(answer.json()["details"].is_string());
    }
}
