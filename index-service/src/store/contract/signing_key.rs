use super::super::signing_key::*;
use super::*;

contracts!(
    the_authority_is_made_once,
    keys_take_turns_and_go_when_they_are_retired,
);

fn kept(text: &str) -> KeptKey {
    KeptKey {
        private_key: format!("{text} key"),
        certificate: format!("{text} certificate"),
    }
}

fn facts(key_id: &str, state: KeyState) -> SigningKeyFacts {
    SigningKeyFacts {
        key_id: key_id.to_owned(),
        state,
        created_at: NOW,
        promote_at: None,
        activated_at: (state != KeyState::Next).then_some(NOW),
        withdraw_at: (state == KeyState::Retired).then_some(NOW + 9),
    }
}

async fn the_authority_is_made_once(store: &Store) {
    let mut tx = store.write().await.unwrap();
    assert_eq!(find_authority(&mut tx).await.unwrap(), None);
    assert!(create_authority(&mut tx, &kept("first"), NOW).await.unwrap());
    assert!(!create_authority(&mut tx, &kept("second"), NOW).await.unwrap());
    set_authority_key(&mut tx, "sealed").await.unwrap();
    lock_keys(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let found = find_authority(&mut tx).await.unwrap().unwrap();
    assert_eq!(found.private_key, "sealed");
    assert_eq!(found.certificate, "first certificate");
}

async fn keys_take_turns_and_go_when_they_are_retired(store: &Store) {
    let mut tx = store.write().await.unwrap();
    assert!(!ask_for_promotion(&mut tx, NOW).await.unwrap());
    add_signing_key(&mut tx, &facts("a", KeyState::Current), &kept("a"))
        .await
        .unwrap();
    add_signing_key(&mut tx, &facts("b", KeyState::Next), &kept("b"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    // There is one current key and one next.
    for state in [KeyState::Current, KeyState::Next] {
        let mut tx = store.write().await.unwrap();
        assert!(
            add_signing_key(&mut tx, &facts("c", state), &kept("c"))
                .await
                .is_err()
        );
    }
    let mut tx = store.write().await.unwrap();
    assert!(ask_for_promotion(&mut tx, NOW + 5).await.unwrap());
    assert!(!ask_for_promotion(&mut tx, NOW + 6).await.unwrap());
    let keys = list_signing_keys(&mut tx).await.unwrap();
    assert_eq!(keys[0], (facts("a", KeyState::Current), kept("a")));
    assert_eq!(keys[1].0.promote_at, Some(NOW + 5));
    assert!(!withdraw_signing_key(&mut tx, "a").await.unwrap());
    assert!(
        promote_signing_key(&mut tx, "b", NOW + 90, NOW + 7)
            .await
            .unwrap()
    );
    set_key_material(&mut tx, "b", &kept("sealed")).await.unwrap();
    let keys = list_signing_keys(&mut tx).await.unwrap();
    assert_eq!(
        (keys[0].0.state, keys[0].0.withdraw_at),
        (KeyState::Retired, Some(NOW + 90))
    );
    let b = &keys[1];
    assert_eq!(
        (b.0.state, b.0.activated_at, b.0.promote_at, &b.1),
        (KeyState::Current, Some(NOW + 7), None, &kept("sealed"))
    );
    assert!(withdraw_signing_key(&mut tx, "a").await.unwrap());
    assert!(!withdraw_signing_key(&mut tx, "b").await.unwrap());
    assert_eq!(list_signing_keys(&mut tx).await.unwrap().len(), 1);
}
