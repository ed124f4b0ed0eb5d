use std::time::Duration;

use serde_json::{Value, json};
use shared::secret::Secret;

use crate::http::testing::{Front, PASSWORD};

const NONE: Value = Value::Null;

async fn id_of(front: &Front, repository: &str) -> String {
    let found = front
        .api("ada", "GET", &format!("/repositories?name={repository}"), NONE)
        .await
        .is(200);
    found["items"][0]["id"].as_str().unwrap().to_owned()
}

/// A site with comments, open at `ada/public`; the path of its comments.
async fn opened(front: &Front, newcomers_wait: bool) -> String {
    front.administrator("boss").await;
    let password = Secret::new(PASSWORD.to_owned());
    front.fixture.app.create_account("bob", password).await.unwrap();
    front
        .api("boss", "PUT", "/site/comments", json!({"allowed": true}))
        .await
        .is(200);
    let path = format!("/repositories/{}/comments", id_of(front, "ada/public").await);
    let settings = json!({"open": true, "newcomers_wait": newcomers_wait});
    front
        .api("ada", "PUT", &format!("{path}/settings"), settings)
        .await
        .is(200);
    path
}

async fn write(front: &Front, by: &str, path: &str, text: &str) -> String {
    let written = front.api(by, "POST", path, json!({"text": text})).await.is(201);
    front.fixture.clock.advance(Duration::from_secs(1));
    written["id"].as_str().unwrap().to_owned()
}

async fn texts(front: &Front, by: &str, path: &str) -> Vec<String> {
    let page = front.api(by, "GET", path, NONE).await.is(200);
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|one| one["text"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn there_are_no_comments_until_the_site_and_the_repository_have_opened_them() {
    let front = Front::new().await;
    front.administrator("boss").await;
    let path = format!("/repositories/{}/comments", id_of(&front, "ada/public").await);
    front
        .api("eve", "POST", &path, json!({"text": "hello"}))
        .await
        .is(404);
    let open = json!({"open": true});
    front
        .api("eve", "PUT", &format!("{path}/settings"), open.clone())
        .await
        .is(403);
    let settings = front
        .api("ada", "PUT", &format!("{path}/settings"), open)
        .await
        .is(200);
    assert_eq!(
        settings,
        json!({"open": true, "newcomers_wait": true, "allowed": false})
    );
    front.api("eve", "GET", &path, NONE).await.is(404);
    let allowed = json!({"allowed": true});
    front
        .api("ada", "PUT", "/site/comments", allowed.clone())
        .await
        .is(403);
    front
        .api("boss", "PUT", "/site/comments", allowed.clone())
        .await
        .is(200);
    assert_eq!(
        front.api("", "GET", "/site/comments", NONE).await.is(200),
        allowed
    );
    assert_eq!(texts(&front, "", &path).await, [""; 0]);
    // Of a private repository nobody hears by its comments either.
    let private = format!("/repositories/{}/comments", id_of(&front, "ada/private").await);
    front.api("eve", "GET", &private, NONE).await.is(404);
}

#[tokio::test]
async fn the_first_comment_of_somebody_waits_until_it_was_looked_at() {
    let front = Front::new().await;
    let path = opened(&front, true).await;
    let first = write(&front, "eve", &path, "**Hello** <script>x</script>").await;
    assert_eq!(texts(&front, "", &path).await, [""; 0]);
    assert_eq!(texts(&front, "eve", &path).await.len(), 1);
    front
        .api("eve", "GET", &format!("{path}/moderation"), NONE)
        .await
        .is(403);
    let waiting = front
        .api("ada", "GET", &format!("{path}/moderation"), NONE)
        .await
        .is(200);
    assert_eq!(waiting["items"][0]["comment"]["state"], "waiting");
    let verdict = format!("{path}/{first}/verdict");
    front
        .api("eve", "PUT", &verdict, json!({"shown": true}))
        .await
        .is(403);
    front
        .api("ada", "PUT", &verdict, json!({"shown": true}))
        .await
        .is(200);
    let shown = front.api("", "GET", &path, NONE).await.is(200);
    let html = shown["items"][0]["html"].as_str().unwrap();
    assert!(
        html.contains("<strong>Hello</strong>") && !html.contains("script"),
        "{html}"
    );
    // By now they are known.
    write(&front, "eve", &path, "Again").await;
    assert_eq!(texts(&front, "", &path).await[0], "Again");
    // Those who manage the repository never wait.
    write(&front, "ada", &path, "Welcome").await;
    assert_eq!(texts(&front, "", &path).await[0], "Welcome");
}

#[tokio::test]
async fn answers_stand_below_what_they_answer_until_the_thread_is_locked() {
    let front = Front::new().await;
    let path = opened(&front, false).await;
    let thread = write(&front, "eve", &path, "A question").await;
    let answer = json!({"text": "An answer", "reply_to": thread});
    let answer = front.api("ada", "POST", &path, answer).await.is(201);
    front.fixture.clock.advance(Duration::from_secs(1));
    let to_it = json!({"text": "Thanks", "reply_to": answer["id"]});
    let thanks = front.api("eve", "POST", &path, to_it.clone()).await.is(201);
    assert_eq!(thanks["thread"], thread);
    let replies = format!("{path}/{thread}/replies");
    assert_eq!(texts(&front, "", &replies).await, ["An answer", "Thanks"]);
    let list = front.api("", "GET", &path, NONE).await.is(200);
    assert_eq!(
        (&list["items"][0]["replies"], &list["items"][1]),
        (&json!(2), &NONE)
    );
    let locked = json!({"locked": true});
    let of_answer = format!("{path}/{}/verdict", answer["id"].as_str().unwrap());
    front.api("ada", "PUT", &of_answer, locked.clone()).await.is(400);
    front
        .api("ada", "PUT", &format!("{path}/{thread}/verdict"), locked)
        .await
        .is(200);
    front.api("eve", "POST", &path, to_it.clone()).await.is(403);
    front.api("ada", "POST", &path, to_it).await.is(201);
}

#[tokio::test]
async fn a_comment_is_changed_by_its_author_and_deleted_by_those_who_manage_too() {
    let front = Front::new().await;
    let path = opened(&front, false).await;
    let (first, second) = (
        write(&front, "eve", &path, "First").await,
        write(&front, "eve", &path, "Second").await,
    );
    let of = |id: &str| format!("{path}/{id}");
    let other = json!({"text": "Other"});
    front
        .api("ada", "PATCH", &of(&first), other.clone())
        .await
        .is(403);
    let changed = front
        .api("eve", "PATCH", &of(&first), other.clone())
        .await
        .is(200);
    assert!(changed["edited_at"].is_string(), "{changed}");
    front.api("eve", "DELETE", &of(&first), NONE).await.is(204);
    front.api("bob", "DELETE", &of(&second), NONE).await.is(403);
    front.api("ada", "DELETE", &of(&second), NONE).await.is(204);
    front.api("eve", "PATCH", &of(&first), other).await.is(409);
    let left = front.api("", "GET", &path, NONE).await.is(200);
    for one in left["items"].as_array().unwrap() {
        assert_eq!((&one["state"], &one["text"]), (&json!("deleted"), &json!("")));
    }
}

#[tokio::test]
async fn what_is_reported_is_shown_to_those_who_manage_and_hidden_by_them() {
    let front = Front::new().await;
    let path = opened(&front, false).await;
    let id = write(&front, "eve", &path, "Buy this").await;
    let report = format!("{path}/{id}/report");
    let reason = json!({"reason": "spam"});
    front.api("", "POST", &report, reason.clone()).await.is(401);
    for _ in 0..2 {
        front.api("bob", "POST", &report, reason.clone()).await.is(204);
    }
    front
        .api("bob", "POST", &report, json!({"reason": ""}))
        .await
        .is(400);
    let moderation = format!("{path}/moderation");
    let waiting = front.api("ada", "GET", &moderation, NONE).await.is(200);
    assert_eq!(waiting["items"][0]["reasons"], json!(["spam"]));
    front
        .api(
            "ada",
            "PUT",
            &format!("{path}/{id}/verdict"),
            json!({"shown": false}),
        )
        .await
        .is(200);
    assert_eq!(texts(&front, "bob", &path).await, [""; 0]);
    front.api("bob", "POST", &report, reason).await.is(404);
    let left = front.api("ada", "GET", &moderation, NONE).await.is(200);
    assert_eq!(left["items"], json!([]));
}

#[tokio::test]
async fn nobody_writes_more_than_twenty_within_an_hour() {
    let front = Front::new().await;
    let path = opened(&front, false).await;
    for (text, status) in [
        (String::new(), 400),
        ("  \n".to_owned(), 400),
        ("a".repeat(10_001), 400),
        ("a\u{1b}".to_owned(), 400),
    ] {
        front
            .api("eve", "POST", &path, json!({"text": text}))
            .await
            .is(status);
    }
    for number in 0..20 {
        write(&front, "eve", &path, &format!("number {number}")).await;
    }
    let braked = front.api("eve", "POST", &path, json!({"text": "one more"})).await;
    assert_eq!(braked.status.as_u16(), 429);
    assert!(!braked.header("retry-after").is_empty());
    let first = front
        .api("", "GET", &format!("{path}?limit=15"), NONE)
        .await
        .is(200);
    let next = first["next"].as_str().unwrap();
    let rest = texts(&front, "", &format!("{path}?limit=15&after={next}")).await;
    assert_eq!((rest.len(), rest[4].as_str()), (5, "number 0"));
}

/// What an account is told about comments, the newest first: kind and who.
async fn told(front: &Front, name: &str) -> Vec<(String, String)> {
    let page = front
        .api(name, "GET", "/account/notifications", NONE)
        .await
        .is(200);
    let word = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|one| (word(one, "kind"), word(one, "actor"))).collect()
}

fn pair(kind: &str, actor: &str) -> (String, String) {
    (kind.to_owned(), actor.to_owned())
}

#[tokio::test]
async fn owners_and_those_who_are_answered_are_told_of_comments() {
    let front = Front::new().await;
    let path = opened(&front, false).await;
    let first = write(&front, "eve", &path, "hello").await;
    assert_eq!(told(&front, "ada").await, [pair("comment", "eve")]);
    assert!(told(&front, "eve").await.is_empty(), "who wrote it knows");
    let answer = json!({"text": "hi", "reply_to": first});
    front.api("bob", "POST", &path, answer.clone()).await.is(201);
    assert_eq!(told(&front, "eve").await, [pair("reply", "bob")]);
    assert_eq!(
        told(&front, "ada").await,
        [pair("comment", "bob"), pair("comment", "eve")]
    );
    // Whoever does not see the repository any more is told nothing of it.
    let id = path.split('/').nth(2).unwrap();
    let private = json!({"visibility": "private"});
    front
        .api("ada", "PATCH", &format!("/repositories/{id}"), private)
        .await
        .is(200);
    front.fixture.clock.advance(Duration::from_secs(1));
    front.api("ada", "POST", &path, answer).await.is(201);
    assert_eq!(told(&front, "eve").await.len(), 1);
    assert_eq!(told(&front, "ada").await.len(), 2, "who wrote it knows");
}

#[tokio::test]
async fn a_comment_that_waits_is_told_to_owners_and_answers_are_told_once_it_is_shown() {
    let front = Front::new().await;
    let path = opened(&front, true).await;
    let first = write(&front, "ada", &path, "hello").await;
    let answer = json!({"text": "hi", "reply_to": first});
    let waiting = front.api("eve", "POST", &path, answer).await.is(201);
    assert_eq!(told(&front, "ada").await, [pair("approval", "eve")]);
    front.fixture.clock.advance(Duration::from_secs(1));
    let one = format!("{path}/{}", waiting["id"].as_str().unwrap());
    front
        .api("ada", "PUT", &format!("{one}/verdict"), json!({"shown": true}))
        .await
        .is(200);
    assert_eq!(
        told(&front, "ada").await,
        [pair("reply", "eve"), pair("approval", "eve")]
    );
}
