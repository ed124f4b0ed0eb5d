//! Heads of requests that are too large, too slow, ambiguous or no HTTP at all.

use std::io::{ErrorKind, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use harness::{Context as _, Journey, Need, Result, Suite, bail, ensure};

use harness::bad_request::Ground;
use harness::bad_request::{Request, exchange, read_reply};

pub(super) fn add(suite: &mut Suite) {
    let needs = [Need::Portolan];
    suite.add(
        "bad_input::head",
        "oversized_headers_are_refused_with_431_and_oversized_targets_with_414",
        &needs,
        oversized,
    );
    suite.add(
        "bad_input::head",
        "a_head_that_does_not_come_to_its_end_is_cut_off",
        &needs,
        slow,
    );
    suite.add(
        "bad_input::head",
        "heads_that_can_be_read_in_two_ways_are_refused",
        &needs,
        ambiguous,
    );
    suite.add(
        "bad_input::head",
        "what_is_no_http_is_refused_or_cut_off",
        &needs,
        no_http,
    );
    suite.add("bad_input::head", "an_unknown_method_is_refused", &needs, methods);
    suite.add(
        "bad_input::head",
        "forwarding_headers_of_a_stranger_change_nothing",
        &needs,
        forwarded,
    );
}

fn oversized(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let manifest = format!("/v2/{}/manifests/good", ground.repository());
    let get = || Request::new("GET", &manifest);
    let mut many = get();
    for number in 0..200 {
        many = many.header(&format!("X-{number}"), "x");
    }
    let cases = [
        (get().header("X-Large", "x".repeat(64 * 1024)), 431),
        (get().header("Cookie", "x".repeat(40 * 1024)), 431),
        (many, 431),
        (
            get().header("Authorization", format!("Bearer {}", "x".repeat(9 * 1024))),
            431,
        ),
        (
            get().header("Authorization", format!("Basic {}", "eA==".repeat(3000))),
            431,
        ),
        (Request::new("GET", format!("/v2/{}", "a/".repeat(10_000))), 414),
        (
            Request::new("GET", format!("/token?scope={}", "x".repeat(20_000))),
            414,
        ),
    ];
    for (request, status) in cases {
        let reply = ground.send_bare(&request)?;
        ensure!(reply.status == status, "should have been {status}: {reply}");
    }
    ground.is_unharmed()
}

/// Time for the head of a request (10 s), and some for a loaded machine.
const CUT_OFF: Duration = Duration::from_secs(25);

/// Sends one byte now and then until the server ends the connection; gives the status, when one came.
fn drip(stream: &mut TcpStream, bytes: &[u8]) -> Result<Option<u16>> {
    let begun = Instant::now();
    stream.set_nodelay(true)?;
    let mut rest = bytes.iter().chain(std::iter::repeat(&b'x'));
    loop {
        ensure!(
            begun.elapsed() < CUT_OFF,
            "still open after {:?}",
            begun.elapsed()
        );
        let byte = *rest.next().context("endless")?;
        match stream.write_all(&[byte]) {
            Ok(()) => {}
            Err(error) if [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset].contains(&error.kind()) => {
                return Ok(None);
            }
            Err(error) => bail!("write: {error}"),
        }
        // Waiting for an answer is also the pause between two bytes.
        match read_reply(stream, false, Duration::from_millis(500)) {
            Ok(reply) => return Ok(reply.map(|reply| reply.status)),
            Err(error) if error.to_string().contains("a hang") => {}
            Err(error) => return Err(error),
        }
    }
}

fn slow(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let port = ground.server.port();
    let starts: [&[u8]; 4] = [
        b"G",
        b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        b"GET /v2/",
        b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n",
    ];
    let outcomes = std::thread::scope(|scope| {
        let threads = starts.map(|start| {
            scope.spawn(move || -> Result<Option<u16>> {
                let mut stream = TcpStream::connect(("127.0.0.1", port))?;
                stream.write_all(start)?;
                drip(&mut stream, b"slow")
            })
        });
        // While they hang about, others are served.
        let honest = Request::new("GET", "/v2/").bearer(&ground.token).send(port);
        (honest, threads.map(std::thread::ScopedJoinHandle::join))
    });
    let honest = outcomes.0?;
    ensure!(honest.status == 200, "should have been served: {honest}");
    for outcome in outcomes.1 {
        let status = outcome.map_err(|_| harness::anyhow!("panicked"))??;
        ensure!(
            status.is_none_or(|status| status == 408),
            "should have been cut off or 408: {status:?}"
        );
    }
    // Nothing sent at all.
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    let nothing = read_reply(&stream, false, CUT_OFF)?;
    ensure!(
        nothing.is_none_or(|reply| reply.status == 408),
        "an answer to nothing"
    );
    ground.is_unharmed()
}

fn ambiguous(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let (name, token) = (ground.repository(), &ground.token);
    let fields = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "Content-Length: 5, 6\r\n\r\nhello!",
        "Content-Length: +5\r\n\r\nhello",
        "Content-Length: -5\r\n\r\nhello",
        "Content-Length: 5x\r\n\r\nhello",
        "Content-Length: 99999999999999999999999\r\n\r\nhello",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "X-Nul: a\0b\r\n\r\n",
        "X-Bare: a\rb\r\n\r\n",
        " folded: x\r\n\r\n",
        "No colon\r\n\r\n",
        "Bad[Name]: x\r\n\r\n",
        ": no name\r\n\r\n",
    ];
    for field in fields {
        let bytes = format!(
            "PUT /v2/{name}/manifests/bad HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{field}"
        );
        let reply = exchange(ground.server.port(), bytes.as_bytes(), false)?;
        let refused = reply
            .as_ref()
            .is_none_or(|reply| (400..500).contains(&reply.status));
        ensure!(refused, "{field:?} should have been refused: {reply:?}");
    }
    for chunks in [
        "zz\r\nhello\r\n0\r\n\r\n",
        "-1\r\n",
        "ffffffffffffffffff\r\nhello",
        "5\r\nhelloXX0\r\n\r\n",
    ] {
        let bytes = format!(
            "PUT /v2/{name}/manifests/bad HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
        );
        let reply = exchange(ground.server.port(), bytes.as_bytes(), false)?;
        let refused = reply
            .as_ref()
            .is_none_or(|reply| (400..500).contains(&reply.status));
        ensure!(refused, "{chunks:?} should have been refused: {reply:?}");
    }
    ground.is_unharmed()
}

fn no_http(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    // TLS to a plain port is what dockerd tries first on loopback.
    let hello = b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03 and no more of it \r\n\r\n";
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let lines: [&[u8]; 11] = [
        hello,
        http2,
        b"\r\n\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /v2/\r\n\r\n",
        b"GET /v2/ HTTP/9.9\r\n\r\n",
        b"GET  /v2/  HTTP/1.1\r\n\r\n",
        b"GET /v2/ a b HTTP/1.1\r\n\r\n",
        b"GET /v2/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET v2 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
    ];
    for line in lines {
        let stream = TcpStream::connect(("127.0.0.1", ground.server.port()))?;
        let mut writer = &stream;
        writer.write_all(line)?;
        // Some of it could be the beginning of something: then the time for a head is over at some point.
        stream.shutdown(std::net::Shutdown::Write)?;
        let reply = read_reply(&stream, false, CUT_OFF);
        match reply {
            Ok(None) => {}
            Ok(Some(reply)) => ensure!((400..500).contains(&reply.status), "{line:?}: {reply}"),
            // HTTP/2 frames are no HTTP/1.1 answer, and none of ours is spoken without TLS.
            Err(error) => bail!("{:?}: {error:#}", String::from_utf8_lossy(line)),
        }
    }
    ground.is_unharmed()
}

fn methods(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let name = ground.repository();
    let targets = [
        "/v2/".to_owned(),
        format!("/v2/{name}/manifests/good"),
        format!("/v2/{name}/tags/list"),
        "/token".to_owned(),
    ];
    for method in ["BREW", "TRACE", "PROPFIND", "get", "LINK"] {
        for target in &targets {
            let reply = ground.send(Request::new(method, target))?;
            ensure!(
                [400, 405, 501].contains(&reply.status) && reply.status < 500,
                "{method} {target}: {reply}"
            );
        }
    }
    ground.is_unharmed()
}

/// Realm and locations come from the configuration alone, whatever a request says about hosts.
fn forwarded(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let evil = "evil.example";
    let strange = |request: Request| {
        request
            .header("X-Forwarded-Host", evil)
            .header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-Prefix", "/evil.example")
            .header("Forwarded", format!("host={evil};proto=https"))
            .header("X-Original-URL", "/evil.example")
    };
    let begin = Request::new("POST", format!("/v2/{}/blobs/uploads/", ground.repository()));
    let begun = ground.send(strange(begin))?;
    ensure!(begun.status == 202, "should have been 202: {begun}");
    let challenge = ground.send_bare(&strange(Request::new("GET", "/v2/")))?;
    ensure!(challenge.status == 401, "should have been 401: {challenge}");
    let list = Request::new("GET", format!("/v2/{}/tags/list?n=0", ground.repository()));
    let listed = ground.send(strange(list))?;
    for reply in [&begun, &challenge, &listed] {
        ensure!(!reply.to_string().contains(evil), "believed a stranger: {reply}");
    }
    let host = format!("GET /v2/ HTTP/1.1\r\nHost: {evil}\r\nConnection: close\r\n\r\n");
    let reply = exchange(ground.server.port(), host.as_bytes(), false)?.context("no answer")?;
    ensure!(!reply.to_string().contains(evil), "believed a Host: {reply}");
    ground.cancel(begun.header("location").unwrap_or_default())?;
    ground.is_unharmed()
}
