use shared::secret::Secret;

use super::*;
use crate::app::fixture::{Fixture, NOW_MS};
use crate::domain::{Account, Ceiling, Right, Rights};
use crate::store::access::find_known;
use crate::store::postgres_server;

/// Two accounts, `ada` and `eve`, over each database that the machine has.
async fn worlds() -> Vec<(Fixture, Account, Account)> {
    let mut fixtures = vec![Fixture::new().await];
    fixtures.extend(postgres_server::new_store().await.map(Fixture::over));
    let mut worlds = Vec::new();
    for fixture in fixtures {
        let password = || Secret::new("correct horse battery".to_owned());
        let ada = fixture.app.create_account("ada", password()).await.unwrap();
        let eve = fixture.app.create_account("eve", password()).await.unwrap();
        worlds.push((fixture, ada, eve));
    }
    worlds
}

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

/// What of a pull the principal is granted, from rows as the token endpoint reads them.
async fn may_pull(fixture: &Fixture, principal: &Principal, name: &RepositoryName) -> bool {
    let mut tx = fixture.store.read().await.unwrap();
    let known = find_known(&mut tx, principal, name).await.unwrap();
    let (decision, _) = fixture.app.judge(principal, &known, name, Rights::READ);
    decision.granted.contains(Right::Pull)
}

async fn reserve(fixture: &Fixture, account: &Account, name: &RepositoryName) -> bool {
    is_held(
        &fixture
            .app
            .reserve(&account.principal(Ceiling::Full), name)
            .await
            .unwrap(),
    )
}

fn is_held(reservation: &Reservation) -> bool {
    matches!(reservation, Reservation::Held(_))
}

async fn find(fixture: &Fixture, name: &RepositoryName) -> Option<RepositoryFacts> {
    let mut tx = fixture.store.read().await.unwrap();
    repository::find_repository(&mut tx, name).await.unwrap()
}

#[tokio::test]
async fn a_reserved_name_is_confirmed_by_its_first_manifest_and_then_made_public() {
    for (fixture, ada, _) in worlds().await {
        let (app, web) = (&fixture.app, name("ada/web"));
        assert!(reserve(&fixture, &ada, &web).await);
        let expires_at = NOW_MS + PENDING_LIFE_MS;
        assert_eq!(
            find(&fixture, &web).await.unwrap().state,
            RepositoryState::Pending { expires_at }
        );
        assert!(
            app.list_visible(&ada.principal(Ceiling::Full), "", 9)
                .await
                .unwrap()
                .is_empty()
        );

        assert!(app.confirm_pushed(&web).await.unwrap());
        assert!(
            !app.confirm_pushed(&web).await.unwrap(),
            "nothing is left to confirm"
        );
        assert!(!may_pull(&fixture, &Principal::Anonymous, &web).await);
        app.set_visibility(&web, Visibility::Public).await.unwrap();
        assert!(may_pull(&fixture, &Principal::Anonymous, &web).await);
        assert_eq!(
            app.list_visible(&Principal::Anonymous, "", 9).await.unwrap()[0].name,
            web
        );
        app.set_visibility(&web, Visibility::Private).await.unwrap();
        assert!(!may_pull(&fixture, &Principal::Anonymous, &web).await);
        assert!(
            app.list_visible(&Principal::Anonymous, "", 9)
                .await
                .unwrap()
                .is_empty()
        );
        fixture.app.close().await;
    }
}

#[tokio::test]
async fn what_was_never_pushed_cannot_be_made_public() {
    for (fixture, ada, _) in worlds().await {
        let reserved = name("ada/reserved");
        assert!(reserve(&fixture, &ada, &reserved).await);
        for name in [reserved, name("ada/unknown"), name("ghost/web")] {
            let refused = fixture
                .app
                .set_visibility(&name, Visibility::Public)
                .await
                .unwrap_err();
            assert!(matches!(refused, AppError::NotFound(_)), "{refused:?}");
            assert!(
                refused.to_string().contains("push an image to it first"),
                "{refused}"
            );
        }
        fixture.app.close().await;
    }
}

#[tokio::test]
async fn an_account_holds_fifty_reserved_names_at_most_also_when_it_asks_for_many_at_once() {
    for (fixture, ada, eve) in worlds().await {
        let asks: Vec<_> = (0..60)
            .map(|i| {
                let (app, who) = (std::sync::Arc::clone(&fixture.app), ada.principal(Ceiling::Full));
                tokio::spawn(async move {
                    loop {
                        match app.reserve(&who, &name(&format!("ada/r{i}"))).await {
                            // Sixty wait for one row; on a busy machine some wait too long and are told to try again.
                            Err(AppError::Unavailable(_)) => tokio::task::yield_now().await,
                            answered => break answered.unwrap(),
                        }
                    }
                })
            })
            .collect();
        let mut held = 0;
        for ask in asks {
            held += i64::from(is_held(&ask.await.unwrap()));
        }
        assert_eq!(held, MAX_PENDING);
        // A name that is held already stays so, another account has its own fifty, and an ended reservation frees a place.
        let mut reserved = fixture.app.list_pending(None, 100).await.unwrap();
        assert_eq!(reserved.len(), 50);
        let known = reserved.remove(0).name;
        assert!(reserve(&fixture, &ada, &known).await);
        assert!(reserve(&fixture, &eve, &name("eve/web")).await);
        let more = name("ada/more");
        assert!(!reserve(&fixture, &ada, &more).await);
        assert!(find(&fixture, &more).await.is_none());
        fixture.clock.set(NOW_MS + PENDING_LIFE_MS);
        assert!(reserve(&fixture, &ada, &more).await);
        fixture.app.close().await;
    }
}

#[tokio::test]
async fn a_reservation_ends_after_a_day_unless_pushes_go_on() {
    for (fixture, ada, _) in worlds().await {
        let (app, web, idle) = (&fixture.app, name("ada/web"), name("ada/idle"));
        assert!(reserve(&fixture, &ada, &web).await);
        assert!(reserve(&fixture, &ada, &idle).await);
        assert!(!app.is_renewal_due(&find(&fixture, &web).await.unwrap()));
        fixture.clock.set(NOW_MS + PENDING_LIFE_MS - 1);
        assert!(app.is_renewal_due(&find(&fixture, &web).await.unwrap()));
        assert!(reserve(&fixture, &ada, &web).await);
        assert_eq!(app.expire_pending().await.unwrap(), 0);
        fixture.clock.set(NOW_MS + PENDING_LIFE_MS);
        assert_eq!(app.expire_pending().await.unwrap(), 1);
        assert!(find(&fixture, &idle).await.is_none());
        assert!(find(&fixture, &web).await.is_some());
        fixture.app.close().await;
    }
}

#[tokio::test]
async fn a_manifest_of_an_unknown_repository_takes_it_in_as_private() {
    for (fixture, ada, _) in worlds().await {
        let web = name("ada/web");
        assert!(fixture.app.confirm_pushed(&web).await.unwrap());
        let facts = find(&fixture, &web).await.unwrap();
        assert_eq!(
            (facts.visibility, facts.state),
            (Visibility::Private, RepositoryState::Active)
        );
        assert!(may_pull(&fixture, &ada.principal(Ceiling::Full), &web).await);
        assert!(!may_pull(&fixture, &Principal::Anonymous, &web).await);
        let ghost = name("ghost/web");
        assert!(
            !fixture.app.confirm_pushed(&ghost).await.unwrap(),
            "nobody owns it"
        );
        assert!(find(&fixture, &ghost).await.is_none());
        assert!(
            fixture.app.confirm_pushed(&name("centos")).await.unwrap(),
            "it is in library"
        );
        fixture.app.close().await;
    }
}

#[tokio::test]
async fn a_name_without_a_namespace_cannot_be_reserved() {
    for (fixture, ada, _) in worlds().await {
        let refused = fixture
            .app
            .reserve(&ada.principal(Ceiling::Full), &name("ghost/web"))
            .await
            .unwrap_err();
        assert!(matches!(refused, AppError::NotFound(_)), "{refused:?}");
        fixture.app.close().await;
    }
}

#[tokio::test]
async fn the_push_that_makes_a_repository_is_in_the_audit_log_with_whoever_pushed() {
    use crate::domain::{ActorKind, AuditAction, AuditFilter};

    let fixture = Fixture::new().await;
    let password = Secret::new("correct horse battery".to_owned());
    let ada = fixture.app.create_account("ada", password).await.unwrap();
    let principal = ada.principal(Ceiling::Full);
    for (at, pusher) in [("ada/a", Some("ada")), ("ada/b", None), ("ada/c", Some("ada+ci"))] {
        let name: RepositoryName = at.parse().unwrap();
        fixture.app.reserve(&principal, &name).await.unwrap();
        // The second push makes nothing.
        for made in [true, false] {
            let confirmed = fixture.app.confirm_stored(&name, &name, pusher).await.unwrap();
            assert_eq!(confirmed, made, "{at}");
        }
    }
    fixture
        .app
        .confirm_pushed(&"ada/found".parse().unwrap())
        .await
        .unwrap();
    let filter = AuditFilter {
        action: Some(AuditAction::RepositoryPush),
        ..AuditFilter::default()
    };
    let mut tx = fixture.store.read().await.unwrap();
    let events = crate::store::audit::list_events(&mut tx, &filter, None, 10)
        .await
        .unwrap();
    let mut lines: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event.target.name.as_str(),
                event.actor.kind,
                event.actor.name.as_str(),
            )
        })
        .collect();
    lines.sort_by_key(|line| line.0);
    assert_eq!(
        lines,
        [
            ("ada/a", ActorKind::Account, "ada"),
            ("ada/b", ActorKind::Account, "ada"),
            ("ada/c", ActorKind::Robot, "ada+ci"),
            ("ada/found", ActorKind::Service, ""),
        ]
    );
}
