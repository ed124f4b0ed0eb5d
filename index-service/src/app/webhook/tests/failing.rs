//! Receivers that take nothing.

use super::*;

#[tokio::test]
async fn what_fails_is_tried_again_later_and_then_given_up() {
    let mut world = World::new().await;
    let (id, _) = world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
    world.receiver.answer(503);
    world.push("v1", DIGEST).await;
    world.deliver().await;
    assert_eq!(world.receiver.take().len(), 1);
    let first = world.log(id).await.remove(0);
    assert_eq!((first.state, first.status), (DeliveryState::Waiting, Some(503)));
    assert_eq!(first.error.as_deref(), Some("the receiver answered 503"));
    let wait = first.due_at.unwrap() - NOW_MS;
    assert!((7_500..=12_500).contains(&wait), "{wait}");
    assert_eq!(world.deliver().await, 0, "not before its time");
    world.fixture.clock.advance(ms(wait));
    world.deliver().await;
    let second = world.log(id).await.remove(0);
    assert_eq!(second.attempts, 2);
    assert!(second.due_at.unwrap() - NOW_MS - wait >= 15_000);
    assert_eq!(world.show(id).await.failures, 2);
    // The same message each time.
    let came = world.receiver.take();
    assert_eq!(came[0].header("webhook-id"), first.message());
    world.fixture.clock.advance(ms(86_400_000));
    world.deliver().await;
    let last = world.log(id).await.remove(0);
    assert_eq!(
        (last.state, last.due_at, last.attempts),
        (DeliveryState::Dead, None, 3)
    );
    assert!(world.show(id).await.is_enabled, "a day is not too long");
}

#[tokio::test]
async fn what_failed_goes_on_where_it_stood_when_the_receiver_is_back() {
    let mut world = World::new().await;
    let (id, _) = world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
    world.receiver.answer(500);
    for tag in ["v1", "v2", "v3"] {
        world.push(tag, DIGEST).await;
    }
    world.deliver().await;
    assert_eq!(world.receiver.take().len(), 1, "one failure is enough to pause");
    world.receiver.answer(204);
    world.fixture.clock.advance(ms(60_000));
    world.deliver().await;
    let mut tags: Vec<String> = world.came().into_iter().map(|(_, tag)| tag).collect();
    tags.sort();
    assert_eq!(tags, ["v1", "v2", "v3"]);
    assert_eq!(world.show(id).await.failures, 0);
}

#[tokio::test]
async fn a_receiver_that_fails_for_days_is_told_nothing_more_and_the_webhook_says_so() {
    let mut world = World::new().await;
    let (id, _) = world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
    world.receiver.answer(500);
    for _ in 0..12 {
        world.push("v1", DIGEST).await;
        world.deliver().await;
        world.fixture.clock.advance(ms(8 * 3_600_000));
    }
    let off = world.show(id).await;
    assert_eq!(
        (off.is_enabled, off.disabled_because),
        (false, Some(DisabledBecause::Failing))
    );
    let told = world.app().list_notices(&world.ada, i64::MAX, 9).await.unwrap();
    assert_eq!(told.len(), 1, "who looks after it is told, once");
    assert_eq!(
        (told[0].subject.as_str(), told[0].detail.as_str()),
        ("ada/app", "failing")
    );
    assert!(
        world
            .log(id)
            .await
            .iter()
            .all(|one| one.state == DeliveryState::Dead)
    );
    world.receiver.take();
    world.push("v1", DIGEST).await;
    world.deliver().await;
    assert!(world.receiver.take().is_empty());
    // Somebody mends it, tests it while it is off, and switches it on.
    world.receiver.answer(200);
    world
        .app()
        .ping_webhook(&world.ada, &world.here(), id)
        .await
        .unwrap();
    world.deliver().await;
    assert_eq!(kinds(&world.came()), ["ping"]);
    let on = HookWish {
        is_enabled: Some(true),
        ..HookWish::default()
    };
    world
        .app()
        .change_webhook(&world.ada, &world.here(), id, on)
        .await
        .unwrap();
    world.push("v2", DIGEST).await;
    world.deliver().await;
    assert_eq!(kinds(&world.came()), ["push"]);
}

#[tokio::test]
async fn a_receiver_that_says_that_it_is_gone_is_believed() {
    let mut world = World::new().await;
    let (id, _) = world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
    world.receiver.answer(410);
    world.push("v1", DIGEST).await;
    world.deliver().await;
    assert_eq!(world.show(id).await.disabled_because, Some(DisabledBecause::Gone));
}

#[tokio::test]
async fn a_chat_that_answers_200_and_an_error_has_taken_nothing() {
    let mut world = World::new().await;
    let wish = HookWish {
        format: Some(HookFormat::DingTalk),
        ..world.wish(&[EventKind::Push])
    };
    let (id, _) = world.hook(&world.here(), wish).await;
    world
        .receiver
        .say(r#"{"errcode":310000,"errmsg":"sign not match"}"#);
    world.push("v1", DIGEST).await;
    world.deliver().await;
    let log = world.log(id).await;
    assert_eq!(
        (log[0].state, log[0].error.as_deref()),
        (
            DeliveryState::Waiting,
            Some("the receiver answered 200 with the code 310000")
        )
    );
    assert!(
        log[0]
            .response_body
            .as_deref()
            .unwrap()
            .contains("sign not match")
    );
}
