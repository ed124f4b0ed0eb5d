use super::*;

contracts!(
    every_reader_sees_exactly_what_the_decision_lets_them_pull,
    pages_follow_the_order_of_bytes_and_miss_nothing,
    pending_repositories_are_in_no_list,
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
            let namespace = find_namespace(&mut tx, &NamespaceName::from(&name))
                .await
                .unwrap();
            let row = find_repository(&mut tx, &name).await.unwrap();
            if !decide(reader, namespace.as_ref(), row.as_ref(), &name, Actions::PULL)
                .granted
                .is_empty()
            {
                expected.push(name.to_string());
            }
        }
        expected.sort();
        let listed = list_visible_repositories(&mut tx, reader, "", 100).await.unwrap();
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
            &list_visible_repositories(&mut tx, &reader, "", 100)
                .await
                .unwrap(),
        );
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "{all:?}");
        for limit in 1..=4 {
            let (mut seen, mut after) = (Vec::new(), String::new());
            loop {
                let page = names(
                    &list_visible_repositories(&mut tx, &reader, &after, limit)
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
    let page =
        list_visible_repositories(&mut tx, &accounts[0].principal(Ceiling::Full), "ada/app-1/zz", 2).await;
    assert_eq!(names(&page.unwrap()), ["ada/app.2", "ada/app/x"]);
    let nothing = list_visible_repositories(&mut tx, &Principal::Anonymous, "~", 2)
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
            list_visible_repositories(&mut tx, &reader, "", 9)
                .await
                .unwrap()
                .is_empty()
        );
    }
    confirm_repository(&mut tx, &name, NOW).await.unwrap();
    let listed = list_visible_repositories(&mut tx, &Principal::Anonymous, "", 9)
        .await
        .unwrap();
    assert_eq!(names(&listed), ["ada/new"]);
}
