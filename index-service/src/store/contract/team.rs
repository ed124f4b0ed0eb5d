use super::*;

contracts!(
    a_team_reads_back_and_its_name_is_taken_once_in_an_organisation,
    teams_are_listed_by_name_and_those_of_an_account,
    members_of_a_team_count_while_they_are_in_the_organisation,
    a_deleted_team_leaves_nothing_behind,
);

/// A team with an id.
pub(super) async fn team(tx: &mut Tx, id: i64, organisation_id: OrganisationId, name: &str) -> Team {
    let team = Team {
        team_id: TeamId::from_i64(id),
        organisation_id,
        name: name.parse().unwrap(),
        description: "d".into(),
        created_at: NOW,
    };
    create_team(tx, &team).await.unwrap();
    team
}

async fn a_team_reads_back_and_its_name_is_taken_once_in_an_organisation(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    let other = organisation(&mut tx, 10, "other", &ada).await;
    let ops = team(&mut tx, 1, acme, "ops").await;
    assert_eq!(
        find_team(&mut tx, acme, &ops.name).await.unwrap(),
        Some(ops.clone())
    );
    assert_eq!(find_team(&mut tx, other, &ops.name).await.unwrap(), None);
    assert_eq!(
        find_team_by_id(&mut tx, ops.team_id).await.unwrap(),
        Some(ops.clone())
    );
    let again = Team {
        team_id: TeamId::from_i64(2),
        ..ops.clone()
    };
    let refused = create_team(&mut tx, &again).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict("team"))),
        "{refused:?}"
    );
    let elsewhere = Team {
        organisation_id: other,
        ..again
    };
    create_team(&mut tx, &elsewhere).await.unwrap();
    let name = "sre".parse().unwrap();
    change_team(&mut tx, ops.team_id, &name, "on call", NOW)
        .await
        .unwrap();
    let changed = find_team(&mut tx, acme, &name).await.unwrap().unwrap();
    assert_eq!(
        (changed.team_id, changed.description.as_str()),
        (ops.team_id, "on call")
    );
}

async fn teams_are_listed_by_name_and_those_of_an_account(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    for (id, name) in [(1, "b-a"), (2, "ba"), (3, "a")] {
        let team = team(&mut tx, id, acme, name).await;
        if id > 1 {
            put_team_member(&mut tx, team.team_id, ada.account_id, NOW)
                .await
                .unwrap();
        }
    }
    let names = |teams: Vec<Team>| teams.iter().map(|t| t.name.to_string()).collect::<Vec<_>>();
    assert_eq!(
        names(list_teams(&mut tx, acme, "", 2).await.unwrap()),
        ["a", "b-a"]
    );
    assert_eq!(names(list_teams(&mut tx, acme, "b-a", 2).await.unwrap()), ["ba"]);
    let own = list_teams_of(&mut tx, acme, ada.account_id, i64::MIN, 9)
        .await
        .unwrap();
    assert_eq!(names(own), ["ba", "a"]);
    let own = list_teams_of(&mut tx, acme, ada.account_id, 2, 9).await.unwrap();
    assert_eq!(names(own), ["a"]);
}

async fn members_of_a_team_count_while_they_are_in_the_organisation(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let eve = account(&mut tx, 2, "eve", false).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    join(&mut tx, acme, &eve, OrganisationRole::Guest, Some(NOW + 5)).await;
    let ops = team(&mut tx, 1, acme, "ops").await;
    for (account, is_new) in [(&ada, true), (&eve, true), (&eve, false)] {
        let put = put_team_member(&mut tx, ops.team_id, account.account_id, NOW)
            .await
            .unwrap();
        assert_eq!(put, is_new);
    }
    let mut names = async |after: i64, now: i64| {
        list_team_members(&mut tx, &ops, after, now, 9)
            .await
            .unwrap()
            .iter()
            .map(|m| format!("{} {}", m.username, m.role))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(i64::MIN, NOW + 4).await, ["ada owner", "eve guest"]);
    assert_eq!(names(1, NOW + 4).await, ["eve guest"]);
    assert_eq!(names(i64::MIN, NOW + 5).await, ["ada owner"]);
    assert!(
        remove_team_member(&mut tx, ops.team_id, ada.account_id)
            .await
            .unwrap()
    );
    assert!(
        !remove_team_member(&mut tx, ops.team_id, ada.account_id)
            .await
            .unwrap()
    );
}

async fn a_deleted_team_leaves_nothing_behind(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    let ops = team(&mut tx, 1, acme, "ops").await;
    put_team_member(&mut tx, ops.team_id, ada.account_id, NOW)
        .await
        .unwrap();
    let rule = Rule {
        rule_id: RuleId::from_i64(1),
        namespace_id: NamespaceId::from_i64(1009),
        subject: Subject::Team(ops.team_id),
        target: Target::Pattern("acme/*".parse().unwrap()),
        rights: Rights::READ,
        push_tags: shared::token::TagSet::Every,
        delete_tags: shared::token::TagSet::Every,
        expires_at: None,
    };
    crate::store::rule::create_rule(&mut tx, &rule, None, NOW)
        .await
        .unwrap();
    assert!(delete_team(&mut tx, ops.team_id, NOW).await.unwrap());
    assert!(!delete_team(&mut tx, ops.team_id, NOW).await.unwrap());
    assert!(
        !is_team_member(&mut tx, ops.team_id, ada.account_id)
            .await
            .unwrap()
    );
    let principal = ada.principal(Ceiling::Full);
    let rules = crate::store::rule::list_rules_about(&mut tx, rule.namespace_id, &principal)
        .await
        .unwrap();
    assert_eq!(rules, []);
}
