use super::super::sign_up::*;
use super::*;

contracts!(sign_ups_are_counted_by_network_and_altogether_while_they_are_young);

async fn sign_ups_are_counted_by_network_and_altogether_while_they_are_young(store: &Store) {
    let mut tx = store.write().await.unwrap();
    for (id, name, network, at) in [
        (1, "ada", "a", NOW),
        (2, "bob", "a", NOW + 5),
        (3, "cyd", "b", NOW + 2),
    ] {
        let account = account(&mut tx, id, name, false).await;
        note_sign_up(&mut tx, account.account_id, network, at)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    for (network, since, number, oldest) in [
        (None, NOW - 1, 3, Some(NOW)),
        (None, NOW, 2, Some(NOW + 2)),
        (Some("a"), NOW - 1, 2, Some(NOW)),
        (Some("a"), NOW, 1, Some(NOW + 5)),
        (Some("a"), NOW + 5, 0, None),
        (Some("c"), 0, 0, None),
    ] {
        let counted = count_sign_ups(&mut tx, network, since).await.unwrap();
        assert_eq!(counted, SignUps { number, oldest }, "{network:?} {since}");
    }
    drop(tx);
    let mut tx = store.write().await.unwrap();
    assert_eq!(prune_sign_ups(&mut tx, NOW + 2).await.unwrap(), 2);
    assert_eq!(count_sign_ups(&mut tx, None, 0).await.unwrap().number, 1);
}
