use super::*;
use crate::domain::content::Dimension;
use crate::store::access::list_known_by_id;
use crate::store::content_count::{Count, Counter, add_count};
use crate::store::content_feed::{TagChange, add_tag_change, list_changes, note_change};

contracts!(
    a_world_of_rules_is_listed_as_the_decision_says,
    every_reader_sees_exactly_what_the_decision_lets_them_pull,
    pages_follow_the_order_of_bytes_and_miss_nothing,
    pending_repositories_are_in_no_list,
    changes_are_listed_backwards_and_only_a_later_one_moves_a_repository_ahead,
    what_was_pushed_last_is_listed_first_however_much_others_pushed_since,
);

const NAMES: [&str; 14] = [
    "ada/app",
    "ada/app-1",
    "ada/app-1/x",
    "ada/app.2",
    "ada/app/x",
    "ada/app0",
    "ada/b",
    "ada-b/app",
    "ada.b/app",
    "ada0/app",
    "centos",
    "eve/app",
    "eve/b",
    "library/centos",
];

/// Every name twice over: those of even position public, the others private.
async fn world(tx: &mut Tx) -> Vec<Account> {
    let mut accounts = Vec::new();
    for (id, name, is_admin) in [
        (1, "ada", false),
        (2, "eve", false),
        (3, "boss", true),
        (4, "ada-b", false),
        (5, "ada.b", false),
        (6, "ada0", false),
    ] {
        accounts.push(super::account(tx, id, name, is_admin).await);
    }
    for (i, name) in NAMES.into_iter().enumerate() {
        let visibility = if i % 2 == 0 {
            Visibility::Public
        } else {
            Visibility::Private
        };
        super::repository(tx, i64::try_from(i).unwrap() + 1, name, visibility).await;
    }
    accounts
}

fn names(list: &[RepositoryFacts]) -> Vec<String> {
    list.iter().map(|r| r.name.to_string()).collect()
}

async fn every_reader_sees_exactly_what_the_decision_lets_them_pull(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let accounts = world(&mut tx).await;
    let star = Actions::NONE.with(Action::All);
    let mut readers = vec![Principal::Anonymous];
    for account in &accounts {
        readers.push(account.principal(Ceiling::Full));
        for pattern in [
            "*",
            "ada/*",
            "ada/app*",
            "ada/app-*",
            "ada/app",
            "ada/app/*",
            "centos",
            "library/*",
            "library/c*",
            "library/d*",
        ] {
            readers.push(account.principal(limited(Actions::PULL, pattern)));
            readers.push(account.principal(limited(star, pattern)));
        }
        readers.push(account.principal(limited(Actions::NONE.with(Action::Push), "*")));
        let mut disabled = account.clone();
        disabled.disabled_at = Some(NOW);
        readers.push(disabled.principal(Ceiling::Full));
    }
    let mut lengths = std::collections::BTreeSet::new();
    for reader in &readers {
        let mut expected = Vec::new();
        for name in NAMES {
            let name: RepositoryName = name.parse().unwrap();
            let known = find_known(&mut tx, reader, &name).await.unwrap();
            let facts = known.surroundings.facts(known.repository.as_ref(), NOW);
            if !decide(reader, &facts, &name, Rights::READ).granted.is_empty() {
                expected.push(name.to_string());
            }
        }
        expected.sort();
        let listed = list_visible_repositories(&mut tx, reader, "", 100, NOW)
            .await
            .unwrap();
        assert_eq!(names(&listed), expected, "{reader:?}");
        lengths.insert(expected.len());
    }
    assert!(lengths.len() > 5, "the readers differ: {lengths:?}");
}

async fn pages_follow_the_order_of_bytes_and_miss_nothing(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let accounts = world(&mut tx).await;
    for reader in [Principal::Anonymous, accounts[0].principal(Ceiling::Full)] {
        let all = names(
            &list_visible_repositories(&mut tx, &reader, "", 100, NOW)
                .await
                .unwrap(),
        );
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "{all:?}");
        for limit in 1..=4 {
            let (mut seen, mut after) = (Vec::new(), String::new());
            loop {
                let page = names(
                    &list_visible_repositories(&mut tx, &reader, &after, limit, NOW)
                        .await
                        .unwrap(),
                );
                let Some(last) = page.last() else { break };
                after.clone_from(last);
                seen.extend(page);
            }
            assert_eq!(seen, all, "pages of {limit}");
        }
    }
    // `last` need not name a repository.
    let page = list_visible_repositories(
        &mut tx,
        &accounts[0].principal(Ceiling::Full),
        "ada/app-1/zz",
        2,
        NOW,
    )
    .await;
    assert_eq!(names(&page.unwrap()), ["ada/app.2", "ada/app/x"]);
    let nothing = list_visible_repositories(&mut tx, &Principal::Anonymous, "~", 2, NOW)
        .await
        .unwrap();
    assert!(nothing.is_empty());
}

async fn pending_repositories_are_in_no_list(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 1, "ada", false).await;
    let name: RepositoryName = "ada/new".parse().unwrap();
    let new = NewRepository {
        repository_id: RepositoryId::from_i64(1),
        namespace_id: NamespaceId::from_i64(1001),
        name: &name,
        stored_as: &name,
        visibility: Visibility::Private,
        created_by: Some(ada.account_id),
    };
    create_pending_repository(&mut tx, &new, NOW, NOW + 10)
        .await
        .unwrap();
    set_visibility(&mut tx, new.repository_id, Visibility::Public)
        .await
        .unwrap();
    for reader in [Principal::Anonymous, ada.principal(Ceiling::Full)] {
        assert!(
            list_visible_repositories(&mut tx, &reader, "", 9, NOW)
                .await
                .unwrap()
                .is_empty()
        );
    }
    confirm_repository(&mut tx, &name, NOW).await.unwrap();
    let listed = list_visible_repositories(&mut tx, &Principal::Anonymous, "", 9, NOW)
        .await
        .unwrap();
    assert_eq!(names(&listed), ["ada/new"]);
}

/// A generator of numbers that need not be good, only the same each time.
fn next(state: &mut u64, below: usize) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap() % below
}

/// All of a namespace of which a tag was changed, read by pages of two; those first that were changed last.
async fn changed_in(tx: &mut Tx, reader: &Principal, namespace_id: NamespaceId) -> Vec<String> {
    let (mut before, mut found) = ((i64::MAX, i64::MAX), Vec::new());
    loop {
        let page = list_changed_in(tx, reader, namespace_id, (before, 2), NOW)
            .await
            .unwrap();
        for changed in &page {
            let place = (changed.tag_changed_at, changed.facts.repository_id.as_i64());
            assert!(place < before, "{place:?} behind {before:?}");
            before = place;
            found.push(changed.facts.name.to_string());
        }
        if page.is_empty() {
            return found;
        }
    }
}

/// Something was pushed.
async fn push(tx: &mut Tx, id: i64, dimension: Dimension, value: &str, at: i64) {
    let counter = Counter {
        repository_id: RepositoryId::from_i64(id),
        dimension,
        value: value.to_owned(),
        day: 1,
    };
    let count = Count {
        pushes: 1,
        last_pushed_at: Some(at),
        ..Count::default()
    };
    add_count(tx, &counter, &count).await.unwrap();
}

async fn a_world_of_rules_is_listed_as_the_decision_says(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let accounts = world(&mut tx).await;
    let acme = super::organisation(&mut tx, 9, "acme", &accounts[0]).await;
    let acme_namespace = find_namespace(&mut tx, &"acme".parse().unwrap())
        .await
        .unwrap()
        .unwrap()
        .namespace_id;
    let more = ["acme/a", "acme/a-1", "acme/a/b", "acme/b", "acme/c.d"];
    for (i, name) in more.into_iter().enumerate() {
        let visibility = [Visibility::Private, Visibility::Internal][i % 2];
        super::repository(&mut tx, 100 + i64::try_from(i).unwrap(), name, visibility).await;
    }
    for id in (1..=14).chain(100..105) {
        note_change(&mut tx, RepositoryId::from_i64(id), NOW + id % 3)
            .await
            .unwrap();
        push(&mut tx, id, Dimension::Repository, "", NOW + id % 3).await;
    }
    for (at, role, end) in [
        (1, OrganisationRole::Member, None),
        (2, OrganisationRole::Manager, None),
        (3, OrganisationRole::Guest, Some(NOW + 1)),
        (4, OrganisationRole::Guest, Some(NOW)),
    ] {
        put_member(&mut tx, acme, accounts[at].account_id, role, end, NOW)
            .await
            .unwrap();
    }
    let team = super::team::team(&mut tx, 5, acme, "dev").await;
    for at in [1, 3, 4] {
        put_team_member(&mut tx, team.team_id, accounts[at].account_id, NOW)
            .await
            .unwrap();
    }
    let machine = |home: NamespaceId, ceiling: Ceiling| {
        Principal::Machine(Machine {
            namespace_id: home,
            robot_id: Some(RobotId::from_i64(77)),
            is_disabled: false,
            ceilings: vec![ceiling],
            ceiling: Ceiling::Full,
        })
    };
    let mut readers = vec![
        Principal::Anonymous,
        machine(acme_namespace, limited(Actions::PULL, "acme/a*")),
        machine(NamespaceId::from_i64(1001), limited(Actions::OWNER, "*")),
    ];
    for account in &accounts {
        readers.push(account.principal(Ceiling::Full));
        readers.push(account.principal(limited(Actions::PULL, "acme/a*")));
    }
    let namespaces = [
        ("acme", acme_namespace),
        ("ada", NamespaceId::from_i64(1001)),
        ("eve", NamespaceId::from_i64(1002)),
    ];
    let (mut state, mut lengths) = (20_261_121_u64, std::collections::BTreeSet::new());
    for id in 1..=12_i64 {
        let (name, namespace_id) = namespaces[next(&mut state, namespaces.len())];
        let subject = match next(&mut state, 6) {
            0 => Subject::Account(accounts[next(&mut state, accounts.len())].account_id),
            1 => Subject::Team(team.team_id),
            2 => Subject::Robot(RobotId::from_i64(77)),
            3 => Subject::Members,
            4 => Subject::SignedIn,
            _ => Subject::Anyone,
        };
        let target = match (name, next(&mut state, 4)) {
            ("acme", 0) => Target::Repository(RepositoryId::from_i64(100)),
            (_, 1) => Target::Pattern(format!("{name}/*").parse().unwrap()),
            (_, 2) => Target::Pattern(format!("{name}/a-*").parse().unwrap()),
            _ => Target::Pattern(format!("{name}/b").parse().unwrap()),
        };
        let rule = Rule {
            rule_id: RuleId::from_i64(id),
            namespace_id,
            subject,
            target,
            rights: [Rights::READ, Right::Push.into(), Rights::ALL][next(&mut state, 3)],
            push_tags: TagSet::Every,
            delete_tags: TagSet::Every,
            expires_at: [None, Some(NOW), Some(NOW + 1)][next(&mut state, 3)],
        };
        create_rule(&mut tx, &rule, None, NOW).await.unwrap();
        for reader in &readers {
            let mut expected = Vec::new();
            for name in NAMES.into_iter().chain(more) {
                let name: RepositoryName = name.parse().unwrap();
                let known = find_known(&mut tx, reader, &name).await.unwrap();
                let facts = known.surroundings.facts(known.repository.as_ref(), NOW);
                if !decide(reader, &facts, &name, Rights::READ).granted.is_empty() {
                    expected.push(name.to_string());
                }
            }
            expected.sort();
            lengths.insert(expected.len());
            let listed = list_visible_repositories(&mut tx, reader, "", 100, NOW)
                .await
                .unwrap();
            assert_eq!(names(&listed), expected, "{reader:?} {rule:?}");
            assert_eq!(
                known_by_id(&mut tx, reader).await,
                expected,
                "{reader:?} {rule:?}"
            );
            let pushed = list_pushed(&mut tx, reader, 100, NOW).await.unwrap();
            let mut pushed: Vec<String> = pushed.iter().map(|one| one.facts.name.to_string()).collect();
            pushed.sort();
            assert_eq!(pushed, expected, "{reader:?} {rule:?}");
            for (name, namespace_id) in namespaces {
                let mut own = expected.clone();
                own.retain(|listed| listed.split('/').next() == Some(name));
                let listed = list_visible_in(&mut tx, reader, namespace_id, ("", 100), NOW)
                    .await
                    .unwrap();
                assert_eq!(names(&listed), own, "{name} {reader:?} {rule:?}");
                let mut changed = changed_in(&mut tx, reader, namespace_id).await;
                changed.sort();
                own.sort();
                assert_eq!(changed, own, "{name} {reader:?} {rule:?}");
            }
        }
    }
    assert!(lengths.len() > 5, "the readers differ: {lengths:?}");
}

/// The repositories of the world that a reader may pull, as they are known by their ids.
async fn known_by_id(tx: &mut Tx, reader: &Principal) -> Vec<String> {
    // More than a statement takes.
    let asked: Vec<RepositoryId> = (1..=130).map(RepositoryId::from_i64).collect();
    let known = list_known_by_id(tx, reader, &asked).await.unwrap();
    let mut found: Vec<String> = Vec::new();
    for (facts, surroundings) in &known {
        let around = surroundings.facts(Some(facts), NOW);
        if !decide(reader, &around, &facts.name, Rights::READ)
            .granted
            .is_empty()
        {
            found.push(facts.name.to_string());
        }
    }
    found.sort();
    found
}

async fn changes_are_listed_backwards_and_only_a_later_one_moves_a_repository_ahead(store: &Store) {
    let mut tx = store.write().await.unwrap();
    world(&mut tx).await;
    let id = |number| RepositoryId::from_i64(number);
    for sequence in 1..=5 {
        let change = TagChange {
            sequence,
            tag: format!("v{}", sequence % 2),
            digest_before: None,
            digest_after: Some("sha256:a".to_owned()),
            changed_at: NOW,
            changed_by: None,
            client: None,
        };
        add_tag_change(&mut tx, id(1), &change).await.unwrap();
    }
    let listed = list_changes(&mut tx, id(1), 5, 3).await.unwrap();
    let sequences: Vec<i64> = listed.iter().map(|change| change.sequence).collect();
    assert_eq!(sequences, [4, 3, 2]);
    assert_eq!(list_changes(&mut tx, id(2), i64::MAX, 3).await.unwrap(), []);
    // ada/app, ada/app-1/x and ada/app/x are everybody's; of the last no tag was changed.
    for (number, at) in [(1, NOW), (3, NOW + 5), (1, NOW + 9), (1, NOW + 2)] {
        note_change(&mut tx, id(number), at).await.unwrap();
    }
    let of_ada = NamespaceId::from_i64(1001);
    let anybody = Principal::Anonymous;
    let changed = list_changed_in(&mut tx, &anybody, of_ada, ((i64::MAX, i64::MAX), 9), NOW)
        .await
        .unwrap();
    let changed: Vec<_> = changed
        .iter()
        .map(|one| (one.facts.name.as_str(), one.tag_changed_at))
        .collect();
    assert_eq!(changed, [("ada/app", NOW + 9), ("ada/app-1/x", NOW + 5)]);
}

async fn what_was_pushed_last_is_listed_first_however_much_others_pushed_since(store: &Store) {
    let mut tx = store.write().await.unwrap();
    world(&mut tx).await;
    // ada/app, ada/app-1/x, ada/app/x and ada/b are everybody's; to the last nothing was pushed.
    for (id, at) in [(1, NOW), (3, NOW + 5), (5, NOW + 5), (3, NOW + 2), (2, NOW + 9)] {
        push(&mut tx, id, Dimension::Repository, "", at).await;
    }
    push(&mut tx, 1, Dimension::Tag, "v1", NOW + 99).await;
    for id in 1_000..1_203 {
        super::repository(&mut tx, id, &format!("eve/p{id}"), Visibility::Private).await;
        push(&mut tx, id, Dimension::Repository, "", NOW + id).await;
    }
    let anybody = Principal::Anonymous;
    let pushed = list_pushed(&mut tx, &anybody, 9, NOW).await.unwrap();
    let told: Vec<_> = pushed
        .iter()
        .map(|one| (one.facts.name.as_str(), one.pushed_at))
        .collect();
    assert_eq!(
        told,
        [("ada/app/x", NOW + 5), ("ada/app-1/x", NOW + 5), ("ada/app", NOW)]
    );
    let first = list_pushed(&mut tx, &anybody, 2, NOW).await.unwrap();
    assert_eq!(first, pushed[..2]);
    assert!(list_pushed(&mut tx, &anybody, 0, NOW).await.unwrap().is_empty());
}
