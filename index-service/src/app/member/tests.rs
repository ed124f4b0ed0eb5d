//! What must hold whoever is faster, on both databases.

use std::sync::Arc;

use shared::secret::Secret;

use super::*;
use crate::app::caller::Client;
use crate::app::fixture::Fixture;
use crate::app::invitation::InvitationWish;
use crate::app::organisation::NewOrganisation;
use crate::app::profile::ProfileChange;
use crate::app::token::Credential;
use crate::store::{Store, postgres_server};

const PASSWORD: &str = "correct horse battery";
const ROUNDS: usize = 6;

/// `acme`, owned by ada, on each database; and eve, bob.
async fn worlds() -> Vec<(Fixture, Option<tempfile::TempDir>)> {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite://{}/index.db", folder.path().display());
    let mut worlds = vec![(Fixture::over(Store::open(&address).await.unwrap()), Some(folder))];
    if let Some(store) = postgres_server::new_store().await {
        worlds.push((Fixture::over(store), None));
    }
    for (fixture, _) in &worlds {
        for name in ["ada", "eve", "bob"] {
            let password = Secret::new(PASSWORD.to_owned());
            fixture.app.create_account(name, password).await.unwrap();
        }
        let new = NewOrganisation {
            name: "acme".into(),
            display_name: None,
            description: String::new(),
        };
        let ada = caller(fixture, "ada").await;
        fixture.app.create_organisation(&ada, &new).await.unwrap();
    }
    worlds
}

async fn caller(fixture: &Fixture, name: &str) -> Caller {
    let credential = Credential::Password {
        username: name.to_owned(),
        password: Secret::new(PASSWORD.to_owned()),
    };
    fixture
        .app
        .recognise(&credential, Client::default())
        .await
        .unwrap()
}

/// Waits for both; neither may end in a fault of ours.
async fn both<T: std::fmt::Debug>(
    one: tokio::task::JoinHandle<Result<T, AppError>>,
    other: tokio::task::JoinHandle<Result<T, AppError>>,
) -> usize {
    let mut done = 0;
    for result in [one.await.unwrap(), other.await.unwrap()] {
        match result {
            Ok(_) => done += 1,
            Err(AppError::Internal(error)) => panic!("{error}"),
            Err(_) => {}
        }
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_owners_who_leave_at_once_one_stays() {
    for (fixture, _folder) in worlds().await {
        let mut stays = "ada";
        for _ in 0..ROUNDS {
            let comes = if stays == "ada" { "eve" } else { "ada" };
            let owner = caller(&fixture, stays).await;
            fixture
                .app
                .put_member(&owner, "acme", comes, OrganisationRole::Owner, None)
                .await
                .unwrap();
            let leave = |name: &'static str, caller: Caller| {
                let app = Arc::clone(&fixture.app);
                tokio::spawn(async move { app.remove_member(&caller, "acme", name).await })
            };
            let one = leave("ada", caller(&fixture, "ada").await);
            let other = leave("eve", caller(&fixture, "eve").await);
            assert_eq!(both(one, other).await, 1);
            let ada = caller(&fixture, "ada").await;
            stays = match fixture.app.member(&ada, "acme", "ada").await {
                Ok(_) => "ada",
                Err(_) => "eve",
            };
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_administrators_who_end_each_other_one_stays() {
    for (fixture, _folder) in worlds().await {
        let admin = |is_admin: bool| ProfileChange {
            is_admin: Some(is_admin),
            ..ProfileChange::default()
        };
        let id = caller(&fixture, "ada").await.account().unwrap().account_id;
        let mut tx = fixture.store.write().await.unwrap();
        crate::store::profile::set_admin(&mut tx, id, true, 1)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let mut stays = "ada";
        for _ in 0..ROUNDS {
            let comes = if stays == "ada" { "eve" } else { "ada" };
            let owner = caller(&fixture, stays).await;
            fixture
                .app
                .change_profile(&owner, comes, &admin(true))
                .await
                .unwrap();
            let end = |name: &'static str, caller: Caller| {
                let app = Arc::clone(&fixture.app);
                let change = admin(false);
                tokio::spawn(async move { app.change_profile(&caller, name, &change).await })
            };
            let one = end("eve", caller(&fixture, "ada").await);
            let other = end("ada", caller(&fixture, "eve").await);
            assert_eq!(both(one, other).await, 1);
            stays = if caller(&fixture, "ada").await.is_admin() {
                "ada"
            } else {
                "eve"
            };
            assert!(caller(&fixture, stays).await.is_admin());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_for_one_lets_one_in() {
    for (fixture, _folder) in worlds().await {
        let ada = caller(&fixture, "ada").await;
        let wish = InvitationWish {
            role: Some(OrganisationRole::Member),
            team: None,
            guest_until: None,
            life_days: 1,
            uses: 1,
        };
        for _ in 0..ROUNDS {
            let (_, secret) = fixture
                .app
                .create_invitation(&ada, Some("acme"), &wish)
                .await
                .unwrap();
            let accept = |caller: Caller| {
                let (app, link) = (Arc::clone(&fixture.app), secret.expose().clone());
                tokio::spawn(async move { app.accept_invitation(&caller, &link).await })
            };
            let one = accept(caller(&fixture, "eve").await);
            let other = accept(caller(&fixture, "bob").await);
            assert_eq!(both(one, other).await, 1);
            let mut members = 0;
            for name in ["eve", "bob"] {
                members += usize::from(fixture.app.remove_member(&ada, "acme", name).await.is_ok());
            }
            assert_eq!(members, 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_made_a_member_who_is_gone() {
    for (fixture, _folder) in worlds().await {
        for round in 0..ROUNDS {
            let name = format!("guest-{round}");
            let password = Secret::new(PASSWORD.to_owned());
            let id = fixture
                .app
                .create_account(&name, password)
                .await
                .unwrap()
                .account_id;
            let (own, ada) = (caller(&fixture, &name).await, caller(&fixture, "ada").await);
            let delete = {
                let (app, name) = (Arc::clone(&fixture.app), name.clone());
                tokio::spawn(async move { app.delete_account(&own, &name).await })
            };
            let put = {
                let (app, name) = (Arc::clone(&fixture.app), name.clone());
                tokio::spawn(async move {
                    app.put_member(&ada, "acme", &name, OrganisationRole::Member, None)
                        .await
                        .map(drop)
                })
            };
            assert!(both(delete, put).await >= 1);
            let mut tx = fixture.store.read().await.unwrap();
            let account = account::find_account_by_id(&mut tx, id).await.unwrap();
            let acme = organisation::find_organisation(&mut tx, &"acme".parse().unwrap())
                .await
                .unwrap()
                .unwrap();
            let membership = organisation::find_membership(&mut tx, acme.organisation_id, id)
                .await
                .unwrap();
            assert!(
                account.is_some() || membership.is_none(),
                "a member without an account"
            );
        }
    }
}
