use super::super::access_token::{NewAccessToken, create_access_token};
use super::super::departure::*;
use super::*;

contracts!(
    what_an_organisation_holds_is_listed_and_ended,
    what_an_account_holds_is_listed_and_ended,
    organisations_without_another_owner_are_named,
    robots_end_with_their_namespace,
);

/// Creates [`rule_about`].
pub(super) async fn rule(tx: &mut Tx, id: i64, namespace: i64, account_id: AccountId) {
    let rule = rule_about(tx, id, namespace, account_id).await;
    crate::store::rule::create_rule(tx, &rule, None, NOW)
        .await
        .unwrap();
}

/// A rule about an account on a namespace's repositories.
async fn rule_about(tx: &mut Tx, id: i64, namespace: i64, account_id: AccountId) -> Rule {
    let namespace_id = NamespaceId::from_i64(namespace);
    let namespace = find_namespace_by_id(tx, namespace_id).await.unwrap().unwrap();
    Rule {
        rule_id: RuleId::from_i64(id),
        namespace_id,
        subject: Subject::Account(account_id),
        target: Target::Pattern(format!("{}/*", namespace.name).parse().unwrap()),
        rights: Rights::READ,
        push_tags: shared::token::TagSet::Every,
        delete_tags: shared::token::TagSet::Every,
        expires_at: None,
    }
}

async fn what_an_organisation_holds_is_listed_and_ended(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let eve = account(&mut tx, 2, "eve", false).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    let namespace_id = NamespaceId::from_i64(1009);
    join(&mut tx, acme, &eve, OrganisationRole::Guest, Some(NOW)).await;
    let ops = super::team::team(&mut tx, 1, acme, "ops").await;
    put_team_member(&mut tx, ops.team_id, ada.account_id, NOW)
        .await
        .unwrap();
    rule(&mut tx, 1, 1009, eve.account_id).await;
    repository(&mut tx, 70, "acme/b", Visibility::Private).await;
    repository(&mut tx, 71, "acme/a", Visibility::Public).await;
    repository(&mut tx, 72, "ada/a", Visibility::Public).await;
    let repositories = list_repositories_in(&mut tx, namespace_id).await.unwrap();
    assert_eq!(
        (repositories.count, repositories.names),
        (2, vec!["acme/a".to_owned(), "acme/b".to_owned()])
    );
    assert_eq!(count_members(&mut tx, acme, NOW).await.unwrap(), 1);
    assert_eq!(count_teams(&mut tx, acme).await.unwrap(), 1);
    end_organisation(&mut tx, acme, namespace_id, NOW).await.unwrap();
    assert_eq!(count_members(&mut tx, acme, NOW - 1).await.unwrap(), 0);
    assert_eq!(count_teams(&mut tx, acme).await.unwrap(), 0);
    let rules = list_rules_about_account(&mut tx, eve.account_id).await.unwrap();
    assert_eq!(rules.count, 0);
}

async fn what_an_account_holds_is_listed_and_ended(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let eve = account(&mut tx, 2, "eve", false).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    join(&mut tx, acme, &eve, OrganisationRole::Member, None).await;
    let ops = super::team::team(&mut tx, 1, acme, "ops").await;
    put_team_member(&mut tx, ops.team_id, eve.account_id, NOW)
        .await
        .unwrap();
    rule(&mut tx, 1, 1009, eve.account_id).await;
    rule(&mut tx, 2, 1001, eve.account_id).await;
    rule(&mut tx, 3, 1002, ada.account_id).await;
    token(&mut tx, 1, &eve, Some(NOW + 1)).await;
    token(&mut tx, 2, &eve, Some(NOW)).await;
    token(&mut tx, 3, &ada, None).await;
    let rules = list_rules_about_account(&mut tx, eve.account_id).await.unwrap();
    assert_eq!(
        (rules.count, rules.names),
        (2, vec!["pull on acme/*".to_owned(), "pull on ada/*".to_owned()])
    );
    let here = list_rules_about_account_in(&mut tx, NamespaceId::from_i64(1009), eve.account_id)
        .await
        .unwrap();
    assert_eq!((here.count, here.names), (1, vec!["pull on acme/*".to_owned()]));
    let organisations = list_organisation_names_of(&mut tx, eve.account_id).await.unwrap();
    assert_eq!(organisations.names, ["acme"]);
    assert_eq!(
        count_credentials(&mut tx, eve.account_id, NOW).await.unwrap(),
        (1, 0)
    );
    let own = Some(NamespaceId::from_i64(1002));
    end_account(&mut tx, eve.account_id, own, NOW).await.unwrap();
    assert_eq!(
        count_credentials(&mut tx, eve.account_id, NOW).await.unwrap(),
        (0, 0)
    );
    assert_eq!(
        count_credentials(&mut tx, ada.account_id, NOW).await.unwrap(),
        (1, 0)
    );
    for account in [&ada, &eve] {
        let rules = list_rules_about_account(&mut tx, account.account_id)
            .await
            .unwrap();
        assert_eq!(rules.count, 0);
    }
    assert!(
        !is_team_member(&mut tx, ops.team_id, eve.account_id)
            .await
            .unwrap()
    );
    let left = find_membership(&mut tx, acme, eve.account_id).await.unwrap();
    assert_eq!(left, None);
}

async fn token(tx: &mut Tx, id: i64, account: &Account, expires_at: Option<i64>) {
    let new = NewAccessToken {
        token_id: TokenId::from_i64(id),
        account_id: account.account_id,
        label: &"ci".parse().unwrap(),
        networks: &AllowedNetworks::default(),
        ceiling: &Ceiling::Full,
        expires_at,
    };
    create_access_token(tx, &new, NOW).await.unwrap();
}

async fn organisations_without_another_owner_are_named(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let eve = account(&mut tx, 2, "eve", false).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    let both = organisation(&mut tx, 10, "both", &ada).await;
    organisation(&mut tx, 11, "eves", &eve).await;
    join(&mut tx, acme, &eve, OrganisationRole::Manager, None).await;
    join(&mut tx, both, &eve, OrganisationRole::Owner, None).await;
    assert_eq!(list_last_owned(&mut tx, ada.account_id).await.unwrap(), ["acme"]);
    set_disabled(&mut tx, eve.account_id, Some(NOW), NOW)
        .await
        .unwrap();
    assert_eq!(
        list_last_owned(&mut tx, ada.account_id).await.unwrap(),
        ["acme", "both"]
    );
}

async fn robots_end_with_their_namespace(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    let namespace_id = NamespaceId::from_i64(1009);
    for (id, name) in [(1, Some("ci")), (2, None)] {
        let name: Option<RobotName> = name.map(|name: &str| name.parse().unwrap());
        let new = crate::store::robot::NewRobot {
            robot_id: RobotId::from_i64(id),
            namespace_id,
            name: name.as_ref(),
            parent_id: None,
            label: &"deploys".parse().unwrap(),
            ceiling: &limited(Actions::NONE.with(Action::Pull), "*"),
            networks: &AllowedNetworks::default(),
            created_by: None,
            expires_at: None,
        };
        crate::store::robot::create_robot(&mut tx, &new, NOW)
            .await
            .unwrap();
    }
    for (id, namespace) in [(1, 1001), (2, 1009)] {
        let rule = Rule {
            subject: Subject::Robot(RobotId::from_i64(1)),
            ..rule_about(&mut tx, id, namespace, ada.account_id).await
        };
        crate::store::rule::create_rule(&mut tx, &rule, None, NOW)
            .await
            .unwrap();
    }
    let (robots, rules) = list_robots_in(&mut tx, namespace_id).await.unwrap();
    assert_eq!(
        (robots.count, robots.names),
        (2, vec!["acme+ci".to_owned(), "deploys".to_owned()])
    );
    assert_eq!((rules.count, rules.names), (1, vec!["pull on ada/*".to_owned()]));
    end_organisation(&mut tx, acme, namespace_id, NOW).await.unwrap();
    let (robots, rules) = list_robots_in(&mut tx, namespace_id).await.unwrap();
    assert_eq!((robots.count, rules.count), (0, 0));
    let machine = Principal::Machine(Machine {
        namespace_id,
        robot_id: Some(RobotId::from_i64(1)),
        is_disabled: false,
        ceilings: Vec::new(),
        ceiling: Ceiling::Full,
    });
    let left = crate::store::rule::list_rules_about(&mut tx, NamespaceId::from_i64(1001), &machine)
        .await
        .unwrap();
    assert_eq!(left, []);
}
