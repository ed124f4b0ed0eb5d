use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::address::is_public;
use super::*;

fn policy(allowed: &[&str]) -> EgressPolicy {
    EgressPolicy::new(allowed.iter().map(|text| text.parse().unwrap()).collect())
}

#[test]
fn only_addresses_of_the_public_internet_are_public() {
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
    ] {
        assert!(!is_public(address.parse().unwrap()), "{address}");
    }
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.1.1",
        "172.15.255.255",
        "172.32.0.1",
        "192.0.1.1",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.255",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a00:1450::1",
        "3ffe::1",
    ] {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
}

/// However an address is written.
#[test]
fn an_address_in_a_url_is_looked_at_without_a_name() {
    let policy = EgressPolicy::default();
    for url in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://127.0.0.1./",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:7f00:1]:8080/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/latest/meta-data",
        "http://169.254.169.254/latest/meta-data",
        "http://user:password@10.0.0.1/",
        "http://8.8.8.8@127.0.0.1/",
        "http://①②⑦.0.0.1/",
        "http://127。0。0。1/",
        "http://127.0.0.1\t/",
        "https://0/",
        "https://0.0.0.0:5001/",
        "http:127.0.0.1/",
        "http:/\\127.0.0.1/",
    ] {
        assert!(policy.check_url(url).is_err(), "{url}");
    }
    for url in [
        "",
        "receiver",
        "//receiver/",
        "ftp://receiver/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://a b/",
        "unix:/run/docker.sock",
    ] {
        assert_eq!(policy.check_url(url).unwrap_err(), Refused::Url, "{url}");
    }
    let long = format!("https://receiver/{}", "x".repeat(2_048));
    assert_eq!(policy.check_url(&long).unwrap_err(), Refused::Url);
    for url in [
        "https://hooks.example.com/x?y=z",
        "http://8.8.8.8:8080/",
        "https://[2606:4700::1111]/",
        "https://user:token@ci.example.com/job",
    ] {
        assert!(policy.check_url(url).is_ok(), "{url}");
    }
}

#[test]
fn a_name_is_as_good_as_the_worst_of_its_addresses() {
    let policy = EgressPolicy::default();
    let found = |texts: &[&str]| -> Vec<IpAddr> { texts.iter().map(|text| text.parse().unwrap()).collect() };
    assert_eq!(
        policy.check_addresses("a", &found(&["1.1.1.1", "2606:4700::1111"])),
        Ok(())
    );
    for bad in [
        &["127.0.0.1"][..],
        &["1.1.1.1", "10.0.0.1"],
        &["2606:4700::1111", "::1"],
        &["::ffff:1.1.1.1"],
    ] {
        assert_eq!(
            policy.check_addresses("a", &found(bad)),
            Err(Refused::Address("a".to_owned())),
            "{bad:?}"
        );
    }
    assert_eq!(
        policy.check_addresses("a", &[]),
        Err(Refused::Nowhere("a".to_owned()))
    );
}

#[test]
fn the_operator_allows_ranges_and_names() {
    let ours = policy(&["10.1.0.0/16", "fd00::/8", "ci.example.com", ".internal"]);
    let at = |address: &str| [address.parse::<IpAddr>().unwrap()];
    assert!(ours.check_url("http://10.1.2.3:8080/").is_ok());
    assert!(ours.check_url("http://10.2.2.3:8080/").is_err());
    assert!(ours.check_url("http://[fd00::1]/").is_ok());
    assert!(ours.check_addresses("other.example.com", &at("10.1.2.3")).is_ok());
    assert!(
        ours.check_addresses("other.example.com", &at("10.2.2.3"))
            .is_err()
    );
    for name in [
        "ci.example.com",
        "CI.example.com.",
        "build.internal",
        "a.b.internal",
    ] {
        assert!(ours.check_addresses(name, &at("127.0.0.1")).is_ok(), "{name}");
    }
    for name in [
        "xci.example.com",
        "ci.example.com.evil.example",
        "internal",
        "evilinternal",
    ] {
        assert!(ours.check_addresses(name, &at("127.0.0.1")).is_err(), "{name}");
    }
    for text in [
        "",
        ".",
        "a..b",
        "10.0.0.0/33",
        "10.0.0",
        "300.1.1.1",
        "a b",
        "-",
        "http://a",
        "*.example.com",
    ] {
        let is_label = text == "-";
        assert_eq!(text.parse::<Allowed>().is_ok(), is_label, "{text}");
    }
}

/// Answers every request with this, as often as it is asked.
async fn receiver(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut head = vec![0; 4096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, connections)
}

fn message(url: String) -> Message {
    Message {
        url,
        media_type: "application/json",
        headers: vec![("webhook-id", "msg_1".to_owned())],
        body: "{}".to_owned(),
    }
}

/// A resolver that says something else each time.
fn answers(texts: &'static [&'static [&'static str]]) -> impl Fn(String) -> Looked + Send + Sync {
    let asked = Mutex::new(0_usize);
    move |_| {
        let mut asked = asked.lock().unwrap();
        let now = texts[(*asked).min(texts.len() - 1)];
        *asked += 1;
        Box::pin(async move { Ok(now.iter().map(|text| text.parse().unwrap()).collect()) })
    }
}

/// What a name leads to, each time that it is looked up.
const LEADS: [&[&[&str]]; 3] = [
    &[&["127.0.0.1"]],
    &[&["1.1.1.1", "127.0.0.1"]],
    &[&["::ffff:127.0.0.1"]],
];

#[tokio::test]
async fn nothing_reaches_an_address_that_is_not_public() {
    let (port, connections) = receiver("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let direct = Egress::new(EgressPolicy::default());
    for host in ["127.0.0.1", "127.1", "0x7f.1", "[::ffff:127.0.0.1]", "localhost"] {
        let outcome = direct.send(&message(format!("http://{host}:{port}/"))).await;
        assert_eq!(outcome.status, None, "{host}");
        let error = outcome.error.unwrap();
        assert!(error.contains("webhooks.allow"), "{host}: {error}");
    }
    for texts in LEADS {
        let egress = Egress::with_lookup(EgressPolicy::default(), answers(texts));
        let outcome = egress
            .send(&message(format!("http://receiver.example:{port}/")))
            .await;
        assert_eq!(outcome.status, None, "{texts:?}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_checked() {
    let (port, connections) =
        receiver("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").await;
    // The second answer would be refused; nobody asks for one.
    let egress = Egress::with_lookup(policy(&["127.0.0.1"]), answers(&[&["127.0.0.1"], &["10.0.0.1"]]));
    let url = format!("http://receiver.example:{port}/");
    let first = egress.send(&message(url.clone())).await;
    assert_eq!(
        (first.status, first.body.as_str()),
        (Some(200), "ok"),
        "{:?}",
        first.error
    );
    let second = egress.send(&message(url)).await;
    assert!(second.error.unwrap().contains("webhooks.allow"));
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (inner, reached) = receiver("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let answer =
        format!("HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:{inner}/\r\nContent-Length: 0\r\n\r\n");
    let (outer, _) = receiver(answer.leak()).await;
    let egress = Egress::new(policy(&["127.0.0.1"]));
    let outcome = egress.send(&message(format!("http://127.0.0.1:{outer}/"))).await;
    assert_eq!(outcome.status, Some(307));
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn of_an_answer_a_bounded_piece_is_kept_and_no_cookie() {
    let answer = format!(
        "HTTP/1.1 503 X\r\nRetry-After: 120\r\nSet-Cookie: session=secret\r\nX-Long: {}\r\nX-Nul: a\r\nContent-Length: 20000\r\n\r\n{}",
        "h".repeat(3_000),
        "b".repeat(20_000)
    );
    let (port, _) = receiver(answer.leak()).await;
    let egress = Egress::new(policy(&["127.0.0.0/8"]));
    let outcome = egress.send(&message(format!("http://127.0.0.1:{port}/"))).await;
    assert_eq!((outcome.status, outcome.retry_after_s), (Some(503), Some(120)));
    assert_eq!(outcome.body.len(), KEPT_BODY);
    assert!(outcome.headers.len() <= KEPT_HEADERS && !outcome.headers.contains("secret"));
    assert!(outcome.headers.contains("retry-after: 120"));
}

#[tokio::test]
async fn an_error_does_not_tell_the_address() {
    let egress = Egress::new(policy(&["127.0.0.0/8"]));
    // A port that nothing listens on any more.
    let port = TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let sent = message(format!(
        "http://user:canary@127.0.0.1:{port}/path-canary?key=canary"
    ));
    let outcome = egress.send(&sent).await;
    let error = outcome.error.unwrap();
    assert!(!error.contains("canary"), "{error}");
    assert!(!sent.head().contains("canary") && !format!("{sent:?}").contains("canary"));
}
