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
