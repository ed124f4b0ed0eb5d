use super::*;

contracts!(
    a_password_reset_is_taken_once_and_in_time,
    a_new_password_reset_ends_the_one_before,
    what_was_issued_under_a_password_can_be_voided,
);

async fn reset(tx: &mut Tx, id: u8, account_id: AccountId) {
    create_password_reset(tx, secret(id), account_id, Some(account_id), NOW, NOW + 90)
        .await
        .unwrap();
}

async fn a_password_reset_is_taken_once_and_in_time(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", true).await.account_id;
    reset(&mut tx, 1, ada).await;
    assert_eq!(take_password_reset(&mut tx, secret(2), NOW).await.unwrap(), None);
    assert_eq!(
        take_password_reset(&mut tx, secret(1), NOW + 90).await.unwrap(),
        None
    );
    assert_eq!(
        take_password_reset(&mut tx, secret(1), NOW + 89).await.unwrap(),
        Some(ada)
    );
    assert_eq!(
        take_password_reset(&mut tx, secret(1), NOW + 89).await.unwrap(),
        None
    );
}

async fn a_new_password_reset_ends_the_one_before(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", true).await.account_id;
    let eve = super::account(&mut tx, 6, "eve", false).await.account_id;
    for (id, account_id) in [(1, ada), (2, eve), (3, ada)] {
        reset(&mut tx, id, account_id).await;
    }
    assert_eq!(take_password_reset(&mut tx, secret(1), NOW).await.unwrap(), None);
    remove_password_resets(&mut tx, ada).await.unwrap();
    assert_eq!(take_password_reset(&mut tx, secret(3), NOW).await.unwrap(), None);
    prune_password_resets(&mut tx, NOW + 89).await.unwrap();
    assert_eq!(
        take_password_reset(&mut tx, secret(2), NOW).await.unwrap(),
        Some(eve)
    );
    reset(&mut tx, 4, eve).await;
    prune_password_resets(&mut tx, NOW + 90).await.unwrap();
    assert_eq!(take_password_reset(&mut tx, secret(4), NOW).await.unwrap(), None);
}

async fn what_was_issued_under_a_password_can_be_voided(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", true).await;
    end_password_version(&mut tx, ada.account_id, NOW).await.unwrap();
    let after = find_account_by_id(&mut tx, ada.account_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(after.password_version, ada.password_version + 1);
    assert_eq!(after.password_hash, ada.password_hash);
}
