//! What is told when a whole repository goes.

use std::collections::BTreeSet;

use super::*;

/// Each kind of storage, and what must live as long.
fn storages() -> [(Storage, Option<tempfile::TempDir>); 2] {
    let folder = tempfile::tempdir().unwrap();
    let files = Filesystem::open(folder.path(), crate::storage::Options::default()).unwrap();
    [(memory().0, None), (Storage::Filesystem(files), Some(folder))]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_tag_and_then_each_manifest_of_a_purged_repository_is_told_once() {
    for (number, (storage, _folder)) in storages().into_iter().enumerate() {
        let (receiver, url) = Receiver::start().await;
        let clock = Clock::system();
        let told = start(&storage, &clock, vec![endpoint(&format!("purge{number}"), &url)]);
        let plain = registry(&storage, &clock);
        let name = repository("team/a");
        let image = put_image(&plain, "team/a", "one", &["x", "y"]).await;
        let untagged = put_image(&plain, "team/a", "two", &[]).await;
        put_image(&plain, "team/a/below", "one", &["x"]).await;
        // Two at once, and once more after both.
        let purge = async || {
            let announced = told.announced(&plain, asker("team/a"));
            announced.purge(&name).await.unwrap();
        };
        tokio::join!(purge(), purge());
        purge().await;
        // One more, so that it is known when all were told.
        let in_a = told.announced(&plain, asker("team/a"));
        put_blob(&in_a, "team/a", "last").await;
        eventually("all events", async || {
            receiver
                .events()
                .last()
                .is_some_and(|event| event.action == Action::Push)
        })
        .await;
        let short = |digest: &Digest| digest.hex()[..4].to_owned();
        let events: Vec<String> = receiver.events().iter().map(outline).collect();
        let sorted = |events: &[String]| events.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!(events.len(), 5, "{events:?}");
        assert_eq!(
            sorted(&events[..2]),
            sorted(&["delete team/a:x@<".to_owned(), "delete team/a:y@<".to_owned()])
        );
        let manifest = |digest: &Digest| format!("delete team/a:@{}<", short(digest));
        assert_eq!(
            sorted(&events[2..4]),
            sorted(&[manifest(&image), manifest(&untagged)])
        );
        let kept = plain
            .list_tags(&repository("team/a/below"), None, 9)
            .await
            .unwrap();
        assert_eq!(kept.items.len(), 1);
    }
}

#[tokio::test]
async fn a_purge_of_more_than_one_batch_tells_all() {
    let (storage, clock, _) = memory();
    let (receiver, url) = Receiver::start().await;
    let many = Endpoint {
        batch: 100,
        ..endpoint("many", &url)
    };
    let told = start(&storage, &clock, vec![many]);
    let plain = registry(&storage, &clock);
    let name = repository("a");
    let mut expected = BTreeSet::new();
    for batch in 0..5 {
        let tags: Vec<String> = (0..60).map(|number| format!("t{batch}-{number}")).collect();
        let texts: Vec<&str> = tags.iter().map(String::as_str).collect();
        put_image(&plain, "a", "one", &texts).await;
        expected.extend(tags);
    }
    told.announced(&plain, asker("a")).purge(&name).await.unwrap();
    eventually("all events", async || receiver.events().len() == 301).await;
    let events = receiver.events();
    let tags: BTreeSet<String> = events[..300]
        .iter()
        .map(|event| event.target.tag.clone())
        .collect();
    assert_eq!(tags, expected);
    assert!(events[300].target.tag.is_empty() && !events[300].target.digest.is_empty());
}
