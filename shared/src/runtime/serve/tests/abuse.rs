//! Clients that are slow, silent, or too many.

use super::*;

const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_request_beyond_the_limit_is_told_to_come_again_and_the_next_one_is_served() {
    let server = Server::start(Limits {
        max_requests: 1,
        ..Limits::default()
    })
    .await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    server.entered.notified().await;
    let mut other = server.connect().await;
    let ask = b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n";
    other.write_all(ask).await.unwrap();
    let refusal = read_answer(&mut other).await;
    assert_status(&refusal, 503);
    assert!(refusal.contains("Retry-After: 2"), "{refusal}");
    server.gate.notify_one();
    assert_status(&read_answer(&mut busy).await, 200);
    other.write_all(ask).await.unwrap();
    assert_status(&read_answer(&mut other).await, 200);
}

#[tokio::test]
async fn a_client_that_sends_no_body_takes_no_place_from_others_and_health_needs_none() {
    let server = Server::start(Limits {
        max_requests: 1,
        ..Limits::default()
    })
    .await;
    let mut slow = Vec::new();
    for _ in 0..3 {
        let mut stream = server.connect().await;
        let head = b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na";
        stream.write_all(head).await.unwrap();
        slow.push(stream);
        // Until its handler waits for the rest, it has a place.
        timeout(PATIENCE, async {
            while !server.get("/ok").await.starts_with("HTTP/1.1 200") {}
        })
        .await
        .expect("the place is given back");
    }
    for stream in &mut slow {
        stream.write_all(b"b").await.unwrap();
        assert!(read_answer(stream).await.ends_with('2'));
    }
    let mut busy = server.connect().await;
    busy.write_all(b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    server.entered.notified().await;
    assert_status(&server.get("/ok").await, 503);
    assert_status(&server.get("/livez").await, 404);
}

#[tokio::test]
async fn a_slow_header_is_closed_also_while_it_dribbles() {
    let server = Server::start(Limits {
        headers: SHORT,
        ..Limits::default()
    })
    .await;
    let mut silent = server.connect().await;
    let mut begun = server.connect().await;
    begun.write_all(b"GET /ok HT").await.unwrap();
    let dribbling = server.connect().await;
    let (mut read, mut write) = dribbling.into_split();
    let dribble = tokio::spawn(async move {
        write.write_all(b"GET /ok HTTP/1.1\r\nX: ").await?;
        loop {
            write.write_all(b"x").await?;
            sleep(SHORT / 20).await;
        }
        #[expect(unreachable_code, reason = "gives the block its type")]
        io::Result::Ok(())
    });
    assert_eq!(read_to_close(&mut silent).await, "");
    assert_eq!(read_to_close(&mut begun).await, "");
    let mut bytes = Vec::new();
    let _ = timeout(PATIENCE, read.read_to_end(&mut bytes))
        .await
        .expect("the server closes");
    assert!(bytes.is_empty());
    dribble.abort();
}

#[tokio::test]
async fn an_idle_connection_outlives_the_header_limit_and_is_closed_at_its_own() {
    // The first header must come in time even on a busy machine; the idle time is five of the header's.
    let limits = Limits {
        headers: 5 * SHORT,
        idle: 15 * SHORT,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert_status(&read_answer(&mut stream).await, 200);
    let idle = Instant::now();
    assert_eq!(read_to_close(&mut stream).await, "");
    assert!(idle.elapsed() > 10 * SHORT, "closed after {:?}", idle.elapsed());
}

#[tokio::test]
async fn a_second_header_that_is_slow_is_closed() {
    let limits = Limits {
        headers: 5 * SHORT,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert_status(&read_answer(&mut stream).await, 200);
    stream.write_all(b"GET /ok").await.unwrap();
    assert_eq!(read_to_close(&mut stream).await, "");
}

#[tokio::test]
async fn a_handler_that_takes_long_is_not_taken_for_an_idle_client() {
    let limits = Limits {
        headers: SHORT,
        idle: SHORT,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    server.entered.notified().await;
    sleep(3 * SHORT).await;
    server.gate.notify_one();
    let answer = read_answer(&mut stream).await;
    assert!(answer.ends_with("through"), "{answer}");
    // From then on it is idle, and noticed though nothing happens on it.
    assert_eq!(read_to_close(&mut stream).await, "");
}

#[tokio::test]
async fn a_body_that_stops_is_an_error_and_the_connection_closes() {
    let server = Server::start(Limits {
        body_idle: SHORT,
        ..Limits::default()
    })
    .await;
    let answer = server
        .exchange("POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
        .await;
    assert_status(&answer, 408);
    let answer = server
        .exchange("POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab")
        .await;
    assert_status(&answer, 408);
}

#[tokio::test]
async fn a_service_that_knows_no_stalled_bodies_answers_them_like_one_that_does() {
    let server = Server::start(Limits {
        body_idle: SHORT,
        ..Limits::default()
    })
    .await;
    let answer = server
        .exchange("POST /text HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
        .await;
    assert_status(&answer, 408);
    assert!(answer.contains("came too slowly"), "{answer}");
    // A body that is too short otherwise is the service's own business.
    let answer = server
        .exchange("POST /text HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")
        .await;
    assert!(answer.ends_with("3 bytes"), "{answer}");
}

#[tokio::test]
async fn a_body_that_dribbles_is_an_error() {
    let limits = Limits {
        body_window: SHORT,
        body_min_rate: 1 << 20,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let (mut read, mut write) = server.connect().await.into_split();
    let dribble = tokio::spawn(async move {
        let _ = write
            .write_all(b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
            .await;
        while write.write_all(b"x").await.is_ok() {
            sleep(SHORT / 20).await;
        }
    });
    let mut answer = [0; 12];
    timeout(PATIENCE, read.read_exact(&mut answer))
        .await
        .expect("an answer")
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    timeout(PATIENCE, dribble)
        .await
        .expect("the connection closes")
        .unwrap();
}

#[tokio::test]
async fn a_body_that_comes_fast_enough_is_read_whole() {
    let limits = Limits {
        body_window: SHORT,
        body_min_rate: 1024,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 4096000\r\n\r\n")
        .await
        .unwrap();
    for _ in 0..1000 {
        stream.write_all(&[b'x'; 4096]).await.unwrap();
    }
    assert!(read_answer(&mut stream).await.ends_with("\r\n\r\n4096000"));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_reset() {
    let server = Server::start(Limits {
        write_stall: SHORT,
        ..Limits::default()
    })
    .await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    // Wait until the answer has begun, and then do not read until the server has given up.
    let mut first = [0];
    stream.read_exact(&mut first).await.unwrap();
    let reset = timeout(PATIENCE, async {
        loop {
            match stream.write_all(b"x").await {
                Ok(()) => sleep(SHORT / 4).await,
                Err(error) => return error,
            }
        }
    });
    let error = reset.await.expect("the server resets");
    assert!(
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
        ),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_without_reading_the_body_reaches_the_client() {
    let server = Server::start(Limits::default()).await;
    // The answer is there while the client is still sending, and a client that looks only after sending must find it.
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n")
        .await
        .unwrap();
    stream.peek(&mut [0]).await.unwrap();
    for _ in 0..9 {
        stream.write_all(&[b'x'; 10_000]).await.unwrap();
        sleep(Duration::from_millis(5)).await;
    }
    let answer = read_to_close(&mut stream).await;
    assert_status(&answer, 401);
    assert!(answer.ends_with("log in first"), "{answer}");
    // It is told that nothing it sends after that is read.
    assert!(answer.contains("Connection: close"), "{answer}");
    // So it is with a small one, of which a part may still be on its way.
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na")
        .await
        .unwrap();
    let answer = read_answer(&mut stream).await;
    assert_status(&answer, 401);
    assert!(answer.contains("Connection: close"), "{answer}");
    // And one who waits for leave to send is not made to.
    let expect = "POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    let mut stream = server.connect().await;
    stream.write_all(expect.as_bytes()).await.unwrap();
    assert_status(&read_answer(&mut stream).await, 401);
}

#[tokio::test]
async fn leave_to_send_a_body_is_given_when_it_is_read() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    let head = "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_status(&read_answer(&mut stream).await, 100);
    stream.write_all(b"abc").await.unwrap();
    assert_status(&read_answer(&mut stream).await, 200);
}

#[tokio::test]
async fn connections_of_one_address_are_capped_and_loopback_is_exempt() {
    let capped = Limits {
        max_connections_per_address: 2,
        exempt_loopback: false,
        ..Limits::default()
    };
    let server = Server::start(capped.clone()).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream
            .write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        assert_status(&read_answer(&mut stream).await, 200);
        held.push(stream);
    }
    let mut third = server.connect().await;
    assert_eq!(read_to_close(&mut third).await, "");
    // When one leaves there is room again.
    drop(held.pop());
    timeout(PATIENCE, async {
        loop {
            let mut stream = server.connect().await;
            let _ = stream
                .write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                .await;
            if read_to_close(&mut stream).await.starts_with("HTTP/1.1 200") {
                break;
            }
        }
    })
    .await
    .expect("room again");

    let server = Server::start(Limits {
        exempt_loopback: true,
        ..capped
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..5 {
        let mut stream = server.connect().await;
        stream
            .write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        assert_status(&read_answer(&mut stream).await, 200);
        held.push(stream);
    }
}

#[test]
fn an_ipv6_site_counts_as_one_address() {
    let counted = |text: &str| counted_address(text.parse().unwrap(), true);
    assert_eq!(counted("2001:db8::1"), counted("2001:db8::ffff:1"));
    assert_ne!(counted("2001:db8::1"), counted("2001:db8:0:1::1"));
    assert_eq!(counted("::ffff:192.0.2.1"), counted("192.0.2.1"));
    assert_eq!(counted("127.0.0.1"), None);
    assert_eq!(counted("::ffff:127.0.0.1"), None);
    assert_eq!(counted("::1"), None);
}

#[tokio::test]
async fn when_full_an_idle_connection_makes_room_and_a_busy_one_does_not() {
    let limits = Limits {
        max_connections: 2,
        evict_after: Duration::ZERO,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    server.entered.notified().await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert_status(&read_answer(&mut idle).await, 200);
    // The third gets the idle one's place.
    assert_status(&server.get("/ok").await, 200);
    assert_eq!(read_to_close(&mut idle).await, "");
    server.gate.notify_one();
    assert!(read_answer(&mut busy).await.ends_with("through"));
}

#[tokio::test]
async fn when_full_of_busy_connections_a_new_one_waits_for_its_turn() {
    let limits = Limits {
        max_connections: 1,
        evict_after: Duration::ZERO,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /gate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    server.entered.notified().await;
    let waiting = server.get("/ok");
    let mut waiting = pin!(waiting);
    assert!(timeout(SHORT, waiting.as_mut()).await.is_err(), "it waits");
    server.gate.notify_one();
    assert!(read_to_close(&mut busy).await.ends_with("through"));
    assert_status(&waiting.await, 200);
}

#[tokio::test]
async fn tls_on_the_plain_port_is_answered_at_once_and_closed() {
    let server = Server::start(Limits::default()).await;
    let hello = [&[0x16, 3, 1, 2, 0, 1, 0][..], &[0; 500]].concat();
    let answer = server.exchange(hello).await;
    assert!(
        answer.starts_with("HTTP/1.0 400 Bad Request\r\n\r\n"),
        "{answer:?}"
    );
}
