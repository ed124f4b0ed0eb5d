use super::super::access_token::{NewAccessToken, create_access_token, revoke_access_token};
use super::super::departure::end_account;
use super::super::notice::*;
use super::super::profile::scrub_account;
use super::*;

contracts!(
    notices_are_listed_newest_first_and_are_ones_own,
    who_did_it_is_named_as_long_as_the_account_is_there,
    the_oldest_notices_go_first,
    kinds_are_switched_off_and_on,
    owners_and_managers_look_after_an_organisation,
    access_tokens_that_end_are_told_once,
    notices_end_with_their_account,
);

fn notice(id: i64, account_id: AccountId, actor: Option<AccountId>) -> NewNotice<'static> {
    NewNotice {
        notice_id: NoticeId::from_i64(id),
        account_id,
        kind: NoticeKind::Comment,
        subject: "ada/web",
        subject_id: Some(70),
        actor,
        detail: "一",
    }
}

async fn ids(tx: &mut Tx, account_id: AccountId, before: i64, limit: u32) -> Vec<i64> {
    let found = list_notices(tx, account_id, before, limit).await.unwrap();
    found.iter().map(|notice| notice.notice_id.as_i64()).collect()
}

async fn notices_are_listed_newest_first_and_are_ones_own(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await.account_id;
    let eve = account(&mut tx, 2, "eve", false).await.account_id;
    for id in 1..=4 {
        add_notice(&mut tx, &notice(id, ada, None), NOW).await.unwrap();
    }
    add_notice(&mut tx, &notice(5, eve, None), NOW).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(ids(&mut tx, ada, i64::MAX, 3).await, [4, 3, 2]);
    assert_eq!(ids(&mut tx, ada, 2, 3).await, [1]);
    let expected = Notice {
        notice_id: NoticeId::from_i64(1),
        kind: NoticeKind::Comment,
        subject: "ada/web".into(),
        subject_id: Some(70),
        actor: None,
        detail: "一".into(),
        created_at: NOW,
        read_at: None,
    };
    let first = NoticeId::from_i64(1);
    assert_eq!(find_notice(&mut tx, ada, first).await.unwrap(), Some(expected));
    assert_eq!(find_notice(&mut tx, eve, first).await.unwrap(), None);
    drop(tx);
    let mut tx = store.write().await.unwrap();
    // Nobody reads or removes what is another's.
    read_notice(&mut tx, eve, first, NOW + 1).await.unwrap();
    assert!(!remove_notice(&mut tx, eve, first).await.unwrap());
    let found = find_notice(&mut tx, ada, first).await.unwrap().unwrap();
    assert_eq!(found.read_at, None);
    for at in [NOW + 1, NOW + 2] {
        read_notice(&mut tx, ada, first, at).await.unwrap();
    }
    read_notices(&mut tx, ada, 3, NOW + 3).await.unwrap();
    let read: Vec<Option<i64>> = list_notices(&mut tx, ada, i64::MAX, 9)
        .await
        .unwrap()
        .iter()
        .map(|notice| notice.read_at)
        .collect();
    assert_eq!(read, [None, Some(NOW + 3), Some(NOW + 3), Some(NOW + 1)]);
    assert!(remove_notice(&mut tx, ada, first).await.unwrap());
    remove_notices(&mut tx, ada, 3).await.unwrap();
    assert_eq!(ids(&mut tx, ada, i64::MAX, 9).await, [4]);
    assert_eq!(ids(&mut tx, eve, i64::MAX, 9).await, [5]);
}

async fn who_did_it_is_named_as_long_as_the_account_is_there(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await.account_id;
    let eve = account(&mut tx, 2, "Eve", false).await.account_id;
    add_notice(&mut tx, &notice(1, ada, Some(eve)), NOW)
        .await
        .unwrap();
    let id = NoticeId::from_i64(1);
    let found = find_notice(&mut tx, ada, id).await.unwrap().unwrap();
    assert_eq!(found.actor.as_deref(), Some("Eve"));
    let nobodys = "$argon2id$nobody".parse().unwrap();
    scrub_account(&mut tx, eve, &nobodys, NOW).await.unwrap();
    let found = find_notice(&mut tx, ada, id).await.unwrap().unwrap();
    assert_eq!(found.actor, None);
}

async fn the_oldest_notices_go_first(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await.account_id;
    let eve = account(&mut tx, 2, "eve", false).await.account_id;
    for id in 1..=6 {
        add_notice(&mut tx, &notice(id, ada, None), NOW).await.unwrap();
    }
    add_notice(&mut tx, &notice(7, eve, None), NOW).await.unwrap();
    let recent = async |tx: &mut Tx, since: i64, kind| {
        let since = NoticeId::from_i64(since);
        count_recent_notices(tx, ada, since, kind).await.unwrap()
    };
    assert_eq!(recent(&mut tx, 5, NoticeKind::Comment).await, 2);
    assert_eq!(recent(&mut tx, 5, NoticeKind::Reply).await, 0);
    drop_notices_beyond(&mut tx, ada, 6).await.unwrap();
    assert_eq!(ids(&mut tx, ada, i64::MAX, 9).await.len(), 6);
    drop_notices_beyond(&mut tx, ada, 4).await.unwrap();
    assert_eq!(ids(&mut tx, ada, i64::MAX, 9).await, [6, 5, 4, 3]);
    let before = NoticeId::from_i64(6);
    assert_eq!(drop_old_notices(&mut tx, before, 2).await.unwrap(), 2);
    assert_eq!(drop_old_notices(&mut tx, before, 2).await.unwrap(), 1);
    assert_eq!(ids(&mut tx, ada, i64::MAX, 9).await, [6]);
    assert_eq!(ids(&mut tx, eve, i64::MAX, 9).await, [7]);
}

async fn kinds_are_switched_off_and_on(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await.account_id;
    let eve = account(&mut tx, 2, "eve", false).await.account_id;
    let (quota, reply) = (NoticeKind::Quota, NoticeKind::Reply);
    put_notices_off(&mut tx, ada, &[reply, quota]).await.unwrap();
    assert_eq!(list_notices_off(&mut tx, ada).await.unwrap(), [quota, reply]);
    assert!(is_notice_off(&mut tx, ada, quota).await.unwrap());
    assert!(!is_notice_off(&mut tx, eve, quota).await.unwrap());
    put_notices_off(&mut tx, ada, &[reply]).await.unwrap();
    assert!(!is_notice_off(&mut tx, ada, quota).await.unwrap());
    put_notices_off(&mut tx, ada, &[]).await.unwrap();
    assert_eq!(list_notices_off(&mut tx, ada).await.unwrap(), []);
}

async fn owners_and_managers_look_after_an_organisation(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    for (id, name, role) in [
        (2, "eve", OrganisationRole::Manager),
        (3, "bob", OrganisationRole::Member),
    ] {
        let one = account(&mut tx, id, name, false).await;
        join(&mut tx, acme, &one, role, None).await;
    }
    let told = |ids: &[i64]| ids.iter().copied().map(AccountId::from_i64).collect::<Vec<_>>();
    assert_eq!(list_caretakers(&mut tx, acme, 9).await.unwrap(), told(&[1, 2]));
    assert_eq!(list_caretakers(&mut tx, acme, 1).await.unwrap(), told(&[1]));
}

async fn access_tokens_that_end_are_told_once(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await.account_id;
    for (id, expires_at) in [
        (1, Some(NOW)),
        (2, Some(NOW + 5)),
        (3, Some(NOW + 1)),
        (4, Some(NOW + 6)),
        (5, None),
        (6, Some(NOW + 2)),
    ] {
        let new = NewAccessToken {
            token_id: TokenId::from_i64(id),
            account_id: ada,
            label: &"laptop".parse().unwrap(),
            networks: &AllowedNetworks::default(),
            ceiling: &Ceiling::Full,
            expires_at,
        };
        create_access_token(&mut tx, &new, NOW - 1).await.unwrap();
    }
    let revoked = TokenId::from_i64(6);
    revoke_access_token(&mut tx, ada, revoked, Ended::Revoked, NOW)
        .await
        .unwrap();
    let ending = async |tx: &mut Tx, limit: u32| {
        let found = list_ending_tokens(tx, NOW, NOW + 5, limit).await.unwrap();
        found
            .iter()
            .map(|token| token.token_id.as_i64())
            .collect::<Vec<_>>()
    };
    assert_eq!(ending(&mut tx, 9).await, [3, 2]);
    assert_eq!(ending(&mut tx, 1).await, [3]);
    let first = list_ending_tokens(&mut tx, NOW, NOW + 5, 1).await.unwrap();
    let expected = EndingToken {
        token_id: TokenId::from_i64(3),
        account_id: ada,
        label: "laptop".into(),
        created_at: NOW - 1,
        expires_at: NOW + 1,
    };
    assert_eq!(first, [expected]);
    let id = TokenId::from_i64(3);
    assert!(tell_ending_token(&mut tx, id, NOW).await.unwrap());
    assert!(!tell_ending_token(&mut tx, id, NOW).await.unwrap());
    assert_eq!(ending(&mut tx, 9).await, [2]);
}

async fn notices_end_with_their_account(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await.account_id;
    let eve = account(&mut tx, 2, "eve", false).await.account_id;
    for (id, told) in [(1, ada), (2, eve)] {
        add_notice(&mut tx, &notice(id, told, None), NOW).await.unwrap();
        put_notices_off(&mut tx, told, &[NoticeKind::Quota])
            .await
            .unwrap();
    }
    end_account(&mut tx, ada, None, NOW).await.unwrap();
    assert_eq!(ids(&mut tx, ada, i64::MAX, 9).await, [0_i64; 0]);
    assert_eq!(list_notices_off(&mut tx, ada).await.unwrap(), []);
    assert_eq!(ids(&mut tx, eve, i64::MAX, 9).await, [2]);
    assert_eq!(list_notices_off(&mut tx, eve).await.unwrap().len(), 1);
}
