use shared::secret::Secret;

use super::*;
use crate::app::fixture::Fixture;
use crate::app::organisation::NewOrganisation;
use crate::app::sign_up::SignUp;
use crate::domain::AuditFilter;
use crate::store::Store;

async fn administrator(fixture: &Fixture) -> Caller {
    fixture.app.ensure_admin().await.unwrap();
    fixture.app.operator("admin").await.unwrap()
}

async fn account(fixture: &Fixture, name: &str) -> Caller {
    let password = Secret::new("correct horse battery".to_owned());
    fixture.app.create_account(name, password).await.unwrap();
    fixture.app.operator(name).await.unwrap()
}

fn wish(key: SettingKey, text: &str) -> (SettingKey, Option<String>) {
    (key, Some(text.to_owned()))
}

async fn change(fixture: &Fixture, by: &Caller, wishes: &[(SettingKey, Option<String>)]) {
    fixture.app.change_settings(by, wishes).await.unwrap();
}

fn found(settings: &[Setting], key: SettingKey) -> Setting {
    let mut found = settings.iter().filter(|setting| setting.key == key);
    found.next().unwrap().clone()
}

#[tokio::test]
async fn what_nobody_decided_has_its_default_and_goes_back_to_it() {
    let fixture = Fixture::new().await;
    let admin = administrator(&fixture).await;
    let before = fixture.app.list_settings(&admin).await.unwrap();
    assert_eq!(before.len(), SettingKey::EVERY.len());
    for setting in &before {
        assert_eq!(setting.value, setting.default, "{}", setting.key);
        assert!(!setting.is_fixed, "{}", setting.key);
    }
    let wishes = [
        wish(SettingKey::SignUp, "open"),
        wish(SettingKey::SiteName, "Harbour"),
        wish(SettingKey::QuotaTags, "20"),
        wish(SettingKey::Comments, "true"),
    ];
    let answered = fixture.app.change_settings(&admin, &wishes).await.unwrap();
    assert_eq!(answered, fixture.app.list_settings(&admin).await.unwrap());
    let expected = Setting {
        key: SettingKey::SignUp,
        value: "open".to_owned(),
        default: "closed".to_owned(),
        is_fixed: false,
    };
    assert_eq!(found(&answered, SettingKey::SignUp), expected);
    let current = fixture.app.current();
    assert_eq!(
        (
            current.sign_up,
            current.site.name.as_str(),
            current.quotas.limits.tags
        ),
        (SignUp::Open, "Harbour", Some(20))
    );
    assert!(fixture.app.are_comments_allowed().await.unwrap());
    let back: [(SettingKey, Option<String>); 4] = wishes.map(|(key, _)| (key, None));
    assert_eq!(fixture.app.change_settings(&admin, &back).await.unwrap(), before);
    assert!(!fixture.app.are_comments_allowed().await.unwrap());
    assert_eq!(fixture.app.sign_up_mode(), SignUp::Closed);
    let mut tx = fixture.store.read().await.unwrap();
    let kept = setting::list_settings(&mut tx, KEPT, MOST).await.unwrap();
    assert!(kept.is_empty(), "{kept:?}");
}

#[tokio::test]
async fn what_the_configuration_says_goes_before_what_was_decided() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let free = Fixture::over(store.clone());
    let admin = administrator(&free).await;
    let wishes = [
        wish(SettingKey::SignUp, "open"),
        wish(SettingKey::QuotaTags, "20"),
    ];
    change(&free, &admin, &wishes).await;
    let fixed = Fixture::build(store, None, |settings| {
        settings.sign_up = SignUp::Invitation;
        settings.fixed = vec![SettingKey::SignUp];
    });
    fixed.app.refresh_settings().await.unwrap();
    let current = fixed.app.current();
    assert_eq!(
        (current.sign_up, current.quotas.limits.tags),
        (SignUp::Invitation, Some(20))
    );
    let admin = fixed.app.operator("admin").await.unwrap();
    let listed = fixed.app.list_settings(&admin).await.unwrap();
    let shown = found(&listed, SettingKey::SignUp);
    assert_eq!((shown.value.as_str(), shown.is_fixed), ("invitation", true));
    for text in [Some("open".to_owned()), None] {
        let wishes = [wish(SettingKey::QuotaTags, "30"), (SettingKey::SignUp, text)];
        let refused = fixed.app.change_settings(&admin, &wishes).await;
        assert!(matches!(refused, Err(AppError::Conflict(_))), "{refused:?}");
    }
    assert_eq!(fixed.app.current().quotas.limits.tags, Some(20), "nothing of it");
    // What was decided is kept for the day on which the configuration leaves it alone again.
    free.app.refresh_settings().await.unwrap();
    assert_eq!(free.app.sign_up_mode(), SignUp::Open);
}

#[tokio::test]
async fn another_process_knows_of_it_when_it_has_looked() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let (here, there) = (Fixture::over(store.clone()), Fixture::over(store));
    let admin = administrator(&here).await;
    change(&here, &admin, &[wish(SettingKey::OrganisationsCreate, "admins")]).await;
    let ada = account(&there, "ada").await;
    let new = |name: &str| NewOrganisation {
        name: name.to_owned(),
        display_name: None,
        description: String::new(),
    };
    there.app.create_organisation(&ada, &new("first")).await.unwrap();
    there.app.refresh_settings().await.unwrap();
    let refused = there.app.create_organisation(&ada, &new("second")).await;
    assert!(matches!(refused, Err(AppError::Forbidden(_))), "{refused:?}");
    let refused = here.app.create_organisation(&ada, &new("second")).await;
    assert!(matches!(refused, Err(AppError::Forbidden(_))), "at once here");
}

#[tokio::test]
async fn the_background_work_looks_whether_something_was_decided_elsewhere() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let (here, there) = (Fixture::over(store.clone()), Fixture::over(store));
    let admin = administrator(&here).await;
    let mut seen = there.app.decided.current.subscribe();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let work = tokio::spawn({
        let app = there.app.clone();
        async move {
            app.background(async {
                let _ = stopped.await;
            })
            .await;
        }
    });
    change(&here, &admin, &[wish(SettingKey::SiteGreeting, "Ahoy")]).await;
    seen.changed().await.unwrap();
    assert_eq!(there.app.current().site.greeting, "Ahoy");
    drop(stop);
    work.await.unwrap();
}

#[tokio::test]
async fn each_change_is_written_down_with_who_what_from_and_to() {
    let fixture = Fixture::new().await;
    let admin = administrator(&fixture).await;
    let wishes = [
        wish(SettingKey::SignUp, "open"),
        wish(SettingKey::QuotaStrict, "false"),
    ];
    for _ in 0..2 {
        change(&fixture, &admin, &wishes).await;
    }
    let filter = AuditFilter {
        action: Some(AuditAction::SettingChange),
        ..AuditFilter::default()
    };
    let events = fixture
        .app
        .list_audit(&admin, None, &filter, None, 10)
        .await
        .unwrap();
    assert_eq!(events.len(), 1, "what was so already is no change: {events:?}");
    let event = &events[0];
    assert_eq!(
        (event.actor.name.as_str(), event.target.name.as_str()),
        ("admin", "sign_up")
    );
    assert_eq!(event.before.as_deref(), Some(r#"{"value":"closed"}"#));
    assert_eq!(event.after.as_deref(), Some(r#"{"value":"open"}"#));
}

#[tokio::test]
async fn nobody_but_administrators_decides_and_of_a_wrong_wish_nothing_is_done() {
    let fixture = Fixture::new().await;
    let admin = administrator(&fixture).await;
    let ada = account(&fixture, "ada").await;
    let wishes = [wish(SettingKey::SignUp, "open")];
    assert!(matches!(
        fixture.app.change_settings(&ada, &wishes).await,
        Err(AppError::Forbidden(_))
    ));
    assert!(matches!(
        fixture.app.list_settings(&ada).await,
        Err(AppError::Forbidden(_))
    ));
    let wishes = [
        wish(SettingKey::SignUp, "open"),
        wish(SettingKey::QuotaBytes, "much"),
    ];
    assert!(matches!(
        fixture.app.change_settings(&admin, &wishes).await,
        Err(AppError::Invalid(_))
    ));
    assert_eq!(fixture.app.sign_up_mode(), SignUp::Closed);
}

#[tokio::test]
async fn what_this_version_does_not_understand_leaves_the_default() {
    let fixture = Fixture::new().await;
    let mut tx = fixture.store.write().await.unwrap();
    for (key, value) in [("sign_up", "perhaps"), ("later", "x"), ("quotas.tags", "7")] {
        setting::put_setting(&mut tx, &format!("{KEPT}{key}"), value)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    fixture.app.refresh_settings().await.unwrap();
    let current = fixture.app.current();
    assert_eq!(
        (current.sign_up, current.quotas.limits.tags),
        (SignUp::Closed, Some(7))
    );
}
