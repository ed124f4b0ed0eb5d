use shared::secret::Secret;
use shared::token::Actions;

use super::*;
use crate::app::fixture::{Fixture, NOW_MS};
use crate::domain::{Account, Ceiling, decide};
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
    let namespace = namespace::find_namespace(&mut tx, &NamespaceName::from(name))
        .await
        .unwrap();
    let repository = repository::find_repository(&mut tx, name).await.unwrap();
    let decision = decide(
        principal,
        namespace.as_ref(),
        repository.as_ref(),
        name,
        Actions::PULL,
    );
    !decision.granted.is_empty()
}

async fn find(fixture: &Fixture, name: &RepositoryName) -> Option<RepositoryFacts> {
    let mut tx = fixture.store.read().await.unwrap();
    repository::find_repository(&mut tx, name).await.unwrap()
}

#[tokio::test]
async fn a_reserved_name_is_confirmed_by_its_first_manifest_and_then_made_public() {
    for (fixture, ada, _) in worlds().await {
        let (app, web) = (&fixture.app, name("ada/web"));
        assert_eq!(
            app.reserve(ada.account_id, &web).await.unwrap(),
            Reservation::Held
        );
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
        fixture.app.reserve(ada.account_id, &reserved).await.unwrap();
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
                let (app, id) = (std::sync::Arc::clone(&fixture.app), ada.account_id);
                tokio::spawn(async move {
                    loop {
                        match app.reserve(id, &name(&format!("ada/r{i}"))).await {
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
            held += i64::from(ask.await.unwrap() == Reservation::Held);
        }
        assert_eq!(held, MAX_PENDING);
        // A name that is held already stays so, another account has its own fifty, and an ended reservation frees a place.
        let mut reserved = fixture.app.list_pending(None, 100).await.unwrap();
        assert_eq!(reserved.len(), 50);
        let known = reserved.remove(0).name;
        assert_eq!(
            fixture.app.reserve(ada.account_id, &known).await.unwrap(),
            Reservation::Held
        );
        assert_eq!(
            fixture
                .app
                .reserve(eve.account_id, &name("eve/web"))
                .await
                .unwrap(),
            Reservation::Held
        );
        let more = name("ada/more");
        assert_eq!(
            fixture.app.reserve(ada.account_id, &more).await.unwrap(),
            Reservation::TooMany
        );
        assert!(find(&fixture, &more).await.is_none());
        fixture.clock.set(NOW_MS + PENDING_LIFE_MS);
        assert_eq!(
            fixture.app.reserve(ada.account_id, &more).await.unwrap(),
            Reservation::Held
        );
        fixture.app.close().await;
    }
}

#[tokio::test]
async fn a_reservation_ends_after_a_day_unless_pushes_go_on() {
    for (fixture, ada, _) in worlds().await {
        let (app, web, idle) = (&fixture.app, name("ada/web"), name("ada/idle"));
        app.reserve(ada.account_id, &web).await.unwrap();
        app.reserve(ada.account_id, &idle).await.unwrap();
        assert!(!app.is_renewal_due(&find(&fixture, &web).await.unwrap()));
        fixture.clock.set(NOW_MS + PENDING_LIFE_MS - 1);
        assert!(app.is_renewal_due(&find(&fixture, &web).await.unwrap()));
        app.reserve(ada.account_id, &web).await.unwrap();
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
            .reserve(ada.account_id, &name("ghost/web"))
            .await
            .unwrap_err();
        assert!(matches!(refused, AppError::NotFound(_)), "{refused:?}");
        fixture.app.close().await;
    }
}
