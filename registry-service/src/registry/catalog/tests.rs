use shared::oci::{Algorithm, Digest, RepositoryName};

use super::super::testing::{Ground, name, on_each_storage, tag};
use super::super::{Registry, layout};

async fn all_names(registry: &Registry, limit: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    loop {
        let after = names.last().map(String::as_str);
        let page = registry.list_repositories(after, limit).await.unwrap();
        assert!(page.items.len() <= limit);
        names.extend(page.items.iter().map(ToString::to_string));
        if !page.more {
            return names;
        }
    }
}

/// Makes a repository listed with one object.
async fn tagged(ground: &Ground, repository: &str) {
    let digest = Digest::of(Algorithm::Sha256, b"");
    ground
        .write(
            &layout::tag_current(&name(repository), &tag("t")),
            digest.to_string(),
        )
        .await;
}

const NAMES: [&str; 17] = [
    "a", "a-b", "a-b-c", "a-b-c/x", "a-b/x", "a.b", "a.b/0", "a/0", "a/b", "a/b-c", "a/b/c", "a/b0", "a0",
    "a_b", "aa/b", "b/c/d/e", "z",
];

on_each_storage! {
    async fn repositories_are_listed_in_byte_order_of_their_whole_names(ground: &Ground) {
        for repository in NAMES {
            tagged(ground, repository).await;
        }
        let mut sorted = NAMES;
        sorted.sort_unstable();
        for limit in 1..=18 {
            assert_eq!(all_names(&ground.registry, limit).await, sorted, "pages of {limit}");
        }
    }

    async fn the_list_goes_on_after_any_text(ground: &Ground) {
        for repository in NAMES {
            tagged(ground, repository).await;
        }
        let mut sorted = NAMES;
        sorted.sort_unstable();
        let mut texts: Vec<String> = NAMES.map(str::to_owned).to_vec();
        for text in NAMES {
            texts.extend(["/", "-", ".", "+", "0", "_", "/0", "-0/", "/b/", "\u{7f}", "/.."].map(|it| format!("{text}{it}")));
            texts.push(text[..text.len() - 1].to_owned());
        }
        for after in &texts {
            let expected: Vec<&str> = sorted.into_iter().filter(|it| *it > after.as_str()).collect();
            let page = ground.registry.list_repositories(Some(after), 100).await.unwrap();
            let found: Vec<&str> = page.items.iter().map(RepositoryName::as_str).collect();
            assert_eq!(found, expected, "after {after:?}");
        }
    }

    async fn a_repository_is_listed_while_it_holds_a_tag_or_a_manifest(ground: &Ground) {
        ground.put_blob(&name("only/blobs"), b"x").await;
        let digest = ground.push(&name("has/manifest"), "x", &[]).await;
        ground.push(&name("has/tag"), "x", &["t"]).await;
        assert_eq!(all_names(&ground.registry, 10).await, ["has/manifest", "has/tag"]);
        ground.registry.delete_manifest(&name("has/tag"), &digest).await.unwrap();
        assert_eq!(all_names(&ground.registry, 10).await, ["has/manifest"]);
        // Distribution removes the link and leaves its folder.
        ground.remove(&layout::revision_link(&name("has/manifest"), &digest)).await;
        assert!(all_names(&ground.registry, 10).await.is_empty());
    }

    async fn foreign_entries_among_repositories_are_passed_over(ground: &Ground) {
        tagged(ground, "a/b").await;
        for foreign in ["a file", "UPPER/_manifests/tags/t/current/link", "a/_uploads/x/data", "a/b/..x/y", "a/lost+found/x"] {
            ground.write(&layout::repositories("").join(foreign).unwrap(), "decoy").await;
        }
        assert_eq!(all_names(&ground.registry, 1).await, ["a/b"]);
    }

    async fn what_comes_and_goes_shows_in_the_list_at_once(ground: &Ground) {
        for settled in [true, false] {
            if !settled { ground.unsettle(); }
            for repository in ["a/b", "a/c", "d"] {
                tagged(ground, repository).await;
            }
            // Read twice: the second time from memory.
            for _ in 0..2 {
                assert_eq!(all_names(&ground.registry, 2).await, ["a/b", "a/c", "d"]);
            }
            for prefix in ["", "a", "d"] {
                ground.age(&layout::repositories(prefix));
            }
            assert_eq!(all_names(&ground.registry, 2).await, ["a/b", "a/c", "d"]);
            tagged(ground, "d/e/f").await;
            tagged(ground, "a/a").await;
            ground.remove(&layout::repositories("a/c")).await;
            assert_eq!(all_names(&ground.registry, 2).await, ["a/a", "a/b", "d", "d/e/f"]);
            ground.remove(&layout::repositories("d/e")).await;
            ground.remove(&layout::repositories("a/a")).await;
        }
    }

    async fn an_empty_registry_lists_nothing(ground: &Ground) {
        assert!(all_names(&ground.registry, 10).await.is_empty());
        let page = ground.registry.list_repositories(Some("a/b"), 10).await.unwrap();
        assert!(page.items.is_empty() && !page.more);
    }
}

#[tokio::test]
async fn more_names_than_one_listing_holds_are_all_listed() {
    let ground = Ground::memory();
    let mut expected = Vec::new();
    for at in 0..2_500 {
        let repository = format!("r{at:04}");
        tagged(&ground, &repository).await;
        if at % 100 == 0 {
            tagged(&ground, &format!("{repository}/sub")).await;
            expected.push(format!("{repository}/sub"));
        }
        expected.push(repository);
    }
    expected.sort_unstable();
    assert_eq!(all_names(&ground.registry, 333).await, expected);
}
