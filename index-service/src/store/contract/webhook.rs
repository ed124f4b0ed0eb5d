use super::*;
use crate::domain::webhook::{DeliveryState, DisabledBecause, Facts, HookFilter, HookPlace, Keeper, Webhook};
use crate::domain::{EventKind, HookFormat};
use crate::store::webhook::*;
use crate::store::webhook_delivery::*;
use shared::token::TagSet;

contracts!(
    a_webhook_is_found_by_its_place_alone_changed_and_removed,
    who_listens_is_the_repository_and_its_namespace_unless_off,
    a_webhook_is_claimed_by_one_until_it_is_let_go_or_the_claim_ends,
    a_webhook_pauses_unless_somebody_asks,
    deliveries_wait_are_settled_and_listed_backwards,
    what_waits_is_given_up_with_the_webhook_that_is_switched_off,
    deliveries_are_forgotten_by_number_and_by_age_unless_they_wait,
);

pub(super) fn hook(id: i64, place: HookPlace) -> Webhook {
    Webhook {
        webhook_id: WebhookId::from_i64(id),
        place,
        label: format!("hook {id}"),
        format: HookFormat::DockerHub,
        filter: HookFilter {
            events: vec![EventKind::Push, EventKind::Star],
            tags: TagSet::parse(Some("v* main")).unwrap(),
        },
        shown_url: "https://receiver.example/…".to_owned(),
        sealed: format!("sealed {id}"),
        secret_set_at: Some(NOW),
        former_secret_until: None,
        keeper: Keeper::Account(AccountId::from_i64(1)),
        is_enabled: true,
        disabled_because: None,
        disabled_at: None,
        failures: 0,
        failing_since: None,
        attempted_at: None,
        delivered_at: None,
        created_at: NOW,
    }
}

pub(super) async fn places(tx: &mut Tx) -> (HookPlace, HookPlace, RepositoryId) {
    account(tx, 1, "ada", false).await;
    let one = repository(tx, 1, "ada/one", Visibility::Private).await;
    (
        HookPlace::Repository(one.repository_id),
        HookPlace::Namespace(one.namespace_id),
        one.repository_id,
    )
}

pub(super) async fn deliver(tx: &mut Tx, hook: i64, id: i64, now_ms: i64, is_asked: bool) -> DeliveryId {
    let delivery_id = DeliveryId::from_i64(id);
    let facts = Facts {
        at: now_ms,
        namespace: "ada".to_owned(),
        tag: Some("v1".to_owned()),
        ..Facts::default()
    };
    let new = NewDelivery {
        delivery_id,
        webhook_id: WebhookId::from_i64(hook),
        message_id: delivery_id,
        kind: EventKind::Push,
        facts: &facts,
        now_ms,
        is_asked,
        refused: None,
    };
    add_delivery(tx, &new).await.unwrap();
    delivery_id
}

async fn a_webhook_is_found_by_its_place_alone_changed_and_removed(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (here, there, _) = places(&mut tx).await;
    let (one, two) = (hook(1, here), hook(2, here));
    create_webhook(&mut tx, &one).await.unwrap();
    create_webhook(&mut tx, &two).await.unwrap();
    assert_eq!(
        find_webhook(&mut tx, here, one.webhook_id).await.unwrap(),
        Some(one.clone())
    );
    assert_eq!(find_webhook(&mut tx, there, one.webhook_id).await.unwrap(), None);
    assert_eq!(count_webhooks(&mut tx, here).await.unwrap(), 2);
    assert_eq!(count_webhooks(&mut tx, there).await.unwrap(), 0);
    let mut changed = Webhook {
        label: "other".to_owned(),
        format: HookFormat::Slack,
        keeper: Keeper::Robot(RobotId::from_i64(7)),
        former_secret_until: Some(NOW + 1),
        ..one.clone()
    };
    changed.filter.tags = TagSet::Every;
    change_webhook(&mut tx, &changed).await.unwrap();
    assert_eq!(
        list_webhooks(&mut tx, here, i64::MIN, 1).await.unwrap(),
        [changed]
    );
    assert_eq!(list_webhooks(&mut tx, here, 1, 9).await.unwrap(), [two]);
    set_sealed(&mut tx, one.webhook_id, "resealed").await.unwrap();
    let sealed = list_sealed(&mut tx, i64::MIN, 9).await.unwrap();
    let texts: Vec<&str> = sealed.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["resealed", "sealed 2"]);
    deliver(&mut tx, 1, 11, NOW, false).await;
    remove_deliveries(&mut tx, one.webhook_id).await.unwrap();
    remove_webhook(&mut tx, one.webhook_id).await.unwrap();
    assert_eq!(count_webhooks(&mut tx, here).await.unwrap(), 1);
}

async fn who_listens_is_the_repository_and_its_namespace_unless_off(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (here, there, id) = places(&mut tx).await;
    let other = repository(&mut tx, 2, "ada/two", Visibility::Private).await;
    for one in [
        hook(3, there),
        hook(1, here),
        hook(2, here),
        hook(4, HookPlace::Repository(other.repository_id)),
    ] {
        create_webhook(&mut tx, &one).await.unwrap();
    }
    disable_webhook(&mut tx, WebhookId::from_i64(2), DisabledBecause::Asked, NOW)
        .await
        .unwrap();
    let found = list_listeners(&mut tx, id, 9).await.unwrap();
    let ids: Vec<i64> = found.iter().map(|one| one.webhook_id.as_i64()).collect();
    assert_eq!(ids, [1, 3]);
    assert!(found[0].wants(EventKind::Push, Some("v1")) && !found[0].wants(EventKind::Push, Some("dev")));
    enable_webhook(&mut tx, WebhookId::from_i64(2)).await.unwrap();
    assert_eq!(list_listeners(&mut tx, id, 9).await.unwrap().len(), 3);
}

async fn a_webhook_is_claimed_by_one_until_it_is_let_go_or_the_claim_ends(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (here, ..) = places(&mut tx).await;
    let id = WebhookId::from_i64(1);
    create_webhook(&mut tx, &hook(1, here)).await.unwrap();
    assert!(!is_webhook_due(&mut tx, NOW).await.unwrap());
    wake_webhook(&mut tx, id, NOW).await.unwrap();
    assert!(is_webhook_due(&mut tx, NOW).await.unwrap());
    assert!(!is_webhook_due(&mut tx, NOW - 1).await.unwrap());
    let claim = claim_webhooks(&mut tx, NOW + 60, NOW, 9).await.unwrap();
    assert_eq!(
        claim,
        [HookClaim {
            webhook_id: id,
            until: NOW + 60
        }]
    );
    assert!(!is_webhook_due(&mut tx, NOW + 59).await.unwrap());
    assert_eq!(claim_webhooks(&mut tx, NOW + 99, NOW + 59, 9).await.unwrap(), []);
    // What comes meanwhile changes nothing about the claim.
    wake_webhook(&mut tx, id, NOW + 1).await.unwrap();
    assert!(find_claimed(&mut tx, claim[0]).await.unwrap().is_some());
    assert!(hold_claim(&mut tx, claim[0]).await.unwrap());
    // Whoever was killed lets go of nothing; another takes over, and the first has lost it.
    let taken = claim_webhooks(&mut tx, NOW + 160, NOW + 60, 9).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert!(!hold_claim(&mut tx, claim[0]).await.unwrap());
    assert_eq!(find_claimed(&mut tx, claim[0]).await.unwrap(), None);
    release_webhook(&mut tx, id, None).await.unwrap();
    assert!(!is_webhook_due(&mut tx, i64::MAX).await.unwrap());
}

async fn a_webhook_pauses_unless_somebody_asks(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (here, ..) = places(&mut tx).await;
    let id = WebhookId::from_i64(1);
    create_webhook(&mut tx, &hook(1, here)).await.unwrap();
    for now in [NOW, NOW + 5] {
        note_attempt(&mut tx, id, false, now).await.unwrap();
    }
    let failing = find_webhook(&mut tx, here, id).await.unwrap().unwrap();
    assert_eq!(
        (failing.failures, failing.failing_since, failing.attempted_at),
        (2, Some(NOW), Some(NOW + 5))
    );
    release_webhook(&mut tx, id, Some(NOW + 1000)).await.unwrap();
    wake_webhook(&mut tx, id, NOW).await.unwrap();
    assert!(!is_webhook_due(&mut tx, NOW + 999).await.unwrap());
    rouse_webhook(&mut tx, id, NOW).await.unwrap();
    assert!(is_webhook_due(&mut tx, NOW).await.unwrap());
    note_attempt(&mut tx, id, true, NOW + 9).await.unwrap();
    let fine = find_webhook(&mut tx, here, id).await.unwrap().unwrap();
    assert_eq!(
        (fine.failures, fine.failing_since, fine.delivered_at),
        (0, None, Some(NOW + 9))
    );
}

async fn deliveries_wait_are_settled_and_listed_backwards(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (here, ..) = places(&mut tx).await;
    let id = WebhookId::from_i64(1);
    create_webhook(&mut tx, &hook(1, here)).await.unwrap();
    let first = deliver(&mut tx, 1, 11, NOW, false).await;
    deliver(&mut tx, 1, 12, NOW + 1, false).await;
    assert_eq!(count_waiting(&mut tx, id, 9).await.unwrap(), 2);
    assert_eq!(count_waiting(&mut tx, id, 1).await.unwrap(), 1);
    assert_eq!(find_next(&mut tx, id, NOW - 1).await.unwrap(), None);
    let mut next = find_next(&mut tx, id, NOW + 1).await.unwrap().unwrap();
    assert_eq!((next.delivery_id, next.facts.tag.as_deref()), (first, Some("v1")));
    // What somebody asks for comes first.
    let asked = deliver(&mut tx, 1, 13, NOW + 1, true).await;
    assert_eq!(
        find_next(&mut tx, id, NOW).await.unwrap().unwrap().delivery_id,
        asked
    );
    assert_eq!(find_earliest(&mut tx, id).await.unwrap(), Some(0));
    next.state = DeliveryState::Waiting;
    next.due_at = Some(NOW + 20);
    next.status = Some(500);
    next.error = Some("the receiver answered 500".to_owned());
    next.attempted_at = Some(NOW + 2);
    next.duration_ms = Some(3);
    next.request_headers = Some("a: b".to_owned());
    next.request_body = Some("{}".to_owned());
    next.response_headers = Some("c: d".to_owned());
    next.response_body = Some("一".to_owned());
    settle_delivery(&mut tx, &next).await.unwrap();
    next.attempts = 1;
    assert_eq!(
        find_delivery(&mut tx, id, first).await.unwrap(),
        Some(next.clone())
    );
    next.state = DeliveryState::Delivered;
    next.due_at = None;
    settle_delivery(&mut tx, &next).await.unwrap();
    // What is over stays as it is.
    next.status = Some(1);
    settle_delivery(&mut tx, &next).await.unwrap();
    let found = find_delivery(&mut tx, id, first).await.unwrap().unwrap();
    assert_eq!((found.status, found.attempts, found.due_at), (Some(500), 2, None));
    assert_eq!(find_earliest(&mut tx, id).await.unwrap(), Some(0));
    let ids = |list: Vec<crate::domain::webhook::HookDelivery>| -> Vec<i64> {
        list.iter().map(|one| one.delivery_id.as_i64()).collect()
    };
    assert_eq!(
        ids(list_deliveries(&mut tx, id, i64::MAX, 2).await.unwrap()),
        [13, 12]
    );
    assert_eq!(ids(list_deliveries(&mut tx, id, 12, 2).await.unwrap()), [11]);
    assert_eq!(
        find_delivery(&mut tx, WebhookId::from_i64(2), first)
            .await
            .unwrap(),
        None
    );
}

async fn what_waits_is_given_up_with_the_webhook_that_is_switched_off(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (here, ..) = places(&mut tx).await;
    let id = WebhookId::from_i64(1);
    create_webhook(&mut tx, &hook(1, here)).await.unwrap();
    let waiting = deliver(&mut tx, 1, 11, NOW, false).await;
    wake_webhook(&mut tx, id, NOW).await.unwrap();
    disable_webhook(&mut tx, id, DisabledBecause::Failing, NOW)
        .await
        .unwrap();
    give_up_waiting(&mut tx, id, "off").await.unwrap();
    assert!(!is_webhook_due(&mut tx, i64::MAX).await.unwrap());
    let given_up = find_delivery(&mut tx, id, waiting).await.unwrap().unwrap();
    assert_eq!(
        (given_up.state, given_up.error.as_deref()),
        (DeliveryState::Dead, Some("off"))
    );
    let off = find_webhook(&mut tx, here, id).await.unwrap().unwrap();
    assert_eq!(
        (off.is_enabled, off.disabled_because, off.disabled_at),
        (false, Some(DisabledBecause::Failing), Some(NOW))
    );
    enable_webhook(&mut tx, id).await.unwrap();
    let on = find_webhook(&mut tx, here, id).await.unwrap().unwrap();
    assert_eq!((on.is_enabled, on.disabled_because, on.failures), (true, None, 0));
}

async fn deliveries_are_forgotten_by_number_and_by_age_unless_they_wait(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (here, ..) = places(&mut tx).await;
    let id = WebhookId::from_i64(1);
    create_webhook(&mut tx, &hook(1, here)).await.unwrap();
    for number in 11..=14 {
        deliver(&mut tx, 1, number, NOW, false).await;
    }
    give_up_waiting(&mut tx, id, "off").await.unwrap();
    deliver(&mut tx, 1, 10, NOW, false).await;
    drop_beyond(&mut tx, id, 9).await.unwrap();
    let count = async |tx: &mut Tx| list_deliveries(tx, id, i64::MAX, 99).await.unwrap().len();
    assert_eq!(count(&mut tx).await, 5);
    drop_beyond(&mut tx, id, 2).await.unwrap();
    assert_eq!(count(&mut tx).await, 3, "the one that waits stays");
    assert_eq!(drop_old(&mut tx, DeliveryId::from_i64(14), 9).await.unwrap(), 1);
    assert_eq!(drop_old(&mut tx, DeliveryId::from_i64(15), 9).await.unwrap(), 1);
    assert_eq!(count(&mut tx).await, 1);
}
