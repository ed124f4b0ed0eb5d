use super::super::overview::*;
use super::webhook::{deliver, hook, places};
use super::*;
use crate::store::manifest_work::{add_work, claim_work, delay_work};
use crate::store::repository_profile::set_verified;
use crate::store::webhook::{create_webhook, wake_webhook};
use crate::store::webhook_delivery::give_up_waiting;

contracts!(
    everything_is_counted_up_to_a_bound,
    deliveries_that_were_given_up_are_listed_with_whose_they_are,
    what_is_to_be_read_is_counted_and_what_was_tried_in_vain_is_listed,
    organisations_are_listed_with_how_much_there_is_of_them,
    verified_namespaces_are_listed_by_name,
);

async fn everything_is_counted_up_to_a_bound(store: &Store) {
    let mut tx = store.write().await.unwrap();
    for what in [
        Counted::Accounts,
        Counted::Organisations,
        Counted::Repositories,
        Counted::Telling,
    ] {
        assert_eq!(count(&mut tx, what, 10).await.unwrap(), 0, "{what:?}");
    }
    let (here, ..) = places(&mut tx).await;
    account(&mut tx, 2, "bob", false).await;
    repository(&mut tx, 2, "ada/two", Visibility::Public).await;
    let ada = find_account(&mut tx, &"ada".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    organisation(&mut tx, 5, "crew", &ada).await;
    create_webhook(&mut tx, &hook(1, here)).await.unwrap();
    assert_eq!(find_oldest_telling(&mut tx).await.unwrap(), None);
    wake_webhook(&mut tx, WebhookId::from_i64(1), NOW + 7)
        .await
        .unwrap();
    assert_eq!(find_oldest_telling(&mut tx).await.unwrap(), Some(NOW + 7));
    for (what, number) in [
        (Counted::Accounts, 2),
        (Counted::Organisations, 1),
        (Counted::Repositories, 2),
        (Counted::Telling, 1),
    ] {
        assert_eq!(count(&mut tx, what, 10).await.unwrap(), number, "{what:?}");
    }
    assert_eq!(count(&mut tx, Counted::Accounts, 1).await.unwrap(), 1);
    let found = find_first_repository(&mut tx, &"ada".parse().unwrap())
        .await
        .unwrap();
    assert!(found.is_some_and(|name| name.starts_with("ada/")));
    assert_eq!(
        find_first_repository(&mut tx, &"bob".parse().unwrap())
            .await
            .unwrap(),
        None
    );
}

async fn deliveries_that_were_given_up_are_listed_with_whose_they_are(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (here, there, _) = places(&mut tx).await;
    for (id, place) in [(1, here), (2, there)] {
        create_webhook(&mut tx, &hook(id, place)).await.unwrap();
    }
    for (webhook, id) in [(1, 10), (2, 20), (1, 30)] {
        deliver(&mut tx, webhook, id, NOW, false).await;
    }
    assert!(list_dead(&mut tx, i64::MAX, 10).await.unwrap().is_empty());
    for id in [1, 2] {
        give_up_waiting(&mut tx, WebhookId::from_i64(id), "gone")
            .await
            .unwrap();
    }
    let dead = list_dead(&mut tx, i64::MAX, 10).await.unwrap();
    let told: Vec<_> = dead
        .iter()
        .map(|one| {
            (
                one.delivery_id.as_i64(),
                one.place.as_ref().map(|(_, name)| name.as_str()),
            )
        })
        .collect();
    assert_eq!(
        told,
        [(30, Some("ada/one")), (20, Some("ada")), (10, Some("ada/one"))]
    );
    assert_eq!(dead[0].error.as_deref(), Some("gone"));
    assert_eq!(
        list_dead(&mut tx, 30, 1).await.unwrap()[0].delivery_id.as_i64(),
        20
    );
    assert_eq!(
        count_dead(&mut tx, DeliveryId::from_i64(10), 10).await.unwrap(),
        2
    );
}

async fn what_is_to_be_read_is_counted_and_what_was_tried_in_vain_is_listed(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (_, _, id) = places(&mut tx).await;
    let two = repository(&mut tx, 2, "ada/two", Visibility::Public).await;
    assert_eq!(find_oldest_reading(&mut tx).await.unwrap(), None);
    add_work(&mut tx, id, None, NOW).await.unwrap();
    add_work(&mut tx, id, Some("sha256:aa"), NOW + 1).await.unwrap();
    add_work(&mut tx, two.repository_id, None, NOW + 2).await.unwrap();
    assert_eq!(count(&mut tx, Counted::Reading, 10).await.unwrap(), 3);
    assert_eq!(count(&mut tx, Counted::WholeReading, 10).await.unwrap(), 2);
    assert_eq!(find_oldest_reading(&mut tx).await.unwrap(), Some(NOW));
    assert!(list_stuck_reading(&mut tx, 0, 10).await.unwrap().is_empty());
    let claimed = claim_work(&mut tx, NOW + 60_000, NOW + 1, 10).await.unwrap();
    let whole = claimed.iter().find(|work| work.digest.is_none()).unwrap();
    delay_work(&mut tx, whole, NOW + 90_000).await.unwrap();
    let stuck = list_stuck_reading(&mut tx, 0, 10).await.unwrap();
    assert_eq!(stuck.len(), 2);
    assert!(stuck.iter().all(|one| one.name == "ada/one" && one.attempts == 1));
    assert_eq!(
        stuck[0].digest.as_deref(),
        Some("sha256:aa"),
        "what is tried again first comes first"
    );
    assert!(list_stuck_reading(&mut tx, 1, 10).await.unwrap().is_empty());
}

async fn organisations_are_listed_with_how_much_there_is_of_them(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let bob = account(&mut tx, 2, "bob", false).await;
    let crew = organisation(&mut tx, 5, "crew", &ada).await;
    organisation(&mut tx, 6, "dock", &ada).await;
    join(&mut tx, crew, &bob, OrganisationRole::Member, None).await;
    repository(&mut tx, 9, "crew/app", Visibility::Private).await;
    let listed = list_every_organisation(&mut tx, ("", "\u{7f}"), "", 10, 10)
        .await
        .unwrap();
    let told: Vec<_> = listed
        .iter()
        .map(|one| (one.organisation.name.as_str(), one.members, one.repositories))
        .collect();
    assert_eq!(told, [("crew", 2, 1), ("dock", 1, 0)]);
    let behind = list_every_organisation(&mut tx, ("d", "d\u{7f}"), "crew", 10, 10)
        .await
        .unwrap();
    assert_eq!(behind.len(), 1);
    let none = list_every_organisation(&mut tx, ("x", "x\u{7f}"), "", 10, 10)
        .await
        .unwrap();
    assert!(none.is_empty());
}

async fn verified_namespaces_are_listed_by_name(store: &Store) {
    let mut tx = store.write().await.unwrap();
    for (id, name) in [(1, "bob"), (2, "ada"), (3, "cyd")] {
        account(&mut tx, id, name, false).await;
    }
    for name in ["bob", "ada"] {
        let namespace = find_namespace(&mut tx, &name.parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        set_verified(&mut tx, namespace.namespace_id, true).await.unwrap();
    }
    assert_eq!(list_verified(&mut tx, "", 10).await.unwrap(), ["ada", "bob"]);
    assert_eq!(list_verified(&mut tx, "ada", 10).await.unwrap(), ["bob"]);
}
