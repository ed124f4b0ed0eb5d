use super::content::{image, part, put, repositories};
use super::*;
use crate::domain::content::{Description, Role};
use crate::domain::layer::layer_chains;
use crate::store::content_feed::{TagChange, add_tag_change};
use crate::store::lineage::*;
use crate::store::tag::put_tag;

contracts!(
    images_are_found_by_their_layers_with_what_they_consist_of,
    tags_of_images_are_found_directly_and_by_an_index_and_those_that_left_them,
);

fn of(layers: &[&str]) -> Description {
    let mut config = part(Role::Config, "sha256:config", 1);
    config.media_type = "application/vnd.oci.image.config.v1+json".to_owned();
    let layers = layers.iter().map(|layer| part(Role::Layer, layer, 1));
    image(std::iter::once(config).chain(layers).collect())
}

fn place(id: RepositoryId, digest: &str) -> (RepositoryId, String) {
    (id, digest.to_owned())
}

async fn images_are_found_by_their_layers_with_what_they_consist_of(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, two) = repositories(&mut tx).await;
    put(&mut tx, one, "sha256:base", &of(&["sha256:a"])).await;
    put(
        &mut tx,
        two,
        "sha256:built",
        &of(&["sha256:a", "sha256:b", "sha256:b"]),
    )
    .await;
    put(&mut tx, two, "sha256:same", &of(&["sha256:a"])).await;
    let artifact = image(vec![part(Role::Layer, "sha256:a", 1)]);
    put(&mut tx, two, "sha256:artifact", &artifact).await;
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let stacks = layer_chains(["sha256:a", "sha256:b", "sha256:b"]);
    // More than a statement takes, the known ones at both ends.
    let mut asked: Vec<String> = (0..70).map(|number| format!("sha256:none{number}")).collect();
    asked.insert(0, stacks[2].clone());
    asked.push(stacks[0].clone());
    let mut known: Vec<String> = find_chains(&mut tx, &asked).await.unwrap().into_iter().collect();
    known.sort();
    let mut expected = vec![stacks[0].clone(), stacks[2].clone()];
    expected.sort();
    assert_eq!(known, expected);
    let found = list_of_chains(&mut tx, &stacks).await.unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(
        found[&stacks[0]],
        [place(one, "sha256:base"), place(two, "sha256:same")]
    );
    assert_eq!(found[&stacks[2]], [place(two, "sha256:built")]);
    let mut everywhere: Vec<RepositoryId> = (100..130).map(RepositoryId::from_i64).collect();
    everywhere.insert(0, two);
    everywhere.push(one);
    let twice = list_with_part(&mut tx, &everywhere, "sha256:b", 9).await.unwrap();
    assert_eq!(twice, [place(two, "sha256:built")], "it has the layer twice");
    let mut with = list_with_part(&mut tx, &everywhere, "sha256:a", 9).await.unwrap();
    with.sort();
    assert_eq!(with.len(), 4, "{with:?}");
    assert_eq!(
        list_with_part(&mut tx, &everywhere, "sha256:a", 1)
            .await
            .unwrap()
            .len(),
        2
    );
    let parts = list_parts_of_images(&mut tx, &with).await.unwrap();
    let digests = |id, digest| -> Vec<&str> {
        parts[&place(id, digest)]
            .iter()
            .map(|part| part.digest.as_str())
            .collect()
    };
    assert_eq!(
        digests(two, "sha256:built"),
        ["sha256:config", "sha256:a", "sha256:b", "sha256:b"]
    );
    assert_eq!(digests(two, "sha256:artifact"), ["sha256:a"]);
    assert_eq!(parts.len(), 4);
}

async fn tags_of_images_are_found_directly_and_by_an_index_and_those_that_left_them(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, two) = repositories(&mut tx).await;
    for id in [one, two] {
        put(&mut tx, id, "sha256:image", &of(&["sha256:a"])).await;
    }
    let index = image(vec![part(Role::Manifest, "sha256:image", 10)]);
    put(&mut tx, two, "sha256:index", &index).await;
    for (id, tag, digest) in [
        (one, "own", "sha256:image"),
        (two, "plain", "sha256:image"),
        (two, "multi", "sha256:index"),
        (two, "moved", "sha256:new"),
        (two, "away", "sha256:new"),
    ] {
        put_tag(&mut tx, id, tag, digest, NOW).await.unwrap();
    }
    for (sequence, tag, before) in [
        (1, "moved", "sha256:image"),
        (2, "away", "sha256:index"),
        (3, "gone", "sha256:image"),
        (4, "away", "sha256:other"),
    ] {
        let change = TagChange {
            sequence,
            tag: tag.to_owned(),
            digest_before: Some(before.to_owned()),
            digest_after: Some("sha256:new".to_owned()),
            changed_at: NOW + sequence,
            changed_by: None,
            client: None,
        };
        add_tag_change(&mut tx, two, &change).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let (first, second) = (place(one, "sha256:image"), place(two, "sha256:image"));
    let asked = [first.clone(), place(one, "sha256:none"), second.clone()];
    let mut tags = list_tags_of_images(&mut tx, &asked).await.unwrap();
    for tags in tags.values_mut() {
        tags.sort();
    }
    assert_eq!(tags.len(), 2, "{tags:?}");
    assert_eq!(tags[&first], ["own"]);
    assert_eq!(tags[&second], ["multi", "plain"]);
    let mut left = list_left_of_images(&mut tx, &asked).await.unwrap();
    for left in left.values_mut() {
        left.sort_by_key(|one| one.changed_at);
    }
    let moved = |tag: &str, changed_at| Left {
        tag: tag.to_owned(),
        changed_at,
        digest: "sha256:new".to_owned(),
    };
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(
        left[&second],
        [moved("moved", NOW + 1), moved("away", NOW + 2)],
        "a tag that is gone leads nowhere newer"
    );
}
