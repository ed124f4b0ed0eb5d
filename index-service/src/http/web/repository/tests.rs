mod busy;
mod weight;

use http::StatusCode;
use serde_json::{Value, json};

use crate::app::fixture::NOW_MS;
use crate::domain::RepositoryId;
use crate::domain::content::{Description, Part, Role};
use crate::http::testing::{Front, name};
use crate::store::content_feed::{TagChange, add_tag_change};
use crate::store::manifest::{add_manifest, describe_manifest};
use crate::store::tag::put_tag;
use crate::store::{Tx, repository};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

fn part(role: Role, media_type: &str, digit: char, size: i64) -> Part {
    Part {
        role,
        digest: digest(digit),
        media_type: media_type.to_owned(),
        size,
        platform: None,
        command: (role == Role::Layer).then(|| format!("RUN /bin/sh -c make {digit} # buildkit")),
    }
}

fn image(layers: &[char], config: &Value) -> Description {
    let own = part(Role::Config, CONFIG, 'c', 7);
    let layers = layers
        .iter()
        .map(|digit| part(Role::Layer, LAYER, *digit, 1_000_000));
    Description {
        media_type: IMAGE.to_owned(),
        size: 500,
        content_size: Some(2_000_500),
        artifact_type: None,
        subject: None,
        platform: Some("linux/amd64".to_owned()),
        config: Some(config.to_string()),
        annotations: None,
        parts: std::iter::once(own).chain(layers).collect(),
    }
}

async fn put(tx: &mut Tx, id: RepositoryId, digit: char, description: &Description) {
    let digest = digest(digit);
    add_manifest(tx, id, &digest, &description.media_type, description.size)
        .await
        .unwrap();
    describe_manifest(tx, id, &digest, description, NOW_MS)
        .await
        .unwrap();
}

/// Tags `v1` (an image) and `v2` (an index of one that has another layer), with a bill of material, in this repository.
async fn fill(front: &Front, repository: &str) -> RepositoryId {
    let mut tx = front.fixture.store.write().await.unwrap();
    let found = repository::find_repository(&mut tx, &name(repository))
        .await
        .unwrap();
    let id = found.unwrap().repository_id;
    let labels = json!({"org.opencontainers.image.source": "https://example.com/app",
        "evil": "<script>alert(1)</script>", "link": "javascript:alert(1)"});
    let one = json!({"entrypoint": ["/app"], "env_names": ["PATH"], "labels": labels});
    let two = json!({"entrypoint": ["/app", "-v"], "env_names": ["PATH", "TOKEN"], "labels": labels});
    put(&mut tx, id, '1', &image(&['a', 'b'], &one)).await;
    put(&mut tx, id, '2', &image(&['a', 'd'], &two)).await;
    let child = Part {
        platform: Some("linux/amd64".to_owned()),
        ..part(Role::Manifest, IMAGE, '2', 500)
    };
    let index = Description {
        media_type: INDEX.to_owned(),
        content_size: None,
        platform: None,
        config: None,
        parts: vec![child],
        ..image(&[], &json!({}))
    };
    put(&mut tx, id, '3', &index).await;
    let sbom = Description {
        artifact_type: Some("application/spdx+json".to_owned()),
        subject: Some(digest('3')),
        config: None,
        platform: None,
        ..image(&['e'], &json!({}))
    };
    put(&mut tx, id, '4', &sbom).await;
    for (sequence, tag, before, after) in [
        (1, "v1", None, '2'),
        (2, "v1", Some('2'), '1'),
        (3, "v2", None, '3'),
    ] {
        let change = TagChange {
            sequence,
            tag: tag.to_owned(),
            digest_before: before.map(digest),
            digest_after: Some(digest(after)),
            changed_at: NOW_MS,
            changed_by: Some("ada".to_owned()),
            client: Some("docker".to_owned()),
        };
        add_tag_change(&mut tx, id, &change).await.unwrap();
        put_tag(&mut tx, id, tag, &digest(after), NOW_MS + sequence)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    id
}

/// Every page of a repository that [`fill`] filled.
fn pages(repository: &str) -> Vec<String> {
    let rest = [
        String::new(),
        "/-/tags".to_owned(),
        "/-/tags?q=v&order=name".to_owned(),
        "/-/tags/v1".to_owned(),
        "/-/tags/v2".to_owned(),
        format!("/-/manifests/{}", digest('4')),
        "/-/compare?from=v1&to=v2".to_owned(),
        "/-/activity?by=client&days=90".to_owned(),
    ];
    rest.iter().map(|rest| format!("/r/{repository}{rest}")).collect()
}

/// A page without what differs from request to request: its own address, and the name in it.
fn without_path(body: &str, path: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
    let shown = path.replace('&', "&#38;");
    let mut body = body.to_owned();
    for part in [
        encoded.as_str(),
        path,
        shown.as_str(),
        "ada/private",
        "ada/nonsense",
    ] {
        body = body.replace(part, "");
    }
    body
}

#[tokio::test]
async fn a_private_repository_looks_like_nonsense_on_every_page_to_who_may_not_see_it() {
    let front = Front::new().await;
    fill(&front, "ada/private").await;
    for reader in ["", "eve"] {
        let browser = front.browser(reader).await;
        let nonsense = browser.get("/r/ada/nonsense").await;
        assert_eq!(nonsense.status, StatusCode::NOT_FOUND);
        let nonsense = without_path(&nonsense.body, "/r/ada/nonsense");
        let forbidden = [
            "/-/tags/v1/delete".to_owned(),
            "/-/comments".to_owned(),
            ":v1".to_owned(),
        ];
        let more = forbidden.iter().map(|rest| format!("/r/ada/private{rest}"));
        for path in pages("ada/private").into_iter().chain(more) {
            let page = browser.get(&path).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{reader}: {path}");
            assert_eq!(without_path(&page.body, &path), nonsense, "{reader}: {path}");
        }
    }
    let ada = front.browser("ada").await;
    for path in pages("ada/private") {
        let page = ada.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn every_page_of_a_public_repository_is_shown_to_anybody_in_both_languages() {
    let front = Front::new().await;
    fill(&front, "ada/public").await;
    let browser = front.browser("").await;
    for path in pages("ada/public")
        .iter()
        .chain(&["/n/ada".to_owned(), "/n/library".to_owned()])
    {
        for language in ["en", "zh-CN"] {
            let sign = if path.contains('?') { '&' } else { '?' };
            let page = browser.get(&format!("{path}{sign}lang={language}")).await;
            assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
            assert_eq!(page.body.matches("<h1").count(), 1, "{path}");
            for part in ["style=\"", " onclick", "<style", "<script>", "href=\"javascript"] {
                assert!(!page.body.contains(part), "{path}: {part}");
            }
            let areas = ["repository-", "tag-", "compare-", "comment-", "namespace-"];
            for area in areas {
                let text = page.body.contains(&format!(">{area}"));
                assert!(!text, "{path}: a key of {area} is shown");
            }
        }
    }
}

#[tokio::test]
async fn a_tags_page_tells_layers_configuration_and_what_is_attached() {
    let front = Front::new().await;
    fill(&front, "ada/public").await;
    let browser = front.browser("").await;
    let page = browser.get("/r/ada/public/-/tags/v2").await.body;
    for part in [
        "docker pull localhost:5000/ada/public:v2",
        "linux/amd64",
        "RUN make a",
        "[&#34;/app&#34;,&#34;-v&#34;]",
        "TOKEN",
        "&#60;script&#62;alert(1)",
        "href=\"https://example.com/app\"",
        "SBOM",
        "application/spdx+json",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(
        !page.contains("/restore") && !page.contains("v2/delete"),
        "a stranger"
    );
    let ada = front.browser("ada").await;
    let page = ada.get("/r/ada/public/-/tags/v1").await.body;
    assert!(page.contains("/-/tags/v1/restore") && page.contains("/-/tags/v1/delete"));
    // Clients of an earlier index tag; the digest can be short.
    let short = browser.get("/r/ada/public@33333333").await;
    assert_eq!(
        short.header("location"),
        format!("/r/ada/public/-/manifests/{}", digest('3'))
    );
    let tag = browser.get("/r/ada/public:v1").await;
    assert_eq!(tag.header("location"), "/r/ada/public/-/tags/v1");
}

#[tokio::test]
async fn two_tags_are_compared_by_layers_and_configuration() {
    let front = Front::new().await;
    fill(&front, "ada/public").await;
    let browser = front.browser("").await;
    let page = browser.get("/r/ada/public/-/compare?from=v1&to=v2").await.body;
    for part in [
        "1.00 MB in both",
        "TOKEN",
        "mark added",
        "mark removed",
        "mark shared",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let same = browser.get("/r/ada/public/-/compare?from=v1&to=v1").await.body;
    assert!(same.contains("are the same"), "{same}");
    let none = browser.get("/r/ada/public/-/compare?from=v1&to=nothing").await;
    assert_eq!(none.status, StatusCode::OK);
    assert!(none.body.contains("role=\"alert\""));
}

#[tokio::test]
async fn forms_change_what_their_reader_may_change_and_nothing_else() {
    let front = Front::new().await;
    fill(&front, "ada/public").await;
    fill(&front, "ada/private").await;
    let (nobody, eve, ada) = (
        front.browser("").await,
        front.browser("eve").await,
        front.browser("ada").await,
    );
    let typed = [("typed", "v1")];
    for (path, fields) in [
        ("star", &[("wanted", "yes")][..]),
        ("bookmark", &[("wanted", "yes")]),
        ("tags/v1/delete", &typed),
        ("tags/v1/restore", &[]),
        ("comments", &[("text", "hello")]),
        ("comments/7/delete", &[]),
        ("comments/7/hide", &[]),
    ] {
        let answer = nobody.post(&format!("/r/ada/public/-/{path}"), fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert!(answer.header("location").starts_with("/sign-in"), "{path}");
        let answer = eve.post(&format!("/r/ada/private/-/{path}"), fields).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["tags/v1/delete", "tags/v1/restore"] {
        let answer = eve.post(&format!("/r/ada/public/-/{path}"), &typed).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}: {}", answer.body);
    }
    let starred = eve.post("/r/ada/public/-/star", &[("wanted", "yes")]).await;
    assert_eq!(
        starred.header("location"),
        "/r/ada/public?done=repository-done-starred"
    );
    eve.post("/r/ada/public/-/bookmark", &[("wanted", "yes")]).await;
    let page = eve.get("/r/ada/public?done=repository-done-starred").await.body;
    assert!(page.contains("aria-pressed=\"true\"") && page.contains("role=\"status\""));
    let kept = front.api("eve", "GET", "/bookmarks", Value::Null).await.ok();
    assert_eq!(kept["items"][0]["list"], "bookmarks", "{kept}");
    // A slip of the hand deletes nothing; neither does a form while there is no registry to ask.
    let slip = ada
        .post("/r/ada/public/-/tags/v1/delete", &[("typed", "v2")])
        .await;
    assert_eq!(slip.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(slip.body.contains("role=\"alert\""), "{}", slip.body);
    assert_eq!(ada.get("/r/ada/public/-/tags/v1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn no_form_of_another_site_is_taken() {
    let front = Front::new().await;
    fill(&front, "ada/public").await;
    let ada = front.browser("ada").await;
    for path in [
        "star",
        "bookmark",
        "tags/v1/delete",
        "tags/v1/restore",
        "comments",
        "comments/7/edit",
    ] {
        let path = format!("/r/ada/public/-/{path}");
        let fields = "wanted=yes&typed=v1&text=x";
        let own = format!("{fields}&csrf={}", ada.csrf);
        for (fields, site) in [
            (own.as_str(), "cross-site"),
            (own.as_str(), "same-site"),
            (fields, "same-origin"),
        ] {
            let request = http::Request::post(&path)
                .header("accept", "text/html")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("cookie", &ada.cookie)
                .header("sec-fetch-site", site)
                .body(axum::body::Body::from(fields.to_owned()))
                .unwrap();
            let answer = front.send(request).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}, {site}");
        }
        // Nothing is changed by looking.
        ada.get(&format!("{path}?{own}")).await;
    }
    let page = ada.get("/r/ada/public").await.body;
    assert!(page.contains("/-/tags/v1"), "{page}");
    for path in ["/stars", "/bookmarks"] {
        let kept = front.api("ada", "GET", path, Value::Null).await.ok();
        assert_eq!(kept["items"], json!([]), "{path}");
    }
}

#[tokio::test]
async fn comments_are_written_answered_reported_and_hidden_on_the_page() {
    let front = Front::new().await;
    front.administrator("root").await;
    let id = fill(&front, "ada/public").await;
    front
        .api("root", "PUT", "/site/comments", json!({"allowed": true}))
        .await
        .ok();
    let (eve, ada) = (front.browser("eve").await, front.browser("ada").await);
    let page = "/r/ada/public/-/comments";
    assert_eq!(eve.get(page).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        ada.get(page).await.status,
        StatusCode::OK,
        "who manages it sees that it is closed"
    );
    let settings = format!("/repositories/{id}/comments/settings");
    let open = json!({"open": true, "newcomers_wait": false});
    front.api("ada", "PUT", &settings, open).await.ok();
    let empty = eve.post(page, &[("text", "  ")]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let written = eve
        .post(page, &[("text", "# Hello <b>there</b>\n\n<script>x</script>")])
        .await;
    let place = written.header("location");
    assert!(
        place.starts_with(&format!("{page}?done=comment-done-written#comment-")),
        "{place}"
    );
    let comment = place.rsplit('-').next().unwrap().to_owned();
    let shown = ada.get(page).await.body;
    assert!(
        shown.contains("<h5>Hello <b>there</b></h5>") && !shown.contains("<script>x"),
        "{shown}"
    );
    let answer = ada
        .post(page, &[("text", "Welcome"), ("answers", &comment)])
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let reported = ada
        .post(&format!("{page}/{comment}/report"), &[("text", "shouting")])
        .await;
    assert_eq!(reported.status, StatusCode::SEE_OTHER);
    assert!(ada.get(page).await.body.contains("shouting"));
    for (deed, text) in [("lock", "This thread is locked"), ("hide", "Hidden")] {
        ada.post(&format!("{page}/{comment}/{deed}"), &[]).await;
        assert!(ada.get(page).await.body.contains(text), "{deed}");
    }
    let locked = eve.post(page, &[("text", "more"), ("answers", &comment)]).await;
    assert_eq!(locked.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(locked.body.contains("locked"), "{}", locked.body);
}

#[tokio::test]
async fn a_namespace_shows_what_its_reader_may_see() {
    let front = Front::new().await;
    let (nobody, ada) = (front.browser("").await, front.browser("ada").await);
    let page = nobody.get("/n/ada").await.body;
    assert!(
        page.contains("/r/ada/public") && !page.contains("private"),
        "{page}"
    );
    let own = ada.get("/n/ada").await.body;
    assert!(own.contains("/r/ada/private"), "{own}");
    for path in ["/n/nobody", "/n/A", "/n/a%2Fb"] {
        assert_eq!(nobody.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
