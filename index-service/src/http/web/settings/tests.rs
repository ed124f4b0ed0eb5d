//! Settings through the router: who sees them, and that forms do what they say.

mod retention;

use http::StatusCode;
use serde_json::{Value, json};

use super::section::Section;
use crate::http::testing::{Browser, Front};
use crate::http::web::language::Language;

/// A section, and a form that is sent there.
pub(in crate::http::web) type Form = (&'static str, &'static [(&'static str, &'static str)]);

/// What somebody could send who guesses, where repositories and namespaces have the same sections.
pub(in crate::http::web) const GUESSES_OF_BOTH: &[Form] = &[
    (
        "access",
        &[
            ("do", "create"),
            ("kind", "account"),
            ("who", "eve"),
            ("role", "admin"),
        ],
    ),
    (
        "webhooks",
        &[
            ("do", "create"),
            ("url", "https://evil.example/"),
            ("event", "push"),
        ],
    ),
    ("immutable", &[("tags", "*")]),
    (
        "retention",
        &[("do", "save"), ("enabled", "yes"), ("action_1", "delete")],
    ),
];

/// And to settings of a repository besides.
const GUESSES: &[Form] = &[
    ("general", &[("do", "visibility"), ("visibility", "public")]),
    ("general", &[("do", "describe"), ("summary", "mine")]),
    ("general", &[("do", "comments"), ("open", "yes")]),
    ("name", &[("do", "rename"), ("to", "eve/taken")]),
    ("delete", &[("do", "delete"), ("typed", "ada/private")]),
];

fn path(section: &str, name: &str) -> String {
    format!("/settings/{section}/{name}")
}

async fn id_of(front: &Front, name: &str) -> String {
    let found = front
        .api("ada", "GET", &format!("/repositories?name={name}"), Value::Null)
        .await
        .ok();
    found["items"][0]["id"].as_str().unwrap().to_owned()
}

/// Everything about a repository that settings could change.
async fn state(front: &Front, name: &str) -> Vec<Value> {
    let id = id_of(front, name).await;
    let mut told = Vec::new();
    for path in [
        format!("/repositories/{id}"),
        format!("/repositories/{id}/description"),
        format!("/repositories/{id}/comments/settings"),
        format!("/repositories/{id}/webhooks"),
        format!("/repositories/{id}/immutable-tags"),
        format!("/repositories/{id}/retention"),
        format!("/rules?repository={name}"),
    ] {
        told.push(front.api("ada", "GET", &path, Value::Null).await.json());
    }
    told
}

async fn rule(front: &Front, role: &str) {
    let rule =
        json!({"subject": {"kind": "account", "name": "eve"}, "repository": "ada/private", "role": role});
    front.api("ada", "POST", "/rules", rule).await.is(201);
}

/// A page of ours has one heading of the first order, and no key stands where its text belongs.
#[track_caller]
pub(in crate::http::web) fn is_whole(body: &str, path: &str) {
    assert_eq!(body.matches("<h1").count(), 1, "{path}");
    for area in ["settings-", "organisation-", "base-"] {
        let keys: Vec<&str> = body
            .split('>')
            .filter_map(|text| text.split('<').next())
            .filter(|text| text.trim().starts_with(area))
            .collect();
        assert!(keys.is_empty(), "{path}: {keys:?}");
    }
    let mut ids: Vec<&str> = body
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "{path}: an id stands there twice");
}

/// A page that is shown, and as it should be.
pub(in crate::http::web) async fn open(browser: &Browser<'_>, path: &str) -> String {
    let answer = browser.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    is_whole(&answer.body, path);
    answer.body
}

/// Sends each form to the page of its section; all of them are answered so.
pub(in crate::http::web) async fn each_is_answered(
    browser: &Browser<'_>,
    forms: impl IntoIterator<Item = &'static Form>,
    path: impl Fn(&str) -> String,
    status: StatusCode,
) {
    for (section, fields) in forms {
        let answer = browser.post(&path(section), fields).await;
        assert_eq!(answer.status, status, "{section} {fields:?}");
    }
}

/// Sends all that somebody could guess to the settings of a private repository.
async fn guesses_are_answered(browser: &Browser<'_>, status: StatusCode) {
    let forms = GUESSES_OF_BOTH.iter().chain(GUESSES);
    each_is_answered(browser, forms, |section| path(section, "ada/private"), status).await;
}

#[tokio::test]
async fn whoever_owns_a_repository_sees_every_page_of_its_settings_in_both_languages() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    for section in Section::OF_REPOSITORY {
        for language in ["en", "zh-CN"] {
            let path = format!("{}?lang={language}", path(section.word(), "ada/private"));
            let body = open(&ada, &path).await;
            assert!(body.contains("aria-current=\"page\""), "{path}");
        }
    }
    open(&ada, "/new/repository").await;
}

#[tokio::test]
async fn to_a_stranger_a_private_repository_has_no_settings_and_no_form_changes_any() {
    let front = Front::new().await;
    let eve = front.browser("eve").await;
    let nobody = front.browser("").await;
    let before = state(&front, "ada/private").await;
    for section in Section::OF_REPOSITORY {
        let (there, not) = (
            path(section.word(), "ada/private"),
            path(section.word(), "ada/nothing"),
        );
        let (found, missing) = (eve.get(&there).await, eve.get(&not).await);
        assert_eq!(found.status, StatusCode::NOT_FOUND, "{there}");
        assert_eq!(
            found.body.replace("ada/private", "ada/nothing"),
            missing.body,
            "a stranger sees a difference"
        );
        let away = nobody.get(&there).await;
        assert_eq!(away.status, StatusCode::SEE_OTHER, "{there}");
        assert!(away.header("location").starts_with("/sign-in"), "{there}");
    }
    guesses_are_answered(&eve, StatusCode::NOT_FOUND).await;
    assert_eq!(state(&front, "ada/private").await, before);
}

#[tokio::test]
async fn a_reader_sees_no_settings_and_a_maintainer_those_for_maintainers() {
    let front = Front::new().await;
    rule(&front, "read").await;
    let eve = front.browser("eve").await;
    let before = state(&front, "ada/private").await;
    for section in Section::OF_REPOSITORY {
        let answer = eve.get(&path(section.word(), "ada/private")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{section:?}");
    }
    guesses_are_answered(&eve, StatusCode::FORBIDDEN).await;
    assert_eq!(state(&front, "ada/private").await, before);
    let rules = front
        .api("ada", "GET", "/rules?repository=ada/private", Value::Null)
        .await
        .ok();
    let id = rules["items"][0]["id"].as_str().unwrap();
    let change = json!({"role": "maintain"});
    front
        .api("ada", "PATCH", &format!("/rules/{id}"), change)
        .await
        .ok();
    let page = open(&eve, &path("general", "ada/private")).await;
    assert!(
        !page.contains("name=\"visibility\""),
        "that is for whoever administers it"
    );
    assert!(!page.contains("/settings/delete/"), "{page}");
    let refused = eve
        .post(
            &path("general", "ada/private"),
            &[("do", "visibility"), ("visibility", "public")],
        )
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn no_form_is_taken_without_the_value_of_the_session() {
    let front = Front::new().await;
    let mut ada = front.browser("ada").await;
    ada.csrf.clear();
    let before = state(&front, "ada/private").await;
    guesses_are_answered(&ada, StatusCode::FORBIDDEN).await;
    assert_eq!(state(&front, "ada/private").await, before);
}

#[tokio::test]
async fn a_colleague_is_given_push_by_one_form_and_it_is_said_why() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    let here = path("access", "ada/private");
    let fields = [
        ("do", "create"),
        ("kind", "account"),
        ("who", "eve"),
        ("role", "write"),
    ];
    let answer = ada.post(&here, &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let page = open(&ada, answer.header("location")).await;
    assert!(page.contains("<strong>eve</strong>"), "{page}");
    let why = open(&ada, &format!("{here}?why=eve")).await;
    assert!(why.contains("✓") && why.contains("✕"), "{why}");
    let again = ada.post(&here, &fields).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.body.contains("role=\"alert\"") && again.body.contains("value=\"eve\""));
    let unknown = ada.get(&format!("{here}?why=nobody-here")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    is_whole(&unknown.body, "why");
    let rules = front
        .api("ada", "GET", "/rules?repository=ada/private", Value::Null)
        .await
        .ok();
    let id = rules["items"][0]["id"].as_str().unwrap();
    let removed = ada.post(&here, &[("do", "remove"), ("rule", id)]).await;
    assert_eq!(removed.status, StatusCode::SEE_OTHER);
    assert_eq!(
        front
            .browser("eve")
            .await
            .get("/settings/general/ada/private")
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_description_is_previewed_before_it_is_saved_and_nothing_in_it_runs() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    let here = path("general", "ada/private");
    let text = "# Hello\r\n\r\n<script>alert(1)</script>";
    let fields = [("do", "preview"), ("description", text), ("summary", "In short")];
    let preview = ada.post(&here, &fields).await;
    assert_eq!(preview.status, StatusCode::OK);
    assert!(preview.body.contains("<h4>Hello</h4>") && preview.body.contains("value=\"In short\""));
    assert!(!preview.body.contains("<script>alert"));
    assert!(
        !open(&ada, &here).await.contains("In short"),
        "it was only looked at"
    );
    let fields = [
        ("do", "describe"),
        ("description", text),
        ("summary", "In short"),
        ("topics", "web, rust"),
    ];
    let saved = ada.post(&here, &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
    let page = open(&ada, saved.header("location")).await;
    assert!(page.contains("In short") && page.contains("rust web"), "{page}");
    let long = "x".repeat(200);
    let refused = ada.post(&here, &[("do", "describe"), ("summary", &long)]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains(&long), "what was written is not lost");
}

#[tokio::test]
async fn a_webhooks_secret_is_shown_once_and_its_log_is_read() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    let here = path("webhooks", "ada/private");
    let fields = [
        ("do", "create"),
        ("url", "https://ci.example.com/hooks/secret-part"),
        ("label", "ci"),
        ("format", "docker_hub"),
        ("event", "push"),
        ("event", "tag.moved"),
    ];
    let made = ada.post(&here, &fields).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert_eq!(made.header("cache-control"), "no-store");
    assert!(made.body.contains("whsec_"));
    is_whole(&made.body, "secret");
    let list = open(&ada, &here).await;
    assert!(list.contains(">ci</a>") && !list.contains("whsec_") && !list.contains("secret-part"));
    let id = list
        .split("?webhook=")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let one = format!("{here}?webhook={id}");
    assert!(!open(&ada, &one).await.contains("whsec_"));
    let pinged = ada.post(&here, &[("do", "ping"), ("webhook", &id)]).await;
    assert_eq!(pinged.status, StatusCode::SEE_OTHER, "{}", pinged.body);
    open(&ada, pinged.header("location")).await;
    let rotated = ada
        .post(
            &here,
            &[("do", "rotate"), ("webhook", &id), ("overlap_hours", "0")],
        )
        .await;
    assert!(rotated.body.contains("whsec_"));
    let fields = [
        ("do", "change"),
        ("webhook", id.as_str()),
        ("label", "cd"),
        ("format", "cloudevents"),
    ];
    let nothing = ada.post(&here, &fields).await;
    assert_eq!(nothing.status, StatusCode::BAD_REQUEST, "told of nothing");
    let fields = [
        ("do", "change"),
        ("webhook", id.as_str()),
        ("label", "cd"),
        ("format", "cloudevents"),
        ("event", "star"),
    ];
    assert_eq!(ada.post(&here, &fields).await.status, StatusCode::SEE_OTHER);
    assert!(open(&ada, &one).await.contains("cd"));
    let gone = ada.post(&here, &[("do", "remove"), ("webhook", &id)]).await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
    assert_eq!(ada.get(&one).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_name_is_rehearsed_and_the_end_needs_the_name_typed() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    let here = path("name", "ada/private");
    let shown = ada.post(&here, &[("do", "rehearse"), ("to", "ada/other")]).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.body.contains("value=\"rename\""), "{}", shown.body);
    open(&ada, &here).await;
    let taken = ada.post(&here, &[("do", "rename"), ("to", "ada/public")]).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    let renamed = ada.post(&here, &[("do", "rename"), ("to", "ada/other")]).await;
    assert!(
        renamed
            .header("location")
            .starts_with("/settings/general/ada/other")
    );
    let end = path("delete", "ada/other");
    let typo = ada.post(&end, &[("do", "delete"), ("typed", "ada/othr")]).await;
    assert_eq!(typo.status, StatusCode::BAD_REQUEST);
    let gone = ada.post(&end, &[("do", "delete"), ("typed", "ada/other")]).await;
    assert!(
        gone.header("location").starts_with("/o/ada/deleted"),
        "{}",
        gone.body
    );
    let list = open(&ada, gone.header("location")).await;
    let id = list.split("name=\"repository\" value=\"").nth(1).unwrap();
    let id = id.split('"').next().unwrap();
    let back = ada
        .post(
            "/o/ada/deleted",
            &[("do", "restore"), ("repository", id), ("name", "ada/other")],
        )
        .await;
    assert!(
        back.header("location").starts_with("/r/ada/other"),
        "{}",
        back.body
    );
    open(&ada, &path("general", "ada/other")).await;
}

#[tokio::test]
async fn a_repository_is_made_where_its_maker_may() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    let form = |namespace| {
        [
            ("do", "create"),
            ("namespace", namespace),
            ("name", "new"),
            ("visibility", "private"),
        ]
    };
    let made = ada.post("/new/repository", &form("ada")).await;
    assert!(made.header("location").starts_with("/r/ada/new"), "{}", made.body);
    let refused = ada.post("/new/repository", &form("eve")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    is_whole(&refused.body, "/new/repository");
}

#[test]
fn every_key_that_is_put_together_has_a_text() {
    for key in super::webhooks::tests::keys() {
        for language in Language::EVERY {
            assert!(language.has(&key), "{key}");
        }
    }
    for section in Section::OF_REPOSITORY.into_iter().chain(Section::OF_NAMESPACE) {
        for language in Language::EVERY {
            assert!(language.has(section.key()), "{section:?}");
        }
    }
}
