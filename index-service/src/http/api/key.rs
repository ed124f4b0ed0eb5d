//! `/api/v1/keys`: the keys that sign registry tokens.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::SignedIn;
use super::instant::Instant;
use super::problem::Problem;
use crate::app::audit::By;
use crate::app::key::ShownKey;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(rotate))
        .routes(routes!(revoke))
}

/// A key that signs registry tokens, will sign them or has signed them.
#[derive(Debug, Serialize, ToSchema)]
struct Key {
    /// Its key id (`kid`).
    id: String,
    /// `next`, `current` or `retired`.
    state: &'static str,
    /// Since when it is published.
    published_at: Instant,
    /// The next key: from when on it signs, when that is decided.
    signs_from: Option<Instant>,
    /// Since when it signs, or when it began to.
    signed_from: Option<Instant>,
    /// A retired key: until when it is published.
    withdrawn_at: Option<Instant>,
    /// The id of the master key that its private key is encrypted with; absent when it lies in the clear.
    encrypted_with: Option<String>,
}

/// All keys.
#[derive(Debug, Serialize, ToSchema)]
struct Keys {
    /// The next one, the current one, the retired ones.
    items: Vec<Key>,
}

/// What was decided.
#[derive(Debug, Serialize, ToSchema)]
struct KeyRotation {
    /// From when on the next key signs.
    signs_from: Instant,
}

/// Keys that sign registry tokens
#[utoipa::path(get, path = "/keys", tag = "keys", responses((status = 200, body = Keys), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn list(State(state): State<super::State>, SignedIn(caller): SignedIn) -> Result<Json<Keys>, Problem> {
    let keys = state.app.list_keys(By::Caller(&caller)).await?;
    Ok(Json(Keys {
        items: keys.into_iter().map(show).collect(),
    }))
}

/// Let the next key sign
///
/// It does so once registries have had the time to learn of it; until then the current one signs on. Asked again meanwhile,
/// it is the same rotation. Tokens of the key before stay valid.
#[utoipa::path(post, path = "/keys/rotations", tag = "keys", responses((status = 202, body = KeyRotation),
    (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn rotate(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
) -> Result<(StatusCode, Json<KeyRotation>), Problem> {
    let signs_from = Instant(state.app.rotate_keys(By::Caller(&caller)).await?);
    Ok((StatusCode::ACCEPTED, Json(KeyRotation { signs_from })))
}

/// What ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyRevocation {
    /// Whether the certificate that vouches for the keys is replaced too. Registries that were given it (`rootcertbundle`)
    /// then need the new one.
    #[serde(default)]
    authority: bool,
}

/// What was ended.
#[derive(Debug, Serialize, ToSchema)]
struct RevokedKeys {
    /// How many keys.
    ended: usize,
}

/// Put new keys in the place of all there are
///
/// For when one was stolen. Tokens that were signed until now are refused as soon as a registry has fetched the keys again.
#[utoipa::path(post, path = "/keys/revocations", tag = "keys", request_body = KeyRevocation,
    responses((status = 200, body = RevokedKeys), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn revoke(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Json(wish): Json<KeyRevocation>,
) -> Result<Json<RevokedKeys>, Problem> {
    let by = By::Caller(&caller);
    let ended = state.app.revoke_keys(by, wish.authority).await?;
    Ok(Json(RevokedKeys { ended }))
}

fn show(key: ShownKey) -> Key {
    Key {
        state: key.facts.state.as_str(),
        id: key.facts.key_id,
        published_at: Instant(key.facts.created_at),
        signs_from: key.signs_from.map(Instant),
        signed_from: key.facts.activated_at.map(Instant),
        withdrawn_at: key.facts.withdraw_at.map(Instant),
        encrypted_with: key.encrypted_with,
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, StatusCode};

    use crate::app::KeyOptions;
    use crate::app::fixture::Fixture;
    use crate::domain::RotationPlan;
    use crate::http::testing::{Front, PASSWORD, basic};
    use crate::store::Store;

    #[tokio::test]
    async fn administrators_list_and_rotate_keys_and_others_do_not() {
        let options = KeyOptions {
            issuer: "portolan".to_owned(),
            folder: None,
            master: None,
            plan: RotationPlan {
                every: None,
                notice: 0,
                overlap: 1000,
            },
        };
        let store = Store::open("sqlite::memory:").await.unwrap();
        let front = Front::over(Fixture::with_keys(store, options).await).await;
        let password = front.fixture.app.ensure_admin().await.unwrap().unwrap();
        let admin = basic("admin", password.expose());
        let rotate = async |who: &str| {
            let request = Request::post("/api/v1/keys/rotations").header("authorization", who);
            front.send(request.body(axum::body::Body::empty()).unwrap()).await
        };
        let before = front.get("/api/v1/keys", Some(&admin)).await.ok();
        assert_eq!(before["items"][0]["state"], "next");
        assert_eq!(before["items"][1]["state"], "current");
        let answer = rotate(&admin).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        assert_eq!(answer.json()["signs_from"], "2027-01-15T08:00:00Z");
        let after = front.get("/api/v1/keys", Some(&admin)).await.ok();
        assert_eq!(after["items"][1]["id"], before["items"][0]["id"]);
        assert_eq!(after["items"][2]["id"], before["items"][1]["id"]);
        assert!(!after.to_string().contains("PRIVATE"), "{after}");
        let ada = basic("ada", PASSWORD);
        assert_eq!(rotate(&ada).await.status, StatusCode::FORBIDDEN);
        assert_eq!(
            front.get("/api/v1/keys", Some(&ada)).await.status,
            StatusCode::FORBIDDEN
        );
        assert_eq!(
            front.get("/api/v1/keys", None).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
}
