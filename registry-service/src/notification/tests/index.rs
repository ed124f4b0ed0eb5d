//! An index of ours, which knows repositories by the names under which they are kept.

use std::sync::Arc;

use super::*;
use crate::notification::Receive;

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
