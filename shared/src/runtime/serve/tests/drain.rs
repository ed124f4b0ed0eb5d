//! Shutdown.

use super::*;

#[tokio::test]
async fn a_drain_refuses_new_connections_finishes_requests_in_flight_and_then_closes_idle_connections() {
    let mut server = Server::start(Limits {
        evict_after: Duration::from_millis(1),
        ..Limits::default()
    })
    .await;
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
    let mut silent = server.connect().await;
    assert!(server.readiness.is_ready());
    server.stop();
    while TcpStream::connect(server.addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.readiness.is_ready());
    // It is not closed, though it is quiet.
    timeout(Duration::from_millis(50), idle.read_u8())
        .await
        .unwrap_err();
    idle.write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let answer = read_to_close(&mut idle).await;
    assert_status(&answer, 200);
    assert!(answer.contains("Connection: close"), "{answer}");
    server.gate.notify_one();
    assert_eq!(read_to_close(&mut silent).await, "");
    let answer = read_to_close(&mut busy).await;
    assert!(answer.ends_with("through"), "{answer}");
    assert!(answer.contains("Connection: close"), "{answer}");
    server.ended().await;
}

#[tokio::test]
async fn a_drain_cuts_off_what_does_not_end_in_time() {
    let mut server = Server::start(Limits {
        drain: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let mut busy = server.connect().await;
    busy.write_all(b"POST /never HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut gate = server.connect().await;
    gate.write_all(b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    server.entered.notified().await;
    server.stop();
    assert_eq!(read_to_close(&mut busy).await, "");
    assert_eq!(read_to_close(&mut gate).await, "");
    server.ended().await;
}

#[tokio::test]
async fn readiness_goes_red_before_the_port_closes() {
    let mut server = Server::start(Limits {
        drain_delay: Duration::from_millis(500),
        ..Limits::default()
    })
    .await;
    let readiness = server.readiness.clone();
    server.stop();
    timeout(PATIENCE, async {
        while readiness.is_ready() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("readiness goes red");
    assert_status(&server.get("/ok").await, 200);
    server.ended().await;
}

#[tokio::test]
async fn a_request_that_was_on_its_way_when_the_drain_began_is_answered_and_told_that_it_was_the_last() {
    let mut server = Server::start(Limits {
        evict_after: PATIENCE,
        ..Limits::default()
    })
    .await;
    let mut used = server.connect().await;
    used.write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert_status(&read_answer(&mut used).await, 200);
    let mut opened = server.connect().await;
    server.stop();
    // Not refused yet: the port is still to be closed. Its connections are served all the same.
    while let Ok(late) = TcpStream::connect(server.addr).await {
        drop(late);
    }
    for stream in [&mut used, &mut opened] {
        stream
            .write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        let answer = read_to_close(stream).await;
        assert_status(&answer, 200);
        assert!(answer.contains("Connection: close"), "{answer}");
    }
    server.ended().await;
}

/// Sends without letting the server's tasks run, which share this thread.
fn send_unnoticed(stream: TcpStream, bytes: &[u8]) -> TcpStream {
    let mut stream = stream.into_std().unwrap();
    io::Write::write_all(&mut stream, bytes).unwrap();
    TcpStream::from_std(stream).unwrap()
}

#[tokio::test]
async fn bytes_that_came_and_were_not_read_yet_keep_a_quiet_connection_open() {
    let mut server = Server::start(Limits {
        evict_after: Duration::ZERO,
        ..Limits::default()
    })
    .await;
    let mut streams = Vec::new();
    for number in 0..40 {
        let mut stream = server.connect().await;
        if number % 2 == 0 {
            stream
                .write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
                .await
                .unwrap();
            assert_status(&read_answer(&mut stream).await, 200);
        }
        streams.push(stream);
    }
    // The last one is accepted, and so are those before it.
    let mut last = server.connect().await;
    last.write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert_status(&read_answer(&mut last).await, 200);
    let request = b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n";
    let cut = [request.len(), 1, request.len() - 1];
    let sent: Vec<_> = (0..)
        .map(|number| cut[number % cut.len()])
        .take(streams.len())
        .collect();
    streams = streams
        .into_iter()
        .zip(&sent)
        .map(|(stream, sent)| send_unnoticed(stream, &request[..*sent]))
        .collect();
    server.stop();
    assert_eq!(read_to_close(&mut last).await, "", "it was idle");
    for (mut stream, sent) in streams.into_iter().zip(sent) {
        stream.write_all(&request[sent..]).await.unwrap();
        let answer = read_to_close(&mut stream).await;
        assert_status(&answer, 200);
        assert!(answer.contains("Connection: close"), "{answer}");
    }
    server.ended().await;
}

#[tokio::test]
async fn an_answer_that_its_client_reads_slowly_comes_whole_though_nobody_makes_it_any_more() {
    for first in [1_000, LARGE - (1 << 20)] {
        let mut server = Server::start(Limits {
            evict_after: Duration::ZERO,
            ..Limits::default()
        })
        .await;
        let mut slow = server.connect().await;
        slow.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        let mut read = vec![0; first];
        slow.read_exact(&mut read).await.unwrap();
        server.stop();
        while TcpStream::connect(server.addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
        let rest = read_to_close(&mut slow).await;
        let body = rest.len() + first - read.windows(4).position(|four| four == b"\r\n\r\n").unwrap() - 4;
        assert_eq!(body, LARGE);
        server.ended().await;
    }
}

#[tokio::test]
async fn connections_that_nobody_had_accepted_when_the_port_closed_are_served() {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
    }
    let waiting = listener.close();
    assert_eq!(waiting.len(), clients.len());
    for (mut stream, peer) in waiting {
        let client = clients
            .iter_mut()
            .find(|client| Some(client.local_addr().unwrap()) == peer.0);
        stream.write_all(b"x").await.unwrap();
        assert_eq!(client.unwrap().read_u8().await.unwrap(), b'x');
    }
}
