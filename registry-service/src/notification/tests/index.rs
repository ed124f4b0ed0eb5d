//! An index of ours, which knows repositories by the names under which they are kept.

use std::sync::Arc;

use super::*;
use crate::notification::Receive;
use crate::notification::announcer::OfRequest;
use crate::registry::Announcer as _;
use crate::storage::Key;

#[tokio::test]
async fn an_index_in_this_process_gets_the_envelopes_with_the_names_under_which_repositories_are_kept() {
    let (storage, clock, _) = memory();
    append(&storage, "index", "a", 0..2).await;
    let received = Arc::new(std::sync::Mutex::new(Vec::new()));
    let receive = Receive::new({
        let received = Arc::clone(&received);
        move |body| {
            let received = Arc::clone(&received);
            Box::pin(async move {
                let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
                received
                    .lock()
                    .unwrap()
                    .extend(document["events"].as_array().unwrap().clone());
                http::StatusCode::NO_CONTENT
            })
        }
    });
    let index = Endpoint {
        is_index: true,
        ..endpoint("index", "http://index.invalid/")
    };
    let options = Options {
        within: Some((index, receive)),
        ..Options::default()
    };
    let told = Notifications::start(&storage, &clock, &random(), options)
        .unwrap()
        .unwrap();
    eventually("what waited", async || received.lock().unwrap().len() == 2).await;
    let digest = Digest::of(Algorithm::Sha256, b"x");
    let pulled = Pulled::Blob {
        digest: &digest,
        size: 1,
    };
    told.pulled(pulled, || asker("team/app"));
    eventually("a pull", async || received.lock().unwrap().len() == 3).await;
    let target = received.lock().unwrap()[2]["target"].clone();
    assert_eq!(target["repository"], "team/app");
    assert_eq!(target["storedAs"], "kept/team/app");
}

/// The names of what lies where notes do.
async fn notes(storage: &Storage) -> Vec<String> {
    let folder = Key::parse("portolan/missed").unwrap();
    let entries = storage.list(&folder, None, 1_000).await.unwrap();
    entries.into_iter().map(|entry| entry.name).collect()
}

#[tokio::test]
async fn what_a_process_could_not_tell_before_it_ended_the_next_one_tells() {
    let (storage, clock, _) = memory();
    let (receiver, url) = Receiver::start().await;
    let index = || Endpoint {
        is_index: true,
        ..endpoint("index", &url)
    };
    let first = start(&storage, &clock, vec![index()]);
    let request = OfRequest::new(first, asker("team/app"));
    let kept = repository("kept/team/app");
    let note = std::sync::Mutex::new(None);
    eventually("something to make a note of", async || {
        let mut note = note.lock().unwrap();
        *note = request.note_missed(&kept);
        note.is_some()
    })
    .await;
    let step = note.into_inner().unwrap().unwrap();
    storage.commit(Vec::new(), vec![step]).await.unwrap();
    let spares = notes(&storage).await;
    assert_eq!(spares[0], "of-kept+team+app", "{spares:?}");
    // A name that is too long for one is remembered by the process alone.
    assert!(request.note_missed(&repository(&"a".repeat(201))).is_none());

    let _second = start(&storage, &clock, vec![index()]);
    eventually("the index is told", async || {
        let events = receiver.events();
        let told = events.iter().filter(|event| event.action == Action::Resync);
        told.map(|event| event.target.stored_as.as_str())
            .eq(["kept/team/app"])
    })
    .await;
    eventually("nothing to be told", async || {
        notes(&storage)
            .await
            .iter()
            .all(|name| name.starts_with("spare-"))
    })
    .await;
    assert_eq!(notes(&storage).await.len(), spares.len());
}
