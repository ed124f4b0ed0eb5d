use super::super::posting::{list_stale, mend};
use super::super::search::{Found, Wanted, search};
use super::*;
use crate::domain::search::terms;

contracts!(
    a_repository_is_found_by_its_words_and_no_longer_when_it_has_them_no_more,
    what_is_found_is_what_the_decision_lets_be_pulled,
    the_best_come_first_and_pages_follow_each_other,
    no_query_is_a_fault,
    lists_are_mended_where_something_else_changed_a_repository,
    a_word_of_many_is_found_among_those_of_another,
    an_unfinished_word_may_become_more_words_than_are_looked_up,
);

async fn find(tx: &mut Tx, principal: &Principal, query: &str, page: (usize, usize)) -> Found {
    let terms = terms(query).unwrap_or_default();
    let wanted = Wanted {
        terms: &terms,
        filter: &SearchFilter::default(),
        offset: page.0,
        limit: page.1,
    };
    search(tx, principal, &wanted, NOW).await.unwrap()
}

async fn names(tx: &mut Tx, principal: &Principal, query: &str) -> Vec<String> {
    let found = find(tx, principal, query, (0, 100)).await;
    assert_eq!(found.total, found.hits.len());
    found.hits.iter().map(|hit| hit.facts.name.to_string()).collect()
}

async fn a_repository_is_found_by_its_words_and_no_longer_when_it_has_them_no_more(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await.principal(Ceiling::Full);
    let (nobody, none) = (Principal::Anonymous, Vec::<String>::new());
    let made = repository(&mut tx, 10, "ada/nginx-proxy", Visibility::Private).await;
    assert_eq!(names(&mut tx, &ada, "nginx").await, ["ada/nginx-proxy"]);
    assert_eq!(names(&mut tx, &ada, "proxy ngi").await, ["ada/nginx-proxy"]);
    assert_eq!(names(&mut tx, &ada, "nginx apache").await, none);
    assert_eq!(names(&mut tx, &nobody, "nginx").await, none);
    let id = made.repository_id;
    for (visibility, is_seen) in [
        (Visibility::Public, true),
        (Visibility::Internal, false),
        (Visibility::Public, true),
        (Visibility::Private, false),
    ] {
        set_visibility(&mut tx, id, visibility).await.unwrap();
        assert_eq!(names(&mut tx, &nobody, "nginx").await.len(), usize::from(is_seen));
        assert_eq!(names(&mut tx, &ada, "nginx").await.len(), 1, "{visibility}");
    }
    let eve = account(&mut tx, 2, "eve", false).await.principal(Ceiling::Full);
    rename_repository(
        &mut tx,
        id,
        &"eve/web".parse().unwrap(),
        NamespaceId::from_i64(1002),
    )
    .await
    .unwrap();
    assert_eq!(names(&mut tx, &ada, "nginx").await, none);
    assert_eq!(names(&mut tx, &ada, "web").await, none);
    assert_eq!(names(&mut tx, &eve, "web").await, ["eve/web"]);
    let end = Deletion {
        by: None,
        at: NOW,
        purge_after: NOW + 10,
    };
    assert!(delete_repository(&mut tx, id, &end).await.unwrap());
    assert_eq!(names(&mut tx, &eve, "web").await, none);
    assert!(
        restore_repository(&mut tx, id, &"eve/back".parse().unwrap())
            .await
            .unwrap()
    );
    assert_eq!(names(&mut tx, &eve, "back").await, ["eve/back"]);
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(names(&mut tx, &eve, "eve").await, ["eve/back"]);
    assert!(
        list_stale(&mut tx, RepositoryId::from_i64(0), 100)
            .await
            .unwrap()
            .repositories
            .is_empty()
    );
}

async fn what_is_found_is_what_the_decision_lets_be_pulled(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (mut accounts, mut all) = (Vec::new(), Vec::new());
    for (id, name, is_admin) in [
        (1, "ada", false),
        (2, "eve", false),
        (3, "boss", true),
        (4, "bob", false),
    ] {
        accounts.push(account(&mut tx, id, name, is_admin).await);
    }
    let acme = organisation(&mut tx, 50, "acme", &accounts[0]).await;
    join(&mut tx, acme, &accounts[3], OrganisationRole::Member, None).await;
    let mut id = 100;
    for namespace in ["ada", "eve", "acme", "library"] {
        for visibility in [Visibility::Public, Visibility::Internal, Visibility::Private] {
            let name = format!("{namespace}/app-{visibility}");
            all.push(repository(&mut tx, id, &name, visibility).await);
            id += 1;
        }
    }
    let rule = |number: i64, subject: Subject, namespace: i64, target: Target| NewRuleOf {
        number,
        subject,
        namespace,
        target,
    };
    let rules = [
        rule(
            1,
            Subject::Account(accounts[1].account_id),
            1001,
            Target::Repository(all[2].repository_id),
        ),
        rule(
            2,
            Subject::Members,
            1050,
            Target::Pattern("acme/app-pr*".parse().unwrap()),
        ),
        rule(
            3,
            Subject::Anyone,
            1002,
            Target::Pattern("eve/app-p*".parse().unwrap()),
        ),
        rule(
            4,
            Subject::SignedIn,
            1,
            Target::Pattern("library/app-p*".parse().unwrap()),
        ),
    ];
    for rule in rules {
        rule.put(&mut tx).await;
    }
    let mut readers = vec![Principal::Anonymous];
    for account in &accounts {
        readers.push(account.principal(Ceiling::Full));
        for pattern in ["ada/*", "acme/app-pri*", "*"] {
            readers.push(account.principal(limited(Actions::PULL, pattern)));
            readers.push(account.principal(limited(Actions::NONE.with(Action::Push), pattern)));
        }
        let mut disabled = account.clone();
        disabled.disabled_at = Some(NOW);
        readers.push(disabled.principal(Ceiling::Full));
    }
    for namespace in [1001, 1050] {
        for is_disabled in [false, true] {
            readers.push(Principal::Machine(Machine {
                namespace_id: NamespaceId::from_i64(namespace),
                robot_id: None,
                is_disabled,
                ceilings: Vec::new(),
                ceiling: Ceiling::Full,
            }));
        }
    }
    let mut lengths = std::collections::BTreeSet::new();
    for reader in &readers {
        let mut expected = Vec::new();
        for facts in &all {
            let known = find_known(&mut tx, reader, &facts.name).await.unwrap();
            let around = known.surroundings.facts(known.repository.as_ref(), NOW);
            if decide(reader, &around, &facts.name, Rights::READ)
                .granted
                .contains(Right::Pull)
            {
                expected.push(facts.name.to_string());
            }
        }
        expected.sort();
        for query in ["app", "a", ""] {
            let mut found = names(&mut tx, reader, query).await;
            if query != "a" {
                found.sort();
                assert_eq!(found, expected, "{query} {reader:?}");
            }
        }
        lengths.insert(expected.len());
    }
    assert!(lengths.len() > 6, "the readers differ: {lengths:?}");
}

struct NewRuleOf {
    number: i64,
    subject: Subject,
    namespace: i64,
    target: Target,
}

impl NewRuleOf {
    async fn put(self, tx: &mut Tx) {
        let rule = Rule {
            rule_id: RuleId::from_i64(self.number),
            namespace_id: NamespaceId::from_i64(self.namespace),
            subject: self.subject,
            target: self.target,
            rights: Rights::READ,
            push_tags: TagSet::Every,
            delete_tags: TagSet::Every,
            expires_at: None,
        };
        create_rule(tx, &rule, None, NOW).await.unwrap();
    }
}

async fn the_best_come_first_and_pages_follow_each_other(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    for (id, name) in [
        (20, "ada/a-thing-with-nginx"),
        (21, "ada/nginx"),
        (22, "library/nginx"),
        (23, "nginx"),
        (24, "ada/nginxish"),
    ] {
        repository(&mut tx, id, name, Visibility::Public).await;
    }
    let nobody = Principal::Anonymous;
    let all = names(&mut tx, &nobody, "nginx").await;
    assert_eq!(
        all,
        [
            "library/nginx",
            "nginx",
            "ada/nginx",
            "ada/nginxish",
            "ada/a-thing-with-nginx"
        ]
    );
    for limit in 1..=5 {
        let mut paged = Vec::new();
        for offset in (0..6).step_by(limit) {
            let found = find(&mut tx, &nobody, "nginx", (offset, limit)).await;
            assert_eq!((found.total, found.is_more), (5, false));
            paged.extend(found.hits.into_iter().map(|hit| hit.facts.name.to_string()));
        }
        assert_eq!(paged, all);
    }
    let wanted = SearchFilter {
        is_official: true,
        ..SearchFilter::default()
    };
    let wanted = Wanted {
        terms: &[],
        filter: &wanted,
        offset: 0,
        limit: 10,
    };
    let found = search(&mut tx, &nobody, &wanted, NOW).await.unwrap();
    assert_eq!(found.hits.len(), 2);
}

async fn no_query_is_a_fault(store: &Store) {
    // What a query language could stumble over, in any order.
    const PIECES: [&str; 24] = [
        "\"",
        "*",
        "'",
        "NEAR",
        "(",
        ")",
        "&",
        "|",
        "!",
        ":",
        "-",
        "^",
        "{",
        "}",
        "%",
        "_",
        "\\",
        "\0",
        " ",
        "near",
        "AND",
        "$1",
        "近",
        "\u{10ffff}",
    ];
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    repository(&mut tx, 10, "ada/near", Visibility::Public).await;
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..150 {
        let mut query = String::new();
        for _ in 0..=seed % 9 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            query.push_str(PIECES[usize::try_from(seed % 24).unwrap()]);
        }
        let found = find(&mut tx, &Principal::Anonymous, &query, (0, 10)).await;
        assert!(found.hits.len() <= 1, "{query:?}");
    }
    for query in [
        "\"",
        "*",
        "NEAR(",
        "near*",
        "a & b",
        "!near",
        "near:*",
        "'; drop table account; --",
        "(((",
        "%",
        "_",
        "\\",
        "\0",
        "near\0",
        "^near",
        "-near",
        "{near}",
        "near OR x",
        "\u{10ffff}",
        "😀",
        "é\u{301}",
        "near AND",
        "word:near",
    ] {
        let found = find(&mut tx, &Principal::Anonymous, query, (0, 10)).await;
        assert!(found.hits.len() <= 1, "{query}");
    }
    for (query, is_found) in [
        ("near*", true),
        ("!near", true),
        ("near OR x", false),
        ("word:near", false),
    ] {
        assert_eq!(
            !names(&mut tx, &Principal::Anonymous, query).await.is_empty(),
            is_found,
            "{query}"
        );
    }
}

async fn lists_are_mended_where_something_else_changed_a_repository(store: &Store) {
    use super::super::value::run;
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    for id in 1..=5 {
        repository(&mut tx, id, &format!("ada/app{id}"), Visibility::Public).await;
    }
    run(
        &mut tx,
        "update repository set visibility = 'private' where repository_id = 2",
        &[],
    )
    .await
    .unwrap();
    run(
        &mut tx,
        "update repository set name = 'ada/other' where repository_id = 3",
        &[],
    )
    .await
    .unwrap();
    run(&mut tx, "delete from search_posting", &[]).await.unwrap();
    run(
        &mut tx,
        "delete from search_document where repository_id = 4",
        &[],
    )
    .await
    .unwrap();
    let mut after = RepositoryId::from_i64(0);
    let mut stale = Vec::new();
    loop {
        let looked = list_stale(&mut tx, after, 2).await.unwrap();
        stale.extend(looked.repositories);
        let Some(last) = looked.last else { break };
        after = last;
    }
    let ids: Vec<i64> = stale.iter().map(|id| id.as_i64()).collect();
    assert_eq!(ids, [2, 3, 4]);
    mend(&mut tx, &stale).await.unwrap();
    let looked = list_stale(&mut tx, RepositoryId::from_i64(0), 10).await.unwrap();
    assert!(looked.repositories.is_empty());
    assert_eq!(
        names(&mut tx, &Principal::Anonymous, "other").await,
        ["ada/other"]
    );
}

async fn a_word_of_many_is_found_among_those_of_another(store: &Store) {
    use super::super::value::run;
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    repository(&mut tx, 9, "ada/needle-hay", Visibility::Public).await;
    // As many others as are read at first, all of them before it.
    let others: Vec<String> = (0..1500)
        .map(|n| format!("('hay', 0, 1, {})", 1000 + n))
        .collect();
    let text = format!(
        "insert into search_posting (word, reach, place, repository_id) values {}",
        others.join(", ")
    );
    run(&mut tx, &text, &[]).await.unwrap();
    assert_eq!(
        names(&mut tx, &Principal::Anonymous, "hay needle").await,
        ["ada/needle-hay"]
    );
}

async fn an_unfinished_word_may_become_more_words_than_are_looked_up(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    for id in 1..=40 {
        repository(&mut tx, id, &format!("ada/web-ab{id:02}"), Visibility::Public).await;
    }
    repository(&mut tx, 50, "ada/other-abz", Visibility::Public).await;
    let nobody = Principal::Anonymous;
    assert_eq!(names(&mut tx, &nobody, "other ab").await, ["ada/other-abz"]);
    assert_eq!(names(&mut tx, &nobody, "web ab").await.len(), 40);
    assert_eq!(names(&mut tx, &nobody, "ab4").await, ["ada/web-ab40"]);
    assert!(find(&mut tx, &nobody, "ab", (0, 10)).await.is_more);
}
