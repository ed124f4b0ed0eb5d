use super::*;

contracts!(
    a_device_is_found_by_its_hash_with_its_account,
    a_device_keeps_its_ceiling,
    a_devices_use_is_written_down_once_a_minute,
    all_devices_of_an_account_are_revoked_at_once,
    dead_devices_and_the_longest_unused_are_pruned,
);

async fn device(tx: &mut Tx, id: i64, account_id: AccountId, ceiling: &Ceiling) {
    let new = NewDevice {
        device_id: DeviceId::from_i64(id),
        account_id,
        secret_hash: secret(u8::try_from(id).unwrap()),
        client_id: "docker",
        user_agent: "docker/28",
        password_version: 7,
        ceiling,
        expires_at: NOW + 90,
    };
    create_device(tx, &new, NOW).await.unwrap();
}

async fn a_device_is_found_by_its_hash_with_its_account(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await;
    device(&mut tx, 1, ada.account_id, &Ceiling::Full).await;
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let expected = Device {
        device_id: DeviceId::from_i64(1),
        account_id: ada.account_id,
        client_id: "docker".into(),
        user_agent: "docker/28".into(),
        password_version: 7,
        ceiling: Ceiling::Full,
        created_at: NOW,
        last_used_at: NOW,
        expires_at: NOW + 90,
        revoked_at: None,
    };
    let found = Some((expected, ada));
    assert_eq!(find_device(&mut tx, secret(1)).await.unwrap(), found);
    assert_eq!(
        find_device_by_id(&mut tx, DeviceId::from_i64(1)).await.unwrap(),
        found
    );
    assert_eq!(find_device(&mut tx, secret(2)).await.unwrap(), None);
    assert_eq!(
        find_device_by_id(&mut tx, DeviceId::from_i64(2)).await.unwrap(),
        None
    );
}

async fn a_device_keeps_its_ceiling(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await.account_id;
    for (id, ceiling) in [
        (1, limited(Actions::PULL, "ada/*")),
        (2, limited(Actions::NONE.with(Action::All), "*")),
        (3, limited(Actions::NONE, "ada/web")),
    ] {
        device(&mut tx, id, ada, &ceiling).await;
        let (found, _) = find_device_by_id(&mut tx, DeviceId::from_i64(id))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.ceiling, ceiling);
    }
}

async fn a_devices_use_is_written_down_once_a_minute(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await.account_id;
    device(&mut tx, 1, ada, &Ceiling::Full).await;
    let id = DeviceId::from_i64(1);
    for (at, written) in [(NOW + 59_999, false), (NOW + 60_000, true), (NOW + 60_001, false)] {
        let (before, _) = find_device_by_id(&mut tx, id).await.unwrap().unwrap();
        assert_eq!(before.is_use_due(at), written, "{at}");
        assert_eq!(touch_device(&mut tx, id, at).await.unwrap(), written, "{at}");
    }
    assert_eq!(
        find_device_by_id(&mut tx, id)
            .await
            .unwrap()
            .unwrap()
            .0
            .last_used_at,
        NOW + 60_000
    );
}

async fn all_devices_of_an_account_are_revoked_at_once(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await.account_id;
    let eve = super::account(&mut tx, 6, "eve", false).await.account_id;
    for (id, owner) in [(1, ada), (2, ada), (3, eve)] {
        device(&mut tx, id, owner, &Ceiling::Full).await;
    }
    assert_eq!(revoke_devices(&mut tx, ada, NOW + 1).await.unwrap(), 2);
    assert_eq!(revoke_devices(&mut tx, ada, NOW + 2).await.unwrap(), 0);
    assert_eq!(
        find_device(&mut tx, secret(2))
            .await
            .unwrap()
            .unwrap()
            .0
            .revoked_at,
        Some(NOW + 1)
    );
    assert_eq!(
        find_device(&mut tx, secret(3))
            .await
            .unwrap()
            .unwrap()
            .0
            .revoked_at,
        None
    );
}

async fn dead_devices_and_the_longest_unused_are_pruned(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await.account_id;
    let eve = super::account(&mut tx, 6, "eve", false).await.account_id;
    device(&mut tx, 1, ada, &Ceiling::Full).await;
    revoke_devices(&mut tx, ada, NOW).await.unwrap();
    for (id, owner) in [(2, ada), (3, ada), (4, ada), (5, eve)] {
        device(&mut tx, id, owner, &Ceiling::Full).await;
    }
    let left = async |tx: &mut Tx| {
        let mut left = Vec::new();
        for id in 1..=5 {
            let found = find_device_by_id(tx, DeviceId::from_i64(id)).await.unwrap();
            left.extend(found.map(|(device, _)| device.device_id.as_i64()));
        }
        left
    };
    // The revoked one goes first; the used one outlives younger ones.
    assert_eq!(prune_devices(&mut tx, ada, NOW, NOW - 1, 9).await.unwrap(), 1);
    assert_eq!(left(&mut tx).await, [2, 3, 4, 5]);
    assert!(
        touch_device(&mut tx, DeviceId::from_i64(2), NOW + 60_000)
            .await
            .unwrap()
    );
    assert_eq!(prune_devices(&mut tx, ada, NOW, NOW - 1, 2).await.unwrap(), 1);
    assert_eq!(left(&mut tx).await, [2, 4, 5]);
    // Idle, then over their end.
    assert_eq!(prune_devices(&mut tx, ada, NOW, NOW, 2).await.unwrap(), 1);
    assert_eq!(left(&mut tx).await, [2, 5]);
    assert_eq!(prune_devices(&mut tx, ada, NOW + 90, NOW, 2).await.unwrap(), 1);
    assert_eq!(left(&mut tx).await, [5]);
}
