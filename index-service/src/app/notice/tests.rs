use std::time::Duration;

use shared::secret::Secret;
use shared::token::TagSet;

use super::*;
use crate::app::access_token::AccessTokenWish;
use crate::app::fixture::{Fixture, NOW_MS};
use crate::app::organisation::NewOrganisation;
use crate::app::rule::{RuleWish, SubjectName, TargetName};
use crate::app::token::Credential;
use crate::domain::quota::{Decided, NamespaceQuota};
use crate::domain::{AllowedNetworks, Ceiling, Grant, OrganisationRole, Rights};

const PASSWORD: &str = "correct horse battery";

/// The accounts ada, eve and bob.
async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    for name in ["ada", "eve", "bob"] {
        let password = Secret::new(PASSWORD.to_owned());
        fixture.app.create_account(name, password).await.unwrap();
    }
    fixture
}

fn news(kind: NoticeKind, subject: &str) -> News<'_> {
    News {
        kind,
        subject,
        subject_id: None,
        actor: None,
        detail: "",
    }
}

async fn told(fixture: &Fixture, name: &str) -> Vec<Notice> {
    let caller = fixture.app.operator(name).await.unwrap();
    fixture.app.list_notices(&caller, i64::MAX, 500).await.unwrap()
}

async fn kinds(fixture: &Fixture, name: &str) -> Vec<NoticeKind> {
    told(fixture, name)
        .await
        .into_iter()
        .map(|notice| notice.kind)
        .collect()
}

/// Signs in on a page from an address with a program.
async fn sign_in(fixture: &Fixture, address: &str, program: &str) {
    let client = Client {
        address: Some(address.parse().unwrap()),
        program: program.to_owned(),
        request_id: None,
    };
    let password = Secret::new(PASSWORD.to_owned());
    fixture
        .app
        .open_web_session("ada".to_owned(), password, false, &client)
        .await
        .unwrap();
}

#[tokio::test]
async fn everybody_is_told_once_but_not_who_did_it_nor_who_does_not_want_it() {
    let fixture = fixture().await;
    let app = &fixture.app;
    let mut ids = Vec::new();
    for name in ["ada", "eve", "bob"] {
        let caller = app.operator(name).await.unwrap();
        ids.push(caller.account().unwrap().account_id);
    }
    let bob = app.operator("bob").await.unwrap();
    app.choose_notices(&bob, &[NoticeKind::Comment, NoticeKind::Comment])
        .await
        .unwrap();
    let mut tx = fixture.store.write().await.unwrap();
    let news = News {
        actor: Some(ids[1]),
        ..news(NoticeKind::Comment, "ada/web")
    };
    let all = [ids[0], ids[0], ids[1], ids[2]];
    app.notify(&mut tx, all, news).await.unwrap();
    tx.commit().await.unwrap();
    let ada = told(&fixture, "ada").await;
    assert_eq!(ada.len(), 1);
    assert_eq!(ada[0].actor.as_deref(), Some("eve"));
    assert!(told(&fixture, "eve").await.is_empty() && told(&fixture, "bob").await.is_empty());
    let choices = app.notice_choices(&bob).await.unwrap();
    assert_eq!(choices.len(), NoticeKind::EVERY.len());
    for choice in choices {
        assert_eq!(choice.is_on, choice.kind != NoticeKind::Comment, "{choice:?}");
    }
}

#[tokio::test]
async fn chatter_drives_nothing_else_out_and_old_notices_go() {
    let fixture = fixture().await;
    let app = &fixture.app;
    let ada = app.operator("ada").await.unwrap();
    let id = ada.account().unwrap().account_id;
    let write = async |kind: NoticeKind, times: usize| {
        let mut tx = fixture.store.write().await.unwrap();
        for _ in 0..times {
            app.notify(&mut tx, [id], news(kind, "ada/web")).await.unwrap();
        }
        tx.commit().await.unwrap();
    };
    write(NoticeKind::Quota, 1).await;
    write(NoticeKind::Comment, 100).await;
    assert_eq!(
        told(&fixture, "ada").await.len(),
        31,
        "thirty of a kind within a day"
    );
    for _ in 0..8 {
        fixture.clock.advance(Duration::from_hours(25));
        write(NoticeKind::Comment, 100).await;
    }
    let kept = told(&fixture, "ada").await;
    assert_eq!(kept.len(), usize::try_from(MAX_NOTICES).unwrap());
    assert!(kept.iter().all(|notice| notice.kind == NoticeKind::Comment));
    assert_eq!(app.prune_notices().await.unwrap(), 0);
    fixture.clock.advance(Duration::from_hours(24 * 91));
    assert_eq!(app.prune_notices().await.unwrap(), 200);
    assert!(told(&fixture, "ada").await.is_empty());
}

#[tokio::test]
async fn notices_are_read_and_removed_by_whose_they_are_alone() {
    let fixture = fixture().await;
    let app = &fixture.app;
    let (ada, eve) = (
        app.operator("ada").await.unwrap(),
        app.operator("eve").await.unwrap(),
    );
    let id = ada.account().unwrap().account_id;
    for subject in ["ada/a", "ada/b", "ada/c"] {
        let mut tx = fixture.store.write().await.unwrap();
        app.notify(&mut tx, [id], news(NoticeKind::Comment, subject))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        fixture.clock.advance(Duration::from_secs(1));
    }
    let ids: Vec<NoticeId> = told(&fixture, "ada")
        .await
        .iter()
        .map(|one| one.notice_id)
        .collect();
    for refused in [
        app.read_notice(&eve, ids[0]).await.map(drop),
        app.remove_notice(&eve, ids[0]).await,
    ] {
        assert!(matches!(refused, Err(AppError::NotFound(_))), "{refused:?}");
    }
    app.read_notices(&eve, None).await.unwrap();
    app.remove_notices(&eve, None).await.unwrap();
    let read = app.read_notice(&ada, ids[2]).await.unwrap();
    assert_eq!(
        (read.subject.as_str(), read.read_at),
        ("ada/a", Some(NOW_MS + 3_000))
    );
    // Up to the second: the newest came since the list was looked at.
    app.read_notices(&ada, Some(ids[1])).await.unwrap();
    let unread = |notices: Vec<Notice>| notices.iter().filter(|one| one.read_at.is_none()).count();
    assert_eq!(unread(told(&fixture, "ada").await), 1);
    app.remove_notices(&ada, Some(ids[1])).await.unwrap();
    assert_eq!(told(&fixture, "ada").await.len(), 1);
    app.remove_notice(&ada, ids[0]).await.unwrap();
    assert!(told(&fixture, "ada").await.is_empty());
}

#[tokio::test]
async fn who_is_added_to_an_organisation_or_given_rights_is_told_by_whom() {
    let fixture = fixture().await;
    let app = &fixture.app;
    let ada = app.operator("ada").await.unwrap();
    let new = NewOrganisation {
        name: "acme".into(),
        display_name: None,
        description: String::new(),
    };
    app.create_organisation(&ada, &new).await.unwrap();
    for role in [OrganisationRole::Member, OrganisationRole::Manager] {
        app.put_member(&ada, "acme", "eve", role, None).await.unwrap();
    }
    let eve = told(&fixture, "eve").await;
    assert_eq!(eve.len(), 1, "another role is no news");
    assert_eq!(
        (eve[0].kind, eve[0].subject.as_str(), eve[0].detail.as_str()),
        (NoticeKind::Member, "acme", "member")
    );
    assert_eq!(eve[0].actor.as_deref(), Some("ada"));
    assert!(told(&fixture, "ada").await.is_empty(), "who made it knows");
    let wish = RuleWish {
        subject: SubjectName::Account("bob".to_owned()),
        target: TargetName::Pattern("acme/*".parse().unwrap()),
        grant: Grant {
            rights: Rights::READ,
            push_tags: TagSet::Every,
            delete_tags: TagSet::Every,
            expires_at: None,
        },
    };
    app.create_rule(&ada, &wish).await.unwrap();
    let bob = told(&fixture, "bob").await;
    assert_eq!(
        (bob[0].kind, bob[0].subject.as_str(), bob[0].detail.as_str()),
        (NoticeKind::Collaborator, "acme/*", "pull")
    );
}

#[tokio::test]
async fn a_namespace_at_its_limit_is_told_to_those_who_look_after_it() {
    let fixture = fixture().await;
    let app = &fixture.app;
    app.confirm_pushed(&"ada/web".parse().unwrap()).await.unwrap();
    let bob = app.operator("bob").await.unwrap();
    let id = bob.account().unwrap().account_id;
    let mut tx = fixture.store.write().await.unwrap();
    crate::store::profile::set_admin(&mut tx, id, true, NOW_MS)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let root = app.operator("bob").await.unwrap();
    let one = |quota: &mut NamespaceQuota| quota.decided.repositories = Decided::AtMost(1);
    app.set_quota(&root, &"ada".parse().unwrap(), one).await.unwrap();
    app.tell_quotas().await.unwrap();
    let ada = told(&fixture, "ada").await;
    assert_eq!(
        (ada[0].kind, ada[0].subject.as_str(), ada[0].detail.as_str()),
        (NoticeKind::Quota, "ada", "100 repositories")
    );
    assert!(told(&fixture, "eve").await.is_empty() && told(&fixture, "bob").await.is_empty());
}

#[tokio::test]
async fn the_owner_of_an_access_token_is_told_of_its_end_once() {
    let fixture = fixture().await;
    let app = &fixture.app;
    let ada = app.operator("ada").await.unwrap();
    for (label, life_days) in [("long", 30), ("short", 7)] {
        let wish = AccessTokenWish {
            label: label.parse().unwrap(),
            ceiling: Ceiling::Full,
            networks: AllowedNetworks::default(),
            life_days,
        };
        app.create_own_access_token(&ada, &wish).await.unwrap();
    }
    assert_eq!(app.tell_ending_tokens().await.unwrap(), 0);
    fixture.clock.advance(Duration::from_hours(24 * 23));
    assert_eq!(app.tell_ending_tokens().await.unwrap(), 1);
    assert_eq!(app.tell_ending_tokens().await.unwrap(), 0);
    let ada = told(&fixture, "ada").await;
    assert_eq!(ada.len(), 1);
    let end = (NOW_MS + 30 * DAY_MS).to_string();
    assert_eq!(
        (ada[0].kind, ada[0].subject.as_str(), ada[0].detail.as_str()),
        (NoticeKind::TokenEnding, "long", end.as_str())
    );
    assert!(ada[0].path().starts_with("/account/tokens/"));
}

#[tokio::test]
async fn a_leaked_access_token_is_told_to_its_owner() {
    let fixture = fixture().await;
    let app = &fixture.app;
    let ada = app.operator("ada").await.unwrap();
    let wish = AccessTokenWish {
        label: "ci".parse().unwrap(),
        ceiling: Ceiling::Full,
        networks: AllowedNetworks::default(),
        life_days: 30,
    };
    let (_, secret) = app.create_own_access_token(&ada, &wish).await.unwrap();
    let nobody = app
        .recognise(&Credential::Anonymous, Client::default())
        .await
        .unwrap();
    for _ in 0..2 {
        app.report_leaks(&nobody, vec![secret.clone()], None)
            .await
            .unwrap();
    }
    assert_eq!(kinds(&fixture, "ada").await, [NoticeKind::TokenLeaked]);
}

#[tokio::test]
async fn a_sign_in_is_told_when_its_network_or_its_program_is_new() {
    let fixture = fixture().await;
    for (address, program, count) in [
        ("192.0.2.7", "Mozilla/5.0 Firefox/133.0", 0),
        ("192.0.2.9", "Mozilla/5.0 Firefox/134.0", 0),
        ("198.51.100.1", "Mozilla/5.0 Firefox/134.0", 1),
        ("198.51.100.2", "Mozilla/5.0 Firefox/134.0", 1),
        ("192.0.2.7", "curl/8", 2),
    ] {
        sign_in(&fixture, address, program).await;
        assert_eq!(told(&fixture, "ada").await.len(), count, "{address} {program}");
        fixture.clock.advance(Duration::from_secs(1));
    }
    let last = told(&fixture, "ada").await.remove(0);
    assert_eq!(
        (last.kind, last.subject.as_str(), last.detail.as_str()),
        (NoticeKind::SignIn, "curl/8", "192.0.2.7")
    );
}
