use super::*;

contracts!(
    a_rule_reads_back_with_the_names_of_what_it_is_about,
    rules_are_counted_listed_changed_and_removed,
    rules_of_a_deleted_repository_are_not_shown,
    a_rule_about_a_guest_gives_nothing_from_the_guests_end_on,
);

fn given(rights: Rights) -> Grant {
    Grant {
        rights,
        push_tags: TagSet::Every,
        delete_tags: TagSet::Every,
        expires_at: None,
    }
}

async fn rule(tx: &mut Tx, id: i64, namespace_id: i64, subject: Subject, target: Target) -> Rule {
    let rule = Rule {
        rule_id: RuleId::from_i64(id),
        namespace_id: NamespaceId::from_i64(namespace_id),
        subject,
        target,
        rights: Rights::WRITE,
        push_tags: TagSet::parse(Some("main v*")).unwrap(),
        delete_tags: TagSet::Every,
        expires_at: Some(NOW + 5),
    };
    create_rule(tx, &rule, None, NOW).await.unwrap();
    rule
}

async fn a_rule_reads_back_with_the_names_of_what_it_is_about(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let app = repository(&mut tx, 7, "ada/app", Visibility::Private).await;
    let one = Target::Repository(app.repository_id);
    let all = Target::Pattern("ada/*".parse().unwrap());
    let about = Subject::Account(ada.account_id);
    for (id, subject, target, name, repository) in [
        (1, about, one.clone(), Some("ada"), Some(app.name.clone())),
        (2, about, all.clone(), Some("ada"), None),
        (3, Subject::SignedIn, all.clone(), None, None),
        // Nobody has this id.
        (
            4,
            Subject::Account(AccountId::from_i64(99)),
            one.clone(),
            None,
            Some(app.name.clone()),
        ),
    ] {
        let made = rule(&mut tx, id, 1001, subject, target.clone()).await;
        let found = find_rule(&mut tx, made.rule_id).await.unwrap().unwrap();
        assert_eq!((&found.rule, found.namespace.as_str()), (&made, "ada"));
        assert_eq!(
            (found.subject_name.as_deref(), found.repository),
            (name, repository)
        );
        assert!(
            has_rule_about(&mut tx, made.namespace_id, subject, &target)
                .await
                .unwrap()
        );
    }
    let anyone = has_rule_about(&mut tx, NamespaceId::from_i64(1001), Subject::Anyone, &all).await;
    assert!(!anyone.unwrap());
    let elsewhere = has_rule_about(&mut tx, NamespaceId::from_i64(1002), about, &one).await;
    assert!(!elsewhere.unwrap());
    assert_eq!(find_rule(&mut tx, RuleId::from_i64(9)).await.unwrap(), None);
}

async fn rules_are_counted_listed_changed_and_removed(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    account(&mut tx, 2, "eve", false).await;
    let app = repository(&mut tx, 7, "ada/app", Visibility::Private).await;
    let about = Subject::Account(ada.account_id);
    let one = Target::Repository(app.repository_id);
    rule(&mut tx, 1, 1001, about, one.clone()).await;
    rule(&mut tx, 2, 1002, about, Target::Pattern("eve/*".parse().unwrap())).await;
    rule(&mut tx, 3, 1001, Subject::Anyone, one.clone()).await;
    rule(&mut tx, 4, 1001, Subject::Members, one).await;
    let namespace_id = NamespaceId::from_i64(1001);
    assert_eq!(count_rules(&mut tx, namespace_id, about).await.unwrap(), (3, 1));
    let ids = |mut listed: Vec<ListedRule>| {
        listed.sort_by_key(|listed| listed.rule.rule_id);
        listed
            .iter()
            .map(|listed| listed.rule.rule_id.as_i64())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ids(list_rules_in(&mut tx, namespace_id, 10).await.unwrap()),
        [1, 3, 4]
    );
    assert_eq!(list_rules_in(&mut tx, namespace_id, 2).await.unwrap().len(), 2);
    let own = list_rules_about_subject(&mut tx, about, i64::MIN, 10).await;
    assert_eq!(ids(own.unwrap()), [1, 2]);
    let behind = list_rules_about_subject(&mut tx, about, 1, 10).await;
    assert_eq!(ids(behind.unwrap()), [2]);
    let first = RuleId::from_i64(1);
    assert!(change_rule(&mut tx, first, &given(Rights::READ)).await.unwrap());
    let changed = find_rule(&mut tx, first).await.unwrap().unwrap().rule;
    assert_eq!(changed.grant(), given(Rights::READ));
    transfer_rules(&mut tx, app.repository_id, NamespaceId::from_i64(1002))
        .await
        .unwrap();
    assert_eq!(
        ids(list_rules_in(&mut tx, namespace_id, 10).await.unwrap()),
        [0; 0]
    );
    let other = list_rules_in(&mut tx, NamespaceId::from_i64(1002), 10).await;
    assert_eq!(ids(other.unwrap()), [1, 2, 3]);
    assert!(remove_rule(&mut tx, first).await.unwrap());
    assert!(!remove_rule(&mut tx, first).await.unwrap());
    assert!(!change_rule(&mut tx, first, &given(Rights::READ)).await.unwrap());
    assert_eq!(
        remove_rules_of_repository(&mut tx, app.repository_id)
            .await
            .unwrap(),
        1
    );
}

async fn rules_of_a_deleted_repository_are_not_shown(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let app = repository(&mut tx, 7, "ada/app", Visibility::Private).await;
    let made = rule(
        &mut tx,
        1,
        1001,
        Subject::Anyone,
        Target::Repository(app.repository_id),
    )
    .await;
    let deletion = Deletion {
        by: Some(ada.account_id),
        at: NOW,
        purge_after: NOW + 10,
    };
    assert!(
        delete_repository(&mut tx, app.repository_id, &deletion)
            .await
            .unwrap()
    );
    assert_eq!(find_rule(&mut tx, made.rule_id).await.unwrap(), None);
    assert_eq!(list_rules_in(&mut tx, made.namespace_id, 9).await.unwrap(), []);
    restore_repository(&mut tx, app.repository_id, &app.name)
        .await
        .unwrap();
    assert!(find_rule(&mut tx, made.rule_id).await.unwrap().is_some());
}

/// What a decision reads must tell it that the guest's time is over, as long as the rows are there.
async fn a_rule_about_a_guest_gives_nothing_from_the_guests_end_on(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let owner = account(&mut tx, 1, "ada", false).await;
    let guest = account(&mut tx, 2, "eve", false).await;
    let acme = organisation(&mut tx, 9, "acme", &owner).await;
    let app = repository(&mut tx, 7, "acme/app", Visibility::Private).await;
    join(&mut tx, acme, &guest, OrganisationRole::Guest, Some(NOW)).await;
    let namespace_id = app.namespace_id.as_i64();
    let about = Subject::Account(guest.account_id);
    rule(
        &mut tx,
        1,
        namespace_id,
        about,
        Target::Repository(app.repository_id),
    )
    .await;
    let principal = guest.principal(Ceiling::Full);
    let known = find_known(&mut tx, &principal, &app.name).await.unwrap();
    // The rule ends later than the guest.
    for (now, held) in [(NOW - 1, Rights::WRITE), (NOW, Rights::NONE)] {
        let facts = known.surroundings.facts(known.repository.as_ref(), now);
        assert_eq!(decide(&principal, &facts, &app.name, Rights::ALL).granted, held);
        let listed = list_visible_repositories(&mut tx, &principal, "", 9, now)
            .await
            .unwrap();
        assert_eq!(listed.is_empty(), held == Rights::NONE);
    }
}
