//! Pages of organisations through the router: who sees them, and that forms do what they say.

use http::StatusCode;
use serde_json::{Value, json};

use crate::http::testing::Front;
use crate::http::web::settings::section::Section;
use crate::http::web::settings::tests::{Form, GUESSES_OF_BOTH, each_is_answered, is_whole, open};

/// What somebody could send who guesses.
const GUESSES: &[Form] = &[
    ("members", &[("do", "add"), ("member", "eve"), ("role", "owner")]),
    ("members", &[("do", "remove"), ("member", "ada")]),
    ("teams", &[("do", "create"), ("name", "mine")]),
    ("invitations", &[("do", "create"), ("role", "manager")]),
    (
        "robots",
        &[
            ("do", "create"),
            ("name", "mine"),
            ("pattern_1", "acme/*"),
            ("right_1", "pull"),
        ],
    ),
    (
        "tokens",
        &[
            ("do", "create"),
            ("label", "mine"),
            ("pattern_1", "acme/*"),
            ("right_1", "pull"),
        ],
    ),
    ("profile", &[("do", "describe"), ("display_name", "Mine")]),
    ("profile", &[("do", "visibility"), ("visibility", "public")]),
    ("leave", &[("typed", "acme")]),
    ("delete", &[("typed", "acme")]),
];

/// Ada's organisation.
async fn acme() -> Front {
    let front = Front::new().await;
    let new = json!({"name": "acme", "display_name": "Acme Inc."});
    front.api("ada", "POST", "/organisations", new).await.is(201);
    front
}

async fn state(front: &Front) -> Vec<Value> {
    let mut told = Vec::new();
    for path in [
        "/organisations/acme",
        "/organisations/acme/members",
        "/organisations/acme/teams",
        "/organisations/acme/invitations",
        "/rules?namespace=acme",
        "/robots?namespace=acme",
        "/organisation-tokens?organisation=acme",
        "/namespaces/acme/webhooks",
        "/namespaces/acme/immutable-tags",
        "/namespaces/acme/retention",
        "/namespaces/acme",
    ] {
        told.push(front.api("ada", "GET", path, Value::Null).await.json());
    }
    told
}

fn path(section: &str) -> String {
    format!("/o/acme/{section}")
}

/// Everything that somebody could guess.
fn guesses() -> impl Iterator<Item = &'static Form> {
    GUESSES_OF_BOTH.iter().chain(GUESSES)
}

#[tokio::test]
async fn an_owner_sees_every_page_in_both_languages() {
    let front = acme().await;
    let ada = front.browser("ada").await;
    for section in Section::OF_NAMESPACE {
        for language in ["en", "zh-CN"] {
            let path = match section {
                Section::Overview => format!("/o/acme?lang={language}"),
                other => format!("{}?lang={language}", path(other.word())),
            };
            open(&ada, &path).await;
        }
    }
    for path in ["/o", "/new/organisation"] {
        open(&ada, path).await;
    }
    assert!(open(&ada, "/o").await.contains("Acme Inc."));
}

#[tokio::test]
async fn to_a_stranger_an_organisation_has_one_page_and_no_form_changes_anything() {
    let front = acme().await;
    let eve = front.browser("eve").await;
    let nobody = front.browser("").await;
    let before = state(&front).await;
    let first = open(&eve, "/o/acme").await;
    assert!(
        first.contains("Acme Inc.") && !first.contains("/o/acme/members"),
        "{first}"
    );
    open(&nobody, "/o/acme").await;
    for section in Section::OF_NAMESPACE
        .into_iter()
        .filter(|one| *one != Section::Overview)
    {
        let (found, missing) = (
            eve.get(&path(section.word())).await,
            eve.get(&format!("/o/nothing/{}", section.word())).await,
        );
        assert_eq!(found.status, StatusCode::NOT_FOUND, "{section:?}");
        assert_eq!(
            found.body.replace("/o/acme", "/o/nothing"),
            missing.body,
            "{section:?}"
        );
        let away = nobody.get(&path(section.word())).await;
        assert_eq!(away.status, StatusCode::SEE_OTHER, "{section:?}");
    }
    each_is_answered(&eve, guesses(), path, StatusCode::NOT_FOUND).await;
    assert_eq!(state(&front).await, before);
    assert_eq!(eve.get("/o/ada").await.status, StatusCode::NOT_FOUND);
    assert_eq!(eve.get("/o/ada/robots").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_member_sees_members_and_teams_and_changes_nothing() {
    let front = acme().await;
    let member = json!({"role": "member"});
    front
        .api("ada", "PUT", "/organisations/acme/members/eve", member)
        .await
        .ok();
    let eve = front.browser("eve").await;
    let before = state(&front).await;
    for section in Section::OF_NAMESPACE {
        let answer = eve.get(path(section.word()).trim_end_matches('/')).await;
        let expected = match section {
            Section::Overview | Section::Members | Section::Teams | Section::Leave => StatusCode::OK,
            _ => StatusCode::FORBIDDEN,
        };
        assert_eq!(answer.status, expected, "{section:?}");
    }
    let but_leaving = guesses().filter(|(section, _)| *section != "leave");
    each_is_answered(&eve, but_leaving, path, StatusCode::FORBIDDEN).await;
    assert_eq!(state(&front).await, before);
    let left = eve.post(&path("leave"), &[("typed", "acme")]).await;
    assert!(left.header("location").starts_with("/o?"), "{}", left.body);
    assert_eq!(eve.get(&path("members")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn no_form_is_taken_without_the_value_of_the_session() {
    let front = acme().await;
    let mut ada = front.browser("ada").await;
    ada.csrf.clear();
    let before = state(&front).await;
    each_is_answered(&ada, guesses(), path, StatusCode::FORBIDDEN).await;
    assert_eq!(state(&front).await, before);
}

#[tokio::test]
async fn people_are_added_put_into_teams_and_removed() {
    let front = acme().await;
    let ada = front.browser("ada").await;
    let guest = [("do", "add"), ("member", "eve"), ("role", "guest"), ("until", "")];
    let refused = ada.post(&path("members"), &guest).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "a guest has an end");
    assert!(refused.body.contains("value=\"eve\""), "what was typed is there");
    let guest = [
        ("do", "add"),
        ("member", "eve"),
        ("role", "guest"),
        ("until", "2099-12-31"),
    ];
    assert_eq!(
        ada.post(&path("members"), &guest).await.status,
        StatusCode::SEE_OTHER
    );
    assert!(
        open(&ada, &path("members"))
            .await
            .contains("value=\"2099-12-31\"")
    );
    let made = ada
        .post(
            &path("teams"),
            &[("do", "create"), ("name", "dev"), ("description", "Developers")],
        )
        .await;
    assert!(
        made.header("location").starts_with("/o/acme/teams?team=dev"),
        "{}",
        made.body
    );
    let put = ada
        .post(
            &path("teams"),
            &[("do", "add"), ("team", "dev"), ("member", "eve")],
        )
        .await;
    assert_eq!(put.status, StatusCode::SEE_OTHER);
    assert!(open(&ada, "/o/acme/teams?team=dev").await.contains("eve"));
    let leaving = open(&ada, "/o/acme/members?remove=eve").await;
    assert!(leaving.contains("<code>dev</code>"), "{leaving}");
    let removed = ada
        .post(&path("members"), &[("do", "remove"), ("member", "eve")])
        .await;
    assert_eq!(removed.status, StatusCode::SEE_OTHER);
    let last = open(&ada, &path("leave")).await;
    assert!(!last.contains("name=\"typed\""), "the last owner does not leave");
    let typo = ada
        .post(
            &path("teams"),
            &[("do", "delete"), ("team", "dev"), ("typed", "ops")],
        )
        .await;
    assert_eq!(typo.status, StatusCode::BAD_REQUEST);
    let gone = ada
        .post(
            &path("teams"),
            &[("do", "delete"), ("team", "dev"), ("typed", "dev")],
        )
        .await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn secrets_of_robots_tokens_and_invitations_are_shown_once() {
    let front = acme().await;
    let ada = front.browser("ada").await;
    for (section, fields, secret) in [
        (
            "robots",
            vec![
                ("name", "ci"),
                ("pattern_1", "acme/*"),
                ("right_1", "pull"),
                ("right_1", "push"),
            ],
            "ptl_rob_",
        ),
        (
            "tokens",
            vec![
                ("label", "deploy"),
                ("pattern_1", "acme/*"),
                ("right_1", "pull"),
                ("days", "30"),
            ],
            "ptl_",
        ),
        ("invitations", vec![("role", "member")], "/invitation#ptl_inv_"),
    ] {
        let here = path(section);
        let mut fields = fields;
        fields.push(("do", "create"));
        let made = ada.post(&here, &fields).await;
        assert_eq!(made.status, StatusCode::OK, "{section}: {}", made.body);
        assert_eq!(made.header("cache-control"), "no-store");
        assert!(made.body.contains(secret), "{section}: {}", made.body);
        is_whole(&made.body, section);
        assert!(!open(&ada, &here).await.contains("ptl_"), "{section}");
    }
    let list = open(&ada, &path("robots")).await;
    let id = list
        .split("?id=")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let one = format!("/o/acme/robots?id={id}");
    assert!(open(&ada, &one).await.contains("acme+ci"));
    let rotated = ada
        .post(
            &path("robots"),
            &[("do", "rotate"), ("id", &id), ("overlap_hours", "24")],
        )
        .await;
    assert!(rotated.body.contains("docker login"), "{}", rotated.body);
    let two = open(&ada, &one).await;
    assert_eq!(
        two.matches("value=\"end\"").count(),
        2,
        "two secrets live at once"
    );
    for (what, status) in [
        ("suspend", StatusCode::SEE_OTHER),
        ("resume", StatusCode::SEE_OTHER),
    ] {
        let answer = ada.post(&path("robots"), &[("do", what), ("id", &id)]).await;
        assert_eq!(answer.status, status, "{what}");
    }
    let none = ada
        .post(
            &path("robots"),
            &[
                ("do", "change"),
                ("id", &id),
                ("label", "x"),
                ("pattern_1", "acme/*"),
            ],
        )
        .await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST, "it may nothing at all");
    let gone = ada
        .post(&path("robots"), &[("do", "delete"), ("id", &id), ("typed", "ci")])
        .await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER, "{}", gone.body);
    // A robot of another namespace is not shown here.
    let robot =
        json!({"namespace": "ada", "name": "own", "limits": [{"pattern": "ada/*", "rights": ["pull"]}]});
    let own = front.api("ada", "POST", "/robots", robot).await.is(201);
    let elsewhere = format!("/o/acme/robots?id={}", own["id"].as_str().unwrap());
    assert_eq!(ada.get(&elsewhere).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_audit_log_is_filtered_and_the_end_needs_the_name() {
    let front = acme().await;
    let ada = front.browser("ada").await;
    let page = open(&ada, &format!("{}?action=organisation.create", path("audit"))).await;
    assert!(page.contains("<code>organisation.create</code>"), "{page}");
    let none = open(&ada, &format!("{}?actor=eve", path("audit"))).await;
    assert!(!none.contains("<tbody>"), "{none}");
    let odd = ada.get(&format!("{}?from=soon", path("audit"))).await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
    is_whole(&odd.body, "audit");
    let typo = ada.post(&path("delete"), &[("typed", "acm")]).await;
    assert_eq!(typo.status, StatusCode::BAD_REQUEST);
    let gone = ada.post(&path("delete"), &[("typed", "acme")]).await;
    assert!(gone.header("location").starts_with("/o?"), "{}", gone.body);
    assert_eq!(ada.get("/o/acme").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_account_looks_after_its_own_namespace_without_members_and_teams() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    for section in Section::OF_NAMESPACE {
        let answer = ada
            .get(format!("/o/ada/{}", section.word()).trim_end_matches('/'))
            .await;
        let expected = if section.is_of_organisation(false) {
            StatusCode::OK
        } else {
            StatusCode::NOT_FOUND
        };
        assert_eq!(answer.status, expected, "{section:?}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_organisation_is_made_by_a_form() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    let made = ada
        .post(
            "/new/organisation",
            &[("name", "Acme"), ("display_name", "Acme & Co.")],
        )
        .await;
    assert!(made.header("location").starts_with("/o/acme?"), "{}", made.body);
    assert!(open(&ada, "/o/acme").await.contains("Acme &#38; Co."));
    let again = ada.post("/new/organisation", &[("name", "acme")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.body.contains("value=\"acme\""));
}
