use super::super::audit::*;
use super::super::lease::*;
use super::*;

contracts!(
    events_are_listed_newest_first_by_every_filter,
    whoever_reads_along_sees_each_event_once_and_old_ones_are_dropped,
    a_lease_is_held_by_one_until_its_end,
);

fn event(at: i64, action: AuditAction, actor: &str, target: &str, organisation: Option<i64>) -> AuditEvent {
    AuditEvent {
        event_id: EventId::new(at, 7),
        created_at: at,
        action,
        actor: Actor {
            kind: ActorKind::Account,
            id: Some(5),
            name: actor.to_owned(),
            credential: Some("pat:17".to_owned()),
            address: Some("192.0.2.1".to_owned()),
            client: "docker".to_owned(),
            request_id: Some("r".to_owned()),
        },
        target: AuditTarget {
            kind: TargetKind::Repository,
            id: Some(9),
            name: target.to_owned(),
        },
        organisation_id: organisation.map(OrganisationId::from_i64),
        before: Some("{\"a\":1}".to_owned()),
        after: None,
    }
}

async fn events_are_listed_newest_first_by_every_filter(store: &Store) {
    use AuditAction::{RepositoryDelete, RuleCreate};
    let mut tx = store.write().await.unwrap();
    let events = [
        event(NOW, RuleCreate, "ada", "team/a", Some(1)),
        event(NOW + 1, RepositoryDelete, "eve", "team/b", Some(1)),
        event(NOW + 2, RuleCreate, "ada", "other/a", Some(2)),
        event(NOW + 3, RuleCreate, "eve", "ada/a", None),
    ];
    for event in &events {
        add_event(&mut tx, event).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let filter = AuditFilter::default;
    let of = |organisation| AuditFilter {
        organisation_id: Some(OrganisationId::from_i64(organisation)),
        ..filter()
    };
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (filter(), vec![3, 2, 1, 0]),
        (of(1), vec![1, 0]),
        (
            AuditFilter {
                actor: text("ada"),
                ..of(1)
            },
            vec![0],
        ),
        (
            AuditFilter {
                target: text("team/b"),
                ..of(1)
            },
            vec![1],
        ),
        (
            AuditFilter {
                action: Some(RuleCreate),
                ..of(1)
            },
            vec![0],
        ),
        (
            AuditFilter {
                actor: text("ada"),
                ..filter()
            },
            vec![2, 0],
        ),
        (
            AuditFilter {
                actor: text("ada"),
                action: Some(RepositoryDelete),
                ..filter()
            },
            vec![],
        ),
        (
            AuditFilter {
                target: text("ada/a"),
                ..filter()
            },
            vec![3],
        ),
        (
            AuditFilter {
                target: text("ada/a"),
                actor: text("ada"),
                ..filter()
            },
            vec![],
        ),
        (
            AuditFilter {
                action: Some(RepositoryDelete),
                ..filter()
            },
            vec![1],
        ),
        (
            AuditFilter {
                from: Some(NOW + 1),
                to: Some(NOW + 3),
                ..filter()
            },
            vec![2, 1],
        ),
    ] {
        let expected: Vec<_> = expected
            .into_iter()
            .map(|index: usize| events[index].clone())
            .collect();
        let listed = list_events(&mut tx, &filter, None, 10).await.unwrap();
        assert_eq!(listed, expected, "{filter:?}");
    }
    let page = list_events(&mut tx, &filter(), None, 2).await.unwrap();
    assert_eq!(page, [events[3].clone(), events[2].clone()]);
    let page = list_events(&mut tx, &filter(), Some(page[1].event_id), 2)
        .await
        .unwrap();
    assert_eq!(page, [events[1].clone(), events[0].clone()]);
}

async fn whoever_reads_along_sees_each_event_once_and_old_ones_are_dropped(store: &Store) {
    let mut tx = store.write().await.unwrap();
    for at in 0..5 {
        let new = event(NOW + at, AuditAction::RuleCreate, "ada", "x", None);
        add_event(&mut tx, &new).await.unwrap();
    }
    let first = list_events_since(&mut tx, EventId::first_of(NOW), 3)
        .await
        .unwrap();
    assert_eq!(
        first.iter().map(|e| e.created_at - NOW).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    let rest = list_events_since(&mut tx, first[2].event_id, 3).await.unwrap();
    assert_eq!(
        rest.iter().map(|e| e.created_at - NOW).collect::<Vec<_>>(),
        [3, 4]
    );
    assert_eq!(drop_events(&mut tx, NOW + 3, 2).await.unwrap(), 2);
    assert_eq!(drop_events(&mut tx, NOW + 3, 2).await.unwrap(), 1);
    assert_eq!(drop_events(&mut tx, NOW + 3, 2).await.unwrap(), 0);
    let left = list_events(&mut tx, &AuditFilter::default(), None, 9)
        .await
        .unwrap();
    assert_eq!(
        left.iter().map(|e| e.created_at - NOW).collect::<Vec<_>>(),
        [4, 3]
    );
}

async fn a_lease_is_held_by_one_until_its_end(store: &Store) {
    let mut tx = store.write().await.unwrap();
    assert!(take_lease(&mut tx, "work", "a", NOW + 10, NOW).await.unwrap());
    assert!(!take_lease(&mut tx, "work", "b", NOW + 20, NOW + 9).await.unwrap());
    assert!(take_lease(&mut tx, "work", "a", NOW + 15, NOW + 9).await.unwrap());
    assert!(take_lease(&mut tx, "else", "b", NOW + 20, NOW).await.unwrap());
    assert!(
        !take_lease(&mut tx, "work", "b", NOW + 30, NOW + 14)
            .await
            .unwrap()
    );
    assert!(
        take_lease(&mut tx, "work", "b", NOW + 30, NOW + 15)
            .await
            .unwrap()
    );
    end_lease(&mut tx, "work", "a").await.unwrap();
    assert!(
        !take_lease(&mut tx, "work", "a", NOW + 30, NOW + 16)
            .await
            .unwrap()
    );
    end_lease(&mut tx, "work", "b").await.unwrap();
    assert!(
        take_lease(&mut tx, "work", "a", NOW + 30, NOW + 16)
            .await
            .unwrap()
    );
}
