use super::*;

contracts!(
    a_secret_is_found_by_its_hash_and_listed_with_its_owner,
    a_secret_ends_once_and_never_later,
);

/// A secret whose hash is of its id.
pub(super) async fn add(tx: &mut Tx, id: i64, owner: SecretOwner) {
    let new = NewSecret {
        secret_id: SecretId::from_i64(id),
        owner,
        secret_hash: secret(u8::try_from(id).unwrap()),
        last_four: "wxyz",
    };
    create_secret(tx, &new, NOW).await.unwrap();
}

async fn a_secret_is_found_by_its_hash_and_listed_with_its_owner(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let owner = SecretOwner::AccessToken(TokenId::from_i64(7));
    let other = SecretOwner::Robot(RobotId::from_i64(7));
    for (id, owner) in [(3, owner), (1, owner), (2, other)] {
        add(&mut tx, id, owner).await;
    }
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let expected = |id, owner| CredentialSecret {
        secret_id: SecretId::from_i64(id),
        owner,
        last_four: "wxyz".into(),
        created_at: NOW,
        ends_at: None,
        ended_because: None,
    };
    assert_eq!(
        find_secret(&mut tx, secret(2)).await.unwrap(),
        Some(expected(2, other))
    );
    assert_eq!(find_secret(&mut tx, secret(9)).await.unwrap(), None);
    assert_eq!(
        list_secrets(&mut tx, owner).await.unwrap(),
        [expected(1, owner), expected(3, owner)]
    );
    drop(tx);
    let mut tx = store.write().await.unwrap();
    forget_secret(&mut tx, SecretId::from_i64(1)).await.unwrap();
    assert_eq!(list_secrets(&mut tx, owner).await.unwrap(), [expected(3, owner)]);
}

async fn a_secret_ends_once_and_never_later(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let id = SecretId::from_i64(1);
    add(&mut tx, 1, SecretOwner::Robot(RobotId::from_i64(7))).await;
    for (ends_at, because, done) in [
        (NOW + 9, Ended::Replaced, true),
        (NOW + 10, Ended::Revoked, false),
        (NOW + 3, Ended::Leaked, true),
    ] {
        assert_eq!(
            end_secret(&mut tx, id, ends_at, because).await.unwrap(),
            done,
            "{ends_at}"
        );
    }
    let ended = find_secret(&mut tx, secret(1)).await.unwrap().unwrap();
    assert_eq!(
        (ended.ends_at, ended.ended_because),
        (Some(NOW + 3), Some(Ended::Leaked))
    );
}
