use super::*;

contracts!(
    a_reservation_reads_back_what_was_created,
    a_taken_name_or_storage_name_is_a_conflict,
    pending_names_are_counted_per_account_until_they_end,
    the_first_manifest_confirms_once,
    a_reservation_is_prolonged_but_never_shortened,
    a_reservation_that_ended_frees_its_name,
    pending_repositories_are_listed_oldest_first,
    visibility_changes,
);

async fn pending(tx: &mut Tx, id: i64, name: &str, until: i64) -> Result<(), StoreError> {
    let name: RepositoryName = name.parse().unwrap();
    let namespace = find_namespace(tx, &NamespaceName::from(&name)).await?.unwrap();
    let new = NewRepository {
        repository_id: RepositoryId::from_i64(id),
        namespace_id: namespace.namespace_id,
        name: &name,
        stored_as: &name,
        visibility: Visibility::Private,
        created_by: Some(AccountId::from_i64(5)),
    };
    create_pending_repository(tx, &new, NOW, until).await
}

async fn find(tx: &mut Tx, name: &str) -> Option<RepositoryFacts> {
    find_repository(tx, &name.parse().unwrap()).await.unwrap()
}

async fn a_reservation_reads_back_what_was_created(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 5, "ada", false).await;
    pending(&mut tx, 1, "ada/web/api", NOW + 10).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let name: RepositoryName = "ada/web/api".parse().unwrap();
    assert_eq!(
        find(&mut tx, "ada/web/api").await,
        Some(RepositoryFacts {
            repository_id: RepositoryId::from_i64(1),
            namespace_id: NamespaceId::from_i64(1005),
            name: name.clone(),
            stored_as: name,
            visibility: Visibility::Private,
            state: RepositoryState::Pending { expires_at: NOW + 10 },
        })
    );
    assert_eq!(find(&mut tx, "ada/web").await, None);
}

async fn a_taken_name_or_storage_name_is_a_conflict(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 5, "ada", false).await;
    pending(&mut tx, 1, "ada/web", NOW + 10).await.unwrap();
    let again = pending(&mut tx, 2, "ada/web", NOW + 20).await;
    assert!(
        matches!(again, Err(StoreError::Conflict("repository"))),
        "{again:?}"
    );
    let new = NewRepository {
        repository_id: RepositoryId::from_i64(3),
        namespace_id: NamespaceId::from_i64(1005),
        name: &"ada/other".parse().unwrap(),
        stored_as: &"ada/web".parse().unwrap(),
        visibility: Visibility::Private,
        created_by: None,
    };
    let stolen = create_active_repository(&mut tx, &new, NOW).await;
    assert!(
        matches!(stolen, Err(StoreError::Conflict("repository"))),
        "{stolen:?}"
    );
    assert!(find(&mut tx, "ada/other").await.is_none());
    assert_eq!(find(&mut tx, "ada/web").await.unwrap().repository_id.as_i64(), 1);
}

async fn pending_names_are_counted_per_account_until_they_end(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 5, "ada", true).await.account_id;
    pending(&mut tx, 1, "ada/a", NOW + 10).await.unwrap();
    pending(&mut tx, 2, "ada/b", NOW + 20).await.unwrap();
    pending(&mut tx, 3, "centos", NOW + 30).await.unwrap();
    repository(&mut tx, 4, "ada/c", Visibility::Private).await;
    for (at, count) in [(NOW, 3), (NOW + 10, 2), (NOW + 25, 1), (NOW + 30, 0)] {
        assert_eq!(count_pending(&mut tx, ada, at).await.unwrap(), count, "{at}");
    }
    assert_eq!(
        count_pending(&mut tx, AccountId::from_i64(6), NOW).await.unwrap(),
        0
    );
}

async fn the_first_manifest_confirms_once(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 5, "ada", false).await;
    pending(&mut tx, 1, "ada/web", NOW + 10).await.unwrap();
    let name: RepositoryName = "ada/web".parse().unwrap();
    assert!(confirm_repository(&mut tx, &name, NOW + 1).await.unwrap());
    assert!(!confirm_repository(&mut tx, &name, NOW + 2).await.unwrap());
    let confirmed = find_confirmed(&mut tx, &name).await.unwrap().unwrap();
    assert_eq!(
        (
            confirmed.repository_id,
            confirmed.visibility,
            confirmed.created_by
        ),
        (
            RepositoryId::from_i64(1),
            Visibility::Private,
            Some(AccountId::from_i64(5))
        )
    );
    assert!(
        !confirm_repository(&mut tx, &"ada/none".parse().unwrap(), NOW)
            .await
            .unwrap()
    );
    assert_eq!(
        find(&mut tx, "ada/web").await.unwrap().state,
        RepositoryState::Active
    );
    assert_eq!(expire_pending(&mut tx, i64::MAX).await.unwrap(), 0);
}

async fn a_reservation_is_prolonged_but_never_shortened(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 5, "ada", false).await;
    pending(&mut tx, 1, "ada/web", NOW + 10).await.unwrap();
    repository(&mut tx, 2, "ada/active", Visibility::Private).await;
    let name: RepositoryName = "ada/web".parse().unwrap();
    assert!(!prolong_pending(&mut tx, &name, NOW + 5).await.unwrap());
    assert!(prolong_pending(&mut tx, &name, NOW + 15).await.unwrap());
    let state = RepositoryState::Pending { expires_at: NOW + 15 };
    assert_eq!(find(&mut tx, "ada/web").await.unwrap().state, state);
    assert!(
        !prolong_pending(&mut tx, &"ada/active".parse().unwrap(), NOW + 15)
            .await
            .unwrap()
    );
    assert_eq!(
        find(&mut tx, "ada/active").await.unwrap().state,
        RepositoryState::Active
    );
}

async fn a_reservation_that_ended_frees_its_name(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 5, "ada", false).await;
    pending(&mut tx, 1, "ada/a", NOW + 10).await.unwrap();
    pending(&mut tx, 2, "ada/b", NOW + 20).await.unwrap();
    assert_eq!(expire_pending(&mut tx, NOW + 9).await.unwrap(), 0);
    assert_eq!(expire_pending(&mut tx, NOW + 10).await.unwrap(), 1);
    assert!(find(&mut tx, "ada/a").await.is_none());
    assert!(find(&mut tx, "ada/b").await.is_some());
    pending(&mut tx, 3, "ada/a", NOW + 40).await.unwrap();
}

async fn pending_repositories_are_listed_oldest_first(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 5, "ada", false).await;
    for (id, name) in [(3, "ada/c"), (1, "ada/z"), (2, "ada/b")] {
        pending(&mut tx, id, name, NOW + 10).await.unwrap();
    }
    repository(&mut tx, 4, "ada/active", Visibility::Public).await;
    let page = list_pending(&mut tx, None, 2).await.unwrap();
    let names = |page: &[RepositoryFacts]| page.iter().map(|r| r.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&page), ["ada/z", "ada/b"]);
    let page = list_pending(&mut tx, Some(page[1].repository_id), 2)
        .await
        .unwrap();
    assert_eq!(names(&page), ["ada/c"]);
}

async fn visibility_changes(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 5, "ada", false).await;
    let web = repository(&mut tx, 1, "ada/web", Visibility::Private).await;
    assert_eq!(web.visibility, Visibility::Private);
    assert!(
        set_visibility(&mut tx, web.repository_id, Visibility::Public)
            .await
            .unwrap()
    );
    assert_eq!(
        find(&mut tx, "ada/web").await.unwrap().visibility,
        Visibility::Public
    );
    assert!(
        !set_visibility(&mut tx, RepositoryId::from_i64(9), Visibility::Public)
            .await
            .unwrap()
    );
}
