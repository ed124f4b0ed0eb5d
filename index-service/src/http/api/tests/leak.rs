//! Reports of leaked secrets.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};

use super::access_token::created;
use crate::app::Settings;
use crate::app::fixture::Fixture;
use crate::domain::{SecretKind, SecretToken};
use crate::http::testing::{Answer, Front, basic};
use crate::store::Store;

impl Front {
    async fn report(&self, body: Value) -> Answer {
        let request = http::Request::post("/api/v1/leaks")
            .header("content-type", "application/json")
            .body(body.to_string().into());
        self.send(request.unwrap()).await
    }
}

fn wish() -> Value {
    json!({"label": "ci", "limits": [{"pattern": "ada/*", "rights": ["pull"]}]})
}

fn unknown(byte: u8) -> String {
    let token = SecretToken::new(SecretKind::AccessToken, [byte; 32]);
    token.into_secret().expose().clone()
}

#[tokio::test]
async fn a_leaked_secret_ends_and_its_owner_sees_why() {
    let front = Front::new().await;
    let (id, secret, _) = created(&front.mine("POST", "/access-tokens", wish()).await);
    let body = json!({"secrets": [secret, unknown(1), "ptl_pat_mistyped", "hunter2", ""]});
    let told = front.report(body).await;
    // As many as anybody can tell, known or not.
    assert_eq!(told.ok(), json!({"recognised": 2}));
    assert_eq!(
        front.login_from("192.0.2.1", "ada", &secret).await.status,
        StatusCode::UNAUTHORIZED
    );
    let shown = front
        .mine("GET", &format!("/access-tokens/{id}"), Value::Null)
        .await
        .ok();
    assert_eq!(
        (&shown["revoked"], &shown["secrets"][0]["ended_because"]),
        (&json!("leaked"), &json!("leaked"))
    );
}

#[tokio::test]
async fn of_two_secrets_the_leaked_one_ends() {
    let front = Front::new().await;
    let (id, first, _) = created(&front.mine("POST", "/access-tokens", wish()).await);
    let (_, second, _) = created(
        &front
            .mine("POST", &format!("/access-tokens/{id}/secrets"), json!({}))
            .await,
    );
    // In the form of GitHub's partners.
    let finding =
        json!([{"token": first, "type": "portolan", "url": "https://example.com/x", "source": "content"}]);
    assert_eq!(front.report(finding).await.ok(), json!({"recognised": 1}));
    assert_eq!(
        front.login_from("192.0.2.1", "ada", &first).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        front.login_from("192.0.2.1", "ada", &second).await.status,
        StatusCode::OK
    );
    let shown = front
        .mine("GET", &format!("/access-tokens/{id}"), Value::Null)
        .await
        .ok();
    assert_eq!(shown["revoked"], Value::Null);
}

#[tokio::test]
async fn robots_and_devices_end_by_a_report_too() {
    let front = Front::new().await;
    let robot =
        json!({"namespace": "ada", "name": "ci", "limits": [{"pattern": "ada/*", "rights": ["pull"]}]});
    let (_, secret, _) = created(&front.mine("POST", "/robots", robot).await);
    let device = front.ada("offline_token=true").await.ok()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        front.report(json!({"secrets": [secret, device]})).await.ok(),
        json!({"recognised": 2})
    );
    let robot = front.get("/token", Some(&basic("ada+ci", &secret))).await;
    assert_eq!(robot.status, StatusCode::UNAUTHORIZED);
    let form = format!("grant_type=refresh_token&refresh_token={device}&client_id=c");
    assert_eq!(front.post("/token", form).await.status, StatusCode::UNAUTHORIZED);
}

/// GitHub's keys in a file, and what signs as GitHub would.
fn github() -> (tempfile::TempDir, impl Fn(&[u8]) -> String) {
    let folder = tempfile::tempdir().unwrap();
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let der = AsDer::<PublicKeyX509Der<'_>>::as_der(key.public_key()).unwrap();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(der.as_ref())
    );
    let keys = json!({"public_keys": [{"key_identifier": "k1", "key": pem, "is_current": true}]});
    std::fs::write(folder.path().join("keys.json"), keys.to_string()).unwrap();
    let sign = move |body: &[u8]| {
        let signature = key.sign(&SystemRandom::new(), body).unwrap();
        STANDARD.encode(signature.as_ref())
    };
    (folder, sign)
}

#[tokio::test]
async fn where_githubs_keys_are_kept_its_form_needs_its_signature() {
    let (folder, sign) = github();
    let store = Store::open("sqlite::memory:").await.unwrap();
    let file = folder.path().join("keys.json");
    let edit = |settings: &mut Settings| settings.github_keys_file = Some(file.clone());
    let front = Front::over(Fixture::build(store, None, edit)).await;
    let (_, secret, _) = created(&front.mine("POST", "/access-tokens", wish()).await);
    let body = json!([{ "token": secret }]).to_string();
    let send = async |key: &str, signature: &str, body: &str| {
        let request = http::Request::post("/api/v1/leaks")
            .header("content-type", "application/json")
            .header("github-public-key-identifier", key)
            .header("github-public-key-signature", signature)
            .body(body.to_owned().into());
        front.send(request.unwrap()).await
    };
    let right = sign(body.as_bytes());
    let unsigned = front.report(json!([{ "token": secret }])).await;
    assert_eq!(unsigned.status, StatusCode::FORBIDDEN);
    let padded = format!("{body} ");
    for (key, signature, body) in [
        ("k2", right.as_str(), body.as_str()),
        ("k1", right.as_str(), padded.as_str()),
        ("k1", "", body.as_str()),
    ] {
        let refused = send(key, signature, body).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{key} {signature} {body}");
    }
    let login = front.login_from("192.0.2.1", "ada", &secret).await;
    assert_eq!(login.status, StatusCode::OK, "nothing ended yet");
    assert_eq!(send("k1", &right, &body).await.ok(), json!({"recognised": 1}));
    let login = front.login_from("192.0.2.1", "ada", &secret).await;
    assert_eq!(login.status, StatusCode::UNAUTHORIZED);
    // More than anybody may report without a signature.
    let many: Vec<Value> = (0..101).map(|byte| json!({ "token": unknown(byte) })).collect();
    let many = Value::from(many).to_string();
    assert_eq!(
        send("k1", &sign(many.as_bytes()), &many).await.ok(),
        json!({"recognised": 101})
    );
    // In our own form anybody reports what they found.
    assert_eq!(
        front.report(json!({"secrets": [secret]})).await.status,
        StatusCode::OK
    );
    std::fs::remove_file(&file).unwrap();
    assert_eq!(
        send("k1", &right, &body).await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn a_report_is_bounded() {
    let front = Front::new().await;
    let many = json!({"secrets": vec!["x"; 101]});
    assert_eq!(front.report(many).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        front.report(json!({"other": []})).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    for round in 0..10_u8 {
        let secrets: Vec<String> = (0..100_u8)
            .map(|number| {
                let mut random = [number; 32];
                random[0] = round;
                SecretToken::new(SecretKind::Robot, random)
                    .into_secret()
                    .expose()
                    .clone()
            })
            .collect();
        assert_eq!(
            front.report(json!({ "secrets": secrets })).await.status,
            StatusCode::OK,
            "{round}"
        );
    }
    let braked = front.report(json!({"secrets": [unknown(200)]})).await;
    assert_eq!(braked.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!braked.header("retry-after").is_empty());
}
