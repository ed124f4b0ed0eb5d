use super::super::invitation::*;
use super::*;
use crate::domain::invitation::Offer;

contracts!(
    an_invitation_reads_back_and_is_listed_where_it_belongs,
    an_invitation_is_used_as_often_as_it_says,
    of_two_that_take_the_last_place_one_gets_it,
    a_withdrawn_invitation_stays_withdrawn,
    old_invitations_are_forgotten,
);

async fn invitation(tx: &mut Tx, id: i64, by: &Account, offer: Option<Offer>, uses: i64) -> Invitation {
    let invitation = Invitation {
        invitation_id: InvitationId::from_i64(id),
        last_four: "abcd".into(),
        offer,
        uses_left: uses,
        created_by: by.account_id,
        inviter: by.username.clone(),
        created_at: NOW,
        expires_at: NOW + 100,
        revoked_at: None,
        revoked_because: None,
    };
    let hash = secret(u8::try_from(id).unwrap());
    create_invitation(tx, &invitation, hash).await.unwrap();
    invitation
}

fn offer(organisation_id: OrganisationId) -> Offer {
    Offer {
        organisation_id,
        role: OrganisationRole::Guest,
        team_id: None,
        guest_until: Some(NOW + 500),
    }
}

async fn an_invitation_reads_back_and_is_listed_where_it_belongs(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "Ada", true).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    let one = invitation(&mut tx, 1, &ada, Some(offer(acme)), 1).await;
    let two = invitation(&mut tx, 2, &ada, None, 3).await;
    let three = invitation(&mut tx, 3, &ada, Some(offer(acme)), 1).await;
    assert_eq!(
        find_invitation(&mut tx, secret(1)).await.unwrap().as_ref(),
        Some(&one)
    );
    assert_eq!(
        find_invitation(&mut tx, secret(2)).await.unwrap().as_ref(),
        Some(&two)
    );
    assert_eq!(find_invitation(&mut tx, secret(9)).await.unwrap(), None);
    assert_eq!(count_invitations(&mut tx, acme).await.unwrap(), 2);
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let of_acme = list_invitations(&mut tx, Some(acme), i64::MIN, 1).await.unwrap();
    assert_eq!(of_acme, [one]);
    let of_acme = list_invitations(&mut tx, Some(acme), 1, 9).await.unwrap();
    assert_eq!(of_acme, [three]);
    let of_site = list_invitations(&mut tx, None, i64::MIN, 9).await.unwrap();
    assert_eq!(of_site, [two]);
}

async fn an_invitation_is_used_as_often_as_it_says(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", true).await;
    let one = invitation(&mut tx, 1, &ada, None, 2).await.invitation_id;
    let mut used = Vec::new();
    for now in [NOW + 100, NOW + 99, NOW, NOW] {
        used.push(use_invitation(&mut tx, one, now).await.unwrap());
    }
    assert_eq!(used, [false, true, true, false]);
}

async fn of_two_that_take_the_last_place_one_gets_it(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", true).await;
    let id = invitation(&mut tx, 1, &ada, None, 1).await.invitation_id;
    tx.commit().await.unwrap();
    let takers = (0..4).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut tx = store.write().await.unwrap();
            let used = use_invitation(&mut tx, id, NOW).await.unwrap();
            tokio::task::yield_now().await;
            tx.commit().await.unwrap();
            used
        })
    });
    let mut places = 0;
    for taker in takers.collect::<Vec<_>>() {
        places += i32::from(taker.await.unwrap());
    }
    assert_eq!(places, 1);
}

async fn a_withdrawn_invitation_stays_withdrawn(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", true).await;
    let acme = organisation(&mut tx, 9, "acme", &ada).await;
    let other = organisation(&mut tx, 10, "other", &ada).await;
    let one = invitation(&mut tx, 1, &ada, Some(offer(acme)), 1)
        .await
        .invitation_id;
    let two = invitation(&mut tx, 2, &ada, None, 1).await.invitation_id;
    for (organisation, id, done) in [
        (Some(other), one, false),
        (None, one, false),
        (Some(acme), two, false),
        (Some(acme), one, true),
        (Some(acme), one, false),
        (None, two, true),
        (None, two, false),
    ] {
        let revoked = revoke_invitation(&mut tx, organisation, id, Ended::Leaked, NOW + 1)
            .await
            .unwrap();
        assert_eq!(revoked, done, "{organisation:?} {id}");
    }
    assert!(!use_invitation(&mut tx, one, NOW).await.unwrap());
    let found = find_invitation(&mut tx, secret(1)).await.unwrap().unwrap();
    assert_eq!(
        (found.revoked_at, found.revoked_because),
        (Some(NOW + 1), Some(Ended::Leaked))
    );
}

async fn old_invitations_are_forgotten(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", true).await;
    invitation(&mut tx, 1, &ada, None, 1).await;
    assert_eq!(prune_invitations(&mut tx, NOW + 100).await.unwrap(), 0);
    assert_eq!(prune_invitations(&mut tx, NOW + 101).await.unwrap(), 1);
    assert_eq!(find_invitation(&mut tx, secret(1)).await.unwrap(), None);
}
