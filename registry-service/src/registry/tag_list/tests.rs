use shared::oci::Tag;

use super::super::testing::{Ground, name, on_each_storage, tag};
use super::super::{Page, Registry, RegistryError, TagCondition, layout};

async fn all_tags(registry: &Registry, repository: &str, limit: usize) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    loop {
        let after = tags.last().map(String::as_str);
        let page = registry.list_tags(&name(repository), after, limit).await.unwrap();
        assert!(page.items.len() <= limit);
        tags.extend(page.items.iter().map(ToString::to_string));
        if !page.more {
            return tags;
        }
    }
}

fn texts(page: &Page<Tag>) -> Vec<&str> {
    page.items.iter().map(Tag::as_str).collect()
}

on_each_storage! {
    async fn tags_are_listed_in_byte_order_from_the_one_after_last(ground: &Ground) {
        let repository = name("a/b");
        ground.push(&repository, "x", &["b", "a", "B", "_", "10", "9", "a.1", "a-1", "latest"]).await;
        let sorted = ["10", "9", "B", "_", "a", "a-1", "a.1", "b", "latest"];
        for is_settled in [true, false] {
            if !is_settled {
                ground.unsettle();
            }
            let registry = ground.replica();
            for limit in 1..=10 {
                assert_eq!(all_tags(&registry, "a/b", limit).await, sorted);
            }
            for (after, limit, expected, more) in [
                ("", 2, &sorted[..2], true),
                ("A", 2, &sorted[2..4], true),
                ("a", 9, &sorted[5..], false),
                ("a", 4, &sorted[5..], false),
                ("latest", 3, &[], false),
                ("zzz", 3, &[], false),
                ("a/../b", 1, &sorted[7..8], true),
            ] {
                let page = registry.list_tags(&repository, Some(after), limit).await.unwrap();
                assert_eq!((texts(&page).as_slice(), page.more), (expected, more), "after {after}");
            }
        }
    }

    async fn a_repository_without_tags_lists_none_and_one_without_anything_is_unknown(ground: &Ground) {
        let repository = name("a/b");
        let unknown = ground.registry.list_tags(&repository, None, 10).await;
        assert!(matches!(unknown, Err(RegistryError::NameUnknown)), "{unknown:?}");
        ground.put_blob(&repository, b"only a blob").await;
        let unknown = ground.registry.list_tags(&repository, None, 10).await;
        assert!(matches!(unknown, Err(RegistryError::NameUnknown)), "{unknown:?}");
        let digest = ground.push(&repository, "x", &["t"]).await;
        ground.registry.delete_tag(&repository, &tag("t"), &TagCondition::Any).await.unwrap();
        assert_eq!(ground.registry.list_tags(&repository, None, 10).await.unwrap(), Page::empty());
        ground.registry.delete_manifest(&repository, &digest).await.unwrap();
        let unknown = ground.registry.list_tags(&repository, None, 10).await;
        assert!(matches!(unknown, Err(RegistryError::NameUnknown)), "{unknown:?}");
    }

    async fn a_deleted_tag_is_gone_at_once_and_its_manifest_stays(ground: &Ground) {
        let repository = name("a/b");
        let digest = ground.push(&repository, "x", &["keep", "drop"]).await;
        let replica = ground.replica();
        ground.age(&layout::tags(&repository));
        assert_eq!(all_tags(&replica, "a/b", 10).await, ["drop", "keep"]);
        ground.registry.delete_tag(&repository, &tag("drop"), &TagCondition::Any).await.unwrap();
        assert_eq!(all_tags(&replica, "a/b", 10).await, ["keep"]);
        assert_eq!(ground.resolve(&repository, "drop").await, None);
        assert_eq!(ground.resolve(&repository, "keep").await, Some(digest));
        let again = ground.registry.delete_tag(&repository, &tag("drop"), &TagCondition::Any).await;
        assert!(matches!(again, Err(RegistryError::ManifestUnknown { .. })), "{again:?}");
    }

    async fn a_tag_that_the_old_binary_writes_is_noticed(ground: &Ground) {
        let repository = name("a/b");
        let digest = ground.push(&repository, "x", &["ours"]).await;
        ground.age(&layout::tags(&repository));
        assert_eq!(all_tags(&ground.registry, "a/b", 10).await, ["ours"]);
        let theirs = tag("theirs");
        ground.write(&layout::tag_index(&repository, &theirs, &digest), digest.to_string()).await;
        ground.write(&layout::tag_current(&repository, &theirs), digest.to_string()).await;
        assert_eq!(all_tags(&ground.registry, "a/b", 10).await, ["ours", "theirs"]);
        ground.age(&layout::tags(&repository));
        assert_eq!(all_tags(&ground.registry, "a/b", 10).await, ["ours", "theirs"]);
        ground.remove(&layout::tag(&repository, &tag("ours"))).await;
        assert_eq!(all_tags(&ground.registry, "a/b", 10).await, ["theirs"]);
    }

    async fn a_tag_without_a_readable_link_is_not_listed_until_it_has_one(ground: &Ground) {
        let repository = name("a/b");
        let digest = ground.push(&repository, "x", &["a", "c"]).await;
        // The old binary writes the index link first and may die before the other.
        ground.write(&layout::tag_index(&repository, &tag("b"), &digest), digest.to_string()).await;
        let current = layout::tag_current(&repository, &tag("b"));
        ground.age(&layout::tags(&repository));
        for limit in [1, 2, 3] {
            assert_eq!(all_tags(&ground.registry, "a/b", limit).await, ["a", "c"]);
        }
        ground.write(&current, "").await;
        assert_eq!(all_tags(&ground.registry, "a/b", 2).await, ["a", "c"]);
        // Nothing changes in the folder of tags, and the list in memory still stands.
        ground.write(&current, digest.to_string()).await;
        assert_eq!(all_tags(&ground.registry, "a/b", 2).await, ["a", "b", "c"]);
        ground.unsettle();
        ground.write(&current, "sha256:").await;
        assert_eq!(all_tags(&ground.replica(), "a/b", 2).await, ["a", "c"]);
    }

    async fn foreign_entries_among_tags_are_passed_over(ground: &Ground) {
        let repository = name("a/b");
        ground.push(&repository, "x", &["a", "z"]).await;
        for foreign in ["a file", ".tmp/x", "ä/current/link", "m n/current/link"] {
            let key = layout::tags(&repository).join(foreign).unwrap();
            ground.write(&key, "decoy").await;
        }
        for limit in [1, 2, 5] {
            assert_eq!(all_tags(&ground.replica(), "a/b", limit).await, ["a", "z"]);
        }
        ground.unsettle();
        for limit in [1, 2, 5] {
            assert_eq!(all_tags(&ground.replica(), "a/b", limit).await, ["a", "z"]);
        }
    }
}

#[tokio::test]
async fn ten_thousand_tags_are_listed_page_by_page() {
    let ground = Ground::filesystem();
    let repository = name("a/b");
    let digest = ground.push(&repository, "x", &["t00000"]).await;
    // As if the old binary had written them.
    let folder = ground.path(&layout::tags(&repository)).unwrap();
    let expected: Vec<String> = (0..10_000).map(|at| format!("t{at:05}")).collect();
    for text in &expected[1..] {
        let current = folder.join(text).join("current");
        std::fs::create_dir_all(&current).unwrap();
        std::fs::write(current.join("link"), digest.to_string()).unwrap();
    }
    ground.age(&layout::tags(&repository));
    assert_eq!(all_tags(&ground.registry, "a/b", 100).await, expected);
    // Again, now that each is known to be whole.
    assert_eq!(all_tags(&ground.registry, "a/b", 1_000).await, expected);
    ground.unsettle();
    assert_eq!(all_tags(&ground.replica(), "a/b", 1_000).await, expected);
    ground
        .registry
        .delete_manifest(&repository, &digest)
        .await
        .unwrap();
    let gone = ground.registry.list_tags(&repository, None, 10).await;
    assert!(matches!(gone, Err(RegistryError::NameUnknown)), "{gone:?}");
}
