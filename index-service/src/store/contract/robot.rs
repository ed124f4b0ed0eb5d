use super::*;
use crate::store::organisation::create_organisation;

contracts!(
    a_robot_is_found_by_its_secret_by_its_id_and_by_its_name,
    a_robot_knows_whether_the_owner_of_its_namespace_is_gone,
    robots_are_listed_by_their_namespace_and_by_their_maker,
    a_robot_is_changed_and_its_name_is_free_once_it_is_deleted,
    uses_of_a_robot_are_written_down_as_those_of_an_access_token,
);

/// The namespace of the account.
const HOME: i64 = 1005;

async fn robot(tx: &mut Tx, id: i64, namespace_id: i64, name: Option<&str>, parent: Option<i64>) {
    let name: Option<RobotName> = name.map(|name| name.parse().unwrap());
    let new = NewRobot {
        robot_id: RobotId::from_i64(id),
        namespace_id: NamespaceId::from_i64(namespace_id),
        name: name.as_ref(),
        parent_id: parent.map(RobotId::from_i64),
        label: &"ci".parse().unwrap(),
        ceiling: &limited(Actions::PULL_PUSH, "ada/app-*"),
        networks: &"10.0.0.0/8".parse().unwrap(),
        created_by: Some(AccountId::from_i64(5)),
        expires_at: Some(NOW + 90),
    };
    create_robot(tx, &new, NOW).await.unwrap();
    super::secret::add(tx, id, SecretOwner::Robot(new.robot_id)).await;
}

async fn a_robot_is_found_by_its_secret_by_its_id_and_by_its_name(store: &Store) {
    let mut tx = store.write().await.unwrap();
    super::account(&mut tx, 5, "ada", false).await;
    robot(&mut tx, 1, HOME, Some("ci"), None).await;
    robot(&mut tx, 2, HOME, Some("child"), Some(1)).await;
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let (found, with) = find_robot(&mut tx, secret(2)).await.unwrap().unwrap();
    let expected = Robot {
        robot_id: RobotId::from_i64(2),
        namespace_id: NamespaceId::from_i64(HOME),
        namespace: "ada".parse().unwrap(),
        name: Some("child".parse().unwrap()),
        parent_id: Some(RobotId::from_i64(1)),
        label: "ci".parse().unwrap(),
        ceiling: limited(Actions::PULL_PUSH, "ada/app-*"),
        networks: "10.0.0.0/8".parse().unwrap(),
        created_by: Some(AccountId::from_i64(5)),
        created_at: NOW,
        expires_at: Some(NOW + 90),
        suspended_at: None,
        deleted_at: None,
        last_use: None,
        refused: None,
        is_owner_gone: false,
    };
    assert_eq!(found, expected);
    assert_eq!(with.owner, SecretOwner::Robot(expected.robot_id));
    assert_eq!(find_robot(&mut tx, secret(9)).await.unwrap(), None);
    let by_id = find_robot_by_id(&mut tx, expected.robot_id).await.unwrap();
    assert_eq!(by_id, Some(expected.clone()));
    let (ada, child) = ("ada".parse().unwrap(), "child".parse().unwrap());
    assert_eq!(
        find_robot_by_name(&mut tx, &ada, &child).await.unwrap(),
        Some(expected)
    );
    let eve = "eve".parse().unwrap();
    assert_eq!(find_robot_by_name(&mut tx, &eve, &child).await.unwrap(), None);
}

async fn a_robot_knows_whether_the_owner_of_its_namespace_is_gone(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = super::account(&mut tx, 5, "ada", false).await.account_id;
    let (team, organisation_id) = ("team".parse().unwrap(), OrganisationId::from_i64(50));
    create_organisation(&mut tx, organisation_id, &team, "Team", Some(ada), NOW)
        .await
        .unwrap();
    create_organisation_namespace(&mut tx, NamespaceId::from_i64(60), &team, organisation_id, NOW)
        .await
        .unwrap();
    robot(&mut tx, 1, HOME, Some("ci"), None).await;
    robot(&mut tx, 2, 60, None, None).await;
    let mut gone = Vec::new();
    for id in [1, 2] {
        let robot = find_robot_by_id(&mut tx, RobotId::from_i64(id)).await.unwrap();
        gone.push(robot.unwrap().is_owner_gone);
    }
    assert_eq!(gone, [false, false]);
    assert!(set_disabled(&mut tx, ada, Some(NOW), NOW).await.unwrap());
    for (id, is_gone) in [(1, true), (2, false)] {
        let robot = find_robot_by_id(&mut tx, RobotId::from_i64(id)).await.unwrap();
        assert_eq!(robot.unwrap().is_owner_gone, is_gone, "{id}");
    }
}

async fn robots_are_listed_by_their_namespace_and_by_their_maker(store: &Store) {
    let mut tx = store.write().await.unwrap();
    super::account(&mut tx, 5, "ada", false).await;
    super::account(&mut tx, 6, "eve", false).await;
    for (id, namespace, name, parent) in [
        (1, HOME, Some("a"), None),
        (3, HOME, Some("c"), Some(1)),
        (2, HOME, Some("b"), Some(1)),
        (4, HOME, None, None),
        (5, 1006, Some("a"), None),
    ] {
        robot(&mut tx, id, namespace, name, parent).await;
    }
    let home = NamespaceId::from_i64(HOME);
    let ids = |robots: Vec<Robot>| robots.iter().map(|r| r.robot_id.as_i64()).collect::<Vec<_>>();
    let listed = list_robots(&mut tx, home, true, i64::MIN, 2).await.unwrap();
    assert_eq!(ids(listed), [1, 2]);
    assert_eq!(ids(list_robots(&mut tx, home, true, 2, 9).await.unwrap()), [3]);
    assert_eq!(ids(list_robots(&mut tx, home, false, 0, 9).await.unwrap()), [4]);
    let maker = RobotId::from_i64(1);
    assert_eq!(ids(list_children(&mut tx, maker, 0, 9).await.unwrap()), [2, 3]);
    assert_eq!(ids(list_children(&mut tx, maker, 2, 9).await.unwrap()), [3]);
    assert_eq!(count_robots(&mut tx, home).await.unwrap(), 4);
    assert!(delete_robot(&mut tx, RobotId::from_i64(3), NOW).await.unwrap());
    assert_eq!(
        ids(list_robots(&mut tx, home, true, 2, 9).await.unwrap()),
        [0_i64; 0]
    );
    assert_eq!(ids(list_children(&mut tx, maker, 0, 9).await.unwrap()), [2]);
    assert_eq!(count_robots(&mut tx, home).await.unwrap(), 3);
}

async fn a_robot_is_changed_and_its_name_is_free_once_it_is_deleted(store: &Store) {
    let mut tx = store.write().await.unwrap();
    super::account(&mut tx, 5, "ada", false).await;
    robot(&mut tx, 1, HOME, Some("ci"), None).await;
    let mut changed = find_robot_by_id(&mut tx, RobotId::from_i64(1))
        .await
        .unwrap()
        .unwrap();
    changed.label = "other".parse().unwrap();
    changed.ceiling = Ceiling::parse(Some("pull ada/*\npush ada/web push:v*")).unwrap();
    changed.networks = AllowedNetworks::default();
    changed.suspended_at = Some(NOW + 1);
    assert!(change_robot(&mut tx, &changed).await.unwrap());
    let found = find_robot_by_id(&mut tx, changed.robot_id).await.unwrap();
    assert_eq!(found, Some(changed.clone()));
    let name: RobotName = "ci".parse().unwrap();
    let new = NewRobot {
        robot_id: RobotId::from_i64(2),
        namespace_id: changed.namespace_id,
        name: Some(&name),
        parent_id: None,
        label: &changed.label,
        ceiling: &changed.ceiling,
        networks: &changed.networks,
        created_by: None,
        expires_at: None,
    };
    let taken = create_robot(&mut tx, &new, NOW).await;
    assert!(matches!(taken, Err(StoreError::Conflict("robot"))), "{taken:?}");
    assert!(delete_robot(&mut tx, changed.robot_id, NOW + 2).await.unwrap());
    assert!(!delete_robot(&mut tx, changed.robot_id, NOW + 3).await.unwrap());
    assert!(!change_robot(&mut tx, &changed).await.unwrap());
    create_robot(&mut tx, &new, NOW).await.unwrap();
    let by_name = find_robot_by_name(&mut tx, &"ada".parse().unwrap(), &name)
        .await
        .unwrap();
    assert_eq!(by_name.unwrap().robot_id, new.robot_id);
    let gone = find_robot_by_id(&mut tx, changed.robot_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(gone.deleted_at, Some(NOW + 2));
}

async fn uses_of_a_robot_are_written_down_as_those_of_an_access_token(store: &Store) {
    let mut tx = store.write().await.unwrap();
    super::account(&mut tx, 5, "ada", false).await;
    robot(&mut tx, 1, HOME, Some("ci"), None).await;
    let id = RobotId::from_i64(1);
    let used = |at| LastUse {
        at,
        address: Some("192.0.2.1".into()),
        client: "kubelet".into(),
    };
    for (at, written) in [(NOW, true), (NOW + 59_999, false), (NOW + 60_000, true)] {
        assert_eq!(
            touch_robot(&mut tx, id, &used(at)).await.unwrap(),
            written,
            "{at}"
        );
    }
    let refused = RefusedUses {
        count: 2,
        last_at: NOW,
        network: Some("192.0.2.0/24".into()),
    };
    note_refused_robot(&mut tx, id, &refused).await.unwrap();
    let found = find_robot_by_id(&mut tx, id).await.unwrap().unwrap();
    assert_eq!(
        (found.last_use, found.refused),
        (Some(used(NOW + 60_000)), Some(refused))
    );
}
