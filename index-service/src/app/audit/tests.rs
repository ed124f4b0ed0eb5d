use shared::secret::Secret;

use super::*;
use crate::app::fixture::{Fixture, NOW_MS};
use crate::app::token::Credential;
use crate::domain::Visibility;

const PASSWORD: &str = "correct horse battery";

async fn caller(fixture: &Fixture, name: &str, password: &str) -> Caller {
    let credential = Credential::Password {
        username: name.to_owned(),
        password: Secret::new(password.to_owned()),
    };
    let client = Client {
        address: Some([192, 0, 2, 7].into()),
        program: "curl".to_owned(),
        request_id: Some("r-1".to_owned()),
    };
    fixture.app.recognise(&credential, client).await.unwrap()
}

async fn administrator(fixture: &Fixture) -> Caller {
    let password = fixture.app.ensure_admin().await.unwrap().unwrap();
    caller(fixture, "admin", password.expose()).await
}

async fn actions(fixture: &Fixture, reader: &Caller, filter: &AuditFilter) -> Vec<String> {
    let events = fixture
        .app
        .list_audit(reader, None, filter, None, 100)
        .await
        .unwrap();
    events
        .iter()
        .map(|event| format!("{} {}", event.action, event.target.name))
        .collect()
}

#[tokio::test]
async fn what_changes_permission_is_written_down_with_the_change() {
    let fixture = Fixture::new().await;
    let admin = administrator(&fixture).await;
    let app = &fixture.app;
    app.create_account("ada", Secret::new(PASSWORD.to_owned()))
        .await
        .unwrap();
    let name = "ada/app".parse().unwrap();
    app.confirm_pushed(&name).await.unwrap();
    app.set_visibility(&name, Visibility::Public).await.unwrap();
    app.reset_password("ada", Secret::new("another good one".to_owned()))
        .await
        .unwrap();
    let all = AuditFilter::default();
    let seen: Vec<_> = actions(&fixture, &admin, &all)
        .await
        .into_iter()
        .filter(|text| !text.starts_with("sign_in"))
        .collect();
    let mut expected = vec![
        "account.create ada",
        "account.create admin",
        "password.reset ada",
        "repository.push ada/app",
        "repository.visibility ada/app",
    ];
    // Within one millisecond their order is that of chance.
    let mut sorted = seen.clone();
    sorted.sort();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    let events = app
        .list_audit(
            &admin,
            None,
            &AuditFilter {
                target: Some("ada/app".to_owned()),
                action: Some(AuditAction::RepositoryVisibility),
                ..AuditFilter::default()
            },
            None,
            10,
        )
        .await
        .unwrap();
    let [event] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(event.before.as_deref(), Some(r#"{"visibility":"private"}"#));
    assert_eq!(event.after.as_deref(), Some(r#"{"visibility":"public"}"#));
    assert_eq!((event.created_at, event.actor.kind), (NOW_MS, ActorKind::Machine));
}

#[tokio::test]
async fn what_is_not_done_is_not_written_down() {
    let fixture = Fixture::new().await;
    let admin = administrator(&fixture).await;
    let before = actions(&fixture, &admin, &AuditFilter::default()).await;
    let mut tx = fixture.store.write().await.unwrap();
    let change = Change::new(AuditAction::AccountCreate, TargetKind::Account, "nobody");
    fixture
        .app
        .audit(&mut tx, By::Caller(&admin), change)
        .await
        .unwrap();
    drop(tx);
    let after = actions(&fixture, &admin, &AuditFilter::default()).await;
    assert_eq!(before.len(), after.len());
}

#[tokio::test]
async fn a_caller_is_written_down_with_credential_address_and_request() {
    let fixture = Fixture::new().await;
    let admin = administrator(&fixture).await;
    let mut tx = fixture.store.write().await.unwrap();
    let change =
        Change::new(AuditAction::RuleCreate, TargetKind::Rule, "ada/*").after(Value::from("x".repeat(9000)));
    fixture
        .app
        .audit(&mut tx, By::Caller(&admin), change)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let filter = AuditFilter {
        action: Some(AuditAction::RuleCreate),
        ..AuditFilter::default()
    };
    let events = fixture
        .app
        .list_audit(&admin, None, &filter, None, 10)
        .await
        .unwrap();
    let actor = &events[0].actor;
    assert_eq!((actor.kind, actor.name.as_str()), (ActorKind::Account, "admin"));
    assert!(actor.credential.as_deref().unwrap().starts_with("password:"));
    assert_eq!(
        (
            actor.address.as_deref(),
            actor.client.as_str(),
            actor.request_id.as_deref()
        ),
        (Some("192.0.2.7"), "curl", Some("r-1"))
    );
    assert_eq!(events[0].after.as_deref(), Some(r#"{"too_long":9002}"#));
}

#[tokio::test]
async fn the_whole_log_is_for_administrators_and_an_organisations_for_its_owners() {
    use crate::domain::{AccountId, OrganisationRole};
    use crate::store::organisation::{create_organisation, put_member};

    let fixture = Fixture::new().await;
    let admin = administrator(&fixture).await;
    for name in ["ada", "eve", "bob"] {
        let password = Secret::new(PASSWORD.to_owned());
        fixture.app.create_account(name, password).await.unwrap();
    }
    let (ada, eve, bob) = (
        caller(&fixture, "ada", PASSWORD).await,
        caller(&fixture, "eve", PASSWORD).await,
        caller(&fixture, "bob", PASSWORD).await,
    );
    let id = |caller: &Caller| -> AccountId { caller.account().unwrap().account_id };
    let team = "team".parse().unwrap();
    let organisation_id = OrganisationId::from_i64(77);
    let mut tx = fixture.store.write().await.unwrap();
    create_organisation(&mut tx, organisation_id, &team, "Team", None, NOW_MS)
        .await
        .unwrap();
    for (who, role) in [(&ada, OrganisationRole::Owner), (&bob, OrganisationRole::Manager)] {
        put_member(&mut tx, organisation_id, id(who), role, None, NOW_MS)
            .await
            .unwrap();
    }
    let change =
        Change::new(AuditAction::OrganisationCreate, TargetKind::Organisation, &team).of(organisation_id);
    fixture
        .app
        .audit(&mut tx, By::Caller(&ada), change)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let all = AuditFilter::default();
    for reader in [&ada, &admin] {
        let events = fixture
            .app
            .list_audit(reader, Some(&team), &all, None, 10)
            .await
            .unwrap();
        assert_eq!(events.len(), 1, "{}", reader.name());
    }
    for (reader, organisation) in [(&bob, Some(&team)), (&ada, None), (&eve, None)] {
        let refused = fixture.app.list_audit(reader, organisation, &all, None, 10).await;
        assert!(
            matches!(refused, Err(AppError::Forbidden(_))),
            "{}",
            reader.name()
        );
    }
    let hidden = fixture.app.list_audit(&eve, Some(&team), &all, None, 10).await;
    assert!(matches!(hidden, Err(AppError::NotFound(_))), "{hidden:?}");
}

#[tokio::test]
async fn sign_ins_and_refusals_are_written_down_together_and_no_name_that_nobody_has() {
    let fixture = Fixture::new().await;
    let admin = administrator(&fixture).await;
    let attempt = async |name: &str, password: &str| {
        let credential = Credential::Password {
            username: name.to_owned(),
            password: Secret::new(password.to_owned()),
        };
        fixture
            .app
            .recognise(&credential, Client::default())
            .await
            .is_ok()
    };
    for _ in 0..3 {
        assert!(!attempt("admin", "wrong").await);
    }
    assert!(!attempt("my-password-by-mistake", "x").await);
    fixture.app.flush_sign_ins().await;
    let of = async |action| {
        let filter = AuditFilter {
            action: Some(action),
            ..AuditFilter::default()
        };
        fixture
            .app
            .list_audit(&admin, None, &filter, None, 10)
            .await
            .unwrap()
    };
    let [accepted] = of(AuditAction::SignIn).await.try_into().unwrap();
    assert_eq!(
        (accepted.actor.name.as_str(), accepted.target.name.as_str()),
        ("admin", "admin")
    );
    assert_eq!(accepted.actor.address.as_deref(), Some("192.0.2.7"));
    let mut refused: Vec<_> = of(AuditAction::SignInRefused)
        .await
        .into_iter()
        .map(|event| (event.target.name, event.after.unwrap(), event.actor.kind))
        .collect();
    refused.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        refused,
        [
            (String::new(), r#"{"times":1}"#.to_owned(), ActorKind::Anonymous),
            (
                "admin".to_owned(),
                r#"{"times":3}"#.to_owned(),
                ActorKind::Anonymous
            ),
        ]
    );
    fixture.app.flush_sign_ins().await;
    assert_eq!(
        of(AuditAction::SignIn).await.len(),
        1,
        "what was written is not written again"
    );
}

/// How often each name was refused, event by event.
async fn refusals(fixture: &Fixture, admin: &Caller) -> Vec<String> {
    let filter = AuditFilter {
        action: Some(AuditAction::SignInRefused),
        ..AuditFilter::default()
    };
    let events = fixture
        .app
        .list_audit(admin, None, &filter, None, 50)
        .await
        .unwrap();
    let mut lines: Vec<_> = events
        .iter()
        .map(|event| {
            format!(
                "{} {}",
                event.target.name,
                event.after.as_deref().unwrap_or_default()
            )
        })
        .collect();
    lines.sort();
    lines
}

async fn refused(fixture: &Fixture, name: &str) {
    let credential = Credential::Password {
        username: name.to_owned(),
        password: Secret::new("wrong".to_owned()),
    };
    let refused = fixture.app.recognise(&credential, Client::default()).await;
    assert!(refused.is_err(), "{name}");
}

#[tokio::test]
async fn the_first_of_its_kind_is_written_at_once_and_its_repetitions_when_the_round_ends() {
    let fixture = Fixture::new().await;
    let admin = administrator(&fixture).await;
    let (goes_on, ended) = tokio::sync::watch::channel(());
    let app = fixture.app.clone();
    let follows = tokio::spawn(async move { app.follow_sign_ins(ended).await });
    refused(&fixture, "admin").await;
    let told = async {
        while refusals(&fixture, &admin).await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let patience = std::time::Duration::from_mins(1);
    tokio::time::timeout(patience, told)
        .await
        .expect("the refusal is written down");
    for _ in 0..3 {
        refused(&fixture, "admin").await;
    }
    drop(goes_on);
    follows.await.unwrap();
    let first = r#"admin {"times":1}"#;
    assert_eq!(refusals(&fixture, &admin).await, [first]);
    fixture.app.flush_sign_ins().await;
    let both = [first.to_owned(), r#"admin {"times":3}"#.to_owned()];
    assert_eq!(refusals(&fixture, &admin).await, both);
    // A round without it, and it is the first again.
    fixture.app.flush_sign_ins().await;
    assert_eq!(refusals(&fixture, &admin).await, both);
    assert!(fixture.app.sign_ins.is_forgotten());
}
