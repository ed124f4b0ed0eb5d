//! The busiest page of activity that there can be.

use http::StatusCode;
use shared::secret::Secret;

use crate::app::fixture::NOW_MS;
use crate::domain::content::Dimension;
use crate::domain::{DeletionId, RepositoryId};
use crate::http::testing::{Front, PASSWORD, name};
use crate::http::web::asset;
use crate::store::content_count::{Count, Counter, add_count};
use crate::store::content_deletion::{ContentDeletion, DeletionState, add_deletion};
use crate::store::content_feed::{TagChange, add_tag_change};
use crate::store::{Tx, repository};

/// Most bytes of a page with all that it names, as it is for every page in a browser (`tests/browser/stories/pages.mjs`).
const MOST: usize = 60 * 1024;
/// What comes with style, script and icon besides what they are.
const HEADS: usize = 3 * 600;
const DAY_MS: i64 = 86_400_000;

/// A tag that is as long as tags may be.
fn tag(number: i64) -> String {
    format!("{}{number:04}", "t".repeat(124))
}

/// A digest of the longer kind.
fn digest(number: i64) -> String {
    format!("sha512:{number:0>128}")
}

/// Someone whose name is as long as names may be.
fn longest_name() -> String {
    "o".repeat(64)
}

async fn count(tx: &mut Tx, id: RepositoryId, dimension: Dimension, value: String, back: i64) {
    let counter = Counter {
        repository_id: id,
        dimension,
        value,
        day: NOW_MS / DAY_MS - back,
    };
    let count = Count {
        pulls: 1_234_567 + back,
        pushes: 123,
        ..Count::default()
    };
    add_count(tx, &counter, &count).await.unwrap();
}

/// A year without a quiet day, in which many tags were moved and deleted.
async fn live(tx: &mut Tx, id: RepositoryId) {
    for back in 0..400 {
        count(tx, id, Dimension::Repository, String::new(), back).await;
    }
    for number in 0..40 {
        count(tx, id, Dimension::Tag, tag(number), number % 2).await;
        let change = TagChange {
            sequence: number + 1,
            tag: tag(number),
            digest_before: Some(digest(number)),
            digest_after: Some(digest(number + 1)),
            changed_at: NOW_MS - 45 * DAY_MS,
            changed_by: Some(longest_name()),
            client: Some("containerd".to_owned()),
        };
        add_tag_change(tx, id, &change).await.unwrap();
        let deletion = ContentDeletion {
            deletion_id: DeletionId::from_i64(number + 1),
            repository_id: id,
            tag: Some(tag(number)),
            digest: digest(number),
            state: DeletionState::Deleted,
            deleted_at: NOW_MS - 45 * DAY_MS,
            deleted_by: Some(longest_name()),
            run_id: None,
            rule: None,
            pushed_at: None,
            pulled_at: None,
            purge_after: Some(NOW_MS + 45 * DAY_MS),
        };
        add_deletion(tx, &deletion).await.unwrap();
    }
}

#[tokio::test]
async fn a_year_without_a_quiet_day_under_the_longest_names_weighs_no_more_than_any_page() {
    let front = Front::new().await;
    let owner = longest_name();
    let repository_name = format!("{owner}/{}", "r".repeat(190));
    let app = &front.fixture.app;
    app.create_account(&owner, Secret::new(PASSWORD.to_owned()))
        .await
        .unwrap();
    app.confirm_pushed(&name(&repository_name)).await.unwrap();
    let mut tx = front.fixture.store.write().await.unwrap();
    let found = repository::find_repository(&mut tx, &name(&repository_name))
        .await
        .unwrap();
    live(&mut tx, found.unwrap().repository_id).await;
    tx.commit().await.unwrap();
    let browser = front.browser(&owner).await;
    let icon = browser.get("/static/icon.svg").await.body.len();
    for language in ["en", "zh-CN"] {
        let path = format!("/r/{repository_name}/-/activity?by=tag&days=365&lang={language}");
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK);
        let page = &answer.body;
        for (mark, times) in [
            // And what stands behind all of them.
            ("<rect y=", 52 * 7 + 5 + 1),
            ("<th scope=row>", 53),
            ("class=\"share\"", 10),
            ("formaction=\"tags/", 5),
            ("<p class=\"move\">", 5),
        ] {
            assert_eq!(page.matches(mark).count(), times, "{mark}: {page}");
        }
        let head: usize = answer
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum();
        let weight = head + page.len() + HEADS + asset::weight() + icon;
        assert!(
            weight < MOST,
            "{language}: {weight} bytes, {} of them the page itself",
            page.len()
        );
    }
    // The other deleted tags follow on pages of their own.
    let mut path = format!("/r/{repository_name}/-/activity");
    let mut numbers = Vec::new();
    loop {
        let page = browser.get(&path).await.body;
        numbers.push(page.matches("formaction=\"tags/").count());
        let Some((_, rest)) = page.split_once("href=\"?after=") else {
            break;
        };
        let after = rest.split('#').next().unwrap();
        path = format!("/r/{repository_name}/-/activity?after={after}");
    }
    assert_eq!(numbers, [5, 20, 15]);
}
