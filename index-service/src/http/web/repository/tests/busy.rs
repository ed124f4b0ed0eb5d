//! Pages of repositories in which much happens.

use http::StatusCode;

use super::{digest, fill};
use crate::app::fixture::NOW_MS;
use crate::domain::RepositoryId;
use crate::domain::content::Dimension;
use crate::http::testing::Front;
use crate::store::content_count::{Count, Counter, add_count};
use crate::store::content_feed::{TagChange, add_tag_change};
use crate::store::tag::put_tag;

/// Pulls on each of the last days, and pushes on one in three.
async fn count(front: &Front, id: RepositoryId, days: i64) {
    let today = NOW_MS / 86_400_000;
    let mut tx = front.fixture.store.write().await.unwrap();
    for back in 0..days {
        let counter = Counter {
            repository_id: id,
            dimension: Dimension::Repository,
            value: String::new(),
            day: today - back,
        };
        let count = Count {
            pulls: 100 + back,
            pushes: i64::from(back % 3 == 0),
            ..Count::default()
        };
        add_count(&mut tx, &counter, &count).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_year_without_a_quiet_day_is_shown_day_by_day_and_what_follows_on_pages_of_its_own() {
    let front = Front::new().await;
    let id = fill(&front, "ada/public").await;
    count(&front, id, 400).await;
    let mut tx = front.fixture.store.write().await.unwrap();
    for sequence in 4..60 {
        let change = TagChange {
            sequence,
            tag: "v1".to_owned(),
            digest_before: Some(digest('2')),
            digest_after: Some(digest('1')),
            changed_at: NOW_MS,
            changed_by: Some("ada".to_owned()),
            client: Some("docker".to_owned()),
        };
        add_tag_change(&mut tx, id, &change).await.unwrap();
    }
    tx.commit().await.unwrap();
    let browser = front.browser("").await;
    for (language, told) in [
        ("en", "data-told=\"{day}: {pulls} pulled, {pushes} pushed\""),
        ("zh-CN", "data-told=\"{day}：拉取 {pulls} 次，推送 {pushes} 次\""),
    ] {
        let page = browser
            .get(&format!("/r/ada/public/-/activity?lang={language}"))
            .await
            .body;
        // 15 January 2027 is a Friday: 52 weeks, and five days of this one.
        let squares = page.matches(" class=c").count() + page.matches(" class=p").count();
        assert_eq!(squares, 52 * 7 + 5, "{page}");
        assert_eq!(page.matches(told).count(), 1, "{page}");
        let last = "data-n=104,103:1,102,101,100:1>";
        assert_eq!(page.matches(last).count(), 1, "{page}");
        assert_eq!(page.matches("<th scope=row>").count(), 53, "{page}");
    }
    let page = browser.get("/r/ada/public/-/activity").await.body;
    assert_eq!(page.matches("<p class=\"move\">").count(), 5);
    let next = page.split("rel=\"next\" href=\"").nth(1).unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&");
    let page = browser.get(&next).await.body;
    assert_eq!(page.matches("<p class=\"move\">").count(), 40, "{next}");
    assert!(
        !page.contains("class=\"calendar\""),
        "what follows is history alone"
    );
}

#[tokio::test]
async fn pulls_of_the_last_days_are_drawn_beside_a_repositorys_name_and_in_its_namespace() {
    let front = Front::new().await;
    let id = fill(&front, "ada/public").await;
    let browser = front.browser("").await;
    let pages = ["/r/ada/public", "/r/ada/public/-/tags", "/n/ada"];
    for path in pages {
        let page = browser.get(path).await.body;
        assert!(!page.contains("class=\"spark\""), "{path}: nothing was pulled");
    }
    count(&front, id, 2).await;
    for path in pages {
        let page = browser.get(path).await.body;
        assert_eq!(page.matches("class=\"spark\"").count(), 1, "{path}");
        assert!(
            page.contains("<title>201 pulls in the last 30 days</title>"),
            "{path}"
        );
        assert!(page.contains(" 112,0 116,1\"/>"), "{path}: {page}");
    }
}

#[tokio::test]
async fn where_there_are_many_tags_a_page_says_how_many_it_looked_at_and_goes_on() {
    let front = Front::new().await;
    let id = fill(&front, "ada/public").await;
    let mut tx = front.fixture.store.write().await.unwrap();
    for number in 0..2_100 {
        let name = format!("x{number:04}");
        put_tag(&mut tx, id, &name, &digest('1'), NOW_MS).await.unwrap();
    }
    tx.commit().await.unwrap();
    let browser = front.browser("").await;
    let page = browser.get("/r/ada/public/-/tags?q=x209&order=name").await.body;
    assert!(page.contains("This page looked at 2,000 tags."), "{page}");
    assert!(page.contains("No tag’s name contains “x209”"), "{page}");
    let further = page.split("looked at 2,000 tags. <a href=\"").nth(1).unwrap();
    let further = further.split('"').next().unwrap().replace("&#38;", "&");
    let page = browser.get(&further).await.body;
    assert!(page.contains("/-/tags/x2099\""), "{page}");
    assert!(
        page.contains("10 tags") && page.contains("Start from the first"),
        "{page}"
    );
    // Of pages within these there are as many as before.
    let page = browser
        .get("/r/ada/public/-/tags?q=x00&order=name&page=2")
        .await
        .body;
    assert!(
        page.contains("/-/tags/x0050\"") && page.contains("rel=\"prev\""),
        "{page}"
    );
    assert!(!page.contains("/-/tags/x0049\""), "{page}");
    for odd in ["behind=", "behind=x", "behind=%00", "behind=9%20v1"] {
        let page = browser.get(&format!("/r/ada/public/-/tags?{odd}")).await;
        assert_eq!(page.status, StatusCode::OK, "{odd}");
    }
}
