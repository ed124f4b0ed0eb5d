use serde_json::{Value, json};

use crate::http::testing::{Answer, Front, PASSWORD, basic, name};

const NONE: Value = Value::Null;

fn names(answer: &Answer) -> Vec<String> {
    let results = answer.ok()["results"].as_array().unwrap().clone();
    results
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_ping_tells_docker_not_to_send_passwords_unasked() {
    let front = Front::new().await;
    let answer = front.get("/v1/_ping", None).await;
    assert_eq!(answer.ok(), json!({"standalone": false}));
    assert_eq!(answer.header("x-docker-registry-standalone"), "false");
}

#[tokio::test]
async fn a_search_shows_what_its_reader_may_pull_however_it_signs_in() {
    let front = Front::new().await;
    let query = "scope=registry:catalog:search";
    let token = front.ada(query).await.ok()["token"].as_str().unwrap().to_owned();
    let anonymous = front.anonymous(query).await.ok()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let (ada, eve) = (basic("ada", PASSWORD), basic("eve", PASSWORD));
    let (token, anonymous) = (format!("Bearer {token}"), format!("Bearer {anonymous}"));
    for (who, expected) in [
        (None, vec!["ada/public"]),
        (Some(anonymous.as_str()), vec!["ada/public"]),
        (Some(ada.as_str()), vec!["ada/private", "ada/public"]),
        (Some(token.as_str()), vec!["ada/private", "ada/public"]),
        (Some(eve.as_str()), vec!["ada/public"]),
    ] {
        let mut found = names(&front.get("/v1/search?q=ada&n=25", who).await);
        found.sort();
        assert_eq!(found, expected, "{who:?}");
    }
    for wrong in [basic("ada", "not her password"), "Bearer x".to_owned()] {
        assert_eq!(
            front.get("/v1/search?q=ada", Some(&wrong)).await.status.as_u16(),
            401
        );
    }
}

#[tokio::test]
async fn the_answer_has_the_fields_that_clients_read() {
    let front = Front::new().await;
    let id = front
        .api("ada", "GET", "/repositories?name=ada/public", NONE)
        .await
        .is(200)["items"][0]["id"]
        .clone();
    let id = id.as_str().unwrap();
    front
        .api(
            "ada",
            "PATCH",
            &format!("/repositories/{id}/description"),
            json!({"summary": "镜像 of ours"}),
        )
        .await
        .is(200);
    front
        .api("ada", "PUT", &format!("/repositories/{id}/star"), NONE)
        .await
        .is(204);
    let result = json!({"name": "ada/public", "description": "镜像 of ours", "star_count": 1, "is_official": false,
        "is_automated": false});
    for query in [
        "q=%E9%95%9C%E5%83%8F&n=1",
        "q=jx",
        "q=PUBLIC",
        "q=ada%2Fpub",
        "q=",
        "",
        "q=public&n=x",
        "q=public&page=0",
    ] {
        let answer = front.get(&format!("/v1/search?{query}"), None).await.ok();
        assert_eq!(answer["results"], json!([result]), "{query}");
        assert_eq!(answer["num_results"], 1);
    }
    for query in ["q=public&page=2", "q=*", "q=%00", "q=nothing", "q=public+nothing"] {
        let answer = front.get(&format!("/v1/search?{query}"), None).await.ok();
        assert_eq!(answer["results"], json!([]), "{query}");
    }
}

#[tokio::test]
async fn pages_of_the_api_follow_each_other_and_filters_hold() {
    let front = Front::new().await;
    let app = &front.fixture.app;
    for n in 0..5 {
        let repository = name(&format!("eve/tool-{n}"));
        app.confirm_pushed(&repository).await.unwrap();
        app.set_visibility(&repository, crate::domain::Visibility::Public)
            .await
            .unwrap();
    }
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = front
            .api("", "GET", &format!("/search?q=tool&limit=2{after}"), NONE)
            .await
            .is(200);
        assert_eq!((&page["total"], &page["more"]), (&json!(5), &json!(false)));
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["name"].to_string()),
        );
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen.len(), 5);
    let id = front
        .api("eve", "GET", "/repositories?name=eve/tool-3", NONE)
        .await
        .is(200)["items"][0]["id"]
        .clone();
    let id = id.as_str().unwrap();
    front
        .api("ada", "PUT", &format!("/repositories/{id}/star"), NONE)
        .await
        .is(204);
    front
        .api(
            "eve",
            "PATCH",
            &format!("/repositories/{id}/description"),
            json!({"topics": ["cli"]}),
        )
        .await
        .is(200);
    for (filter, count) in [
        ("stars=1", 1),
        ("stars=2", 0),
        ("topic=CLI", 1),
        ("topic=other", 0),
        ("official=true", 0),
        ("q=tool&topic=cli&stars=1", 1),
        ("updated_since=2027-01-15T08:00:00Z", 6),
        ("updated_since=2027-01-15T08:00:01Z", 0),
    ] {
        let page = front
            .api("", "GET", &format!("/search?{filter}"), NONE)
            .await
            .is(200);
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{filter}: {page}");
    }
    front.api("", "GET", "/search?topic=a/b", NONE).await.is(400);
    assert_eq!(
        front
            .api("", "GET", "/search?after=999999999999999999999", NONE)
            .await
            .status
            .as_u16(),
        200
    );
}
