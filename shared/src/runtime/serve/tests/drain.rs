//! Shutdown.

use super::*;

#[tokio::test]
async fn a_drain_finishes_requests_in_flight_closes_idle_connections_and_refuses_new_ones() {
    let mut server = Server::start(Limits::default()).await;
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
    assert_eq!(read_to_close(&mut idle).await, "");
    assert_eq!(read_to_close(&mut silent).await, "");
    assert!(!server.readiness.is_ready());
    TcpStream::connect(server.addr).await.unwrap_err();
    server.gate.notify_one();
    let answer = read_to_close(&mut busy).await;
    assert!(answer.ends_with("through"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
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
        assert!(answer.contains("connection: close"), "{answer}");
    }
    server.ended().await;
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
            .find(|client| client.local_addr().unwrap() == peer);
        stream.write_all(b"x").await.unwrap();
        assert_eq!(client.unwrap().read_u8().await.unwrap(), b'x');
    }
}
