use super::super::idempotency::*;
use super::*;

contracts!(
    a_key_is_taken_once_and_keeps_its_answer,
    an_abandoned_or_old_key_is_free_again,
);

async fn claim(tx: &mut Tx, request: &str, now: i64) -> bool {
    claim_key(tx, "key", request, now, now - 1000, now - 100)
        .await
        .unwrap()
}

async fn a_key_is_taken_once_and_keeps_its_answer(store: &Store) {
    let mut tx = store.write().await.unwrap();
    assert_eq!(find_key(&mut tx, "key").await.unwrap(), None);
    assert!(claim(&mut tx, "one", NOW).await);
    assert!(!claim(&mut tx, "two", NOW + 50).await);
    keep_answer(&mut tx, "key", 201, Some("{}")).await.unwrap();
    assert!(
        !claim(&mut tx, "two", NOW + 500).await,
        "an answered one is kept longer"
    );
    let known = find_key(&mut tx, "key").await.unwrap().unwrap();
    let expected = Known {
        request_hash: "one".into(),
        status: Some(201),
        body: Some("{}".into()),
        created_at: NOW,
    };
    assert_eq!(known, expected);
    release_key(&mut tx, "key").await.unwrap();
    assert!(claim(&mut tx, "two", NOW + 500).await);
}

async fn an_abandoned_or_old_key_is_free_again(store: &Store) {
    let mut tx = store.write().await.unwrap();
    assert!(claim(&mut tx, "one", NOW).await);
    assert!(claim(&mut tx, "two", NOW + 101).await, "nothing was answered");
    keep_answer(&mut tx, "key", 204, None).await.unwrap();
    assert!(claim(&mut tx, "three", NOW + 1102).await, "it is old");
    assert_eq!(find_key(&mut tx, "key").await.unwrap().unwrap().status, None);
    assert_eq!(prune_keys(&mut tx, NOW + 1102).await.unwrap(), 0);
    assert_eq!(prune_keys(&mut tx, NOW + 1103).await.unwrap(), 1);
}
