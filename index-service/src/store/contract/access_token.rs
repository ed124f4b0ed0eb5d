use super::*;

contracts!(
    an_access_token_is_found_by_its_hash_with_its_account,
    a_use_is_written_down_once_a_minute,
    an_access_token_is_revoked_by_its_owner_alone_and_once,
    access_tokens_are_listed_oldest_first,
);

async fn token(tx: &mut Tx, id: i64, account_id: AccountId) {
    let new = NewAccessToken {
        token_id: TokenId::from_i64(id),
        account_id,
        label: &"ci 电脑".parse().unwrap(),
        secret_hash: secret(u8::try_from(id).unwrap()),
        last_four: "wxyz",
        actions: Actions::PULL_PUSH,
        pattern: &"ada/app-*".parse().unwrap(),
        expires_at: (id % 2 == 1).then_some(NOW + 90),
    };
    create_access_token(tx, &new, NOW).await.unwrap();
}

async fn an_access_token_is_found_by_its_hash_with_its_account(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await;
    token(&mut tx, 1, ada.account_id).await;
    token(&mut tx, 2, ada.account_id).await;
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let expected = AccessToken {
        token_id: TokenId::from_i64(1),
        account_id: ada.account_id,
        label: "ci 电脑".parse().unwrap(),
        last_four: "wxyz".into(),
        actions: Actions::PULL_PUSH,
        pattern: "ada/app-*".parse().unwrap(),
        created_at: NOW,
        expires_at: Some(NOW + 90),
        revoked_at: None,
        last_used_at: None,
    };
    let found = Some((expected, ada));
    assert_eq!(find_access_token(&mut tx, secret(1)).await.unwrap(), found);
    assert_eq!(
        find_access_token_by_id(&mut tx, TokenId::from_i64(1))
            .await
            .unwrap(),
        found
    );
    assert_eq!(
        find_access_token(&mut tx, secret(2))
            .await
            .unwrap()
            .unwrap()
            .0
            .expires_at,
        None
    );
    assert_eq!(find_access_token(&mut tx, secret(3)).await.unwrap(), None);
    assert_eq!(
        find_access_token_by_id(&mut tx, TokenId::from_i64(3))
            .await
            .unwrap(),
        None
    );
}

async fn a_use_is_written_down_once_a_minute(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await;
    token(&mut tx, 1, ada.account_id).await;
    let id = TokenId::from_i64(1);
    for (at, written) in [
        (NOW, true),
        (NOW + 59_999, false),
        (NOW + 60_000, true),
        (NOW + 60_001, false),
    ] {
        let (before, _) = find_access_token_by_id(&mut tx, id).await.unwrap().unwrap();
        assert_eq!(before.is_use_due(at), written, "{at}");
        assert_eq!(
            touch_access_token(&mut tx, id, at).await.unwrap(),
            written,
            "{at}"
        );
    }
    let (token, _) = find_access_token_by_id(&mut tx, id).await.unwrap().unwrap();
    assert_eq!(token.last_used_at, Some(NOW + 60_000));
}

async fn an_access_token_is_revoked_by_its_owner_alone_and_once(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await.account_id;
    let eve = super::account(&mut tx, 6, "eve", true).await.account_id;
    token(&mut tx, 1, ada).await;
    let id = TokenId::from_i64(1);
    assert!(!revoke_access_token(&mut tx, eve, id, NOW + 1).await.unwrap());
    assert!(revoke_access_token(&mut tx, ada, id, NOW + 2).await.unwrap());
    assert!(!revoke_access_token(&mut tx, ada, id, NOW + 3).await.unwrap());
    let (token, _) = find_access_token(&mut tx, secret(1)).await.unwrap().unwrap();
    assert_eq!(token.revoked_at, Some(NOW + 2));
    assert!(!token.is_live(NOW + 2));
}

async fn access_tokens_are_listed_oldest_first(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await.account_id;
    let eve = super::account(&mut tx, 6, "eve", false).await.account_id;
    for (id, owner) in [(3, ada), (1, ada), (2, eve), (4, ada)] {
        token(&mut tx, id, owner).await;
    }
    let ids = |page: &[AccessToken]| page.iter().map(|t| t.token_id.as_i64()).collect::<Vec<_>>();
    let page = list_access_tokens(&mut tx, ada, None, 2).await.unwrap();
    assert_eq!(ids(&page), [1, 3]);
    let page = list_access_tokens(&mut tx, ada, Some(page[1].token_id), 2)
        .await
        .unwrap();
    assert_eq!(ids(&page), [4]);
}
