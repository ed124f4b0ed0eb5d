//! What each client sends first, and what it falls back to.

use axum::body::Body;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{Request, StatusCode};

use crate::http::testing::{Answer, Front, PASSWORD, basic};

const SERVICE: &str = "service=localhost%3A5000";
const PULL: &str = "repository%3Aada%2Fprivate%3Apull";
const GRANTED: &str = "repository:ada/private:pull";

impl Front {
    async fn client_get(&self, agent: &str, query: &str, credential: Option<&str>) -> Answer {
        let mut request = Request::get(format!("/token?{query}")).header(USER_AGENT, agent);
        if let Some(password) = credential {
            request = request.header(AUTHORIZATION, basic("ada", password));
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn client_post(&self, agent: &str, form: &str) -> Answer {
        let request = Request::post("/token")
            .header(USER_AGENT, agent)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.send(request).await
    }
}

#[tokio::test]
async fn docker_logs_in_with_get_keeps_the_refresh_token_and_posts_it_from_then_on() {
    let front = Front::new().await;
    let agent = "docker/20.10.24 go/go1.19 UpstreamClient(Docker-Client/20.10.24)";
    let login = format!("account=ada&client_id=docker&offline_token=true&{SERVICE}");
    let refresh = front.client_get(agent, &login, Some(PASSWORD)).await.ok()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let form = format!(
        "client_id=docker&grant_type=refresh_token&refresh_token={refresh}&scope={PULL}+repository%3Aada%2Fpublic%3Apull&{SERVICE}"
    );
    assert_eq!(
        front.client_post(agent, &form).await.scope(),
        format!("{GRANTED} repository:ada/public:pull")
    );
    // Without a stored refresh token: GET with Basic, one scope parameter for each repository.
    let query = format!("account=ada&scope={PULL}%2Cpush&scope={PULL}&{SERVICE}");
    assert_eq!(
        front.client_get(agent, &query, Some(PASSWORD)).await.scope(),
        "repository:ada/private:pull,push"
    );
    let search = format!(
        "client_id=docker&grant_type=refresh_token&refresh_token={refresh}&scope=registry%3Acatalog%3Asearch&{SERVICE}"
    );
    assert_eq!(
        front.client_post(agent, &search).await.scope(),
        "registry:catalog:search"
    );
}

#[tokio::test]
async fn docker_shows_the_text_of_a_wrong_password() {
    let front = Front::new().await;
    let login = format!("account=ada&client_id=docker&offline_token=true&{SERVICE}");
    let answer = front
        .client_get("docker/28", &login, Some("not her password"))
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["details"], "incorrect user name, password or token");
}

#[tokio::test]
async fn containerd_posts_the_password_first_and_gets_when_that_is_refused() {
    let front = Front::new().await;
    let agent = "containerd/v2.1.4";
    let form = format!(
        "client_id=containerd-client&grant_type=password&password={PASSWORD}&scope={PULL}&{SERVICE}&username=ada"
    );
    let answer = front.client_post(agent, &form).await;
    assert_eq!(
        (answer.scope().as_str(), answer.ok()["expires_in"].as_i64()),
        (GRANTED, Some(300))
    );
    // A user without a name means a refresh token.
    let refresh = format!(
        "client_id=containerd-client&grant_type=refresh_token&refresh_token=x&scope={PULL}&{SERVICE}"
    );
    assert_eq!(
        front.client_post(agent, &refresh).await.status,
        StatusCode::UNAUTHORIZED
    );
    let query = format!("scope={PULL}&{SERVICE}");
    assert_eq!(
        front.client_get(agent, &query, Some(PASSWORD)).await.scope(),
        GRANTED
    );
    assert_eq!(front.client_get(agent, &query, None).await.scope(), "");
}

#[tokio::test]
async fn buildkit_gets_first_and_posts_when_that_is_refused() {
    let front = Front::new().await;
    let agent = "buildkit/v0.23";
    let query = format!("scope={PULL}%2Cpush&scope=repository%3Aada%2Fpublic%3Apull&{SERVICE}");
    assert_eq!(
        front.client_get(agent, &query, Some(PASSWORD)).await.scope(),
        "repository:ada/private:pull,push repository:ada/public:pull"
    );
    let form = format!(
        "client_id=buildkit-client&grant_type=password&password={PASSWORD}&scope={PULL}&{SERVICE}&username=ada"
    );
    assert_eq!(front.client_post(agent, &form).await.scope(), GRANTED);
}

#[tokio::test]
async fn buildx_posts_on_the_side_of_the_client() {
    let front = Front::new().await;
    let form = format!(
        "client_id=buildkit-client&grant_type=password&password={PASSWORD}&scope={PULL}%2Cpush&{SERVICE}&username=ada"
    );
    assert_eq!(
        front.client_post("buildx", &form).await.scope(),
        "repository:ada/private:pull,push"
    );
    let wrong = form.replace(PASSWORD, "not+her+password");
    assert_eq!(
        front.client_post("buildx", &wrong).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn skopeo_podman_and_buildah_get_with_the_account_and_post_identity_tokens() {
    let front = Front::new().await;
    let agent = "containers/5.36 (github.com/containers/image)";
    let query = format!("account=ada&scope={PULL}%2Cpush&{SERVICE}");
    assert_eq!(
        front.client_get(agent, &query, Some(PASSWORD)).await.scope(),
        "repository:ada/private:pull,push"
    );
    assert!(
        front
            .client_get(agent, &format!("account=ada&{SERVICE}"), Some(PASSWORD))
            .await
            .ok()["token"]
            .is_string()
    );
    let refresh = front.ada("offline_token=true").await.ok()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    // The scope field is repeated, and the service is left out when the challenge had none.
    let form = format!(
        "client_id=containers%2Fimage&grant_type=refresh_token&refresh_token={refresh}&scope={PULL}&scope=repository%3Aada%2Fpublic%3Apull"
    );
    assert_eq!(
        front.client_post(agent, &form).await.scope(),
        format!("{GRANTED} repository:ada/public:pull")
    );
}

#[tokio::test]
async fn crane_ko_and_kaniko_get_and_post_identity_tokens() {
    let front = Front::new().await;
    let agent = "go-containerregistry/v0.20";
    let query = format!("scope=repository%3Aada%2Fprivate%3Apush%2Cpull&{SERVICE}");
    let answer = front.client_get(agent, &query, Some(PASSWORD)).await;
    assert_eq!(answer.scope(), "repository:ada/private:pull,push");
    assert!(answer.body.len() < 64 * 1024);
    let refresh = front.ada("offline_token=true").await.ok()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let form = format!(
        "client_id=go-containerregistry&grant_type=refresh_token&refresh_token={refresh}&scope={PULL}&{SERVICE}"
    );
    assert_eq!(front.client_post(agent, &form).await.scope(), GRANTED);
}

#[tokio::test]
async fn regclient_gets_and_posts_first_when_it_holds_a_refresh_token() {
    let front = Front::new().await;
    let agent = "regclient/regctl (v0.9)";
    let query = format!("client_id=regclient&account=ada&scope={PULL}&{SERVICE}");
    assert_eq!(
        front.client_get(agent, &query, Some(PASSWORD)).await.scope(),
        GRANTED
    );
    let form =
        format!("client_id=regclient&grant_type=refresh_token&refresh_token=stale&scope={PULL}&{SERVICE}");
    assert_eq!(
        front.client_post(agent, &form).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        front.client_get(agent, &query, Some(PASSWORD)).await.scope(),
        GRANTED
    );
}

#[tokio::test]
async fn the_kubelet_knows_user_names_and_passwords_alone_so_an_access_token_is_enough() {
    let front = Front::new().await;
    let secret = front.access_token(shared::token::Actions::PULL, "ada/*").await;
    let query = format!("scope={PULL}&{SERVICE}");
    let answer = front.client_get("containerd/v2.1.4", &query, Some(&secret)).await;
    assert_eq!(answer.scope(), GRANTED);
    // What `docker login` with it stores is still a password.
    let login = format!("account=ada&client_id=docker&offline_token=true&{SERVICE}");
    assert!(
        front
            .client_get("docker/28", &login, Some(&secret))
            .await
            .ok()
            .get("refresh_token")
            .is_none()
    );
}

#[tokio::test]
async fn oras_sends_sorted_scopes_and_oras_py_none_but_those_of_the_challenge() {
    let front = Front::new().await;
    let query = format!("scope=repository%3Aada%2Fprivate%3Adelete%2Cpull&{SERVICE}");
    assert_eq!(
        front.client_get("oras/1.3", &query, Some(PASSWORD)).await.scope(),
        "repository:ada/private:pull,delete"
    );
    let query = format!("{SERVICE}&scope={PULL}");
    assert_eq!(
        front
            .client_get("python-requests/2.32", &query, Some(PASSWORD))
            .await
            .scope(),
        GRANTED
    );
}
