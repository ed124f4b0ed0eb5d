use std::sync::atomic::{AtomicU32, Ordering};

use http::{Request, StatusCode};
use serde_json::json;
use shared::token::Actions;

use super::*;
use crate::domain::Visibility;
use crate::http::testing::{Answer, Front, PASSWORD, basic, name};
use crate::store::content_feed::{TagChange, add_tag_change, note_change};
use crate::store::repository::find_repository;

const ONE: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const TWO: &str = "sha256:01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b";

/// No two events have the same id.
static NEXT: AtomicU32 = AtomicU32::new(1);

/// A push of a tag, or its deletion where there is no digest, in minute `at` of the hour before now.
async fn told(front: &Front, repository: &str, tag: &str, digest: Option<&str>, at: u32) {
    let action = if digest.is_some() { "push" } else { "delete" };
    let mut target = json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 12,
        "repository": repository, "tag": tag});
    if let Some(digest) = digest {
        target["digest"] = digest.into();
    }
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let body = json!({"events": [{"id": format!("{id:08x}-0000-4000-8000-000000000000"), "timestamp": format!("2027-01-15T07:{at:02}:00Z"), "action": action,
        "target": target, "request": {"method": "PUT", "useragent": "docker/27"}, "actor": {"name": "ada"}}]});
    let request = Request::post("/events/registry")
        .header("authorization", "Bearer the registry's secret")
        .body(axum::body::Body::from(body.to_string()))
        .unwrap();
    front.send(request).await.ok();
}

fn titles(feed: &Answer) -> Vec<&str> {
    assert_eq!(feed.status, StatusCode::OK, "{}", feed.body);
    let entries = feed.body.split("<entry>").skip(1);
    let title = |entry: &'_ str| {
        let from = entry.find("<title>").unwrap() + "<title>".len();
        from..entry.find("</title>").unwrap()
    };
    entries.map(|entry| &entry[title(entry)]).collect()
}

fn ids(feed: &Answer) -> Vec<&str> {
    let parts = feed.body.split("<id>").skip(1);
    parts.map(|part| part.split("</id>").next().unwrap()).collect()
}

async fn conditional(front: &Front, path: &str, header: (&str, &str)) -> Answer {
    let request = Request::get(path).header(header.0, header.1);
    front.send(request.body(axum::body::Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_feed_says_what_became_of_tags_the_newest_first() {
    let front = Front::new().await;
    told(&front, "ada/public", "1.0", Some(ONE), 1).await;
    told(&front, "ada/public", "latest", Some(ONE), 2).await;
    told(&front, "ada/public", "latest", Some(TWO), 3).await;
    told(&front, "ada/public", "1.0", None, 4).await;
    let feed = front.get("/feed/r/ada/public.atom", None).await;
    assert_eq!(
        titles(&feed),
        [
            "ada/public:1.0 was deleted",
            "ada/public:latest moved to 01ba4719c80b",
            "ada/public:latest was pushed: e3b0c44298fc",
            "ada/public:1.0 was pushed: e3b0c44298fc",
        ]
    );
    assert_eq!(feed.header("content-type"), "application/atom+xml; charset=utf-8");
    assert!(
        feed.body
            .contains("<updated>2027-01-15T07:04:00Z</updated>\n<author><name>ada</name></author>")
    );
    assert!(feed.body.contains("/feed/r/ada/public.atom\"/>"), "{}", feed.body);
    assert!(
        feed.body.contains("/r/ada/public/-/tags/latest\"/>"),
        "{}",
        feed.body
    );
    assert!(feed.body.contains(&format!("ada/public@{TWO}")), "{}", feed.body);
    // Every id is another, and the same whenever it is asked for, whatever the repository is called.
    let before: Vec<String> = ids(&feed).into_iter().map(str::to_owned).collect();
    let mut different = before.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 5);
    let id = front
        .api(
            "ada",
            "GET",
            "/repositories?name=ada/public",
            serde_json::Value::Null,
        )
        .await
        .ok()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    front
        .api(
            "ada",
            "POST",
            &format!("/repositories/{id}/transfer"),
            json!({"name": "ada/renamed"}),
        )
        .await
        .ok();
    let renamed = front.get("/feed/r/ada/renamed.atom", None).await;
    assert_eq!(ids(&renamed), before);
    assert_eq!(titles(&renamed)[0], "ada/renamed:1.0 was deleted");
    // The name from before leads there as long as nothing else has it.
    assert_eq!(ids(&front.get("/feed/r/ada/public.atom", None).await), before);
}

#[tokio::test]
async fn a_feed_is_for_whoever_may_pull_and_to_others_there_is_nothing() {
    let front = Front::new().await;
    told(&front, "ada/private", "1", Some(ONE), 1).await;
    told(&front, "ada/public", "2", Some(ONE), 2).await;
    told(&front, "eve/private", "3", Some(ONE), 3).await;
    let pull = Actions::PULL;
    let reaching = front.access_token(pull, "ada/*").await;
    let elsewhere = front.access_token(pull, "ada/public").await;
    let bearer = format!("Bearer {reaching}");
    let (ada, eve) = (basic("ada", PASSWORD), basic("eve", PASSWORD));
    let (reaching, elsewhere) = (basic("ada", &reaching), basic("ada", &elsewhere));
    let readers: [(&str, Option<&str>); 6] = [
        ("nobody", None),
        ("ada", Some(&ada)),
        ("eve", Some(&eve)),
        ("ada's token", Some(&reaching)),
        ("ada's token, alone", Some(&bearer)),
        ("ada's token for the public one", Some(&elsewhere)),
    ];
    let nothing: &[&str] = &[];
    let (private, public, eves) = (
        "ada/private:1 was pushed: e3b0c44298fc",
        "ada/public:2 was pushed: e3b0c44298fc",
        "eve/private:3 was pushed: e3b0c44298fc",
    );
    for (path, missing, expected) in [
        (
            "/feed/r/ada/private.atom",
            "/feed/r/ada/nothing.atom",
            [nothing, &[private], nothing, &[private], &[private], nothing],
        ),
        ("/feed/r/ada/public.atom", "", [[public].as_slice(); 6]),
        (
            "/feed/n/ada.atom",
            "",
            [
                &[public],
                &[public, private],
                &[public],
                &[public, private],
                &[public, private],
                &[public],
            ],
        ),
        (
            "/feed/n/eve.atom",
            "/feed/n/bob.atom",
            [nothing, nothing, &[eves], nothing, nothing, nothing],
        ),
    ] {
        for ((reader, shown), expected) in readers.iter().zip(expected) {
            let feed = front.get(path, *shown).await;
            if expected.is_empty() {
                let other = front.get(missing, *shown).await;
                let differs = ["ada/private", "ada/nothing", "eve", "bob"];
                let plain = |body: &str| {
                    differs
                        .iter()
                        .fold(body.to_owned(), |text, name| text.replace(name, "X"))
                };
                assert_eq!(
                    (feed.status, plain(&feed.body), &feed.headers),
                    (StatusCode::NOT_FOUND, plain(&other.body), &other.headers),
                    "{path} of {reader}"
                );
                continue;
            }
            assert_eq!(titles(&feed), expected, "{path} of {reader}");
            let who = if shown.is_some() {
                "private, max-age=60"
            } else {
                "public, max-age=60"
            };
            assert_eq!(feed.header("cache-control"), who);
            assert_eq!(feed.header("vary"), "authorization, cookie");
        }
    }
    let wrong = front
        .get("/feed/r/ada/public.atom", Some(&basic("ada", "wrong")))
        .await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_browser_shows_the_feeds_of_whoever_is_signed_in_and_keeps_none() {
    let front = Front::new().await;
    told(&front, "ada/private", "1", Some(ONE), 1).await;
    told(&front, "ada/public", "2", Some(ONE), 2).await;
    let (ada, eve) = (front.browser("ada").await, front.browser("eve").await);
    let path = "/feed/r/ada/private.atom";
    let feed = ada.get(path).await;
    assert_eq!(titles(&feed), ["ada/private:1 was pushed: e3b0c44298fc"]);
    assert_eq!(feed.header("cache-control"), "private, no-store");
    assert_eq!(feed.header("vary"), "authorization, cookie");
    assert_eq!(feed.header("x-content-type-options"), "nosniff");
    assert_eq!(titles(&ada.get("/feed/n/ada.atom").await).len(), 2);
    let (hidden, missing) = (eve.get(path).await, eve.get("/feed/r/ada/nothing.atom").await);
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    assert_eq!(hidden.body.replace("private", "nothing"), missing.body);
    assert_eq!(titles(&eve.get("/feed/n/ada.atom").await).len(), 1);
    // A credential that is shown counts, not the cookie beside it; and a cookie that is worth nothing is none.
    let both = Request::get(path)
        .header("cookie", &ada.cookie)
        .header("authorization", basic("eve", PASSWORD));
    let both = front.send(both.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(both.status, StatusCode::NOT_FOUND);
    ada.post("/sign-out", &[]).await;
    assert_eq!(ada.get(path).await.status, StatusCode::NOT_FOUND);
    let public = ada.get("/feed/r/ada/public.atom").await;
    assert_eq!(public.header("cache-control"), "public, max-age=60");
}

#[tokio::test]
async fn a_feed_of_some_tags_looks_through_a_thousand_changes_and_of_one_tag_finds_them_all() {
    let front = Front::new().await;
    {
        let mut tx = front.fixture.store.write().await.unwrap();
        let found = find_repository(&mut tx, &name("ada/public")).await.unwrap();
        let id = found.unwrap().repository_id;
        for sequence in 1..=1_002 {
            let tag = match sequence {
                1 => "old",
                3 => "older",
                _ => "new",
            };
            let change = TagChange {
                sequence,
                tag: tag.to_owned(),
                digest_before: None,
                digest_after: Some(ONE.to_owned()),
                changed_at: sequence,
                changed_by: None,
                client: None,
            };
            add_tag_change(&mut tx, id, &change).await.unwrap();
        }
        note_change(&mut tx, id, 1_002).await.unwrap();
        tx.commit().await.unwrap();
    }
    let found = async |path: &str| {
        let feed = front.get(path, None).await;
        titles(&feed).len()
    };
    for (path, count) in [
        ("/feed/r/ada/public.atom?tag=old", 1),
        ("/feed/r/ada/public.atom?tag=old&tag=older", 2),
        ("/feed/n/ada.atom?tag=old", 1),
        ("/feed/r/ada/public.atom?tag=older*", 1),
        // Further back than the last 1,000 changes; and in a namespace, than the last 200 of each repository.
        ("/feed/r/ada/public.atom?tag=old*", 1),
        ("/feed/n/ada.atom?tag=old*", 0),
        ("/feed/n/ada.atom?tag=n*w", 50),
    ] {
        assert_eq!(found(path).await, count, "{path}");
    }
}

#[tokio::test]
async fn a_feed_of_some_tags_has_these_alone() {
    let front = Front::new().await;
    for (at, tag) in ["1.0", "2.0", "1.1", "latest"].into_iter().enumerate() {
        told(&front, "ada/public", tag, Some(ONE), u32::try_from(at).unwrap()).await;
    }
    for (query, expected) in [
        ("?tag=1.*", vec!["1.1", "1.0"]),
        ("?tag=1.*&tag=latest", vec!["latest", "1.1", "1.0"]),
        ("?tag=9", vec![]),
        ("?other=1", vec!["latest", "1.1", "2.0", "1.0"]),
    ] {
        for path in ["/feed/r/ada/public.atom", "/feed/n/ada.atom"] {
            let feed = front.get(&format!("{path}{query}"), None).await;
            let found: Vec<&str> = titles(&feed)
                .iter()
                .map(|title| title.split([':', ' ']).nth(1).unwrap())
                .collect();
            assert_eq!(found, expected, "{path}{query}");
        }
    }
    let some = front.get("/feed/r/ada/public.atom?tag=1.*", None).await;
    assert!(some.body.contains("ada/public.atom?tag=1.*\"/>"), "{}", some.body);
    assert_ne!(
        ids(&some)[0],
        ids(&front.get("/feed/r/ada/public.atom", None).await)[0]
    );
    for query in [
        "?tag=",
        "?tag=%00",
        "?tag=a*b*c*d*e*",
        "?tag=%3Cscript%3E",
        "?tag=%ff",
    ] {
        let refused = front.get(&format!("/feed/r/ada/public.atom{query}"), None).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
    let many = "tag=1&".repeat(21);
    let refused = front.get(&format!("/feed/n/ada.atom?{many}"), None).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_feed_that_is_known_is_not_sent_again() {
    let front = Front::new().await;
    told(&front, "ada/public", "1", Some(ONE), 1).await;
    let path = "/feed/r/ada/public.atom";
    let first = front.get(path, None).await;
    let tag = first.header("etag").to_owned();
    assert_eq!(first.header("last-modified"), "Fri, 15 Jan 2027 07:01:00 GMT");
    for header in [
        ("if-none-match", tag.as_str()),
        ("if-none-match", "*"),
        ("if-modified-since", "Fri, 15 Jan 2027 07:01:00 GMT"),
    ] {
        let again = conditional(&front, path, header).await;
        assert_eq!(
            (again.status, again.body.as_str(), again.header("etag")),
            (StatusCode::NOT_MODIFIED, "", tag.as_str()),
            "{header:?}"
        );
    }
    for header in [
        ("if-none-match", "\"other\""),
        ("if-modified-since", "Fri, 15 Jan 2027 07:00:59 GMT"),
        ("if-modified-since", "yesterday"),
    ] {
        let again = conditional(&front, path, header).await;
        assert_eq!(
            (again.status, &again.body),
            (StatusCode::OK, &first.body),
            "{header:?}"
        );
    }
    told(&front, "ada/public", "1", Some(TWO), 2).await;
    let changed = conditional(&front, path, ("if-none-match", &tag)).await;
    assert_eq!(titles(&changed).len(), 2);
    assert_ne!(changed.header("etag"), tag);
}

#[tokio::test]
async fn a_feed_has_fifty_changes_at_most_and_of_a_namespace_the_last_of_all() {
    let front = Front::new().await;
    front
        .fixture
        .app
        .set_visibility(&name("ada/private"), Visibility::Public)
        .await
        .unwrap();
    for minute in 0..58 {
        let repository = if minute % 2 == 0 {
            "ada/public"
        } else {
            "ada/private"
        };
        told(&front, repository, &format!("v{minute}"), Some(ONE), minute).await;
    }
    let feed = front.get("/feed/n/ada.atom", None).await;
    let found: Vec<u32> = titles(&feed)
        .iter()
        .map(|title| title.split([':', ' ']).nth(1).unwrap()[1..].parse().unwrap())
        .collect();
    assert_eq!(found, (8..58).rev().collect::<Vec<u32>>());
    for minute in 0..30 {
        told(&front, "ada/public", &format!("w{minute}"), Some(TWO), 58).await;
    }
    let feed = front.get("/feed/r/ada/public.atom", None).await;
    assert_eq!(titles(&feed).len(), 50);
}

#[tokio::test]
async fn a_feed_without_changes_is_empty_and_other_paths_are_none() {
    let front = Front::new().await;
    for path in ["/feed/r/ada/public.atom", "/feed/n/ada.atom"] {
        let empty = front.get(path, None).await;
        assert!(titles(&empty).is_empty());
        assert!(empty.body.contains("<updated>1970-01-01T00:00:00Z</updated>"));
        assert_eq!(empty.header("last-modified"), "");
    }
    for path in [
        "/feed/r/ada/public",
        "/feed/r/ada/public.rss",
        "/feed/x/ada.atom",
        "/feed/ada.atom",
        "/feed/.atom",
        "/feed/r/.atom",
        "/feed/r/A%20B.atom",
        "/feed/n/ada/public.atom",
        "/feed/n/A%00.atom",
    ] {
        assert_eq!(
            front.get(path, None).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[test]
fn ids_are_uuids_and_say_nothing() {
    let id = urn(&["change", "7", "1"]);
    let digits = id.strip_prefix("urn:uuid:").unwrap();
    assert_eq!(digits.len(), 36);
    assert_eq!((&digits[14..15], &digits[19..20]), ("8", "8"));
    assert_ne!(id, urn(&["change", "71"]));
    assert_ne!(id, urn(&["change", "7", "2"]));
}
