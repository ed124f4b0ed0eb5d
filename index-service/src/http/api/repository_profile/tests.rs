use serde_json::{Value, json};
use shared::token::{Action, Actions};

use crate::http::testing::{Front, basic};

const NONE: Value = Value::Null;

async fn id_of(front: &Front, by: &str, repository: &str) -> String {
    let found = front
        .api(by, "GET", &format!("/repositories?name={repository}"), NONE)
        .await
        .is(200);
    found["items"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_description_is_kept_byte_for_byte_and_rendered_harmlessly() {
    let front = Front::new().await;
    let id = id_of(&front, "ada", "ada/public").await;
    let path = format!("/repositories/{id}/description");
    let empty = front.api("", "GET", &path, NONE).await.is(200);
    assert_eq!((&empty["summary"], &empty["stars"]), (&json!(""), &json!(0)));
    let text = "\r\n# Größe 镜像 \t\n\n<script>x</script>\n\n\u{feff}end  \n";
    let change = json!({"summary": "A web server", "description": text, "topics": ["Web Server", "镜像", "web_server"]});
    front.api("ada", "PATCH", &path, change).await.is(200);
    let shown = front.api("", "GET", &path, NONE).await.is(200);
    assert_eq!(shown["description"], text);
    assert!(!shown["description_html"].as_str().unwrap().contains("script"));
    assert_eq!(shown["topics"], json!(["web-server", "镜像"]));
    front
        .api("ada", "PATCH", &path, json!({"summary": "Other"}))
        .await
        .is(200);
    let shown = front.api("", "GET", &path, NONE).await.is(200);
    assert_eq!(
        (&shown["summary"], &shown["description"]),
        (&json!("Other"), &json!(text))
    );
    for (change, status) in [
        (json!({"summary": "a".repeat(101)}), 400),
        (json!({"summary": "a\nb"}), 400),
        (json!({"description": "a".repeat(25_000)}), 200),
        (json!({"description": "a".repeat(25_001)}), 400),
        (json!({"description": "a\u{0}"}), 400),
        (json!({"topics": ["no/topic"]}), 400),
        (
            json!({"topics": (0..21).map(|n| format!("t{n}")).collect::<Vec<_>>()}),
            400,
        ),
        (json!({"topics": []}), 200),
        (json!({"other": 1}), 422),
    ] {
        let answer = front.api("ada", "PATCH", &path, change.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{change} {}", answer.body);
    }
}

#[tokio::test]
async fn only_those_who_manage_a_repository_describe_it_and_others_do_not_hear_of_a_private_one() {
    let front = Front::new().await;
    let id = id_of(&front, "ada", "ada/public").await;
    let private = id_of(&front, "ada", "ada/private").await;
    let (path, hidden) = (
        format!("/repositories/{id}/description"),
        format!("/repositories/{private}/description"),
    );
    let change = json!({"summary": "x"});
    front.api("eve", "PATCH", &path, change.clone()).await.is(403);
    front.api("", "PATCH", &path, change.clone()).await.is(401);
    for (method, body) in [("GET", NONE), ("PATCH", change.clone())] {
        let there = front.api("eve", method, &hidden, body.clone()).await;
        let absent = front
            .api("eve", method, "/repositories/1/description", body)
            .await;
        assert_eq!((there.status.as_u16(), &there.body), (404, &absent.body));
    }
    front
        .api("eve", "PUT", &format!("/repositories/{private}/star"), NONE)
        .await
        .is(404);
    // A token for pushes does not reach it, one that manages does.
    let push = front
        .access_token(Actions::NONE.with(Action::Push).with(Action::Pull), "*")
        .await;
    let request = |token: &str| {
        http::Request::patch(format!("/api/v1{path}"))
            .header("authorization", basic("ada", token))
            .header("content-type", "application/json")
            .body(axum::body::Body::from(change.to_string()))
            .unwrap()
    };
    assert_eq!(front.send(request(&push)).await.status.as_u16(), 403);
    let made = front
        .api(
            "ada",
            "POST",
            "/access-tokens",
            json!({"label": "readme", "limits": [{"rights": ["pull", "manage"], "pattern": "ada/*"}]}),
        )
        .await;
    if made.status.as_u16() == 201 {
        let token = made.json()["secret"].as_str().unwrap().to_owned();
        assert_eq!(front.send(request(&token)).await.status.as_u16(), 200);
    } else {
        panic!("{made:?}");
    }
}

#[tokio::test]
async fn stars_count_once_and_follow_a_repository_to_its_new_name() {
    let front = Front::new().await;
    let id = id_of(&front, "ada", "ada/public").await;
    let star = format!("/repositories/{id}/star");
    for by in ["ada", "eve", "eve"] {
        front.api(by, "PUT", &star, NONE).await.is(204);
    }
    front.api("", "PUT", &star, NONE).await.is(401);
    let transfer = format!("/repositories/{id}/transfer");
    front
        .api("ada", "POST", &transfer, json!({"name": "ada/renamed"}))
        .await
        .is(200);
    let shown = front
        .api("eve", "GET", &format!("/repositories/{id}/description"), NONE)
        .await
        .is(200);
    assert_eq!((&shown["stars"], &shown["starred"]), (&json!(2), &json!(true)));
    let list = front.api("eve", "GET", "/stars", NONE).await.is(200);
    assert_eq!(list["items"][0]["repository"]["name"], "ada/renamed");
    front.api("eve", "DELETE", &star, NONE).await.is(204);
    front.api("eve", "DELETE", &star, NONE).await.is(204);
    let found = front.api("", "GET", "/search?q=renamed", NONE).await.is(200);
    assert_eq!(found["items"][0]["stars"], 1);
    // What one may not see any more is in no list of stars.
    front.api("eve", "PUT", &star, NONE).await.is(204);
    front
        .api(
            "ada",
            "PATCH",
            &format!("/repositories/{id}"),
            json!({"visibility": "private"}),
        )
        .await
        .is(200);
    let list = front.api("eve", "GET", "/stars", NONE).await.is(200);
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn administrators_verify_namespaces() {
    let front = Front::new().await;
    front.administrator("boss").await;
    front
        .api("ada", "PUT", "/namespaces/ada/verified", NONE)
        .await
        .is(403);
    front
        .api("boss", "PUT", "/namespaces/ada/verified", NONE)
        .await
        .is(204);
    let found = front.api("", "GET", "/search?q=public", NONE).await.is(200);
    assert_eq!(found["items"][0]["verified"], true);
    front
        .api("boss", "DELETE", "/namespaces/ada/verified", NONE)
        .await
        .is(204);
    let found = front.api("", "GET", "/search?q=public", NONE).await.is(200);
    assert_eq!(found["items"][0]["verified"], false);
    front
        .api("boss", "PUT", "/namespaces/nobody/verified", NONE)
        .await
        .is(404);
}

#[tokio::test]
async fn categories_are_the_administrators_and_bookmarks_ones_own() {
    let front = Front::new().await;
    front.administrator("boss").await;
    let name = json!({"name": "Databases"});
    front
        .api("ada", "PUT", "/categories/databases", name.clone())
        .await
        .is(403);
    front
        .api("boss", "PUT", "/categories/databases", name.clone())
        .await
        .is(200);
    front.api("boss", "PUT", "/categories/a%2Fb", name).await.is(400);
    let list = front.api("", "GET", "/categories", NONE).await.is(200);
    assert_eq!(list["items"], json!([{"slug": "databases", "name": "Databases"}]));
    let id = id_of(&front, "ada", "ada/public").await;
    let path = format!("/repositories/{id}/description");
    front
        .api("ada", "PATCH", &path, json!({"categories": ["other"]}))
        .await
        .is(400);
    front
        .api("ada", "PATCH", &path, json!({"categories": ["databases"]}))
        .await
        .is(200);
    let found = front
        .api("", "GET", "/search?category=databases", NONE)
        .await
        .is(200);
    assert_eq!(found["items"][0]["name"], "ada/public");
    front
        .api("boss", "DELETE", "/categories/databases", NONE)
        .await
        .is(409);
    front
        .api("ada", "PATCH", &path, json!({"categories": []}))
        .await
        .is(200);
    front
        .api("boss", "DELETE", "/categories/databases", NONE)
        .await
        .is(204);
    front
        .api("boss", "DELETE", "/categories/databases", NONE)
        .await
        .is(404);

    let private = id_of(&front, "ada", "ada/private").await;
    for list in ["Later", "later", "work"] {
        front
            .api("eve", "PUT", &format!("/bookmarks/{list}/{id}"), NONE)
            .await
            .is(204);
    }
    front
        .api("eve", "PUT", &format!("/bookmarks/work/{private}"), NONE)
        .await
        .is(404);
    let first = front.api("eve", "GET", "/bookmarks?limit=1", NONE).await.is(200);
    assert_eq!(
        (
            &first["items"][0]["list"],
            &first["items"][0]["repository"]["name"]
        ),
        (&json!("later"), &json!("ada/public"))
    );
    let after = first["next"].as_str().unwrap();
    let second = front
        .api("eve", "GET", &format!("/bookmarks?after={after}"), NONE)
        .await
        .is(200);
    assert_eq!(
        (&second["items"][0]["list"], &second["next"]),
        (&json!("work"), &NONE)
    );
    assert_eq!(
        front.api("ada", "GET", "/bookmarks", NONE).await.is(200)["items"],
        json!([])
    );
    front
        .api("eve", "DELETE", &format!("/bookmarks/later/{id}"), NONE)
        .await
        .is(204);
    assert_eq!(
        front.api("eve", "GET", "/bookmarks", NONE).await.is(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
