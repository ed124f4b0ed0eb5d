use super::*;

contracts!(
    a_device_is_found_by_its_hash_with_its_account,
    a_device_keeps_its_ceiling,
    a_devices_use_is_written_down_once_a_minute,
    all_devices_of_an_account_are_revoked_at_once,
    dead_devices_and_the_longest_unused_are_pruned,
    live_devices_are_listed_oldest_first_and_revoked_one_by_one,
    a_session_is_read_with_what_pages_show_of_its_account,
    the_places_of_the_last_devices_are_known,
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
        address: Some("192.0.2.7"),
        expires_at: NOW + 90,
        confirmed_until: None,
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
        created_address: Some("192.0.2.7".into()),
        last_address: Some("192.0.2.7".into()),
        created_at: NOW,
        last_used_at: NOW,
        expires_at: NOW + 90,
        revoked_at: None,
        confirmed_at: None,
        confirmed_until: None,
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
        (
            3,
            Ceiling::parse(Some("pull *\npush,delete ada/web push:v* delete:*-dev")).unwrap(),
        ),
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
        assert_eq!(
            touch_device(&mut tx, id, at, Some("192.0.2.9")).await.unwrap(),
            written,
            "{at}"
        );
    }
    let (used, _) = find_device_by_id(&mut tx, id).await.unwrap().unwrap();
    assert_eq!(used.last_used_at, NOW + 60_000);
    assert_eq!(
        (used.created_address.as_deref(), used.last_address.as_deref()),
        (Some("192.0.2.7"), Some("192.0.2.9"))
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
        touch_device(&mut tx, DeviceId::from_i64(2), NOW + 60_000, None)
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

async fn live_devices_are_listed_oldest_first_and_revoked_one_by_one(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await.account_id;
    let eve = super::account(&mut tx, 6, "eve", false).await.account_id;
    for (id, owner) in [(3, ada), (1, ada), (2, eve), (4, ada)] {
        device(&mut tx, id, owner, &Ceiling::Full).await;
    }
    let live = LiveDevices {
        now_ms: NOW + 1,
        idle_since: NOW - 1,
        password_version: 7,
    };
    let listed = async |tx: &mut Tx, live, after, limit| {
        let page = list_devices(tx, ada, live, after, limit).await.unwrap();
        page.iter()
            .map(|device| device.device_id.as_i64())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(&mut tx, live, i64::MIN, 2).await, [1, 3]);
    assert_eq!(listed(&mut tx, live, 3, 2).await, [4]);
    for (owner, done) in [(eve, false), (ada, true), (ada, false)] {
        let id = DeviceId::from_i64(3);
        assert_eq!(revoke_device(&mut tx, owner, id, NOW).await.unwrap(), done);
    }
    assert_eq!(listed(&mut tx, live, i64::MIN, 9).await, [1, 4]);
    for dead in [
        LiveDevices {
            now_ms: NOW + 90,
            ..live
        },
        LiveDevices {
            idle_since: NOW,
            ..live
        },
        LiveDevices {
            password_version: 8,
            ..live
        },
    ] {
        assert_eq!(listed(&mut tx, dead, i64::MIN, 9).await, [0_i64; 0], "{dead:?}");
    }
}

async fn a_session_is_read_with_what_pages_show_of_its_account(store: &Store) {
    use super::super::notice::{NewNotice, add_notice, read_notice};
    use super::super::profile::{set_language, set_theme};

    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await;
    let new = NewDevice {
        device_id: DeviceId::from_i64(1),
        account_id: ada.account_id,
        secret_hash: secret(1),
        client_id: "portolan-web",
        user_agent: "",
        password_version: 1,
        ceiling: &Ceiling::Full,
        address: None,
        expires_at: NOW + 90,
        confirmed_until: Some(NOW + 20),
    };
    create_device(&mut tx, &new, NOW).await.unwrap();
    let find = async |tx: &mut Tx| find_session(tx, secret(1)).await.unwrap().unwrap();
    let found = find(&mut tx).await;
    assert_eq!(
        (found.device.confirmed_at, found.device.confirmed_until),
        (Some(NOW), Some(NOW + 20))
    );
    assert_eq!(
        (&found.account, found.preferences, found.unread),
        (&ada, Preferences::default(), 0)
    );
    set_language(&mut tx, ada.account_id, Some(PageLanguage::Chinese), NOW)
        .await
        .unwrap();
    set_theme(&mut tx, ada.account_id, Some(PageTheme::Dark), NOW)
        .await
        .unwrap();
    for id in 1..=3 {
        let notice = NewNotice {
            notice_id: NoticeId::from_i64(id),
            account_id: ada.account_id,
            kind: NoticeKind::Quota,
            subject: "ada",
            subject_id: None,
            actor: None,
            detail: "100 tags",
        };
        add_notice(&mut tx, &notice, NOW).await.unwrap();
    }
    read_notice(&mut tx, ada.account_id, NoticeId::from_i64(2), NOW)
        .await
        .unwrap();
    confirm_device(&mut tx, new.device_id, NOW + 30, NOW + 40)
        .await
        .unwrap();
    prolong_confirmation(&mut tx, new.device_id, NOW + 50)
        .await
        .unwrap();
    // What another request prolonged further stays.
    prolong_confirmation(&mut tx, new.device_id, NOW + 45)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let found = find(&mut tx).await;
    let chosen = Preferences {
        language: Some(PageLanguage::Chinese),
        theme: Some(PageTheme::Dark),
    };
    assert_eq!((found.preferences, found.unread), (chosen, 2));
    assert_eq!(
        (found.device.confirmed_at, found.device.confirmed_until),
        (Some(NOW + 30), Some(NOW + 50))
    );
    assert_eq!(find_session(&mut tx, secret(2)).await.unwrap(), None);
}

async fn the_places_of_the_last_devices_are_known(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await.account_id;
    let eve = super::account(&mut tx, 6, "eve", false).await.account_id;
    for (id, owner) in [(1, ada), (2, ada), (3, eve)] {
        device(&mut tx, id, owner, &Ceiling::Full).await;
    }
    revoke_devices(&mut tx, ada, NOW).await.unwrap();
    let found = list_places(&mut tx, ada, 9).await.unwrap();
    assert_eq!(found.len(), 2, "ended ones are known, those of others are not");
    let address = Some("192.0.2.7".to_owned());
    let expected = KnownPlace {
        user_agent: "docker/28".into(),
        addresses: [address.clone(), address],
    };
    assert_eq!(found[0], expected);
    assert_eq!(list_places(&mut tx, ada, 1).await.unwrap().len(), 1);
}
