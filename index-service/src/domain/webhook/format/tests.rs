use super::super::{Facts, Platform};
use super::*;

fn facts() -> Facts {
    Facts {
        at: 1_800_000_000_123,
        namespace: "team".to_owned(),
        repository: Some("team/app".to_owned()),
        repository_id: Some(9_007_199_254_740_993),
        actor: Some("ada".to_owned()),
        tag: Some("v1".to_owned()),
        digest: Some("sha256:0123456789abcdef0123".to_owned()),
        digest_before: Some("sha256:fedcba98765432100123".to_owned()),
        media_type: Some("application/vnd.oci.image.index.v1+json".to_owned()),
        ..Facts::default()
    }
}

fn platforms() -> Vec<Platform> {
    ["linux/amd64", "linux/arm64"]
        .iter()
        .map(|platform| Platform {
            digest: format!("sha256:{platform}"),
            platform: Some((*platform).to_owned()),
            size: 7,
        })
        .collect()
}

fn told<'a>(kind: EventKind, facts: &'a Facts, platforms: &'a [Platform]) -> Told<'a> {
    Told {
        id: "msg_1",
        kind,
        facts,
        about: None,
        platforms,
        public_url: "https://hub.example.com",
    }
}

/// The fields that receivers of Docker Hub's webhooks declare, with the types that they declare.
#[test]
fn a_push_reads_as_docker_hub_writes_it() {
    let (facts, platforms) = (facts(), platforms());
    let about = About {
        summary: "An app".to_owned(),
        description: "# App".to_owned(),
        star_count: 3,
        is_private: true,
        is_official: false,
        created_at: 1_700_000_000_999,
    };
    let body = render(
        HookFormat::DockerHub,
        &Told {
            about: Some(&about),
            ..told(EventKind::Push, &facts, &platforms)
        },
    );
    let (push, repository) = (&body["push_data"], &body["repository"]);
    assert_eq!(push["pushed_at"], 1_800_000_000);
    assert_eq!((&push["pusher"], &push["tag"]), (&json!("ada"), &json!("v1")));
    assert!(push["images"].as_array().unwrap().iter().all(Value::is_string));
    assert_eq!(push["digest"], "sha256:0123456789abcdef0123");
    assert_eq!(push["platforms"][1]["platform"], "linux/arm64");
    for (field, value) in [
        ("repo_name", json!("team/app")),
        ("namespace", json!("team")),
        ("name", json!("app")),
        ("owner", json!("team")),
        ("repo_url", json!("https://hub.example.com/r/team/app")),
        ("image", json!("hub.example.com/team/app:v1")),
        ("is_private", json!(true)),
        ("is_official", json!(false)),
        ("is_trusted", json!(false)),
        ("star_count", json!(3)),
        ("comment_count", json!(0)),
        ("status", json!("Active")),
        ("date_created", json!(1_700_000_000)),
        ("description", json!("An app")),
        ("full_description", json!("# App")),
        ("dockerfile", json!("")),
    ] {
        assert_eq!(repository[field], value, "{field}");
    }
    assert!(body["callback_url"].is_string());
    assert_eq!(body["event"], "push");
}

#[test]
fn what_is_no_push_has_no_push_data_so_that_nobody_deploys_a_deleted_tag() {
    let facts = facts();
    for kind in EventKind::EVERY.iter().filter(|kind| **kind != EventKind::Push) {
        let body = render(HookFormat::DockerHub, &told(*kind, &facts, &[]));
        assert!(body.get("push_data").is_none(), "{kind}");
        assert_eq!(body["event"], kind.as_str());
    }
}

#[test]
fn a_cloud_event_has_every_attribute_that_the_specification_requires() {
    let (facts, platforms) = (facts(), platforms());
    let event = render(
        HookFormat::CloudEvents,
        &told(EventKind::TagMoved, &facts, &platforms),
    );
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["id"], "msg_1");
    assert_eq!(event["source"], "https://hub.example.com/r/team/app");
    assert_eq!(event["type"], "portolan.tag.moved");
    assert_eq!(event["time"], "2027-01-15T08:00:00.123Z");
    assert_eq!(event["subject"], "hub.example.com/team/app:v1");
    assert_eq!(event["data"]["digest_before"], "sha256:fedcba98765432100123");
    assert_eq!(event["data"]["repository_id"], "9007199254740993");
    assert!(event["data"].get("visibility").is_none());
    let none = Facts {
        namespace: "team".to_owned(),
        ..Facts::default()
    };
    let event = render(HookFormat::CloudEvents, &told(EventKind::Ping, &none, &[]));
    assert_eq!(event["source"], "https://hub.example.com/u/team");
}

#[test]
fn chats_get_a_sentence_with_a_link() {
    let (facts, platforms) = (facts(), platforms());
    let told = told(EventKind::Push, &facts, &platforms);
    assert_eq!(
        render(HookFormat::Slack, &told)["text"],
        "ada pushed v1 to <https://hub.example.com/r/team/app|team/app> (0123456789ab, linux/amd64, linux/arm64)"
    );
    let feishu = render(HookFormat::Feishu, &told);
    assert_eq!(feishu["msg_type"], "text");
    assert_eq!(
        feishu["content"]["text"],
        "ada pushed v1 to team/app (https://hub.example.com/r/team/app) (0123456789ab, linux/amd64, linux/arm64)"
    );
    let markdown = "ada pushed v1 to [team/app](https://hub.example.com/r/team/app) (0123456789ab, linux/amd64, linux/arm64)";
    let dingtalk = render(HookFormat::DingTalk, &told);
    assert_eq!(dingtalk["markdown"]["text"], markdown);
    assert_eq!(dingtalk["markdown"]["title"], "push: team/app");
    assert_eq!(render(HookFormat::WeCom, &told)["markdown"]["content"], markdown);
}

#[test]
fn what_people_write_calls_nobody_and_links_nowhere() {
    let mut facts = facts();
    facts.text = Some("<!channel> [free](https://evil.example) @all *now*\nnext".to_owned());
    let told = told(EventKind::Comment, &facts, &[]);
    let slack = render(HookFormat::Slack, &told)["text"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        slack.contains("&lt;!channel&gt;") && !slack.contains('\n'),
        "{slack}"
    );
    let wecom = render(HookFormat::WeCom, &told)["markdown"]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        !wecom.contains("](https://evil") && !wecom.contains("@all"),
        "{wecom}"
    );
    facts.text = Some("界".repeat(1_000));
    let long = render(HookFormat::Feishu, &self::told(EventKind::Comment, &facts, &[]));
    assert!(long["content"]["text"].as_str().unwrap().chars().count() < 400);
}

#[test]
fn every_kind_has_a_sentence_in_every_form() {
    let bare = Facts::default();
    for kind in EventKind::EVERY {
        for format in HookFormat::EVERY {
            assert!(
                render(*format, &told(*kind, &bare, &[])).is_object(),
                "{kind} {format}"
            );
        }
    }
}
