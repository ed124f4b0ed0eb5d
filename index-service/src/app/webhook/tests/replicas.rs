//! Several processes that send from one database.

use super::*;

#[tokio::test]
async fn two_replicas_send_each_delivery_once() {
    for store in stores().await {
        let mut world = World::over(store).await;
        let other = Fixture::build(world.fixture.store.clone(), None, open);
        world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
        let team = HookScope::Namespace("ada".parse().unwrap());
        world.hook(&team, world.wish(&[EventKind::Push])).await;
        for number in 0..10 {
            world.push(&format!("v{number}"), DIGEST).await;
        }
        let app = world.app();
        let (one, two) = tokio::join!(app.deliver_due(), other.app.deliver_due());
        assert_eq!(one.unwrap() + two.unwrap(), 2);
        assert_eq!(world.receiver.take().len(), 20);
        world.fixture.store.close().await;
    }
}

#[tokio::test]
async fn what_a_replica_that_was_killed_had_begun_is_sent_by_another() {
    let mut world = World::new().await;
    world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
    world.push("v1", DIGEST).await;
    // One claims it and is killed before it sends.
    let mut tx = world.fixture.store.write().await.unwrap();
    let claimed = webhook::claim_webhooks(&mut tx, NOW_MS + 60_000, NOW_MS, 9)
        .await
        .unwrap();
    assert_eq!(claimed.len(), 1);
    tx.commit().await.unwrap();
    assert_eq!(world.deliver().await, 0);
    world.fixture.clock.advance(ms(60_000));
    assert_eq!(world.deliver().await, 1);
    assert_eq!(kinds(&world.came()), ["push"]);
}

/// A database in memory, and one of PostgreSQL where there is one.
async fn stores() -> Vec<Store> {
    let mut stores = vec![Store::open("sqlite::memory:").await.unwrap()];
    stores.extend(crate::store::postgres_server::new_store().await);
    stores
}
