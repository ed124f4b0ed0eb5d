use super::*;

contracts!(
    an_access_token_is_found_by_its_hash_with_its_account,
    a_use_is_written_down_once_a_minute,
    an_access_token_is_revoked_by_its_owner_alone_and_once,
    access_tokens_are_listed_oldest_first,
    refused_uses_of_an_access_token_are_counted,
    an_access_token_is_renamed_by_its_owner_alone,
    live_access_tokens_are_counted,
);

async fn token(tx: &mut Tx, id: i64, account_id: AccountId) {
    let new = NewAccessToken {
        token_id: TokenId::from_i64(id),
        account_id,
        label: &"ci 电脑".parse().unwrap(),
        ceiling: &limited(Actions::PULL_PUSH, "ada/app-*"),
        networks: &"10.0.0.0/8".parse().unwrap(),
        expires_at: (id % 2 == 1).then_some(NOW + 90),
    };
    create_access_token(tx, &new, NOW).await.unwrap();
    let owner = SecretOwner::AccessToken(new.token_id);
    super::secret::add(tx, id, owner).await;
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
        ceiling: limited(Actions::PULL_PUSH, "ada/app-*"),
        networks: "10.0.0.0/8".parse().unwrap(),
        created_at: NOW,
        expires_at: Some(NOW + 90),
        revoked_at: None,
        revoked_because: None,
        last_use: None,
        refused: None,
    };
    let (token, found_secret, account) = find_access_token(&mut tx, secret(1)).await.unwrap().unwrap();
    assert_eq!((&token, &account), (&expected, &ada));
    assert_eq!(found_secret.owner, SecretOwner::AccessToken(TokenId::from_i64(1)));
    assert_eq!(found_secret.last_four, "wxyz");
    let found = Some((expected, ada));
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
        let last = used(at);
        assert_eq!(
            touch_access_token(&mut tx, id, &last).await.unwrap(),
            written,
            "{at}"
        );
    }
    let (token, _) = find_access_token_by_id(&mut tx, id).await.unwrap().unwrap();
    assert_eq!(token.last_use, Some(used(NOW + 60_000)));
}

fn used(at: i64) -> LastUse {
    LastUse {
        at,
        address: Some(format!("2001:db8::{}", at - NOW)),
        client: "docker/28".into(),
    }
}

async fn refused_uses_of_an_access_token_are_counted(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await;
    token(&mut tx, 1, ada.account_id).await;
    let id = TokenId::from_i64(1);
    for (count, last_at, network) in [(3, NOW + 1, Some("192.0.2.0/24")), (1, NOW + 2, None)] {
        let refused = RefusedUses {
            count,
            last_at,
            network: network.map(str::to_owned),
        };
        note_refused_access_token(&mut tx, id, &refused).await.unwrap();
    }
    let (token, _) = find_access_token_by_id(&mut tx, id).await.unwrap().unwrap();
    let expected = RefusedUses {
        count: 4,
        last_at: NOW + 2,
        network: None,
    };
    assert_eq!((token.refused, token.last_use), (Some(expected), None));
}

async fn an_access_token_is_renamed_by_its_owner_alone(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await.account_id;
    let eve = super::account(&mut tx, 6, "eve", true).await.account_id;
    token(&mut tx, 1, ada).await;
    let (id, label) = (TokenId::from_i64(1), "other".parse().unwrap());
    assert!(!rename_access_token(&mut tx, eve, id, &label).await.unwrap());
    assert!(rename_access_token(&mut tx, ada, id, &label).await.unwrap());
    let (token, _) = find_access_token_by_id(&mut tx, id).await.unwrap().unwrap();
    assert_eq!(token.label, label);
}

async fn live_access_tokens_are_counted(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await.account_id;
    for id in 1..=4 {
        token(&mut tx, id, ada).await;
    }
    assert_eq!(count_access_tokens(&mut tx, ada, NOW).await.unwrap(), 4);
    assert_eq!(count_access_tokens(&mut tx, ada, NOW + 90).await.unwrap(), 2);
    let id = TokenId::from_i64(2);
    revoke_access_token(&mut tx, ada, id, Ended::Revoked, NOW)
        .await
        .unwrap();
    assert_eq!(count_access_tokens(&mut tx, ada, NOW + 90).await.unwrap(), 1);
}

async fn an_access_token_is_revoked_by_its_owner_alone_and_once(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await.account_id;
    let eve = super::account(&mut tx, 6, "eve", true).await.account_id;
    token(&mut tx, 1, ada).await;
    let id = TokenId::from_i64(1);
    for (account_id, because, at, done) in [
        (eve, Ended::Revoked, NOW + 1, false),
        (ada, Ended::Leaked, NOW + 2, true),
        (ada, Ended::Revoked, NOW + 3, false),
    ] {
        let revoked = revoke_access_token(&mut tx, account_id, id, because, at).await;
        assert_eq!(revoked.unwrap(), done, "{at}");
    }
    let (token, _, _) = find_access_token(&mut tx, secret(1)).await.unwrap().unwrap();
    assert_eq!(
        (token.revoked_at, token.revoked_because),
        (Some(NOW + 2), Some(Ended::Leaked))
    );
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
