use super::*;

contracts!(
    a_deleted_repository_frees_its_name_and_keeps_its_storage_name,
    deleted_repositories_are_listed_by_name_and_id,
    a_purge_is_claimed_by_one_and_ends_restoring,
    a_name_that_is_taken_is_a_conflict_for_whoever_wants_it,
);

fn at(purge_after: i64) -> Deletion {
    Deletion {
        by: None,
        at: NOW,
        purge_after,
    }
}

async fn a_deleted_repository_frees_its_name_and_keeps_its_storage_name(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    let app = repository(&mut tx, 7, "ada/app", Visibility::Public).await;
    put_alias(&mut tx, &"ada/old".parse().unwrap(), app.repository_id, NOW)
        .await
        .unwrap();
    assert!(
        delete_repository(&mut tx, app.repository_id, &at(NOW + 5))
            .await
            .unwrap()
    );
    assert!(
        !delete_repository(&mut tx, app.repository_id, &at(NOW + 9))
            .await
            .unwrap()
    );
    assert_eq!(find_repository(&mut tx, &app.name).await.unwrap(), None);
    assert_eq!(
        find_repository_by_id(&mut tx, app.repository_id).await.unwrap(),
        None
    );
    let former = find_repository_by_former_name(&mut tx, &"ada/old".parse().unwrap()).await;
    assert_eq!(former.unwrap(), None);
    let deleted = find_deleted(&mut tx, app.repository_id).await.unwrap().unwrap();
    assert_eq!((deleted.name, deleted.purge_after), (app.name.clone(), NOW + 5));
    let other = RepositoryId::from_i64(8);
    let stored_as = choose_storage_name(&mut tx, &app.name, other).await.unwrap();
    assert_eq!(stored_as.as_str(), "portolan/8");
    assert_eq!(find_stored(&mut tx, &app.name).await.unwrap(), Stored::Settled);
    assert!(
        restore_repository(&mut tx, app.repository_id, &app.name)
            .await
            .unwrap()
    );
    assert_eq!(find_repository(&mut tx, &app.name).await.unwrap(), Some(app));
}

async fn deleted_repositories_are_listed_by_name_and_id(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    account(&mut tx, 2, "eve", false).await;
    for (id, name) in [(9, "ada/b"), (5, "ada/a"), (7, "ada/c"), (6, "eve/a")] {
        let made = repository(&mut tx, id, name, Visibility::Private).await;
        delete_repository(&mut tx, made.repository_id, &at(NOW + 5))
            .await
            .unwrap();
    }
    // The same name once more, stored elsewhere.
    let again: RepositoryName = "ada/b".parse().unwrap();
    let new = NewRepository {
        repository_id: RepositoryId::from_i64(11),
        namespace_id: NamespaceId::from_i64(1001),
        name: &again,
        stored_as: &"portolan/11".parse().unwrap(),
        visibility: Visibility::Private,
        created_by: None,
    };
    create_active_repository(&mut tx, &new, NOW).await.unwrap();
    delete_repository(&mut tx, new.repository_id, &at(NOW + 5))
        .await
        .unwrap();
    let (mut seen, mut after) = (Vec::new(), (String::new(), i64::MIN));
    loop {
        let page = list_deleted(&mut tx, new.namespace_id, (&after.0, after.1), 1)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = (last.name.to_string(), last.repository_id.as_i64());
        seen.push(after.1);
    }
    assert_eq!(seen, [5, 9, 11, 7]);
}

async fn a_purge_is_claimed_by_one_and_ends_restoring(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    for (id, name, purge_after) in [(1, "ada/a", NOW), (2, "ada/b", NOW - 5), (3, "ada/c", NOW + 1)] {
        let made = repository(&mut tx, id, name, Visibility::Private).await;
        delete_repository(&mut tx, made.repository_id, &at(purge_after))
            .await
            .unwrap();
    }
    let ids = |list: &[crate::domain::repository::DeletedRepository]| {
        let mut ids: Vec<i64> = list.iter().map(|one| one.repository_id.as_i64()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ids(&claim_purges(&mut tx, NOW + 60, NOW, 1).await.unwrap()), [2]);
    assert_eq!(ids(&claim_purges(&mut tx, NOW + 60, NOW, 9).await.unwrap()), [1]);
    assert_eq!(
        ids(&claim_purges(&mut tx, NOW + 60, NOW, 9).await.unwrap()),
        [0; 0]
    );
    let first = RepositoryId::from_i64(1);
    assert_eq!(find_deleted(&mut tx, first).await.unwrap(), None);
    let restored = restore_repository(&mut tx, first, &"ada/a".parse().unwrap()).await;
    assert!(!restored.unwrap());
    end_purge(&mut tx, first, NOW).await.unwrap();
    delay_purge(&mut tx, RepositoryId::from_i64(2), NOW + 70)
        .await
        .unwrap();
    assert_eq!(
        ids(&claim_purges(&mut tx, NOW + 99, NOW + 60, 9).await.unwrap()),
        [3]
    );
    assert_eq!(
        ids(&claim_purges(&mut tx, NOW + 99, NOW + 70, 9).await.unwrap()),
        [2]
    );
    // One may be claimed before it is due, once.
    let early = repository(&mut tx, 4, "ada/d", Visibility::Private)
        .await
        .repository_id;
    assert!(!claim_purge(&mut tx, early, NOW + 99).await.unwrap());
    delete_repository(&mut tx, early, &at(NOW + 500)).await.unwrap();
    assert!(claim_purge(&mut tx, early, NOW + 200).await.unwrap());
    assert!(!claim_purge(&mut tx, early, NOW + 99).await.unwrap());
    assert_eq!(find_deleted(&mut tx, early).await.unwrap(), None);
    assert_eq!(
        ids(&claim_purges(&mut tx, NOW + 300, NOW + 200, 9).await.unwrap())
            .last()
            .copied(),
        Some(4)
    );
    let stored_as: RepositoryName = "ada/a".parse().unwrap();
    assert_eq!(find_stored(&mut tx, &stored_as).await.unwrap(), Stored::Settled);
}

async fn a_name_that_is_taken_is_a_conflict_for_whoever_wants_it(store: &Store) {
    for wanted in ["rename", "restore"] {
        let mut tx = store.write().await.unwrap();
        account(&mut tx, 1, "ada", false).await;
        let app = repository(&mut tx, 1, "ada/app", Visibility::Private).await;
        let other = repository(&mut tx, 2, "ada/other", Visibility::Private).await;
        let refused = if wanted == "rename" {
            rename_repository(&mut tx, app.repository_id, &other.name, app.namespace_id).await
        } else {
            delete_repository(&mut tx, app.repository_id, &at(NOW))
                .await
                .unwrap();
            restore_repository(&mut tx, app.repository_id, &other.name).await
        };
        assert!(
            matches!(refused, Err(StoreError::Conflict("repository"))),
            "{refused:?}"
        );
    }
}
