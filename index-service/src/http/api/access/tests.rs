use serde_json::{Value, json};

use crate::http::testing::{Front, PASSWORD, basic};

const NONE: Value = Value::Null;

async fn why(front: &Front, by: &str, query: &str) -> crate::http::testing::Answer {
    front
        .api(by, "GET", &format!("/access/explain?{query}"), NONE)
        .await
}

/// The notes of a token for these scopes, with this credential.
async fn notes(front: &Front, credential: Option<&str>, repository: &str) -> Value {
    let query = format!("/token?service=localhost:5000&scope=repository:{repository}:pull,push");
    front.get(&query, credential).await.claims()["why"].clone()
}

#[tokio::test]
async fn the_answer_names_what_gives_a_right_and_what_is_missing() {
    let front = Front::new().await;
    let rule = json!({"subject": {"kind": "account", "name": "eve"}, "repository": "ada/private",
        "rights": ["pull", "push"], "push_tags": ["v*"]});
    let rule = front.api("ada", "POST", "/rules", rule).await.is(201);
    for (by, query, allowed, says) in [
        (
            "ada",
            "repository=ada/private&action=delete",
            true,
            "it owns the namespace ada".to_owned(),
        ),
        (
            "ada",
            "repository=ada/new&action=push",
            true,
            "it owns the namespace ada".to_owned(),
        ),
        (
            "eve",
            "repository=ada/private&action=push",
            true,
            format!(
                "rule {} gives pull,push to account eve, push for the tags v*",
                rule["id"].as_str().unwrap()
            ),
        ),
        (
            "eve",
            "repository=ada/private&action=delete",
            false,
            "no role, no rule".to_owned(),
        ),
        (
            "eve",
            "repository=ada/public&action=pull",
            true,
            "the repository is public".to_owned(),
        ),
        (
            "ada",
            "repository=ada/private&action=push&subject=account:eve",
            true,
            "allowed for the tags v*".to_owned(),
        ),
        (
            "ada",
            "repository=ada/private&action=pull&subject=anonymous",
            false,
            "no role, no rule and no visibility gives pull here".to_owned(),
        ),
    ] {
        let answer = why(&front, by, query).await.is(200);
        assert_eq!(answer["allowed"], allowed, "{query}: {answer}");
        assert!(
            answer["text"].as_str().unwrap().contains(&says),
            "{query}: {answer}"
        );
    }
}

#[tokio::test]
async fn strangers_are_told_what_they_are_told_of_nothing() {
    let front = Front::new().await;
    let hidden = why(&front, "eve", "repository=ada/private&action=pull")
        .await
        .is(404);
    let missing = why(&front, "eve", "repository=ada/missing&action=pull")
        .await
        .is(404);
    assert_eq!(
        hidden.to_string().replace("ada/private", "ada/missing"),
        missing.to_string()
    );
    for subject in ["account:ada", "account:none", "anonymous", "robot:ada+ci"] {
        why(
            &front,
            "eve",
            &format!("repository=ada/private&action=pull&subject={subject}"),
        )
        .await
        .is(404);
        why(
            &front,
            "eve",
            &format!("repository=ada/public&action=pull&subject={subject}"),
        )
        .await
        .is(403);
    }
    for (query, status) in [
        ("repository=ada/private&action=fly", 400),
        ("repository=ada/private&action=pull&subject=world", 400),
        ("repository=ada/private&action=pull&subject=account:none", 404),
        ("repository=ada/private&action=pull&subject=robot:none", 404),
        ("repository=ADA/x&action=pull", 404),
    ] {
        assert_eq!(why(&front, "ada", query).await.status.as_u16(), status, "{query}");
    }
}

#[tokio::test]
async fn a_former_name_says_what_the_repository_is_called() {
    let front = Front::new().await;
    let rule =
        json!({"subject": {"kind": "account", "name": "eve"}, "repository": "ada/private", "role": "write"});
    front.api("ada", "POST", "/rules", rule).await.is(201);
    let found = front
        .api("ada", "GET", "/repositories?name=ada/private", NONE)
        .await
        .is(200);
    let path = format!(
        "/repositories/{}/transfer",
        found["items"][0]["id"].as_str().unwrap()
    );
    front
        .api("ada", "POST", &path, json!({"name": "ada/renamed"}))
        .await
        .is(200);
    let pull = why(&front, "eve", "repository=ada/private&action=pull")
        .await
        .is(200);
    assert_eq!(pull["allowed"], true);
    let push = why(&front, "eve", "repository=ada/private&action=push")
        .await
        .is(200);
    assert_eq!(push["allowed"], false);
    assert!(
        push["text"]
            .as_str()
            .unwrap()
            .ends_with("the repository is called ada/renamed"),
        "{push}"
    );
}

#[tokio::test]
async fn a_token_says_why_it_holds_less_than_was_asked_for() {
    let front = Front::new().await;
    let rule =
        json!({"subject": {"kind": "account", "name": "eve"}, "repository": "ada/private", "role": "read"});
    front.api("ada", "POST", "/rules", rule).await.is(201);
    let eve = basic("eve", PASSWORD);
    let note = |name: &str, text: &str| json!([{"name": name, "text": text}]);
    assert_eq!(
        notes(&front, Some(&eve), "ada/private").await,
        note(
            "ada/private",
            "signed in as eve with the password: push is not allowed here, pull is"
        )
    );
    let nothing = "signed in as eve with the password, which opens nothing here";
    for repository in ["ada/other", "nothing/x"] {
        assert_eq!(
            notes(&front, Some(&eve), repository).await,
            note(repository, nothing)
        );
    }
    let secret = front.access_token(shared::token::Actions::PULL, "ada/*").await;
    let limited = basic("ada", &secret);
    assert_eq!(
        notes(&front, Some(&limited), "ada/private").await,
        note(
            "ada/private",
            "signed in as ada with access token 'ci', which is for pull here, not push"
        )
    );
    // What is granted needs no note, and who is not signed in gets none.
    assert_eq!(
        notes(&front, Some(&basic("ada", PASSWORD)), "ada/private").await,
        NONE
    );
    assert_eq!(notes(&front, None, "ada/private").await, NONE);
}
