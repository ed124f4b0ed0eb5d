use super::super::profile::*;
use super::*;

contracts!(
    a_profile_reads_back_what_was_changed,
    an_address_belongs_to_whoever_was_first,
    profiles_are_listed_by_the_beginning_of_their_names,
    choices_of_pages_are_kept_and_end_with_the_account,
    the_last_administrator_is_known,
    a_deleted_account_is_not_found_and_keeps_its_name,
);

async fn profile(tx: &mut Tx, name: &str) -> Profile {
    find_profile(tx, &name.parse().unwrap()).await.unwrap().unwrap()
}

async fn a_profile_reads_back_what_was_changed(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "Ada", true).await;
    let before = profile(&mut tx, "ada").await;
    assert_eq!((before.is_admin, before.created_at), (true, NOW));
    let changed = Profile {
        full_name: "Ada Lovelace".into(),
        biography: "一\n二".into(),
        location: "London".into(),
        website: "https://example.com".into(),
        ..before
    };
    change_profile(&mut tx, &changed, NOW).await.unwrap();
    assert_eq!(profile(&mut tx, "ADA").await, changed);
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(profile(&mut tx, "ada").await, changed);
}

async fn an_address_belongs_to_whoever_was_first(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let email: EmailAddress = "a@example.com".parse().unwrap();
    for (id, name) in [(1, "ada"), (2, "eve")] {
        account(&mut tx, id, name, false).await;
        for _ in 0..2 {
            set_email(&mut tx, AccountId::from_i64(id), Some(&email), NOW)
                .await
                .unwrap();
        }
    }
    let mut states = async || {
        let (ada, eve) = (profile(&mut tx, "ada").await, profile(&mut tx, "eve").await);
        [ada, eve].map(|profile| (profile.email.is_some(), profile.owns_email))
    };
    assert_eq!(states().await, [(true, true), (true, false)]);
    set_email(&mut tx, AccountId::from_i64(1), None, NOW)
        .await
        .unwrap();
    set_email(&mut tx, AccountId::from_i64(2), Some(&email), NOW)
        .await
        .unwrap();
    let eve = profile(&mut tx, "eve").await;
    assert!(eve.owns_email);
    assert_eq!(profile(&mut tx, "ada").await.email, None);
}

async fn profiles_are_listed_by_the_beginning_of_their_names(store: &Store) {
    let mut tx = store.write().await.unwrap();
    for (id, name) in ["b", "ba", "b-a", "a", "c", "b_z"].into_iter().enumerate() {
        account(&mut tx, i64::try_from(id).unwrap() + 1, name, false).await;
    }
    let mut names = async |prefix: &str, after: &str, limit: u32| {
        list_profiles(&mut tx, prefix, after, limit)
            .await
            .unwrap()
            .into_iter()
            .map(|profile| profile.username.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("b", "", 9).await, ["b", "b-a", "b_z", "ba"]);
    assert_eq!(names("b", "b-a", 1).await, ["b_z"]);
    assert_eq!(names("", "b_z", 9).await, ["ba", "c"]);
    assert_eq!(names("zz", "", 9).await, Vec::<String>::new());
}

async fn the_last_administrator_is_known(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", true).await;
    let eve = account(&mut tx, 2, "eve", false).await;
    assert!(!has_other_admin(&mut tx, ada.account_id).await.unwrap());
    assert!(has_other_admin(&mut tx, eve.account_id).await.unwrap());
    set_admin(&mut tx, eve.account_id, true, NOW).await.unwrap();
    assert!(has_other_admin(&mut tx, ada.account_id).await.unwrap());
    set_disabled(&mut tx, eve.account_id, Some(NOW), NOW)
        .await
        .unwrap();
    assert!(!has_other_admin(&mut tx, ada.account_id).await.unwrap());
}

async fn a_deleted_account_is_not_found_and_keeps_its_name(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "Ada", true).await;
    let email: EmailAddress = "a@example.com".parse().unwrap();
    set_email(&mut tx, ada.account_id, Some(&email), NOW)
        .await
        .unwrap();
    let nobodys = "$argon2id$nobody".parse().unwrap();
    assert!(
        scrub_account(&mut tx, ada.account_id, &nobodys, NOW)
            .await
            .unwrap()
    );
    assert!(
        !scrub_account(&mut tx, ada.account_id, &nobodys, NOW)
            .await
            .unwrap()
    );
    assert_eq!(find_account(&mut tx, &ada.username).await.unwrap(), None);
    assert_eq!(find_account_by_id(&mut tx, ada.account_id).await.unwrap(), None);
    assert_eq!(find_profile(&mut tx, &ada.username).await.unwrap(), None);
    assert_eq!(list_accounts(&mut tx, "", 9).await.unwrap(), []);
    assert_eq!(list_profiles(&mut tx, "", "", 9).await.unwrap(), []);
    let again = NewAccount {
        account_id: AccountId::from_i64(2),
        username: &ada.username,
        password_hash: &nobodys,
        is_admin: false,
    };
    let refused = create_account(&mut tx, &again, NOW).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict("account"))),
        "{refused:?}"
    );
    let eve = account(&mut tx, 3, "eve", false).await;
    set_email(&mut tx, eve.account_id, Some(&email), NOW)
        .await
        .unwrap();
    assert!(profile(&mut tx, "eve").await.owns_email, "the address is free");
}

async fn choices_of_pages_are_kept_and_end_with_the_account(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let ada = account(&mut tx, 1, "ada", false).await.account_id;
    assert_eq!(profile(&mut tx, "ada").await.preferences, Preferences::default());
    let chosen = Preferences {
        language: Some(PageLanguage::English),
        theme: Some(PageTheme::Light),
    };
    set_language(&mut tx, ada, chosen.language, NOW).await.unwrap();
    set_theme(&mut tx, ada, chosen.theme, NOW).await.unwrap();
    assert_eq!(profile(&mut tx, "ada").await.preferences, chosen);
    set_language(&mut tx, ada, None, NOW).await.unwrap();
    assert_eq!(profile(&mut tx, "ada").await.preferences.language, None);
    assert_eq!(profile(&mut tx, "ada").await.preferences.theme, chosen.theme);
    let nobodys = "$argon2id$nobody".parse().unwrap();
    scrub_account(&mut tx, ada, &nobodys, NOW).await.unwrap();
    let left = super::super::value::ask(
        &mut tx,
        "select theme from account where account_id = $1",
        &[super::super::value::Value::Integer(Some(1))],
        &[super::super::value::Kind::Text],
    )
    .await
    .unwrap();
    assert_eq!(left, [[super::super::value::Value::Text(None)]]);
}
