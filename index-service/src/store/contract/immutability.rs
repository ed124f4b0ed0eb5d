use shared::token::ImmutableTags;

use super::*;
use crate::store::immutability::{Place, find_immutable_tags, put_immutable_tags};
use crate::store::terms::{FoundTerms, find_terms};

contracts!(
    immutable_tags_are_kept_by_repository_and_by_namespace,
    a_name_without_a_repository_has_the_terms_of_its_namespace,
);

fn tags(patterns: &[&str], exceptions: &[&str]) -> ImmutableTags {
    let read = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    ImmutableTags::new(read(patterns), read(exceptions)).unwrap()
}

async fn immutable_tags_are_kept_by_repository_and_by_namespace(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    account(&mut tx, 2, "eve", false).await;
    let app = repository(&mut tx, 7, "ada/app", Visibility::Private).await;
    let of_ada = Place::Namespace(app.namespace_id);
    let of_app = Place::Repository(app.repository_id);
    for place in [of_ada, of_app] {
        assert!(find_immutable_tags(&mut tx, place).await.unwrap().is_empty());
        for rule in [
            tags(&["v*", "*-final"], &["v0*"]),
            tags(&["*"], &[]),
            tags(&[], &[]),
        ] {
            put_immutable_tags(&mut tx, place, &rule).await.unwrap();
            assert_eq!(find_immutable_tags(&mut tx, place).await.unwrap(), rule);
        }
    }
    put_immutable_tags(&mut tx, of_ada, &tags(&["v*"], &["v0"]))
        .await
        .unwrap();
    put_immutable_tags(&mut tx, of_app, &tags(&["main"], &[]))
        .await
        .unwrap();
    let other = Place::Namespace(NamespaceId::from_i64(1002));
    assert!(
        find_immutable_tags(&mut tx, other).await.unwrap().is_empty(),
        "eve's has none"
    );
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let found = find_terms(&mut tx, app.namespace_id, Some(app.repository_id))
        .await
        .unwrap();
    assert_eq!(found.repository, tags(&["main"], &[]));
    assert_eq!(found.namespace, tags(&["v*"], &["v0"]));
}

async fn a_name_without_a_repository_has_the_terms_of_its_namespace(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    let namespace_id = NamespaceId::from_i64(1001);
    assert_eq!(
        find_terms(&mut tx, namespace_id, None).await.unwrap(),
        FoundTerms::default()
    );
    let rule = tags(&["v*"], &[]);
    put_immutable_tags(&mut tx, Place::Namespace(namespace_id), &rule)
        .await
        .unwrap();
    let found = find_terms(&mut tx, namespace_id, None).await.unwrap();
    assert_eq!(
        (found.namespace, found.repository),
        (rule, ImmutableTags::default())
    );
}
