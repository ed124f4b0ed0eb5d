use super::*;

contracts!(
    an_account_reads_back_what_was_created,
    a_taken_name_is_a_conflict_and_changes_nothing,
    a_new_password_has_the_next_version,
    a_rehash_keeps_the_version_and_loses_against_a_change,
    an_account_is_disabled_and_enabled,
    accounts_are_listed_by_name_page_by_page,
    the_namespace_library_exists_and_belongs_to_administrators,
    a_namespace_belongs_to_its_account,
    a_namespace_without_an_account_is_refused,
    locking_an_account_lets_others_wait,
);

async fn an_account_reads_back_what_was_created(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 5, "Ada", true).await;
    tx.commit().await.unwrap();
    assert_eq!(
        (ada.username.as_str(), ada.username.display_name()),
        ("ada", "Ada")
    );
    assert_eq!(
        (
            ada.password_version,
            ada.is_admin,
            ada.disabled_at,
            ada.created_at
        ),
        (1, true, None, NOW)
    );
    assert_eq!(ada.password_hash.expose(), HASH);
    let mut tx = store.read().await.unwrap();
    assert_eq!(
        find_account_by_id(&mut tx, ada.account_id)
            .await
            .unwrap()
            .as_ref(),
        Some(&ada)
    );
    assert_eq!(
        find_account(&mut tx, &"ADA".parse().unwrap())
            .await
            .unwrap()
            .as_ref(),
        Some(&ada)
    );
    assert_eq!(
        find_account(&mut tx, &"eve".parse().unwrap()).await.unwrap(),
        None
    );
    assert_eq!(
        find_account_by_id(&mut tx, AccountId::from_i64(6)).await.unwrap(),
        None
    );
}

async fn a_taken_name_is_a_conflict_and_changes_nothing(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 5, "ada", false).await;
    let username: Username = "ADA".parse().unwrap();
    let again = NewAccount {
        account_id: AccountId::from_i64(6),
        username: &username,
        password_hash: &"$2y$10$x".parse().unwrap(),
        is_admin: true,
    };
    let refused = create_account(&mut tx, &again, NOW + 1).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict("account"))),
        "{refused:?}"
    );
    let name = NamespaceName::from(&username);
    let refused = create_namespace(&mut tx, NamespaceId::from_i64(9), &name, ada.account_id, NOW).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict("namespace"))),
        "{refused:?}"
    );
    // The transaction goes on after a conflict, on PostgreSQL too.
    assert_eq!(find_account(&mut tx, &username).await.unwrap(), Some(ada));
    tx.commit().await.unwrap();
}

async fn a_new_password_has_the_next_version(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 5, "ada", false).await;
    let hash = "$2b$10$y".parse().unwrap();
    assert_eq!(
        set_password(&mut tx, ada.account_id, &hash, NOW).await.unwrap(),
        Some(2)
    );
    assert_eq!(
        set_password(&mut tx, ada.account_id, &hash, NOW).await.unwrap(),
        Some(3)
    );
    assert_eq!(
        set_password(&mut tx, AccountId::from_i64(6), &hash, NOW)
            .await
            .unwrap(),
        None
    );
    let read = find_account(&mut tx, &ada.username).await.unwrap().unwrap();
    assert_eq!((read.password_version, read.password_hash), (3, hash));
}

async fn a_rehash_keeps_the_version_and_loses_against_a_change(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 5, "ada", false).await;
    let (hash, stale) = (
        "$argon2id$new".parse().unwrap(),
        "$argon2id$stale".parse().unwrap(),
    );
    assert!(
        replace_password_hash(&mut tx, ada.account_id, 1, &hash, NOW)
            .await
            .unwrap()
    );
    assert_eq!(
        find_account(&mut tx, &ada.username)
            .await
            .unwrap()
            .unwrap()
            .password_version,
        1
    );
    set_password(&mut tx, ada.account_id, &hash, NOW).await.unwrap();
    assert!(
        !replace_password_hash(&mut tx, ada.account_id, 1, &stale, NOW)
            .await
            .unwrap()
    );
    assert_eq!(
        find_account(&mut tx, &ada.username)
            .await
            .unwrap()
            .unwrap()
            .password_hash,
        hash
    );
}

async fn an_account_is_disabled_and_enabled(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 5, "ada", false).await;
    assert!(
        set_disabled(&mut tx, ada.account_id, Some(NOW), NOW)
            .await
            .unwrap()
    );
    assert_eq!(
        find_account(&mut tx, &ada.username)
            .await
            .unwrap()
            .unwrap()
            .disabled_at,
        Some(NOW)
    );
    assert!(set_disabled(&mut tx, ada.account_id, None, NOW).await.unwrap());
    assert_eq!(
        find_account(&mut tx, &ada.username)
            .await
            .unwrap()
            .unwrap()
            .disabled_at,
        None
    );
    assert!(
        !set_disabled(&mut tx, AccountId::from_i64(6), None, NOW)
            .await
            .unwrap()
    );
}

async fn accounts_are_listed_by_name_page_by_page(store: &Store) {
    let mut tx = store.write().await.unwrap();
    // In a dictionary's order `b-a` stands behind `ba`; by bytes before.
    let ordered = ["a", "a-b", "a.b", "a0", "a_b", "ab", "b-a", "ba"];
    for (i, name) in ["ba", "a_b", "a", "ab", "a.b", "b-a", "a-b", "a0"]
        .into_iter()
        .enumerate()
    {
        account(&mut tx, i64::try_from(i).unwrap() + 1, name, false).await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = list_accounts(&mut tx, &after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3);
        last.username.as_str().clone_into(&mut after);
        seen.extend(page.into_iter().map(|account| account.username.to_string()));
    }
    assert_eq!(seen, ordered);
}

async fn the_namespace_library_exists_and_belongs_to_administrators(store: &Store) {
    let mut tx = store.read().await.unwrap();
    let library = find_namespace(&mut tx, &NamespaceName::library())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(library.owner, NamespaceOwner::Administrators);
}

async fn a_namespace_belongs_to_its_account(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 5, "ada", false).await;
    let found = find_namespace(&mut tx, &"ada".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.owner, NamespaceOwner::Account(ada.account_id));
    assert_eq!((found.namespace_id.as_i64(), found.name.as_str()), (1005, "ada"));
    assert_eq!(
        find_namespace(&mut tx, &"eve".parse().unwrap()).await.unwrap(),
        None
    );
}

async fn a_namespace_without_an_account_is_refused(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ghost = AccountId::from_i64(77);
    let refused = create_namespace(
        &mut tx,
        NamespaceId::from_i64(9),
        &"g".parse().unwrap(),
        ghost,
        NOW,
    )
    .await;
    assert!(matches!(refused, Err(StoreError::Failed { .. })), "{refused:?}");
}

async fn locking_an_account_lets_others_wait(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 5, "ada", false).await;
    tx.commit().await.unwrap();
    let mut first = store.write().await.unwrap();
    lock_account(&mut first, ada.account_id).await.unwrap();
    let (store, id) = (store.clone(), ada.account_id);
    let second = tokio::spawn(async move {
        let mut tx = store.write().await.unwrap();
        lock_account(&mut tx, id).await.unwrap();
        find_setting(&mut tx, "order").await.unwrap()
    });
    // However late the second comes, it sees what the first wrote under the lock.
    tokio::task::yield_now().await;
    put_setting(&mut first, "order", "first").await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap().as_deref(), Some("first"));
}
