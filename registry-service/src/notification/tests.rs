use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use shared::oci::{Algorithm, Digest, ReceivedManifest, RepositoryName, Tag};
use shared::runtime::clock::{Clock, ClockHandle};
use shared::secret::Secret;

use super::administration::{Kind, list, replay};
use super::event::{Action, Event};
use super::layout::Folder;
use super::spool::Spool;
use super::testing::{Receiver, endpoint, eventually, random};
use super::{Asker, Endpoint, Notifications, Options, Pulled, RequestRecord, Version};
use crate::metrics;
use crate::registry::{self, Registry, TagCondition};
use crate::storage::{Filesystem, Memory, Storage};

mod index;
mod purge;

const NOW_MS: i64 = 1_800_000_000_000;

/// A storage in memory, and its time.
fn memory() -> (Storage, Clock, ClockHandle) {
    let (clock, hands) = Clock::fixed(NOW_MS);
    let time = clock.clone();
    (Storage::Memory(Memory::new(move || time.now_ms())), clock, hands)
}

fn start(storage: &Storage, clock: &Clock, endpoints: Vec<Endpoint>) -> Notifications {
    let options = Options {
        endpoints,
        include_references: false,
        addr: "here:5000".to_owned(),
        within: None,
    };
    Notifications::start(storage, clock, &random(), options)
        .unwrap()
        .unwrap()
}

fn asker(repository: &str) -> Asker {
    Asker {
        repository: repository.parse().unwrap(),
        stored_as: format!("kept/{repository}").parse().unwrap(),
        from: None,
        base_url: "http://here:5000".to_owned(),
        request: RequestRecord {
            id: "request".to_owned(),
            method: "PUT".to_owned(),
            ..RequestRecord::default()
        },
        actor: "alice".to_owned(),
    }
}

fn registry(storage: &Storage, clock: &Clock) -> Registry {
    let options = registry::Options {
        max_blob_size: 1 << 20,
        rules: registry::Rules::default(),
        descriptors: None,
        upload_secret: Secret::new(vec![7; 32]),
        random: random(),
    };
    Registry::new(storage.clone(), clock.clone(), options)
}

fn repository(name: &str) -> RepositoryName {
    name.parse().unwrap()
}

async fn put_blob(registry: &Registry, name: &str, content: &'static str) -> Digest {
    let digest = Digest::of(Algorithm::Sha256, content.as_bytes());
    let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(content.as_bytes()))]);
    registry
        .put_blob(&repository(name), &digest, Some(content.len() as u64), body)
        .await
        .unwrap();
    digest
}

/// Pushes an image of one blob under these tags; its manifest's digest.
async fn put_image(registry: &Registry, name: &str, content: &'static str, tags: &[&str]) -> Digest {
    let blob = put_blob(registry, name, content).await;
    let descriptor = serde_json::json!({
        "mediaType": "application/vnd.oci.image.config.v1+json", "digest": blob, "size": content.len(),
    });
    let document = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor, "layers": [],
    });
    let bytes = Bytes::from(serde_json::to_vec(&document).unwrap());
    let received = ReceivedManifest::parse(bytes, None, Algorithm::Sha256).unwrap();
    let digest = received.digest().clone();
    let tags: Vec<Tag> = tags.iter().map(|tag| tag.parse().unwrap()).collect();
    registry
        .put_manifest(&repository(name), received, &tags, &TagCondition::Any)
        .await
        .unwrap();
    digest
}

/// Puts events of a repository into an endpoint's queue, as another process would.
async fn append(storage: &Storage, endpoint: &str, name: &str, ids: std::ops::Range<u32>) {
    let spool = Spool::new(storage.clone(), Folder::of(endpoint));
    for id in ids {
        let event: Event = serde_json::from_value(serde_json::json!({
            "id": format!("{name}-{id}"), "timestamp": "", "action": "push",
            "target": {"repository": name},
        }))
        .unwrap();
        let steps = vec![spool.append(&super::layout::of_repository(&repository(name)), &event)];
        storage.commit(vec![], steps).await.unwrap();
    }
}

fn ids(events: &[Event], name: &str) -> Vec<String> {
    let of = events.iter().filter(|event| event.target.repository == name);
    of.map(|event| event.id.clone()).collect()
}

fn expected(name: &str, ids: std::ops::Range<u32>) -> Vec<String> {
    ids.map(|id| format!("{name}-{id}")).collect()
}

async fn lines(storage: &Storage, kind: Kind) -> Vec<String> {
    let mut lines = Vec::new();
    list(storage, None, kind, |event| lines.push(event.to_string()))
        .await
        .unwrap();
    lines
}

/// What an event is told by.
fn outline(event: &Event) -> String {
    let target = &event.target;
    let digest = target.digest.get(7..11).unwrap_or_default();
    let (tag, from) = (&target.tag, &target.from_repository);
    format!(
        "{} {}:{tag}@{digest}<{from}",
        event.action.as_str(),
        target.repository
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_is_told_in_its_order_with_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let files = Filesystem::open(folder.path(), crate::storage::Options::default()).unwrap();
    let memory = memory();
    for (number, storage) in [memory.0, Storage::Filesystem(files)].into_iter().enumerate() {
        let (receiver, url) = Receiver::start().await;
        let clock = Clock::system();
        let told = start(&storage, &clock, vec![endpoint(&format!("every{number}"), &url)]);
        let plain = registry(&storage, &clock);
        let (a, b) = (repository("team/a"), repository("b"));
        let in_a = told.announced(&plain, asker("team/a"));
        let in_b = told.announced(&plain, asker("b"));
        let image = put_image(&in_a, "team/a", "one", &["x", "y"]).await;
        let untagged = put_image(&in_a, "team/a", "two", &[]).await;
        let blob = put_blob(&in_a, "team/a", "one").await;
        assert!(
            in_b.mount_blob(&b, std::slice::from_ref(&a), &blob)
                .await
                .unwrap()
        );
        assert!(
            in_b.mount_blob(&b, std::slice::from_ref(&a), &blob)
                .await
                .unwrap()
        );
        in_b.delete_blob(&b, &blob).await.unwrap();
        in_a.delete_tag(&a, &"y".parse().unwrap(), &TagCondition::Any)
            .await
            .unwrap();
        in_a.delete_manifest(&a, &image).await.unwrap();
        // What is not told of is not told of.
        put_blob(&plain, "b", "three").await;
        eventually("all events", async || receiver.events().len() == 12).await;
        let short = |digest: &Digest| digest.hex()[..4].to_owned();
        let (image, untagged, one) = (short(&image), short(&untagged), short(&blob));
        let two = short(&Digest::of(Algorithm::Sha256, b"two"));
        let events = receiver.events();
        let of = |name: &str| -> Vec<String> {
            let of = events.iter().filter(|event| event.target.repository == name);
            of.map(outline).collect()
        };
        assert_eq!(
            of("team/a"),
            [
                format!("push team/a:@{one}<"),
                format!("push team/a:x@{image}<"),
                format!("push team/a:y@{image}<"),
                format!("push team/a:@{two}<"),
                format!("push team/a:@{untagged}<"),
                format!("push team/a:@{one}<"),
                "delete team/a:y@<".to_owned(),
                "delete team/a:x@<".to_owned(),
                format!("delete team/a:@{image}<"),
            ]
        );
        let mounted = format!("mount b:@{one}<team/a");
        assert_eq!(of("b"), [mounted.clone(), mounted, format!("delete b:@{one}<")]);
        // Repositories are served side by side: the first of all may be one of b.
        let first = events
            .iter()
            .find(|event| event.target.repository == "team/a")
            .unwrap();
        assert_eq!(
            first.target.url,
            format!("http://here:5000/v2/team/a/blobs/{blob}")
        );
        assert_eq!(
            (first.actor.name.as_str(), first.source.addr.as_str()),
            ("alice", "here:5000")
        );
        assert_eq!(first.request.id, "request");
        eventually("nothing waits", async || {
            lines(&storage, Kind::Waiting).await.is_empty()
        })
        .await;
    }
}

#[tokio::test]
async fn a_receiver_that_fails_gets_everything_in_order_when_it_is_well_again() {
    let (storage, clock, _) = memory();
    let (receiver, url) = Receiver::start().await;
    receiver.answer([
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::OK,
        StatusCode::BAD_GATEWAY,
        StatusCode::NOT_FOUND,
        StatusCode::TOO_MANY_REQUESTS,
        // Accepted, and not followed.
        StatusCode::FOUND,
    ]);
    append(&storage, "fails", "a", 0..70).await;
    append(&storage, "fails", "b", 0..3).await;
    let _told = start(&storage, &clock, vec![endpoint("fails", &url)]);
    eventually("all events", async || receiver.events().len() == 73).await;
    assert_eq!(ids(&receiver.events(), "a"), expected("a", 0..70));
    assert_eq!(ids(&receiver.events(), "b"), expected("b", 0..3));
    let numbers = metrics::endpoint("fails");
    // The sender counts an answer after the receiver has given it.
    eventually("all are counted", async || numbers.successes.get() == 73).await;
    assert_eq!(numbers.failures.get(), 4);
    assert_eq!(receiver.requests().len(), 77);
}

#[tokio::test]
async fn an_event_that_is_refused_holds_up_its_own_repository_alone() {
    let (storage, clock, _) = memory();
    let (receiver, url) = Receiver::start().await;
    receiver.refuse(&["a"]);
    append(&storage, "refuses", "a", 0..2).await;
    append(&storage, "refuses", "b", 0..9).await;
    let _told = start(&storage, &clock, vec![endpoint("refuses", &url)]);
    eventually("all of b", async || receiver.events().len() == 9).await;
    assert_eq!(ids(&receiver.events(), "b"), expected("b", 0..9));
    receiver.refuse(&[]);
    eventually("then all of a", async || receiver.events().len() == 11).await;
    assert_eq!(ids(&receiver.events(), "a"), expected("a", 0..2));
}

#[tokio::test]
async fn an_endpoint_chooses_what_it_is_told_and_how() {
    let (storage, clock, _) = memory();
    let (receiver, url) = Receiver::start().await;
    let (all, all_url) = Receiver::start().await;
    let chooses = Endpoint {
        ignored_media_types: vec!["application/octet-stream".to_owned()],
        ignored_actions: vec!["delete".to_owned()],
        headers: vec![(
            http::header::AUTHORIZATION,
            http::HeaderValue::from_static("Bearer x"),
        )],
        version: Version::V1,
        batch: 10,
        ..endpoint("chooses", &url)
    };
    let told = start(&storage, &clock, vec![chooses, endpoint("all", &all_url)]);
    let plain = registry(&storage, &clock);
    let in_a = told.announced(&plain, asker("a"));
    let image = put_image(&in_a, "a", "one", &["x"]).await;
    in_a.delete_manifest(&repository("a"), &image).await.unwrap();
    eventually("all events", async || all.events().len() == 4).await;
    eventually("the manifest", async || receiver.events().len() == 1).await;
    eventually("nothing waits", async || {
        lines(&storage, Kind::Waiting).await.is_empty()
    })
    .await;
    assert_eq!(receiver.events()[0].target.tag, "x");
    let (headers, _) = &receiver.requests()[0];
    assert_eq!(headers["authorization"], "Bearer x");
    assert_eq!(headers["content-type"], Version::V1.media_type());
    assert_eq!(all.requests()[0].0["content-type"], Version::V2.media_type());
    append(&storage, "chooses", "a", 0..12).await;
    eventually("the rest", async || receiver.events().len() == 13).await;
    assert_eq!(ids(&receiver.events()[1..], "a"), expected("a", 0..12));
    assert!(receiver.requests().len() <= 1 + 12);
}

#[tokio::test]
async fn beyond_a_bound_the_oldest_become_dead_letters_and_can_be_replayed() {
    let (storage, clock, hands) = memory();
    let (receiver, url) = Receiver::start().await;
    receiver.refuse(&["a", "b", "c"]);
    append(&storage, "bound", "a", 0..3).await;
    hands.set(NOW_MS + 1_000);
    append(&storage, "bound", "b", 0..4).await;
    let bound = Endpoint {
        max_events: 5,
        max_dead_letters: 3,
        ..endpoint("bound", &url)
    };
    let _told = start(&storage, &clock, vec![bound]);
    eventually("two too many", async || {
        lines(&storage, Kind::Dead).await.len() == 2
    })
    .await;
    append(&storage, "bound", "b", 4..6).await;
    eventually("four too many, of which one is forgotten", async || {
        metrics::endpoint("bound").dead_dropped.get() == 1
    })
    .await;
    let numbers = metrics::endpoint("bound");
    assert_eq!((numbers.dead_letters.get(), numbers.dead_now.get()), (4, 3));
    assert_eq!(receiver.events(), []);
    receiver.refuse(&[]);
    eventually("what was left", async || receiver.events().len() == 5).await;
    // What was delivered is taken out of the queue, and makes room, only afterwards.
    let is_empty = async || lines(&storage, Kind::Waiting).await.is_empty();
    eventually("an empty queue", is_empty).await;
    assert_eq!(ids(&receiver.events(), "a"), [""; 0]);
    let dead = lines(&storage, Kind::Dead).await;
    assert!(
        dead[0].contains("push a a-1") && dead[2].contains("push b b-0"),
        "{dead:?}"
    );
    assert_eq!(replay(&storage, Some("other"), |_| 9).await.unwrap().events, 0);
    let some = replay(&storage, Some("bound"), |_| 1).await.unwrap();
    assert_eq!((some.events, some.left), (1, 2));
    eventually("one", async || receiver.events().len() == 6).await;
    eventually("an empty queue", is_empty).await;
    assert_eq!(replay(&storage, Some("bound"), |_| 5).await.unwrap().events, 2);
    eventually("the replayed", async || receiver.events().len() == 8).await;
    assert_eq!(ids(&receiver.events(), "a"), expected("a", 1..3));
    assert_eq!(lines(&storage, Kind::Dead).await, [""; 0]);
}

#[tokio::test]
async fn a_receiver_that_was_away_for_a_day_gets_all_and_after_a_week_the_rest_are_dead_letters() {
    let (storage, clock, hands) = memory();
    let (receiver, url) = Receiver::start().await;
    append(&storage, "away", "a", 0..2).await;
    hands.advance(Duration::from_hours(24));
    append(&storage, "away", "a", 2..3).await;
    let told = start(&storage, &clock, vec![endpoint("away", &url)]);
    eventually("a day later", async || receiver.events().len() == 3).await;
    drop(told);
    append(&storage, "later", "a", 0..2).await;
    hands.advance(Duration::from_hours(24 * 7 + 1));
    append(&storage, "later", "a", 2..3).await;
    let _told = start(&storage, &clock, vec![endpoint("later", &url)]);
    eventually("the young one", async || receiver.events().len() == 4).await;
    assert_eq!(receiver.events()[3].id, "a-2");
    assert_eq!(lines(&storage, Kind::Dead).await.len(), 2);
}

#[tokio::test]
async fn an_index_is_told_to_read_a_repository_again_in_the_place_of_what_is_too_much() {
    let (storage, clock, hands) = memory();
    let (receiver, url) = Receiver::start().await;
    append(&storage, "index", "a", 0..6).await;
    hands.advance(Duration::from_secs(1));
    append(&storage, "index", "b", 0..3).await;
    let index = Endpoint {
        max_events: 5,
        is_index: true,
        ..endpoint("index", &url)
    };
    let _told = start(&storage, &clock, vec![index]);
    eventually("four events", async || receiver.events().len() == 4).await;
    let events = receiver.events();
    assert_eq!(ids(&events, "b"), expected("b", 0..3));
    let of_a: Vec<_> = events
        .iter()
        .filter(|event| event.target.repository == "a")
        .collect();
    assert_eq!((of_a.len(), of_a[0].action), (1, Action::Resync));
    assert_eq!(lines(&storage, Kind::Dead).await, [""; 0]);
    assert_eq!(metrics::endpoint("index").resyncs.get(), 1);
}

#[tokio::test]
async fn pulls_are_told_and_beyond_the_bound_dropped_and_counted() {
    let (storage, clock, _) = memory();
    let (receiver, url) = Receiver::start().await;
    let (hanging, hanging_url) = Receiver::start().await;
    hanging.hang();
    let endpoints = vec![
        endpoint("pulls", &url),
        Endpoint {
            max_pulls: 2,
            ..endpoint("hangs", &hanging_url)
        },
        Endpoint {
            ignored_actions: vec!["pull".to_owned()],
            ..endpoint("ignores", &hanging_url)
        },
    ];
    let told = start(&storage, &clock, endpoints);
    let digest = Digest::of(Algorithm::Sha256, b"x");
    let pull = || {
        let pulled = Pulled::Blob {
            digest: &digest,
            size: 1,
        };
        told.pulled(pulled, || asker("a"));
    };
    pull();
    eventually("the first", async || hanging.requests().len() == 1).await;
    for _ in 0..6 {
        pull();
    }
    eventually("all pulls", async || receiver.events().len() == 7).await;
    assert!(
        receiver
            .events()
            .iter()
            .all(|event| outline(event).starts_with("pull a:@"))
    );
    let numbers = metrics::endpoint("hangs");
    assert_eq!((numbers.pulls.get(), numbers.pulls_dropped.get()), (3, 4));
    assert_eq!(metrics::endpoint("ignores").pulls_dropped.get(), 0);
    assert_eq!(lines(&storage, Kind::Waiting).await, [""; 0]);
}

#[tokio::test]
async fn one_process_delivers_at_a_time_and_another_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let files = Filesystem::open(folder.path(), crate::storage::Options::default()).unwrap();
        Spool::new(Storage::Filesystem(files), Folder::of("lease"))
    };
    let (one, two) = (open(), open());
    let lease = one.lease().await.unwrap();
    assert!(lease.is_some());
    assert!(two.lease().await.unwrap().is_none());
    drop(lease);
    eventually("the other one", async || two.lease().await.unwrap().is_some()).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_apart_and_holds_up_nothing() {
    let (storage, clock, _) = memory();
    let (receiver, url) = Receiver::start().await;
    let torn = crate::storage::Step::Number {
        counter: Folder::of("torn").counter("a"),
        stem: Folder::of("torn").stem("a"),
        content: Bytes::from_static(b"{\"id\": \"to"),
    };
    storage.commit(vec![], vec![torn]).await.unwrap();
    append(&storage, "torn", "a", 0..1).await;
    let _told = start(&storage, &clock, vec![endpoint("torn", &url)]);
    eventually("the other one", async || receiver.events().len() == 1).await;
    eventually("a dead letter", async || {
        lines(&storage, Kind::Dead).await.len() == 1
    })
    .await;
    assert!(lines(&storage, Kind::Dead).await[0].ends_with("(cannot be read)"));
}
