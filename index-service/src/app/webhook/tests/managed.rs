//! Who looks after webhooks, and where their secrets lie.

use super::*;
use crate::app::webhook::secret::purpose;
use crate::domain::AccountId;
use crate::token::{MasterKey, unseal};

#[tokio::test]
async fn whoever_lost_the_right_to_look_after_the_repository_is_told_nothing_more() {
    let mut world = World::new().await;
    let (id, _) = world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
    let team = HookScope::Namespace("ada".parse().unwrap());
    world.hook(&team, world.wish(&[EventKind::Push])).await;
    world.push("v1", DIGEST).await;
    // The change is told, the right is gone before it is sent.
    let ada = world.ada.account().unwrap().account_id;
    suspend(&world, ada).await;
    world.deliver().await;
    assert!(world.receiver.take().is_empty());
    let mut tx = world.fixture.store.read().await.unwrap();
    let off = webhook::find_webhook(&mut tx, HookPlace::Repository(world.id), id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(off.disabled_because, Some(DisabledBecause::Permission));
}

async fn suspend(world: &World, id: AccountId) {
    let mut tx = world.fixture.store.write().await.unwrap();
    account::set_disabled(&mut tx, id, Some(NOW_MS), NOW_MS)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn webhooks_are_for_those_who_manage_and_to_others_the_repository_does_not_exist() {
    let world = World::new().await;
    let (id, _) = world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
    let app = world.app();
    let eve = app.operator("eve").await.unwrap();
    let wish = world.wish(&[EventKind::Push]);
    assert!(matches!(
        app.create_webhook(&eve, &world.here(), wish).await,
        Err(AppError::NotFound(_))
    ));
    assert!(matches!(
        app.list_webhooks(&eve, &world.here(), i64::MIN, 9).await,
        Err(AppError::NotFound(_))
    ));
    app.set_visibility(&name("ada/app"), Visibility::Public)
        .await
        .unwrap();
    for refused in [
        app.show_webhook(&eve, &world.here(), id).await.err(),
        app.ping_webhook(&eve, &world.here(), id).await.err(),
        app.remove_webhook(&eve, &world.here(), id).await.err(),
    ] {
        assert!(matches!(refused, Some(AppError::Forbidden(_))), "{refused:?}");
    }
    // A webhook is reached through its own place alone.
    let own = app.create_repository(&eve, &name("eve/own"), None).await.unwrap();
    let own = HookScope::Repository(own.facts.repository_id);
    assert!(matches!(
        app.show_webhook(&eve, &own, id).await,
        Err(AppError::NotFound(_))
    ));
    let team = HookScope::Namespace("ada".parse().unwrap());
    assert!(matches!(
        app.show_webhook(&world.ada, &team, id).await,
        Err(AppError::NotFound(_))
    ));
    assert!(matches!(
        app.create_webhook(&eve, &team, world.wish(&[EventKind::Push]))
            .await,
        Err(AppError::Forbidden(_))
    ));
}

#[tokio::test]
async fn an_address_that_the_operator_has_not_allowed_is_refused_at_once_or_when_its_name_leads_there() {
    let mut world = World::new().await;
    let app = world.app();
    for url in [
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest",
        "ftp://receiver/",
        "receiver",
    ] {
        let wish = HookWish {
            url: Some(Secret::new(url.to_owned())),
            ..HookWish::default()
        };
        assert!(
            matches!(
                app.create_webhook(&world.ada, &world.here(), wish).await,
                Err(AppError::Invalid(_))
            ),
            "{url}"
        );
    }
    let wish = HookWish {
        url: Some(Secret::new("http://nowhere.invalid/".to_owned())),
        ..HookWish::default()
    };
    let (id, _) = world.hook(&world.here(), wish).await;
    world.push("v1", DIGEST).await;
    world.deliver().await;
    let log = world.log(id).await;
    assert_eq!((log[0].state, log[0].status), (DeliveryState::Waiting, None));
    assert!(log[0].error.is_some());
}

#[tokio::test]
async fn secrets_lie_sealed_and_another_master_key_reads_them_on() {
    let master = |byte: u8| {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode([byte; 32]);
        MasterKey::parse(&Secret::new(text)).unwrap()
    };
    let world = World::new().await;
    let (id, secret) = world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
    let plain = world.show(id).await.sealed;
    assert!(
        plain.contains(&secret.unwrap()),
        "without a master key, as signing keys are"
    );
    let mut tx = world.fixture.store.write().await.unwrap();
    assert_eq!(world.app().reseal_webhooks(&mut tx, &master(7)).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let sealed = world.show(id).await.sealed;
    assert!(sealed.starts_with("sealed:1:") && !sealed.contains("127.0.0.1"));
    let opened = unseal(Some(&master(7)), &purpose(id), &sealed).unwrap();
    assert_eq!(*opened, plain);
    assert!(unseal(Some(&master(7)), &purpose(WebhookId::from_i64(1)), &sealed).is_err());
}

#[tokio::test]
async fn a_place_has_so_many_webhooks_and_no_more() {
    let world = World::new().await;
    for _ in 0..MAX_WEBHOOKS {
        world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
    }
    let refused = world
        .app()
        .create_webhook(&world.ada, &world.here(), world.wish(&[EventKind::Push]))
        .await;
    assert!(matches!(refused, Err(AppError::Conflict(_))));
}
