mod failing;
mod managed;
mod receiver;
mod replicas;

use std::sync::Arc;

use serde_json::{Value, json};
use shared::oci::RepositoryName;
use shared::secret::Secret;
use shared::token::TagSet;

use super::*;
use crate::app::fixture::{Fixture, NOW_MS};
use crate::app::{Settings, content::Carried};
use crate::domain::Visibility;
use crate::domain::webhook::{DeliveryState, Facts, HookDelivery};
use crate::egress::{EgressPolicy, standard};
use crate::store::Store;

use receiver::Receiver;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const OTHER: &str = "sha256:a3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The use cases with ada's repository `ada/app`, and a receiver on this machine.
struct World {
    fixture: Fixture,
    receiver: Receiver,
    ada: Caller,
    id: RepositoryId,
    events: u32,
}

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

fn open(settings: &mut Settings) {
    settings.egress = EgressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()]);
}

impl World {
    async fn new() -> Self {
        Self::over(Store::open("sqlite::memory:").await.unwrap()).await
    }

    async fn over(store: Store) -> Self {
        let fixture = Fixture::build(store, None, open);
        let app = &fixture.app;
        for account in ["ada", "eve"] {
            app.create_account(account, Secret::new("correct horse battery".to_owned()))
                .await
                .unwrap();
        }
        app.confirm_pushed(&name("ada/app")).await.unwrap();
        let ada = app.operator("ada").await.unwrap();
        let id = app.find_named(&ada, &name("ada/app")).await.unwrap();
        Self {
            receiver: Receiver::start().await,
            id: id.facts.repository_id,
            ada,
            fixture,
            events: 0,
        }
    }

    fn app(&self) -> Arc<App> {
        Arc::clone(&self.fixture.app)
    }

    fn here(&self) -> HookScope {
        HookScope::Repository(self.id)
    }

    fn wish(&self, events: &[EventKind]) -> HookWish {
        HookWish {
            url: Some(Secret::new(self.receiver.url())),
            events: Some(events.to_vec()),
            ..HookWish::default()
        }
    }

    async fn hook(&self, scope: &HookScope, wish: HookWish) -> (WebhookId, Option<String>) {
        let (made, secret) = self.app().create_webhook(&self.ada, scope, wish).await.unwrap();
        (
            made.webhook.webhook_id,
            secret.map(|secret| secret.expose().clone()),
        )
    }

    async fn event(&mut self, action: &str, mut target: Value) -> Carried {
        self.events += 1;
        target["repository"] = "ada/app".into();
        let event = json!({"id": format!("{:08x}-0000", self.events), "timestamp": "2027-01-15T07:59:00Z",
            "action": action, "target": target, "actor": {"name": "ada"}, "request": {"useragent": "docker/27"}});
        let body = json!({"events": [event]}).to_string();
        self.app().receive_events(body.as_bytes()).await.unwrap()
    }

    async fn push(&mut self, tag: &str, digest: &str) {
        let target = json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 12, "digest": digest,
            "tag": tag});
        assert_eq!(self.event("push", target).await.done, 1);
    }

    async fn deliver(&self) -> usize {
        self.app().deliver_due().await.unwrap()
    }

    /// What came: kinds of events with their tags.
    fn came(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.receiver
            .take()
            .iter()
            .map(|request| {
                let body: Value = serde_json::from_str(&request.body).unwrap();
                (text(&body["event"]), text(&body["event_data"]["tag"]))
            })
            .collect()
    }

    async fn log(&self, id: WebhookId) -> Vec<HookDelivery> {
        self.app()
            .list_deliveries(&self.ada, &self.here(), id, i64::MAX, 50)
            .await
            .unwrap()
    }

    async fn show(&self, id: WebhookId) -> Webhook {
        self.app()
            .show_webhook(&self.ada, &self.here(), id)
            .await
            .unwrap()
            .webhook
    }
}

fn ms(ms: i64) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(ms).unwrap())
}

fn kinds(came: &[(String, String)]) -> Vec<&str> {
    came.iter().map(|(kind, _)| kind.as_str()).collect()
}

#[tokio::test]
async fn a_push_arrives_with_a_signature_that_verifies() {
    let mut world = World::new().await;
    let (id, secret) = world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
    let secret = secret.unwrap();
    assert!(secret.starts_with("whsec_"));
    world.push("v1", DIGEST).await;
    assert_eq!(world.deliver().await, 1);
    let came = world.receiver.take();
    let [request] = &came[..] else { panic!("{came:?}") };
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body["push_data"]["tag"], "v1");
    assert_eq!(body["push_data"]["pusher"], "ada");
    assert_eq!(body["push_data"]["digest"], DIGEST);
    assert_eq!(body["repository"]["repo_name"], "ada/app");
    assert_eq!(body["repository"]["is_private"], true);
    let timestamp: i64 = request.header("webhook-timestamp").parse().unwrap();
    assert_eq!(timestamp, NOW_MS / 1000);
    let signature = standard(
        [secret.as_str()],
        request.header("webhook-id"),
        timestamp,
        &request.body,
    );
    assert_eq!(request.header("webhook-signature"), signature);
    assert_eq!(request.header("content-type"), "application/json");
    let log = world.log(id).await;
    assert_eq!(
        (log[0].state, log[0].status, log[0].attempts),
        (DeliveryState::Delivered, Some(200), 1)
    );
    assert_eq!(log[0].request_body.as_deref(), Some(request.body.as_str()));
    assert_eq!(world.deliver().await, 0, "it is told once");
    // The secret lies nowhere in what is shown or written down.
    let shown = format!("{:?}{:?}", world.show(id).await.shown_url, log);
    assert!(!shown.contains(&secret));
}

#[tokio::test]
async fn what_the_registry_tells_reaches_those_who_want_it_in_its_order() {
    let mut world = World::new().await;
    world
        .hook(
            &world.here(),
            world.wish(&[
                EventKind::Push,
                EventKind::TagMoved,
                EventKind::TagDeleted,
                EventKind::ManifestDeleted,
            ]),
        )
        .await;
    world.push("v1", DIGEST).await;
    world.push("v1", DIGEST).await;
    world.push("v1", OTHER).await;
    world.event("delete", json!({"tag": "v1"})).await;
    world.event("delete", json!({"digest": OTHER})).await;
    world.deliver().await;
    assert_eq!(
        kinds(&world.came()),
        [
            "push",
            "push",
            "push",
            "tag.moved",
            "tag.deleted",
            "manifest.deleted"
        ]
    );
}

#[tokio::test]
async fn a_pattern_of_tags_lets_through_its_tags_alone() {
    let mut world = World::new().await;
    let wish = HookWish {
        tags: Some(TagSet::parse(Some("v* main")).unwrap()),
        ..world.wish(&[EventKind::Push])
    };
    world.hook(&world.here(), wish).await;
    for tag in ["v1", "dev", "main", "mainly"] {
        world.push(tag, DIGEST).await;
    }
    world.deliver().await;
    let tags: Vec<String> = world.came().into_iter().map(|(_, tag)| tag).collect();
    assert_eq!(tags, ["v1", "main"]);
}

#[tokio::test]
async fn a_namespace_hears_of_everything_that_happens_to_its_repositories() {
    let world = World::new().await;
    let every: Vec<EventKind> = EventKind::EVERY
        .iter()
        .copied()
        .filter(|kind| kind.is_chosen())
        .collect();
    let team = HookScope::Namespace("ada".parse().unwrap());
    world.hook(&team, world.wish(&every)).await;
    let app = world.app();
    let made = app
        .create_repository(&world.ada, &name("ada/new"), None)
        .await
        .unwrap();
    let id = made.facts.repository_id;
    app.change_visibility(&world.ada, id, Visibility::Public)
        .await
        .unwrap();
    app.change_visibility(&world.ada, id, Visibility::Public)
        .await
        .unwrap();
    app.set_star(&world.ada, id, true).await.unwrap();
    app.set_star(&world.ada, id, true).await.unwrap();
    app.set_star(&world.ada, id, false).await.unwrap();
    app.transfer_repository(&world.ada, id, &name("ada/newer"), true)
        .await
        .unwrap();
    app.transfer_repository(&world.ada, id, &name("ada/newer"), false)
        .await
        .unwrap();
    app.delete_repository(&world.ada, id).await.unwrap();
    app.restore_repository(&world.ada, id, None).await.unwrap();
    app.confirm_pushed(&name("ada/pushed")).await.unwrap();
    world.deliver().await;
    assert_eq!(
        kinds(&world.came()),
        [
            "repository.created",
            "repository.visibility",
            "star",
            "repository.renamed",
            "repository.deleted",
            "repository.restored",
            "repository.created",
        ]
    );
}

#[tokio::test]
async fn a_test_is_sent_once_and_before_what_waits() {
    let mut world = World::new().await;
    let (id, _) = world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
    world.receiver.answer(500);
    world.push("v1", DIGEST).await;
    world.deliver().await;
    world.receiver.take();
    let ping = world
        .app()
        .ping_webhook(&world.ada, &world.here(), id)
        .await
        .unwrap();
    world.deliver().await;
    assert_eq!(
        kinds(&world.came()),
        ["ping"],
        "it does not wait for the pause to end"
    );
    let ping = world
        .app()
        .show_delivery(&world.ada, &world.here(), id, ping.delivery_id)
        .await
        .unwrap();
    assert_eq!((ping.state, ping.status), (DeliveryState::Dead, Some(500)));
    assert_eq!(
        world.show(id).await.failures,
        1,
        "a test that fails says nothing about the rest"
    );
}

#[tokio::test]
async fn a_delivery_is_sent_again_as_the_same_message() {
    let mut world = World::new().await;
    let (id, _) = world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
    world.push("v1", DIGEST).await;
    world.deliver().await;
    let first = world.log(id).await.remove(0);
    let again = world
        .app()
        .redeliver(&world.ada, &world.here(), id, first.delivery_id)
        .await
        .unwrap();
    assert_ne!(again.delivery_id, first.delivery_id);
    world.deliver().await;
    let came = world.receiver.take();
    assert_eq!(came.len(), 2);
    assert_eq!(came[0].header("webhook-id"), came[1].header("webhook-id"));
    assert_eq!(world.log(id).await.len(), 2);
}

#[tokio::test]
async fn two_secrets_sign_while_one_replaces_the_other() {
    let mut world = World::new().await;
    let (id, old) = world.hook(&world.here(), world.wish(&[EventKind::Push])).await;
    let (_, new) = world
        .app()
        .rotate_webhook(&world.ada, &world.here(), id, 1)
        .await
        .unwrap();
    let (old, new) = (old.unwrap(), new.expose().clone());
    world.push("v1", DIGEST).await;
    world.deliver().await;
    let signed = |request: &receiver::Request, secret: &str| {
        let timestamp = request.header("webhook-timestamp").parse().unwrap();
        let expected = standard([secret], request.header("webhook-id"), timestamp, &request.body);
        request
            .header("webhook-signature")
            .split(' ')
            .any(|one| one == expected)
    };
    let request = world.receiver.take().remove(0);
    assert!(signed(&request, &old) && signed(&request, &new));
    world.fixture.clock.advance(ms(3_600_000));
    world.push("v2", DIGEST).await;
    world.deliver().await;
    let request = world.receiver.take().remove(0);
    assert!(!signed(&request, &old) && signed(&request, &new));
    // After a theft there is no overlap.
    let (_, newest) = world
        .app()
        .rotate_webhook(&world.ada, &world.here(), id, 0)
        .await
        .unwrap();
    world.push("v3", DIGEST).await;
    world.deliver().await;
    let request = world.receiver.take().remove(0);
    assert!(!signed(&request, &new) && signed(&request, newest.expose()));
}

#[tokio::test]
async fn chats_are_told_and_signed_to_in_their_own_ways() {
    let mut world = World::new().await;
    for (format, secret) in [
        (HookFormat::Slack, None),
        (HookFormat::Feishu, Some("demo")),
        (HookFormat::DingTalk, Some("SECdemo")),
        (HookFormat::WeCom, None),
        (HookFormat::CloudEvents, None),
    ] {
        let wish = HookWish {
            format: Some(format),
            secret: secret.map(|secret| Secret::new(secret.to_owned())),
            ..world.wish(&[EventKind::Push])
        };
        let (id, ours) = world.hook(&world.here(), wish).await;
        assert_eq!(ours.is_some(), format == HookFormat::CloudEvents, "{format}");
        world.push("v1", DIGEST).await;
        world.deliver().await;
        let request = world.receiver.take().remove(0);
        let body: Value = serde_json::from_str(&request.body).unwrap();
        match format {
            HookFormat::Feishu => {
                let second = NOW_MS / 1000;
                assert_eq!(body["timestamp"], second.to_string());
                assert_eq!(body["sign"], crate::egress::feishu("demo", second));
            }
            HookFormat::DingTalk => {
                let (path, query) = request.path.split_once('?').unwrap();
                assert_eq!(path, "/hook");
                let pairs: Vec<(String, String)> =
                    form_urlencoded::parse(query.as_bytes()).into_owned().collect();
                assert_eq!(pairs[0], ("timestamp".to_owned(), NOW_MS.to_string()));
                assert_eq!(pairs[1].1, crate::egress::dingtalk("SECdemo", NOW_MS));
            }
            HookFormat::CloudEvents => {
                assert!(
                    request
                        .header("content-type")
                        .starts_with("application/cloudevents+json")
                );
                assert!(request.header("webhook-signature").starts_with("v1,"));
            }
            _ => assert_eq!(request.header("webhook-signature"), ""),
        }
        world
            .app()
            .remove_webhook(&world.ada, &world.here(), id)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn much_waits_and_no_more_than_that_and_stars_keep_no_push_away() {
    let world = World::new().await;
    let (id, _) = world
        .hook(&world.here(), world.wish(&[EventKind::Push, EventKind::Star]))
        .await;
    let app = world.app();
    let mut tx = world.fixture.store.write().await.unwrap();
    let facts = Facts::about(world.id, &name("ada/app"), NOW_MS, "eve");
    for _ in 0..150 {
        app.tell(&mut tx, world.id, EventKind::Star, facts.clone())
            .await
            .unwrap();
    }
    assert_eq!(
        webhook_delivery::count_waiting(&mut tx, id, 2_000).await.unwrap(),
        100
    );
    for _ in 0..950 {
        app.tell(&mut tx, world.id, EventKind::Push, facts.clone())
            .await
            .unwrap();
    }
    assert_eq!(
        webhook_delivery::count_waiting(&mut tx, id, 2_000).await.unwrap(),
        1_000
    );
    tx.commit().await.unwrap();
    let newest = world.log(id).await.remove(0);
    assert_eq!(newest.state, DeliveryState::Dead);
    assert!(newest.error.unwrap().contains("too many"));
}
