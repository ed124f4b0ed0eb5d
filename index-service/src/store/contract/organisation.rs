use super::*;

contracts!(
    an_organisation_reads_back_and_its_name_is_never_given_again,
    members_are_listed_page_by_page_and_ended_guests_are_none_of_them,
    organisations_of_an_account_are_listed_while_it_is_in_them,
    the_last_owner_is_known,
    a_removed_member_is_in_no_team_and_no_rule_names_it,
    locking_an_organisation_lets_others_wait,
);

async fn an_organisation_reads_back_and_its_name_is_never_given_again(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 5, "ada", false).await;
    let id = organisation(&mut tx, 9, "acme", &ada).await;
    change_organisation(&mut tx, id, "Acme Ltd", "anvils", NOW)
        .await
        .unwrap();
    let name = "acme".parse().unwrap();
    let found = find_organisation(&mut tx, &name).await.unwrap().unwrap();
    assert_eq!(
        (found.display_name.as_str(), found.description.as_str()),
        ("Acme Ltd", "anvils")
    );
    assert_eq!((found.created_at, found.deleted_at), (NOW, None));
    assert!(delete_organisation(&mut tx, id, NOW + 1).await.unwrap());
    assert!(!delete_organisation(&mut tx, id, NOW + 2).await.unwrap());
    let found = find_organisation_by_id(&mut tx, id).await.unwrap().unwrap();
    assert_eq!(found.deleted_at, Some(NOW + 1));
    let again = create_organisation(&mut tx, OrganisationId::from_i64(10), &name, "x", None, NOW).await;
    assert!(
        matches!(again, Err(StoreError::Conflict("organisation"))),
        "{again:?}"
    );
}

async fn members_are_listed_page_by_page_and_ended_guests_are_none_of_them(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    for (id, role, end) in [
        (2, OrganisationRole::Member, None),
        (3, OrganisationRole::Guest, Some(NOW + 10)),
        (4, OrganisationRole::Guest, Some(NOW)),
        (6, OrganisationRole::Manager, None),
    ] {
        let other = account(&mut tx, id, &format!("m{id}"), false).await;
        join(&mut tx, acme, &other, role, end).await;
    }
    let (mut seen, mut after) = (Vec::new(), i64::MIN);
    loop {
        let page = list_members(&mut tx, acme, after, NOW, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.account_id.as_i64();
        seen.extend(page.into_iter().map(|m| format!("{} {}", m.username, m.role)));
    }
    assert_eq!(seen, ["ada owner", "m2 member", "m3 guest", "m6 manager"]);
    let guest = AccountId::from_i64(3);
    assert!(
        find_member(&mut tx, acme, guest, NOW + 9)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        find_member(&mut tx, acme, guest, NOW + 10)
            .await
            .unwrap()
            .is_none()
    );
    let ended = list_ended_guests(&mut tx, NOW + 10, 10).await.unwrap();
    assert_eq!(ended, [(acme, AccountId::from_i64(4)), (acme, guest)]);
    assert_eq!(list_ended_guests(&mut tx, NOW - 1, 10).await.unwrap(), []);
}

async fn organisations_of_an_account_are_listed_while_it_is_in_them(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let eve = account(&mut tx, 2, "eve", false).await;
    for (id, name) in [(11, "c"), (12, "b"), (13, "a")] {
        let organisation_id = organisation(&mut tx, id, name, &ada).await;
        if id < 13 {
            let end = Some(NOW + id);
            join(&mut tx, organisation_id, &eve, OrganisationRole::Guest, end).await;
        }
    }
    let mut names = async |account: &Account, after: i64, now: i64, limit: u32| {
        list_organisations_of(&mut tx, account.account_id, after, now, limit)
            .await
            .unwrap()
            .into_iter()
            .map(|(organisation, membership)| format!("{} {}", organisation.name, membership.role))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&ada, i64::MIN, NOW, 2).await, ["c owner", "b owner"]);
    assert_eq!(names(&ada, 12, NOW, 2).await, ["a owner"]);
    assert_eq!(names(&eve, i64::MIN, NOW + 11, 9).await, ["b guest"]);
}

async fn the_last_owner_is_known(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let eve = account(&mut tx, 2, "eve", false).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    assert!(!has_other_owner(&mut tx, acme, ada.account_id).await.unwrap());
    join(&mut tx, acme, &eve, OrganisationRole::Manager, None).await;
    assert!(!has_other_owner(&mut tx, acme, ada.account_id).await.unwrap());
    join(&mut tx, acme, &eve, OrganisationRole::Owner, None).await;
    assert!(has_other_owner(&mut tx, acme, ada.account_id).await.unwrap());
    set_disabled(&mut tx, eve.account_id, Some(NOW), NOW)
        .await
        .unwrap();
    assert!(
        !has_other_owner(&mut tx, acme, ada.account_id).await.unwrap(),
        "who cannot log in looks after nothing"
    );
}

async fn a_removed_member_is_in_no_team_and_no_rule_names_it(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let eve = account(&mut tx, 2, "eve", false).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    let other = organisation(&mut tx, 10, "other", &ada).await;
    for (id, organisation_id) in [(1, acme), (2, other)] {
        join(&mut tx, organisation_id, &eve, OrganisationRole::Member, None).await;
        let team = super::team::team(&mut tx, id, organisation_id, "ops").await;
        assert!(
            put_team_member(&mut tx, team.team_id, eve.account_id, NOW)
                .await
                .unwrap()
        );
        super::departure::rule(&mut tx, id, organisation_id.as_i64() + 1000, eve.account_id).await;
    }
    assert!(remove_member(&mut tx, acme, eve.account_id).await.unwrap());
    assert!(!remove_member(&mut tx, acme, eve.account_id).await.unwrap());
    let (one, two) = (TeamId::from_i64(1), TeamId::from_i64(2));
    assert!(!is_team_member(&mut tx, one, eve.account_id).await.unwrap());
    assert!(
        is_team_member(&mut tx, two, eve.account_id).await.unwrap(),
        "of another organisation"
    );
    let left = crate::store::departure::list_rules_about_account(&mut tx, eve.account_id)
        .await
        .unwrap();
    assert_eq!(left.names, ["pull on other/*"]);
}

async fn locking_an_organisation_lets_others_wait(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    tx.commit().await.unwrap();
    let mut first = store.write().await.unwrap();
    lock_organisation(&mut first, acme).await.unwrap();
    let store = store.clone();
    let second = tokio::spawn(async move {
        let mut tx = store.write().await.unwrap();
        lock_organisation(&mut tx, acme).await.unwrap();
        find_setting(&mut tx, "order").await.unwrap()
    });
    tokio::task::yield_now().await;
    put_setting(&mut first, "order", "first").await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap().as_deref(), Some("first"));
}
