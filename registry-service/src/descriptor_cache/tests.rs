use shared::oci::Algorithm;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

fn options(addr: &str) -> Options {
    Options {
        addrs: vec![addr.to_owned()],
        master_name: None,
        account: Account::default(),
        sentinel_account: Account::default(),
        db: 0,
        client_name: None,
        is_resp3: false,
        dial: Duration::from_secs(5),
        read: Duration::from_mins(1),
        pause: (Duration::from_millis(1), Duration::from_millis(10)),
        max_redirects: 3,
        tls: None,
    }
}

fn name() -> RepositoryName {
    "a/b".parse().unwrap()
}

fn digest() -> Digest {
    Digest::of(Algorithm::Sha256, b"x")
}

/// Answers every command of a connection with 1, and tells those that name a blob.
async fn answer(mut connection: TcpStream, said: tokio::sync::mpsc::UnboundedSender<String>) {
    let mut buffer = vec![0; 4096];
    while let Ok(count @ 1..) = connection.read(&mut buffer).await {
        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
        for command in text.split('*').skip(1) {
            let words: Vec<_> = command.split("\r\n").skip(2).step_by(2).collect();
            if words.iter().any(|word| word.contains("blobs")) {
                let _ = said.send(words.join(" "));
            }
            let _ = connection.write_all(b":1\r\n").await;
        }
    }
}

#[tokio::test]
async fn what_comes_and_goes_is_told_under_distributions_keys() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cache = DescriptorCache::start(&options(&listener.local_addr().unwrap().to_string())).unwrap();
    let (say, mut said) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move { answer(listener.accept().await.unwrap().0, say).await });
    cache.hold(&name(), &digest(), 7);
    cache.forget(&name(), &digest()).await;
    let digest = digest();
    for expected in [
        format!("HSET blobs::{digest} digest {digest} size 7"),
        format!("HSETNX blobs::{digest} mediatype application/octet-stream"),
        format!("HSET repository::a/b::blobs::{digest} mediatype application/octet-stream"),
        format!("SADD repository::a/b::blobs {digest}"),
        format!("SREM repository::a/b::blobs {digest}"),
        format!("DEL repository::a/b::blobs::{digest}"),
    ] {
        let command = said.try_recv().expect("told before the answer");
        assert_eq!(command.trim_end(), expected);
    }
}

#[tokio::test]
async fn a_redis_that_is_away_is_waited_for_by_nobody_and_told_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let cache = DescriptorCache::start(&options(&addr.to_string())).unwrap();
    // Longer than this test waits at all, if it waited.
    for _ in 0..100 {
        cache.hold(&name(), &digest(), 7);
        cache.forget(&name(), &digest()).await;
    }
    let variables = cache.variables();
    assert_eq!(variables["Active"], 0, "{variables}");
    assert_eq!(variables["Owed"], 100, "{variables}");
    let listener = TcpListener::bind(addr).await.unwrap();
    let (say, mut said) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(answer(connection, say.clone()));
        }
    });
    let mut forgotten = 0;
    while forgotten < 100 {
        let command = said.recv().await.unwrap();
        forgotten += u32::from(command.starts_with("SREM"));
    }
}

#[tokio::test]
async fn a_redis_that_never_answers_is_waited_for_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let slow = Options {
        dial: Duration::from_millis(50),
        read: Duration::from_millis(50),
        pause: (Duration::from_hours(1), Duration::from_hours(1)),
        ..options(&listener.local_addr().unwrap().to_string())
    };
    let cache = DescriptorCache::start(&slow).unwrap();
    for _ in 0..1_000 {
        cache.forget(&name(), &digest()).await;
        cache.hold(&name(), &digest(), 7);
    }
    assert_eq!(cache.variables()["Active"], 0);
}

#[test]
fn addresses_are_read_as_gos_client_reads_them() {
    use redis::ConnectionAddr;
    for (text, expected) in [
        ("redis:6379", ConnectionAddr::Tcp("redis".to_owned(), 6379)),
        (":6379", ConnectionAddr::Tcp("localhost".to_owned(), 6379)),
        ("[::1]:6379", ConnectionAddr::Tcp("::1".to_owned(), 6379)),
        ("/run/redis.sock", ConnectionAddr::Unix("/run/redis.sock".into())),
    ] {
        assert_eq!(server::address(text, false).unwrap(), expected, "{text}");
    }
    for text in ["", "redis", "redis:", "redis:x", "redis:99999"] {
        assert!(
            matches!(server::address(text, false), Err(Unusable::Address(_))),
            "{text}"
        );
    }
}

#[tokio::test]
async fn files_that_are_none_are_said_at_the_start() {
    let with = |tls| Options {
        tls: Some(tls),
        ..options("localhost:6379")
    };
    let missing = with(TlsFiles {
        roots: vec!["/none".into()],
        pair: None,
    });
    let refused = DescriptorCache::start(&missing).unwrap_err();
    assert!(refused.to_string().contains("/none"), "{refused}");
}
