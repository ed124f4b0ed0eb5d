use shared::secret::Secret;

use super::*;
use crate::app::fixture::Fixture;
use crate::domain::{Account, Ceiling, Principal, Right, Rights};
use crate::store::access::find_known;
use crate::store::postgres_server;

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

/// An account `ada` over each database that the machine has.
async fn worlds() -> Vec<(Fixture, Account)> {
    let mut fixtures = vec![Fixture::new().await];
    fixtures.extend(postgres_server::new_store().await.map(Fixture::over));
    let mut worlds = Vec::new();
    for fixture in fixtures {
        let password = Secret::new("correct horse battery".to_owned());
        let ada = fixture.app.create_account("ada", password).await.unwrap();
        worlds.push((fixture, ada));
    }
    worlds
}

/// Where the content of a name lies, for whoever may pull it.
async fn pulls_from(fixture: &Fixture, principal: &Principal, asked: &str) -> Option<String> {
    let mut tx = fixture.store.read().await.unwrap();
    let asked = name(asked);
    let known = find_known(&mut tx, principal, &asked).await.unwrap();
    let (decision, facts) = fixture.app.judge(principal, &known, &asked, Rights::READ);
    let facts = facts.filter(|_| decision.granted.contains(Right::Pull));
    facts.map(|facts| facts.stored_as.to_string())
}

#[tokio::test]
async fn what_is_adopted_is_private_and_pulled_by_both_names() {
    for (fixture, ada) in worlds().await {
        let app = &fixture.app;
        let (old, new) = (name("legacy-app"), name("ada/app"));
        assert_eq!(
            app.adopt_repository(&old, &new, true).await.unwrap(),
            Adoption::Adopted
        );
        let owner = ada.principal(Ceiling::Full);
        assert_eq!(
            pulls_from(&fixture, &owner, "ada/app").await,
            None,
            "a rehearsal changes nothing"
        );
        assert_eq!(
            app.adopt_repository(&old, &new, false).await.unwrap(),
            Adoption::Adopted
        );
        for asked in ["ada/app", "legacy-app"] {
            assert_eq!(
                pulls_from(&fixture, &owner, asked).await.as_deref(),
                Some("legacy-app"),
                "{asked}"
            );
            assert_eq!(
                pulls_from(&fixture, &Principal::Anonymous, asked).await,
                None,
                "{asked}"
            );
        }
        assert_eq!(
            app.adopt_repository(&old, &new, false).await.unwrap(),
            Adoption::There
        );
    }
}

#[tokio::test]
async fn content_is_adopted_once_and_no_name_has_two_owners() {
    for (fixture, _) in worlds().await {
        let app = &fixture.app;
        let adopt =
            async |old: &str, new: &str| app.adopt_repository(&name(old), &name(new), false).await.unwrap();
        assert_eq!(adopt("ada/app", "ada/app").await, Adoption::Adopted);
        assert_eq!(adopt("ada/app", "ada/other").await, Adoption::Taken);
        assert_eq!(adopt("old/app", "ada/app").await, Adoption::NameTaken);
        assert_eq!(adopt("old/app", "nobody/app").await, Adoption::NoNamespace);
        assert_eq!(adopt("portolan/17", "ada/stolen").await, Adoption::Reserved);
        let nobody = app
            .owner_of(&NamespaceName::from(&name("nobody/x")))
            .await
            .unwrap();
        assert_eq!(nobody, None);
        let library = app.owner_of(&NamespaceName::from(&name("x"))).await.unwrap();
        assert_eq!(library, Some(NamespaceOwner::Administrators));
    }
}
