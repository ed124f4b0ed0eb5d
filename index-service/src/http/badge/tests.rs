use http::StatusCode;

use super::*;
use crate::http::testing::{Front, PASSWORD, basic};

#[test]
fn a_text_is_shown_and_is_no_markup() {
    let picture = picture("<script>alert(1)</script>", "\"&'\u{0}\u{1b}é镜", "#fff");
    assert!(
        !picture.contains("<script") && !picture.contains('\u{1b}'),
        "{picture}"
    );
    assert!(picture.contains("&quot;&amp;&#39;é镜"), "{picture}");
    assert_eq!(picture.matches("<text").count(), 2);
    for outside in ["http://", "https://", "url("] {
        let allowed = usize::from(outside == "http://") + usize::from(outside == "url(");
        assert_eq!(picture.matches(outside).count(), allowed, "{outside}: {picture}");
    }
}

#[test]
fn a_colour_is_a_name_or_digits_and_nothing_else() {
    assert_eq!(colour("red").as_deref(), Some("#e05d44"));
    assert_eq!(colour("0aF").as_deref(), Some("#0aF"));
    for word in ["\"/>", "ffff", "ggg", "", "url(#x)", "éa"] {
        assert_eq!(colour(word), None, "{word}");
    }
    let long = Wish::parse(&format!("label={}&color=x&tag=%00", "a".repeat(500)));
    assert_eq!(
        (long.label.map(|text| text.len()), long.colour, long.tag),
        (Some(LONGEST), None, None)
    );
}

#[tokio::test]
async fn a_badge_is_for_everybody_where_the_repository_is_and_for_those_who_may_pull_it_otherwise() {
    let front = Front::new().await;
    let open = front.get("/badge/ada/public/pulls.svg", None).await;
    assert_eq!(open.status, StatusCode::OK, "{}", open.body);
    assert!(open.header("content-type").starts_with("image/svg+xml"));
    assert_eq!(open.header("cache-control"), "public, max-age=300");
    assert!(open.body.contains(">0</text>"), "{}", open.body);
    let private = front.get("/badge/ada/private/stars.svg", None).await;
    let nothing = front.get("/badge/ada/nothing/stars.svg", None).await;
    assert_eq!(private.status, StatusCode::NOT_FOUND);
    assert_eq!(
        (&private.body, private.header("cache-control")),
        (&nothing.body, "no-store")
    );
    let own = front
        .get("/badge/ada/private/stars.svg", Some(&basic("ada", PASSWORD)))
        .await;
    assert_eq!(
        (own.status, own.header("cache-control")),
        (StatusCode::OK, "private, max-age=300")
    );
    for path in [
        "/badge/ada/public/nonsense.svg",
        "/badge/ada/public/pulls.png",
        "/badge/pulls.svg",
        "/badge/A%20B/pulls.svg",
        "/badge/ada/public/version.svg/x",
    ] {
        assert_eq!(
            front.get(path, None).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_badge_that_is_known_is_not_sent_again() {
    let front = Front::new().await;
    let first = front.get("/badge/ada/public/version.svg", None).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.len() > 10, "{tag}");
    let request = http::Request::get("/badge/ada/public/version.svg")
        .header("if-none-match", format!("\"other\", W/{tag}"))
        .body(axum::body::Body::empty())
        .unwrap();
    let again = front.send(request).await;
    assert_eq!(
        (again.status, again.body.as_str()),
        (StatusCode::NOT_MODIFIED, "")
    );
    assert_eq!(again.header("etag"), tag);
    let labelled = front
        .get("/badge/ada/public/version.svg?label=x%3Cy&color=red", None)
        .await;
    assert!(labelled.body.contains("x&lt;y") && labelled.body.contains("#e05d44"));
    assert_ne!(labelled.header("etag"), tag);
}
