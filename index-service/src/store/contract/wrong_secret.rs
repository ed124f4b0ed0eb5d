use super::*;

contracts!(different_wrong_secrets_are_counted_while_they_are_young);

async fn different_wrong_secrets_are_counted_while_they_are_young(store: &Store) {
    let mut tx = store.write().await.unwrap();
    for (subject, fingerprint, at) in [
        ("a", "1", NOW),
        ("a", "2", NOW + 5),
        ("a", "2", NOW + 6),
        ("a", "1", NOW + 2),
        ("b", "1", NOW),
    ] {
        note_wrong_secret(&mut tx, subject, fingerprint, at)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    for (subject, since, distinct, oldest) in [
        ("a", NOW - 1, 2, Some(NOW + 2)),
        ("a", NOW + 2, 1, Some(NOW + 6)),
        ("a", NOW + 6, 0, None),
        ("b", NOW - 1, 1, Some(NOW)),
        ("c", 0, 0, None),
    ] {
        let counted = count_wrong_secrets(&mut tx, subject, since).await.unwrap();
        assert_eq!(counted, WrongSecrets { distinct, oldest }, "{subject} {since}");
    }
    assert_eq!(find_wrong_secret(&mut tx, "a", "2").await.unwrap(), Some(NOW + 6));
    assert_eq!(find_wrong_secret(&mut tx, "b", "2").await.unwrap(), None);
    drop(tx);
    let mut tx = store.write().await.unwrap();
    assert_eq!(prune_wrong_secrets(&mut tx, NOW + 2).await.unwrap(), 2);
    let left = count_wrong_secrets(&mut tx, "a", 0).await.unwrap();
    assert_eq!(left.distinct, 1);
}
