use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;

use super::*;
use crate::auth::test_token::Signer;

/// An index that publishes `document` and counts how often it is asked.
async fn publish(document: Arc<Mutex<Vec<u8>>>) -> (Url, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let jwks = move || {
        count.fetch_add(1, Ordering::SeqCst);
        let document = document.lock().unwrap().clone();
        async move { document }
    };
    let router = Router::new()
        .route("/jwks", get(jwks))
        .route("/moved", get(|| async { Redirect::temporary("/jwks") }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url.parse().unwrap(), asked)
}

fn at(url: &Url, kept: Option<PathBuf>) -> KeyLocations {
    KeyLocations {
        jwks_url: Some(url.clone()),
        kept,
        ..KeyLocations::default()
    }
}

fn knows(source: &KeySource, id: &str) -> bool {
    source.ring().current().find(id).is_some()
}

#[tokio::test]
async fn the_start_dials_nobody_and_an_unknown_key_asks_once_in_ten_seconds() {
    let (one, two) = (Signer::es256(), Signer::es256());
    let document = Arc::new(Mutex::new(one.jwks("one")));
    let (url, asked) = publish(Arc::clone(&document)).await;
    let source = KeySource::open(at(&url, None)).unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert!(source.ring().current().is_empty());
    // A burst of requests with a key that nobody knows.
    let (first, second, third) =
        tokio::join!(source.refresh_now(), source.refresh_now(), source.refresh_now());
    assert!(first && second && third, "each of them tries again");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "one of them asked");
    assert!(knows(&source, "one"));
    *document.lock().unwrap() = two.jwks("two");
    assert!(!source.refresh_now().await);
    assert_eq!(asked.load(Ordering::SeqCst), 1, "not again so soon");
    assert!(!knows(&source, "two"));
}

#[tokio::test]
async fn an_unknown_key_asks_again_a_second_after_nobody_answered() {
    // Whoever listens here hangs up.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/jwks", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let dialled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dialled);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            drop(connection);
        }
    });
    let source = KeySource::open(at(&url, None)).unwrap();
    assert!(source.refresh_now().await);
    let first = dialled.load(Ordering::SeqCst);
    assert_eq!(first, 2, "another replica may answer");
    assert!(!source.refresh_now().await, "not at once");
    let deadline = Instant::now() + UNKNOWN_KEY_PAUSE / 2;
    while !source.refresh_now().await {
        assert!(Instant::now() < deadline, "nobody is asked again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(dialled.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn the_background_fetches_by_itself_and_ends_with_the_source() {
    let document = Arc::new(Mutex::new(Signer::es256().jwks("one")));
    let (url, _) = publish(document).await;
    let source = KeySource::open(at(&url, None)).unwrap();
    source.keep_current();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !knows(&source, "one") {
        assert!(Instant::now() < deadline, "the key did not come");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_last_good_set_is_kept_for_the_next_start_and_a_bad_answer_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("portolan").join("keyset.json");
    let document = Arc::new(Mutex::new(Signer::es256().jwks("one")));
    let (url, _) = publish(Arc::clone(&document)).await;
    let source = KeySource::open(at(&url, Some(kept.clone()))).unwrap();
    source.0.refresh(true).await;
    assert!(knows(&source, "one"));
    let too_large = [Signer::es256().jwks("two"), vec![b' '; MAX_DOCUMENT]].concat();
    for bad in [
        b"not JSON".to_vec(),
        b"{\"keys\":[]}".to_vec(),
        too_large,
        Vec::new(),
    ] {
        *document.lock().unwrap() = bad;
        source.0.refresh(true).await;
        assert!(knows(&source, "one"));
    }
    // The next start finds it with nobody there to ask.
    let nobody: Url = "http://127.0.0.1:9/jwks".parse().unwrap();
    let next = KeySource::open(at(&nobody, Some(kept.clone()))).unwrap();
    assert!(knows(&next, "one"));
    next.0.refresh(true).await;
    assert!(knows(&next, "one"));
    // A damaged one is as good as none.
    std::fs::write(&kept, b"{").unwrap();
    assert!(
        KeySource::open(at(&nobody, Some(kept)))
            .unwrap()
            .ring()
            .current()
            .is_empty()
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let document = Arc::new(Mutex::new(Signer::es256().jwks("one")));
    let (url, asked) = publish(document).await;
    let source = KeySource::open(at(&url.join("/moved").unwrap(), None)).unwrap();
    source.0.refresh(true).await;
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert!(!knows(&source, "one"));
}

#[tokio::test]
async fn a_changed_file_is_taken_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, Signer::es256().jwks("one")).unwrap();
    let locations = KeyLocations {
        jwks: Some(path.clone()),
        ..KeyLocations::default()
    };
    let source = KeySource::open(locations.clone()).unwrap();
    assert!(knows(&source, "one"));
    let later = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000 + seconds);
    let write = |document: &[u8], seconds| {
        std::fs::write(&path, document).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(later(seconds)).unwrap();
    };
    write(&Signer::es256().jwks("two"), 0);
    source.0.refresh(false).await;
    assert!(knows(&source, "two") && !knows(&source, "one"));
    write(b"broken", 1);
    source.0.refresh(false).await;
    assert!(knows(&source, "two"));
    std::fs::remove_file(&path).unwrap();
    source.0.refresh(false).await;
    assert!(knows(&source, "two"));
    assert!(
        KeySource::open(locations).is_err(),
        "a start without its file fails"
    );
}

#[tokio::test]
async fn a_fixed_ring_is_never_touched() {
    let ring = KeyRing::from_jwks(&Signer::es256().jwks("one")).unwrap();
    let source = KeySource::fixed(ring);
    source.keep_current();
    assert!(!source.refresh_now().await);
    assert!(knows(&source, "one"));
}

#[tokio::test]
async fn an_unknown_key_id_takes_nothing_from_a_file_that_did_not_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, Signer::es256().jwks("one")).unwrap();
    let locations = KeyLocations {
        jwks: Some(path),
        ..KeyLocations::default()
    };
    let source = KeySource::open(locations).unwrap();
    assert!(source.refresh_now().await);
    assert!(knows(&source, "one"));
}

#[tokio::test]
async fn an_index_whose_certificate_vouches_for_itself_is_believed_when_it_is_named() {
    use shared::runtime::serve::{Limits, Listener, serve};
    use shared::runtime::tls::{TlsAcceptorHandle, write_private};
    let folder = tempfile::tempdir().unwrap();
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let both = folder.path().join("both.pem");
    write_private(
        &both,
        format!("{}{}", key.serialize_pem(), certificate.pem()).as_bytes(),
    )
    .unwrap();
    let document = Signer::es256().jwks("one");
    let router = Router::new().route("/jwks", get(move || std::future::ready(document.clone())));
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("https://localhost:{}/jwks", listener.local_addr().unwrap().port());
    let tls = TlsAcceptorHandle::load(&both, &both).unwrap();
    tokio::spawn(serve(
        listener,
        Some(tls),
        router,
        Limits::default(),
        std::future::pending(),
    ));
    for (authorities, expected) in [(None, false), (Some(both), true)] {
        let locations = KeyLocations {
            jwks_authorities: authorities,
            ..at(&url.parse().unwrap(), None)
        };
        let source = KeySource::open(locations).unwrap();
        source.refresh_now().await;
        assert_eq!(knows(&source, "one"), expected);
    }
}
