//! What images were built on, and what depends on them.

use std::sync::Arc;

use serde_json::json;
use shared::oci::RepositoryName;
use shared::secret::Secret;

use super::world::{INDEX, World};
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::domain::{RepositoryId, Visibility};
use crate::store::statements_read;

/// Delivers a push of an image to another repository, which then has the same content in the registry.
async fn push_to(world: &mut World, repository: &str, digest: &str, tag: &str) {
    let mut event = world.push(digest, None);
    event["target"]["repository"] = repository.into();
    event["target"]["tag"] = tag.into();
    world.deliver(&[event]).await;
    world.read().await;
}

async fn another(world: &World, name: &str) -> RepositoryId {
    let app = &world.fixture.app;
    let name: RepositoryName = name.parse().unwrap();
    app.confirm_pushed(&name).await.unwrap();
    let owner = app.operator(name.namespace()).await.unwrap();
    app.find_named(&owner, &name).await.unwrap().facts.repository_id
}

async fn eve(world: &World) -> Caller {
    let app = &world.fixture.app;
    app.create_account("eve", Secret::new("correct horse battery".to_owned()))
        .await
        .unwrap();
    app.operator("eve").await.unwrap()
}

#[tokio::test]
async fn an_image_knows_its_base_and_whether_there_is_a_newer_one() {
    let mut world = World::new().await;
    let app = Arc::clone(&world.fixture.app);
    let eve = eve(&world).await;
    let base_id = another(&world, "eve/base").await;
    let scratch_id = another(&world, "eve/scratch").await;
    let scratch = world.image(&["rootfs"], "amd64");
    let base = world.image(&["rootfs", "libraries"], "amd64");
    let image = world.image(&["rootfs", "libraries", "program"], "amd64");
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [world.descriptor(&base)]});
    let index = world.manifest(INDEX, &index);
    push_to(&mut world, "eve/scratch", &scratch, "1").await;
    push_to(&mut world, "eve/base", &base, "only-here").await;
    push_to(&mut world, "eve/base", &index, "12").await;
    let push = world.push(&image, Some("v1"));
    world.deliver(&[push]).await;
    world.read().await;
    // Both are eve's, and private.
    let found = app.find_bases(&world.ada, world.id, "v1").await.unwrap();
    assert_eq!((found.len(), found[0].bases.len()), (1, 0));
    app.set_visibility(&"eve/scratch".parse().unwrap(), Visibility::Public)
        .await
        .unwrap();
    let found = app.find_bases(&world.ada, world.id, "v1").await.unwrap();
    assert_eq!(found[0].bases[0].repository.repository_id, scratch_id);
    app.set_visibility(&"eve/base".parse().unwrap(), Visibility::Public)
        .await
        .unwrap();
    let found = app.find_bases(&world.ada, world.id, "v1").await.unwrap();
    let bases = &found[0].bases;
    assert_eq!(
        (bases.len(), bases[0].repository.repository_id, bases[0].layers),
        (1, base_id, 2)
    );
    assert_eq!(
        (&bases[0].tags, bases[0].moved.len()),
        (&vec!["12".to_owned(), "only-here".to_owned()], 0)
    );
    // The base is built anew.
    let newer = world.image(&["rootfs", "better libraries"], "amd64");
    push_to(&mut world, "eve/base", &newer, "12").await;
    let found = app.find_bases(&world.ada, world.id, "v1").await.unwrap();
    let base = &found[0].bases[0];
    assert_eq!((&base.tags, base.moved.len()), (&vec!["only-here".to_owned()], 1));
    assert_eq!(
        (&base.moved[0].name, &base.moved[0].digest),
        (&"12".to_owned(), &newer)
    );
    // From the other side, for who may see it.
    let impact = app.impact_of_tag(&eve, base_id, "only-here").await.unwrap();
    assert!(
        impact.built_on_it.is_empty() && impact.shared_with.len() == 1,
        "{impact:?}"
    );
    app.set_visibility(&"ada/app".parse().unwrap(), Visibility::Public)
        .await
        .unwrap();
    let impact = app.impact_of_tag(&eve, base_id, "only-here").await.unwrap();
    assert_eq!(impact.built_on_it.len(), 1);
    assert_eq!(
        (&impact.built_on_it[0].digest, &impact.built_on_it[0].tags),
        (&image, &vec!["v1".to_owned()])
    );
    assert_eq!(impact.shared_with.len(), 2);
    assert_eq!(impact.indexes, std::slice::from_ref(&index));
    let whole = app.impact_of_repository(&eve, base_id).await.unwrap();
    assert_eq!((whole.built_on_it.len(), whole.shared_with.len()), (1, 2));
    assert!(whole.freed.bytes > whole.freed.storage_bytes);
}

/// A world in which ada's image stands on `count` others of eve's repositories, each with one layer more than the one before and
/// tags of all kinds, and as many stand on it; and the image.
async fn tower(count: usize) -> (World, String) {
    let mut world = World::new().await;
    let app = Arc::clone(&world.fixture.app);
    eve(&world).await;
    let names: Vec<String> = (0..30).map(|number| format!("layer {number}")).collect();
    let layers: Vec<&str> = names.iter().map(String::as_str).collect();
    for number in 0..count {
        for (repository, stack) in [
            (format!("eve/base{number}"), &layers[..=number]),
            (format!("eve/above{number}"), &layers[..21 + number % 9]),
        ] {
            another(&world, &repository).await;
            app.set_visibility(&repository.parse().unwrap(), Visibility::Public)
                .await
                .unwrap();
            let first = world.image(stack, "amd64");
            let index =
                json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [world.descriptor(&first)]});
            let index = world.manifest(INDEX, &index);
            push_to(&mut world, &repository, &first, "stays").await;
            push_to(&mut world, &repository, &index, "moves").await;
            let newer = world.image(&[names[number].as_str(), "newer"], "amd64");
            push_to(&mut world, &repository, &newer, "moves").await;
        }
    }
    let image = world.image(&layers[..20], "amd64");
    let push = world.push(&image, Some("v1"));
    world.deliver(&[push]).await;
    world.read().await;
    (world, image)
}

#[tokio::test]
async fn a_lineage_is_told_in_ten_statements_however_much_there_is_below_and_above() {
    let mut asked = Vec::new();
    for count in [1, 12] {
        let (world, image) = tower(count).await;
        let app = &world.fixture.app;
        let mut tx = world.fixture.store.read().await.unwrap();
        let before = statements_read();
        let found = app
            .lineage(&mut tx, &world.ada, (world.id, &image))
            .await
            .unwrap();
        asked.push(statements_read() - before);
        let deepest = &found.bases[0];
        assert_eq!((found.bases.len(), deepest.layers), (1, count));
        assert_eq!(deepest.repository.name.as_str(), format!("eve/base{}", count - 1));
        assert_eq!(deepest.tags, ["stays"]);
        assert_eq!(deepest.moved[0].name, "moves");
        let above = found.descendants.len();
        assert_eq!(above, count.min(6), "of some repositories");
        assert!(found.descendants.iter().all(|one| one.tags == ["stays"]));
    }
    assert_eq!(asked, [10, 10]);
}

#[tokio::test]
async fn images_that_an_earlier_version_read_get_their_stacks() {
    let mut world = World::new().await;
    let app = Arc::clone(&world.fixture.app);
    let (base, image) = (world.image(&["a"], "amd64"), world.image(&["a", "b"], "amd64"));
    let events = [world.push(&base, Some("base")), world.push(&image, Some("v1"))];
    world.deliver(&events).await;
    world.read().await;
    assert_eq!(app.tend_ancestry().await.unwrap(), 0);
    let mut tx = world.fixture.store.write().await.unwrap();
    crate::store::ancestry::forget_chains(&mut tx, world.id)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(
        app.find_bases(&world.ada, world.id, "v1").await.unwrap()[0]
            .bases
            .is_empty()
    );
    assert_eq!(app.tend_ancestry().await.unwrap(), 2);
    let found = app.find_bases(&world.ada, world.id, "v1").await.unwrap();
    assert_eq!(found[0].bases[0].tags, ["base"]);
}

#[tokio::test]
async fn what_depends_on_a_manifest_is_told_before_it_goes() {
    let mut world = World::new().await;
    let app = Arc::clone(&world.fixture.app);
    let image = world.image(&["layer"], "amd64");
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [world.descriptor(&image)]});
    let index = world.manifest(INDEX, &index);
    let events = [
        world.push(&image, Some("v1")),
        world.push(&image, Some("latest")),
        world.push(&index, Some("multi")),
        world.event("pull", {
            let mut target = world.descriptor(&image);
            target["tag"] = "v1".into();
            target
        }),
    ];
    world.deliver(&events).await;
    world.read().await;
    app.flush_pulls().await;
    let of_tag = app.impact_of_tag(&world.ada, world.id, "v1").await.unwrap();
    assert_eq!(
        (&of_tag.tags, &of_tag.indexes),
        (&vec!["latest".to_owned()], &vec![index.clone()])
    );
    assert_eq!((of_tag.pulls, of_tag.last_pulled_by.as_deref()), (1, Some("ada")));
    assert_eq!(of_tag.clients, [("docker".to_owned(), 1)]);
    assert_eq!(of_tag.freed.bytes, 0, "another tag leads to it");
    let of_manifest = app
        .impact_of_manifest(&world.ada, world.id, &image)
        .await
        .unwrap();
    assert_eq!(of_manifest.tags, ["latest", "v1"]);
    assert!(of_manifest.freed.bytes > 0 && of_manifest.freed.manifests == [image]);
    let missing = app.impact_of_manifest(&world.ada, world.id, "sha256:0").await;
    assert!(matches!(missing, Err(AppError::NotFound(_))));
}
